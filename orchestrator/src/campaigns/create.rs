//! Enters a campaign: its file, parsed, and the tables it names, stored as blobs.

use super::Spec;
use super::design::TaggedGene;
use crate::ids::{ActorId, CampaignId, ProjectId};
use crate::store::campaigns::{Inserted, NewCampaign, Version};
use crate::store::{self, Result};
use jobs::Digest;
use sqlx::PgConnection;

/// A campaign to enter. Every digest is of a blob that is stored already.
#[derive(Clone, Debug)]
pub struct CreateCampaign {
    pub project: ProjectId,
    pub spec: Spec,
    /// The file as it was written.
    pub toml: String,
    /// The whole design space (CSV `perturbation,context`).
    pub pool: Digest,
    pub pool_size: u64,
    /// What it is made of.
    pub genes: Vec<TaggedGene>,
    pub features: Vec<Digest>,
    pub priors: Vec<Digest>,
    /// Every seed of its rounds derives from it; at most 2^53 - 1.
    pub seed: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    Created(CampaignId),
    /// The project has a campaign of this name.
    NameTaken(CampaignId),
}

/// Enters version 1; the engine starts the first round.
pub async fn create(conn: &mut PgConnection, new: CreateCampaign, actor: ActorId) -> Result<Created> {
    let mut tx = store::begin(conn).await?;
    let answer = create_in(&mut tx, new, actor).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn create_in(conn: &mut PgConnection, new: CreateCampaign, actor: ActorId) -> Result<Created> {
    let id = CampaignId::fresh();
    let genes = new.genes;
    let version = Version {
        version: 1,
        spec: new.spec,
        toml: new.toml,
        pool: new.pool,
        pool_size: new.pool_size,
        features: new.features,
        priors: new.priors,
    };
    let new = NewCampaign { id, project_id: new.project, seed: new.seed, version: &version, actor };
    Ok(match store::campaigns::insert(conn, &new).await? {
        Inserted::Created => {
            store::genes::insert(conn, id, version.version, &genes).await?;
            Created::Created(id)
        }
        Inserted::NameTaken(by) => Created::NameTaken(by),
    })
}
