//! A replica that runs while a newer schema is migrated under it goes on, and is not started again on it.

use crate::laboratory::{Laboratory, Settings};
use orchestrator::batches::approve::approve;
use orchestrator::ids::BatchId;
use orchestrator::rounds::State;
use orchestrator::rounds::state::Stage;
use orchestrator::store::{ConnectOptions, Error, connect, events};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// What the next release's migrations may do.
const NEXT: &str = "
    alter table event add column note text;
    alter table event_seal add column note text;
    alter table job_ready add column weight integer not null default 1;
    alter table lease add column weight integer not null default 1;
    alter table round add column note text;
    alter table plate add column note jsonb not null default '{}';
    create table shelf (id uuid primary key);
    create index round_note on round (note);
    insert into _sqlx_migrations (version, description, success, checksum, execution_time)
    values (9999, 'of tomorrow', true, '', 0);";

async fn approve_waiting(laboratory: &Laboratory) {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let waiting: Vec<(uuid::Uuid, i32)> =
        sqlx::query_as("select id, revision from batch where state = 'awaiting_approval'")
            .fetch_all(&mut *conn)
            .await
            .expect("batches");
    assert!(!waiting.is_empty(), "a batch waits");
    for (id, revision) in waiting {
        let revision = u32::try_from(revision).expect("a revision");
        approve(&mut conn, BatchId(id), revision, laboratory.person).await.expect("approved");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_running_replica_goes_on_over_a_newer_schema_and_none_is_started_on_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let settings = Settings { rounds: 1, batch: 4, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login.clone(), settings).await;
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::In(Stage::AwaitingApproval));
    sqlx::raw_sql(NEXT).execute(&owner).await.expect("the newer schema");

    approve_waiting(&laboratory).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 4), "{progress:#?}");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    events::seal_batch(&mut conn, 500).await.expect("sealed");
    events::verify(&mut conn).await.expect("sound");

    let refused = connect(login.to_url_lossy().as_str(), &ConnectOptions::default()).await;
    let Err(error @ Error::SchemaNewer { .. }) = refused else { panic!("started on a newer schema") };
    let words = error.to_string();
    assert!(words.contains("9999") && words.contains("run the newer loopwright"), "{words}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_keeps_the_version_of_the_campaign_that_it_began_with(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 2, batch: 4, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    // An edition with twice the replicates, made while the first round waits for its approval.
    sqlx::raw_sql(
        "insert into campaign_version
             (campaign_id, version, spec, toml, pool_sha256, pool_size, feature_sha256s, prior_sha256s, created_by)
         select campaign_id, 2, jsonb_set(spec, '{assay,replicates}', '4'), toml, pool_sha256, pool_size,
             feature_sha256s, prior_sha256s, created_by
         from campaign_version;
         insert into campaign_gene (campaign_id, version, gene, tags)
         select campaign_id, 2, gene, tags from campaign_gene;
         update campaign set current_version = 2;",
    )
    .execute(&laboratory.pool)
    .await
    .expect("an edition");
    approve_waiting(&laboratory).await;
    laboratory.run().await;
    approve_waiting(&laboratory).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state.as_str(), "finished");
    let wells: Vec<(i32, i32, i64)> = sqlx::query_as(
        "select round.number, round.campaign_version, count(*)
         from well
         join plate on plate.id = well.plate_id
         join round on round.id = plate.round_id
         where well.proposal_id is not null
         group by round.number, round.campaign_version
         order by round.number",
    )
    .fetch_all(&laboratory.pool)
    .await
    .expect("wells");
    assert_eq!(wells, [(1, 1, 4 * 2), (2, 2, 4 * 4)], "each as its own edition says");
}
