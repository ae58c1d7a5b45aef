//! What a campaign has asked for: what must not be proposed again, what may, and how much there is.

use super::proposal::experiment;
use crate::ids::{CampaignId, RoundId};
use crate::store::Result;
use crate::store::moved::count;
use jobs::Experiment;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What must not be proposed in this round: measured or given up in the campaign, or removed by people in this round. Batch by
/// batch (`offset 0`): from the proposals on, those of every campaign are gone through.
pub async fn excluded(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
) -> Result<Vec<Experiment>> {
    let rows = sqlx::query!(
        "select distinct perturbation, context
         from round
         join batch on batch.round_id = round.id
         cross join lateral (
             select perturbation, context, fate, status from proposal where proposal.batch_id = batch.id offset 0
         ) as chosen
         where round.campaign_id = $1
           and (fate is not null or (round.id = $2 and status = 'removed'))
         order by perturbation, context",
        campaign.0,
        round.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| experiment(&row.perturbation, row.context)).collect()
}

/// What may be measured again in this round: measured in the campaign, in fewer than `most` rounds, never given up, and
/// not removed by people in this round.
pub async fn repeatable(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
    most: u32,
) -> Result<Vec<Experiment>> {
    let rows = sqlx::query!(
        "select perturbation, context
         from proposal
         join batch on batch.id = proposal.batch_id
         join round on round.id = batch.round_id
         where round.campaign_id = $1
           and (proposal.fate is not null or (round.id = $2 and proposal.status = 'removed'))
         group by perturbation, context
         having count(*) filter (where proposal.fate = 'measured') < $3
            and bool_and(proposal.fate is not distinct from 'measured')
         order by perturbation, context",
        campaign.0,
        round.0,
        i64::from(most)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| experiment(&row.perturbation, row.context)).collect()
}

/// Asked for by other live rounds of the campaign and not yet answered. Batch by batch, as [`excluded`].
pub async fn pending(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
) -> Result<Vec<Experiment>> {
    let rows = sqlx::query!(
        "select distinct perturbation, context
         from round
         join batch on batch.round_id = round.id
         cross join lateral (
             select perturbation, context, fate, status from proposal where proposal.batch_id = batch.id offset 0
         ) as chosen
         where round.campaign_id = $1
           and round.id <> $2
           and round.state not in ('closed', 'cancelled', 'failed')
           and batch.state in ('awaiting_approval', 'approved', 'planned')
           and status = 'selected'
           and fate is null
         order by perturbation, context",
        campaign.0,
        round.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| experiment(&row.perturbation, row.context)).collect()
}

/// How many experiments live rounds of the campaign ask for, and no round has answered yet.
pub async fn asked_for(conn: &mut PgConnection, campaign: CampaignId) -> Result<u64> {
    let asked = sqlx::query_scalar!(
        r#"select count(distinct (perturbation, context)) as "count!"
           from proposal
           join batch on batch.id = proposal.batch_id
           join round on round.id = batch.round_id
           where round.campaign_id = $1
             and round.state not in ('closed', 'cancelled', 'failed')
             and batch.state in ('awaiting_approval', 'approved', 'planned')
             and proposal.status = 'selected'
             and proposal.fate is null
             and not exists (
                 select from proposal as answered
                 join batch as its on its.id = answered.batch_id
                 join round as earlier on earlier.id = its.round_id
                 where answered.perturbation = proposal.perturbation
                   and answered.context = proposal.context
                   and answered.fate is not null
                   and earlier.campaign_id = $1)"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    count(asked).map(u64::from)
}

/// How many proposals are in live batches of the live rounds of each of these campaigns: at least as many as are asked
/// for. A campaign without live batches is left out.
pub async fn in_live_batches(
    conn: &mut PgConnection,
    campaigns: &[CampaignId],
) -> Result<BTreeMap<CampaignId, u64>> {
    if campaigns.is_empty() {
        return Ok(BTreeMap::new());
    }
    let campaigns: Vec<Uuid> = campaigns.iter().map(|campaign| campaign.0).collect();
    let rows = sqlx::query!(
        r#"select round.campaign_id,
               sum(coalesce(batch.selected, (
                   select count(*) from proposal where proposal.batch_id = batch.id)))::bigint as "count!"
           from round
           join batch on batch.round_id = round.id
           where round.campaign_id = any($1)
             and round.state not in ('closed', 'cancelled', 'failed')
             and batch.state in ('awaiting_approval', 'approved', 'planned')
           group by round.campaign_id"#,
        &campaigns
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.campaign_id.into(), count(row.count)?.into()))).collect()
}

/// How many experiments of the campaign have their fate.
pub async fn answered(conn: &mut PgConnection, campaign: CampaignId) -> Result<u64> {
    let answered = sqlx::query_scalar!(
        r#"select count(distinct (perturbation, context)) as "count!"
           from proposal
           join batch on batch.id = proposal.batch_id
           join round on round.id = batch.round_id
           where round.campaign_id = $1 and proposal.fate is not null"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    count(answered).map(u64::from)
}
