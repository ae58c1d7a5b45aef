//! Signs of life of instruments, written down together: a thousand agents that wait cost one statement each few seconds.
//!
//! The first sign after a silence is written at once. What follows is kept for [`TOGETHER`] and written for all at
//! once. A sign that is lost (this process is killed, the database does not answer) comes again with the agent's next
//! request, and nobody is taken to be silent for minutes.

use crate::store::{self, instruments};
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long signs are gathered.
const TOGETHER: Duration = Duration::from_secs(5);
/// An agent comes at least each half minute; who comes later was silent.
const SILENCE: Duration = Duration::from_secs(60);
/// More instruments are not remembered: each sign of theirs is written at once.
const LIMIT: usize = 10_000;

/// Cheap to clone; clones share what was seen.
#[derive(Clone, Debug)]
pub struct Signs {
    pool: PgPool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// When each gave its last sign.
    last: HashMap<String, Instant>,
    unwritten: BTreeMap<String, Instant>,
}

/// When a sign is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Now,
    /// With those that come meanwhile; nobody gathers them yet.
    Soon,
    /// With those that are gathered already.
    WithOthers,
}

impl Seen {
    fn note(&mut self, name: &str, now: Instant) -> Due {
        if self.last.len() >= LIMIT && !self.last.contains_key(name) {
            self.last.retain(|_, at| now.duration_since(*at) < SILENCE);
        }
        let has_room = self.last.len() < LIMIT;
        let before = match self.last.get_mut(name) {
            Some(at) => Some(std::mem::replace(at, now)),
            None if has_room => self.last.insert(name.to_owned(), now),
            None => None,
        };
        if before.is_none_or(|at| now.duration_since(at) >= SILENCE) {
            return Due::Now;
        }
        let is_first = self.unwritten.is_empty();
        self.unwritten.insert(name.to_owned(), now);
        if is_first { Due::Soon } else { Due::WithOthers }
    }
}

impl Signs {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, seen: Arc::default() }
    }

    /// The agent of `instrument` is there.
    ///
    /// # Errors
    /// When it is written at once and the database cannot.
    pub async fn saw(&self, instrument: &str) -> store::Result<()> {
        let due = self.lock().note(instrument, Instant::now());
        match due {
            Due::Now => instruments::seen(&mut *self.pool.acquire().await?, &[(instrument, 0.0)]).await,
            Due::Soon => {
                tokio::spawn(self.clone().write_together());
                Ok(())
            }
            Due::WithOthers => Ok(()),
        }
    }

    async fn write_together(self) {
        tokio::time::sleep(TOGETHER).await;
        let signs = std::mem::take(&mut self.lock().unwritten);
        let ages: Vec<(&str, f64)> =
            signs.iter().map(|(name, at)| (name.as_str(), at.elapsed().as_secs_f64())).collect();
        let written = async { instruments::seen(&mut *self.pool.acquire().await?, &ages).await };
        if let Err(error) = store::bounded(written).await {
            tracing::warn!(%error, code = error.code(), instruments = ages.len(), "signs of life were not written; they come again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sign_after_a_silence_is_written_at_once_and_others_together() {
        let (mut seen, start) = (Seen::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(seen.note("mover", start), Due::Now);
        assert_eq!(seen.note("reader", start), Due::Now);
        assert_eq!(seen.note("mover", after(30)), Due::Soon);
        assert_eq!(seen.note("reader", after(31)), Due::WithOthers);
        assert_eq!(seen.note("mover", after(32)), Due::WithOthers);
        assert_eq!(std::mem::take(&mut seen.unwritten).len(), 2);
        assert_eq!(seen.note("reader", after(60)), Due::Soon, "they were written");
        assert_eq!(seen.note("mover", after(92)), Due::Now, "it was silent for a minute");
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (mut seen, start) = (Seen::default(), Instant::now());
        for number in 0..LIMIT + 5 {
            assert_eq!(seen.note(&number.to_string(), start), Due::Now);
        }
        assert_eq!(seen.last.len(), LIMIT);
        assert_eq!(seen.note("late", start), Due::Now, "there is no room to know it");
        assert_eq!(seen.note("later", start + SILENCE), Due::Now);
        assert_eq!(seen.last.len(), 1, "who is silent makes room");
    }
}
