//! Kills at random moments over many fast campaigns, each judged when it has finished.
//!
//! Who is hurt, when and how is drawn from the seed; what that hits depends on the machine. A process that has
//! not recovered is left alone until it has.

mod campaign;
mod recovery;

pub use recovery::Recovery;

use crate::judge::Verdict;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub kills: u32,
    pub seed: u64,
    /// Campaigns side by side.
    pub at_once: u32,
    /// Kills in one campaign at the most.
    pub kills_a_campaign: u32,
}

/// What became of it all.
#[derive(Debug, Default)]
pub struct Walked {
    pub campaigns: u32,
    pub kills: u32,
    /// Processes that were stopped for longer than their lease, and woken.
    pub pauses: u32,
    /// By process.
    pub recoveries: BTreeMap<String, Vec<Recovery>>,
    pub lost: Vec<String>,
    pub repeated: Vec<String>,
    pub broken: Vec<String>,
    pub in_doubt: u64,
    pub resolved: u64,
    /// Folders of campaigns that were not sound.
    pub kept: Vec<PathBuf>,
}

impl Walked {
    pub fn is_sound(&self) -> bool {
        self.lost.is_empty() && self.repeated.is_empty() && self.broken.is_empty()
    }

    fn add_verdict(&mut self, verdict: Verdict) {
        self.lost.extend(verdict.lost);
        self.repeated.extend(verdict.repeated);
        self.broken.extend(verdict.broken);
        self.in_doubt += verdict.in_doubt;
        self.resolved += verdict.resolved;
    }
}

/// Walks until `plan.kills` are done, and every campaign begun has ended. `tell` hears of each campaign.
pub fn walk(plan: Plan, tell: impl Fn(&str) + Sync) -> Walked {
    let (left, next) = (AtomicU32::new(plan.kills), AtomicU32::new(0));
    let all = Mutex::new(Walked::default());
    std::thread::scope(|scope| {
        for _ in 0..plan.at_once.max(1) {
            scope.spawn(|| {
                while left.load(Ordering::SeqCst) > 0 {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let one = campaign::run(plan, number, &left);
                    let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    tell(&format!(
                        "campaign {number}: {} kills in {:.0} s, {} in doubt, {}",
                        one.kills(),
                        one.seconds,
                        one.verdict.in_doubt,
                        if one.verdict.is_sound() { "sound".to_owned() } else { one.verdict.to_string() },
                    ));
                    all.campaigns += 1;
                    all.kills += one.kills();
                    all.pauses += one.pauses;
                    for (process, recoveries) in one.recoveries {
                        all.recoveries.entry(process).or_default().extend(recoveries);
                    }
                    all.add_verdict(one.verdict);
                    all.kept.extend(one.kept);
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
