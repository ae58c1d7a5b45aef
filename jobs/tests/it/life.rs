//! Lives of a worker process: each has a runtime of its own, and dropping that is the kill.

use crate::server::Server;
use async_trait::async_trait;
use jobs::spool;
use jobs::work::{Kind, Outcome};
use jobs::worker::{Attempt, Begun, Handler, Worker, WorkerConfig, WorkerError};
use jobs::{Failure, FailureClass, JobId};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub fn config(spool_dir: &Path) -> WorkerConfig {
    let kinds = [Kind::Dispense, Kind::Move, Kind::Read];
    let capabilities = kinds.map(Kind::capability);
    WorkerConfig {
        wait_seconds: 1,
        retry_first: Duration::from_millis(2),
        retry_limit: Duration::from_millis(20),
        shutdown_grace: Duration::from_secs(5),
        spool_limits: spool::Limits { reserve_bytes: 4096, ..spool::Limits::default() },
        ..WorkerConfig::new("handler-1", "bench", capabilities, spool_dir)
    }
}

/// The physical world: what was really done, whoever asked and whoever died.
#[derive(Clone, Default)]
pub struct Device(Arc<Mutex<BTreeMap<String, usize>>>);

impl Device {
    pub fn run(&self, operation: &str) {
        *self.0.lock().unwrap().entry(operation.to_owned()).or_default() += 1;
    }

    pub fn knows(&self, operation: &str) -> bool {
        self.0.lock().unwrap().contains_key(operation)
    }

    /// How often the job was carried out, over all attempts.
    pub fn times(&self, job: JobId) -> usize {
        let runs = self.0.lock().unwrap();
        runs.iter().filter(|(name, _)| name.starts_with(&job.to_string())).map(|(_, n)| n).sum()
    }
}

/// Does the work on a [`Device`], with an await between any two lines that matter.
#[derive(Clone)]
pub struct Dispenser {
    pub device: Device,
}

#[async_trait]
impl Handler for Dispenser {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        tokio::task::yield_now().await;
        let operation = attempt.operation_id();
        if let Err(not_begun) = attempt.begin(&operation).await {
            return not_begun.into();
        }
        tokio::task::yield_now().await;
        self.device.run(&operation);
        tokio::task::yield_now().await;
        attempt.note("run_id", "run-1").unwrap();
        tokio::task::yield_now().await;
        attempt.put_blob(b"raw").await.unwrap();
        tokio::task::yield_now().await;
        succeeded(attempt.lease().work.kind())
    }

    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        tokio::task::yield_now().await;
        if !self.device.knows(begun.device_ref()) {
            return Some(nothing_happened());
        }
        begun.put_blob(b"raw").await.unwrap();
        tokio::task::yield_now().await;
        Some(succeeded(begun.lease().work.kind()))
    }
}

pub fn succeeded(kind: Kind) -> Outcome {
    Outcome::Succeeded { output: Box::new(crate::samples::output(kind)) }
}

pub fn nothing_happened() -> Outcome {
    let words = "The device knows nothing of it.";
    Outcome::Failed { failure: Failure::new(FailureClass::Transient, "device.not_begun", words) }
}

/// Lives until `end` comes back, then dies without another instruction.
pub fn live_until(
    server: &Server,
    config: WorkerConfig,
    handler: impl Handler,
    end: impl Future<Output = ()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let run = Worker::run(server.client(), config, Arc::new(handler), CancellationToken::new());
        tokio::select! {
            biased;
            () = end => {}
            ended = run => panic!("the worker ended by itself: {ended:?}"),
        }
    });
}

/// Lives for `polls` steps of the worker's future. Whether `end` came first.
pub fn live_for(
    polls: usize,
    server: &Server,
    config: WorkerConfig,
    handler: impl Handler,
    end: impl Future<Output = ()>,
) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let run = Worker::run(server.client(), config, Arc::new(handler), CancellationToken::new());
        tokio::select! {
            biased;
            () = Limited { inner: pin!(run), left: polls } => false,
            () = end => true,
        }
    })
}

/// Lives until `end`, then is asked to shut down. What `run` brought.
pub fn live_and_shut_down(
    server: &Server,
    config: WorkerConfig,
    handler: impl Handler,
    end: impl Future<Output = ()>,
) -> Result<(), WorkerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let run = Worker::run(server.client(), config, Arc::new(handler), shutdown.clone());
        let (ended, ()) = tokio::join!(run, async {
            end.await;
            shutdown.cancel();
        });
        ended
    })
}

/// Comes back when the inner future was polled `left` times, or is over.
struct Limited<'a, F> {
    inner: Pin<&'a mut F>,
    left: usize,
}

impl<F: Future> Future for Limited<'_, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        self.inner.as_mut().poll(context).map(drop)
    }
}
