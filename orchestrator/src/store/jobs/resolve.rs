//! A person looked at a job in doubt and says what happened. What workers say later changes nothing.

use super::create::{self, Dependency, NewJob, Requires};
use super::doubt;
use super::lease::work;
use super::read::state_of;
use super::settle::{self, Consequences, Decided, Ending};
use crate::ids::ActorId;
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use ::jobs::state::{Event, State};
use ::jobs::{Failure, FailureClass, JobId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::time::Duration;
use utoipa::ToSchema;

/// What a person saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It was done, wholly: the loop goes on from there, with what a worker reported where one did.
    Done,
    /// Nothing was done: the same work is ordered again, unless its plate was lost or cancelled meanwhile.
    NotDone,
    /// The plate cannot be used: it is made again.
    PlateLost,
}

/// How a resolution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// `replaced_by`: the job that does the work in its stead.
    Settled { consequences: Consequences, replaced_by: Option<JobId> },
    /// It is not in doubt.
    Refused(State),
    /// It cannot be done while what comes before it is not: say first what became of that.
    ComesAfter(Vec<JobId>),
}

/// Settles a job in doubt, in a transaction of its own.
pub async fn resolve(
    conn: &mut PgConnection,
    job: JobId,
    resolution: Resolution,
    actor: ActorId,
    reason: &str,
) -> Result<Resolved> {
    steps::before(Step::Resolve).await;
    let mut tx = store::begin(conn).await?;
    // Whoever cancels its round, or loses its plate, has that first: what goes on is asked below.
    sqlx::query!("select id from round where id = (select round_id from job where id = $1) for share", job.0)
        .fetch_optional(&mut *tx)
        .await?;
    if doubt::lock(&mut tx, job).await?.is_none() {
        let state = state_of(&mut tx, job).await?.ok_or_else(|| Error::not_found("job", job))?;
        return Ok(Resolved::Refused(state));
    }
    if resolution == Resolution::Done {
        let unsettled = unsettled_before(&mut tx, job).await?;
        if !unsettled.is_empty() {
            return Ok(Resolved::ComesAfter(unsettled));
        }
    }
    let goes_on = !is_for_nothing(&mut tx, job).await?;
    let (event, ending) = match resolution {
        Resolution::Done => {
            (Event::ResolvedDone, Ending::Succeeded { output: reported_output(&mut tx, job).await? })
        }
        Resolution::NotDone => (Event::ResolvedNotDone, Ending::Failed(not_done(goes_on))),
        Resolution::PlateLost => (Event::ResolvedPlateLost, Ending::PlateLost),
    };
    if State::InDoubt.next(event) != Ok(ending.state()) {
        return Err(Error::corrupt("resolution", format!("{event:?} does not end as {:?}", ending.state())));
    }
    doubt::leave(&mut tx, job, actor).await?;
    let mut consequences = Consequences::default();
    let mut replaced_by = None;
    if resolution == Resolution::NotDone && goes_on {
        let (id, ready) = replace(&mut tx, job).await?;
        consequences.absorb(ready);
        replaced_by = Some(id);
    }
    let decided = Decided { actor, as_person: true, reason: Some(reason.to_owned()), replaced_by };
    consequences.absorb(settle::settle(&mut tx, job, &ending, decided).await?);
    steps::commit(tx, Step::Resolve).await?;
    Ok(Resolved::Settled { consequences, replaced_by })
}

/// Jobs that must succeed before this one, and have not ended.
async fn unsettled_before(conn: &mut PgConnection, job: JobId) -> Result<Vec<JobId>> {
    let ids = sqlx::query_scalar!(
        "select depends_on
         from job_dependency
         left join job_outcome on job_outcome.job_id = depends_on
         where job_dependency.job_id = $1 and requires = 'success' and job_outcome.job_id is null
         order by depends_on",
        job.0
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// What a worker brought for it, when one said that it succeeded: volumes and raw files are not lost with the doubt.
pub async fn reported_output(conn: &mut PgConnection, job: JobId) -> Result<Option<serde_json::Value>> {
    let output = sqlx::query_scalar!(
        r#"select job_report.outcome -> 'output' as "output"
         from job_report
         join job on job.id = job_report.job_id
         where job_report.job_id = $1
             and job_report.outcome ->> 'ended' = 'succeeded'
             and job_report.outcome #>> '{output,kind}' = job.kind
         order by job_report.id desc
         limit 1"#,
        job.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(output.flatten())
}

/// Its plate was lost or cancelled meanwhile: what was not done to it is not to be done.
async fn is_for_nothing(conn: &mut PgConnection, job: JobId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from job
             join plate on plate.id = job.plate_id
             where job.id = $1 and plate.state in ('lost', 'cancelled')
         ) as "for_nothing!""#,
        job.0
    )
    .fetch_one(conn)
    .await?)
}

fn not_done(goes_on: bool) -> Failure {
    let message = if goes_on {
        "A person looked and found that it had not been done. Another job does it in its stead."
    } else {
        "A person looked and found that it had not been done. Its plate is over: nobody does it any more."
    };
    Failure::new(FailureClass::NeedsPerson, "job.not_done", message)
}

/// The same work again; whoever waits for the old job waits for the new one, so that nobody fails with it.
async fn replace(conn: &mut PgConnection, old: JobId) -> Result<(JobId, Consequences)> {
    // Against a job that is made to depend on the old one at this moment.
    let row = sqlx::query!(
        "select kind, payload, queue, priority, instrument, max_attempts, campaign_id, round_id, plate_id, resource
         from job
         where id = $1
         for no key update",
        old.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let new = NewJob {
        priority: row.priority,
        instrument: row.instrument,
        by_hand: row.queue == "people",
        max_attempts: u32::try_from(row.max_attempts)
            .map_err(|error| Error::corrupt("max_attempts", error))?,
        campaign_id: row.campaign_id.map(Into::into),
        round_id: row.round_id.map(Into::into),
        plate_id: row.plate_id.map(Into::into),
        resource: row.resource,
        replaces: Some(old),
        dependencies: dependencies(conn, old).await?,
        ..NewJob::new(work(&row.kind, row.payload)?)
    };
    let created = create::create(conn, &new).await?;
    sqlx::query!(
        "update job_dependency
         set depends_on = $2
         where depends_on = $1
             and (
                 exists (select from job_waiting where job_waiting.job_id = job_dependency.job_id)
                 or exists (select from job_in_doubt where job_in_doubt.job_id = job_dependency.job_id)
                 or (requires = 'end' and exists (
                     select from job_outcome
                     where job_outcome.job_id = job_dependency.job_id
                         and state in ('failed', 'cancelled')))
             )",
        old.0,
        new.id.0
    )
    .execute(conn)
    .await?;
    match created {
        create::Created::Created(id, consequences) => Ok((id, consequences)),
        create::Created::Existing(id) => Ok((id, Consequences::default())),
    }
}

async fn dependencies(conn: &mut PgConnection, job: JobId) -> Result<Vec<Dependency>> {
    let rows = sqlx::query!(
        "select depends_on, requires, min_delay_seconds, max_delay_seconds from job_dependency where job_id = $1",
        job.0
    )
    .fetch_all(conn)
    .await?;
    let seconds = |seconds: i64| {
        u64::try_from(seconds).map(Duration::from_secs).map_err(|error| Error::corrupt("delay", error))
    };
    rows.into_iter()
        .map(|row| {
            Ok(Dependency {
                job_id: JobId(row.depends_on),
                requires: if row.requires == "end" { Requires::End } else { Requires::Success },
                min_delay: seconds(row.min_delay_seconds)?,
                max_delay: row.max_delay_seconds.map(seconds).transpose()?,
            })
        })
        .collect()
}
