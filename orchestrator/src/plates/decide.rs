//! A person decides about a plate that failed QC, or that was lost too often.

use super::{Event, State};
use crate::ids::{ActorId, PlateId};
use crate::ingestion::Assessment;
use crate::store::observations::NewObservation;
use crate::store::plates::{Change, Decision, Plate};
use crate::store::rounds::Round;
use crate::store::{self, Result};
use sqlx::PgConnection;

/// Cause of the task that a quarantined plate opens.
pub const QUARANTINED_TASK: &str = "plate.quarantined";
/// Cause of the task that a plate opens which was lost too often.
pub const LOST_TASK: &str = "plate.lost_too_often";

/// How a decision ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    Done,
    /// The same was decided before.
    AlreadyDone,
    NotFound,
    /// Nothing is to be decided about a plate in this state, or not this.
    Refused {
        state: State,
    },
}

/// Releases a quarantined plate, or orders it (or a lost one) repeated or given up.
pub async fn decide(
    conn: &mut PgConnection,
    id: PlateId,
    decision: Decision,
    reason: &str,
    actor: ActorId,
) -> Result<Decided> {
    let mut tx = store::begin(conn).await?;
    let answer = decide_in(&mut tx, id, decision, reason, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn decide_in(
    conn: &mut PgConnection,
    id: PlateId,
    decision: Decision,
    reason: &str,
    actor: ActorId,
) -> Result<Decided> {
    let Some(seen) = store::plates::by_id(conn, id).await? else { return Ok(Decided::NotFound) };
    let round = store::rounds::lock_waiting(conn, seen.round_id).await?;
    let Some(round) = round.filter(|round| !round.state.is_terminal()) else {
        return Ok(Decided::Refused { state: seen.state });
    };
    // What was seen before the lock may have changed.
    let Some(mut plate) = store::plates::by_id(conn, id).await? else { return Ok(Decided::NotFound) };
    let before = store::accounts::decision(conn, id).await?;
    if before.is_some_and(|(word, _)| word == decision.as_str()) {
        return Ok(Decided::AlreadyDone);
    }
    let change = Change { reason: Some(reason.to_owned()), qc: None };
    match (plate.state, decision) {
        (State::Quarantined, Decision::Release) => {
            store::plates::apply(conn, &mut plate, Event::Released, change, actor).await?.must()?;
            let assessment = reassess(conn, &round, &plate).await?;
            observe(conn, &round, &plate, &assessment).await?;
        }
        (State::Quarantined, Decision::Repeat | Decision::GiveUp) => {
            store::plates::apply(conn, &mut plate, Event::Rejected, change, actor).await?.must()?;
        }
        (State::Lost, Decision::Repeat | Decision::GiveUp) => {}
        (state, _) => return Ok(Decided::Refused { state }),
    }
    store::plates::add_decision(conn, id, decision, reason, actor).await?;
    store::tasks::close_for(conn, QUARANTINED_TASK, &id.to_string(), actor).await?;
    store::tasks::close_for(conn, LOST_TASK, &id.to_string(), actor).await?;
    Ok(Decided::Done)
}

/// What is stored of a plate, judged again: pure, so that it says the same as when the plate was read.
async fn reassess(conn: &mut PgConnection, round: &Round, plate: &Plate) -> Result<Assessment> {
    let stored = store::plates::readings(conn, plate.id).await?;
    crate::engine::plates::assessment(conn, round, plate, &stored).await
}

/// Keeps a plate's observations, beside what was predicted. `round`: the plate's.
pub(crate) async fn observe(
    conn: &mut PgConnection,
    round: &Round,
    plate: &Plate,
    assessment: &Assessment,
) -> Result<()> {
    let observed = &assessment.observations;
    let version = store::campaigns::edition(conn, round.campaign_id, round.campaign_version).await?;
    let version = version.ok_or_else(|| store::Error::corrupt("campaign version of a round", round.id))?;
    let proposals: Vec<_> = observed.iter().map(|o| o.proposal).collect();
    let predictions = store::proposals::predictions(conn, &proposals).await?;
    let rows: Vec<NewObservation> = observed
        .iter()
        .map(|o| {
            let prediction = predictions.get(&o.proposal);
            NewObservation {
                round_id: plate.round_id,
                proposal_id: o.proposal,
                plate_id: plate.id,
                readout: version.spec.objective.readout.clone(),
                value: o.value,
                sem: o.sem,
                replicates: o.replicates,
                hit: o.hit,
                predicted_mean: prediction.map(|p| p.mean),
                predicted_sd: prediction.map(|p| p.epistemic_sd.hypot(p.aleatoric_sd)),
            }
        })
        .collect();
    store::observations::insert(conn, &rows).await?;
    store::further_observations::insert(conn, plate.round_id, plate.id, &assessment.further).await
}
