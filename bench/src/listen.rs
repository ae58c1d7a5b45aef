//! Ports and the process's life: one listener a device, the same ports after a restart.

use crate::bench::Bench;
use crate::devices::{control, incubator, mover, reader};
use crate::opentrons::{self, robot::Robot};
use crate::world::log::replace_file;
use crate::world::place::{HANDLER, INCUBATOR, MOVER, READER};
use axum::Router;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const CONTROL: &str = "control";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "port {port} of {device} is taken: this world answered there before, and its clients know it. \
         End what listens there, or remove {endpoints} to take new ports"
    )]
    PortTaken {
        device: &'static str,
        port: u16,
        endpoints: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{doing}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is not what this program wrote there; remove it to take new ports")]
    Endpoints { path: PathBuf },
    #[error(transparent)]
    Robot(#[from] opentrons::storage::Error),
}

/// Base URL of each device, by name.
pub type Endpoints = BTreeMap<String, String>;

/// A bench with its ports open, not yet answering.
pub struct Listening {
    pub endpoints: Endpoints,
    services: Vec<(TcpListener, Router)>,
    path: PathBuf,
}

impl Listening {
    /// Opens the ports: those of `endpoints.json` when it is there, else any free ones of 127.0.0.1.
    pub async fn open(bench: Arc<Bench>) -> Result<Self, Error> {
        let path = bench.settings.dir.join("endpoints.json");
        let known = known_ports(&path)?;
        let robot = Robot::open(bench.clone())?;
        let devices: [(&'static str, Router); 5] = [
            (HANDLER, opentrons::router(robot)),
            (MOVER, mover::router(bench.clone())),
            (INCUBATOR, incubator::router(bench.clone())),
            (READER, reader::router(bench.clone())),
            (CONTROL, control::router(bench)),
        ];
        let mut endpoints = Endpoints::new();
        let mut services = Vec::new();
        for (device, router) in devices {
            let listener = listen(device, known.get(device).copied(), &path).await?;
            let address = listener
                .local_addr()
                .map_err(|source| Error::Io { doing: format!("opening a port for {device}"), source })?;
            endpoints.insert(device.to_owned(), format!("http://{address}"));
            services.push((listener, router));
        }
        Ok(Self { endpoints, services, path })
    }

    /// Answers until `shutdown`. `endpoints.json` appears when the ports answer.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), Error> {
        let mut tasks = tokio::task::JoinSet::new();
        for (listener, router) in self.services {
            let shutdown = shutdown.clone();
            tasks.spawn(async move {
                axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
            });
        }
        let text = serde_json::to_vec_pretty(&self.endpoints).unwrap_or_default();
        replace_file(&self.path, &text)
            .map_err(|source| Error::Io { doing: format!("writing {}", self.path.display()), source })?;
        tracing::info!(endpoints = ?self.endpoints, "the bench answers");
        while let Some(ended) = tasks.join_next().await {
            let ended = ended.map_err(std::io::Error::other).and_then(|result| result);
            ended.map_err(|source| Error::Io { doing: "serving".to_owned(), source })?;
        }
        Ok(())
    }
}

fn known_ports(path: &std::path::Path) -> Result<BTreeMap<String, u16>, Error> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let broken = || Error::Endpoints { path: path.to_owned() };
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Io { doing: format!("reading {}", path.display()), source })?;
    let endpoints: Endpoints = serde_json::from_str(&text).map_err(|_| broken())?;
    let port = |url: &str| url.rsplit(':').next().and_then(|port| port.parse().ok()).ok_or_else(broken);
    endpoints.into_iter().map(|(device, url)| Ok((device, port(&url)?))).collect()
}

async fn listen(
    device: &'static str,
    port: Option<u16>,
    endpoints: &std::path::Path,
) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    TcpListener::bind(address).await.map_err(|source| match port {
        Some(port) => Error::PortTaken { device, port, endpoints: endpoints.to_owned(), source },
        None => Error::Io { doing: format!("opening a port for {device}"), source },
    })
}
