//! One campaign that is hurt at random.

use super::Plan;
use super::recovery::{Pending, Recovery};
use crate::judge::Verdict;
use crate::live::live;
use crate::matrix::fast_laboratory;
use crate::person::Person;
use crate::scene::{Scene, signal};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(420);
/// Nobody takes longer to come back, or it is lost.
const RECOVERS: Duration = Duration::from_secs(90);
/// Between two kills, in milliseconds.
const GAP_MS: std::ops::Range<u64> = 30..900;
/// Longer than a lease of the fast laboratory (3 s).
const PAUSE: Duration = Duration::from_millis(4500);

/// Who is hurt how often. `everything`: the supervisor, and with it all of them.
const VICTIMS: [(&str, u32); 9] = [
    ("serve", 6),
    ("postgres", 4),
    ("bench", 3),
    ("learner", 3),
    ("agent-handler-1", 4),
    ("agent-mover-1", 3),
    ("agent-incubator-1", 2),
    ("agent-reader-1", 2),
    ("everything", 1),
];

/// What became of it.
pub(super) struct One {
    pub verdict: Verdict,
    pub recoveries: BTreeMap<String, Vec<Recovery>>,
    pub pauses: u32,
    pub seconds: f64,
    pub kept: Option<PathBuf>,
}

impl One {
    pub fn kills(&self) -> u32 {
        self.recoveries.values().map(|all| u32::try_from(all.len()).unwrap_or(u32::MAX)).sum()
    }
}

pub(super) fn run(plan: Plan, number: u32, left: &AtomicU32) -> One {
    let began = Instant::now();
    let mut walk = Walk {
        random: ChaCha8Rng::seed_from_u64(plan.seed.wrapping_mul(1_000_003) ^ u64::from(number)),
        quota: plan.kills_a_campaign,
        pending: Vec::new(),
        recoveries: BTreeMap::new(),
        pauses: 0,
        asleep: None,
    };
    let more: &[&str] = if number.is_multiple_of(2) {
        &["--auto-approve"]
    } else {
        &["--history", "99", "--transfer-seconds", "0.04"]
    };
    let opened = Scene::open(fast_laboratory(u64::from(number) + 1, more));
    let ended = opened.and_then(|mut scene| match walk.live(&mut scene, left) {
        Ok(verdict) => Ok((verdict, scene.stop()?)),
        Err(error) => {
            let mut verdict = Verdict::default();
            verdict.broken.push(format!("the campaign did not finish: {error:#}"));
            Ok((verdict, scene.stop()?))
        }
    });
    let (verdict, laboratory) = match ended {
        Ok((verdict, laboratory)) => (verdict, Some(laboratory)),
        Err(error) => {
            let mut verdict = Verdict::default();
            verdict.broken.push(format!("{error:#}"));
            (verdict, None)
        }
    };
    let kept = laboratory.filter(|_| !verdict.is_sound()).map(crate::laboratory::Laboratory::keep);
    let seconds = began.elapsed().as_secs_f64();
    One { verdict, recoveries: walk.recoveries, pauses: walk.pauses, seconds, kept }
}

struct Walk {
    random: ChaCha8Rng,
    quota: u32,
    pending: Vec<Pending>,
    recoveries: BTreeMap<String, Vec<Recovery>>,
    pauses: u32,
    /// Who sleeps, and until when.
    asleep: Option<(String, u32, Instant)>,
}

impl Walk {
    /// Until the campaign has finished and everybody is back.
    fn live(&mut self, scene: &mut Scene, left: &AtomicU32) -> anyhow::Result<Verdict> {
        let mut next = Instant::now() + self.gap();
        live(scene, &mut Person::default(), LIMIT, |scene| {
            self.see_who_is_back(scene)?;
            if Instant::now() > next {
                next = Instant::now() + self.gap();
                self.hurt(scene, left)?;
            }
            Ok(self.pending.is_empty() && self.asleep.is_none())
        })
    }

    fn gap(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(GAP_MS))
    }

    fn see_who_is_back(&mut self, scene: &Scene) -> anyhow::Result<()> {
        if let Some((_, pid, _)) = self.asleep.take_if(|(_, _, until)| Instant::now() > *until) {
            signal(pid, "CONT");
        }
        let mut waiting = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            match pending.look(scene) {
                Some(recovery) => {
                    self.recoveries.entry(pending.process.clone()).or_default().push(recovery);
                }
                None if pending.waited() > RECOVERS => {
                    anyhow::bail!("{} did not come back\n{}", pending.process, scene.words());
                }
                None => waiting.push(pending),
            }
        }
        self.pending = waiting;
        Ok(())
    }

    /// Draws somebody who is well, and how it is hurt.
    fn hurt(&mut self, scene: &mut Scene, left: &AtomicU32) -> anyhow::Result<()> {
        let processes = scene.processes();
        let (drawn, pauses) = (self.draw(), self.random.random_ratio(1, 10));
        let sleeps = self.asleep.as_ref().is_some_and(|(name, ..)| name == drawn);
        let is_ill =
            self.pending.iter().any(|it| it.process == drawn || it.process == "everything") || sleeps;
        let Some(pid) = processes.get(drawn).copied().or((drawn == "everything").then_some(0)) else {
            return Ok(());
        };
        if is_ill || self.quota == 0 {
            return Ok(());
        }
        if pauses && drawn != "everything" && drawn != "postgres" && self.asleep.is_none() {
            signal(pid, "STOP");
            self.pauses += 1;
            self.asleep = Some((drawn.to_owned(), pid, Instant::now() + PAUSE));
            return Ok(());
        }
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return Ok(());
        }
        self.quota -= 1;
        self.pending.push(Pending::new(scene, drawn, pid));
        if drawn == "everything" {
            scene.kill_all()?;
        } else {
            signal(pid, "KILL");
        }
        Ok(())
    }

    fn draw(&mut self) -> &'static str {
        let all: u32 = VICTIMS.iter().map(|(_, weight)| weight).sum();
        let mut drawn = self.random.random_range(0..all);
        for (name, weight) in VICTIMS {
            if drawn < weight {
                return name;
            }
            drawn -= weight;
        }
        "serve"
    }
}
