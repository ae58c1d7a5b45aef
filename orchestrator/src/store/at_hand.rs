//! What the engine may move on, in one question: it is asked in each of its passes, and mostly nothing has changed.

use super::Result;
use crate::ids::{CampaignId, RoundId};
use jobs::JobId;
use sqlx::PgConnection;
use uuid::Uuid;

/// Everything that one pass looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtHand {
    /// Jobs to draw consequences of, with their campaigns: causes before those that failed with them, then oldest first.
    /// Not what a learner answered to a round that is held: it waits with the round, for days perhaps.
    pub settlements: Vec<(JobId, Option<CampaignId>)>,
    /// Rounds that the engine may move, with their campaigns: live, not held, and not only waiting for people or for their
    /// jobs. One whose batch waits for approval has something to do before its plan is drafted, where its policy approves
    /// by itself, and when its time is over; one that is assessed, unless a plate waits in quarantine. One that executes
    /// with jobs open has something to do only when something of it did not succeed: a plate or a job.
    pub rounds: Vec<(RoundId, CampaignId)>,
    /// Active campaigns whose calendar may have something to say: no round is live, a tick waits, or its next look has
    /// come.
    pub campaigns: Vec<CampaignId>,
    /// Something drains, or is held at all.
    pub drains: bool,
    /// Laboratory time moves by jumps.
    pub jumps: bool,
}

/// At most two hundred settlements, and everything else.
///
/// What is asked of a round or a settlement is a scalar question with `limit 1`, or a lateral with `offset 0`: those are
/// answered from indexes, whatever the statistics say; of an `exists` or a join PostgreSQL may make a table of all jobs
/// that there are. It has no arguments: planning it takes milliseconds, and what has none is planned once a connection.
pub async fn read(conn: &mut PgConnection) -> Result<AtHand> {
    let row = sqlx::query!(
        r#"select
             settled.jobs as "jobs!: Vec<Uuid>",
             settled.campaigns as "campaigns_of_jobs!: Vec<Option<Uuid>>",
             moving.rounds as "rounds!: Vec<Uuid>",
             moving.campaigns as "campaigns_of_rounds!: Vec<Uuid>",
             array(
                 select id
                 from campaign
                 where state = 'active'
                   and (calendar_look_lab_at <= lab_now()
                        or (select true
                            from tick
                            where tick.campaign_id = campaign.id and tick.state = 'waiting'
                            limit 1)
                        or (select true
                            from round
                            where round.campaign_id = campaign.id
                              and round.state not in ('closed', 'cancelled', 'failed')
                            limit 1) is null)
                 order by id) as "campaigns!: Vec<Uuid>",
             (exists (select from hold)
                 or exists (select from campaign where state = 'draining')
                 or exists (select from instrument where state = 'draining')) as "drains!",
             (select mode = 'jumping' from lab_clock) as "jumps!"
         from (
             select coalesce(array_agg(job_id order by place), '{}') as jobs,
                 coalesce(array_agg(campaign_id order by place), '{}') as campaigns
             from (
                 select settlement.job_id, job.campaign_id,
                     row_number() over (order by with_another, settled_at, settlement.job_id) as place
                 from settlement
                 cross join lateral (
                     select settled_at, coalesce(failure ->> 'code' = 'job.dependency_failed', false) as with_another
                     from job_outcome
                     where job_outcome.job_id = settlement.job_id
                     offset 0) as outcome
                 cross join lateral (
                     select campaign_id, round_id, kind from job where job.id = settlement.job_id offset 0) as job
                 where job.kind <> 'propose'
                    or (select state from round where round.id = job.round_id) is distinct from 'held'
                 order by place
                 limit 200) as oldest) as settled
         cross join (
             select coalesce(array_agg(id order by id), '{}') as rounds,
                 coalesce(array_agg(campaign_id order by id), '{}') as campaigns
             from round
             where state = 'planning'
                or (state = 'awaiting_approval' and (
                    select true
                    from batch
                    join campaign_version on campaign_version.campaign_id = round.campaign_id
                        and campaign_version.version = round.campaign_version
                    where batch.round_id = round.id
                      and batch.state = 'awaiting_approval'
                      and (batch.draft is null
                        or batch.expires_lab_at <= lab_now()
                        or coalesce((spec -> 'policy' ->> 'auto_approve')::bool, false))
                    limit 1))
                or (state = 'assessing' and (
                    (select true
                     from plate
                     where plate.round_id = round.id and plate.state = 'quarantined'
                     limit 1) is null
                    or (select true
                        from plate
                        where plate.round_id = round.id and plate.state in ('lost', 'rejected')
                        limit 1)))
                or (state in ('proposing', 'executing') and (
                    select true
                    from job
                    left join job_outcome on job_outcome.job_id = job.id
                    left join settlement on settlement.job_id = job.id
                    where job.round_id = round.id
                      and job.kind <> 'train'
                      and (job_outcome.job_id is null or settlement.job_id is not null)
                    limit 1) is null)
                or (state = 'executing' and (
                    select true
                    from plate
                    where plate.round_id = round.id and plate.state in ('lost', 'rejected')
                    limit 1))
                or (state = 'executing' and (
                    select true
                    from job
                    join job_outcome on job_outcome.job_id = job.id
                    where job.round_id = round.id and job_outcome.state <> 'succeeded'
                    limit 1))) as moving"#
    )
    .fetch_one(conn)
    .await?;
    let campaigns_of_jobs = row.campaigns_of_jobs.into_iter().map(|id| id.map(CampaignId));
    let campaigns_of_rounds = row.campaigns_of_rounds.into_iter().map(CampaignId);
    Ok(AtHand {
        settlements: row.jobs.into_iter().map(JobId).zip(campaigns_of_jobs).collect(),
        rounds: row.rounds.into_iter().map(RoundId).zip(campaigns_of_rounds).collect(),
        campaigns: row.campaigns.into_iter().map(CampaignId).collect(),
        drains: row.drains,
        jumps: row.jumps,
    })
}
