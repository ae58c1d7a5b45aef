//! Walks a campaign through armed points, and kills at each.

mod shares;

pub use shares::{Share, shares};

use crate::judge::Verdict;
use crate::laboratory::Laboratory;
use crate::live::live;
use crate::person::Person;
use crate::points::{Folder, Point};
use crate::scene::{Scene, is_alive, signal};
use anyhow::Context;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// A process that waits at a point hears a signal within a turn of its runtime.
const HEARS: Duration = Duration::from_millis(150);

/// Who dies when the point is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Victim {
    /// Who stands there.
    Itself,
    /// A process of the demo: `postgres`, `bench`.
    Other(&'static str),
    /// Nobody: who stands there is asked to end, and goes on.
    AskedToEnd,
}

/// What is killed at which point. A point may be there several times: one after the other.
pub type Arm = (Point, Victim);

/// How a walk ended.
pub struct Walked {
    pub verdict: Verdict,
    pub killed: Vec<Arm>,
    /// Points that the campaign never came to.
    pub unreached: Vec<Point>,
    pub resumed: u32,
    pub laboratory: Laboratory,
}

/// One share of the matrix.
///
/// # Errors
/// When its campaign does not finish within `limit`.
pub fn walk_share(share: Share, limit: Duration) -> anyhow::Result<Walked> {
    walk(fast_laboratory(7, &share.arguments), share.arms, Person::curious(), limit)
}

/// Runs a campaign with everything armed from its beginning, and judges it.
///
/// # Errors
/// When the campaign does not finish within `limit`.
pub fn walk(
    mut laboratory: Laboratory,
    arms: Vec<Arm>,
    mut person: Person,
    limit: Duration,
) -> anyhow::Result<Walked> {
    let folder = Folder::make(laboratory.path().join("points"))?;
    laboratory.environment.push((jobs::crash::FOLDER.to_owned(), folder.path().to_owned()));
    let mut left: BTreeMap<Point, VecDeque<Victim>> = BTreeMap::new();
    for (point, victim) in arms {
        left.entry(point).or_default().push_back(victim);
    }
    for point in left.keys() {
        folder.arm(point)?;
    }
    let mut scene = Scene::open(laboratory)?;
    let mut killed = Vec::new();
    let verdict = live(&mut scene, &mut person, limit, |scene| {
        kill_who_stands(&folder, &mut left, scene, &mut killed)?;
        // A campaign that has finished comes to nothing any more.
        Ok(true)
    });
    let unreached: Vec<Point> = left.into_keys().collect();
    let verdict = verdict.with_context(|| {
        let points: Vec<String> = unreached.iter().map(ToString::to_string).collect();
        format!("after {} kills; not reached: {points:?}", killed.len())
    })?;
    Ok(Walked { verdict, killed, unreached, resumed: person.resumed, laboratory: scene.stop()? })
}

fn kill_who_stands(
    folder: &Folder,
    left: &mut BTreeMap<Point, VecDeque<Victim>>,
    scene: &mut Scene,
    killed: &mut Vec<Arm>,
) -> anyhow::Result<()> {
    let reached: Vec<(Point, u32)> =
        left.keys().filter_map(|point| Some((point.clone(), folder.reached(point)?))).collect();
    for (point, pid) in reached {
        let Some(victims) = left.get_mut(&point) else { continue };
        let victim = victims.pop_front();
        match &victim {
            Some(Victim::AskedToEnd) => {
                signal(pid, "TERM");
                // It goes on with what it holds unless it has heard by then.
                std::thread::sleep(HEARS);
            }
            Some(Victim::Other(name)) if is_alive(pid) => {
                let died = scene.kill(name)?;
                await_death(died);
            }
            // It was killed with something else while it stood there: the point is taken as it is.
            _ => {
                signal(pid, "KILL");
                await_death(pid);
            }
        }
        let is_over = victims.is_empty();
        killed.extend(victim.map(|victim| (point.clone(), victim)));
        folder.release(&point);
        if is_over {
            left.remove(&point);
        } else {
            folder.arm(&point)?;
        }
    }
    Ok(())
}

fn await_death(pid: u32) {
    let end = Instant::now() + Duration::from_secs(5);
    while is_alive(pid) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A laboratory for a fast campaign of the demo, brisk in starting again.
pub fn fast_laboratory(seed: u64, more: &[&str]) -> Laboratory {
    let seed = seed.to_string();
    let mut arguments = vec!["--batch", "8", "--noise", "0", "--restart-pause-ms", "10"];
    arguments.extend(["--serve-option=--lease-seconds=3", "--seed", &seed]);
    if !more.contains(&"--rounds") {
        arguments.extend(["--rounds", "2"]);
    }
    arguments.extend(more);
    Laboratory::new(&arguments)
}
