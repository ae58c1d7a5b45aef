//! Every step of every workflow, killed before, during and after it. A new step is here by being listed.

use jobs::crash::Moment;
use std::time::Duration;
use system_tests::matrix::{self, Arm, Share, Victim, Walked, fast_laboratory, shares, walk_share};
use system_tests::person::Person;
use system_tests::points::{self, Point};
use system_tests::table::table;
use system_tests::walk::{Plan, walk};

const LIMIT: Duration = Duration::from_secs(400);

/// Side by side: they wait for leases and for processes that start, more than for a processor.
#[test]
fn every_process_may_die_before_during_and_after_each_of_its_steps() {
    let only = std::env::var("LOOPWRIGHT_MATRIX_SHARE").ok();
    let walks: Vec<_> = shares()
        .unwrap()
        .into_iter()
        .filter(|share| only.as_ref().is_none_or(|only| share.name == only))
        .map(|share| (share.name, std::thread::spawn(move || killed_everywhere(share))))
        .collect();
    let mut failed = Vec::new();
    for (name, walk) in walks {
        match walk.join().unwrap() {
            Ok(words) => println!("{name}: {words}"),
            Err(words) => failed.push(format!("{name}: {words}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Campaigns for one share: which of two things comes first in a campaign is the machine's to say, so a point that
/// one did not come to is waited for in another.
const CAMPAIGNS: usize = 3;

/// The campaigns end as if nothing had happened, and came to every point.
fn killed_everywhere(share: Share) -> Result<String, String> {
    if share.arms.len() < 20 {
        return Err(format!("the programs list too few steps: {:?}", share.arms));
    }
    let mut missed: Option<Vec<Point>> = None;
    let (mut kills, mut in_doubt) = (0, 0);
    for _ in 0..CAMPAIGNS {
        // All of it again: what one point needs, the kill at another may bring about.
        let again = Share { name: share.name, arms: share.arms.clone(), arguments: share.arguments.clone() };
        let walked = walk_share(again, LIMIT).map_err(|error| format!("{error:#}"))?;
        if !walked.verdict.is_sound() {
            let (verdict, killed) = (walked.verdict, walked.killed);
            return Err(format!("{verdict}\n{killed:?}\n{}", walked.laboratory.keep().display()));
        }
        (kills, in_doubt) = (kills + walked.killed.len(), in_doubt + walked.verdict.in_doubt);
        let mut unreached = walked.unreached;
        unreached.retain(|point| missed.as_ref().is_none_or(|missed| missed.contains(point)));
        if unreached.is_empty() {
            return Ok(format!("{kills} kills, {in_doubt} in doubt"));
        }
        missed = Some(unreached);
    }
    let missed: Vec<String> = missed.iter().flatten().map(ToString::to_string).collect();
    Err(format!("{CAMPAIGNS} campaigns never came to {missed:?}"))
}

/// `make chaos`, short.
#[test]
fn processes_may_die_at_any_moment() {
    let plan = Plan { kills: 20, seed: 1, at_once: 1, kills_a_campaign: 20 };
    let walked = walk(plan, |line| println!("{line}"));
    println!("{}", table(&walked));
    assert!(walked.is_sound() && walked.kills == plan.kills, "{}", table(&walked));
}

/// Where nothing is lost, the end is the same: noise belongs to plates and wells, not to when they were read.
///
/// On a machine that stands still for longer than leases last (3 s), a training may be given to workers five times and
/// then fails: its campaign goes on with the version before, which says nothing of kills. Then others are compared.
#[test]
fn a_killed_campaign_chooses_and_measures_what_it_would_have_without() {
    let mut versions = Vec::new();
    for _ in 0..CAMPAIGNS {
        let unhurt = std::thread::spawn(|| walk_arms(Vec::new()));
        let hurt = walk_arms(harmless());
        let unhurt = unhurt.join().unwrap();
        assert!(hurt.killed.len() >= 40, "{:?}", hurt.killed);
        assert_eq!(unhurt.verdict.measured.len(), 2);
        let is_alike = hurt.verdict.proposed_by == unhurt.verdict.proposed_by;
        // What the first round is chosen by, no training of the campaign's own can change.
        assert_same(&hurt, &unhurt, if is_alike { u64::MAX } else { 1 });
        if is_alike {
            return;
        }
        versions.push((hurt.verdict.proposed_by, unhurt.verdict.proposed_by));
        println!("not compared beyond round 1: {:?}", versions.last());
    }
    panic!("proposed by other versions each time (killed, unhurt): {versions:?}");
}

/// Up to the round `last`.
fn assert_same(hurt: &Walked, unhurt: &Walked, last: u64) {
    for (round, expected) in unhurt.verdict.measured.range(..=last) {
        let measured = &hurt.verdict.measured[round];
        assert!(measured.keys().eq(expected.keys()), "round {round}: {measured:?} instead of {expected:?}");
        for (what, value) in expected {
            assert!((measured[what] - value).abs() < 1e-9, "{what}: {} instead of {value}", measured[what]);
        }
    }
}

fn walk_arms(arms: Vec<Arm>) -> Walked {
    let walked =
        matrix::walk(fast_laboratory(7, &["--auto-approve"]), arms, Person::default(), LIMIT).unwrap();
    assert!(walked.verdict.is_sound(), "{}", walked.verdict);
    walked
}

/// Kills that cost no plate: every process but the device; not one worker so often that its job is given up.
fn harmless() -> Vec<Arm> {
    let listed = points::all().unwrap().into_iter();
    let few = [
        ("learner", "learner.train", Moment::During),
        ("learner", "learner.propose", Moment::During),
        ("learner", "worker.report", Moment::After),
        ("agent-handler-1", "opentrons.follow", Moment::During),
        ("agent-handler-1", "worker.report", Moment::After),
        ("agent-reader-1", "worker.perform", Moment::After),
        ("agent-mover-1", "operation.ask", Moment::After),
    ];
    let is_harmless = |point: &Point| {
        point.process == "serve" && point.step != "queue.lease"
            || few.contains(&(point.process.as_str(), point.step.as_str(), point.moment))
    };
    listed.filter(is_harmless).map(|point| (point, Victim::Itself)).collect()
}
