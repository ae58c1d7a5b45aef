//! Everybody at work: the worker loop of the contract, each with its own token, spool and connections.

use anyhow::Context;
use jobs::client::{Client, Secret, Timeouts};
use jobs::worker::{Handler, Worker, WorkerConfig};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Writing to a spool blocks its thread, as in an agent, which has its process for itself.
const THREADS: usize = 16;

/// One worker.
pub struct Hand {
    pub name: String,
    pub queue: &'static str,
    pub capabilities: Vec<String>,
    pub instrument: Option<String>,
    pub token: String,
    pub handler: Arc<dyn Handler>,
}

/// Workers at work, in threads of their own.
pub struct Crew {
    shutdown: CancellationToken,
    thread: std::thread::JoinHandle<anyhow::Result<()>>,
}

impl Crew {
    /// Sets `hands` to work; their spools lie below `folder`.
    pub fn work(hands: Vec<Hand>, address: SocketAddr, folder: &Path) -> anyhow::Result<Self> {
        let shutdown = CancellationToken::new();
        let (stop, folder) = (shutdown.clone(), folder.to_owned());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("crew".to_owned())
            .spawn(move || runtime.block_on(until_stopped(hands, address, folder, stop)))?;
        Ok(Self { shutdown, thread })
    }

    /// Everybody reports what is in hand and goes.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        joined.map_err(|_| anyhow::anyhow!("the crew's thread panicked"))?
    }

    /// Whoever waits for a service that is gone would wait for long: they end with this process.
    pub fn abandon(self) {
        self.shutdown.cancel();
    }
}

async fn until_stopped(
    hands: Vec<Hand>,
    address: SocketAddr,
    folder: PathBuf,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let server = format!("http://{address}");
    let mut workers = JoinSet::new();
    for hand in hands {
        let client = Client::new(&server, Secret::new(hand.token), Timeouts::default())?;
        let config = WorkerConfig {
            instrument: hand.instrument,
            ..WorkerConfig::new(&hand.name, hand.queue, hand.capabilities, folder.join(&hand.name))
        };
        workers.spawn(Worker::run(client, config, hand.handler, shutdown.clone()));
    }
    while let Some(ended) = workers.join_next().await {
        ended?.context("a worker ended by itself")?;
    }
    Ok(())
}
