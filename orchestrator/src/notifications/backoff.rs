//! How long to wait before the next try: exponential, with jitter, so that receivers that come back are not
//! met by everybody at once.

use std::time::Duration;

/// The wait after the first try.
const FIRST: Duration = Duration::from_secs(10);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// The wait after `tries` tries. Half of it is fixed, half is `jitter`'s (uniform in 0..1): two servers that
/// failed together do not come back together. `asked`: what the receiver asked for (`Retry-After`), kept
/// within the longest wait.
pub fn wait(tries: u32, jitter: f64, asked: Option<Duration>) -> Duration {
    let doublings = tries.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let jittered = full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    jittered.max(asked.unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u64> = (1..=13).map(|tries| wait(tries, 1.0, None).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 21600]);
        assert_eq!(wait(u32::MAX, 1.0, None), LONGEST);
    }

    #[test]
    fn jitter_takes_away_at_most_half() {
        assert_eq!(wait(3, 0.0, None).as_secs(), 20);
        assert_eq!(wait(3, 0.5, None).as_secs(), 30);
        assert_eq!(wait(3, 7.0, None).as_secs(), 40);
    }

    #[test]
    fn a_receiver_may_ask_for_more_within_bounds_and_never_for_less() {
        assert_eq!(wait(1, 1.0, Some(Duration::from_secs(120))).as_secs(), 120);
        assert_eq!(wait(1, 1.0, Some(Duration::from_secs(1))).as_secs(), 10);
        assert_eq!(wait(1, 1.0, Some(Duration::MAX)), LONGEST);
    }
}
