//! What the application's role may not do, and when the store refuses to start.

use crate::support::{as_application, emptied};
use crate::work::{Lab, read};
use orchestrator::store::error::ConstraintKind;
use orchestrator::store::jobs::NewJob;
use orchestrator::store::{ConnectOptions, Error, connect};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_application_can_add_to_the_record_and_never_change_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let pool = as_application(options, login).await;
    for statement in [
        "update event set kind = 'Forged'",
        "delete from event",
        "truncate event",
        "delete from event_seal",
        "update job_report set disposition = 'accepted'",
        "delete from job_attempt",
        "delete from job_outcome",
        "delete from job",
        "delete from blob",
        "update approval set verdict = 'approve'",
        "delete from batch_edit",
        "update batch_comment set text = 'x'",
        "delete from round_exclusion",
        "update campaign_gene set tags = '{}'",
        "update sign_on_pending set return_to = '/x'",
        "drop table event",
    ] {
        let error: Error = sqlx::query(statement).execute(&pool).await.expect_err(statement).into();
        assert!(matches!(error, Error::NotPermitted(_)), "{statement}: {error:?}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_newer_schema_is_refused(options: PgPoolOptions, login: PgConnectOptions) {
    let owner = options.connect_with(login.clone()).await.expect("the owner");
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'of tomorrow', true, '', 0)",
    )
    .execute(&owner)
    .await
    .expect("a row");
    let refused = connect(login.to_url_lossy().as_str(), &ConnectOptions::default()).await;
    assert!(matches!(refused, Err(Error::SchemaNewer { found: 9999, .. })), "{refused:?}");
}

#[sqlx::test]
async fn an_empty_database_is_refused_until_it_is_migrated(_: PgPoolOptions, login: PgConnectOptions) {
    emptied(&login).await.close().await.expect("closed");
    let url = login.to_url_lossy();
    let refused = connect(url.as_str(), &ConnectOptions::default()).await;
    assert!(matches!(refused, Err(Error::SchemaOlder { found: 0, .. })), "{refused:?}");
    orchestrator::store::migrate(url.as_str()).await.expect("a migration");
    let pool = connect(url.as_str(), &ConnectOptions::default()).await.expect("a pool");
    let role: String =
        sqlx::query_scalar("select current_user::text").fetch_one(&pool).await.expect("a role");
    assert_eq!(role, "loopwright_app");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_broken_rule_is_named(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(read())).await;
    let twice =
        sqlx::query("insert into job_ready (job_id, queue, capability, priority) values ($1, 'x', 'x', 0)")
            .bind(job.0)
            .execute(&lab.pool)
            .await;
    let error = Error::from(twice.expect_err("it is there already"));
    assert_eq!(error.constraint(), Some("job_ready_pkey"));
    assert!(matches!(error, Error::Constraint { kind: ConstraintKind::Unique, .. }));
}
