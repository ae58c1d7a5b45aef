//! Who reports success: one task settles for everybody who reports at the same time, in one transaction.
//!
//! Any other report, and a success without authority, is taken one by one by whoever brought it. An answer goes out
//! after the commit; when the asker is gone by then, the report was taken all the same.

use super::Wakeups;
use crate::ids::ActorId;
use crate::store;
use crate::store::events;
use crate::store::jobs::{self, Reported, Success};
use ::jobs::JobId;
use ::jobs::wire::{Disposition, Report};
use ::jobs::work::Outcome;
use sqlx::PgPool;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Reports settled in one transaction: its locks are held for so many.
const AT_ONCE: usize = 256;
/// Reports that wait for the task. Each request that waits has one, so it is bounded like they are.
const WAITING: usize = 4096;

/// Cheap to clone; clones share who waits.
#[derive(Clone, Debug)]
pub struct Reporter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    wakeups: Wakeups,
    line: Mutex<Option<mpsc::Sender<Waiting>>>,
}

struct Waiting {
    success: Success,
    /// Whether it was taken; dropped when that is not known.
    reply: oneshot::Sender<bool>,
}

impl Reporter {
    pub fn new(pool: PgPool, wakeups: Wakeups) -> Self {
        Self { inner: Arc::new(Inner { pool, wakeups, line: Mutex::default() }) }
    }

    /// Takes a report, and wakes whoever waits for what follows from it.
    ///
    /// # Errors
    /// When the database cannot take it now: nothing changed, or all of it did; a repeat is safe.
    pub async fn report(&self, job: JobId, actor: ActorId, report: &Report) -> store::Result<Reported> {
        if let Outcome::Succeeded { output } = &report.outcome {
            let (token, output) = (report.lease_token, output.clone());
            let success = Success { job, token, actor, output, origin: events::origin() };
            if self.is_taken_with_others(success).await {
                return Ok(Reported::Taken(Disposition::Accepted, jobs::Consequences::default()));
            }
        }
        let mut conn = self.inner.pool.acquire().await?;
        let reported = jobs::report(&mut conn, job, actor, report).await?;
        if let Reported::Taken(_, consequences) = &reported {
            self.inner.wakeups.after(consequences);
        }
        Ok(reported)
    }

    async fn is_taken_with_others(&self, success: Success) -> bool {
        let (reply, answer) = oneshot::channel();
        if self.line().send(Waiting { success, reply }).await.is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }

    fn line(&self) -> mpsc::Sender<Waiting> {
        let mut line = self.inner.line.lock().unwrap_or_else(PoisonError::into_inner);
        // A stopped task (it panicked) is replaced.
        if let Some(line) = line.as_ref().filter(|line| !line.is_closed()) {
            return line.clone();
        }
        let (reports, arriving) = mpsc::channel(WAITING);
        *line = Some(reports.clone());
        tokio::spawn(serve(self.inner.pool.clone(), self.inner.wakeups.clone(), arriving));
        reports
    }
}

/// Serves the line until every [`Reporter`] is gone. What comes while one transaction commits goes into the next.
async fn serve(pool: PgPool, wakeups: Wakeups, mut arriving: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    while arriving.recv_many(&mut waiting, AT_ONCE).await > 0 {
        let (successes, replies): (Vec<Success>, Vec<_>) =
            waiting.drain(..).map(|waiting| (waiting.success, waiting.reply)).unzip();
        match store::bounded(take(&pool, &successes)).await {
            Ok(taken) => {
                wakeups.after(&taken.consequences);
                let mut is_taken = vec![false; replies.len()];
                for place in taken.places {
                    is_taken[place] = true;
                }
                for (reply, is_taken) in replies.into_iter().zip(is_taken) {
                    // An asker that is gone needs no answer.
                    let _ = reply.send(is_taken);
                }
            }
            // Replies are dropped: each tries by itself, and is told what is the matter with its own.
            Err(error) => tracing::warn!(%error, reports = successes.len(), "reports are taken one by one"),
        }
    }
}

async fn take(pool: &PgPool, successes: &[Success]) -> store::Result<jobs::Taken> {
    let mut conn = pool.acquire().await?;
    jobs::report_successes(&mut conn, successes).await
}
