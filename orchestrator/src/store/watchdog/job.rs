//! The facts about one job.

use crate::store::error::{Error, Result};
use crate::store::holds::{Manner, Subject};
use crate::store::instruments::InstrumentState;
use crate::store::jobs::state_of;
use crate::store::laboratory;
use crate::watchdog::job::{Bar, Busy, Facts, HeldBy, InstrumentFacts, Stop, Upstream};
use jobs::JobId;
use jobs::state::State;
use sqlx::PgConnection;

/// `None`: there is no such job.
pub async fn job(conn: &mut PgConnection, id: JobId) -> Result<Option<Facts>> {
    let Some(state) = state_of(conn, id).await? else { return Ok(None) };
    let row = sqlx::query!(
        r#"select job.kind, job.queue, job.capability, job.instrument,
             plate_begun(job.plate_id) as "plate_begun!",
             coalesce(lease.started_at, lease.leased_at, job_in_doubt.since, job_ready.since, job.created_at) as "since!",
             job_waiting.not_before_lab_at as "not_before_lab_at?",
             coalesce(job_waiting.deadline_lab_at, job_ready.deadline_lab_at, lease.deadline_lab_at) as deadline_lab_at,
             job_ready.retry_at as "retry_at?", actor.name as "worker?", lease.expires_at as "expires_at?",
             lease.progress ->> 'message' as progress,
             (select max(last_used_at) from api_token
              where 'work:learn' = any(scopes) and revoked_at is null) as learner_seen_at,
             now() as "now!", lab_now() as "lab_now!"
         from job
         left join job_waiting on job_waiting.job_id = job.id
         left join job_ready on job_ready.job_id = job.id
         left join lease on lease.job_id = job.id
         left join actor on actor.id = lease.worker
         left join job_in_doubt on job_in_doubt.job_id = job.id
         where job.id = $1"#,
        id.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let stops = matches!(row.queue.as_str(), "bench" | "people");
    let stop = if stops { laboratory::open(conn).await? } else { None };
    let held_by = match (row.worker, row.expires_at) {
        (Some(worker), Some(expires_at)) => Some(HeldBy { worker, expires_at, progress: row.progress }),
        _ => None,
    };
    Ok(Some(Facts {
        bars: bars(conn, id).await?,
        upstream: upstream(conn, id).await?,
        stop: stop.map(|it| Stop { by: it.ordered_by, reason: it.reason, since: it.ordered_at }),
        instruments: instruments(conn, row.instrument.as_deref(), &row.capability).await?,
        kind: row.kind,
        state,
        queue: row.queue,
        capability: row.capability,
        instrument: row.instrument,
        plate_begun: row.plate_begun,
        since: Some(row.since),
        not_before_lab_at: row.not_before_lab_at,
        deadline_lab_at: row.deadline_lab_at,
        retry_at: row.retry_at,
        now: row.now,
        lab_now: row.lab_now,
        learner_seen_at: row.learner_seen_at,
        held_by,
    }))
}

async fn bars(conn: &mut PgConnection, id: JobId) -> Result<Vec<Bar>> {
    let rows = sqlx::query!(
        r#"select subject as "subject!", manner as "manner!", reason as "reason!", actor.name as by,
             ordered_at as "ordered_at!"
         from job_barred
         join actor on actor.id = job_barred.ordered_by
         where job_id = $1
         order by ordered_at"#,
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Bar {
                subject: Subject::from_column(&row.subject)?,
                manner: Manner::from_column(&row.manner)?,
                reason: row.reason,
                by: row.by,
                since: row.ordered_at,
            })
        })
        .collect()
}

/// What it waits for: jobs that have not ended, and those that ended badly on a place that is not known to be clear.
async fn upstream(conn: &mut PgConnection, id: JobId) -> Result<Vec<Upstream>> {
    let rows = sqlx::query!(
        r#"select job.id, job.kind, job_state.state as "state!", plate.barcode as "plate?",
             case when resource_held.job_id is not null then job.resource end as place_held
         from job_dependency
         join job on job.id = job_dependency.depends_on
         join job_state on job_state.job_id = job.id
         left join plate on plate.id = job.plate_id
         left join resource_held on resource_held.job_id = job.id and job_dependency.requires = 'end'
         where job_dependency.job_id = $1
             and (job_state.state not in ('succeeded', 'failed', 'cancelled', 'plate_lost')
                 or resource_held.job_id is not null)
         order by job.id"#,
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = State::ALL.into_iter().find(|state| state.as_str() == row.state);
            Ok(Upstream {
                id: JobId(row.id),
                kind: row.kind,
                state: state.ok_or_else(|| Error::corrupt("job state", &row.state))?,
                plate: row.plate,
                place_held: row.place_held,
            })
        })
        .collect()
}

/// The one it is addressed to, else every one with the capability.
async fn instruments(
    conn: &mut PgConnection,
    addressed: Option<&str>,
    capability: &str,
) -> Result<Vec<InstrumentFacts>> {
    let rows = sqlx::query!(
        r#"select instrument.name, instrument.state, state_reason, back_lab_at, last_seen_at,
             busy.job_id as "busy_job?", busy.kind as "busy_kind?", busy.barcode as "busy_plate?",
             busy.since as "busy_since?"
         from instrument
         left join lateral (
             select lease.job_id, job.kind, plate.barcode, coalesce(lease.started_at, lease.leased_at) as since
             from lease
             join job on job.id = lease.job_id
             left join plate on plate.id = job.plate_id
             where lease.instrument = instrument.name
             order by lease.leased_at
             limit 1
         ) as busy on true
         where case when $1::text is not null then instrument.name = $1 else $2 = any(instrument.capabilities) end
         order by instrument.name"#,
        addressed,
        capability
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let busy = match (row.busy_job, row.busy_kind, row.busy_since) {
                (Some(job), Some(kind), Some(since)) => {
                    Some(Busy { job: JobId(job), kind, plate: row.busy_plate, since })
                }
                _ => None,
            };
            Ok(InstrumentFacts {
                name: row.name,
                state: InstrumentState::from_column(&row.state)?,
                reason: row.state_reason,
                back_lab_at: row.back_lab_at,
                last_seen_at: row.last_seen_at,
                busy,
            })
        })
        .collect()
}
