//! NOTIFY to other processes, in a transaction of its own.

use crate::store::error::Result;
use sqlx::PgPool;

/// Sends each message on `channel`. A transaction that notifies is written to the log; nobody waits for the disk.
pub async fn notify(pool: &PgPool, channel: &str, messages: &[String]) -> Result<()> {
    sqlx::query!(
        "with at_once as materialized (select set_config('synchronous_commit', 'off', true))
         select pg_notify($1, message) from unnest($2::text[]) as message cross join at_once",
        channel,
        messages
    )
    .execute(pool)
    .await?;
    Ok(())
}
