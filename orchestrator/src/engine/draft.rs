//! A waiting batch gets its draft plan; a policy that says so approves it.

use super::inputs::version_of;
use super::laboratory::{Laboratory, chosen};
use super::{Stepped, hold};
use crate::batches::approve::{Approved, approve};
use crate::batches::draft::Draft;
use crate::ids::SYSTEM;
use crate::store::rounds::{Round, Why};
use crate::store::{self, Result};
use sqlx::PgConnection;

/// Drafts the plan of the live batch, or lets the policy approve it.
pub(super) async fn step(conn: &mut PgConnection, round: &mut Round) -> Result<Stepped> {
    let Some(mut batch) = store::batches::live_of_round(conn, round.id).await? else {
        return Ok(Stepped::Nothing);
    };
    let version = version_of(conn, round).await?;
    match &batch.draft {
        None => {
            let proposals = store::proposals::of_batch(conn, batch.id).await?;
            let laboratory = Laboratory::read(conn, &version.spec.bench).await?;
            let planned = laboratory.plan(&version.spec, &chosen(&proposals), batch.layout_seed, 1, 1);
            store::batches::set_draft(conn, &mut batch, Draft::of(&planned)).await?;
            Ok(Stepped::Moved)
        }
        Some(_) if !version.spec.policy.auto_approve => Ok(Stepped::Nothing),
        Some(Draft::Impossible { code, reason }) => {
            let why = Why::new(code, format!("The batch cannot be carried out: {reason}."));
            hold::hold(conn, round, why).await?;
            Ok(Stepped::Moved)
        }
        Some(Draft::Possible { .. }) => {
            let approved = approve(conn, batch.id, batch.revision, SYSTEM).await?;
            Ok(if matches!(approved, Approved::Frozen { .. }) { Stepped::Moved } else { Stepped::Abandoned })
        }
    }
}
