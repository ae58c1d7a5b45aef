//! Rejection: a person's no, with a reason. The round proposes anew, without what was excluded.

use super::exclusion::Kind;
use super::{Event, PLAN_DIFFERS_TASK, State};
use crate::ids::{ActorId, BatchId, ProposalId};
use crate::rounds;
use crate::store::approvals::{self, Verdict};
use crate::store::batches::Change;
use crate::store::proposals::{Proposal, Status};
use crate::store::rounds::Round;
use crate::store::{self, Result};
use jobs::Experiment;
use sqlx::PgConnection;

/// What must not come again in this round. Nothing named: none of the batch (a learner that is asked the same
/// again answers the same).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclude {
    /// Of the batch.
    pub proposals: Vec<ProposalId>,
    /// Every experiment with one of these genes in it.
    pub genes: Vec<String>,
    /// Every experiment with a gene that has one of these tags.
    pub tags: Vec<String>,
}

impl Exclude {
    fn names_nothing(&self) -> bool {
        self.proposals.is_empty() && self.genes.is_empty() && self.tags.is_empty()
    }
}

/// How a rejection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    Done,
    NotFound,
    /// Somebody edited it meanwhile: look again.
    RevisionChanged {
        now: u32,
    },
    NotAwaiting {
        state: State,
    },
    /// This actor has spoken on this revision already.
    AlreadyDone,
    /// The round is held: resume it first.
    RoundHeld,
    /// The design space has no such genes, or no gene has such tags.
    Unknown {
        genes: Vec<String>,
        tags: Vec<String>,
    },
}

/// Rejects `revision` of a batch.
pub async fn reject(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    reason: &str,
    exclude: &Exclude,
    actor: ActorId,
) -> Result<Rejected> {
    let mut tx = store::begin(conn).await?;
    let answer = reject_in(&mut tx, id, revision, reason, exclude, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn reject_in(
    conn: &mut PgConnection,
    id: BatchId,
    revision: u32,
    reason: &str,
    exclude: &Exclude,
    actor: ActorId,
) -> Result<Rejected> {
    let Some((mut round, mut batch)) = super::lock(conn, id).await? else { return Ok(Rejected::NotFound) };
    match batch.state {
        State::AwaitingApproval => {}
        State::Rejected => return Ok(Rejected::AlreadyDone),
        state => return Ok(Rejected::NotAwaiting { state }),
    }
    if batch.revision != revision {
        return Ok(Rejected::RevisionChanged { now: batch.revision });
    }
    if matches!(round.state, rounds::State::Held(_)) {
        return Ok(Rejected::RoundHeld);
    }
    if let Some(unknown) = unknown(conn, &round, exclude).await? {
        return Ok(unknown);
    }
    let roles = approvals::roles_of(conn, actor, batch.campaign_id).await?;
    if !approvals::add_verdict(conn, &batch, Verdict::Reject, &roles, Some(reason), actor).await? {
        return Ok(Rejected::AlreadyDone);
    }
    let mut kept: Vec<(Kind, String)> = Vec::new();
    for Proposal { id, status, experiment, .. } in store::proposals::of_batch(conn, id).await? {
        let named = exclude.proposals.contains(&id);
        if status == Status::Selected && (named || exclude.names_nothing()) {
            store::proposals::edit(conn, id, Status::Removed, Some(reason), actor).await?;
        }
        if named {
            let Experiment { perturbation, context } = experiment;
            kept.push((Kind::Experiment, format!("{perturbation}@{}", context.0)));
        }
    }
    kept.extend(exclude.genes.iter().map(|gene| (Kind::Gene, gene.clone())));
    kept.extend(exclude.tags.iter().map(|tag| (Kind::Tag, tag.clone())));
    if exclude.names_nothing() {
        kept.push((Kind::Batch, batch.generation.to_string()));
    }
    store::exclusions::add(conn, &batch, &kept, reason, actor).await?;
    let change = Change {
        closed_reason: Some(reason.to_owned()),
        note: serde_json::json!({"exclude_genes": exclude.genes, "exclude_tags": exclude.tags}),
        ..Change::default()
    };
    store::batches::apply(conn, &mut batch, Event::Rejected, change, actor).await?.must()?;
    store::rounds::apply(conn, &mut round, rounds::Event::BatchRejected, None, actor).await?.must()?;
    store::tasks::close_for(conn, PLAN_DIFFERS_TASK, &id.to_string(), actor).await?;
    Ok(Rejected::Done)
}

/// What is named and not there.
async fn unknown(conn: &mut PgConnection, round: &Round, exclude: &Exclude) -> Result<Option<Rejected>> {
    let (campaign, version) = (round.campaign_id, round.campaign_version);
    let genes = store::genes::unknown(conn, campaign, version, &exclude.genes).await?;
    let tags = store::genes::unknown_tags(conn, campaign, version, &exclude.tags).await?;
    Ok((!genes.is_empty() || !tags.is_empty()).then_some(Rejected::Unknown { genes, tags }))
}
