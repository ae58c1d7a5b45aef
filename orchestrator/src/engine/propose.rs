//! A proposing round asks a learner for its batch, once per generation.

use super::inputs::{model_inputs, version_of};
use super::{Stepped, hold};
use crate::rounds::seed;
use crate::store::jobs::{Consequences, Created, NewJob};
use crate::store::rounds::{Round, Why};
use crate::store::{self, Result};
use jobs::Work;
use jobs::work::learn::Propose;
use sqlx::PgConnection;

/// Creates the `propose` job of the next generation, unless one is on its way.
pub(super) async fn step(
    conn: &mut PgConnection,
    round: &mut Round,
    out: &mut Consequences,
) -> Result<Stepped> {
    if store::rounds::open_jobs(conn, round.id).await? > 0 {
        return Ok(Stepped::Nothing);
    }
    // One round of a campaign at a time chooses: what the others ask for is then known, and not asked for twice.
    let Some(_) = store::campaigns::lock(conn, round.campaign_id).await? else { return Ok(Stepped::Nothing) };
    if store::chains::others_propose(conn, round.campaign_id, round.id).await? {
        return Ok(Stepped::Nothing);
    }
    let version = version_of(conn, round).await?;
    let excluded = store::proposals::excluded(conn, round.campaign_id, round.id).await?;
    let pending = store::proposals::pending(conn, round.campaign_id, round.id).await?;
    let taken = u64::try_from(excluded.len() + pending.len()).unwrap_or(u64::MAX);
    let left = version.pool_size.saturating_sub(taken);
    let batch_size = u32::try_from(left).unwrap_or(u32::MAX).min(version.spec.budget.batch);
    if batch_size == 0 {
        let why =
            Why::new("round.pool_exhausted", "Every experiment of the design space is answered or excluded.");
        hold::hold(conn, round, why).await?;
        return Ok(Stepped::Moved);
    }
    let checkpoint = match round.model_version_id {
        Some(id) => store::models::by_id(conn, id).await?.map(|model| model.checkpoint),
        None => None,
    };
    let generation = store::rounds::proposals_asked(conn, round.id).await? + 1;
    let mut job = NewJob::new(Work::Propose(Propose {
        inputs: model_inputs(&version, round.data_cut, seed::derive(round.seed, "propose", &[generation])),
        checkpoint,
        objective: version.spec.objective.direction,
        acquisition: version.spec.acquisition,
        batch_size,
        runners_up: version.spec.budget.runners_up,
        pending,
        excluded,
    }));
    job.campaign_id = Some(round.campaign_id);
    job.round_id = Some(round.id);
    job.unique_key = Some(format!("propose:{}:{generation}", round.id));
    match store::jobs::create(conn, &job).await? {
        Created::Created(_, consequences) => {
            out.absorb(consequences);
            Ok(Stepped::Moved)
        }
        Created::Existing(_) => Ok(Stepped::Nothing),
    }
}
