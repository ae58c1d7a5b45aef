//! NOTIFY to other processes, in a transaction of its own.

use crate::store::error::Result;
use sqlx::PgPool;

/// Sends each message on `channel`.
pub async fn notify(pool: &PgPool, channel: &str, messages: &[String]) -> Result<()> {
    sqlx::query!("select pg_notify($1, message) from unnest($2::text[]) as message", channel, messages)
        .execute(pool)
        .await?;
    Ok(())
}
