//! Where a campaign stands, for people: round by round.

use crate::ids::{BatchId, CampaignId, RoundId};
use crate::rounds::summary::Summary;
use crate::store::rounds::Round;
use crate::store::{self, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CampaignProgress)]
pub struct Progress {
    pub campaign_id: CampaignId,
    pub name: String,
    pub state: String,
    pub finished_reason: Option<String>,
    /// Rounds of the budget.
    pub rounds_planned: u32,
    /// Experiments that passed QC and were called hits.
    pub hits: u32,
    /// Experiments that passed QC, each once.
    pub passed_qc: u32,
    pub pool_size: u64,
    /// Of the model that proposes next.
    pub promoted_model_version: Option<u32>,
    pub rounds: Vec<RoundProgress>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoundProgress {
    pub round_id: RoundId,
    pub number: u32,
    pub state: String,
    /// Where a held round was.
    pub held_from: Option<String>,
    pub reason_code: Option<String>,
    pub reason: Option<String>,
    pub due_lab_at: DateTime<Utc>,
    /// The batch that waits or is being carried out.
    pub batch_id: Option<BatchId>,
    /// Assay plates by state.
    pub plates: BTreeMap<String, u32>,
    /// Experiments in the live batch, so far: chosen, dispensed, measured, passed QC, hits.
    pub proposed: u32,
    pub dispensed: u32,
    pub measured: u32,
    pub passed_qc: u32,
    /// Of those that passed QC, measured before by another round.
    #[serde(default)]
    pub measured_again: u32,
    pub hits: u32,
    /// Hits of before that are none any more, with what was measured here.
    #[serde(default)]
    pub hits_withdrawn: u32,
    /// Jobs by state, while the round is live; empty once it has ended.
    pub jobs: BTreeMap<String, u32>,
    /// Once it is closed.
    pub summary: Option<Value>,
}

/// What came of one round, in experiments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub proposed: u32,
    pub dispensed: u32,
    pub measured: u32,
    pub passed_qc: u32,
    pub measured_again: u32,
    /// Hits that were none before.
    pub hits: u32,
    pub hits_withdrawn: u32,
}

/// Hits of a campaign, and its experiments that passed QC: each once, whatever round measured it again.
pub fn distinct<'a>(rounds: impl IntoIterator<Item = &'a Counted>) -> (u32, u32) {
    rounds.into_iter().fold((0, 0), |(hits, passed_qc), round| {
        let hits: u32 = hits + round.hits;
        let passed_qc: u32 = passed_qc + round.passed_qc;
        (hits.saturating_sub(round.hits_withdrawn), passed_qc.saturating_sub(round.measured_again))
    })
}

impl From<Summary> for Counted {
    fn from(summary: Summary) -> Self {
        Self {
            proposed: summary.proposed,
            dispensed: summary.dispensed,
            measured: summary.measured,
            passed_qc: summary.passed_qc,
            measured_again: summary.measured_again,
            hits: summary.hits_found,
            hits_withdrawn: summary.hits_withdrawn,
        }
    }
}

impl RoundProgress {
    fn counted(&self) -> Counted {
        let Self { proposed, dispensed, measured, passed_qc, measured_again, hits, hits_withdrawn, .. } =
            *self;
        Counted { proposed, dispensed, measured, passed_qc, measured_again, hits, hits_withdrawn }
    }
}

/// A closed round says it itself: nothing of it changes any more. Any other is counted.
pub async fn counted(conn: &mut PgConnection, round: &Round) -> Result<Counted> {
    let summary = round.summary.clone().and_then(|summary| serde_json::from_value::<Summary>(summary).ok());
    if let Some(summary) = summary {
        return Ok(summary.into());
    }
    let counts = store::accounts::counts(conn, round.id).await?;
    let calls = store::observations::calls(conn, round).await?;
    Ok(Counted {
        proposed: counts.proposed,
        dispensed: counts.dispensed,
        measured: counts.measured,
        passed_qc: counts.passed_qc,
        measured_again: calls.measured_again,
        hits: calls.found,
        hits_withdrawn: calls.withdrawn,
    })
}

/// Reads where the campaign stands; `None` when there is none of this id.
pub async fn progress(conn: &mut PgConnection, id: CampaignId) -> Result<Option<Progress>> {
    let Some(campaign) = store::campaigns::by_id(conn, id).await? else { return Ok(None) };
    let Some(version) = store::campaigns::version(conn, id, campaign.current_version).await? else {
        return Ok(None);
    };
    let rounds = rounds(conn, id).await?;
    let counted = rounds.iter().map(RoundProgress::counted).collect::<Vec<_>>();
    let (hits, passed_qc) = distinct(&counted);
    Ok(Some(Progress {
        campaign_id: id,
        name: campaign.name,
        state: campaign.state.as_str().to_owned(),
        finished_reason: campaign.finished_reason,
        rounds_planned: version.spec.budget.rounds,
        hits,
        passed_qc,
        pool_size: version.pool_size,
        promoted_model_version: store::models::promoted(conn, id).await?.map(|version| version.number),
        rounds,
    }))
}

async fn rounds(conn: &mut PgConnection, id: CampaignId) -> Result<Vec<RoundProgress>> {
    let batches = store::standing::batches(conn, id).await?;
    let mut plates = store::standing::plates(conn, id).await?;
    let mut jobs = store::standing::jobs(conn, id).await?;
    let mut rounds = Vec::new();
    for round in store::rounds::of_campaign(conn, id).await? {
        let counted = counted(conn, &round).await?;
        rounds.push(RoundProgress {
            round_id: round.id,
            number: round.number,
            state: round.state.as_str().to_owned(),
            held_from: round.state.held_from().map(str::to_owned),
            reason_code: round.why.as_ref().map(|why| why.code.clone()),
            reason: round.why.map(|why| why.text),
            due_lab_at: round.due_lab_at,
            batch_id: batches.get(&round.id).copied(),
            plates: plates.remove(&round.id).unwrap_or_default(),
            proposed: counted.proposed,
            dispensed: counted.dispensed,
            measured: counted.measured,
            passed_qc: counted.passed_qc,
            measured_again: counted.measured_again,
            hits: counted.hits,
            hits_withdrawn: counted.hits_withdrawn,
            jobs: jobs.remove(&round.id).unwrap_or_default(),
            summary: round.summary,
        });
    }
    Ok(rounds)
}
