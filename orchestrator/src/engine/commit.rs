//! Writes a plan down: plates and their maps, reservations, and the jobs with what each waits for.

use crate::ids::{PlateId, SYSTEM};
use crate::planning::{After, Plan, Requires, Step};
use crate::store::batches::Batch;
use crate::store::inventory::Reserved;
use crate::store::jobs::{self as queue, Consequences, Created, Dependency, NewJob};
use crate::store::plates::NewPlate;
use crate::store::rounds::Round;
use crate::store::{self, Error, Result};
use jobs::JobId;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts at a physical step whose failures are known to have moved nothing.
const PHYSICAL_ATTEMPTS: u32 = 3;

/// How it ended.
#[must_use]
pub(super) enum Committed {
    Done,
    /// Somebody else took it meanwhile: roll back and plan again.
    Taken {
        what: String,
    },
}

/// Writes `plan` for the round's batch. The caller holds the bench's lock and the round's.
pub(super) async fn commit(
    conn: &mut PgConnection,
    round: &Round,
    batch: &Batch,
    plan: &Plan,
    out: &mut Consequences,
) -> Result<Committed> {
    let mut plates: BTreeMap<u32, PlateId> = BTreeMap::new();
    for planned in &plan.plates {
        if let Reserved::Taken { what } = store::inventory::reserve_blank(conn, &planned.barcode).await? {
            return Ok(Committed::Taken { what });
        }
        let plate = NewPlate {
            id: PlateId::fresh(),
            round_id: round.id,
            batch_id: batch.id,
            campaign_id: round.campaign_id,
            ordinal: planned.ordinal,
            generation: plan.generation,
            barcode: &planned.barcode,
            labware: &planned.labware,
            context: &planned.context,
            wells: &planned.wells,
        };
        store::plates::insert(conn, &plate, SYSTEM).await?;
        if let Reserved::Taken { what } =
            store::inventory::reserve(conn, plate.id, &planned.barcode, &planned.draws).await?
        {
            return Ok(Committed::Taken { what });
        }
        plates.insert(planned.ordinal, plate.id);
    }
    enter_jobs(conn, round, plan, &plates, out).await?;
    Ok(Committed::Done)
}

/// Enters the jobs of every step, all together. `plates`: by ordinal.
async fn enter_jobs(
    conn: &mut PgConnection,
    round: &Round,
    plan: &Plan,
    plates: &BTreeMap<u32, PlateId>,
    out: &mut Consequences,
) -> Result<()> {
    let mut jobs: Vec<NewJob> = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let plate = *plates.get(&step.plate_ordinal).ok_or_else(|| {
            Error::corrupt("plan", format!("step of plate {} that it does not have", step.plate_ordinal))
        })?;
        let mut job = job_of(round, plate, step);
        for after in &step.after {
            job.dependencies.push(dependency(after, &jobs)?);
        }
        if let (true, Some(resource)) = (step.first_on_resource, &step.resource) {
            let before = store::chains::last_on_resource(conn, resource).await?;
            job.dependencies.extend(before.into_iter().map(Dependency::end));
        }
        jobs.push(job);
    }
    for created in queue::create_all(conn, &jobs).await? {
        if let Created::Created(_, consequences) = created {
            out.absorb(consequences);
        }
    }
    Ok(())
}

/// The job that carries out one step for a plate; what it waits for is the caller's.
pub(super) fn job_of(round: &Round, plate: PlateId, step: &Step) -> NewJob {
    let mut job = NewJob::new(step.work.clone());
    job.instrument.clone_from(&step.instrument);
    job.by_hand = step.by_hand;
    job.max_attempts = PHYSICAL_ATTEMPTS;
    job.campaign_id = Some(round.campaign_id);
    job.round_id = Some(round.id);
    job.plate_id = Some(plate);
    job.resource.clone_from(&step.resource);
    job
}

/// Enters a job that has no unique key: it is always new.
pub(super) async fn create(conn: &mut PgConnection, job: &NewJob, out: &mut Consequences) -> Result<JobId> {
    match queue::create(conn, job).await? {
        Created::Created(id, consequences) => {
            out.absorb(consequences);
            Ok(id)
        }
        Created::Existing(id) => Ok(id),
    }
}

/// `before`: the jobs of the steps before.
fn dependency(after: &After, before: &[NewJob]) -> Result<Dependency> {
    let upstream = before.get(after.step).ok_or_else(|| {
        Error::corrupt("plan", format!("step {} is waited for before it is made", after.step))
    })?;
    Ok(Dependency {
        job_id: upstream.id,
        requires: match after.requires {
            Requires::Success => queue::Requires::Success,
            Requires::End => queue::Requires::End,
        },
        min_delay: hours(after.min_delay_hours)?,
        max_delay: after.max_delay_hours.map(hours).transpose()?,
    })
}

fn hours(hours: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(hours * 3600.0)
        .map_err(|error| Error::corrupt("plan", format!("{hours} hours: {error}")))
}
