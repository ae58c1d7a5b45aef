//! A waiting batch gets its draft plan; a policy that says so approves it; one that waited too long is held.

use super::inputs::version_of;
use super::laboratory::{Laboratory, chosen};
use super::{Stepped, hold};
use crate::batches;
use crate::batches::approve::{Approved, approve_by_policy};
use crate::batches::auto::AutoApproval;
use crate::batches::draft::Draft;
use crate::batches::gate::Gate;
use crate::ids::SYSTEM;
use crate::store::batches::{Batch, Change};
use crate::store::campaigns::Version;
use crate::store::rounds::{Round, Why};
use crate::store::tasks::NewTask;
use crate::store::{self, Result};
use serde_json::json;
use sqlx::PgConnection;

/// Drafts the plan of the live batch, lets the policy approve it, or ends its time.
pub(super) async fn step(conn: &mut PgConnection, round: &mut Round) -> Result<Stepped> {
    let Some(mut batch) = store::batches::live_of_round(conn, round.id).await? else {
        return Ok(Stepped::Nothing);
    };
    let version = version_of(conn, round).await?;
    let mut gate = Gate::under(conn, version.spec.policy.clone(), &batch).await?;
    if batch.draft.is_none() {
        draft(conn, &version, &mut batch).await?;
        gate = Gate::under(conn, version.spec.policy.clone(), &batch).await?;
        if gate.auto_approval(&batch) != Some(AutoApproval::Approves) {
            return Ok(Stepped::Moved);
        }
    }
    match (&batch.draft, gate.auto_approval(&batch)) {
        (Some(_), Some(AutoApproval::Approves)) => {
            let approved = approve_by_policy(conn, round, &mut batch, gate).await?;
            Ok(if matches!(approved, Approved::Frozen { .. }) { Stepped::Moved } else { Stepped::Abandoned })
        }
        (Some(Draft::Impossible { code, reason }), _)
            if gate.policy.auto_approve && gate.editors.is_empty() =>
        {
            let why = Why::new(code, format!("The batch cannot be carried out: {reason}."));
            hold::hold(conn, round, why).await?;
            Ok(Stepped::Moved)
        }
        _ if gate.time_over(&batch).is_some() => expire(conn, round, &mut batch, &gate).await,
        _ => Ok(Stepped::Nothing),
    }
}

async fn draft(conn: &mut PgConnection, version: &Version, batch: &mut Batch) -> Result<()> {
    let proposals = store::proposals::of_batch(conn, batch.id).await?;
    let experiments = chosen(&proposals);
    let laboratory = Laboratory::read(conn, &version.spec, &experiments).await?;
    let draft = Draft::of(&laboratory.plan(&version.spec, &experiments, batch.layout_seed, 1, 1));
    if store::batches::was_shown_another(conn, batch, &draft).await? {
        another_plan(conn, batch).await?;
    }
    store::batches::set_draft(conn, batch, draft).await
}

/// What was said of this revision was said of another plan: it is another revision.
async fn another_plan(conn: &mut PgConnection, batch: &mut Batch) -> Result<()> {
    let verdicts = store::approvals::verdicts(conn, batch.id).await?;
    let lost = verdicts.iter().filter(|verdict| verdict.approves(batch.revision)).count();
    let why = "The stock changed while it waited: the plan is another one.";
    let change = Change { note: json!({"why": why, "approvals_lost": lost}), ..Change::default() };
    store::batches::apply(conn, batch, batches::Event::PlanDiffered, change, SYSTEM).await?.must()?;
    if lost == 0 {
        return Ok(());
    }
    let task = NewTask {
        cause: batches::PLAN_DIFFERS_TASK,
        message: format!("Batch {} was approved by {lost}, and has to be anew. {why}", batch.id),
        subject: "batch",
        subject_id: batch.id.to_string(),
        campaign_id: Some(batch.campaign_id),
    };
    store::tasks::open(conn, &task).await.map(drop)
}

/// What was said of this revision no longer counts, and the round waits for somebody to look again.
async fn expire(
    conn: &mut PgConnection,
    round: &mut Round,
    batch: &mut Batch,
    gate: &Gate,
) -> Result<Stepped> {
    let hours = gate.policy.expires_hours.unwrap_or_default();
    let missing = gate.tally().in_words().unwrap_or_else(|| "nobody".to_owned());
    store::batches::apply(conn, batch, batches::Event::Expired, Change::default(), SYSTEM).await?.must()?;
    let text = format!(
        "Its batch was not approved within {hours} laboratory hours (missing: {missing}). Resume the round to \
         have it looked at anew for as long, or cancel the round."
    );
    hold::hold(conn, round, Why::new(batches::EXPIRED, text)).await?;
    Ok(Stepped::Moved)
}
