//! What a round works with: its edition of the campaign, its seeds, what learners are given.

use crate::campaigns::readout::ReadoutSpec;
use crate::rounds::seed;
use crate::store::campaigns::{Campaign, Version};
use crate::store::rounds::Round;
use crate::store::{self, Error, Result};
use jobs::Digest;
use jobs::work::learn::ModelInputs;
use sqlx::PgConnection;
use std::sync::Arc;

/// The edition that the round began with.
pub(super) async fn version_of(conn: &mut PgConnection, round: &Round) -> Result<Arc<Version>> {
    store::campaigns::edition(conn, round.campaign_id, round.campaign_version)
        .await?
        .ok_or_else(|| Error::corrupt("campaign version of a round", round.id))
}

/// The edition that the next round begins with.
pub(super) async fn current_version(conn: &mut PgConnection, campaign: &Campaign) -> Result<Arc<Version>> {
    store::campaigns::edition(conn, campaign.id, campaign.current_version)
        .await?
        .ok_or_else(|| Error::corrupt("current campaign version", campaign.id))
}

/// What a learner needs to build the model again.
pub(super) fn model_inputs(version: &Version, data_cut: Option<Digest>, seed: u64) -> ModelInputs {
    ModelInputs {
        pool: version.pool,
        data_cut,
        features: version.features.clone(),
        priors: version.priors.clone(),
        exclude_prior_groups: version.spec.model.exclude_prior_groups.clone(),
        description: version.spec.model.description.clone(),
        readouts: version.spec.readouts.iter().map(ReadoutSpec::learnt).collect(),
        model: version.spec.model.spec(),
        seed,
    }
}

/// The unique key of the training after round `number` (0: before the first).
pub(super) fn train_key(campaign: &Campaign, number: u32) -> String {
    format!("train:{}:{number}", campaign.id)
}

/// The seed of the training after round `number`.
pub(super) fn train_seed(campaign: &Campaign, number: u32) -> u64 {
    seed::derive(campaign.seed, "train", &[number])
}
