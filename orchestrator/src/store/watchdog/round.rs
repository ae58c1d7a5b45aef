//! The facts about rounds.

use super::job::jobs;
use crate::batches;
use crate::batches::gates::Gates;
use crate::ids::{BatchId, RoundId};
use crate::rounds::state::{Stage, State};
use crate::store::batches::Batch;
use crate::store::error::Result;
use crate::store::rounds::Round;
use crate::store::{self, holds};
use crate::watchdog::Reason;
use crate::watchdog::job::explain as explain_job;
use crate::watchdog::round::Facts;
use ::jobs::JobId;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Open jobs of a round looked at; what it waits for is among the first.
const JOBS: i64 = 200;

/// `None`: there is no such round.
pub async fn round(conn: &mut PgConnection, id: RoundId) -> Result<Option<Facts>> {
    let found = store::rounds::by_ids(conn, &[id]).await?;
    Ok(rounds(conn, &found).await?.remove(&id))
}

/// About each of these, in as many statements as about one.
pub async fn rounds(conn: &mut PgConnection, rounds: &[Round]) -> Result<BTreeMap<RoundId, Facts>> {
    if rounds.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<RoundId> = rounds.iter().map(|round| round.id).collect();
    let entered = store::rounds::last_stages(conn, &ids, None).await?;
    let subjects: Vec<Uuid> = rounds.iter().flat_map(|round| [round.id.0, round.campaign_id.0]).collect();
    let holds = holds::of_all(conn, &subjects).await?;
    let mut quarantined = quarantined(conn, &ids).await?;
    let mut jobs = jobs_of(conn, &ids).await?;
    let awaiting = Awaiting::read(conn, rounds).await?;
    rounds
        .iter()
        .map(|round| {
            let waiting = awaiting.batches.get(&round.id).zip(awaiting.gates.as_ref());
            let (expires_lab_at, approvals_missing) = match waiting {
                Some((batch, gates)) => {
                    (batch.expires_lab_at, gates.before(round, batch)?.tally().in_words())
                }
                None => (None, None),
            };
            let facts = Facts {
                state: round.state,
                why: round.why.as_ref().map(|why| (why.code.clone(), why.text.clone())),
                hold: holds.get(&round.id.0).cloned(),
                campaign_hold: holds.get(&round.campaign_id.0).cloned(),
                since: entered.get(&round.id).map(|entry| entry.entered_at),
                expires_lab_at,
                approvals_missing,
                quarantined: quarantined.remove(&round.id).unwrap_or_default(),
                jobs: jobs.remove(&round.id).unwrap_or_default(),
            };
            Ok((round.id, facts))
        })
        .collect()
}

/// Batches that wait for people, by round.
struct Awaiting {
    batches: BTreeMap<RoundId, Batch>,
    /// `None`: there are none.
    gates: Option<Gates>,
}

impl Awaiting {
    async fn read(conn: &mut PgConnection, rounds: &[Round]) -> Result<Self> {
        let awaiting = |round: &&Round| round.state == State::In(Stage::AwaitingApproval);
        let ids: Vec<RoundId> = rounds.iter().filter(awaiting).map(|round| round.id).collect();
        if ids.is_empty() {
            return Ok(Self { batches: BTreeMap::new(), gates: None });
        }
        let live = store::batches::live_of_rounds(conn, &ids).await?;
        let waits = live.into_iter().filter(|batch| batch.state == batches::State::AwaitingApproval);
        let batches: BTreeMap<RoundId, Batch> = waits.map(|batch| (batch.round_id, batch)).collect();
        let ids: Vec<BatchId> = batches.values().map(|batch| batch.id).collect();
        let gates = Gates::read(conn, rounds.iter().filter(awaiting), &ids).await?;
        Ok(Self { batches, gates: Some(gates) })
    }
}

/// Barcodes of plates that wait for a decision.
async fn quarantined(conn: &mut PgConnection, rounds: &[RoundId]) -> Result<BTreeMap<RoundId, Vec<String>>> {
    let rows = sqlx::query!(
        "select round_id, barcode
         from plate
         where round_id = any($1) and state = 'quarantined'
         order by barcode",
        &uuids(rounds)
    )
    .fetch_all(conn)
    .await?;
    let mut barcodes: BTreeMap<RoundId, Vec<String>> = BTreeMap::new();
    for row in rows {
        barcodes.entry(row.round_id.into()).or_default().push(row.barcode);
    }
    Ok(barcodes)
}

fn uuids(rounds: &[RoundId]) -> Vec<Uuid> {
    rounds.iter().map(|round| round.0).collect()
}

/// What a round's jobs wait for that nothing else of it stands before: each reason once, with the job.
async fn jobs_of(conn: &mut PgConnection, rounds: &[RoundId]) -> Result<BTreeMap<RoundId, Vec<Reason>>> {
    let open = sqlx::query!(
        r#"select asked.id as "round_id!", open.id
         from unnest($1::uuid[]) as asked (id)
         cross join lateral (
             select job.id
             from job
             left join job_outcome on job_outcome.job_id = job.id
             left join job_waiting on job_waiting.job_id = job.id
             where job.round_id = asked.id
                 and job.kind <> 'train'
                 and job_outcome.job_id is null
                 and coalesce(job_waiting.unmet, 0) = 0
             order by job.id
             limit $2
         ) as open
         order by open.id"#,
        &uuids(rounds),
        JOBS
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<JobId> = open.iter().map(|row| JobId(row.id)).collect();
    let facts = jobs(conn, &ids).await?;
    let mut reasons: BTreeMap<RoundId, Vec<Reason>> = BTreeMap::new();
    let mut said = BTreeSet::new();
    for row in open {
        let (round, job) = (RoundId(row.round_id), JobId(row.id));
        let Some(facts) = facts.get(&job) else { continue };
        for reason in explain_job(facts) {
            if said.insert((round, reason.code.clone(), reason.words.clone())) {
                let words = format!("{} {job}: {}", facts.kind, reason.words);
                reasons.entry(round).or_default().push(Reason { words, ..reason });
            }
        }
    }
    Ok(reasons)
}
