//! The worker is about to begin. Only after the answer may anything physical happen.

use super::held::{self, AttemptEnding, Authority, phase};
use super::lease::whole_seconds;
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use ::jobs::state::State;
use ::jobs::wire::HeartbeatAnswer;
use ::jobs::{JobId, LeaseToken};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// Leased becomes running, and the lease is renewed. A repeat changes nothing. A job that is asked to stop
/// does not begin: the answer says so. One that was paused since it was leased is taken back: authority is lost.
pub async fn start(
    conn: &mut PgConnection,
    job: JobId,
    token: LeaseToken,
    duration: Duration,
) -> Result<Authority<HeartbeatAnswer>> {
    let row = sqlx::query!(
        "update lease
         set phase = case phase when 'leased' then 'running' else phase end,
             started_at = case phase when 'leased' then now() else started_at end,
             expires_at = now() + make_interval(secs => $3)
         where job_id = $1 and lease_token = $2 and (phase <> 'leased' or may_begin(job_id, instrument))
         returning phase",
        job.0,
        token.0,
        duration.as_secs_f64()
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return not_begun(conn, job, token).await };
    Ok(Authority::Held(answer(&row.phase, duration)?))
}

/// [`start`] for several at once, in one statement: an answer for each of `asked`, in their order, `None` for those
/// that hold no lease or may not begin now. These changed nothing and are left to [`start`].
///
/// Goes through them in the order of the jobs' ids. Where nothing is held or stopped anywhere and the instrument is in
/// service, nothing can bar a job: only otherwise is that asked for each.
pub async fn start_all(
    conn: &mut PgConnection,
    asked: &[(JobId, LeaseToken)],
    duration: Duration,
) -> Result<Vec<Option<HeartbeatAnswer>>> {
    let mut places: Vec<usize> = (0..asked.len()).collect();
    places.sort_by_key(|&place| asked[place].0);
    let jobs: Vec<Uuid> = places.iter().map(|&place| asked[place].0.0).collect();
    let tokens: Vec<Uuid> = places.iter().map(|&place| asked[place].1.0).collect();
    let rows = sqlx::query!(
        r#"update lease
         set phase = case phase when 'leased' then 'running' else phase end,
             started_at = case phase when 'leased' then now() else started_at end,
             expires_at = now() + make_interval(secs => $3)
         from unnest($1::uuid[], $2::uuid[]) with ordinality as said (job_id, lease_token, place)
         where lease.job_id = said.job_id
             and lease.lease_token = said.lease_token
             and (phase <> 'leased'
                 or (select not exists (select from hold)
                     and not exists (select from laboratory_stop where lifted_at is null))
                     and not exists (
                         select from instrument where name = lease.instrument and state <> 'in_service')
                 or may_begin(lease.job_id, lease.instrument))
         returning said.place as "place!", phase"#,
        &jobs,
        &tokens,
        duration.as_secs_f64()
    )
    .fetch_all(conn)
    .await?;
    let mut answers = vec![None; asked.len()];
    for row in rows {
        let place = usize::try_from(row.place - 1).map_err(|error| Error::corrupt("place", error))?;
        answers[places[place]] = Some(answer(&row.phase, duration)?);
    }
    Ok(answers)
}

fn answer(now: &str, duration: Duration) -> Result<HeartbeatAnswer> {
    Ok(HeartbeatAnswer {
        expires_in_seconds: whole_seconds(duration),
        stop_requested: phase(now)? == State::Stopping,
    })
}

/// The lease is another's or nobody's; or it may not begin now, and goes back to the queue.
async fn not_begun<T>(conn: &mut PgConnection, job: JobId, token: LeaseToken) -> Result<Authority<T>> {
    steps::before(Step::TakeBack).await;
    let mut tx = store::begin(conn).await?;
    let Some(held) = held::take(&mut tx, job, token).await? else { return Ok(Authority::Lost) };
    if held.phase != State::Leased {
        // It moved on between the two looks: asked again, it is answered.
        return Err(Error::Contended(sqlx::Error::RowNotFound));
    }
    held.end_attempt(&mut tx, AttemptEnding::Released, false).await?;
    held.back_to_ready(&mut tx, None).await?;
    steps::commit(tx, Step::TakeBack).await?;
    Ok(Authority::Lost)
}
