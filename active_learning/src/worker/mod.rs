//! Answers a server's jobs: `train`, `propose` and `screen` from one queue, `predict` from another, side by side.
//!
//! ```text
//! queue learner --Handler--> thread "learner": vocabulary, training, choice, whole spaces
//! queue predict --Handler--> thread "predict": vocabulary, prediction          (answered while a training runs)
//! ```
//!
//! A handler fetches blobs and reports; model code runs on a thread of its own and sees only bytes
//! ([`model_thread`], [`tasks`]). Everything here is repeatable: what a killed process left is done again.

mod blobs;
mod handler;
pub mod model_thread;
pub mod progress;
pub mod steps;
pub mod tasks;

pub use handler::LearnerHandler;

use jobs::client::{Client, Secret, Timeouts};
use jobs::work::Kind;
use jobs::worker::{Worker, WorkerConfig, WorkerError};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where to work, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// For people and logs.
    pub name: String,
    pub server: String,
    pub token_file: PathBuf,
    /// A folder for this learner alone; results wait there until the server has them.
    pub spool_dir: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Token(#[from] jobs::client::SecretFileError),
    #[error(transparent)]
    Client(#[from] jobs::client::Error),
    #[error(transparent)]
    Thread(#[from] std::io::Error),
    #[error("the worker of the queue {queue:?} ended")]
    Worker {
        queue: &'static str,
        #[source]
        source: WorkerError,
    },
}

/// Works until `shutdown`, or until one of both workers cannot go on; then ends the other in order.
pub async fn work(config: Config, shutdown: CancellationToken) -> Result<(), WorkError> {
    let client = Client::new(&config.server, Secret::from_file(&config.token_file)?, Timeouts::default())?;
    let learner = station(&config, &client, &[Kind::Train, Kind::Propose, Kind::Screen], &shutdown)?;
    let predict = station(&config, &client, &[Kind::Predict], &shutdown)?;
    tracing::info!(name = %config.name, server = %config.server, "at work");
    let (learner, predict) = tokio::join!(learner, predict);
    learner.and(predict)
}

/// One worker at the queue of `kinds`. When it ends, so does its sibling.
fn station(
    config: &Config,
    client: &Client,
    kinds: &[Kind],
    shutdown: &CancellationToken,
) -> Result<impl Future<Output = Result<(), WorkError>> + use<>, WorkError> {
    let queue = kinds.first().map_or("learner", |kind| kind.queue());
    let capabilities = kinds.iter().map(|kind| kind.capability());
    let name = format!("{}-{queue}", config.name);
    let worker_config = WorkerConfig::new(name, queue, capabilities, config.spool_dir.join(queue));
    let handler = Arc::new(LearnerHandler::start(queue)?);
    let (client, shutdown) = (client.clone(), shutdown.clone());
    Ok(async move {
        let _end_the_other = shutdown.clone().drop_guard();
        let ended = Worker::run(client, worker_config, handler, shutdown).await;
        ended.map_err(|source| WorkError::Worker { queue, source })
    })
}
