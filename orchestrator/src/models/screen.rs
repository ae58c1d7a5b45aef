//! Has a learner rank a whole space of experiments by a model version, through a `screen` job.

use super::question::{self, Asked, Question};
use crate::store::Result;
use ::jobs::Work;
use ::jobs::work::screen::{RankBy, Screen, Space};
use sqlx::PgConnection;

/// It may take minutes: after what the loop waits for.
const PRIORITY: i16 = -10;

/// Creates the job.
pub async fn ask(
    conn: &mut PgConnection,
    question: Question,
    space: Space,
    rank_by: RankBy,
    keep: u32,
) -> Result<Asked> {
    let work = |inputs, checkpoint| Work::Screen(Screen { inputs, checkpoint, space, rank_by, keep });
    question::put(conn, question, PRIORITY, work).await
}
