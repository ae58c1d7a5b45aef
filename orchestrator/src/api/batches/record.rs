//! What surrounds batches in their records, read for all of a page at once: as many statements for a thousand
//! batches as for one.

use super::standing::{ApprovalStanding, Asking};
use super::view::{BatchRecord, Surroundings};
use crate::api::access::Caller;
use crate::api::problem::Problem;
use crate::batches::exclusion::Excluded;
use crate::batches::gates::Gates;
use crate::ids::{BatchId, CampaignId, RoundId};
use crate::store::approvals;
use crate::store::batches::Batch;
use crate::store::campaigns::{self, Campaign};
use crate::store::rounds::{self, Round};
use crate::store::{exclusions, proposals, settlements};
use jobs::JobId;
use jobs::work::Output;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// `batch` with what surrounds it, as `caller` sees it.
pub(super) async fn record(
    conn: &mut PgConnection,
    batch: Batch,
    caller: &Caller,
) -> Result<BatchRecord, Problem> {
    let (id, job) = (batch.id, batch.propose_job_id);
    let record =
        records(conn, vec![batch], caller).await?.pop().ok_or_else(|| Problem::not_found("batch", id))?;
    Ok(BatchRecord { explanation: explanation(conn, job).await?, ..record })
}

/// What the learner said of the whole batch, when it proposed it.
async fn explanation(conn: &mut PgConnection, job: JobId) -> Result<Option<String>, Problem> {
    let output = settlements::load(conn, job).await?.and_then(|settled| settled.output);
    let Some(Output::Propose(result)) = output else { return Ok(None) };
    Ok(Some(result.explanation).filter(|words| !words.is_empty()))
}

/// The same of several, in their order.
pub(super) async fn records(
    conn: &mut PgConnection,
    batches: Vec<Batch>,
    caller: &Caller,
) -> Result<Vec<BatchRecord>, Problem> {
    let gathered = Gathered::around(conn, &batches, caller).await?;
    batches
        .into_iter()
        .map(|batch| {
            let around = gathered.surroundings(&batch, caller)?;
            Ok(BatchRecord::of(batch, around))
        })
        .collect()
}

/// Of the page, by what it belongs to.
struct Gathered {
    rounds: BTreeMap<RoundId, Round>,
    campaigns: BTreeMap<CampaignId, Campaign>,
    gates: Gates,
    selected: BTreeMap<BatchId, u32>,
    excluded: BTreeMap<RoundId, Vec<Excluded>>,
    /// The caller's, by campaign.
    roles: BTreeMap<CampaignId, Vec<String>>,
}

impl Gathered {
    async fn around(conn: &mut PgConnection, batches: &[Batch], caller: &Caller) -> Result<Self, Problem> {
        let ids: Vec<BatchId> = batches.iter().map(|batch| batch.id).collect();
        let uncounted = batches.iter().filter(|batch| batch.selected.is_none());
        let uncounted: Vec<BatchId> = uncounted.map(|batch| batch.id).collect();
        let round_ids: Vec<RoundId> = unique(batches.iter().map(|batch| batch.round_id));
        let campaign_ids: Vec<CampaignId> = unique(batches.iter().map(|batch| batch.campaign_id));
        let rounds = rounds::by_ids(conn, &round_ids).await?;
        let campaigns = campaigns::by_ids(conn, &campaign_ids).await?;
        Ok(Self {
            gates: Gates::read(conn, rounds.iter(), &ids).await?,
            rounds: rounds.into_iter().map(|round| (round.id, round)).collect(),
            campaigns: campaigns.into_iter().map(|campaign| (campaign.id, campaign)).collect(),
            selected: proposals::selected(conn, &uncounted).await?,
            excluded: exclusions::of_rounds(conn, &round_ids).await?,
            roles: approvals::roles_in(conn, caller.id(), &campaign_ids).await?,
        })
    }

    fn surroundings(&self, batch: &Batch, caller: &Caller) -> Result<Surroundings, Problem> {
        let round =
            self.rounds.get(&batch.round_id).ok_or_else(|| Problem::not_found("round", batch.round_id))?;
        let campaign = self
            .campaigns
            .get(&batch.campaign_id)
            .ok_or_else(|| Problem::not_found("campaign", batch.campaign_id))?;
        let gate = self.gates.before(round, batch)?;
        let roles = self.roles.get(&batch.campaign_id).cloned().unwrap_or_default();
        let asking = Asking { caller, roles };
        let before = |it: &&Excluded| it.generation < batch.generation;
        let excluded = self.excluded.get(&batch.round_id).into_iter().flatten().filter(before).cloned();
        let counted = self.selected.get(&batch.id).copied().unwrap_or_default();
        Ok(Surroundings {
            campaign: campaign.name.clone(),
            round: round.number,
            selected: batch.selected.unwrap_or(counted),
            verdicts: self.gates.verdicts(batch.id).to_vec(),
            approval: ApprovalStanding::of(gate, &asking, campaign.project_id, round, batch),
            excluded: excluded.collect(),
        })
    }
}

fn unique<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<BTreeSet<T>>().into_iter().collect()
}
