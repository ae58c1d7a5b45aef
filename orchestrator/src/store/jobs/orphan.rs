//! Reports of jobs that this life of the database does not know: made, leased and done in a life that was lost.
//!
//! Nothing follows from them for the loop but care: plates that were written into are not used for anything else,
//! what was drawn is written off, and a person is told what was done to which plate.

use super::lost;
use super::report::Testimony;
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use crate::store::inventory;
use crate::store::reconciliation::{self, Loss};
use crate::store::tasks::{self, NewTask};
use ::jobs::wire::{Disposition, LeaseSummary};
use ::jobs::work::physical::{Dispense, Move};
use ::jobs::work::{Outcome, Output};
use ::jobs::{JobId, Work};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Cause of the task that an orphan report opens.
pub const ORPHAN_TASK: &str = "report.orphan";

/// What was done about a report.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Done {
    withdrawn: Vec<String>,
    in_doubt: Vec<JobId>,
    written_off_nl: u64,
}

impl Done {
    fn add(&mut self, other: Done) {
        self.withdrawn.extend(other.withdrawn);
        self.in_doubt.extend(other.in_doubt);
        self.written_off_nl += other.written_off_nl;
    }
}

/// Keeps the report and takes care, in a transaction of its own.
pub(super) async fn keep(
    conn: &mut PgConnection,
    job: JobId,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
) -> Result<Disposition> {
    steps::before(Step::KeepOrphan).await;
    let mut tx = store::begin(conn).await?;
    // The same offered twice at once: the second waits here, and finds the first.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", job.to_string())
        .execute(&mut *tx)
        .await?;
    if was_kept_before(&mut tx, job, testimony).await? {
        return Ok(Disposition::AlreadyDone);
    }
    reconciliation::count(&mut tx, Loss::Job).await?;
    let moved = lost::may_have_moved(lease, testimony.outcome);
    let mut all = done_before(&mut tx, job).await?;
    let done = if moved { take_care(&mut tx, testimony, lease, &all).await? } else { Done::default() };
    insert(&mut tx, job, testimony, lease, &done).await?;
    if moved {
        all.add(done);
        tell(&mut tx, job, testimony, lease, &all).await?;
    }
    steps::commit(tx, Step::KeepOrphan).await?;
    Ok(Disposition::KeptAsEvidence)
}

async fn was_kept_before(conn: &mut PgConnection, job: JobId, testimony: &Testimony<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from orphan_report where job_id = $1 and lease_token = $2 and outcome_sha256 = $3
         ) as "kept!""#,
        job.0,
        testimony.token.0,
        testimony.sha256
    )
    .fetch_one(conn)
    .await?)
}

/// No plate that was worked on is used for anything else, and what was drawn is not there any more.
///
/// Where a dispense of the same plate is in doubt for it, whoever says what happened says what was drawn, too; and what an
/// earlier report of the same job wrote off is not written off again.
async fn take_care(
    conn: &mut PgConnection,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
    before: &Done,
) -> Result<Done> {
    let mut done = Done::default();
    for barcode in worked_on(&lease.work) {
        if inventory::withdraw_unused(conn, &barcode).await? {
            done.withdrawn.push(barcode);
            continue;
        }
        if lease.work.kind().is_repeatable() {
            continue;
        }
        // A plate of a round that goes on: what was done to it is not done to it again.
        for job in jobs_like(conn, &barcode, lease).await? {
            if lost::put_in_doubt(conn, job, testimony, lease).await? {
                done.in_doubt.push(job);
            }
        }
    }
    if let Work::Dispense(asked) = &lease.work
        && done.in_doubt.is_empty()
        && before.in_doubt.is_empty()
        && before.written_off_nl == 0
    {
        let drawn = drawn(asked, testimony.outcome);
        done.written_off_nl = drawn.values().sum();
        inventory::write_off(conn, &drawn).await?;
    }
    Ok(done)
}

/// What earlier reports of the same job led to.
async fn done_before(conn: &mut PgConnection, job: JobId) -> Result<Done> {
    let rows =
        sqlx::query_scalar!("select done_about_it from orphan_report where job_id = $1 order by id", job.0)
            .fetch_all(conn)
            .await?;
    let mut before = Done::default();
    for row in rows {
        before.add(serde_json::from_value(row).map_err(|error| Error::corrupt("done_about_it", error))?);
    }
    Ok(before)
}

/// Barcodes of the plates that the work does something to: not those it only draws from.
fn worked_on(work: &Work) -> BTreeSet<String> {
    match work {
        Work::Dispense(asked) => {
            asked.transfers.iter().map(|transfer| transfer.destination_barcode.clone()).collect()
        }
        Work::Move(asked) => asked.moves.iter().map(|step| step.plate.barcode.clone()).collect(),
        Work::Incubate(asked) => BTreeSet::from([asked.plate.barcode.clone()]),
        Work::Read(asked) => BTreeSet::from([asked.plate.barcode.clone()]),
        Work::Manual(asked) => asked.plates.iter().map(|plate| plate.barcode.clone()).collect(),
        Work::Train(_) | Work::Propose(_) | Work::Predict(_) | Work::Screen(_) => BTreeSet::new(),
    }
}

/// Nanolitres by source barcode and well: what the device reported where it succeeded, else all that was asked,
/// since nobody knows how far it came.
fn drawn(asked: &Dispense, outcome: &Outcome) -> BTreeMap<(String, String), u64> {
    let reported: BTreeMap<u32, u32> = match outcome {
        Outcome::Succeeded { output } => match &**output {
            Output::Dispense(result) => {
                result.transfers.iter().filter_map(|one| Some((one.index, one.actual_nl?))).collect()
            }
            _ => BTreeMap::new(),
        },
        _ => BTreeMap::new(),
    };
    let mut drawn = BTreeMap::new();
    for (index, transfer) in (0..).zip(&asked.transfers) {
        let volume = reported.get(&index).copied().unwrap_or(transfer.volume_nl);
        let source = (transfer.source_barcode.clone(), transfer.source_well.clone());
        *drawn.entry(source).or_default() += u64::from(volume);
    }
    drawn
}

/// Open jobs of the same kind, of the plate that has this barcode.
async fn jobs_like(conn: &mut PgConnection, barcode: &str, lease: &LeaseSummary) -> Result<Vec<JobId>> {
    let ids = sqlx::query_scalar!(
        "select job.id
         from job
         join plate on plate.id = job.plate_id
         left join job_outcome on job_outcome.job_id = job.id
         where plate.barcode = $1 and job.kind = $2 and job_outcome.job_id is null
         order by job.id",
        barcode,
        lease.work.kind().as_str()
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

async fn insert(
    conn: &mut PgConnection,
    job: JobId,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
    done: &Done,
) -> Result<()> {
    let work = serde_json::to_value(&lease.work).map_err(|error| Error::corrupt("work", error))?;
    let done = serde_json::to_value(done).map_err(|error| Error::corrupt("care", error))?;
    sqlx::query!(
        "insert into orphan_report (
             id, epoch, job_id, lease_token, attempt, instrument, begun, kind, payload, actor_id, outcome,
             outcome_sha256, done_about_it
         )
         values ($1, database_epoch(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        Uuid::now_v7(),
        job.0,
        testimony.token.0,
        i32::try_from(lease.attempt).unwrap_or(i32::MAX),
        lease.instrument,
        lease.begun,
        lease.work.kind().as_str(),
        work.get("payload").cloned().unwrap_or_default(),
        testimony.actor.0,
        testimony.json,
        testimony.sha256,
        done
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn tell(
    conn: &mut PgConnection,
    job: JobId,
    testimony: &Testimony<'_>,
    lease: &LeaseSummary,
    done: &Done,
) -> Result<()> {
    let task = NewTask {
        cause: ORPHAN_TASK,
        message: words(testimony.outcome, lease, done),
        subject: "orphan_report",
        subject_id: job.to_string(),
        campaign_id: None,
    };
    tasks::open(conn, &task).await?;
    let event = NewEvent {
        kind: "OrphanReported",
        subject: "orphan_report",
        subject_id: job.to_string(),
        campaign_id: None,
        actor: testimony.actor,
        body: json!({"kind": lease.work.kind(), "instrument": lease.instrument, "done_about_it": done}),
    };
    events::append(conn, &event).await.map(drop)
}

/// What was done to which plate, and what a person has to do.
fn words(outcome: &Outcome, lease: &LeaseSummary, done: &Done) -> String {
    let who = lease.instrument.as_deref().unwrap_or("A worker");
    let what = match &lease.work {
        Work::Dispense(asked) => format!("dispensed {} transfers into", asked.transfers.len()),
        Work::Move(Move { moves }) => format!("carried out {} moves with", moves.len()),
        Work::Incubate(_) => "incubated".to_owned(),
        Work::Read(_) => "read".to_owned(),
        _ => "worked on".to_owned(),
    };
    let ended = match outcome {
        Outcome::Succeeded { .. } => "and says that it succeeded".to_owned(),
        Outcome::Stopped { note } => format!("and was stopped ({note})"),
        Outcome::Failed { failure } => format!("and says that it failed: {}", failure.message),
        Outcome::Unknown { failure } => format!("and cannot say how it ended: {}", failure.message),
    };
    let plates: Vec<String> = worked_on(&lease.work).into_iter().collect();
    let mut text = format!(
        "In a life of the database that was lost, {who} {what} {}, {ended}. This database does not know that job.",
        plates.join(", ")
    );
    if !done.withdrawn.is_empty() {
        text += &format!(" Withdrawn from stock, to go to waste: {}.", done.withdrawn.join(", "));
    }
    if done.written_off_nl > 0 {
        text += &format!(" {} nl were written off where they were drawn.", done.written_off_nl);
    }
    if !done.in_doubt.is_empty() {
        text += &format!(" {} jobs of its plate are in doubt: say what happened.", done.in_doubt.len());
    }
    text + " Bring every other plate of it to where the inventory says that it stands, then close this task."
}
