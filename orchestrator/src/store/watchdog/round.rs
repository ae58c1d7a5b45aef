//! The facts about one round.

use super::job::job;
use crate::batches;
use crate::batches::gate::Gate;
use crate::ids::RoundId;
use crate::rounds::state::{Stage, State};
use crate::store::error::Result;
use crate::store::{self, holds};
use crate::watchdog::Reason;
use crate::watchdog::job::explain as explain_job;
use crate::watchdog::round::Facts;
use jobs::JobId;
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Open jobs looked at; what a round waits for is among the first.
const JOBS: i64 = 200;

/// `None`: there is no such round.
pub async fn round(conn: &mut PgConnection, id: RoundId) -> Result<Option<Facts>> {
    let Some(round) = store::rounds::by_id(conn, id).await? else { return Ok(None) };
    let entered = store::rounds::stages(conn, id).await?.last().map(|entry| entry.entered_at);
    let mut facts = Facts {
        state: round.state,
        why: round.why.as_ref().map(|why| (why.code.clone(), why.text.clone())),
        hold: holds::of(conn, id.0).await?,
        campaign_hold: holds::of(conn, round.campaign_id.0).await?,
        since: entered,
        expires_lab_at: None,
        approvals_missing: None,
        quarantined: quarantined(conn, id).await?,
        jobs: Vec::new(),
    };
    if round.state == State::In(Stage::AwaitingApproval)
        && let Some(batch) = store::batches::live_of_round(conn, id).await?
        && batch.state == batches::State::AwaitingApproval
    {
        facts.expires_lab_at = batch.expires_lab_at;
        let gate = Gate::read(conn, &round, &batch).await?;
        facts.approvals_missing = gate.tally().in_words();
    }
    facts.jobs = jobs_of(conn, id).await?;
    Ok(Some(facts))
}

async fn quarantined(conn: &mut PgConnection, id: RoundId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select barcode from plate where round_id = $1 and state = 'quarantined' order by barcode",
        id.0
    )
    .fetch_all(conn)
    .await?)
}

/// What the round's jobs wait for that nothing else of it stands before: each reason once, with the job.
async fn jobs_of(conn: &mut PgConnection, id: RoundId) -> Result<Vec<Reason>> {
    let open = sqlx::query_scalar!(
        "select job.id
         from job
         left join job_outcome on job_outcome.job_id = job.id
         left join job_waiting on job_waiting.job_id = job.id
         where job.round_id = $1
             and job.kind <> 'train'
             and job_outcome.job_id is null
             and coalesce(job_waiting.unmet, 0) = 0
         order by job.id
         limit $2",
        id.0,
        JOBS
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut reasons = Vec::new();
    let mut said = BTreeSet::new();
    for open in open {
        let Some(facts) = job(conn, JobId(open)).await? else { continue };
        for reason in explain_job(&facts) {
            if said.insert((reason.code.clone(), reason.words.clone())) {
                let words = format!("{} {open}: {}", facts.kind, reason.words);
                reasons.push(Reason { words, ..reason });
            }
        }
    }
    Ok(reasons)
}
