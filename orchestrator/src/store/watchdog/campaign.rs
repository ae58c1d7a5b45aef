//! The facts about one campaign.

use super::{job, round};
use crate::ids::CampaignId;
use crate::store::error::Result;
use crate::store::{self, holds};
use crate::watchdog::Reason;
use crate::watchdog::job::explain as explain_job;
use crate::watchdog::round::{CampaignFacts, explain as explain_round};
use jobs::JobId;
use sqlx::PgConnection;

/// `None`: there is no such campaign. What the calendar says of its next round the caller adds.
pub async fn campaign(conn: &mut PgConnection, id: CampaignId) -> Result<Option<CampaignFacts>> {
    let Some(campaign) = store::campaigns::by_id(conn, id).await? else { return Ok(None) };
    let mut rounds = Vec::new();
    for live in store::rounds::of_campaign(conn, id).await? {
        if !live.state.is_terminal()
            && let Some(facts) = round(conn, live.id).await?
        {
            rounds.push((live.number, explain_round(&facts)));
        }
    }
    Ok(Some(CampaignFacts {
        state: campaign.state,
        hold: holds::of(conn, id.0).await?,
        rounds,
        jobs: training(conn, id).await?,
        tick: waiting_tick(conn, id).await?,
        next_lab_at: None,
    }))
}

async fn training(conn: &mut PgConnection, id: CampaignId) -> Result<Vec<Reason>> {
    let open = sqlx::query_scalar!(
        "select job.id
         from job
         left join job_outcome on job_outcome.job_id = job.id
         where job.campaign_id = $1 and job.kind = 'train' and job_outcome.job_id is null
         order by job.id",
        id.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut reasons = Vec::new();
    for open in open {
        let Some(facts) = job(conn, JobId(open)).await? else { continue };
        let of_job = explain_job(&facts).into_iter();
        reasons.extend(of_job.map(|it| Reason { words: format!("train {open}: {}", it.words), ..it }));
    }
    Ok(reasons)
}

async fn waiting_tick(conn: &mut PgConnection, id: CampaignId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select reason from tick where campaign_id = $1 and state = 'waiting' order by wall limit 1",
        id.0
    )
    .fetch_optional(conn)
    .await?)
}
