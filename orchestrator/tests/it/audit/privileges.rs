//! What the application's role may do with the record: add, and nothing else.

use crate::support::as_application;
use orchestrator::store::Error;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_record_is_added_to_and_nothing_else(options: PgPoolOptions, login: PgConnectOptions) {
    let pool = as_application(options, login).await;
    for table in ["event", "event_seal"] {
        let column = if table == "event" { "kind = 'Forged'" } else { "form = 1" };
        for statement in [
            format!("update {table} set {column}"),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("truncate {table} cascade"),
            format!("alter table {table} add column note text"),
            format!("alter table {table} disable trigger all"),
            format!("create index on {table} ({})", if table == "event" { "kind" } else { "form" }),
            format!("drop table {table} cascade"),
            format!("alter table {table} owner to loopwright_app"),
        ] {
            let refused = sqlx::query(sqlx::AssertSqlSafe(statement.as_str())).execute(&pool).await;
            let error: Error = refused.expect_err(&statement).into();
            assert!(matches!(error, Error::NotPermitted(_)), "{statement}: {error:?}");
        }
    }
    let may: Vec<(String, bool)> = sqlx::query_as(
        "select privilege, has_table_privilege('loopwright_app', 'event', privilege)
             and has_table_privilege('loopwright_app', 'event_seal', privilege)
         from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege",
    )
    .fetch_all(&pool)
    .await
    .expect("privileges");
    let may: Vec<String> =
        may.into_iter().filter(|(_, granted)| *granted).map(|(privilege, _)| privilege).collect();
    assert_eq!(may, ["select", "insert"]);
}
