//! A round stands still, says why, and a person is told.

use super::Engine;
use crate::ids::{RoundId, SYSTEM};
use crate::rounds::control::HELD_TASK;
use crate::rounds::state::{Event, State};
use crate::steps::{self, Step};
use crate::store::rounds::{Round, Why};
use crate::store::tasks::NewTask;
use crate::store::{self, Error, Result};
use sqlx::PgConnection;

/// Holds a live round; one that is held already keeps its first reason.
pub(super) async fn hold(conn: &mut PgConnection, round: &mut Round, why: Why) -> Result<()> {
    if !matches!(round.state, State::In(_)) {
        return Ok(());
    }
    let task = NewTask {
        cause: HELD_TASK,
        message: format!("Round {} is held: {} Resume it when that is dealt with.", round.number, why.text),
        subject: "round",
        subject_id: round.id.to_string(),
        campaign_id: Some(round.campaign_id),
    };
    store::tasks::open(conn, &task).await?;
    store::rounds::apply(conn, round, Event::Held, Some(why), SYSTEM).await?.must()
}

/// Holds a round whose step failed in a way that trying again does not mend.
pub(super) async fn for_error(engine: &Engine, id: RoundId, error: &Error) -> Result<()> {
    steps::before(Step::Hold).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut round) = store::rounds::lock(&mut tx, id).await? else { return Ok(()) };
    let why = Why::new(
        "round.engine_error",
        format!("The service could not move it on ({}): {}.", error.code(), error.with_sources()),
    );
    hold(&mut tx, &mut round, why).await?;
    steps::commit(tx, Step::Hold).await?;
    Ok(())
}
