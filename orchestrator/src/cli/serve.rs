//! `loopwright serve`: options of the service.

mod sign_on;

use crate::channels::{Mail, Rules};
use crate::notifications::Settings;
use crate::serve::{Config, Outward, serve};
use crate::traces;
use anyhow::{Context, bail};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// PostgreSQL URL of a login that may act as loopwright_app
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    #[arg(long, env = "LOOPWRIGHT_LISTEN", default_value = "127.0.0.1:8460")]
    pub listen: SocketAddr,
    /// Folder of the blob store
    #[arg(long, env = "LOOPWRIGHT_DATA_DIR")]
    pub data_dir: PathBuf,
    /// TLS is ended by a proxy in front: allows a non-loopback address
    #[arg(long, env = "LOOPWRIGHT_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// How long authority over a job lasts without a heartbeat
    #[arg(long, env = "LOOPWRIGHT_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(3..=3600))]
    pub lease_seconds: u32,
    #[command(flatten)]
    pub outward: OutwardArguments,
    #[command(flatten)]
    pub sign_on: sign_on::SignOnArguments,
    /// Answer /metrics here without a token, e.g. 127.0.0.1:9464
    #[arg(long, env = "LOOPWRIGHT_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// How the log is written to stderr: text, or json with an object a line
    #[arg(long, env = "LOOPWRIGHT_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub log_format: String,
}

/// How people outside are told.
#[derive(Debug, Args)]
pub struct OutwardArguments {
    /// Where people open the app, for links in notifications, e.g. https://loopwright.example.org
    #[arg(long, env = "LOOPWRIGHT_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Mail server: smtps://user:password@host, smtp://host?tls=required, smtp://localhost
    #[arg(long, env = "LOOPWRIGHT_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    pub smtp_url: Option<Hidden>,
    /// Sender of e-mail, e.g. "Loopwright <loopwright@example.org>"
    #[arg(long, env = "LOOPWRIGHT_MAIL_FROM", requires = "smtp_url")]
    pub mail_from: Option<String>,
    /// A notification that nobody acknowledged for so long is escalated
    #[arg(long, env = "LOOPWRIGHT_ESCALATE_AFTER_MINUTES", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub escalate_after_minutes: u32,
    /// Escalations at most
    #[arg(long, env = "LOOPWRIGHT_ESCALATIONS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=3))]
    pub escalations: u32,
    /// The agent of an instrument in service that is silent for so long is lost
    #[arg(long, env = "LOOPWRIGHT_AGENT_LOST_SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u32).range(60..=86_400))]
    pub agent_lost_seconds: u32,
    /// Allow webhooks over http to public addresses
    #[arg(long, env = "LOOPWRIGHT_ALLOW_INSECURE_WEBHOOKS")]
    pub allow_insecure_webhooks: bool,
    /// Allow webhooks to link-local addresses and clouds' metadata services
    #[arg(long, env = "LOOPWRIGHT_ALLOW_LINK_LOCAL_WEBHOOKS")]
    pub allow_link_local_webhooks: bool,
    /// File of the key that seals channels' secrets (made when there is none); the same for all replicas
    /// [default: channel.key in the data folder]
    #[arg(long, env = "LOOPWRIGHT_CHANNEL_KEY_FILE")]
    pub channel_key_file: Option<PathBuf>,
}

/// A text that is never printed.
#[derive(Clone)]
pub struct Hidden(String);

impl std::str::FromStr for Hidden {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl OutwardArguments {
    fn outward(self) -> anyhow::Result<Outward> {
        let mail = match (self.smtp_url, self.mail_from) {
            (Some(url), Some(from)) => Some(Mail::new(&url.0, &from)?),
            _ => None,
        };
        Ok(Outward {
            notifications: Settings {
                public_url: self.public_url,
                escalate_after: Duration::from_secs(u64::from(self.escalate_after_minutes) * 60),
                escalations: self.escalations,
                agent_lost_after: Duration::from_secs(self.agent_lost_seconds.into()),
                ..Settings::default()
            },
            webhook_rules: Rules {
                allow_insecure: self.allow_insecure_webhooks,
                allow_link_local: self.allow_link_local_webhooks,
            },
            mail,
            channel_key_file: self.channel_key_file,
        })
    }
}

fn public_url(text: &str) -> anyhow::Result<String> {
    let url = reqwest::Url::parse(text).context("not a URL such as https://loopwright.example.org")?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        bail!("http or https, without ? and #: https://loopwright.example.org");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

pub async fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    log_to_stderr(&arguments.log_format);
    jobs::crash::this_process_is("serve");
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    serve(
        Config {
            database_url: arguments.database_url,
            listen: arguments.listen,
            data_dir: arguments.data_dir,
            behind_proxy: arguments.behind_proxy,
            lease_duration: Duration::from_secs(arguments.lease_seconds.into()),
            outward: arguments.outward.outward()?,
            sign_on: arguments.sign_on.settings()?,
            metrics_listen: arguments.metrics_listen,
            traces: traces::Settings::from_environment()?,
        },
        shutdown,
    )
    .await
}

/// Levels by RUST_LOG. In JSON, the ids of a request stand under `span`.
fn log_to_stderr(format: &str) {
    let levels = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(levels).with_writer(std::io::stderr);
    if format == "json" {
        log.json().flatten_event(true).with_span_list(false).init();
    } else {
        log.with_ansi(false).init();
    }
}

async fn cancel_on_signal(shutdown: CancellationToken) {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    shutdown.cancel();
}
