//! A device that takes and gives files, in a folder of its own. What it does, a test does.

use crate::bed::{dispense, instrument, lease, timings, work};
use instruments::drivers::{DriverKind, Reached, SetupError, Timings};
use instruments::labware::PlateFormat;
use jobs::wire::Lease;
use jobs::work::{Outcome, Work};
use jobs::worker::{Attempt, Begun, Handler};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// What a device of this kind is told and tells, unless a test says otherwise.
pub const HANDLER: &str = r#"
[request]
folder = "{share}/in"
name = "{id}.csv"
taken_by = "moving"
says = { form = "biomek_csv" }

[result]
folder = "{share}/out"
name = "{id}*"
form = "word"
settled_seconds = 0.01
look_every_seconds = 0.005
"#;

pub const READER: &str = r#"
[request]
folder = "{share}/in"
name = "{barcode}.txt"
taken_by = "moving"
says = { form = "text", text = "read {barcode} as {id}: {channels}" }

[result]
folder = "{share}/out"
name = "*{barcode}*.csv"
form = "plate_csv"
settled_seconds = 0.01
look_every_seconds = 0.005
"#;

/// Of a whole plate.
pub static READINGS: LazyLock<String> = LazyLock::new(|| {
    let wells = PlateFormat::Wells384.wells();
    let rows: String = wells.map(|well| format!("{well},signal,1.5,RFU\n")).collect();
    format!("# Plate: P-1\nWell,Channel,Value,Unit\n{rows}")
});

pub struct Device {
    pub kind: DriverKind,
    /// It takes its requests away.
    pub moves: bool,
    root: tempfile::TempDir,
    pub handler: Arc<dyn Handler>,
    pub lease: Lease,
    pub spool: tempfile::TempDir,
}

impl Device {
    pub fn handler() -> Self {
        Self::new(DriverKind::FolderHandler, HANDLER, timings())
    }

    pub fn reader() -> Self {
        Self::new(DriverKind::FolderReader, READER, timings())
    }

    pub fn both() -> [Self; 2] {
        [Self::handler(), Self::reader()]
    }

    pub fn new(kind: DriverKind, settings: &str, timings: Timings) -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["share/in", "share/out", "taken"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let handler = connect(kind, &root, settings, timings).unwrap();
        let lease = lease(if kind == DriverKind::FolderReader {
            work(DriverKind::Reader)
        } else {
            Work::Dispense(dispense())
        });
        Self {
            kind,
            moves: settings.contains("\"moving\""),
            root,
            handler,
            lease,
            spool: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn attempt(&self) -> Attempt {
        Attempt::rehearsal(self.lease.clone(), self.spool.path()).unwrap()
    }

    pub async fn perform(&self) -> Outcome {
        self.handler.perform(&self.attempt()).await
    }

    /// What lies in its folder for it, without what stands ready.
    pub fn requests(&self) -> Vec<String> {
        names(&self.path("share/in"))
    }

    /// What stands ready, where it does not look.
    pub fn ready(&self) -> Vec<String> {
        names(&self.path("share/in/.loopwright"))
    }

    /// Waits for a request and takes it out of the folder; what it says.
    pub async fn takes(&self) -> String {
        let name = self.is_asked().await;
        let taken = self.path("taken").join(&name);
        std::fs::rename(self.path("share/in").join(&name), &taken).unwrap();
        std::fs::read_to_string(taken).unwrap()
    }

    /// Waits until a request lies there; its name.
    pub async fn is_asked(&self) -> String {
        loop {
            if let [name] = self.requests().as_slice() {
                return name.clone();
            }
            pause().await;
        }
    }

    pub fn times_taken(&self) -> usize {
        names(&self.path("taken")).len()
    }

    pub fn exports(&self, name: &str, text: &str) {
        std::fs::write(self.path("share/out").join(name), text).unwrap();
    }

    /// As it ends its work well.
    pub fn ends(&self) {
        match self.kind {
            DriverKind::FolderReader => self.exports("2026_P-1.csv", &READINGS),
            _ => self.exports(&format!("{}.done", self.id()), "succeeded\r\n"),
        }
    }

    pub fn id(&self) -> String {
        format!("{}-{}", self.lease.job_id, self.lease.attempt)
    }

    pub fn is_unmounted(&self) {
        std::fs::rename(self.path("share"), self.path("gone")).unwrap();
    }

    pub fn is_mounted(&self) {
        std::fs::rename(self.path("gone"), self.path("share")).unwrap();
    }

    /// Performs until the device has taken the request, is killed there, and comes back with what it had begun.
    pub async fn killed_when_taken(&self) -> Begun {
        let attempt = self.attempt();
        tokio::select! {
            outcome = self.handler.perform(&attempt) => panic!("{outcome:?}"),
            _ = self.takes() => {}
        }
        Begun::rehearsal(attempt).expect("what is taken was begun")
    }
}

pub fn connect(
    kind: DriverKind,
    root: &tempfile::TempDir,
    settings: &str,
    timings: Timings,
) -> Result<Arc<dyn Handler>, SetupError> {
    let file = root.path().join("device.toml");
    let share = root.path().join("share");
    std::fs::write(&file, settings.replace("{share}", share.to_str().unwrap())).unwrap();
    let stands_for =
        if kind == DriverKind::FolderReader { DriverKind::Reader } else { DriverKind::Opentrons };
    kind.connect(Reached::ByFolders(&file), instrument(stands_for), timings)
}

/// Between two looks.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|entry| entry.file_name().into_string().unwrap()).collect()
}
