//! The service: HTTP door, loop engine and queue upkeep in one process, over PostgreSQL and the blob store.
//!
//! Nothing acknowledged lives only here. On the first signal it stops leasing out and finishes what it
//! is in; what a kill leaves behind, the next process (or another replica) takes up.

use crate::api::{self, AppState};
use crate::channels::{Key, Mail, Rules, Sender};
use crate::engine::{self, Engine};
use crate::metrics::Scraper;
use crate::notifications::Settings;
use crate::people::sign_on::{self, Patience, Provider};
use crate::queue::{Wakeups, upkeep};
use crate::store::blobs::Blobs;
use crate::store::{self, ConnectOptions};
use crate::traces;
use anyhow::{Context, bail};
use sqlx::PgPool;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How the service runs.
#[derive(Clone)]
pub struct Config {
    /// PostgreSQL URL of a login that may act as loopwright_app. A secret.
    pub database_url: String,
    pub listen: SocketAddr,
    /// Folder of the blob store.
    pub data_dir: PathBuf,
    /// A proxy in front ends TLS.
    pub behind_proxy: bool,
    /// How long authority over a job lasts without a heartbeat.
    pub lease_duration: Duration,
    pub outward: Outward,
    /// The laboratory's identity provider, where people sign on by one.
    pub sign_on: Option<sign_on::Settings>,
    /// Answers `/metrics` without a token; loopback, or behind a proxy.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that is told of rounds.
    pub traces: Option<traces::Settings>,
}

/// How people outside are told.
#[derive(Clone)]
pub struct Outward {
    pub notifications: Settings,
    pub webhook_rules: Rules,
    /// Sends e-mail; without it, mailboxes cannot be told.
    pub mail: Option<Mail>,
    /// File of the key that seals channels' secrets; `channel.key` in the data folder when absent.
    pub channel_key_file: Option<PathBuf>,
}

/// Largest file in the blob store.
const LARGEST_BLOB_BYTES: u64 = 4 << 30;
/// How long requests and loops may take to finish after the signal.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(20);

/// Serves until `shutdown`.
pub async fn serve(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    ensure_private(config.listen, config.behind_proxy)?;
    if let Some(listen) = config.metrics_listen {
        ensure_private(listen, config.behind_proxy)?;
    }
    let pool = connect(&config, ConnectOptions::default()).await?;
    let queue_pool = connect(&config, ConnectOptions::of_the_queue()).await?;
    let engine_pool = connect(&config, ConnectOptions::of_the_engine()).await?;
    let blobs = Blobs::local(&config.data_dir, LARGEST_BLOB_BYTES)?;
    let wakeups = Wakeups::default();
    ensure_no_demo_users(&pool, config.listen, config.behind_proxy).await?;
    let settings = notification_settings(&config);
    let key_file = config.outward.channel_key_file.clone().unwrap_or(config.data_dir.join("channel.key"));
    let channel_key = Key::load_or_make(&key_file)
        .with_context(|| format!("cannot use the channel key {}", key_file.display()))?;
    let sign_on =
        config.sign_on.clone().map(|it| provider(it, settings.public_url.as_deref())).transpose()?;
    let door = api::Config {
        sign_on,
        lease_duration: config.lease_duration,
        behind_proxy: config.behind_proxy,
        notifications: settings.clone(),
        webhook_rules: config.outward.webhook_rules,
        channel_key: channel_key.clone(),
        ..api::Config::default()
    };
    let state = AppState::new(pool.clone(), blobs.clone(), wakeups.clone(), door);
    let mut state = state.with_queue_on(queue_pool.clone());
    state.scraper = state.scraper.counting("engine", engine_pool.clone());
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another service there?", config.listen))?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    if let Some(listen) = config.metrics_listen {
        serve_metrics(listen, state.scraper.clone(), shutdown.clone()).await?;
    }

    let Outward { webhook_rules, mail, .. } = config.outward;
    let sender = Sender::new(webhook_rules, mail, channel_key, settings.public_url.as_deref())
        .context("cannot set TLS up for webhooks")?;
    let engine = Engine {
        settings,
        sender: Arc::new(sender),
        lists: pool.clone(),
        ..Engine::new(engine_pool.clone(), blobs.clone(), wakeups.clone())
    };
    let loops = tokio::spawn(engine::run(engine, shutdown.clone()));
    let upkeep = tokio::spawn(upkeep::run(pool.clone(), blobs, wakeups.clone(), shutdown.clone()));
    let listening = tokio::spawn(wakeups.run(pool.clone(), shutdown.clone()));
    if let Some(settings) = config.traces {
        let exporter = traces::Exporter::new(pool.clone(), settings)?;
        tokio::spawn(traces::run(exporter, shutdown.clone()));
    }
    let served = serve_http(listener, state, shutdown.clone()).await;
    shutdown.cancel();
    let finished = async { tokio::join!(loops, upkeep, listening) };
    match tokio::time::timeout(SHUTDOWN_LIMIT, finished).await {
        Ok((loops, upkeep, listening)) => {
            for ended in [loops, upkeep, listening] {
                ended.context("a loop of the service panicked")?;
            }
        }
        Err(_) => {
            tracing::warn!("not everything ended in time; what was cut off is taken up at the next start")
        }
    }
    pool.close().await;
    queue_pool.close().await;
    engine_pool.close().await;
    served
}

async fn connect(config: &Config, options: ConnectOptions) -> anyhow::Result<PgPool> {
    store::connect(&config.database_url, &options).await.context(
        "cannot use the database: is it running, and has `loopwright migrate` been run with this version?",
    )
}

/// Serves until `shutdown`, then lets open requests end, but not for ever: long polls and event streams
/// would hold the door open.
async fn serve_http(
    listener: TcpListener,
    state: AppState,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let service = api::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let graceful = axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        served = graceful.into_future() => served.context("the HTTP door failed"),
        () = async { shutdown.cancelled().await; tokio::time::sleep(Duration::from_secs(3)).await } => Ok(()),
    }
}

/// Metrics on a listener of their own, until `shutdown`.
async fn serve_metrics(
    listen: SocketAddr,
    scraper: Scraper,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} for scrapes: is another service there?"))?;
    tracing::info!(address = %listener.local_addr()?, "metrics");
    let serving = axum::serve(listener, api::scrape_router(scraper));
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            ended = serving.into_future() => tracing::error!(?ended, "metrics are not served any more"),
        }
    });
    Ok(())
}

fn provider(settings: sign_on::Settings, public_url: Option<&str>) -> anyhow::Result<Provider> {
    let settings = settings.checked(public_url).context("people cannot sign on by the identity provider")?;
    tracing::info!(issuer = settings.issuer, redirect_uri = settings.redirect_uri, "people can sign on");
    Provider::new(settings, Patience::default()).context("cannot set TLS up for the identity provider")
}

/// Links lead to where people reach us; on a loopback address nobody else does.
fn notification_settings(config: &Config) -> Settings {
    let mut settings = config.outward.notifications.clone();
    if settings.public_url.is_none() && config.listen.ip().is_loopback() {
        settings.public_url = Some(format!("http://{}", config.listen));
    }
    settings
}

/// Tokens must not cross a network in the clear.
fn ensure_private(listen: SocketAddr, behind_proxy: bool) -> anyhow::Result<()> {
    if listen.ip().is_loopback() || behind_proxy {
        return Ok(());
    }
    bail!(
        "{listen} can be reached from other machines, and tokens would cross the network in the clear: put a \
         proxy that ends TLS in front and say --behind-proxy, or listen on 127.0.0.1"
    )
}

/// Accounts of the demo have passwords that were printed.
///
/// Errors when one of them could sign in from another machine.
pub async fn ensure_no_demo_users(
    pool: &PgPool,
    listen: SocketAddr,
    behind_proxy: bool,
) -> anyhow::Result<()> {
    if listen.ip().is_loopback() && !behind_proxy {
        return Ok(());
    }
    if store::people::accounts::demo_is_active(&mut *pool.acquire().await?).await? {
        bail!(
            "{listen} can be reached from other machines, and this database has users of the demo, whose passwords \
             were printed: disable them (`loopwright user disable NAME`), or serve another database"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_others_can_reach_needs_a_proxy() {
        let anywhere: SocketAddr = "0.0.0.0:8460".parse().expect("an address");
        let here: SocketAddr = "127.0.0.1:8460".parse().expect("an address");
        assert!(ensure_private(anywhere, false).is_err());
        assert!(ensure_private(anywhere, true).is_ok());
        assert!(ensure_private(here, false).is_ok());
    }
}
