//! One worker on one thread, until a signal.

use super::Settings;
use anyhow::Context as _;
use instruments::drivers::Timings;
use jobs::client::{Client, Secret, Timeouts};
use jobs::worker::Worker;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs until SIGTERM or SIGINT; the work in hand is brought to its end first. A second signal ends it at
/// once, which the spool survives as it survives a kill.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not be made")?;
    let ended = runtime.block_on(work(settings));
    // A look at a share that hangs must not keep us.
    runtime.shutdown_background();
    ended
}

async fn work(settings: &Settings) -> anyhow::Result<()> {
    let token = Secret::from_file(&settings.token_file)?;
    let client = Client::new(&settings.server, token, Timeouts::default())?;
    let driver = settings.driver;
    let handler = driver
        .connect(settings.reached(), &settings.instrument, Timings::default())
        .with_context(|| format!("the driver {} could not be set up", driver.as_str()))?;
    let shutdown = CancellationToken::new();
    let mut signals = Signals::new().context("signals could not be listened to")?;
    let worker = Worker::run(client, settings.worker(), handler, shutdown.clone());
    tracing::info!(
        server = %settings.server,
        instrument = %settings.instrument,
        driver = driver.as_str(),
        "the agent is at work"
    );
    tokio::pin!(worker);
    tokio::select! {
        ended = &mut worker => return Ok(ended?),
        () = signals.next() => {}
    }
    tracing::info!("asked to end: finishing the work in hand; a second signal ends at once");
    shutdown.cancel();
    tokio::select! {
        ended = &mut worker => Ok(ended?),
        () = signals.next() => anyhow::bail!("ended at once by a second signal; the next start will clear up"),
    }
}

/// What a service manager and a terminal send.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
