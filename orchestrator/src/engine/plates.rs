//! What the engine does with plates: judge them, lose them, clear the places where they stood.

use super::commit;
use super::inputs::version_of;
use crate::campaigns::spec::Bench;
use crate::ids::{PlateId, SYSTEM};
use crate::ingestion::{self, AssessInput, Assessment, Reading};
use crate::planning::{self, Standing, Step};
use crate::plates::Event;
use crate::store::inventory::StockState;
use crate::store::jobs::{self as queue, Consequences};
use crate::store::plates::{Change, Plate, StoredReading};
use crate::store::rounds::Round;
use crate::store::settlements::Settled;
use crate::store::{self, Error, Result};
use instruments::labware::Labware;
use jobs::state::State;
use jobs::{JobId, Work};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Judges a plate from what is stored of it and from its readings.
pub(crate) async fn assessment(
    conn: &mut PgConnection,
    round: &Round,
    plate: &Plate,
    readings: &[StoredReading],
) -> Result<Assessment> {
    let version = version_of(conn, round).await?;
    let labware =
        Labware::by_load_name(&plate.labware).map_err(|error| Error::corrupt("plate.labware", error))?;
    let map = store::plates::map(conn, plate.id).await?;
    let transfers = store::plates::dispense_records(conn, plate.id).await?;
    let readings = readings.iter().map(reading).collect::<Result<Vec<Reading>>>()?;
    Ok(ingestion::assess(&AssessInput {
        format: labware.format,
        map: &map,
        transfers: &transfers,
        readings: &readings,
        objective: &version.spec.objective,
        readouts: &version.spec.readouts,
        qc: &version.spec.qc,
    }))
}

fn reading(stored: &StoredReading) -> Result<Reading> {
    Ok(Reading {
        well: stored.well.parse().map_err(|error| Error::corrupt("reading.well", error))?,
        channel: stored.channel.clone(),
        value: stored.value,
    })
}

/// The plate cannot be used any more: what was reserved for it is given back, what is left of its work is
/// stopped, and the place where it stood is cleared. Made again it is by the execute step.
pub(super) async fn lose(
    conn: &mut PgConnection,
    round: &Round,
    plate: &mut Plate,
    reason: &str,
    out: &mut Consequences,
) -> Result<()> {
    let change = Change { reason: Some(reason.to_owned()), qc: None };
    if !store::plates::apply(conn, plate, Event::Lost, change, SYSTEM).await?.is_done() {
        // It was read, and people decide on it: lost is only what would have been thrown away.
        return clear_places(conn, round, plate, By::Hands, out).await;
    }
    // Before any of its jobs: whoever plans takes the bench first, too.
    let version = version_of(conn, round).await?;
    store::chains::lock_bench(conn, &version.spec.bench).await?;
    store::inventory::release(conn, plate.id).await?;
    store::inventory::set_stock_state(conn, &plate.barcode, StockState::Withdrawn).await?;
    for job in store::chains::unsettled(conn, plate.id).await? {
        if let queue::Stopped::Cancelled(consequences) = queue::stop(conn, job, SYSTEM, reason).await? {
            out.absorb(consequences);
        }
    }
    clear_places(conn, round, plate, By::Mover, out).await
}

/// Who brings plates home after a chain broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The bench's mover (people, where it has none).
    Mover,
    /// People: the mover could not, or nobody knows where the plates are.
    Hands,
}

impl By {
    /// Who does it after `settled` ended badly: no robot where one could not on this plate, or lost it.
    pub(super) async fn after(conn: &mut PgConnection, plate: PlateId, settled: &Settled) -> Result<By> {
        let lost_by_a_mover =
            matches!(settled.work, Work::Move(_)) && settled.began && settled.state == State::PlateLost;
        let hands = lost_by_a_mover || store::chains::mover_failed(conn, plate).await?;
        Ok(if hands { By::Hands } else { By::Mover })
    }

    fn order(self, mut step: Step) -> Step {
        if self == By::Hands {
            step.instrument = None;
            step.by_hand = true;
        }
        step
    }
}

/// Frees what the jobs of an ended plate still hold, once none of them is left: by a move when plates stand
/// there, at once when none can.
pub(super) async fn clear_places(
    conn: &mut PgConnection,
    round: &Round,
    plate: &Plate,
    by: By,
    out: &mut Consequences,
) -> Result<()> {
    if !store::chains::unsettled(conn, plate.id).await?.is_empty() {
        return Ok(());
    }
    let bench = version_of(conn, round).await?.spec.bench.clone();
    let held = store::chains::held(conn, plate.id).await?;
    if !held.is_empty() {
        // Nobody plans for a place while it is said who comes next there.
        store::chains::lock_bench(conn, &bench).await?;
    }
    let resources: BTreeSet<&str> = held.iter().map(|held| held.resource.as_str()).collect();
    for resource in resources {
        let mine: Vec<_> = held.iter().filter(|held| held.resource == resource).collect();
        let begun = mine.iter().any(|held| held.begun);
        if !begun {
            let mine: Vec<JobId> = mine.iter().map(|held| held.job_id).collect();
            out.absorb(queue::resource::stand_aside(conn, &mine, resource).await?);
            continue;
        }
        let step = clearing(conn, &bench, plate, resource).await?;
        match step {
            Some(step) => {
                let clearing = commit::job_of(round, plate.id, &by.order(step));
                let clearing = commit::create(conn, &clearing, out).await?;
                for held in mine {
                    queue::resource::hand_over(conn, held.job_id, clearing).await?;
                }
            }
            None => {
                for held in mine {
                    out.absorb(queue::resource::clear(conn, held.job_id).await?);
                }
            }
        }
    }
    bring_home(conn, round, &bench, plate, by, out).await
}

/// Has a place cleared that the end of a plate left occupied, where nothing else will: its round is over, or waits for
/// nothing. Answers whether there was something to do.
pub(super) async fn clear_stray(
    conn: &mut PgConnection,
    stray: &store::chains::Stray,
    out: &mut Consequences,
) -> Result<bool> {
    let Some(round) = store::rounds::lock(conn, stray.round_id).await? else { return Ok(false) };
    if !store::chains::is_stray(conn, stray.plate_id).await? {
        return Ok(false);
    }
    let plate = store::plates::by_id(conn, stray.plate_id).await?;
    let plate = plate.ok_or_else(|| Error::corrupt("plate of a place", stray.plate_id))?;
    let by = if stray.mover_failed { By::Hands } else { By::Mover };
    tracing::info!(plate = plate.barcode, ?by, "a place is still occupied after the end of its plate");
    clear_places(conn, &round, &plate, by, out).await?;
    Ok(true)
}

/// The move that frees the place behind `resource`; `None` when nothing stands there.
async fn clearing(
    conn: &mut PgConnection,
    bench: &Bench,
    plate: &Plate,
    resource: &str,
) -> Result<Option<Step>> {
    if resource == bench.deck_resource() {
        let standing = store::inventory::standing_on(conn, &bench.handler).await?;
        return Ok(planning::clear_deck(bench, plate.ordinal, &standing));
    }
    let standing = store::inventory::standing_on(conn, &bench.reader).await?;
    let mut step = planning::bring_home(bench, plate.ordinal, &standing);
    if let Some(step) = &mut step {
        step.resource = Some(resource.to_owned());
    }
    Ok(step)
}

/// A plate that still stands on a device (an incubator) goes to waste; its slot is free then.
async fn bring_home(
    conn: &mut PgConnection,
    round: &Round,
    bench: &Bench,
    plate: &Plate,
    by: By,
    out: &mut Consequences,
) -> Result<()> {
    let standing: Option<Standing> = store::inventory::standing(conn, &plate.barcode).await?;
    let Some(standing) = standing.filter(|standing| standing.at.device != "storage") else {
        return Ok(());
    };
    // Also one that is over and not drawn yet: it may have been carried away.
    if store::chains::is_open(conn, plate.id).await? {
        return Ok(());
    }
    if let Some(step) = planning::bring_home(bench, plate.ordinal, &[standing]) {
        commit::create(conn, &commit::job_of(round, plate.id, &by.order(step)), out).await?;
    }
    Ok(())
}
