//! While a round executes: broken chains are mended, lost plates are made again, and when nothing is left
//! to do the round goes on to be assessed.

use super::commit::{self, Committed};
use super::inputs::version_of;
use super::laboratory::Laboratory;
use super::{Stepped, hold};
use crate::ids::{ProposalId, SYSTEM};
use crate::planning::PlannedExperiment;
use crate::plates::State;
use crate::plates::decide::LOST_TASK;
use crate::rounds::{Event, seed};
use crate::store::jobs::{self as queue, Consequences};
use crate::store::plates::Plate;
use crate::store::rounds::{Round, Why};
use crate::store::tasks::NewTask;
use crate::store::{self, Error, Result};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// A plate is made at most so often without a person saying so.
const GENERATIONS: u32 = 3;

/// One step of an executing round.
pub(super) async fn step(
    conn: &mut PgConnection,
    round: &mut Round,
    out: &mut Consequences,
) -> Result<Stepped> {
    let plates = store::plates::of_round(conn, round.id).await?;
    for plate in &plates {
        if mend(conn, plate, out).await? {
            return Ok(Stepped::Moved);
        }
    }
    for plate in latest(&plates) {
        match wanted_again(conn, plate).await? {
            Again::No => {}
            Again::Yes => return again(conn, round, plate, out).await,
            Again::TooOften => return too_often(conn, round, plate).await,
        }
    }
    if store::rounds::open_jobs(conn, round.id).await? > 0 {
        return Ok(Stepped::Nothing);
    }
    store::rounds::apply(conn, round, Event::WorkFinished, None, SYSTEM).await?.must()?;
    Ok(Stepped::Moved)
}

/// The last generation of each plate.
pub(super) fn latest(plates: &[Plate]) -> Vec<&Plate> {
    let by_ordinal: BTreeMap<u32, &Plate> = plates.iter().map(|plate| (plate.ordinal, plate)).collect();
    by_ordinal.into_values().collect()
}

/// Makes the jobs of a broken chain anew: those of a live plate with nothing open (a person resumed the
/// round), or those of an ended plate that still hold a place.
async fn mend(conn: &mut PgConnection, plate: &Plate, out: &mut Consequences) -> Result<bool> {
    if store::chains::is_open(conn, plate.id).await? {
        return Ok(false);
    }
    let live = !plate.state.is_terminal() && plate.state != State::Quarantined;
    let anew = store::chains::broken(conn, plate.id, !live).await?;
    for job in &anew {
        commit::create(conn, job, out).await?;
        if let Some(old) = job.replaces {
            queue::resource::hand_over(conn, old, job.id).await?;
            store::holds::move_to(conn, old, job.id).await?;
        }
    }
    Ok(!anew.is_empty())
}

pub(super) enum Again {
    No,
    Yes,
    TooOften,
}

/// Whether the plate, the last of its generations, is to be made again.
pub(super) async fn wanted_again(conn: &mut PgConnection, plate: &Plate) -> Result<Again> {
    if !matches!(plate.state, State::Lost | State::Rejected) {
        return Ok(Again::No);
    }
    let decision = store::accounts::decision(conn, plate.id).await?.map(|(word, _)| word);
    Ok(match (plate.state, decision.as_deref()) {
        (_, Some("repeat")) => Again::Yes,
        (_, Some(_)) | (State::Rejected, None) => Again::No,
        (_, None) if plate.generation < GENERATIONS => Again::Yes,
        (_, None) => Again::TooOften,
    })
}

/// Plans and commits the next generation of a plate, with the same experiments.
async fn again(
    conn: &mut PgConnection,
    round: &mut Round,
    plate: &Plate,
    out: &mut Consequences,
) -> Result<Stepped> {
    if !store::reconciliation::gate(conn).await?.is_open {
        // As for a first plan: which plates and volumes there are is not known yet.
        return Ok(Stepped::Nothing);
    }
    let version = version_of(conn, round).await?;
    let batch = store::batches::by_id(conn, plate.batch_id).await?;
    let batch = batch.ok_or_else(|| Error::corrupt("batch of a plate", plate.id))?;
    store::chains::lock_bench(conn, &version.spec.bench).await?;
    let experiments = on_plate(conn, plate).await?;
    let generation = plate.generation + 1;
    let layout_seed = seed::derive(batch.layout_seed, "again", &[plate.ordinal, generation]);
    let laboratory = Laboratory::read(conn, &version.spec, &experiments).await?;
    match laboratory.plan(&version.spec, &experiments, layout_seed, generation, plate.ordinal) {
        Err(impossible) => {
            let text = format!("Plate {} cannot be made again: {impossible}.", plate.barcode);
            hold::hold(conn, round, Why::new(impossible.code(), text)).await?;
            Ok(Stepped::Moved)
        }
        Ok(plan) => match commit::commit(conn, round, &batch, &plan, out).await? {
            Committed::Done => Ok(Stepped::Moved),
            Committed::Taken { .. } => Ok(Stepped::Abandoned),
        },
    }
}

async fn on_plate(conn: &mut PgConnection, plate: &Plate) -> Result<Vec<PlannedExperiment>> {
    let map = store::plates::map(conn, plate.id).await?;
    let on_it: BTreeSet<ProposalId> = map.iter().filter_map(|well| well.proposal).collect();
    let proposals = store::proposals::of_batch(conn, plate.batch_id).await?;
    Ok(proposals
        .into_iter()
        .filter(|proposal| on_it.contains(&proposal.id))
        .map(|proposal| PlannedExperiment { proposal: proposal.id, experiment: proposal.experiment })
        .collect())
}

async fn too_often(conn: &mut PgConnection, round: &mut Round, plate: &Plate) -> Result<Stepped> {
    let reason = plate.reason.as_deref().unwrap_or("no reason was given");
    let text = format!(
        "Plate {} was lost in its generation {} ({reason}). Order it repeated or give it up.",
        plate.barcode, plate.generation
    );
    let task = NewTask {
        cause: LOST_TASK,
        message: text.clone(),
        subject: "plate",
        subject_id: plate.id.to_string(),
        campaign_id: Some(round.campaign_id),
    };
    store::tasks::open(conn, &task).await?;
    hold::hold(conn, round, Why::new("plate.lost_too_often", text)).await?;
    Ok(Stepped::Moved)
}
