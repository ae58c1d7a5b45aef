//! What a backup reads from one snapshot, and what a restore asks of the database that it fills.

use super::error::{Error, Result};
use super::events::{self, NewEvent};
use crate::ids::SYSTEM;
use jobs::Digest;
use serde_json::Value;
use sqlx::PgConnection;

/// One moment of the database, held for as long as the transaction of `conn` lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What `pg_dump --snapshot` takes.
    pub snapshot: String,
    pub taken_at: chrono::DateTime<chrono::Utc>,
    /// The schema's name, quoted where it must be.
    pub schema: String,
    pub schema_version: i64,
    /// `server_version_num`, e.g. 150018.
    pub server_version: i32,
    pub epoch: String,
    pub head: Head,
    pub blobs: Vec<Blob>,
    /// Channels that cannot be used without the key that seals their secrets.
    pub sealed_channels: u64,
}

/// The newest sealed event.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    pub position: i64,
    /// In hex.
    pub chain_sha256: String,
}

/// A blob by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    pub digest: Digest,
    pub size_bytes: u64,
}

/// Begins the transaction that holds the moment, and reads what belongs to it. Nothing of it blocks anybody.
pub async fn hold(conn: &mut PgConnection) -> Result<Moment> {
    sqlx::query!("set idle_in_transaction_session_timeout = 0").execute(&mut *conn).await?;
    sqlx::query!("set statement_timeout = 0").execute(&mut *conn).await?;
    sqlx::query!("begin isolation level repeatable read, read only").execute(&mut *conn).await?;
    let row = sqlx::query!(
        r#"select pg_export_snapshot() as "snapshot!",
             now() as "taken_at!",
             quote_ident(current_schema()) as "schema!",
             current_setting('server_version_num')::integer as "server_version!",
             database_epoch() as "epoch!",
             (select count(*) from channel where sealed is not null and removed_at is null) as "sealed_channels!""#
    )
    .fetch_one(&mut *conn)
    .await?;
    let (position, chain_sha256) = events::head(conn).await?;
    Ok(Moment {
        snapshot: row.snapshot,
        taken_at: row.taken_at,
        schema: row.schema,
        schema_version: super::migrate::version(conn).await?.unwrap_or(0),
        server_version: row.server_version,
        epoch: row.epoch,
        head: Head { position, chain_sha256 },
        blobs: blobs(conn).await?,
        sealed_channels: row.sealed_channels.unsigned_abs(),
    })
}

async fn blobs(conn: &mut PgConnection) -> Result<Vec<Blob>> {
    let rows = sqlx::query!("select sha256, size_bytes from blob order by sha256").fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let digest = row.sha256.try_into().map_err(|_| Error::corrupt("blob name", "not 32 bytes"))?;
            let size_bytes =
                u64::try_from(row.size_bytes).map_err(|error| Error::corrupt("blob size", error))?;
            Ok(Blob { digest: Digest(digest), size_bytes })
        })
        .collect()
}

/// Version of the server, `server_version_num`, and how many tables stand in the schema that we would fill.
pub async fn target(conn: &mut PgConnection) -> Result<(i32, i64)> {
    let row = sqlx::query!(
        r#"select current_setting('server_version_num')::integer as "server_version!",
             (select count(*) from pg_class
              where relkind in ('r', 'p', 'v', 'm') and relnamespace = current_schema()::regnamespace) as "tables!""#
    )
    .fetch_one(conn)
    .await?;
    Ok((row.server_version, row.tables))
}

/// The application's role, which a dump names and does not make; and, where that may be granted, its sight of other
/// sessions, as `migrations/0016` has it. An owner without `createrole` may not even try to make a role that is there.
pub async fn make_role(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "do $$
         begin
             if not exists (select from pg_roles where rolname = 'loopwright_app') then
                 begin
                     create role loopwright_app nologin;
                 exception when duplicate_object or unique_violation then
                     null;
                 end;
             end if;
             begin
                 if not pg_has_role('loopwright_app', 'pg_read_all_stats', 'member') then
                     grant pg_read_all_stats to loopwright_app;
                 end if;
             exception when others then
                 raise notice 'pg_read_all_stats was not granted to loopwright_app: %', sqlerrm;
             end;
         end
         $$"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is to follow the dump in its transaction: another life, so that no robot is given work in between; and
/// nothing of what cannot outlive a restore (sessions of browsers, uploads that had not ended). Events that nobody
/// had sealed become this transaction's: a new cluster counts transactions anew, and would not come to theirs for
/// years.
pub fn another_life(schema: &str) -> String {
    format!(
        "update {schema}.database_life
         set token = gen_random_uuid(), began_at = now(), began_because = 'restored';
         update {schema}.event set xid = pg_current_xact_id()
         where not exists (select from {schema}.event_seal where event_seal.event_id = event.id);
         delete from {schema}.session;
         delete from {schema}.upload_part;
         delete from {schema}.upload;\n"
    )
}

/// Writes into the record that this database came out of a backup.
pub async fn record_restore(conn: &mut PgConnection, body: Value, epoch: &str) -> Result<()> {
    let event = NewEvent {
        kind: "DatabaseRestored",
        subject: "reconciliation",
        subject_id: epoch.to_owned(),
        campaign_id: None,
        actor: SYSTEM,
        body,
    };
    events::append(conn, &event).await.map(drop)
}
