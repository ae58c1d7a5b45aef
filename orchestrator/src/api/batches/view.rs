//! Batches and proposals as the API shows them.

use super::standing::ApprovalStanding;
use crate::batches::draft::Draft;
use crate::batches::exclusion::Excluded;
use crate::batches::state::State;
use crate::ids::{ActorId, BatchId, CampaignId, ProposalId, RoundId};
use crate::store::approvals::Approval;
use crate::store::batches::Batch;
use crate::store::proposals::{Fate, Origin, Proposal, Status};
use chrono::{DateTime, Utc};
use jobs::work::readout::{self, ReadoutPrediction};
use jobs::{Context, Digest, JobId, Perturbation};
use serde::Serialize;
use utoipa::ToSchema;

/// A batch, its draft plan, and who has spoken on it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchRecord {
    pub id: BatchId,
    pub campaign_id: CampaignId,
    pub campaign: String,
    pub round_id: RoundId,
    pub round: u32,
    pub generation: u32,
    pub state: State,
    /// Moves with each edit; send it as `If-Match`.
    pub revision: u32,
    /// Experiments that are selected.
    pub selected: u32,
    pub layout_seed: u64,
    pub propose_job_id: JobId,
    /// What the batch as a whole is for, and why, in the learner's words; in the record of one batch only, and where
    /// the rule does not say it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Plates, volumes and cost of the plan as it would be now, or why there is none.
    pub draft: Option<Draft>,
    /// Covers content, layout seed and plan digest, once approved.
    pub frozen_hash: Option<Digest>,
    pub closed_reason: Option<String>,
    pub verdicts: Vec<Verdict>,
    /// Who approved the present revision, what is missing, and whether you may.
    pub approval: ApprovalStanding,
    /// What rejections of earlier generations keep out of this round, in words.
    pub excluded: Vec<String>,
    pub created_at: DateTime<Utc>,
}

/// One person's word (or the policy's) on one revision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Verdict {
    pub actor_id: ActorId,
    pub actor: String,
    pub verdict: String,
    pub revision: u32,
    /// Theirs in the campaign's project when they spoke.
    pub roles: Vec<String>,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
}

impl From<Approval> for Verdict {
    fn from(approval: Approval) -> Self {
        Self {
            actor_id: approval.actor_id,
            actor: approval.actor_name,
            verdict: approval.verdict,
            revision: approval.revision,
            roles: approval.roles,
            reason: approval.reason,
            at: approval.at,
        }
    }
}

/// What surrounds a batch in its record.
pub struct Surroundings {
    pub campaign: String,
    pub round: u32,
    pub selected: u32,
    pub verdicts: Vec<Approval>,
    pub approval: ApprovalStanding,
    pub excluded: Vec<Excluded>,
}

impl BatchRecord {
    pub fn of(batch: Batch, around: Surroundings) -> Self {
        Self {
            id: batch.id,
            campaign_id: batch.campaign_id,
            campaign: around.campaign,
            round_id: batch.round_id,
            round: around.round,
            generation: batch.generation,
            state: batch.state,
            revision: batch.revision,
            selected: around.selected,
            layout_seed: batch.layout_seed,
            propose_job_id: batch.propose_job_id,
            explanation: None,
            draft: batch.draft,
            frozen_hash: batch.frozen_hash,
            closed_reason: batch.closed_reason,
            verdicts: around.verdicts.into_iter().map(Into::into).collect(),
            approval: around.approval,
            excluded: around.excluded.iter().map(ToString::to_string).collect(),
            created_at: batch.created_at,
        }
    }
}

/// One experiment of a batch: what is predicted of it, why it was chosen, what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposalRecord {
    pub id: ProposalId,
    pub rank: u32,
    pub origin: Origin,
    pub status: Status,
    pub perturbation: Perturbation,
    pub context: Context,
    /// In the readout's normalised units.
    pub mean: Option<f64>,
    /// What more data would remove.
    pub epistemic_sd: Option<f64>,
    /// What it would not.
    pub aleatoric_sd: Option<f64>,
    pub hit_probability: Option<f64>,
    /// Value of the acquisition function.
    pub score: Option<f64>,
    /// Of further readouts, vectors left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readouts: Vec<ReadoutPrediction>,
    /// Probability that all constraints hold; absent where there are none, or nothing is measured of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feasibility: Option<f64>,
    pub reason: String,
    pub removed_reason: Option<String>,
    pub edited_by: Option<ActorId>,
    pub fate: Option<Fate>,
    pub fate_reason: Option<String>,
}

impl From<Proposal> for ProposalRecord {
    fn from(proposal: Proposal) -> Self {
        let prediction = proposal.prediction;
        Self {
            id: proposal.id,
            rank: proposal.rank,
            origin: proposal.origin,
            status: proposal.status,
            perturbation: proposal.experiment.perturbation,
            context: proposal.experiment.context,
            mean: prediction.map(|it| it.mean),
            epistemic_sd: prediction.map(|it| it.epistemic_sd),
            aleatoric_sd: prediction.map(|it| it.aleatoric_sd),
            hit_probability: prediction.map(|it| it.hit_probability),
            score: proposal.score,
            feasibility: readout::joint(&proposal.readouts),
            readouts: proposal.readouts,
            reason: proposal.reason,
            removed_reason: proposal.removed_reason,
            edited_by: proposal.edited_by,
            fate: proposal.fate,
            fate_reason: proposal.fate_reason,
        }
    }
}
