//! A person looks after it: it is not escalated any more. News is closed by that.

use super::state::{Event, State};
use crate::ids::{ActorId, NotificationId};
use crate::store::{self, Error, Result};
use sqlx::PgConnection;

/// How an acknowledgement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    Done,
    /// Somebody (perhaps the same person) was first.
    AlreadyDone,
    /// Its cause is gone.
    Closed,
}

/// Acknowledges it as `actor`, in the caller's transaction.
pub async fn acknowledge(
    conn: &mut PgConnection,
    id: NotificationId,
    actor: ActorId,
) -> Result<Acknowledged> {
    let locked = store::notifications::lock(conn, id).await?;
    let mut locked = locked.ok_or_else(|| Error::not_found("notification", id))?;
    match locked.state {
        State::Acknowledged => return Ok(Acknowledged::AlreadyDone),
        State::Closed => return Ok(Acknowledged::Closed),
        State::Open => {}
    }
    let event = if locked.topic.is_news() { Event::Read } else { Event::Acknowledged };
    store::notifications::apply(conn, &mut locked, event, None, actor).await?.must()?;
    Ok(Acknowledged::Done)
}
