//! The facts about jobs.

use crate::store::error::{Error, Result};
use crate::store::holds::{Manner, Subject};
use crate::store::instruments::InstrumentState;
use crate::store::laboratory;
use crate::watchdog::job::{Bar, Busy, Facts, HeldBy, InstrumentFacts, Stop, Upstream};
use chrono::{DateTime, Utc};
use jobs::JobId;
use jobs::state::State;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// `None`: there is no such job.
pub async fn job(conn: &mut PgConnection, id: JobId) -> Result<Option<Facts>> {
    Ok(jobs(conn, &[id]).await?.remove(&id))
}

/// About each of these that there is, in as many statements as about one.
pub async fn jobs(conn: &mut PgConnection, ids: &[JobId]) -> Result<BTreeMap<JobId, Facts>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = rows(conn, &ids).await?;
    let mut bars = bars(conn, &ids).await?;
    let mut upstream = upstream(conn, &ids).await?;
    let instruments = instruments(conn, &rows).await?;
    let begun = if instruments.iter().any(|it| it.facts.state == InstrumentState::Draining) {
        begun(conn, &rows).await?
    } else {
        // Nobody asks.
        BTreeSet::new()
    };
    let stop = laboratory::open(conn).await?.map(|it| Stop {
        by: it.ordered_by,
        reason: it.reason,
        since: it.ordered_at,
    });
    rows.into_iter()
        .map(|row| {
            let id = JobId(row.id);
            let held_by = match (row.worker, row.expires_at) {
                (Some(worker), Some(expires_at)) => {
                    Some(HeldBy { worker, expires_at, progress: row.progress })
                }
                _ => None,
            };
            let beside =
                instruments.iter().filter(|it| it.may_do(row.instrument.as_deref(), &row.capability));
            let facts = Facts {
                bars: bars.remove(&id).unwrap_or_default(),
                upstream: upstream.remove(&id).unwrap_or_default(),
                stop: stop.clone().filter(|_| matches!(row.queue.as_str(), "bench" | "people")),
                instruments: beside.map(|it| it.facts.clone()).collect(),
                kind: row.kind,
                state: state(&row.state)?,
                queue: row.queue,
                capability: row.capability,
                instrument: row.instrument,
                plate_begun: row.plate_id.is_some_and(|plate| begun.contains(&plate)),
                since: Some(row.since),
                not_before_lab_at: row.not_before_lab_at,
                deadline_lab_at: row.deadline_lab_at,
                retry_at: row.retry_at,
                now: row.now,
                lab_now: row.lab_now,
                learner_seen_at: row.learner_seen_at,
                held_by,
            };
            Ok((id, facts))
        })
        .collect()
}

struct Row {
    id: Uuid,
    state: String,
    kind: String,
    queue: String,
    capability: String,
    instrument: Option<String>,
    plate_id: Option<Uuid>,
    since: DateTime<Utc>,
    not_before_lab_at: Option<DateTime<Utc>>,
    deadline_lab_at: Option<DateTime<Utc>>,
    retry_at: Option<DateTime<Utc>>,
    worker: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    progress: Option<String>,
    learner_seen_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    lab_now: DateTime<Utc>,
}

async fn rows(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Row>> {
    Ok(sqlx::query_as!(
        Row,
        r#"select job.id as "id!", job_state.state as "state!", job.kind as "kind!", job.queue as "queue!",
             job.capability as "capability!", job.instrument, job.plate_id,
             coalesce(lease.started_at, lease.leased_at, job_in_doubt.since, job_ready.since, job.created_at) as "since!",
             job_waiting.not_before_lab_at as "not_before_lab_at?",
             coalesce(job_waiting.deadline_lab_at, job_ready.deadline_lab_at, lease.deadline_lab_at) as deadline_lab_at,
             job_ready.retry_at as "retry_at?", actor.name as "worker?", lease.expires_at as "expires_at?",
             lease.progress ->> 'message' as progress,
             (select max(last_used_at) from api_token
              where 'work:learn' = any(scopes) and revoked_at is null) as learner_seen_at,
             now() as "now!", lab_now() as "lab_now!"
         from job
         join job_state on job_state.job_id = job.id
         left join job_waiting on job_waiting.job_id = job.id
         left join job_ready on job_ready.job_id = job.id
         left join lease on lease.job_id = job.id
         left join actor on actor.id = lease.worker
         left join job_in_doubt on job_in_doubt.job_id = job.id
         where job.id = any($1)"#,
        ids
    )
    .fetch_all(conn)
    .await?)
}

async fn bars(conn: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<JobId, Vec<Bar>>> {
    let rows = sqlx::query!(
        r#"select job_id as "job_id!", subject as "subject!", manner as "manner!", reason as "reason!",
             actor.name as by, ordered_at as "ordered_at!"
         from job_barred
         join actor on actor.id = job_barred.ordered_by
         where job_id = any($1)
         order by ordered_at"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    let mut bars: BTreeMap<JobId, Vec<Bar>> = BTreeMap::new();
    for row in rows {
        bars.entry(JobId(row.job_id)).or_default().push(Bar {
            subject: Subject::from_column(&row.subject)?,
            manner: Manner::from_column(&row.manner)?,
            reason: row.reason,
            by: row.by,
            since: row.ordered_at,
        });
    }
    Ok(bars)
}

/// What each waits for: jobs that have not ended, and those that ended badly on a place that is not known to be clear.
async fn upstream(conn: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<JobId, Vec<Upstream>>> {
    let rows = sqlx::query!(
        r#"select job_dependency.job_id as waits, job.id, job.kind, job_state.state as "state!",
             plate.barcode as "plate?",
             case when resource_held.job_id is not null then job.resource end as place_held
         from job_dependency
         join job on job.id = job_dependency.depends_on
         join job_state on job_state.job_id = job.id
         left join plate on plate.id = job.plate_id
         left join resource_held on resource_held.job_id = job.id and job_dependency.requires = 'end'
         where job_dependency.job_id = any($1)
             and (job_state.state not in ('succeeded', 'failed', 'cancelled', 'plate_lost')
                 or resource_held.job_id is not null)
         order by job.id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    let mut upstream: BTreeMap<JobId, Vec<Upstream>> = BTreeMap::new();
    for row in rows {
        upstream.entry(JobId(row.waits)).or_default().push(Upstream {
            id: JobId(row.id),
            kind: row.kind,
            state: state(&row.state)?,
            plate: row.plate,
            place_held: row.place_held,
        });
    }
    Ok(upstream)
}

fn state(word: &str) -> Result<State> {
    let state = State::ALL.into_iter().find(|state| state.as_str() == word);
    state.ok_or_else(|| Error::corrupt("job state", word))
}

/// Of the plates of these jobs, those of which some step has begun.
async fn begun(conn: &mut PgConnection, rows: &[Row]) -> Result<BTreeSet<Uuid>> {
    let plates: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.plate_id).collect();
    let plates: Vec<Uuid> = plates.into_iter().collect();
    let begun = sqlx::query_scalar!(
        r#"select id as "id!" from unnest($1::uuid[]) as plate (id) where plate_begun(id)"#,
        &plates
    )
    .fetch_all(conn)
    .await?;
    Ok(begun.into_iter().collect())
}

/// One instrument, and what it is able to do.
struct Able {
    capabilities: Vec<String>,
    facts: InstrumentFacts,
}

impl Able {
    /// It is the one that a job is addressed to, or one of those with the capability when it is to none.
    fn may_do(&self, addressed: Option<&str>, capability: &str) -> bool {
        match addressed {
            Some(name) => self.facts.name == name,
            None => self.capabilities.iter().any(|able| able == capability),
        }
    }
}

/// Those that these jobs are addressed to, and those that can do what is addressed to none; by name.
async fn instruments(conn: &mut PgConnection, jobs: &[Row]) -> Result<Vec<Able>> {
    let addressed: BTreeSet<String> = jobs.iter().filter_map(|job| job.instrument.clone()).collect();
    let to_any = jobs.iter().filter(|job| job.instrument.is_none());
    let capabilities: BTreeSet<String> = to_any.map(|job| job.capability.clone()).collect();
    let rows = sqlx::query!(
        r#"select instrument.name, instrument.capabilities, instrument.state, state_reason, back_lab_at, last_seen_at,
             busy.job_id as "busy_job?", busy.kind as "busy_kind?", busy.barcode as "busy_plate?",
             busy.since as "busy_since?"
         from instrument
         left join (
             select distinct on (lease.instrument) lease.instrument, lease.job_id, job.kind, plate.barcode,
                 coalesce(lease.started_at, lease.leased_at) as since
             from lease
             join job on job.id = lease.job_id
             left join plate on plate.id = job.plate_id
             where lease.instrument is not null
             order by lease.instrument, lease.leased_at
         ) as busy on busy.instrument = instrument.name
         where instrument.name = any($1) or instrument.capabilities && $2
         order by instrument.name"#,
        &addressed.into_iter().collect::<Vec<String>>(),
        &capabilities.into_iter().collect::<Vec<String>>()
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
            let facts = InstrumentFacts {
                name: row.name,
                state: InstrumentState::from_column(&row.state)?,
                reason: row.state_reason,
                back_lab_at: row.back_lab_at,
                last_seen_at: row.last_seen_at,
                busy,
            };
            Ok(Able { capabilities: row.capabilities, facts })
        })
        .collect()
}
