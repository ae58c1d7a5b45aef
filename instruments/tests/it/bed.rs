//! A driver, the device it drives, and a lease of work that fits.

use crate::fake::{Fake, robot::Robot, small::Small};
use instruments::drivers::{DriverKind, Reached, Timings};
use jobs::wire::Lease;
use jobs::work::physical::{
    DeckPlate, Dispense, Incubate, Location, Manual, Move, PlateMove, PlateRef, Read, Transfer,
};
use jobs::work::{Outcome, Work};
use jobs::worker::{Attempt, Begun, Handler};
use jobs::{FailureClass, JobId, LeaseToken};
use std::sync::Arc;
use std::time::Duration;

pub struct Bed {
    pub kind: DriverKind,
    pub device: Arc<dyn Fake>,
    pub handler: Arc<dyn Handler>,
    pub lease: Lease,
    pub spool: tempfile::TempDir,
}

/// Fast, and still bounded: a wait that a test means to run out is shortened there.
pub fn timings() -> Timings {
    Timings {
        connect: Duration::from_secs(5),
        call: Duration::from_secs(10),
        transfer: Duration::from_secs(10),
        poll_first: Duration::from_millis(1),
        poll_limit: Duration::from_millis(2),
        // Nearly every test of a device that is not ready means it to run out.
        readiness: Duration::from_millis(20),
        in_use: Duration::from_millis(20),
        analysis: Duration::from_secs(10),
        patience: Duration::from_secs(30),
        longest_work: Duration::from_secs(60),
    }
}

impl Bed {
    pub async fn new(kind: DriverKind) -> Self {
        Self::with(kind, timings()).await
    }

    pub async fn with(kind: DriverKind, timings: Timings) -> Self {
        let device: Arc<dyn Fake> = match kind {
            DriverKind::Opentrons => Arc::new(Robot::start().await),
            DriverKind::Mover => Arc::new(Small::start("mover-1", "moves").await),
            DriverKind::Incubator => Arc::new(Small::start("incubator-1", "incubations").await),
            DriverKind::Reader => Arc::new(Small::start("reader-1", "reads").await),
            by_files => panic!("{by_files:?} has no HTTP"),
        };
        Self::on(kind, device, timings)
    }

    pub fn on(kind: DriverKind, device: Arc<dyn Fake>, timings: Timings) -> Self {
        let handler = kind.connect(Reached::ByUrl(&device.url()), instrument(kind), timings).unwrap();
        let spool = tempfile::tempdir().unwrap();
        Self { kind, device, handler, lease: lease(work(kind)), spool }
    }

    pub fn attempt(&self) -> Attempt {
        Attempt::rehearsal(self.lease.clone(), self.spool.path()).unwrap()
    }

    pub async fn perform(&self) -> Outcome {
        self.handler.perform(&self.attempt()).await
    }

    /// Performs until the device is half way, is killed there, and comes back with what it had begun.
    pub async fn killed_half_way(&self) -> Begun {
        self.device.will_wait();
        let attempt = self.attempt();
        tokio::select! {
            outcome = self.handler.perform(&attempt) => panic!("{outcome:?}"),
            () = self.device.half_way() => {}
        }
        Begun::rehearsal(attempt).expect("half way means begun")
    }
}

pub fn instrument(kind: DriverKind) -> &'static str {
    match kind {
        DriverKind::Opentrons | DriverKind::FolderHandler => "handler-1",
        DriverKind::Mover => "mover-1",
        DriverKind::Incubator => "incubator-1",
        DriverKind::Reader | DriverKind::FolderReader => "reader-1",
    }
}

pub fn lease(work: Work) -> Lease {
    Lease {
        job_id: JobId::fresh(),
        lease_token: LeaseToken::fresh(),
        attempt: 1,
        expires_in_seconds: 60,
        repeatable: work.kind().is_repeatable(),
        deadline_lab_at: None,
        work,
    }
}

pub fn plate(barcode: &str) -> PlateRef {
    PlateRef { barcode: barcode.to_owned(), labware: "corning_384_wellplate_112ul_flat".to_owned() }
}

pub fn at(device: &str, slot: &str) -> Location {
    Location { device: device.to_owned(), slot: slot.to_owned() }
}

pub fn work(kind: DriverKind) -> Work {
    match kind {
        DriverKind::Opentrons | DriverKind::FolderHandler => Work::Dispense(dispense()),
        DriverKind::Mover => {
            let one = |barcode: &str, slot: &str| PlateMove {
                plate: plate(barcode),
                from: at("storage", barcode),
                to: at("handler-1", slot),
            };
            Work::Move(Move { moves: vec![one("P-1", "1"), one("LIB-1", "2")] })
        }
        DriverKind::Incubator => Work::Incubate(Incubate {
            plate: plate("P-1"),
            at: at("incubator-1", "7"),
            temperature_celsius: 37.0,
            co2_percent: 5.0,
            hours: 72.0,
        }),
        DriverKind::Reader | DriverKind::FolderReader => Work::Read(Read {
            plate: plate("P-1"),
            at: at("reader-1", "1"),
            channels: vec!["signal".to_owned()],
        }),
    }
}

/// Four transfers; the first two into one well.
pub fn dispense() -> Dispense {
    let deck = [("1", "P-1"), ("2", "LIB-1"), ("3", "LIB-2")];
    let transfers =
        [("LIB-1", "A1", "B2"), ("LIB-2", "C5", "B2"), ("LIB-1", "P24", "C3"), ("LIB-1", "A2", "D4")];
    Dispense {
        deck: deck.map(|(slot, barcode)| DeckPlate { slot: slot.to_owned(), plate: plate(barcode) }).into(),
        tip_rack_slots: vec!["10".to_owned(), "11".to_owned()],
        transfers: transfers
            .map(|(source, well, destination)| Transfer {
                source_barcode: source.to_owned(),
                source_well: well.to_owned(),
                destination_barcode: "P-1".to_owned(),
                destination_well: destination.to_owned(),
                volume_nl: 2_500,
                liquid_class: "water".to_owned(),
            })
            .into(),
    }
}

/// Work that no driver does.
pub fn hands() -> Work {
    Work::Manual(Manual { instruction: "seal it".to_owned(), plates: vec![] })
}

/// `Some` class of a failure that ended the work without doubt.
pub fn failed(outcome: &Outcome) -> Option<FailureClass> {
    match outcome {
        Outcome::Failed { failure } => Some(failure.class),
        _ => None,
    }
}

pub fn code(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { failure } | Outcome::Unknown { failure } => &failure.code,
        _ => "",
    }
}
