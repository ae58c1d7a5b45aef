//! Campaigns as the API shows them.

use crate::campaigns::Spec;
use crate::campaigns::state::State;
use crate::ids::{CampaignId, ProjectId};
use crate::store::campaigns::{Campaign, Version};
use crate::store::holds::Hold;
use chrono::{DateTime, Utc};
use jobs::Digest;
use serde::Serialize;
use utoipa::ToSchema;

/// One line of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CampaignLine {
    pub id: CampaignId,
    pub project_id: ProjectId,
    pub name: String,
    pub state: State,
    /// The version that the next round begins with.
    pub version: u32,
    pub finished_reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl From<Campaign> for CampaignLine {
    fn from(campaign: Campaign) -> Self {
        Self {
            id: campaign.id,
            project_id: campaign.project_id,
            name: campaign.name,
            state: campaign.state,
            version: campaign.current_version,
            finished_reason: campaign.finished_reason,
            created_at: campaign.created_at,
        }
    }
}

/// A campaign with its current version.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CampaignRecord {
    #[serde(flatten)]
    pub line: CampaignLine,
    /// Who paused it or drains it, and why.
    pub hold: Option<Hold>,
    pub spec: Spec,
    /// The file as it was written, comments and all.
    pub toml: String,
    pub pool: Digest,
    /// Experiments in the design space.
    pub pool_size: u64,
    pub features: Vec<Digest>,
    pub priors: Vec<Digest>,
}

impl CampaignRecord {
    pub fn of(campaign: Campaign, version: Version, hold: Option<Hold>) -> Self {
        Self {
            line: campaign.into(),
            hold,
            spec: version.spec,
            toml: version.toml,
            pool: version.pool,
            pool_size: version.pool_size,
            features: version.features,
            priors: version.priors,
        }
    }
}
