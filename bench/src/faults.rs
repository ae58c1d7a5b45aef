//! Faults on request: what a test or a demonstration wants to go wrong, and when.
//!
//! Armed faults live in memory only: a crash disarms the rest.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// One order for something to go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The process dies as by `kill -9`, right after so many more of the named have happened and are
    /// in the truth log, and before anybody could see the last. Exactly one of the five; 0: at once.
    /// A run of the liquid handler counts when its deck is loaded, before it draws anything.
    Crash {
        #[serde(default)]
        after_runs: Option<u64>,
        #[serde(default)]
        after_transfers: Option<u64>,
        #[serde(default)]
        after_moves: Option<u64>,
        #[serde(default)]
        after_incubations: Option<u64>,
        #[serde(default)]
        after_reads: Option<u64>,
    },
    /// The next run of the liquid handler fails with `code`, after so many transfers of it.
    FailNextRun {
        #[serde(default = "wrong_pipette")]
        code: String,
        #[serde(default)]
        after_transfers: u32,
    },
    /// `count` transfers stay in the tip, after so many more have gone well.
    MissDispense {
        #[serde(default = "once")]
        count: u64,
        #[serde(default)]
        after_transfers: u64,
        /// Whether the handler notices, and reports a volume of 0.
        #[serde(default = "noticed")]
        reported: bool,
    },
    /// Every reading of one plate is multiplied, and blurred by an extra coefficient of variation.
    PlateEffect {
        barcode: String,
        #[serde(default = "unchanged")]
        reading_factor: f64,
        #[serde(default)]
        extra_cv: f64,
    },
}

fn wrong_pipette() -> String {
    "3010".to_owned()
}

fn once() -> u64 {
    1
}

fn noticed() -> bool {
    true
}

fn unchanged() -> f64 {
    1.0
}

/// What crashes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Run,
    Transfer,
    Move,
    Incubation,
    Read,
}

/// A fault that cannot be armed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a crash needs exactly one of after_runs, after_transfers, after_moves, after_incubations, after_reads"
)]
pub struct Ambiguous;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    pub code: String,
    pub after_transfers: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    pub reported: bool,
}

/// The faults that are armed.
pub struct Faults {
    armed: Mutex<Armed>,
    crash: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Armed {
    crashes: Vec<(Counted, u64)>,
    run_failures: Vec<RunFailure>,
    /// Good transfers to come before, misses, noticed.
    misses: Vec<(u64, u64, bool)>,
}

impl Faults {
    /// `crash` ends the process; it is a parameter so that tests can live on.
    pub fn new(crash: impl Fn() + Send + Sync + 'static) -> Self {
        Self { armed: Mutex::default(), crash: Box::new(crash) }
    }

    pub fn arm(&self, fault: Fault) -> Result<(), Ambiguous> {
        match fault {
            Fault::Crash { after_runs, after_transfers, after_moves, after_incubations, after_reads } => {
                let counts = [
                    (Counted::Run, after_runs),
                    (Counted::Transfer, after_transfers),
                    (Counted::Move, after_moves),
                    (Counted::Incubation, after_incubations),
                    (Counted::Read, after_reads),
                ];
                let mut named =
                    counts.into_iter().filter_map(|(counted, left)| left.map(|left| (counted, left)));
                match (named.next(), named.next()) {
                    (Some((_, 0)), None) => (self.crash)(),
                    (Some(crash), None) => self.lock().crashes.push(crash),
                    _ => return Err(Ambiguous),
                }
            }
            Fault::FailNextRun { code, after_transfers } => {
                self.lock().run_failures.push(RunFailure { code, after_transfers });
            }
            Fault::MissDispense { count, after_transfers, reported } => {
                self.lock().misses.push((after_transfers, count, reported));
            }
            // A change of the world, not of what will happen: whoever holds the world records it.
            Fault::PlateEffect { .. } => {}
        }
        Ok(())
    }

    /// One more of `counted` has happened and is in the log.
    pub fn happened(&self, counted: Counted) {
        let mut armed = self.lock();
        let mut due = false;
        for (_, left) in armed.crashes.iter_mut().filter(|(of, _)| *of == counted) {
            *left -= 1;
            due |= *left == 0;
        }
        armed.crashes.retain(|(_, left)| *left > 0);
        drop(armed);
        if due {
            (self.crash)();
        }
    }

    /// Whether the run that begins now is to fail.
    pub fn next_run(&self) -> Option<RunFailure> {
        let mut armed = self.lock();
        (!armed.run_failures.is_empty()).then(|| armed.run_failures.remove(0))
    }

    /// Whether the transfer that comes now is to miss.
    pub fn next_transfer(&self) -> Option<Miss> {
        let mut armed = self.lock();
        let mut miss = None;
        for (before, left, reported) in &mut armed.misses {
            if *before > 0 {
                *before -= 1;
            } else if miss.is_none() && *left > 0 {
                *left -= 1;
                miss = Some(Miss { reported: *reported });
            }
        }
        armed.misses.retain(|(_, left, _)| *left > 0);
        miss
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_crash_comes_exactly_after_what_it_counts() {
        let crashes = Arc::new(AtomicU32::new(0));
        let seen = crashes.clone();
        let faults = Faults::new(move || {
            seen.fetch_add(1, Ordering::SeqCst);
        });
        faults.arm(serde_json::from_str(r#"{"kind":"crash","after_transfers":2}"#).unwrap()).unwrap();
        for (counted, expected) in
            [(Counted::Transfer, 0), (Counted::Move, 0), (Counted::Transfer, 1), (Counted::Transfer, 1)]
        {
            faults.happened(counted);
            assert_eq!(crashes.load(Ordering::SeqCst), expected);
        }
    }

    #[test]
    fn misses_come_after_the_good_ones_and_end() {
        let faults = Faults::new(|| ());
        faults
            .arm(
                serde_json::from_str(
                    r#"{"kind":"miss_dispense","after_transfers":1,"count":2,"reported":false}"#,
                )
                .unwrap(),
            )
            .unwrap();
        let misses: Vec<bool> = (0..5).map(|_| faults.next_transfer().is_some()).collect();
        assert_eq!(misses, [false, true, true, false, false]);
    }

    #[test]
    fn a_fault_that_says_too_little_or_too_much_is_refused() {
        assert!(Faults::new(|| ()).arm(serde_json::from_str(r#"{"kind":"crash"}"#).unwrap()).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"crash","after_transfer":1}"#).is_err());
    }
}
