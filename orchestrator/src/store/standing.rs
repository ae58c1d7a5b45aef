//! How the rounds of a campaign stand, all of them at once: what is counted for one page is counted in one statement,
//! however many rounds there are.

use super::Result;
use super::moved::count;
use crate::ids::{BatchId, CampaignId, RoundId};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Something counted by state, for each round that has any.
pub type ByState = BTreeMap<RoundId, BTreeMap<String, u32>>;

/// The live batch of each round that has one.
pub async fn batches(conn: &mut PgConnection, campaign: CampaignId) -> Result<BTreeMap<RoundId, BatchId>> {
    let rows = sqlx::query!(
        "select batch.round_id, batch.id
         from batch
         join round on round.id = batch.round_id
         where round.campaign_id = $1 and batch.state in ('awaiting_approval', 'approved', 'planned')",
        campaign.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (RoundId(row.round_id), BatchId(row.id))).collect())
}

/// Assay plates.
pub async fn plates(conn: &mut PgConnection, campaign: CampaignId) -> Result<ByState> {
    let rows = sqlx::query!(
        r#"select plate.round_id, plate.state, count(*) as "count!"
           from plate
           join round on round.id = plate.round_id
           where round.campaign_id = $1
           group by plate.round_id, plate.state"#,
        campaign.0
    )
    .fetch_all(conn)
    .await?;
    by_state(rows.into_iter().map(|row| (row.round_id, row.state, row.count)))
}

/// Jobs of rounds that are live: an ended round has thousands that are done, and they are counted nowhere.
pub async fn jobs(conn: &mut PgConnection, campaign: CampaignId) -> Result<ByState> {
    let rows = sqlx::query!(
        r#"select job.round_id as "round_id!", job_state.state as "state!", count(*) as "count!"
           from round
           join job on job.round_id = round.id
           join job_state on job_state.job_id = job.id
           where round.campaign_id = $1 and round.state not in ('closed', 'cancelled', 'failed')
           group by 1, 2"#,
        campaign.0
    )
    .fetch_all(conn)
    .await?;
    by_state(rows.into_iter().map(|row| (row.round_id, row.state, row.count)))
}

fn by_state(rows: impl Iterator<Item = (uuid::Uuid, String, i64)>) -> Result<ByState> {
    let mut rounds = ByState::new();
    for (round, state, number) in rows {
        rounds.entry(RoundId(round)).or_default().insert(state, count(number)?);
    }
    Ok(rounds)
}
