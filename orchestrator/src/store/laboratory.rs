//! The stop of the whole laboratory: no work of devices or hands is given out while one stands, what runs is asked
//! to stop, and each agent confirms that it knows.

use super::error::{ConstraintKind, Error, Result};
use super::events::NewEvent;
use super::jobs as queue;
use super::outbox;
use crate::ids::{ActorId, SYSTEM};
use crate::store;
use chrono::{DateTime, Utc};
use jobs::wire::{JobInHand, Orders, OrdersRequest, Standing, StopOrder};
use jobs::{JobId, LeaseToken, StopId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// A stop that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stop {
    pub id: StopId,
    pub reason: String,
    /// Name of whoever ordered it.
    pub ordered_by: String,
    /// Real time.
    pub ordered_at: DateTime<Utc>,
}

/// How an order to stop ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    Done(StopId),
    /// It was stopped already; nothing changed.
    AlreadySo(StopId),
}

/// Stops the laboratory, in a transaction of its own.
pub async fn stop(conn: &mut PgConnection, reason: &str, actor: ActorId) -> Result<Stopped> {
    let mut tx = store::begin(conn).await?;
    if let Some(stop) = open(&mut tx).await? {
        return Ok(Stopped::AlreadySo(stop.id));
    }
    let id = StopId::fresh();
    let inserted = sqlx::query!(
        "insert into laboratory_stop (id, reason, ordered_by) values ($1, $2, $3)",
        id.0,
        reason,
        actor.0
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::from);
    match inserted {
        Ok(_) => {}
        Err(Error::Constraint { kind: ConstraintKind::Unique, .. }) => {
            // Another stopped it at the same moment.
            tx.rollback().await?;
            let stop = open(conn).await?.ok_or_else(|| Error::Contended(sqlx::Error::RowNotFound))?;
            return Ok(Stopped::AlreadySo(stop.id));
        }
        Err(error) => return Err(error),
    }
    hold_back(&mut tx, actor, reason).await?;
    record(&mut tx, "LaboratoryStopped", id, actor, reason).await?;
    tx.commit().await?;
    Ok(Stopped::Done(id))
}

/// What devices and hands hold: taken back where it has not begun, asked to stop where it has.
async fn hold_back(conn: &mut PgConnection, actor: ActorId, reason: &str) -> Result<usize> {
    let jobs: Vec<Uuid> = sqlx::query_scalar!(
        "select lease.job_id
         from lease
         join job on job.id = lease.job_id
         where job.queue in ('bench', 'people') and lease.phase in ('leased', 'running')
         order by lease.job_id"
    )
    .fetch_all(&mut *conn)
    .await?;
    if jobs.is_empty() {
        return Ok(0);
    }
    queue::take_back(conn, &jobs).await?;
    queue::ask(conn, &jobs, actor, reason).await
}

/// While the laboratory is stopped: asks what slipped in beside the order (leased before it, started with it).
/// Answers how many jobs were asked to stop.
pub async fn enforce(conn: &mut PgConnection) -> Result<usize> {
    if open(conn).await?.is_none() {
        return Ok(0);
    }
    let mut tx = store::begin(conn).await?;
    // Whoever lifts it waits for this lock: nothing is asked to stop that began after it was lifted.
    let reason = sqlx::query_scalar!("select reason from laboratory_stop where lifted_at is null for share")
        .fetch_optional(&mut *tx)
        .await?;
    let asked = match reason {
        Some(reason) => hold_back(&mut tx, SYSTEM, &reason).await?,
        None => 0,
    };
    tx.commit().await?;
    Ok(asked)
}

/// Lets the laboratory go on, in the caller's transaction; `None` when it was not stopped.
pub async fn lift(conn: &mut PgConnection, reason: &str, actor: ActorId) -> Result<Option<StopId>> {
    let lifted = sqlx::query_scalar!(
        "update laboratory_stop
         set lifted_at = now(), lifted_by = $2, lifted_reason = $1
         where lifted_at is null
         returning id",
        reason,
        actor.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(id) = lifted.map(StopId) else { return Ok(None) };
    record(conn, "LaboratoryResumed", id, actor, reason).await?;
    Ok(Some(id))
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: StopId,
    actor: ActorId,
    reason: &str,
) -> Result<()> {
    let event = NewEvent {
        kind,
        subject: "laboratory",
        subject_id: id.to_string(),
        campaign_id: None,
        actor,
        body: json!({"reason": reason}),
    };
    outbox::tell(conn, &event).await
}

/// The stop that stands, if one does.
pub async fn open(conn: &mut PgConnection) -> Result<Option<Stop>> {
    let row = sqlx::query!(
        "select laboratory_stop.id, reason, actor.name as ordered_by, ordered_at
         from laboratory_stop
         join actor on actor.id = laboratory_stop.ordered_by
         where lifted_at is null"
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Stop {
        id: StopId(row.id),
        reason: row.reason,
        ordered_by: row.ordered_by,
        ordered_at: row.ordered_at,
    }))
}

/// Whether work of this queue stops with the laboratory.
fn stops(queue: &str) -> bool {
    matches!(queue, "bench" | "people")
}

/// What a worker is to know now.
pub async fn orders(conn: &mut PgConnection, request: &OrdersRequest) -> Result<Orders> {
    let stop = if stops(&request.queue) { open(conn).await? } else { None };
    let stop_job = match &request.job {
        None => false,
        Some(job) => {
            sqlx::query_scalar!(
                r#"select exists (
                 select from lease where job_id = $1 and lease_token = $2 and phase = 'stopping'
             ) as "asked!""#,
                job.job_id.0,
                job.lease_token.0
            )
            .fetch_one(conn)
            .await?
        }
    };
    let stop = stop.map(|it| StopOrder { id: it.id, reason: it.reason, ordered_at: it.ordered_at });
    Ok(Orders { stop_job: stop_job || (stop.is_some() && request.job.is_some()), stop })
}

/// What somebody is asked to stop, in the whole laboratory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The laboratory's stop, while one stands.
    pub stop: Option<StopId>,
    /// Jobs that are leased and asked to stop.
    pub jobs: HashSet<(JobId, LeaseToken)>,
}

impl Asked {
    /// Whether [`orders`] would say that there is nothing to stop, of a worker that knows of nothing either.
    pub fn is_nothing_for(&self, request: &OrdersRequest) -> bool {
        let is_asked = |job: &JobInHand| self.jobs.contains(&(job.job_id, job.lease_token));
        self.stop.is_none() && request.knows_stop.is_none() && !request.job.as_ref().is_some_and(is_asked)
    }

    /// Whether work of `queue` stops.
    pub fn stops(&self, queue: &str) -> bool {
        self.stop.is_some() && stops(queue)
    }

    /// Whether `request` may hear something new: what [`orders`] says of it then.
    pub fn is_news(&self, request: &OrdersRequest) -> bool {
        let stop = self.stop.filter(|_| stops(&request.queue));
        let stops_job =
            |job: &JobInHand| stop.is_some() || self.jobs.contains(&(job.job_id, job.lease_token));
        stop != request.knows_stop
            || request.job.as_ref().is_some_and(|job| !job.stop_known && stops_job(job))
    }
}

/// [`Asked`] as it is now.
pub async fn asked(conn: &mut PgConnection) -> Result<Asked> {
    let stop = sqlx::query_scalar!("select id from laboratory_stop where lifted_at is null")
        .fetch_optional(&mut *conn)
        .await?;
    let jobs = sqlx::query!("select job_id, lease_token from lease where phase = 'stopping'")
        .fetch_all(conn)
        .await?;
    let jobs = jobs.into_iter().map(|row| (JobId(row.job_id), LeaseToken(row.lease_token))).collect();
    Ok(Asked { stop: stop.map(StopId), jobs })
}

/// Keeps that a worker knows of the stop that stands, and how it stands. What it says of another stop is dropped.
pub async fn confirm(conn: &mut PgConnection, request: &OrdersRequest, worker: ActorId) -> Result<()> {
    let Some(stop) = request.knows_stop.filter(|_| stops(&request.queue)) else { return Ok(()) };
    let place = request.instrument.as_deref().unwrap_or(&request.queue);
    sqlx::query!(
        "insert into stop_confirmation (stop_id, worker, place, standing, says)
         select id, $2, $3, $4, $5
         from laboratory_stop
         where id = $1 and lifted_at is null
         on conflict (stop_id, place, worker) do update
         set standing = excluded.standing, says = excluded.says, updated_at = now()",
        stop.0,
        worker.0,
        place,
        word(request.standing),
        request.says
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Idle => "idle",
        Standing::Stopping => "stopping",
        Standing::Stopped => "stopped",
    }
}

/// How one place stands towards the stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// An instrument, or the queue of workers that stand beside none.
    pub place: String,
    /// The agent's name; absent when none has confirmed.
    pub worker: Option<String>,
    /// Absent: its agent has not confirmed.
    pub standing: Option<Standing>,
    /// The agent's own words.
    pub says: Option<String>,
    /// When it first said that it knows (real time).
    pub confirmed_at: Option<DateTime<Utc>>,
    /// From the order to the confirmation, in milliseconds (the database's clock).
    pub after_ms: Option<i64>,
    /// When its agent was last heard of.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// Each instrument that is not retired, and whoever else confirmed, by name.
pub async fn places(conn: &mut PgConnection, stop: StopId) -> Result<Vec<Place>> {
    let rows = sqlx::query!(
        r#"select coalesce(instrument.name, place) as "place!", actor.name as "worker?", standing as "standing?", says,
             confirmed_at as "confirmed_at?",
             (extract(epoch from confirmed_at - laboratory_stop.ordered_at) * 1000)::bigint as after_ms,
             instrument.last_seen_at as "last_seen_at?"
         from (select name, last_seen_at from instrument where state <> 'retired') as instrument
         full join (select * from stop_confirmation where stop_id = $1) as confirmed on confirmed.place = instrument.name
         left join laboratory_stop on laboratory_stop.id = confirmed.stop_id
         left join actor on actor.id = confirmed.worker
         order by 1, 2"#,
        stop.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let standing = row.standing.as_deref().map(|standing| match standing {
                "idle" => Ok(Standing::Idle),
                "stopping" => Ok(Standing::Stopping),
                "stopped" => Ok(Standing::Stopped),
                other => Err(Error::corrupt("stop_confirmation.standing", other)),
            });
            Ok(Place {
                place: row.place,
                worker: row.worker,
                standing: standing.transpose()?,
                says: row.says,
                confirmed_at: row.confirmed_at,
                after_ms: row.after_ms,
                last_seen_at: row.last_seen_at,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_for_a_worker_that_knows_of_no_stop_and_holds_nothing_that_is_asked_to_stop() {
        let (job, token, stop) = (JobId(Uuid::now_v7()), LeaseToken(Uuid::now_v7()), StopId(Uuid::now_v7()));
        let asks = |holds: bool, knows_stop| OrdersRequest {
            queue: "bench".to_owned(),
            instrument: None,
            job: holds.then_some(JobInHand { job_id: job, lease_token: token, stop_known: true }),
            knows_stop,
            standing: Standing::Idle,
            says: None,
            wait_seconds: 30,
        };
        let quiet = Asked::default();
        assert!(quiet.is_nothing_for(&asks(false, None)) && quiet.is_nothing_for(&asks(true, None)));
        assert!(!quiet.is_nothing_for(&asks(false, Some(stop))), "the stop that it knows of was lifted");
        let stopping = Asked { jobs: [(job, token)].into(), ..Asked::default() };
        assert!(
            !stopping.is_nothing_for(&asks(true, None)),
            "also when it knows: the database says it again"
        );
        assert!(stopping.is_nothing_for(&asks(false, None)), "another's job");
        let stopped = Asked { stop: Some(stop), ..Asked::default() };
        assert!(!stopped.is_nothing_for(&asks(false, None)));
    }
}
