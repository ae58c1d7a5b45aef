//! Work that people do: taken, given back and answered for by a person, without an agent that beats.
//!
//! Who takes a job holds its lease, begun from then on: nobody else is given it, and when no answer comes for long it
//! is in doubt like a robot's. The token stays here: whoever may work at the bench may answer for it, since tablets are
//! shared, and the record says who did.

use super::held::{self, AttemptEnding};
use super::lease::work;
use super::read::state_of;
use super::settle::{self, Consequences, Decided, Ending};
use crate::ids::{ActorId, CampaignId, PlateId};
use crate::people::Visible;
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use ::jobs::state::{Event, State};
use ::jobs::work::Output;
use ::jobs::work::physical::{
    Arrival, IncubateResult, Location, ManualResult, MoveResult, PlateMove, PlateRef,
};
use ::jobs::{JobId, LeaseToken, Work};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

/// Steps shown: a bench with more waiting has other troubles.
const MOST: i64 = 500;

/// A step for hands: ready, or in somebody's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = StepByHand)]
pub struct Listed {
    pub id: JobId,
    /// `ready`, `running` (somebody has it in hand) or `stopping`.
    pub state: State,
    pub instruction: String,
    pub plates: Vec<ListedPlate>,
    pub campaign_id: Option<CampaignId>,
    pub campaign: Option<String>,
    /// Number of the round.
    pub round: Option<i32>,
    pub plate_id: Option<PlateId>,
    /// Real time since which it is ready, or at which it was taken.
    pub since: DateTime<Utc>,
    /// Laboratory time by which it must be taken.
    pub deadline_lab_at: Option<DateTime<Utc>>,
    /// Who has it in hand.
    pub taken_by: Option<String>,
    pub taken_by_id: Option<ActorId>,
    /// Real time by which an answer must come, or it is in doubt.
    pub answer_by: Option<DateTime<Utc>>,
    /// How often it was taken before.
    pub attempt: i32,
}

/// A plate of a step, and where it stands as far as is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlateByHand)]
pub struct ListedPlate {
    pub barcode: String,
    pub labware: String,
    pub at: Option<Location>,
}

/// What became of the wish to take one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Until then an answer is waited for. `already`: they had it before, by this request or another of theirs.
    Yes { answer_by: DateTime<Utc>, already: bool },
    /// It may not begin now: paused, stopped, too late, or the laboratory is not reconciled.
    Barred,
    /// Somebody has it in hand, or it is not for hands now.
    Refused(State),
    /// A robot's or a learner's.
    NotForHands,
}

/// A job in somebody's hands.
#[derive(Clone, Debug, PartialEq)]
pub struct InHand {
    pub token: LeaseToken,
    pub work: Work,
    pub barcodes: Vec<String>,
}

/// The steps of `visible` projects that wait for hands or are in some, the oldest first.
pub async fn list(conn: &mut PgConnection, visible: &Visible) -> Result<Vec<Listed>> {
    let projects = visible.limit();
    let rows = sqlx::query!(
        r#"select job.id, there.state as "state!", job.kind, job.payload, job.campaign_id, campaign.name as "campaign?",
             round.number as "round?", job.plate_id, there.since as "since!", there.deadline_lab_at,
             actor.name as "taken_by?", there.worker, there.answer_by, there.attempt as "attempt!"
           from (
               select job_id, 'ready' as state, ready_at as since, deadline_lab_at, null::uuid as worker,
                   null::timestamptz as answer_by, attempt
               from job_ready
               where queue = 'people'
               union all
               select lease.job_id, phase, leased_at, lease.deadline_lab_at, worker, expires_at, attempt - 1
               from lease
               join job on job.id = lease.job_id
               where job.queue = 'people'
           ) as there
           join job on job.id = there.job_id
           left join campaign on campaign.id = job.campaign_id
           left join round on round.id = job.round_id
           left join actor on actor.id = there.worker
           where $1::uuid[] is null or campaign.project_id = any($1)
           order by there.worker is null, there.since, job.id
           limit $2"#,
        projects.as_deref(),
        MOST
    )
    .fetch_all(&mut *conn)
    .await?;
    let asked: Vec<Asked> =
        rows.iter().map(|row| Asked::of(&work(&row.kind, row.payload.clone())?)).collect::<Result<_>>()?;
    let places = places(conn, asked.iter().flat_map(|asked| &asked.plates)).await?;
    rows.into_iter()
        .zip(asked)
        .map(|(row, asked)| {
            let at = |plate: &PlateRef| {
                places.iter().find(|(barcode, _)| *barcode == plate.barcode).map(|(_, at)| at.clone())
            };
            let plates = asked.plates.iter().map(|plate| ListedPlate {
                barcode: plate.barcode.clone(),
                labware: plate.labware.clone(),
                at: at(plate),
            });
            Ok(Listed {
                id: JobId(row.id),
                state: if row.state == "ready" { State::Ready } else { held::phase(&row.state)? },
                plates: plates.collect(),
                instruction: asked.instruction,
                campaign_id: row.campaign_id.map(Into::into),
                campaign: row.campaign,
                round: row.round,
                plate_id: row.plate_id.map(Into::into),
                since: row.since,
                deadline_lab_at: row.deadline_lab_at,
                taken_by: row.taken_by,
                taken_by_id: row.worker.map(ActorId),
                answer_by: row.answer_by,
                attempt: row.attempt,
            })
        })
        .collect()
}

/// What a person is to do, and with which plates.
struct Asked {
    instruction: String,
    plates: Vec<PlateRef>,
}

impl Asked {
    fn of(work: &Work) -> Result<Self> {
        Ok(match work {
            Work::Manual(asked) => {
                Self { instruction: asked.instruction.clone(), plates: asked.plates.clone() }
            }
            Work::Move(asked) => {
                let way = |one: &PlateMove| {
                    format!("{}: {} → {}", one.plate.barcode, place(&one.from), place(&one.to))
                };
                let ways: Vec<String> = asked.moves.iter().map(way).collect();
                Self {
                    instruction: format!("Carry, in this order:\n{}", ways.join("\n")),
                    plates: asked.moves.iter().map(|one| one.plate.clone()).collect(),
                }
            }
            Work::Incubate(asked) => Self {
                instruction: format!(
                    "See that it stands in {} at {} °C and {} % CO2, and say so at once: {} h are counted from then.",
                    place(&asked.at),
                    asked.temperature_celsius,
                    asked.co2_percent,
                    asked.hours
                ),
                plates: vec![asked.plate.clone()],
            },
            other => return Err(Error::corrupt("work for hands", other.kind())),
        })
    }
}

/// `handler-1, slot 2`; of storage and waste, where each plate has a place of its own name, the device alone.
fn place(at: &Location) -> String {
    if matches!(at.device.as_str(), "storage" | "waste") {
        at.device.clone()
    } else {
        format!("{}, slot {}", at.device, at.slot)
    }
}

/// What a person who did all of `work` brings; `scanned`: barcodes of plates that surely are where they belong.
pub fn output(work: &Work, note: &str, scanned: &[String], lab_now: DateTime<Utc>) -> Result<Output> {
    Ok(match work {
        Work::Manual(_) => Output::Manual(ManualResult { note: note.to_owned() }),
        Work::Move(asked) => {
            let moved = asked.moves.iter().filter(|one| scanned.contains(&one.plate.barcode));
            let arrived =
                |one: &PlateMove| Arrival { barcode: one.plate.barcode.clone(), at: one.to.clone() };
            Output::Move(MoveResult { arrived: moved.map(arrived).collect() })
        }
        Work::Incubate(asked) => Output::Incubate(IncubateResult {
            started_at: lab_now,
            temperature_celsius: asked.temperature_celsius,
        }),
        other => return Err(Error::corrupt("work for hands", other.kind())),
    })
}

async fn places(
    conn: &mut PgConnection,
    plates: impl Iterator<Item = &PlateRef>,
) -> Result<Vec<(String, Location)>> {
    let barcodes: Vec<String> = plates.map(|plate| plate.barcode.clone()).collect();
    let rows =
        sqlx::query!("select barcode, device, slot from plate_location where barcode = any($1)", &barcodes)
            .fetch_all(conn)
            .await?;
    let at = |device, slot| Location { device, slot };
    Ok(rows.into_iter().map(|row| (row.barcode, at(row.device, row.slot))).collect())
}

/// A person takes `job` in hand, begun from now on, and has `patience` (real time) to say what became of it.
///
/// As with robots nothing that is paused or stopped begins, nor anything in a life of the database that is not
/// reconciled ([`super::lease`]). A person who took it already has it.
pub async fn take(conn: &mut PgConnection, job: JobId, actor: ActorId, patience: Duration) -> Result<Taken> {
    let queue = queue_of(conn, job).await?;
    if queue != "people" {
        return Ok(Taken::NotForHands);
    }
    steps::before(Step::TakeByHand).await;
    let mut tx = store::begin(conn).await?;
    let taken = sqlx::query!(
        r#"with picked as materialized (
             select job_id
             from job_ready
             where job_id = $1
                 and may_begin(job_id, instrument)
                 and (deadline_lab_at is null or deadline_lab_at >= lab_now())
                 and exists (select from reconciliation where epoch = database_epoch() and closed_at is not null)
             for update
         ), taken as (
             delete from job_ready
             where job_id = any(array(select job_id from picked))
             returning job_id, instrument, attempt, deadline_lab_at
         )
         insert into lease
             (job_id, lease_token, worker, instrument, phase, attempt, started_at, expires_at, deadline_lab_at)
         select job_id, gen_random_uuid(), $2, instrument, 'running', attempt + 1, now(),
             now() + make_interval(secs => $3), deadline_lab_at
         from taken
         returning expires_at"#,
        job.0,
        actor.0,
        patience.as_secs_f64()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(taken) = taken else {
        tx.rollback().await?;
        return refused(conn, job, actor).await;
    };
    tell(&mut tx, "JobTakenInHand", job, actor, json!({})).await?;
    steps::commit(tx, Step::TakeByHand).await?;
    Ok(Taken::Yes { answer_by: taken.expires_at, already: false })
}

async fn refused(conn: &mut PgConnection, job: JobId, actor: ActorId) -> Result<Taken> {
    let mine = sqlx::query_scalar!(
        "select expires_at from lease where job_id = $1 and worker = $2 and phase = 'running'",
        job.0,
        actor.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(answer_by) = mine {
        return Ok(Taken::Yes { answer_by, already: true });
    }
    Ok(match state_of(conn, job).await?.ok_or_else(|| Error::not_found("job", job))? {
        State::Ready => Taken::Barred,
        state => Taken::Refused(state),
    })
}

/// Whoever has `job` in hand; `None` when nobody has. `attempt`: as [`Listed`] showed it to
/// whoever answers; `None` as well when it was taken anew since, by somebody whose work nobody may answer for unseen.
pub async fn in_hand(conn: &mut PgConnection, job: JobId, attempt: Option<i32>) -> Result<Option<InHand>> {
    let row = sqlx::query!(
        r#"select lease_token as "lease_token?", lease.attempt as "attempt?", kind, payload
           from job
           left join lease on lease.job_id = job.id
           where job.id = $1 and job.queue = 'people'"#,
        job.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else {
        // A robot's is in nobody's hands; an unknown one is not found.
        queue_of(conn, job).await?;
        return Ok(None);
    };
    if attempt.is_some_and(|attempt| row.attempt != Some(attempt + 1)) {
        return Ok(None);
    }
    let work = work(&row.kind, row.payload)?;
    let plates = Asked::of(&work)?.plates;
    let barcodes = plates.into_iter().map(|plate| plate.barcode).collect();
    Ok(row.lease_token.map(|token| InHand { token: LeaseToken(token), work, barcodes }))
}

/// A person says that nothing was done: it waits for hands again, or is cancelled when a stop had been asked for.
/// `None`: nobody has it in hand.
pub async fn give_back(
    conn: &mut PgConnection,
    job: JobId,
    actor: ActorId,
    attempt: Option<i32>,
) -> Result<Option<(State, Consequences)>> {
    let Some(held) = in_hand(conn, job, attempt).await? else { return Ok(None) };
    steps::before(Step::GiveBack).await;
    let mut tx = store::begin(conn).await?;
    let Some(mut held) = held::take(&mut tx, job, held.token).await? else { return Ok(None) };
    // Nothing has begun, for whoever asks of the attempt later.
    held.started_at = None;
    // The word of the person beside the plate is that nothing has happened.
    let event = if held.phase == State::Stopping {
        Event::ReportedStopped
    } else {
        Event::ReportedFailed { retry: true }
    };
    let next = held.phase.next(event).map_err(|rejected| Error::corrupt("job state", rejected))?;
    held.end_attempt(&mut tx, AttemptEnding::Released, false).await?;
    let consequences = if next == State::Ready {
        Consequences::ready(&held.back_to_ready(&mut tx, None).await?)
    } else {
        settle::settle(&mut tx, job, &Ending::Cancelled, Decided::by_the_queue(actor)).await?
    };
    tell(&mut tx, "JobGivenBack", job, actor, json!({})).await?;
    steps::commit(tx, Step::GiveBack).await?;
    Ok(Some((next, consequences)))
}

/// Keeps what a person said beside an answer, for the record.
pub async fn remark(
    conn: &mut PgConnection,
    job: JobId,
    actor: ActorId,
    note: &str,
    scanned: &[String],
) -> Result<()> {
    tell(conn, "JobDoneByHand", job, actor, json!({"note": note, "scanned": scanned})).await
}

async fn queue_of(conn: &mut PgConnection, job: JobId) -> Result<String> {
    sqlx::query_scalar!("select queue from job where id = $1", job.0)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| Error::not_found("job", job))
}

async fn tell(conn: &mut PgConnection, kind: &str, job: JobId, actor: ActorId, body: Value) -> Result<()> {
    let campaign: Option<Uuid> =
        sqlx::query_scalar!("select campaign_id from job where id = $1", job.0).fetch_one(&mut *conn).await?;
    let event = NewEvent {
        kind,
        subject: "job",
        subject_id: job.to_string(),
        campaign_id: campaign.map(CampaignId),
        actor,
        body,
    };
    events::append(conn, &event).await?;
    Ok(())
}
