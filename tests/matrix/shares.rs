//! The whole matrix, in shares: each is one campaign.

use super::{Arm, Victim};
use crate::points::{self, Point};
use jobs::crash::Moment;

/// Steps that a campaign of the demo does not come to, and why.
const ELSEWHERE: [(&str, &str); 13] = [
    (
        "engine.hold",
        "only for a step that can never succeed: orchestrator/tests/it/engine_faults.rs makes one",
    ),
    ("engine.draw_manual", "only for work that belongs to no plate: no plan has any"),
    ("queue.give_back", "the demo does what it takes in hand: orchestrator/tests/it/by_hand.rs gives back"),
    (
        "engine.end_delivery",
        "the demo tells no channel: orchestrator/tests/it/notifications_deliver.rs kills there",
    ),
    ("engine.watch_agents", "looks only when the service has lived for a minute"),
    (
        "queue.stop",
        "nobody stops a job in a campaign that is to end: orchestrator/tests/it/jobs_conformance.rs",
    ),
    ("queue.stop_round", "the same for a round: orchestrator/tests/it/engine_faults.rs"),
    ("engine.drain", "nobody drains a campaign that is to end: orchestrator/tests/it/stop/"),
    (
        "engine.clear_stray",
        "only where a place could not be cleared: orchestrator/tests/it/places.rs makes some",
    ),
    ("queue.take_back", "nobody pauses between a lease and its start: orchestrator/tests/it/stop/"),
    ("queue.keep_orphan", "only after a restore: tests/it/restore.rs"),
    ("robot.keep_protocol", "kept once in the life of a bench"),
    ("robot.keep_data_file", "nothing has begun: the same as robot.keep_run.before"),
];

/// Moves and incubations leave no file.
const WITHOUT_FILES: [&str; 2] = ["agent-mover-1", "agent-incubator-1"];

fn is_elsewhere(point: &Point) -> bool {
    let has_no_files = WITHOUT_FILES.contains(&point.process.as_str());
    ELSEWHERE.iter().any(|(step, _)| point.step == *step) || (has_no_files && point.step == "worker.upload")
}

/// One campaign of the matrix.
pub struct Share {
    pub name: &'static str,
    pub arms: Vec<Arm>,
    /// Said to the demo.
    pub arguments: Vec<&'static str>,
}

/// A campaign whose batches are approved through the API, whose plates are sealed by hand, and whose dispenses are long
/// enough for heartbeats.
const APPROVED_BY_PEOPLE: [&str; 5] = ["--by-hand", "--history", "99", "--transfer-seconds", "0.05"];
/// Longer: each of these processes has few jobs in a round. A run takes so long that it has to be followed.
const APPROVED_BY_POLICY: [&str; 5] = ["--auto-approve", "--rounds", "3", "--transfer-seconds", "0.03"];

/// Every step of every process, each in the share where it is killed.
pub fn shares() -> anyhow::Result<Vec<Share>> {
    let listed: Vec<Point> = points::all()?.into_iter().filter(|point| !is_elsewhere(point)).collect();
    let of = |processes: &[&str]| -> Vec<Point> {
        listed.iter().filter(|point| processes.contains(&point.process.as_str())).cloned().collect()
    };
    let itself = |points: Vec<Point>| points.into_iter().map(|point| (point, Victim::Itself));
    let database = |moment: Moment| -> Vec<Arm> {
        let points = of(&["serve"]).into_iter().filter(|point| point.moment == moment);
        points.map(|point| (point, Victim::Other("postgres"))).chain(provocations()).collect()
    };
    let workers = ["agent-handler-1", "learner"];
    let small = ["agent-mover-1", "agent-incubator-1", "agent-reader-1"];
    let agents = ["agent-handler-1", "agent-mover-1", "agent-incubator-1", "agent-reader-1"];
    let talks = |point: &Point| point.step.starts_with("opentrons.") || point.step.starts_with("operation.");
    Ok(vec![
        Share {
            name: "service",
            arms: itself(of(&["serve"])).chain(provocations()).collect(),
            arguments: APPROVED_BY_PEOPLE.to_vec(),
        },
        Share {
            name: "database-writing",
            arms: database(Moment::During),
            arguments: APPROVED_BY_PEOPLE.to_vec(),
        },
        Share {
            name: "database-written",
            arms: database(Moment::After),
            arguments: APPROVED_BY_PEOPLE.to_vec(),
        },
        Share {
            name: "workers",
            arms: itself(of(&workers)).chain(asked_to_end(&workers)).collect(),
            arguments: APPROVED_BY_POLICY.to_vec(),
        },
        Share {
            name: "small-agents",
            arms: itself(of(&small)).chain(asked_to_end(&small)).collect(),
            arguments: APPROVED_BY_POLICY.to_vec(),
        },
        Share {
            name: "devices",
            arms: itself(of(&["bench"]))
                .chain(of(&agents).into_iter().filter(talks).map(|point| (point, Victim::Other("bench"))))
                .collect(),
            arguments: APPROVED_BY_POLICY.to_vec(),
        },
    ])
}

fn point(process: &str, step: &str, moment: Moment) -> Point {
    Point { process: process.to_owned(), step: step.to_owned(), moment }
}

/// Twice with a job in hand: a worker dies before, and after, it has given it back.
fn asked_to_end(processes: &[&str]) -> Vec<Arm> {
    let twice = |process: &&str| vec![(point(process, "worker.lease", Moment::After), Victim::AskedToEnd); 2];
    processes.iter().flat_map(twice).collect()
}

/// What makes the service come to the rarer of its steps: leases that are given back, some that run out, and
/// work in doubt.
fn provocations() -> Vec<Arm> {
    let given_back = (point("agent-mover-1", "worker.lease", Moment::After), Victim::AskedToEnd);
    // Often: a worker tries to give back once, and the service is dead most of the time.
    let mut arms = vec![given_back; 8];
    for process in ["agent-handler-1", "agent-incubator-1", "agent-reader-1"] {
        arms.push((point(process, "worker.lease", Moment::After), Victim::Itself));
    }
    for event in ["truth.transferred", "truth.plate_moved", "truth.incubated"] {
        arms.push((point("bench", event, Moment::After), Victim::Itself));
    }
    arms
}
