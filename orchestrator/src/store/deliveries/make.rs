//! Deliveries come and go.

use super::read::get;
use crate::ids::{ChannelId, DeliveryId, NotificationId};
use crate::notifications::delivery::{Event, Rejected, State};
use crate::store::error::Result;
use crate::store::moved::Moved;
use sqlx::PgConnection;
use std::time::Duration;

/// To be told `after` from now; once per notification, channel and escalation. `notification` `None`: a test.
pub async fn make(
    conn: &mut PgConnection,
    channel: ChannelId,
    notification: Option<NotificationId>,
    escalation: u32,
    after: Duration,
) -> Result<DeliveryId> {
    let id = DeliveryId::fresh();
    sqlx::query!(
        "insert into delivery (id, notification_id, channel_id, escalation, due_at)
         values ($1, $2, $3, $4, now() + make_interval(secs => $5))
         on conflict do nothing",
        id.0,
        notification.map(|id| id.0),
        channel.0,
        i32::try_from(escalation).unwrap_or(i32::MAX),
        after.as_secs_f64()
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// What closed within its grace is told to nobody: cancels what is not due yet and was never tried.
pub async fn cancel_untold(conn: &mut PgConnection, notification: NotificationId) -> Result<()> {
    sqlx::query!(
        "update delivery
         set state = 'cancelled', ended_at = now(), last_error = 'closed before anybody was told'
         where notification_id = $1 and state = 'pending' and attempts = 0 and due_at > now()",
        notification.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The channel is no more, or wants nothing for now. One that is being sent finds its claim gone.
pub async fn cancel_for_channel(conn: &mut PgConnection, channel: ChannelId) -> Result<()> {
    sqlx::query!(
        "update delivery
         set state = 'cancelled', ended_at = now(), claim_token = null, claim_expires_at = null,
             last_error = 'the channel was removed or disabled'
         where channel_id = $1 and state = 'pending'",
        channel.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person wants it told (again), at once, under the same id.
pub async fn order_again(conn: &mut PgConnection, id: DeliveryId) -> Result<Moved<Rejected>> {
    let delivery = get(conn, id).await?;
    let now = State::from_columns(delivery.state, delivery.tries);
    if let Err(rejected) = now.next(Event::OrderedAgain) {
        return Ok(Moved::Rejected(rejected));
    }
    let updated = sqlx::query!(
        "update delivery
         set state = 'pending', tries = 0, due_at = now(), ended_at = null
         where id = $1 and state = $2 and exists (select from channel where channel.id = channel_id and enabled)",
        id.0,
        delivery.state.as_str()
    )
    .execute(conn)
    .await?
    .rows_affected();
    Ok(if updated == 0 { Moved::ChangedMeanwhile } else { Moved::Done })
}

/// Forgets up to `limit` that ended long ago: told or cancelled for `told`, dead for `dead`.
pub async fn prune(conn: &mut PgConnection, told: Duration, dead: Duration, limit: i64) -> Result<u64> {
    let gone = sqlx::query!(
        "delete from delivery
         where id in (
             select id
             from delivery
             where ended_at < now() - make_interval(secs => case when state = 'dead' then $2::float8 else $1::float8 end)
             limit $3
             for update skip locked
         )",
        told.as_secs_f64(),
        dead.as_secs_f64(),
        limit
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
