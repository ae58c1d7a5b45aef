//! What waits, since when; and what people were told of it.

use crate::ids::CampaignId;
use crate::rounds::control::HELD_TASK;
use crate::store::error::{Error, Result};
use crate::watchdog::standstill::{Subject, Waiting};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Ready jobs looked at, the longest ready first: a queue of a million that nobody works at is told by these.
const MOST_READY: i64 = 1000;

/// Everything that waits and has a deadline of its own, with its state's word. Of what became ready within a minute
/// nothing: no deadline is as short.
pub async fn waits(conn: &mut PgConnection) -> Result<Vec<Waiting>> {
    let rows = sqlx::query!(
        r#"select 'job' as "subject!", job.id::text as "id!", 'ready' as "state!", job.campaign_id, job_ready.since as "since!",
             false as "own_deadline_passed!",
             exists (select from job_barred where job_barred.job_id = job.id)
                 or (job.queue in ('bench', 'people') and exists (select from laboratory_stop where lifted_at is null))
                 or (retry_at > now()) is true as "held!",
             false as "has_task!"
         from (
             select job_id, since, retry_at
             from job_ready
             where since < now() - interval '1 minute'
             order by since
             limit $1
         ) as job_ready
         join job on job.id = job_ready.job_id
         union all
         select 'job', job.id::text, phase, job.campaign_id,
             case when phase = 'stopping' then coalesce(stop_asked_at, started_at, leased_at)
                 else coalesce(started_at, leased_at) end, false, false, false
         from lease
         join job on job.id = lease.job_id
         union all
         select 'job', job.id::text, 'in_doubt', job.campaign_id, since, false, false, false
         from job_in_doubt
         join job on job.id = job_in_doubt.job_id
         union all
         select 'job', job_waiting.job_id::text, 'waiting', job.campaign_id,
             -- By a real clock it is due since its time came; one that jumps takes no time over it.
             greatest(
                 coalesce((select max(settled_at) from job_dependency
                           join job_outcome on job_outcome.job_id = depends_on
                           where job_dependency.job_id = job_waiting.job_id), job.created_at),
                 case lab_clock.mode when 'real' then not_before_lab_at end),
             false, false, false
         from job_waiting
         join job on job.id = job_waiting.job_id
         cross join lab_clock
         where unmet = 0 and (not_before_lab_at is null or not_before_lab_at < lab_now())
         union all
         select 'round', round.id::text, case when held_from is null then round.state else 'held' end, campaign_id,
             coalesce((select max(entered_at) from round_stage where round_id = round.id), round.created_at), false,
             exists (select from hold where subject_id in (round.id, round.campaign_id)),
             exists (select from task where cause = $2 and task.subject_id = round.id::text and closed_at is null)
         from round
         where round.state not in ('closed', 'cancelled', 'failed')
         union all
         select 'batch', batch.id::text, batch.state, round.campaign_id, batch.created_at,
             coalesce(batch.expires_lab_at < lab_now(), false), round.state = 'held', false
         from batch
         join round on round.id = batch.round_id
         where batch.state in ('awaiting_approval', 'approved')
         union all
         select 'campaign', campaign.id::text, campaign.state, campaign.id,
             coalesce((select ordered_at from hold where subject_id = campaign.id), created_at), false, false, false
         from campaign
         where state = 'paused'
         union all
         select 'model', id::text, state, campaign_id, created_at, false, false, false
         from model_version
         where state = 'candidate'
         union all
         select 'instrument', name, state, null, state_since, coalesce(back_lab_at < lab_now(), false), false, false
         from instrument
         where state in ('draining', 'maintenance')"#,
        MOST_READY,
        HELD_TASK
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Waiting {
                subject: Subject::from_word(&row.subject)
                    .ok_or_else(|| Error::corrupt("standstill subject", &row.subject))?,
                id: row.id,
                state: row.state,
                campaign_id: row.campaign_id.map(CampaignId),
                since: row.since,
                own_deadline_passed: row.own_deadline_passed,
                held: row.held,
                has_task: row.has_task,
            })
        })
        .collect()
}

/// What people were told stands still.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    pub subject: String,
    pub id: String,
    pub state: String,
}

pub async fn known(conn: &mut PgConnection) -> Result<Vec<Known>> {
    Ok(sqlx::query_as!(
        Known,
        "select subject, subject_id as id, state from standstill order by subject, subject_id"
    )
    .fetch_all(conn)
    .await?)
}

/// Keeps that it stands still; `false` when that was kept before: another told it.
pub async fn notice(conn: &mut PgConnection, waiting: &Waiting) -> Result<bool> {
    let kept = sqlx::query!(
        "insert into standstill (subject, subject_id, state, campaign_id, since)
         values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        waiting.subject.as_str(),
        waiting.id,
        waiting.state,
        waiting.campaign_id.map(|id| id.0),
        waiting.since
    )
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// It moves again: when it was kept, and its campaign; `None` when another process saw it first.
pub async fn forget(
    conn: &mut PgConnection,
    known: &Known,
) -> Result<Option<(Option<CampaignId>, DateTime<Utc>)>> {
    let row = sqlx::query!(
        "delete from standstill where subject = $1 and subject_id = $2 returning campaign_id, noticed_at",
        known.subject,
        known.id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.campaign_id.map(CampaignId), row.noticed_at)))
}
