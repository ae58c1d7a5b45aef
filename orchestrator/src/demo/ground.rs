//! Where the demo stands: its folder, the ports and names it must find again after a restart.

use super::own::{self, Own};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The settings a demo was begun with; going on with others would be another experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub screen: Option<PathBuf>,
    pub features: Option<PathBuf>,
    pub priors: Vec<PathBuf>,
    pub exclude_groups: Vec<String>,
    pub noise: Option<f64>,
    pub rounds: u32,
    pub batch: u32,
    pub seed: u64,
    pub auto_approve: bool,
    pub acquisition: String,
    /// Rounds that the demo approves by itself before it asks a person.
    #[serde(default)]
    pub history: u32,
    /// Each plate is sealed by hand.
    #[serde(default)]
    pub by_hand: bool,
    /// A campaign of one's own in place of the demo's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<own::Asked>,
}

impl Settings {
    /// For a campaign of one's own: its file says the rest.
    pub fn for_own(own: own::Asked, screen: Option<PathBuf>, noise: Option<f64>, seed: u64) -> Self {
        Self {
            screen,
            features: None,
            priors: Vec::new(),
            exclude_groups: Vec::new(),
            noise,
            rounds: 0,
            batch: 0,
            seed,
            auto_approve: !own.with_people,
            acquisition: String::new(),
            history: 0,
            by_hand: false,
            own: Some(own),
        }
    }
}

/// What is written down once and read at each start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub settings: Settings,
    pub port: u16,
}

/// The demo's folder, locked by this process.
pub struct Ground {
    pub folder: PathBuf,
    pub record: Record,
    pub is_new: bool,
    /// The campaign that is simulated, where it is one's own.
    pub own: Option<Own>,
    _lock: std::fs::File,
    _port: Port,
}

impl Ground {
    /// Takes possession of `folder`, making it when needed.
    ///
    /// Errors when another demo runs on it, or when it was begun with other settings.
    pub fn take(folder: &Path, settings: Settings, wanted_port: Option<u16>) -> anyhow::Result<Self> {
        let own =
            settings.own.clone().map(|asked| Own::read(asked, settings.screen.is_some())).transpose()?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let lock = lock(&folder)?;
        for of_ours_alone in ["blobs", "bench", "campaign", "logs", "spool"] {
            let path = folder.join(of_ours_alone);
            std::fs::create_dir_all(&path)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        }
        let path = folder.join("demo.json");
        if path.exists() {
            let text = std::fs::read_to_string(&path)?;
            let mut record: Record = serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged; remove the folder to begin anew", path.display()))?;
            if record.settings != settings {
                bail!(
                    "{} holds a demo that was begun with other settings.\n  begun with: {}\n  asked for:  {}\n\
                     Give the same settings to go on, name another --data-dir, or remove the folder to begin anew.",
                    folder.display(),
                    serde_json::to_string(&record.settings)?,
                    serde_json::to_string(&settings)?,
                );
            }
            let port = Port::choose(wanted_port, Some(record.port))?;
            if port.number != record.port {
                record.port = port.number;
                write_private(&path, serde_json::to_string_pretty(&record)?.as_bytes())?;
            }
            return Ok(Self { folder, record, is_new: false, own, _lock: lock, _port: port });
        }
        let port = Port::choose(wanted_port, None)?;
        let record = Record { settings, port: port.number };
        write_private(&path, serde_json::to_string_pretty(&record)?.as_bytes())?;
        Ok(Self { folder, record, is_new: true, own, _lock: lock, _port: port })
    }

    pub fn server_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.record.port)
    }

    /// The file that holds the token of `name`.
    pub fn token_file(&self, name: &str) -> PathBuf {
        self.folder.join("tokens").join(name)
    }
}

fn lock(folder: &Path) -> anyhow::Result<std::fs::File> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("demo.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another demo runs on {}: stop it, or name another --data-dir", folder.display())
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).context("cannot lock the demo's folder"),
    }
}

const USUAL_PORT: u16 = 8460;
/// Ports tried after the usual one.
const MORE_PORTS: u16 = 100;

/// A port for this demo alone, as far as demos go: two that start together must not choose the same before
/// either listens.
struct Port {
    number: u16,
    _lock: std::fs::File,
}

impl Port {
    /// `number`, unless another demo has it or something listens there.
    fn take(number: u16) -> anyhow::Result<Option<Self>> {
        let path = std::env::temp_dir().join(format!("loopwright-demo-port-{number}.lock"));
        // Somebody else's file: a demo of another user has the port, or had.
        let Ok(file) = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path) else {
            return Ok(None);
        };
        match file.try_lock() {
            Ok(()) if TcpListener::bind(("127.0.0.1", number)).is_ok() => {
                Ok(Some(Self { number, _lock: file }))
            }
            Ok(()) | Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error).context("cannot lock the demo's port"),
        }
    }

    /// The one that is wanted, or else the one of the start before, or else the first free one.
    fn choose(wanted: Option<u16>, before: Option<u16>) -> anyhow::Result<Self> {
        if let Some(number) = wanted {
            return Self::take(number)?
                .with_context(|| format!("port {number} is taken: name another with --port"));
        }
        for number in before.into_iter().chain(USUAL_PORT..USUAL_PORT + MORE_PORTS) {
            if let Some(port) = Self::take(number)? {
                return Ok(port);
            }
        }
        bail!("no free port found; name one with --port")
    }
}

/// Writes a file only its owner can read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    let parent = path.parent().context("a file has a folder")?;
    std::fs::create_dir_all(parent)?;
    let draft = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    Ok(())
}
