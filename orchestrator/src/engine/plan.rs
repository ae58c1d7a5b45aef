//! An approved batch becomes plates, reservations and jobs: on live inventory, in one transaction. The same
//! plan as approved is carried out; another goes back to the approver with the difference.

use super::commit::{self, Committed};
use super::inputs::version_of;
use super::laboratory::{Laboratory, chosen};
use super::{Stepped, hold};
use crate::batches;
use crate::batches::draft::Draft;
use crate::ids::SYSTEM;
use crate::planning::{Impossible, Plan};
use crate::rounds::Event;
use crate::store::batches::{Batch, Change};
use crate::store::jobs::Consequences;
use crate::store::proposals::Proposal;
use crate::store::rounds::{Round, Why};
use crate::store::{self, Error, Result};
use serde_json::json;
use sqlx::PgConnection;

/// Plans the approved batch.
pub(super) async fn step(
    conn: &mut PgConnection,
    round: &mut Round,
    out: &mut Consequences,
) -> Result<Stepped> {
    let Some(mut batch) = store::batches::live_of_round(conn, round.id).await? else {
        return Err(Error::corrupt("planning round without a batch", round.id));
    };
    if batch.state != batches::State::Approved {
        return Err(Error::corrupt("planning round whose batch is", batch.state.as_str()));
    }
    if !store::reconciliation::gate(conn).await?.is_open {
        // What robots did since a backup decides which plates and volumes there are.
        return Ok(Stepped::Nothing);
    }
    let version = version_of(conn, round).await?;
    store::chains::lock_bench(conn, &version.spec.bench).await?;
    let proposals = store::proposals::of_batch(conn, batch.id).await?;
    let experiments = chosen(&proposals);
    let laboratory = Laboratory::read(conn, &version.spec, &experiments).await?;
    let planned = laboratory.plan(&version.spec, &experiments, batch.layout_seed, 1, 1);
    if let Some(why) = not_approved(conn, round, &batch, &proposals).await? {
        return sent_back(conn, round, &mut batch, planned, why).await;
    }
    match planned {
        Err(impossible) => {
            let why = Why::new(impossible.code(), format!("The batch cannot be carried out: {impossible}."));
            hold::hold(conn, round, why).await?;
            Ok(Stepped::Moved)
        }
        Ok(plan) if Some(plan.digest()) != batch.plan_digest => {
            let why = "The inventory changed since it was approved: the plan is another one.";
            sent_back(conn, round, &mut batch, Ok(plan), why).await
        }
        Ok(plan) => {
            if let Committed::Taken { what } = commit::commit(conn, round, &batch, &plan, out).await? {
                tracing::info!(round = %round.id, what, "taken meanwhile; planning again");
                return Ok(Stepped::Abandoned);
            }
            let change = Change { note: json!({"plates": plan.plates.len()}), ..Change::default() };
            store::batches::apply(conn, &mut batch, batches::Event::Planned, change, SYSTEM).await?.must()?;
            store::rounds::apply(conn, round, Event::PlanCommitted, None, SYSTEM).await?.must()?;
            Ok(Stepped::Moved)
        }
    }
}

/// Why the batch, as it stands, is not what was approved: the gate, asked once more before anything is dispatched.
/// `proposals`: all of the batch, read under the round's lock.
async fn not_approved(
    conn: &mut PgConnection,
    round: &Round,
    batch: &Batch,
    proposals: &[Proposal],
) -> Result<Option<&'static str>> {
    let approved = batch.plan_digest.map(|plan| batches::approve::hash(batch, proposals, plan));
    if approved.is_none() || approved != batch.frozen_hash {
        return Ok(Some("Its content, layout or plan is not what was frozen when it was approved."));
    }
    let open = batches::gate::Gate::read(conn, round, batch).await?.is_open();
    Ok((!open).then_some("The approvals that its policy asks for are not there."))
}

/// Back to the approver, with what was approved beside what would be done now.
async fn sent_back(
    conn: &mut PgConnection,
    round: &mut Round,
    batch: &mut Batch,
    planned: std::result::Result<Plan, Impossible>,
    why: &str,
) -> Result<Stepped> {
    let approved = batch.draft.clone();
    let plan_now = planned.as_ref().ok().map(Plan::digest);
    let note = json!({"why": why, "approved_plan": batch.plan_digest, "plan_now": plan_now});
    let change = Change { note, ..Change::default() };
    store::batches::apply(conn, batch, batches::Event::PlanDiffered, change, SYSTEM).await?.must()?;
    store::batches::set_draft(conn, batch, Draft::of(&planned).beside(approved)).await?;
    let hours = version_of(conn, round).await?.spec.policy.expires_hours;
    store::batches::open_window(conn, batch, hours).await?;
    store::rounds::apply(conn, round, Event::PlanDiffered, None, SYSTEM).await?.must()?;
    let task = store::tasks::NewTask {
        cause: batches::PLAN_DIFFERS_TASK,
        message: format!(
            "Batch {} of round {} is not carried out as approved. {why} Look at the difference and approve again.",
            batch.id, round.number
        ),
        subject: "batch",
        subject_id: batch.id.to_string(),
        campaign_id: Some(round.campaign_id),
    };
    store::tasks::open(conn, &task).await?;
    Ok(Stepped::Moved)
}
