//! How long to wait before the next try: exponential, jittered, bounded.

use rand::Rng as _;
use std::time::Duration;

/// Waits that double from `first` to `limit`, each shortened at random by up to a half, so that a fleet
/// that lost its server does not come back in step.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    limit: Duration,
    failures: u32,
}

impl Backoff {
    pub fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, failures: 0 }
    }

    /// The wait after one more failure.
    pub fn next_wait(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let whole = doubled.min(self.limit);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// It worked: the next failure waits `first` again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_never_pass_the_limit() {
        let (first, limit) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut backoff = Backoff::new(first, limit);
        for failures in 0..100_u32 {
            let whole = first.saturating_mul(1 << failures.min(20)).min(limit);
            let wait = backoff.next_wait();
            assert!(wait <= whole && wait >= whole / 2, "{failures}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= first);
    }
}
