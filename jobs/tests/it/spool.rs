//! The spool alone: what it keeps, what it refuses.

use crate::samples;
use chrono::{DateTime, TimeDelta, Utc};
use jobs::spool::*;
use jobs::wire::{Disposition, Lease, Report, ReportAnswer};
use jobs::work::{Kind, Outcome};
use jobs::{JobId, LeaseToken};
use std::collections::BTreeMap;
use tempfile::TempDir;

const SMALL: Limits = Limits {
    pending: 2,
    pending_bytes: 100_000,
    reserve_bytes: 4096,
    keep_acknowledged: 7,
    acknowledged_bytes: 100_000,
};
const TAKEN: ReportAnswer = ReportAnswer { disposition: Disposition::Accepted };

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

fn begun(lease: &Lease, at: DateTime<Utc>) -> BegunRecord {
    BegunRecord {
        lease: lease.clone(),
        phase: Phase::Begun,
        begun_at: at,
        device_ref: "op-1".to_owned(),
        notes: BTreeMap::new(),
    }
}

fn report(lease: &Lease, at: DateTime<Utc>) -> Spooled {
    let outcome = Outcome::Stopped { note: "for the test".to_owned() };
    let report = Report { lease_token: lease.lease_token, outcome, lease: None };
    Spooled { job_id: lease.job_id, finished_at: at, report }
}

fn reported(spool: &Spool, at: DateTime<Utc>) -> (Entry, Lease) {
    let lease = lease();
    let entry = spool.entry(&lease);
    entry.write_report(&report(&lease, at)).unwrap();
    (entry, lease)
}

fn open(dir: &TempDir) -> Spool {
    Spool::open(dir.path(), SMALL).unwrap()
}

#[test]
fn what_was_begun_and_not_reported_is_interrupted_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let lease = lease();
    let spool = open(&dir);
    spool.entry(&lease).write_begun(&begun(&lease, samples::instant())).unwrap();
    drop(spool);
    let spool = open(&dir);
    let found = spool.interrupted().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, begun(&lease, samples::instant()));
    found[0].0.write_report(&report(&lease, samples::instant())).unwrap();
    assert!(spool.interrupted().unwrap().is_empty());
}

#[test]
fn reports_come_in_the_order_they_were_finished() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let late = reported(&spool, samples::instant() + TimeDelta::seconds(5)).1;
    let early = reported(&spool, samples::instant()).1;
    let order: Vec<JobId> = spool.pending().unwrap().iter().map(|(_, r)| r.job_id).collect();
    assert_eq!(order, [early.job_id, late.job_id]);
}

#[test]
fn the_first_report_of_an_attempt_stands() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (entry, lease) = reported(&spool, samples::instant());
    let second = report(&lease, samples::instant() + TimeDelta::days(1));
    entry.write_report(&second).unwrap();
    assert_eq!(entry.read_report().unwrap(), Some(report(&lease, samples::instant())));
}

#[test]
fn acknowledged_entries_are_kept_their_days_and_can_be_offered_again() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let now = samples::instant();
    let (entry, lease) = reported(&spool, now);
    spool.acknowledge(&entry, TAKEN, now).unwrap();
    assert!(spool.pending().unwrap().is_empty());
    assert!(spool.knows(&lease));

    spool.prune(now + TimeDelta::days(6)).unwrap();
    assert_eq!(spool.offer_again().unwrap(), 1);
    assert_eq!(spool.pending().unwrap().len(), 1);

    spool.acknowledge(&entry, TAKEN, now).unwrap();
    spool.prune(now + TimeDelta::days(8)).unwrap();
    assert_eq!(spool.offer_again().unwrap(), 0);
    assert!(!spool.knows(&lease));
}

#[test]
fn the_oldest_acknowledged_go_first_when_they_take_too_much_room() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let now = samples::instant();
    let mut leases = Vec::new();
    for day in 0..3 {
        let (entry, lease) = reported(&spool, now);
        entry.put_blob(&vec![day; 45_000]).unwrap();
        spool.acknowledge(&entry, TAKEN, now + TimeDelta::days(i64::from(day))).unwrap();
        leases.push(lease);
    }
    spool.prune(now + TimeDelta::days(3)).unwrap();
    let known: Vec<bool> = leases.iter().map(|lease| spool.knows(lease)).collect();
    assert_eq!(known, [false, true, true]);
}

#[test]
fn a_refused_report_is_out_of_the_way_and_tried_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (entry, _) = reported(&spool, samples::instant());
    spool.refuse(&entry, "404 job.not_found", samples::instant()).unwrap();
    assert!(spool.pending().unwrap().is_empty());
    drop(spool);
    assert_eq!(open(&dir).pending().unwrap().len(), 1);
}

#[test]
fn a_full_spool_refuses_new_work_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    spool.room().unwrap();
    let (first, _) = reported(&spool, samples::instant());
    reported(&spool, samples::instant());
    let full = spool.room().unwrap_err();
    assert!(full.to_string().contains("2 results wait"), "{full}");
    spool.acknowledge(&first, TAKEN, samples::instant()).unwrap();
    spool.room().unwrap();
    let (entry, _) = (spool.entry(&lease()), ());
    entry.put_blob(&vec![0; 200_000]).unwrap();
    assert!(matches!(spool.room(), Err(Error::Full { .. })));
}

#[test]
fn two_processes_cannot_share_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    let _spool = open(&dir);
    assert!(matches!(Spool::open(dir.path(), SMALL), Err(Error::InUse { .. })));
}

#[test]
fn a_torn_write_leaves_what_was_there_before() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (entry, lease) = reported(&spool, samples::instant());
    let folder = std::fs::read_dir(dir.path().join("open")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("report.tmp"), b"{ half").unwrap();
    std::fs::write(folder.join("begun.tmp"), b"{ half").unwrap();
    drop(spool);
    let spool = open(&dir);
    assert_eq!(spool.pending().unwrap()[0].1, report(&lease, samples::instant()));
    assert_eq!(entry.read_begun().unwrap(), None);
}

#[test]
fn a_beginning_is_known_after_a_kill_and_gives_way_to_what_was_begun() {
    let dir = tempfile::tempdir().unwrap();
    let lease = lease();
    let spool = open(&dir);
    let mut record = BegunRecord { phase: Phase::Beginning, ..begun(&lease, samples::instant()) };
    spool.entry(&lease).write_beginning(&record).unwrap();
    drop(spool);
    let spool = open(&dir);
    assert_eq!(spool.interrupted().unwrap()[0].1, record);
    record.phase = Phase::Begun;
    spool.entry(&lease).write_begun(&record).unwrap();
    drop(spool);
    assert_eq!(open(&dir).interrupted().unwrap()[0].1, record);
}

#[test]
fn a_beginning_that_a_power_cut_took_half_of_was_never_begun() {
    let dir = tempfile::tempdir().unwrap();
    let lease = lease();
    let spool = open(&dir);
    let record = BegunRecord { phase: Phase::Beginning, ..begun(&lease, samples::instant()) };
    spool.entry(&lease).write_beginning(&record).unwrap();
    let folder = std::fs::read_dir(dir.path().join("open")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("beginning.json"), b"").unwrap();
    drop(spool);
    let spool = open(&dir);
    assert!(spool.interrupted().unwrap().is_empty());
    assert!(!spool.knows(&lease));
}

#[test]
fn what_a_power_cut_took_of_an_acknowledgement_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (entry, lease) = reported(&spool, samples::instant());
    spool.acknowledge(&entry, TAKEN, samples::instant()).unwrap();
    let folder = std::fs::read_dir(dir.path().join("acknowledged")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("closed.json"), b"").unwrap();
    spool.prune(Utc::now() + TimeDelta::days(6)).unwrap();
    assert!(spool.knows(&lease));
    assert_eq!(spool.offer_again().unwrap(), 1);
    assert_eq!(spool.pending().unwrap()[0].1, report(&lease, samples::instant()));
    spool.acknowledge(&entry, TAKEN, samples::instant()).unwrap();
    std::fs::write(folder.join("closed.json"), b"").unwrap();
    spool.prune(Utc::now() + TimeDelta::days(8)).unwrap();
    assert!(!spool.knows(&lease), "by the age of its folder");
}

#[test]
fn raw_files_of_an_attempt_that_never_began_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let lease = lease();
    spool.entry(&lease).put_blob(b"raw").unwrap();
    drop(spool);
    assert!(!open(&dir).knows(&lease));
}

#[test]
fn no_lease_token_is_in_a_folders_name() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (_, lease) = reported(&spool, samples::instant());
    let name = std::fs::read_dir(dir.path().join("open")).unwrap().next().unwrap().unwrap().file_name();
    let name = name.to_string_lossy();
    assert!(name.contains(&lease.job_id.to_string()));
    assert!(!name.contains(&lease.lease_token.to_string()));
}
