//! The plans that the queue's speed hangs on: leases by the queue's order, completions by key.

use crate::support::as_application;
use crate::work::{LEASE, Lab, output, read};
use jobs::{JobId, LeaseToken};
use orchestrator::store::ConnectOptions;
use orchestrator::store::jobs::{self as store, NewJob, Place, Success, Wanted};
use orchestrator::store::pool::{pool_options, with_timeouts};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn plan(lab: &Lab, statement: &'static str) -> String {
    let explain = format!("explain {statement}");
    let lines: Vec<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&lab.pool).await.expect("a plan");
    lines.join("\n")
}

/// Many jobs that can be carried out, many of them leased, as the planner sees a busy queue.
async fn busy(lab: &Lab) {
    sqlx::query(
        "insert into job (id, kind, queue, capability, repeatable, payload)
         select gen_random_uuid(), 'read', 'bench', 'read.plate', true, $1 from generate_series(1, 20000)",
    )
    .bind(&json!(read())["payload"])
    .execute(&lab.pool)
    .await
    .expect("jobs");
    for statement in [
        "insert into job_ready (job_id, queue, capability, priority)
         select id, queue, capability, 0 from job limit 10000",
        "insert into lease (job_id, lease_token, worker, phase, attempt, expires_at)
         select job.id, gen_random_uuid(), actor.id, 'leased', 1, now() + interval '1 minute'
         from job join actor on actor.name = 'agent-1' where not exists (select from job_ready where job_id = job.id) limit 1000",
    ] {
        sqlx::query(statement).execute(&lab.pool).await.expect("rows");
    }
}

/// Each of many that wait waits for one that is ready.
async fn many_wait(lab: &Lab) {
    for statement in [
        "insert into job_waiting (job_id, unmet)
         select id, 1
         from job
         where not exists (select from job_ready where job_id = job.id)
             and not exists (select from lease where job_id = job.id)
         limit 8000",
        "insert into job_dependency (job_id, depends_on)
         select waits.job_id, upstream.job_id
         from (select job_id, row_number() over (order by job_id) as place from job_waiting) as waits
         join (select job_id, row_number() over (order by job_id) as place from job_ready) as upstream using (place)",
    ] {
        sqlx::query(statement).execute(&lab.pool).await.expect("rows");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn leases_go_by_the_queues_order_and_completions_by_the_primary_key(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let lab = Lab::new(as_application(options, login).await).await;
    busy(&lab).await;
    sqlx::query("analyze").execute(&owner).await.expect("statistics");
    let lease = plan(
        &lab,
        "select next.*
         from unnest('{read.plate,dispense.liquid}'::text[]) as lane (capability)
         cross join (values (''), ('x')) as addressed (instrument)
         cross join lateral (
             select * from job_ready
             where queue = 'bench' and capability = lane.capability
                 and coalesce(instrument, '') = addressed.instrument
                 and not exists (
                     select from instrument
                     where name = 'x'
                         and (state in ('maintenance', 'retired')
                             or (state = 'draining' and not plate_begun(job_ready.plate_id))))
                 and not exists (
                     select from hold
                     where hold.subject_id in (job_ready.job_id, job_ready.round_id, job_ready.campaign_id)
                         and (manner = 'pause' or (subject = 'round' and not plate_begun(job_ready.plate_id))))
                 and not ('bench' in ('bench', 'people') and exists (select from laboratory_stop where lifted_at is null))
             order by priority desc, ready_order limit 10 for update skip locked
         ) as next
         order by priority desc, ready_order limit 10",
    )
    .await;
    assert!(lease.contains("job_ready_lane") && !lease.contains("Seq Scan on job_ready"), "{lease}");
    assert_eq!(lease.matches("->  Sort").count(), 1, "only the firsts of the lanes are sorted: {lease}");
    let next_lane = plan(
        &lab,
        "select capability, coalesce(instrument, '')
         from job_ready
         where queue = 'bench' and (capability, coalesce(instrument, '')) > ('a', 'b')
         order by capability, coalesce(instrument, '')
         limit 1",
    )
    .await;
    assert!(next_lane.contains("job_ready_lane") && next_lane.contains("Index Cond"), "{next_lane}");
    let together = plan(
        &lab,
        "with said as materialized (
             select *
             from unnest(array_fill(gen_random_uuid(), '{100}'), array_fill(gen_random_uuid(), '{100}'))
                 as said (job_id, lease_token)
         )
         delete from lease
         using said, job
         where lease.job_id = said.job_id and lease.lease_token = said.lease_token
             and job.id = said.job_id and job.kind = 'read'",
    )
    .await;
    assert!(together.contains("job_pkey") && !together.contains("Seq Scan on job"), "{together}");
    let by_key = plan(
        &lab,
        "delete from lease
         where job_id = '00000000-0000-7000-8000-000000000001' and lease_token = '00000000-0000-7000-8000-000000000001'",
    )
    .await;
    assert!(by_key.contains("lease_pkey"), "{by_key}");
}

/// The queue's tasks have connections on which each statement is planned once, for any values: by indexes too.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_planned_once_for_any_number_of_workers_reads_no_more_than_is_theirs(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let lab = Lab::new(as_application(options, login.clone()).await).await;
    busy(&lab).await;
    many_wait(&lab).await;
    sqlx::query("analyze").execute(&owner).await.expect("statistics");
    assert_eq!(read_through(&lab, login).await, []);
}

/// As a busy day finds it: nobody has counted since the tables were empty.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_same_where_tables_have_grown_since_they_were_analysed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let lab = Lab::new(as_application(options, login.clone()).await).await;
    sqlx::query("analyze").execute(&owner).await.expect("statistics");
    busy(&lab).await;
    many_wait(&lab).await;
    assert_eq!(read_through(&lab, login).await, []);
}

/// Forty jobs are leased, begun and settled, each with one that waited for it, and what is due is promoted. The tables of
/// which that read all rows, and how many.
async fn read_through(lab: &Lab, login: PgConnectOptions) -> Vec<(String, i64)> {
    // Also where nothing forbids to read a table through: the statements themselves lead nowhere else.
    let once = ConnectOptions { by_index: false, ..ConnectOptions::of_the_queue() };
    let pool = pool_options(&once).connect_with(with_timeouts(login, &once)).await.expect("a pool");
    // Counted on a connection that did nothing before.
    let mut tx = orchestrator::store::begin_on(&pool).await.expect("a transaction");
    let leased = store::lease(&mut tx, &readers(), &[lab.worker; 40], LEASE).await.expect("leases");
    let held: Vec<_> = leased.iter().map(|it| (it.lease.job_id, it.lease.lease_token)).collect();
    let begun = store::start_all(&mut tx, &held, LEASE).await.expect("begun");
    assert_eq!(begun.iter().flatten().count(), 40);
    let success = |&(job, token): &(JobId, LeaseToken)| Success {
        job,
        token,
        actor: lab.worker,
        output: Box::new(output(&read())),
        origin: None,
    };
    let successes: Vec<Success> = held.iter().map(success).collect();
    let taken = store::report_successes(&mut tx, &successes).await.expect("settled");
    assert_eq!(taken.places.len(), 40);
    assert!(taken.consequences.queues.contains("bench"), "those that waited may begin");
    store::promote(&mut tx, 100).await.expect("a promotion");
    sqlx::query_as(
        "select relname::text, seq_tup_read
         from pg_stat_xact_user_tables
         where relname in ('job', 'job_ready', 'job_waiting', 'job_dependency', 'job_outcome', 'job_attempt',
                 'job_report', 'event')
             and seq_tup_read > 0",
    )
    .fetch_all(&mut *tx)
    .await
    .expect("what was read from one end to the other")
}

/// Plans that are kept are made over tables that are nearly empty: by an index all the same.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_queue_reads_by_an_index_and_others_as_the_planner_likes(
    _: PgPoolOptions,
    login: PgConnectOptions,
) {
    for (options, expected) in [
        (ConnectOptions::of_the_queue(), "off"),
        (ConnectOptions::of_the_engine(), "on"),
        (ConnectOptions::default(), "on"),
    ] {
        let login = with_timeouts(login.clone(), &options);
        let pool = pool_options(&options).connect_with(login).await.expect("a pool");
        let setting: String =
            sqlx::query_scalar("show enable_seqscan").fetch_one(&pool).await.expect("shown");
        assert_eq!(setting, expected);
        pool.close().await;
    }
}

/// Asked whenever the consequences of a job are drawn, among all jobs that ever were.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whether_another_job_does_the_work_is_asked_of_those_that_replace_one(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    busy(&lab).await;
    let plan =
        plan(&lab, "select exists (select from job where replaces = '00000000-0000-7000-8000-000000000001')")
            .await;
    assert!(plan.contains("job_replaces"), "{plan}");
}

fn readers() -> Wanted {
    Wanted { queue: "bench".to_owned(), capabilities: vec!["read.plate".to_owned()], instrument: None }
}

/// Ten leases from `start` on, given back; the place of the last, and how many blocks of what is ready were read.
async fn ten_from(lab: &Lab, start: Place) -> (Place, i64) {
    let mut tx = orchestrator::store::begin_on(&lab.pool).await.expect("a transaction");
    // By the index, which another test asserts: of a table whose rows are nearly all given out PostgreSQL, asked for the
    // first time on this connection, may read every page.
    sqlx::query("set local enable_seqscan = off").execute(&mut *tx).await.expect("set");
    let leased =
        store::lease_from(&mut tx, &readers(), &[lab.worker; 10], LEASE, start).await.expect("leases");
    let blocks = sqlx::query_scalar(
        "select sum(pg_stat_get_xact_blocks_fetched(of::regclass))::bigint
         from unnest('{job_ready,job_ready_lane}'::text[]) as of",
    );
    let blocks = blocks.fetch_one(&mut *tx).await.expect("blocks");
    assert_eq!(leased.len(), 10);
    (leased.iter().map(|it| it.place).max().expect("a place"), blocks)
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_goes_on_where_the_last_was_found_passes_over_nothing_that_a_snapshot_keeps(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let lab = Lab::new(as_application(options, login).await).await;
    busy(&lab).await;
    let mut snapshot = owner.begin_with("begin isolation level repeatable read").await.expect("a snapshot");
    sqlx::query("select from job_ready").execute(&mut *snapshot).await.expect("it is held");
    sqlx::query(
        "delete from job_ready
         where ready_order < (select ready_order from job_ready order by ready_order offset 9900 limit 1)",
    )
    .execute(&owner)
    .await
    .expect("given out");
    sqlx::query("analyze").execute(&owner).await.expect("statistics");
    let (last, all) = ten_from(&lab, Place::FIRST).await;
    // The least of some: planning it looks at the ends of the index, where what a snapshot keeps may lie; a connection has
    // planned it for good after the sixth time.
    let mut few = i64::MAX;
    for _ in 0..40 {
        few = few.min(ten_from(&lab, last).await.1);
        if few * 4 < all {
            break;
        }
    }
    assert!(few * 4 < all, "{few} blocks, and {all} from the beginning");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_goes_on_sees_what_comes_after_and_who_begins_sees_all(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    for _ in 0..4 {
        lab.create(NewJob::new(read())).await;
    }
    let mut conn = lab.conn().await;
    let one = &[lab.worker; 1];
    let first = store::lease(&mut conn, &readers(), one, LEASE).await.expect("a lease").remove(0);
    let urgent = lab.create(NewJob { priority: 5, ..NewJob::new(read()) }).await;
    let next =
        store::lease_from(&mut conn, &readers(), one, LEASE, first.place).await.expect("a lease").remove(0);
    assert!(next.place > first.place && next.lease.job_id != urgent);
    let begun = store::lease(&mut conn, &readers(), one, LEASE).await.expect("a lease").remove(0);
    assert_eq!(begun.lease.job_id, urgent);
    let after = Place { ready_order: next.place.ready_order + 100, ..next.place };
    assert!(store::lease_from(&mut conn, &readers(), one, LEASE, after).await.expect("none").is_empty());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_is_indexed_that_a_heartbeat_changes(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let indexed = lab
        .count(
            "select count(*)
             from pg_index
             join pg_attribute on attrelid = indrelid and attnum = any(indkey)
             where indrelid = 'lease'::regclass and attname in ('expires_at', 'progress', 'phase')",
        )
        .await;
    assert_eq!(indexed, 0);
}
