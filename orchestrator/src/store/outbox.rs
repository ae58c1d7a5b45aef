//! What the world outside must still be told. Rows enter in the transaction of the change, and leave when
//! the word was delivered: at least once, in no order; receivers know events by id.

use super::error::Result;
use super::events::EventId;
use sqlx::PgConnection;

/// Something to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub event_id: EventId,
    pub topic: String,
    /// Deliveries tried before this one.
    pub attempts: i32,
}

/// To be told after commit.
pub async fn enqueue(conn: &mut PgConnection, event_id: EventId, topic: &str) -> Result<()> {
    sqlx::query!("insert into outbox (event_id, topic) values ($1, $2)", event_id.0, topic)
        .execute(conn)
        .await?;
    Ok(())
}

/// Up to `limit` entries, locked for this transaction; others skip them.
pub async fn take(conn: &mut PgConnection, limit: i64) -> Result<Vec<Entry>> {
    let entries = sqlx::query!(
        "with picked as materialized (
             select id
             from outbox
             order by id
             limit $1
             for update skip locked
         )
         update outbox
         set attempts = attempts + 1
         from picked
         where outbox.id = picked.id
         returning outbox.id, outbox.event_id, outbox.topic, outbox.attempts",
        limit
    )
    .fetch_all(conn)
    .await?;
    let entry = |row: i64, event: i64, topic, attempts: i32| Entry {
        id: row,
        event_id: EventId(event),
        topic,
        attempts: attempts - 1,
    };
    Ok(entries.into_iter().map(|row| entry(row.id, row.event_id, row.topic, row.attempts)).collect())
}

/// They were told.
pub async fn delivered(conn: &mut PgConnection, ids: &[i64]) -> Result<()> {
    sqlx::query!("delete from outbox where id = any($1)", ids).execute(conn).await?;
    Ok(())
}
