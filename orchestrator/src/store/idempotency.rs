//! Answers to creating POSTs, kept 24 h under the key that the client chose.
//!
//! The key's row enters in the transaction of the creation itself: a second request with the same key waits
//! for the first to commit, then gets its answer. What did not commit left no key either.

use super::error::{Error, Result};
use crate::ids::ActorId;
use serde_json::Value;
use sqlx::PgConnection;

/// What a key says of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// Nobody has used the key: carry on, then [`finish`].
    Fresh,
    /// The same request was answered so.
    Replay { status: u16, response: Value },
    /// The key was used for another request.
    Mismatch,
}

/// Claims `key` for this request, or finds what it was answered.
pub async fn begin(
    conn: &mut PgConnection,
    actor: ActorId,
    key: &str,
    route: &str,
    request_sha256: &[u8; 32],
) -> Result<Begun> {
    sqlx::query!(
        "delete from idempotency_key
         where actor_id = $1 and key = $2 and created_at < now() - interval '24 hours'",
        actor.0,
        key
    )
    .execute(&mut *conn)
    .await?;
    let claimed = sqlx::query!(
        "insert into idempotency_key (actor_id, key, route, request_sha256)
         values ($1, $2, $3, $4)
         on conflict do nothing",
        actor.0,
        key,
        route,
        request_sha256.as_slice()
    )
    .execute(&mut *conn)
    .await?;
    if claimed.rows_affected() == 1 {
        Ok(Begun::Fresh)
    } else {
        earlier(conn, actor, key, route, request_sha256).await
    }
}

async fn earlier(
    conn: &mut PgConnection,
    actor: ActorId,
    key: &str,
    route: &str,
    request_sha256: &[u8; 32],
) -> Result<Begun> {
    let row = sqlx::query!(
        "select route, request_sha256, status, response from idempotency_key where actor_id = $1 and key = $2",
        actor.0,
        key
    )
    .fetch_one(conn)
    .await?;
    if row.route != route || row.request_sha256 != request_sha256 {
        return Ok(Begun::Mismatch);
    }
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    match (status, row.response) {
        (Some(status), Some(response)) => Ok(Begun::Replay { status, response }),
        _ => Err(Error::corrupt("idempotency key", "committed without its answer")),
    }
}

/// Keeps the answer, in the same transaction.
pub async fn finish(
    conn: &mut PgConnection,
    actor: ActorId,
    key: &str,
    status: u16,
    response: &Value,
) -> Result<()> {
    let status = i16::try_from(status).map_err(|_| Error::Refused(format!("{status} is not a status")))?;
    sqlx::query!(
        "update idempotency_key set status = $3, response = $4 where actor_id = $1 and key = $2",
        actor.0,
        key,
        status,
        response
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Drops keys older than 24 h. Answers how many.
pub async fn forget_old(conn: &mut PgConnection) -> Result<u64> {
    let gone = sqlx::query!("delete from idempotency_key where created_at < now() - interval '24 hours'")
        .execute(conn)
        .await?;
    Ok(gone.rows_affected())
}
