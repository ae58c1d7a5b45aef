//! The plan of a batch as it would be now, with its wells: what the draft tells in numbers.

use super::inputs::version_of;
use super::laboratory::{Laboratory, chosen};
use crate::campaigns::Spec;
use crate::planning::{Impossible, Plan, PlannedExperiment};
use crate::store::batches::Batch;
use crate::store::rounds::Round;
use crate::store::{self, Result};
use sqlx::PgConnection;

/// Everything that the plan depends on, read at one moment.
pub(crate) struct Preview {
    laboratory: Laboratory,
    spec: Spec,
    experiments: Vec<PlannedExperiment>,
    layout_seed: u64,
}

impl Preview {
    /// For a batch that is not planned yet.
    pub async fn read(conn: &mut PgConnection, round: &Round, batch: &Batch) -> Result<Self> {
        let spec = version_of(conn, round).await?.spec.clone();
        let experiments = chosen(&store::proposals::of_batch(conn, batch.id).await?);
        let laboratory = Laboratory::read(conn, &spec, &experiments).await?;
        Ok(Self { laboratory, spec, experiments, layout_seed: batch.layout_seed })
    }

    /// Takes its time for a large batch: not on a thread that answers others.
    pub fn plan(&self) -> std::result::Result<Plan, Impossible> {
        self.laboratory.plan(&self.spec, &self.experiments, self.layout_seed, 1, 1)
    }
}
