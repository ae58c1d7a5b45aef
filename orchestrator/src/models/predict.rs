//! Asks a learner what a model version says of experiments, in or out of the pool, through a `predict` job.

use super::question::{self, Asked, Question};
use crate::store::Result;
use ::jobs::work::learn::Predict;
use ::jobs::{Experiment, Work};
use sqlx::PgConnection;

/// People wait for it: before the trainings of a shared machine.
const PRIORITY: i16 = 10;

/// Creates the job.
pub async fn ask(conn: &mut PgConnection, question: Question, experiments: Vec<Experiment>) -> Result<Asked> {
    let work = |inputs, checkpoint| Work::Predict(Predict { inputs, checkpoint, experiments });
    question::put(conn, question, PRIORITY, work).await
}
