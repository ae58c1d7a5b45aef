//! What every change by a person goes through: one transaction, an answer that a repeat gets again, and the
//! engine woken after the commit.

use super::access::Caller;
use super::once::{Begun, IdempotencyKey, Once};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun as Transaction;
use crate::ids::ActorId;
use crate::queue::Wakeups;
use crate::steps::{self, Step};
use crate::store::jobs::Consequences;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use sqlx::PgConnection;

/// A change under way. Dropped, it changes nothing, and is undone before the request is answered.
pub(super) struct Write {
    tx: Transaction,
    once: Once,
    actor: ActorId,
    wakeups: Wakeups,
    step: Option<Step>,
}

/// Where a request stands.
pub(super) enum Asking {
    Fresh(Box<Write>),
    /// It was answered before, so.
    Replay(Response),
}

impl Write {
    /// `route` and `request` are what an `Idempotency-Key` stands for.
    pub async fn begin(
        state: &AppState,
        caller: &Caller,
        key: IdempotencyKey,
        route: &str,
        request: &impl Serialize,
    ) -> Result<Asking, Problem> {
        let step = Step::of_route(route);
        if let Some(step) = step {
            steps::before(step).await;
        }
        let mut tx = Transaction::on(&state.pool).await?;
        Ok(match Once::begin(&mut tx, caller, key, route, request).await? {
            Begun::Replay(answer) => Asking::Replay(answer),
            Begun::Fresh(once) => {
                let (actor, wakeups) = (caller.id(), state.wakeups.clone());
                Asking::Fresh(Box::new(Self { tx, once, actor, wakeups, step }))
            }
        })
    }

    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub fn actor(&self) -> ActorId {
        self.actor
    }

    /// Commits, then wakes whoever has something to do now.
    pub async fn finish(
        self,
        status: StatusCode,
        answer: &impl Serialize,
        consequences: &Consequences,
    ) -> Result<Response, Problem> {
        let Self { mut tx, once, wakeups, step, .. } = self;
        let answer = once.finish(&mut tx, status, answer).await?;
        match step {
            Some(step) => steps::commit(tx.into_inner(), step).await?,
            None => tx.commit().await?,
        }
        wakeups.after(consequences);
        wakeups.settled();
        // It may have asked jobs to stop.
        wakeups.orders();
        Ok(answer)
    }
}

/// A reason that is there.
pub(super) fn given(reason: &str) -> Result<&str, Problem> {
    let reason = reason.trim();
    if reason.is_empty() {
        let detail = "Say why (`reason`), in a few words: it goes into the record.";
        return Err(Problem::unprocessable("request.reason_missing", detail));
    }
    Ok(reason)
}
