//! What reports say that this life of the database has lost.

use super::open;
use crate::store::error::Result;
use sqlx::PgConnection;

/// What a report showed to be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A lease of a job that is known.
    Lease,
    /// A job.
    Job,
}

/// Counts a loss, in the caller's transaction: from now on only a person closes the reconciliation.
pub async fn count(conn: &mut PgConnection, loss: Loss) -> Result<()> {
    sqlx::query!(
        "update reconciliation
         set unknown_reports = unknown_reports + 1, orphan_reports = orphan_reports + $1
         where epoch = database_epoch()",
        i64::from(loss == Loss::Job)
    )
    .execute(&mut *conn)
    .await?;
    open::ask_for_a_person(conn).await
}
