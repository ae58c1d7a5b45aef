//! The service's steps by name, each with the moments at which a test may kill something ([`jobs::crash`]).
//!
//! A step is one transaction: *before* nothing is written, *during* all is written and not committed, *after*
//! it is committed and nobody has heard. What is one statement has no *during*. `tests/it/steps.rs` finds
//! transactions of the engine and of the queue that do not end through [`commit`].

use crate::rounds::state::Stage;
use jobs::crash::{self, Moment};
use sqlx::{Postgres, Transaction};

jobs::steps! {
    /// What `loopwright serve` does.
    pub enum Step {
        Start = "engine.start" [Before, During, After],
        Propose = "engine.propose" [Before, During, After],
        Draft = "engine.draft" [Before, During, After],
        Plan = "engine.plan" [Before, During, After],
        Execute = "engine.execute" [Before, During, After],
        Close = "engine.close" [Before, During, After],
        Repeat = "engine.repeat" [Before, During, After],
        Hold = "engine.hold" [Before, During, After],
        DrawTrained = "engine.draw_trained" [Before, During, After],
        DrawProposed = "engine.draw_proposed" [Before, During, After],
        DrawPhysical = "engine.draw_physical" [Before, During, After],
        DrawPredicted = "engine.draw_predicted" [Before, During, After],
        DrawManual = "engine.draw_manual" [Before, During, After],
        Jump = "engine.jump" [Before, During, After],
        Relay = "engine.relay" [Before, During, After],
        ClaimDeliveries = "engine.claim_deliveries" [Before, During, After],
        EndDelivery = "engine.end_delivery" [Before, During, After],
        Escalate = "engine.escalate" [Before, During, After],
        WarnOfExpiry = "engine.warn_of_expiry" [Before, During, After],
        WatchAgents = "engine.watch_agents" [Before, During, After],
        WatchStandstills = "engine.watch_standstills" [Before, During, After],
        MindReconciliation = "engine.mind_reconciliation" [Before, During, After],
        Drain = "engine.drain" [Before, During, After],
        ClearStray = "engine.clear_stray" [Before, During, After],
        Reap = "queue.reap" [Before, During, After],
        Promote = "queue.promote" [Before, During, After],
        Seal = "queue.seal" [Before, During, After],
        Lease = "queue.lease" [Before, After],
        StartJob = "queue.start" [Before, After],
        TakeBack = "queue.take_back" [Before, During, After],
        KeepOrphan = "queue.keep_orphan" [Before, During, After],
        Heartbeat = "queue.heartbeat" [Before, After],
        Release = "queue.release" [Before, During, After],
        TakeByHand = "queue.take_by_hand" [Before, During, After],
        GiveBack = "queue.give_back" [Before, During, After],
        Report = "queue.report" [Before, During, After],
        Resolve = "queue.resolve" [Before, During, After],
        StopJob = "queue.stop" [Before, During, After],
        StopRound = "queue.stop_round" [Before, During, After],
        PutBlob = "api.put_blob" [Before, After],
        CreateCampaign = "api.create_campaign" [Before, During, After],
        ImportLibrary = "api.import_library" [Before, During, After],
        ImportAssayPlates = "api.import_assay_plates" [Before, During, After],
        Approve = "api.approve" [Before, During, After],
        ResumeRound = "api.resume_round" [Before, During, After],
        DecidePlate = "api.decide_plate" [Before, During, After],
    }
}

impl Step {
    /// The step that moves a round on which is in `stage`.
    pub fn of_stage(stage: Stage) -> Self {
        match stage {
            Stage::Proposing => Self::Propose,
            Stage::AwaitingApproval => Self::Draft,
            Stage::Planning => Self::Plan,
            Stage::Executing => Self::Execute,
            Stage::Assessing => Self::Close,
        }
    }

    /// The step that a person's command is, by its route; of most there is nothing to be said here that
    /// is not said of these.
    pub fn of_route(route: &str) -> Option<Self> {
        Some(match route {
            "POST /campaigns" => Self::CreateCampaign,
            "POST /inventory/library" => Self::ImportLibrary,
            "POST /inventory/assay-plates" => Self::ImportAssayPlates,
            "POST /batches/{id}/approve" => Self::Approve,
            "POST /rounds/{id}/resume" => Self::ResumeRound,
            "POST /plates/{id}/decide" => Self::DecidePlate,
            _ => return None,
        })
    }
}

/// Nothing of `step` is done.
pub async fn before(step: Step) {
    crash::point(step, Moment::Before).await;
}

/// All of `step` is done, and nobody has heard.
pub async fn after(step: Step) {
    crash::point(step, Moment::After).await;
}

/// Commits what `step` has written.
pub async fn commit(tx: Transaction<'_, Postgres>, step: Step) -> sqlx::Result<()> {
    crash::point(step, Moment::During).await;
    tx.commit().await?;
    crash::point(step, Moment::After).await;
    Ok(())
}
