//! The schema's versions: migrated by the owner, checked by everybody who connects.

use super::error::{Error, Result};
use super::events::{self, NewEvent, Origin};
use crate::ids::SYSTEM;
use serde_json::json;
use sqlx::{Connection, PgConnection};

/// Every version of the schema this binary knows.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Brings the schema at `url` to this binary's version. `url` logs in as the owner.
pub async fn migrate(url: &str) -> Result<()> {
    let mut conn = super::addresses::connect_once(url).await?;
    let found = version(&mut conn).await?.unwrap_or(0);
    refuse_newer(found)?;
    MIGRATOR.run(&mut conn).await.map_err(Error::Migrate)?;
    if found < known() {
        record(&mut conn, found).await?;
    }
    conn.close().await?;
    Ok(())
}

/// Who brought the schema on, and from where.
async fn record(conn: &mut PgConnection, found: i64) -> Result<()> {
    let event = NewEvent {
        kind: "SchemaMigrated",
        subject: "database",
        subject_id: "schema".to_owned(),
        campaign_id: None,
        actor: SYSTEM,
        body: json!({"from": found, "to": known()}),
    };
    events::from(Origin::of_this_process(), events::append(conn, &event)).await.map(drop)
}

/// Refuses a schema that is not the one this binary was built for.
pub async fn check(conn: &mut PgConnection) -> Result<()> {
    let found = version(conn).await?.unwrap_or(0);
    refuse_newer(found)?;
    if found < known() {
        return Err(Error::SchemaOlder { found, known: known() });
    }
    Ok(())
}

fn refuse_newer(found: i64) -> Result<()> {
    if found > known() { Err(Error::SchemaNewer { found, known: known() }) } else { Ok(()) }
}

/// The newest version that this binary knows.
pub fn known() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The newest version applied; `None` on an empty database.
pub async fn version(conn: &mut PgConnection) -> Result<Option<i64>> {
    let exists: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *conn)
        .await?;
    if !exists {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(conn).await?)
}
