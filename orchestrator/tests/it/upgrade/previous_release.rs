//! The release before this series of migrations (schema 10): its data comes along, and its statements still hold.
//!
//! `statements-of-schema-10.json` is every statement of that release, out of its `.sqlx`. A new release adds a file of
//! its own, and drops those that nobody upgrades from any more.

use crate::support::emptied;
use crate::work::{LEASE, read};
use ::jobs::JobId;
use orchestrator::store::events::{Head, examine};
use orchestrator::store::jobs::{self, Wanted};
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use orchestrator::store::{ConnectOptions, MIGRATOR, connect};
use sha2::{Digest, Sha256};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection, PgConnection};
use std::collections::BTreeSet;

const SCHEMA: i64 = 10;
const STATEMENTS: &str = include_str!("statements-of-schema-10.json");

/// An empty database at the schema of the release before.
async fn before(login: &PgConnectOptions) -> PgConnection {
    let old: Vec<_> = MIGRATOR.iter().filter(|migration| migration.version <= SCHEMA).cloned().collect();
    let mut owner = emptied(login).await;
    Migrator::with_migrations(old).run(&mut owner).await.expect("the old schema");
    owner
}

/// Table and column; whether somebody who does not know it can add a row.
async fn columns(conn: &mut PgConnection) -> BTreeSet<(String, String, bool)> {
    let rows: Vec<(String, String, bool)> = sqlx::query_as(
        "select table_name::text, column_name::text,
             is_nullable = 'YES' or column_default is not null or is_identity = 'YES'
         from information_schema.columns where table_schema = current_schema()",
    )
    .fetch_all(conn)
    .await
    .expect("columns");
    rows.into_iter().collect()
}

/// An event as that release added and sealed it.
async fn event_of_old(conn: &mut PgConnection, position: i64, previous: &[u8]) -> Vec<u8> {
    let row: (i64, uuid::Uuid, String, String) = sqlx::query_as(
        r#"insert into event (lab_at, kind, subject, subject_id, campaign_id, actor_id, body)
           select lab_now(), 'TestHappened', 'test', $1, null, id, '{"b": [1], "a": "x"}' from actor limit 1
           returning id, actor_id, to_char(happened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               to_char(lab_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#,
    )
    .bind(position.to_string())
    .fetch_one(&mut *conn)
    .await
    .expect("an event");
    let canonical = format!(
        r#"{{"actor_id":"{}","body":{{"a":"x","b":[1]}},"campaign_id":null,"happened_at":"{}","id":{},"kind":"TestHappened","lab_at":"{}","subject":"test","subject_id":"{position}"}}"#,
        row.1, row.2, row.0, row.3
    );
    let link = Sha256::new().chain_update(previous).chain_update(canonical).finalize().to_vec();
    sqlx::query("insert into event_seal (position, event_id, chain_sha256) values ($1, $2, $3)")
        .bind(position)
        .bind(row.0)
        .bind(&link)
        .execute(&mut *conn)
        .await
        .expect("sealed");
    sqlx::query(
        "update event_sealer set position = $1, chain_sha256 = $2, sealed_below = pg_current_xact_id()",
    )
    .bind(position)
    .bind(&link)
    .execute(conn)
    .await
    .expect("the head moved");
    link
}

/// A ready job as that release made it.
async fn job_of_old(conn: &mut PgConnection) -> JobId {
    let (id, work) = (JobId::fresh(), read());
    let said = serde_json::to_value(&work).expect("JSON");
    sqlx::query(
        "insert into job (id, kind, queue, capability, repeatable, payload) values ($1, $2, 'bench', $3, true, $4)",
    )
    .bind(id.0)
    .bind(work.kind().as_str())
    .bind(work.kind().capability())
    .bind(&said["payload"])
    .execute(&mut *conn)
    .await
    .expect("a job of the old schema");
    sqlx::query("insert into job_ready (job_id, queue, capability, priority) values ($1, 'bench', $2, 0)")
        .bind(id.0)
        .bind(work.kind().capability())
        .execute(conn)
        .await
        .expect("a ready job of the old schema");
    id
}

#[sqlx::test]
async fn data_of_the_release_before_comes_along(_: PgPoolOptions, login: PgConnectOptions) {
    let mut owner = before(&login).await;
    let mut link = vec![0; 32];
    for position in 1..=3 {
        link = event_of_old(&mut owner, position, &link).await;
    }
    let job = job_of_old(&mut owner).await;
    let new = NewToken {
        actor: "agent".to_owned(),
        kind: ActorKind::Agent,
        scopes: vec![Scope::WorkBench],
        label: "old".to_owned(),
        valid_hours: 1,
    };
    let token = tokens::create(&mut owner, &new).await.expect("a token");

    let url = login.to_url_lossy();
    orchestrator::store::migrate(url.as_str()).await.expect("migrated");
    let pool = connect(url.as_str(), &ConnectOptions::default()).await.expect("this release");
    let mut conn = pool.acquire().await.expect("a connection");
    // Everything that can be sealed, the migration's own event among it.
    let sealed = async {
        while orchestrator::store::events::head(&mut conn).await.expect("a head").0 < 4 {
            orchestrator::store::events::seal_batch(&mut conn, 10).await.expect("sealed");
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), sealed).await.expect("the horizon moves on");
    let verdict = examine(&mut conn, &Head::origin(), None).await.expect("examined");
    assert_eq!(verdict.map(|head| head.position), Ok(4), "three of before, and the migration");
    let found = tokens::authenticate(&mut conn, &token.secret).await.expect("read").expect("known");
    let wanted = Wanted { queue: "bench".into(), capabilities: vec!["read.plate".into()], instrument: None };
    let leased = jobs::lease(&mut conn, &wanted, &[found.id], LEASE).await.expect("leased");
    assert_eq!(leased.len(), 1, "what was ready is ready");
    assert_eq!(leased[0].lease.job_id, job);
    owner.close().await.expect("closed");
}

#[sqlx::test]
async fn every_statement_of_the_release_before_holds_on_this_schema(
    _: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut owner = before(&login).await;
    let old = columns(&mut owner).await;
    MIGRATOR.run(&mut owner).await.expect("migrated");
    let statements: Vec<String> = serde_json::from_str(STATEMENTS).expect("JSON");
    assert!(statements.len() > 300);
    for (number, statement) in statements.iter().enumerate() {
        let prepare = sqlx::AssertSqlSafe(format!("prepare old_{number} as {statement}"));
        if let Err(error) = sqlx::raw_sql(prepare).execute(&mut owner).await {
            panic!("an older replica says, and this schema does not understand: {statement}\n{error}");
        }
    }
    let tables: BTreeSet<&String> = old.iter().map(|(table, ..)| table).collect();
    let known: BTreeSet<(&String, &String)> = old.iter().map(|(table, column, _)| (table, column)).collect();
    let now = columns(&mut owner).await;
    for (table, column, may_be_left_out) in &now {
        if tables.contains(table) && !known.contains(&(table, column)) {
            assert!(may_be_left_out, "an older replica adds rows to {table} and does not know {column}");
        }
    }
    owner.close().await.expect("closed");
}
