//! Workers over HTTP: each has its token and its connection, asks for work, does nothing, and reports.
//!
//! All of them live in one thread, so that they take little from the server they measure.

use super::worker::{Asks, Worker};
use crate::http::Connection;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How a worker asks for its next job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the request that reports.
    Together,
    /// After it.
    Separate,
}

/// Who works.
#[derive(Clone, Debug)]
pub struct Crew {
    pub address: SocketAddr,
    /// One worker for each.
    pub tokens: Vec<String>,
    pub way: Way,
    /// Whether each job is begun (`POST /jobs/{id}/start`) before it is reported, as agents do.
    pub starts: bool,
    /// Whether each names an instrument of its own; else none names any.
    pub own_instruments: bool,
    /// How long a request for work waits, s. The first waits of workers end one after the other, so that later ones
    /// are spread.
    pub wait_seconds: u32,
    /// Whoever waits at the end goes without an answer: there is nothing that could come.
    pub leaves_waiting: bool,
}

/// A lease that a worker was given.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    pub job_id: Uuid,
    pub lease_token: Uuid,
    /// 1 for the first.
    pub attempt: u32,
    /// When its answer was there.
    pub at: Instant,
}

/// What workers did so far; shared with whoever measures.
#[derive(Debug, Default)]
pub struct Done {
    reported: AtomicU64,
    given: Mutex<Vec<Given>>,
    wrong: Mutex<Vec<String>>,
    pub(super) stop: CancellationToken,
}

impl Done {
    /// Reports that were accepted.
    pub fn reported(&self) -> u64 {
        self.reported.load(Ordering::Relaxed)
    }

    pub(super) fn has_reported(&self) {
        self.reported.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn was_given(&self, given: Given) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(given);
    }

    fn went_wrong(&self, error: &anyhow::Error) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
    }
}

/// Workers at work, in a thread of their own.
#[derive(Debug)]
pub struct Working {
    pub done: Arc<Done>,
    thread: std::thread::JoinHandle<anyhow::Result<()>>,
}

/// What workers did, and what went wrong: every answer that a run without faults does not have.
#[derive(Debug)]
pub struct Worked {
    pub reported: u64,
    pub given: Vec<Given>,
    pub wrong: Vec<String>,
}

impl Crew {
    /// Sets everybody to work.
    pub fn work(self) -> anyhow::Result<Working> {
        let done = Arc::new(Done::default());
        let shared = Arc::clone(&done);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("workers".to_owned())
            .spawn(move || runtime.block_on(self.until_stopped(shared)))?;
        Ok(Working { done, thread })
    }

    async fn until_stopped(self, done: Arc<Done>) -> anyhow::Result<()> {
        let mut workers = tokio::task::JoinSet::new();
        for (number, token) in self.tokens.iter().enumerate() {
            let connection = Connection::open(self.address, token).await?;
            let asks = Asks::of(&self, number)?;
            workers.spawn(Worker::new(connection, self.way, self.starts, asks, Arc::clone(&done)).work());
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended? {
                done.went_wrong(&error);
            }
        }
        Ok(())
    }
}

impl Working {
    /// Everybody reports what is in hand and goes.
    pub async fn stop(self) -> anyhow::Result<Worked> {
        self.done.stop.cancel();
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        joined.map_err(|_| anyhow::anyhow!("the workers' thread panicked"))??;
        let done = self.done;
        let given = std::mem::take(&mut *done.given.lock().unwrap_or_else(PoisonError::into_inner));
        let wrong = std::mem::take(&mut *done.wrong.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Worked { reported: done.reported(), given, wrong })
    }
}
