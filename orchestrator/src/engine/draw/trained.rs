//! A training ended: a new model version, judged at the gate; or a person is told.

use crate::engine::{Engine, nothing};
use crate::ids::{CampaignId, SYSTEM};
use crate::models::gate::{self, Verdict};
use crate::models::state::Event;
use crate::steps::{self, Step};
use crate::store::campaigns::Campaign;
use crate::store::models::{ModelVersion, NewModelVersion};
use crate::store::settlements::Settled;
use crate::store::tasks::NewTask;
use crate::store::{self, Error, Result};
use jobs::Work;
use jobs::work::Output;
use jobs::work::learn::{Train, TrainResult};
use sqlx::PgConnection;

// Causes of the tasks that a training opens, each about its campaign.
const CHECKPOINT_MISSING: &str = "model.checkpoint_missing";
const FAILED: &str = "model.training_failed";
const REJECTED: &str = "model.rejected";

pub(super) async fn draw(engine: &Engine, settled: Settled) -> Result<bool> {
    let (Work::Train(asked), Some(campaign)) = (&settled.work, settled.campaign_id) else {
        return Err(Error::corrupt("training", "it belongs to no campaign"));
    };
    steps::before(Step::DrawTrained).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(campaign) = store::campaigns::lock(&mut tx, campaign).await? else { return nothing(tx).await };
    if !store::settlements::take(&mut tx, settled.job_id).await? {
        return nothing(tx).await;
    }
    match &settled.output {
        Some(Output::Train(result)) if has_checkpoint(&mut tx, result).await? => {
            enter(&mut tx, &campaign, &settled, asked, result).await?;
        }
        Some(Output::Train(_)) => {
            tell(
                &mut tx,
                &campaign,
                CHECKPOINT_MISSING,
                "The learner reported a training without leaving its checkpoint. The model in use stays.",
            )
            .await?;
        }
        _ => {
            let why = settled.failure.map_or_else(|| "It was stopped.".to_owned(), |failure| failure.message);
            let message = format!("The model could not be trained: {why} The model in use stays.");
            tell(&mut tx, &campaign, FAILED, &message).await?;
        }
    }
    steps::commit(tx, Step::DrawTrained).await?;
    Ok(true)
}

async fn has_checkpoint(conn: &mut PgConnection, result: &TrainResult) -> Result<bool> {
    Ok(store::blobs::describe(conn, result.checkpoint).await?.is_some())
}

/// Enters the version and judges it against the one in use.
async fn enter(
    conn: &mut PgConnection,
    campaign: &Campaign,
    settled: &Settled,
    asked: &Train,
    result: &TrainResult,
) -> Result<()> {
    let new = NewModelVersion {
        campaign_id: campaign.id,
        checkpoint: result.checkpoint,
        data_cut: asked.inputs.data_cut,
        seed: asked.inputs.seed,
        code_version: &result.code_version,
        metrics: &result.metrics,
        train_job_id: settled.job_id,
    };
    for cause in [CHECKPOINT_MISSING, FAILED] {
        is_over(conn, campaign.id, cause).await?;
    }
    let mut candidate = store::models::insert(conn, &new, SYSTEM).await?;
    let in_use = store::models::promoted(conn, campaign.id).await?;
    let compared = in_use.as_ref().and_then(|version| {
        candidate.metrics.shadows.iter().find(|score| score.checkpoint == version.checkpoint)
    });
    match gate::judge(&candidate.metrics, in_use.as_ref().map(|version| &version.metrics), compared) {
        Verdict::Promote { because } => promote(conn, candidate, in_use, &because).await,
        Verdict::Reject { because } => {
            store::models::apply(conn, &mut candidate, Event::Rejected, &because, SYSTEM).await?.must()?;
            let message = format!(
                "Model version {} was not promoted: {because}. The one in use stays.",
                candidate.number
            );
            tell(conn, campaign, REJECTED, &message).await
        }
    }
}

async fn promote(
    conn: &mut PgConnection,
    mut candidate: ModelVersion,
    in_use: Option<ModelVersion>,
    because: &str,
) -> Result<()> {
    if let Some(mut old) = in_use {
        let retired = format!("version {} was promoted", candidate.number);
        store::models::apply(conn, &mut old, Event::Retired, &retired, SYSTEM).await?.must()?;
    }
    is_over(conn, candidate.campaign_id, REJECTED).await?;
    store::models::apply(conn, &mut candidate, Event::Promoted, because, SYSTEM).await?.must()
}

/// Each time anew: who looks after what went wrong with an earlier training does not know of this one.
async fn tell(conn: &mut PgConnection, campaign: &Campaign, cause: &str, message: &str) -> Result<()> {
    is_over(conn, campaign.id, cause).await?;
    let task = NewTask {
        cause,
        message: message.to_owned(),
        subject: "campaign",
        subject_id: campaign.id.to_string(),
        campaign_id: Some(campaign.id),
    };
    store::tasks::open(conn, &task).await?;
    Ok(())
}

/// Closes the campaign's open task of this cause, if there is one.
async fn is_over(conn: &mut PgConnection, campaign: CampaignId, cause: &str) -> Result<()> {
    store::tasks::close_for(conn, cause, &campaign.to_string(), SYSTEM).await.map(drop)
}
