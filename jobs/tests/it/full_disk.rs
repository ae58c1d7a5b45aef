//! The spool on a disk that is really full: a file system of 256 kB, mounted for a child process alone.

use crate::samples;
use jobs::spool::{BegunRecord, Error, Limits, Phase, Spool, Spooled};
use jobs::wire::{Lease, Report};
use jobs::work::{Kind, Outcome};
use jobs::{JobId, LeaseToken};
use std::path::Path;
use std::process::Command;

const SMALL_DISK: &str = "LOOPWRIGHT_TEST_SMALL_DISK";
/// The child's way to say that it could not mount.
const NO_MOUNT: i32 = 77;

#[test]
fn a_full_disk_begins_nothing_and_still_takes_the_outcome_of_what_has_begun() {
    if let Some(disk) = std::env::var_os(SMALL_DISK) {
        return on_a_small_disk(Path::new(&disk));
    }
    let dir = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let script =
        format!("mount -t tmpfs -o size=256k none \"$1\" || exit {NO_MOUNT}; exec \"$2\" --exact \"$3\"");
    let name = "full_disk::a_full_disk_begins_nothing_and_still_takes_the_outcome_of_what_has_begun";
    let child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"])
        .args([dir.path().as_os_str(), this.as_os_str(), name.as_ref()])
        .env(SMALL_DISK, dir.path())
        .output();
    let Ok(child) = child else {
        return skipped("there is no `unshare`");
    };
    let said = String::from_utf8_lossy(&child.stderr);
    match child.status.code() {
        Some(0) => assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed")),
        Some(NO_MOUNT) => skipped("this user may not mount"),
        Some(1) if said.contains("unshare") => skipped("this user may not make namespaces"),
        other => panic!("{other:?}: {said}{}", String::from_utf8_lossy(&child.stdout)),
    }
}

fn skipped(why: &str) {
    println!(
        "LOOPWRIGHT-TEST-SKIPPED: a_full_disk_begins_nothing_and_still_takes_the_outcome_of_what_has_begun: {why}"
    );
}

fn on_a_small_disk(disk: &Path) {
    let limits = Limits { reserve_bytes: 64 << 10, ..Limits::default() };
    let spool = Spool::open(disk.join("spool"), limits).unwrap();
    let begun = lease();
    let entry = spool.entry(&begun);
    spool.room().unwrap();
    entry.write_begun(&record(&begun)).unwrap();

    fill(&disk.join("somebody else's log"));
    let other = spool.entry(&lease());
    assert!(matches!(other.write_begun(&record(&begun)), Err(Error::Disk { .. })), "nothing new");

    entry.put_blob(b"raw").unwrap();
    let outcome = Outcome::Stopped { note: "after transfer 12".to_owned() };
    let report = Report { lease_token: begun.lease_token, outcome, lease: None };
    let finished = Spooled { job_id: begun.job_id, finished_at: samples::instant(), report };
    entry.write_report(&finished).unwrap();
    assert_eq!(spool.pending().unwrap()[0].report, finished);

    fill(&disk.join("somebody else's log"));
    let full = spool.room().unwrap_err();
    assert!(full.to_string().contains("no room on the disk"), "{full}");
    std::fs::remove_file(disk.join("somebody else's log")).unwrap();
    spool.room().unwrap();
}

fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
    while file.write_all(&[1; 512]).is_ok() {}
}

fn lease() -> Lease {
    Lease {
        job_id: JobId::fresh(),
        lease_token: LeaseToken::fresh(),
        attempt: 1,
        expires_in_seconds: 60,
        repeatable: false,
        deadline_lab_at: None,
        work: samples::work(Kind::Dispense),
    }
}

fn record(lease: &Lease) -> BegunRecord {
    BegunRecord {
        lease: lease.clone(),
        phase: Phase::Begun,
        begun_at: samples::instant(),
        device_ref: "op-1".to_owned(),
        notes: Default::default(),
    }
}
