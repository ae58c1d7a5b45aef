//! Lists of jobs are the same whichever table leads: the newest that fit, of what one may see.

use crate::laboratory::{Laboratory, Settings};
use crate::support::as_application;
use crate::work::Lab;
use jobs::JobId;
use jobs::state::State;
use jobs::work::Kind;
use orchestrator::ids::{DEFAULT_PROJECT, ProjectId};
use orchestrator::people::Visible;
use orchestrator::store::jobs::{Filter, Summary, list};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn jobs(
    pool: &PgPool,
    visible: &Visible,
    filter: &Filter,
    after: Option<JobId>,
    limit: i64,
) -> Vec<Summary> {
    let mut conn = pool.acquire().await.expect("a connection");
    list(&mut conn, visible, filter, after, limit).await.expect("a list")
}

/// Every filter of state and kind, in pages of two, against all jobs.
async fn every_filter(pool: &PgPool, all: &[Summary], visible: &Visible) -> usize {
    let states = State::ALL.into_iter().map(Some).chain([None]);
    let mut found = 0;
    for state in states {
        for kind in Kind::ALL.into_iter().map(Some).chain([None]) {
            let filter = Filter { state, kind, ..Filter::default() };
            let fits = |job: &&Summary| {
                state.is_none_or(|state| job.state == state) && kind.is_none_or(|kind| job.kind == kind)
            };
            let expected: Vec<JobId> = all.iter().filter(fits).map(|job| job.id).collect();
            let mut listed: Vec<JobId> = Vec::new();
            loop {
                let page = jobs(pool, visible, &filter, listed.last().copied(), 2).await;
                assert!(page.len() <= 2);
                listed.extend(page.iter().map(|job| job.id));
                if page.len() < 2 {
                    break;
                }
            }
            assert_eq!(listed, expected, "{state:?} {kind:?}");
            found += listed.len();
        }
    }
    found
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_filter_lists_what_fits_newest_first(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.work_until(Kind::Read).await;
    let pool = &laboratory.pool;
    let all = jobs(pool, &Visible::All, &Filter::default(), None, 1000).await;
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    let stored = laboratory.count("select count(*) from job").await;
    assert_eq!(i64::try_from(all.len()).expect("few"), stored);
    assert!(every_filter(pool, &all, &Visible::All).await > all.len());
    let own = Visible::Only(vec![DEFAULT_PROJECT]);
    assert!(every_filter(pool, &all, &own).await > all.len());
    let other = Visible::Only(vec![ProjectId::fresh()]);
    assert_eq!(every_filter(pool, &[], &other).await, 0);
    for (filter, of) in [
        (
            Filter { round_id: all[0].round_id, ..Filter::default() },
            (|job, first| job.round_id == first.round_id) as fn(&Summary, &Summary) -> bool,
        ),
        (Filter { plate_id: all[0].plate_id, ..Filter::default() }, |job, first| {
            job.plate_id == first.plate_id
        }),
        (Filter { instrument: all[0].instrument.clone(), ..Filter::default() }, |job, first| {
            job.instrument == first.instrument
        }),
        (
            Filter { instrument: all[0].instrument.clone(), state: Some(all[0].state), ..Filter::default() },
            |job, first| (&job.instrument, job.state) == (&first.instrument, first.state),
        ),
    ] {
        let expected: Vec<&Summary> = all.iter().filter(|job| of(job, &all[0])).collect();
        assert!(!expected.is_empty());
        let listed = jobs(pool, &own, &filter, None, 1000).await;
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected);
    }
}

/// Many jobs that succeeded, of two campaigns; those of the first are all older.
const MANY: [&str; 4] = [
    // The campaigns have no edition.
    "set session_replication_role = replica",
    "insert into campaign (id, project_id, name, current_version, seed)
     select gen_random_uuid(), '00000000-0000-7000-8000-000000000002', name, 1, 1
     from unnest(array['old', 'new']) as name",
    "insert into job (id, kind, queue, capability, repeatable, payload, campaign_id)
     select lpad(to_hex(number), 32, '0')::uuid, 'read', 'bench', 'read.plate', true, '{}', campaign.id
     from generate_series(1, 20000) as number
     join campaign on campaign.name = case when number <= 10000 then 'old' else 'new' end",
    "insert into job_outcome (job_id, state, settled_lab_at) select id, 'succeeded', now() from job",
];

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_page_reads_along_an_index_and_not_what_others_did_since(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let lab = Lab::new(as_application(options, login).await).await;
    let mut writer = owner.acquire().await.expect("a connection");
    for rows in MANY {
        sqlx::query(rows).execute(&mut *writer).await.expect("rows");
    }
    sqlx::query("analyze").execute(&owner).await.expect("statistics");
    let plan = |statement: &'static str| {
        let explain = format!("explain {statement}");
        let pool = lab.pool.clone();
        async move {
            let lines: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&pool).await.expect("a plan");
            lines.join("\n")
        }
    };
    let newest = plan(
        "select there.job_id
         from (select job_id from job_outcome where state = 'succeeded') as there
         join job on job.id = there.job_id
         left join campaign on campaign.id = job.campaign_id
         order by there.job_id desc
         limit 100",
    )
    .await;
    assert!(
        newest.contains("Index Scan Backward using job_outcome_pkey") && !newest.contains("Sort"),
        "{newest}"
    );
    let of_project = plan(
        "select there.job_id
         from campaign
         cross join lateral (
             select job.id as job_id
             from job
             join job_outcome on job_outcome.job_id = job.id and job_outcome.state = 'succeeded'
             where job.campaign_id = campaign.id
             order by job.id desc
             limit 100
         ) as there
         where campaign.project_id = any('{00000000-0000-7000-8000-000000000002}')
         order by there.job_id desc
         limit 100",
    )
    .await;
    assert!(of_project.contains("job_campaign") && !of_project.contains("Seq Scan on job"), "{of_project}");
}
