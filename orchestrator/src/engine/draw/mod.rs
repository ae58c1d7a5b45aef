//! Draws the consequences of one settled job, and takes its settlement away in the same transaction.

mod broken;
mod physical;
mod predicted;
mod proposed;
mod trained;

use super::Engine;
use crate::metrics::counted;
use crate::steps::{self, Step};
use crate::store::settlements::Settled;
use crate::store::{self, Result};
use jobs::JobId;
use jobs::work::Kind;

/// Answers whether there was something to draw.
pub(super) async fn draw(engine: &Engine, job: JobId) -> Result<bool> {
    let mut conn = engine.pool.acquire().await?;
    let Some(settled) = store::settlements::load(&mut conn, job).await? else { return Ok(false) };
    drop(conn);
    let (kind, state) = (settled.work.kind(), settled.state);
    let drawn = by_kind(engine, job, settled).await?;
    if drawn {
        counted().settled(kind.as_str(), state.as_str());
    }
    Ok(drawn)
}

async fn by_kind(engine: &Engine, job: JobId, settled: Settled) -> Result<bool> {
    match settled.work.kind() {
        Kind::Train => trained::draw(engine, settled).await,
        Kind::Propose => proposed::draw(engine, settled).await,
        Kind::Dispense | Kind::Move | Kind::Incubate | Kind::Read | Kind::Manual => {
            physical::draw(engine, settled).await
        }
        Kind::Predict => predicted::draw(engine, settled).await,
        // Whoever asked reads the outcome itself.
        Kind::Screen => {
            steps::before(Step::DrawManual).await;
            let mut tx = store::begin_on(&engine.pool).await?;
            let taken = store::settlements::take(&mut tx, job).await?;
            steps::commit(tx, Step::DrawManual).await?;
            Ok(taken)
        }
    }
}
