//! What stands around the queue: the login, clocks, connections, vacuum, disk, learners, what stands still. Pure.

use super::{Finding, Verdict, broken, judge, unchecked, well};
use crate::api::SignOn;
use crate::store::Error;
use crate::store::checkup::Astray;
use crate::store::installation::Installation;
use chrono::{DateTime, Utc};

const GIB: u64 = 1 << 30;
/// Clocks that differ by more are looked at, in seconds.
const CLOCKS_AGREE_WITHIN: i64 = 5;
/// A learner that was not heard of for so long is silent, in seconds.
const LEARNER_SILENT: i64 = 180;

/// Why what other sessions do cannot be judged.
pub(super) const BLIND: &str =
    "the login may not see other sessions: `grant pg_read_all_stats to loopwright_app` as a superuser";

pub(super) fn read(it: &Installation, here: DateTime<Utc>) -> Vec<Finding> {
    let look = |wrong: bool, says: String| wrong.then_some((Verdict::Look, says));
    let full = it.connections_most > 0 && it.connections * 10 > it.connections_most * 8;
    let slot = it.slot_bytes.unwrap_or_default();
    vec![
        judge(
            "clock",
            apart("the database", it.database_at, here),
            "the database's agrees with this machine's",
        ),
        judge(
            "laboratory time",
            look(
                it.clock_jumps,
                "moves by jumps: right for a demo, wrong for a laboratory with devices".to_owned(),
            ),
            "is real time",
        ),
        judge(
            "laboratory",
            it.stopped.as_ref().map(|reason| {
                (
                    Verdict::Look,
                    format!("is stopped: {reason}. `loopwright laboratory`, then `loopwright resume-all`"),
                )
            }),
            "is not stopped",
        ),
        learners(it, here),
        judge(
            "connections",
            look(
                full,
                format!(
                    "{} of {} are used: raise max_connections, or look who holds them in pg_stat_activity",
                    it.connections, it.connections_most
                ),
            ),
            "enough are free",
        ),
        judge(
            "vacuum",
            if it.autovacuum {
                look(
                    !it.bloated.is_empty(),
                    format!(
                        "more rows dead than alive in {}: vacuum them, and look what holds vacuum back",
                        it.bloated.join(", ")
                    ),
                )
            } else {
                Some((
                    Verdict::Broken,
                    "autovacuum is off: the queue slows down until it stands. Turn it on.".to_owned(),
                ))
            },
            "keeps up",
        ),
        transactions(it),
        judge(
            "replication",
            look(
                slot > 10 * i64::try_from(GIB).unwrap_or(i64::MAX),
                format!(
                    "a slot keeps {} GiB of write-ahead log: is its replica alive? If it is gone, drop the slot (pg_replication_slots)",
                    slot / i64::try_from(GIB).unwrap_or(i64::MAX)
                ),
            ),
            "no slot keeps much",
        ),
        well("database size", format!("{:.2} GiB", bytes(it.database_bytes.unsigned_abs()))),
    ]
}

/// Whether each row of the queue's history has its job.
pub(super) fn history(astray: &[Astray]) -> Finding {
    let rows: Vec<String> = astray.iter().map(ToString::to_string).collect();
    let bad = (!rows.is_empty()).then(|| {
        let says = format!(
            "rows name jobs that are not there ({}): something was restored or removed in part; restore the last \
             backup, or bring the missing jobs back from it",
            rows.join(", ")
        );
        (Verdict::Broken, says)
    });
    judge("history", bad, "each row of it has its job")
}

/// In GiB, for people: a float is exact enough.
fn bytes(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

fn transactions(it: &Installation) -> Finding {
    if !it.sees_sessions {
        return unchecked("transactions", BLIND);
    }
    let idle = it.idle_in_transaction_seconds.unwrap_or_default();
    let bad = (idle > 300.0).then(|| {
        let says = format!(
            "one is open for {idle:.0} s and does nothing, which holds vacuum back: end it (pg_stat_activity)"
        );
        (Verdict::Look, says)
    });
    judge("transactions", bad, "none is left open")
}

fn learners(it: &Installation, here: DateTime<Utc>) -> Finding {
    let now = it.database_at.unwrap_or(here);
    let silent = it.learner_seen_at.is_none_or(|seen| (now - seen).num_seconds() > LEARNER_SILENT);
    let bad = (it.learner_jobs > 0 && silent).then(|| {
        let since = it.learner_seen_at.map(|at| format!(" since {at}")).unwrap_or_default();
        let says = format!(
            "{} jobs wait for a learner, and none was heard of{since}: start a `loopwright-learner`, or look why it does not reach the server",
            it.learner_jobs
        );
        (Verdict::Look, says)
    });
    judge("learners", bad, "no training or proposing waits for one")
}

fn apart(whose: &str, there: Option<DateTime<Utc>>, here: DateTime<Utc>) -> Option<(Verdict, String)> {
    let seconds = (there? - here).num_seconds();
    (seconds.abs() > CLOCKS_AGREE_WITHIN).then(|| {
        let says = format!(
            "{whose} is {seconds} s off from here: let both machines keep time (chrony, systemd-timesyncd)"
        );
        (Verdict::Look, says)
    })
}

/// The server's clock against the database's.
pub(super) fn server_clock(server: Option<DateTime<Utc>>, database: Option<DateTime<Utc>>) -> Finding {
    match (server, database) {
        (Some(server), Some(database)) => {
            judge("server clock", apart("the database", Some(database), server), "agrees with the database's")
        }
        _ => unchecked("server clock", "an older server does not say"),
    }
}

pub(super) fn standstills(words: &[String]) -> Finding {
    let bad = (!words.is_empty()).then(|| (Verdict::Look, words.join("\n")));
    judge("standstills", bad, "nothing waits past its deadline")
}

pub(super) fn blobs(wrong: &[String]) -> Finding {
    let bad = (!wrong.is_empty()).then(|| {
        let says = format!("{}. Bring the folder back from a backup.", wrong.join("; "));
        (Verdict::Broken, says)
    });
    judge("blobs", bad, "a sample is there, with the right content")
}

/// The identity provider, where people sign on by one.
pub(super) fn sign_on(it: &SignOn) -> Finding {
    let bad = it.error.as_ref().map(|error| {
        let says = format!(
            "nobody can sign on by {}: {error}. Whoever has a password still signs in with it.",
            it.issuer
        );
        (Verdict::Broken, says)
    });
    judge("sign-on", bad, "the identity provider answers the server")
}

pub(super) fn free_space(free: Option<u64>) -> Finding {
    let Some(free) = free else { return unchecked("disk", "how much is free for blobs cannot be told") };
    let says = format!("{:.1} GiB are free for blobs", bytes(free));
    match free {
        0..GIB => broken("disk", format!("{says}: make room before results can no longer be stored")),
        _ if free < 10 * GIB => {
            Finding { check: "disk", verdict: Verdict::Look, says: format!("{says}: make room soon") }
        }
        _ => well("disk", says),
    }
}

/// Why the database cannot be used, told apart by what to do about it.
pub(super) fn unreachable(error: &Error) -> Finding {
    let text = error.with_sources();
    match error {
        Error::SchemaOlder { .. } | Error::SchemaNewer { .. } => broken("migrations", error.to_string()),
        _ if text.contains("set role") || text.contains("permission denied") => broken(
            "database login",
            format!(
                "it may log in, and may not act as loopwright_app: `grant loopwright_app to THE_LOGIN` as the owner ({text})"
            ),
        ),
        _ if text.contains("loopwright_app") => broken(
            "migrations",
            format!("there is no role loopwright_app: run `loopwright migrate` as the owner first ({text})"),
        ),
        _ => broken("database", format!("{text}; is PostgreSQL running, and is the URL right?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-02T12:00:00Z".parse().expect("an instant")
    }

    fn healthy() -> Installation {
        Installation {
            database_at: Some(now()),
            connections: 10,
            connections_most: 100,
            autovacuum: true,
            sees_sessions: true,
            ..Installation::default()
        }
    }

    fn ill(it: &Installation) -> Vec<(&'static str, Verdict)> {
        let findings = read(it, now()).into_iter().filter(|finding| finding.verdict != Verdict::Well);
        findings.map(|finding| (finding.check, finding.verdict)).collect()
    }

    #[test]
    fn a_healthy_installation_has_no_findings_and_each_ill_one_has_its_own() {
        assert_eq!(ill(&healthy()), []);
        let cases = [
            ("clock", Installation { database_at: Some(now() + chrono::Duration::seconds(60)), ..healthy() }),
            ("laboratory time", Installation { clock_jumps: true, ..healthy() }),
            ("laboratory", Installation { stopped: Some("smoke".into()), ..healthy() }),
            ("learners", Installation { learner_jobs: 1, ..healthy() }),
            ("connections", Installation { connections: 90, ..healthy() }),
            ("vacuum", Installation { bloated: vec!["event".into()], ..healthy() }),
            ("transactions", Installation { idle_in_transaction_seconds: Some(900.0), ..healthy() }),
            ("replication", Installation { slot_bytes: Some(1 << 40), ..healthy() }),
        ];
        for (check, it) in cases {
            assert_eq!(ill(&it), [(check, Verdict::Look)]);
        }
        let blind = Installation { sees_sessions: false, ..healthy() };
        assert_eq!(ill(&blind), [("transactions", Verdict::Unchecked)]);
        let off = Installation { autovacuum: false, ..healthy() };
        assert_eq!(ill(&off), [("vacuum", Verdict::Broken)]);
    }

    #[test]
    fn a_learner_that_was_heard_of_just_now_is_no_finding() {
        let seen = Installation { learner_jobs: 3, learner_seen_at: Some(now()), ..healthy() };
        assert_eq!(ill(&seen), []);
    }

    #[test]
    fn history_without_its_jobs_is_broken_and_said_by_table() {
        assert_eq!(history(&[]).verdict, Verdict::Well);
        let astray = |table: &str, rows| Astray { table: table.to_owned(), rows };
        let found = history(&[astray("job_attempt", 3), astray("lease", 1)]);
        assert_eq!(found.verdict, Verdict::Broken);
        assert!(found.says.contains("(3 of job_attempt, 1 of lease)"), "{}", found.says);
    }

    #[test]
    fn a_full_disk_is_broken_and_a_filling_one_is_looked_at() {
        let verdict = |free| free_space(Some(free)).verdict;
        assert_eq!(
            [verdict(GIB / 2), verdict(5 * GIB), verdict(50 * GIB)],
            [Verdict::Broken, Verdict::Look, Verdict::Well]
        );
        assert_eq!(free_space(None).verdict, Verdict::Unchecked);
    }

    #[test]
    fn a_login_that_may_not_act_as_the_application_is_told_from_a_database_that_is_down() {
        let denied = |text: &str| Error::Unavailable(sqlx::Error::Protocol(text.to_owned()));
        let check = |error: &Error| unreachable(error).check;
        assert_eq!(check(&denied("permission denied to set role \"loopwright_app\"")), "database login");
        assert_eq!(check(&denied("role \"loopwright_app\" does not exist")), "migrations");
        assert_eq!(check(&denied("connection refused")), "database");
        assert_eq!(check(&Error::SchemaOlder { found: 3, known: 12 }), "migrations");
    }
}
