//! The facts about campaigns.

use super::{jobs, rounds};
use crate::ids::CampaignId;
use crate::store::error::Result;
use crate::store::{self, holds};
use crate::watchdog::Reason;
use crate::watchdog::job::explain as explain_job;
use crate::watchdog::round::{CampaignFacts, explain as explain_round};
use ::jobs::JobId;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// `None`: there is no such campaign. What the calendar says of its next round the caller adds.
pub async fn campaign(conn: &mut PgConnection, id: CampaignId) -> Result<Option<CampaignFacts>> {
    Ok(campaigns(conn, &[id]).await?.remove(&id))
}

/// About each of these that there is, in as many statements as about one.
pub async fn campaigns(
    conn: &mut PgConnection,
    ids: &[CampaignId],
) -> Result<BTreeMap<CampaignId, CampaignFacts>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = store::campaigns::by_ids(conn, ids).await?;
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let holds = holds::of_all(conn, &uuids).await?;
    let mut of_rounds = rounds_of(conn, ids).await?;
    let mut training = training(conn, &uuids).await?;
    let mut ticks = waiting_ticks(conn, &uuids).await?;
    let facts = found.into_iter().map(|campaign| {
        let id = campaign.id;
        let facts = CampaignFacts {
            state: campaign.state,
            hold: holds.get(&id.0).cloned(),
            rounds: of_rounds.remove(&id).unwrap_or_default(),
            jobs: training.remove(&id).unwrap_or_default(),
            tick: ticks.remove(&id),
            next_lab_at: None,
        };
        (id, facts)
    });
    Ok(facts.collect())
}

/// Why the live rounds of each campaign do not move, by number.
async fn rounds_of(
    conn: &mut PgConnection,
    ids: &[CampaignId],
) -> Result<BTreeMap<CampaignId, Vec<(u32, Vec<Reason>)>>> {
    let live = store::rounds::live_of_campaigns(conn, ids).await?;
    let facts = rounds(conn, &live).await?;
    let mut reasons: BTreeMap<CampaignId, Vec<(u32, Vec<Reason>)>> = BTreeMap::new();
    for round in live {
        let Some(facts) = facts.get(&round.id) else { continue };
        reasons.entry(round.campaign_id).or_default().push((round.number, explain_round(facts)));
    }
    Ok(reasons)
}

/// What open trainings of each campaign wait for.
async fn training(conn: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<CampaignId, Vec<Reason>>> {
    let open = sqlx::query!(
        r#"select job.campaign_id as "campaign_id!", job.id
         from job
         left join job_outcome on job_outcome.job_id = job.id
         where job.campaign_id = any($1) and job.kind = 'train' and job_outcome.job_id is null
         order by job.id"#,
        ids
    )
    .fetch_all(&mut *conn)
    .await?;
    let jobs = jobs(conn, &open.iter().map(|row| JobId(row.id)).collect::<Vec<_>>()).await?;
    let mut reasons: BTreeMap<CampaignId, Vec<Reason>> = BTreeMap::new();
    for row in open {
        let of_job = jobs.get(&JobId(row.id)).map(explain_job).unwrap_or_default().into_iter();
        let named = of_job.map(|it| Reason { words: format!("train {}: {}", row.id, it.words), ..it });
        reasons.entry(row.campaign_id.into()).or_default().extend(named);
    }
    Ok(reasons)
}

/// Why the first tick that waits does.
async fn waiting_ticks(conn: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<CampaignId, String>> {
    let rows = sqlx::query!(
        "select distinct on (campaign_id) campaign_id, reason
         from tick
         where campaign_id = any($1) and state = 'waiting'
         order by campaign_id, wall",
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.campaign_id.into(), row.reason)).collect())
}
