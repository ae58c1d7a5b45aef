//! Who reports success: settled for everybody who reports at the same time, in one transaction ([`super::together`]).
//!
//! Any other report, and a success without authority, is taken one by one by whoever brought it. An answer goes out
//! after the commit; when the asker is gone by then, the report was taken all the same.

use super::Wakeups;
use super::together::{Act, Together};
use crate::ids::ActorId;
use crate::store;
use crate::store::events;
use crate::store::jobs::{self, Reported, Success};
use ::jobs::JobId;
use ::jobs::wire::{Disposition, Report};
use ::jobs::work::Outcome;
use sqlx::PgPool;
use std::sync::Arc;

/// Cheap to clone; clones share who waits.
#[derive(Clone, Debug)]
pub struct Reporter {
    pool: PgPool,
    wakeups: Wakeups,
    together: Arc<Together<Successes>>,
}

impl Reporter {
    pub fn new(pool: PgPool, wakeups: Wakeups) -> Self {
        let together = Together::new(Successes { pool: pool.clone(), wakeups: wakeups.clone() });
        Self { pool, wakeups, together: Arc::new(together) }
    }

    /// Takes a report, and wakes whoever waits for what follows from it.
    ///
    /// # Errors
    /// When the database cannot take it now: nothing changed, or all of it did; a repeat is safe.
    pub async fn report(&self, job: JobId, actor: ActorId, report: &Report) -> store::Result<Reported> {
        if let Outcome::Succeeded { output } = &report.outcome {
            let (token, output) = (report.lease_token, output.clone());
            let success = Success { job, token, actor, output, origin: events::origin() };
            if self.together.ask(success).await.is_some() {
                return Ok(Reported::Taken(Disposition::Accepted, jobs::Consequences::default()));
            }
        }
        let mut conn = self.pool.acquire().await?;
        let reported = jobs::report(&mut conn, job, actor, report).await?;
        if let Reported::Taken(_, consequences) = &reported {
            self.wakeups.after(consequences);
        }
        Ok(reported)
    }
}

#[derive(Debug)]
struct Successes {
    pool: PgPool,
    wakeups: Wakeups,
}

impl Act for Successes {
    type Asked = Success;
    /// It was taken.
    type Answer = ();

    async fn act(&self, successes: &[Success]) -> store::Result<Vec<Option<()>>> {
        let mut conn = self.pool.acquire().await?;
        let taken = jobs::report_successes(&mut conn, successes).await?;
        self.wakeups.after(&taken.consequences);
        let mut answers = vec![None; successes.len()];
        for place in taken.places {
            answers[place] = Some(());
        }
        Ok(answers)
    }
}
