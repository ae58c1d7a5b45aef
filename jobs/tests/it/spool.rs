//! The spool alone: what it keeps, what it refuses.

use crate::samples;
use chrono::{DateTime, TimeDelta, Utc};
use jobs::spool::*;
use jobs::wire::{Disposition, Lease, Report, ReportAnswer};
use jobs::work::{Kind, Outcome};
use jobs::{Digest, JobId, LeaseToken};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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

fn only_file(dir: &TempDir, part: &str) -> PathBuf {
    let mut files = std::fs::read_dir(dir.path().join(part)).unwrap();
    let only = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none(), "more than {}", only.display());
    only
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
    let order: Vec<JobId> = spool.pending().unwrap().iter().map(|it| it.report.job_id).collect();
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
    let lease = lease();
    let entry = spool.entry(&lease);
    entry.write_begun(&begun(&lease, samples::instant())).unwrap();
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
fn half_a_line_leaves_what_was_there_before_and_gives_way_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let lease = lease();
    let entry = spool.entry(&lease);
    entry.write_begun(&begun(&lease, samples::instant())).unwrap();
    let file = only_file(&dir, "open");
    let whole = std::fs::read(&file).unwrap();
    for torn in [b"{\"report\":{\"job".as_slice(), &[0; 64]] {
        std::fs::write(&file, [&whole, torn].concat()).unwrap();
        assert_eq!(spool.interrupted().unwrap()[0].1, begun(&lease, samples::instant()));
    }
    entry.write_report(&report(&lease, samples::instant())).unwrap();
    assert_eq!(spool.pending().unwrap()[0].report, report(&lease, samples::instant()));
    let text = String::from_utf8(std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
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
    std::fs::write(only_file(&dir, "open"), b"").unwrap();
    drop(spool);
    let spool = open(&dir);
    assert!(spool.interrupted().unwrap().is_empty());
    assert!(!spool.knows(&lease));
}

#[test]
fn of_a_damaged_attempt_nothing_is_made_up() {
    for damaged in ["report", "begun"] {
        let dir = tempfile::tempdir().unwrap();
        let lease = lease();
        let spool = open(&dir);
        let entry = spool.entry(&lease);
        let beginning = BegunRecord { phase: Phase::Beginning, ..begun(&lease, samples::instant()) };
        entry.write_beginning(&beginning).unwrap();
        entry.write_begun(&begun(&lease, samples::instant())).unwrap();
        if damaged == "report" {
            entry.write_report(&report(&lease, samples::instant())).unwrap();
        }
        // The last line; in a newer agent's words, or damaged.
        let file = only_file(&dir, "open");
        let mut text = std::fs::read(&file).unwrap();
        let last = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        text[last + 3] = b'?';
        std::fs::write(&file, text).unwrap();
        assert!(spool.interrupted().unwrap().is_empty(), "{damaged}: it may have come further");
        drop(spool);
        let spool = open(&dir);
        assert!(spool.interrupted().unwrap().is_empty(), "{damaged}");
        assert!(spool.pending().unwrap().is_empty(), "{damaged}");
        assert!(spool.knows(&lease), "{damaged}: it is not begun twice");
        assert_eq!(spool.in_hand().unwrap(), [begun(&lease, samples::instant())], "{damaged}: it had begun");
        only_file(&dir, "unreadable");
        spool.room().unwrap();
    }
}

#[test]
fn a_report_without_its_end_of_line_was_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let lease = lease();
    let spool = open(&dir);
    let entry = spool.entry(&lease);
    entry.write_begun(&begun(&lease, samples::instant())).unwrap();
    entry.write_report(&report(&lease, samples::instant())).unwrap();
    let file = only_file(&dir, "open");
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 1]).unwrap();
    drop(spool);
    let spool = open(&dir);
    assert!(spool.pending().unwrap().is_empty());
    let found = spool.interrupted().unwrap();
    let later = report(&lease, samples::instant() + TimeDelta::seconds(1));
    found[0].0.write_report(&later).unwrap();
    let (entry, pending) = (&found[0].0, spool.pending().unwrap());
    assert_eq!(pending[0].report, later);
    spool.acknowledge(entry, TAKEN, samples::instant()).unwrap();
    spool.offer_again().unwrap();
    assert_eq!(spool.pending().unwrap()[0].report, later);
}

#[test]
fn an_attempt_of_which_nothing_can_be_read_is_kept_for_people() {
    let dir = tempfile::tempdir().unwrap();
    let lease = lease();
    let spool = open(&dir);
    spool.entry(&lease).write_begun(&begun(&lease, samples::instant())).unwrap();
    std::fs::write(only_file(&dir, "open"), b"{\"begun\": \n").unwrap();
    drop(spool);
    let spool = open(&dir);
    assert!(spool.interrupted().unwrap().is_empty());
    assert_eq!(std::fs::read(only_file(&dir, "unreadable")).unwrap(), b"{\"begun\": \n");
}

#[test]
fn what_a_power_cut_took_of_an_acknowledgement_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (entry, lease) = reported(&spool, samples::instant());
    spool.acknowledge(&entry, TAKEN, samples::instant()).unwrap();
    let file = only_file(&dir, "acknowledged");
    let whole = std::fs::read(&file).unwrap();
    let closed = whole.windows(10).position(|text| text == b"{\"closed\":").unwrap();
    std::fs::write(&file, &whole[..closed + 20]).unwrap();
    spool.prune(Utc::now() + TimeDelta::days(6)).unwrap();
    assert!(spool.knows(&lease));
    assert_eq!(spool.offer_again().unwrap(), 1);
    assert_eq!(spool.pending().unwrap()[0].report, report(&lease, samples::instant()));
    spool.acknowledge(&entry, TAKEN, samples::instant()).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole, "half a line has given way");
    std::fs::write(&file, &whole[..closed]).unwrap();
    spool.prune(Utc::now() + TimeDelta::days(8)).unwrap();
    assert!(!spool.knows(&lease), "by the age of its file");
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
fn no_lease_token_is_in_a_files_name() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let (_, lease) = reported(&spool, samples::instant());
    let file = only_file(&dir, "open");
    let name = file.file_name().unwrap().to_string_lossy();
    assert!(name.contains(&lease.job_id.to_string()));
    assert!(!name.contains(&lease.lease_token.to_string()));
}

/// As an agent of before 2026-12 left it: `begun` and `report` where they are given, and a raw file.
fn leave_a_folder(
    dir: &Path,
    part: &str,
    lease: &Lease,
    begun: Option<&BegunRecord>,
    report: Option<&Spooled>,
) -> Digest {
    let folder = dir.join(part).join(folder_name(lease));
    std::fs::create_dir_all(folder.join("blobs")).unwrap();
    let write = |name: &str, text: Vec<u8>| std::fs::write(folder.join(name), text).unwrap();
    if let Some(begun) = begun {
        write(
            "beginning.json",
            serde_json::to_vec_pretty(&BegunRecord { phase: Phase::Beginning, ..begun.clone() }).unwrap(),
        );
        write("begun.json", serde_json::to_vec_pretty(begun).unwrap());
    }
    if let Some(report) = report {
        write("report.json", serde_json::to_vec_pretty(report).unwrap());
    }
    if part == "acknowledged" {
        write(
            "closed.json",
            br#"{"at":"2026-03-02T10:00:00Z","answer":{"disposition":"accepted"},"refusal":null}"#.to_vec(),
        );
    }
    let raw = Digest::of(b"raw");
    std::fs::write(folder.join("blobs").join(raw.to_string()), b"raw").unwrap();
    raw
}

#[test]
fn what_an_earlier_agent_left_is_taken_over_also_when_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    let at = samples::instant();
    let (interrupted, waiting, taken) = (lease(), lease(), lease());
    let raw = leave_a_folder(dir.path(), "open", &interrupted, Some(&begun(&interrupted, at)), None);
    leave_a_folder(dir.path(), "open", &waiting, Some(&begun(&waiting, at)), Some(&report(&waiting, at)));
    leave_a_folder(dir.path(), "acknowledged", &taken, Some(&begun(&taken, at)), Some(&report(&taken, at)));

    for _ in 0..2 {
        let spool = open(&dir);
        let found = spool.interrupted().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, begun(&interrupted, at));
        assert_eq!(found[0].0.blobs().unwrap(), [raw]);
        assert_eq!(found[0].0.read_blob(raw).unwrap(), b"raw".as_slice());
        let pending = spool.pending().unwrap();
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].report, report(&waiting, at));
        assert_eq!(pending[0].begun, Some(begun(&waiting, at)));
        assert_eq!(spool.acknowledged().unwrap(), 1);
        assert!(spool.knows(&taken));
        drop(spool);
        // Killed when the lines were there, and the folder half gone.
        leave_a_folder(dir.path(), "open", &waiting, None, None);
        std::fs::remove_dir_all(dir.path().join("open").join(folder_name(&waiting)).join("blobs")).unwrap();
    }
    let spool = open(&dir);
    spool.prune("2026-03-02T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(8)).unwrap();
    assert!(!spool.knows(&taken), "its days count from when the server took it");
}

#[test]
fn one_damaged_file_of_an_earlier_agent_keeps_no_agent_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    let (whole, damaged) = (lease(), lease());
    let at = samples::instant();
    leave_a_folder(dir.path(), "open", &whole, Some(&begun(&whole, at)), Some(&report(&whole, at)));
    let raw =
        leave_a_folder(dir.path(), "open", &damaged, Some(&begun(&damaged, at)), Some(&report(&damaged, at)));
    std::fs::write(dir.path().join("open").join(folder_name(&damaged)).join("report.json"), "{").unwrap();
    for _ in 0..2 {
        let spool = open(&dir);
        assert_eq!(spool.pending().unwrap().len(), 1);
        assert!(spool.interrupted().unwrap().is_empty());
        assert!(spool.knows(&damaged));
    }
    let kept = dir.path().join("unreadable").join(folder_name(&damaged));
    assert!(kept.join("blobs").join(raw.to_string()).exists());
}

fn folder_name(lease: &Lease) -> String {
    let digest = Digest::of(lease.lease_token.0.as_bytes()).to_string();
    format!("{}.{}", lease.job_id, &digest[..12])
}
