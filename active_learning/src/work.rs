//! `loopwright-learner work`: pulls jobs until it is told to end.

use active_learning::worker;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

#[derive(Args)]
pub struct Arguments {
    /// The server, e.g. https://loopwright.example.org
    #[arg(long)]
    server: String,
    /// File that holds the bearer token (scope: learner).
    #[arg(long)]
    token_file: PathBuf,
    /// Folder for results that the server has not taken yet; one for each learner.
    #[arg(long, default_value = "loopwright-learner-spool")]
    spool: PathBuf,
    /// Shown to people and written into logs.
    #[arg(long, default_value = "learner")]
    name: String,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        jobs::crash::this_process_is(&self.name);
        runtime.block_on(async {
            let shutdown = CancellationToken::new();
            let asked_to_end = ended_by_signal()?;
            let at_work = worker::work(
                worker::Config {
                    name: self.name,
                    server: self.server,
                    token_file: self.token_file,
                    spool_dir: self.spool,
                },
                shutdown.clone(),
            );
            tokio::pin!(at_work);
            tokio::select! {
                ended = &mut at_work => return ended.context("the learner cannot go on"),
                () = asked_to_end => shutdown.cancel(),
            }
            at_work.await.context("the learner did not end in order")
        })
    }
}

/// Comes back at SIGTERM or Ctrl-C.
fn ended_by_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
