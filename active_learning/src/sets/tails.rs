//! How likely a value is to lie where the hits lie.

use crate::metrics;

/// Fewer hits than this leave open on which side they lie.
const FEWEST_HITS: usize = 5;
/// Of a side that has fewer hits than this share, hits are taken for chance.
const OTHER_SIDE: f64 = 0.1;
/// A probability is never less sure than this.
const SUREST: f64 = 1e-5;

/// Values at or below `low`, or at or above `high`, are hits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// Minus infinity: no hits lie below the rest.
    pub low: f64,
    /// Infinity: none lie above.
    pub high: f64,
}

impl Tails {
    /// Of values and calls (1 a hit): the thresholds that tell them apart with the fewest mistakes.
    ///
    /// A side that may hold hits and has none yet begins above all that was seen there.
    pub fn find(values: &[f64], hits: &[f64]) -> Self {
        let called = || values.iter().copied().zip(hits.iter().map(|hit| *hit > 0.5));
        let mut rest: Vec<f64> = called().filter(|(_, hit)| !hit).map(|(value, _)| value).collect();
        rest.sort_by(f64::total_cmp);
        let middle = rest.get(rest.len() / 2).copied().unwrap_or(0.0);
        let above: Vec<(f64, bool)> = called().filter(|(value, _)| *value > middle).collect();
        let below: Vec<(f64, bool)> =
            called().filter(|(value, _)| *value <= middle).map(|(value, hit)| (-value, hit)).collect();
        let hits_of = |side: &[(f64, bool)]| side.iter().filter(|(_, hit)| *hit).count();
        let all = hits_of(&above) + hits_of(&below);
        let is_open =
            |side: &[(f64, bool)]| all < FEWEST_HITS || hits_of(side) as f64 >= OTHER_SIDE * all as f64;
        Self {
            low: if is_open(&below) { -threshold(below) } else { f64::NEG_INFINITY },
            high: if is_open(&above) { threshold(above) } else { f64::INFINITY },
        }
    }

    /// 1: hits lie above the rest, -1: below, 0: on both sides.
    pub fn side(&self) -> f64 {
        match (self.low.is_finite(), self.high.is_finite()) {
            (false, true) => 1.0,
            (true, false) => -1.0,
            _ => 0.0,
        }
    }

    /// Log-odds that a value foretold as `mean` give or take `sd` lies in one of the tails.
    pub fn log_odds(&self, mean: f64, sd: f64) -> f64 {
        let sd = sd.max(1e-9);
        let below = metrics::normal_cdf((self.low - mean) / sd);
        let above = metrics::normal_cdf((mean - self.high) / sd);
        metrics::logit((below + above).clamp(SUREST, 1.0 - SUREST))
    }
}

/// Hits lie above the rest: where, with the fewest mistakes. Without hits, above all there is.
fn threshold(mut side: Vec<(f64, bool)>) -> f64 {
    let hits = side.iter().filter(|(_, hit)| *hit).count();
    match metrics::fewest_mistakes(&mut side) {
        Some((mistakes, between)) if mistakes < hits => between,
        _ => side.first().map_or(f64::INFINITY, |(highest, _)| *highest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 values from -5 to 4.9; hits where `is_hit` says so.
    fn found(is_hit: impl Fn(f64) -> bool) -> Tails {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i - 50) / 10.0).collect();
        let hits: Vec<f64> = values.iter().map(|value| f64::from(u8::from(is_hit(*value)))).collect();
        Tails::find(&values, &hits)
    }

    #[test]
    fn thresholds_lie_between_hits_and_the_rest() {
        let both = found(|value| !(-4.0..=3.0).contains(&value));
        assert!((both.high - 3.05).abs() < 1e-9 && (both.low + 4.05).abs() < 1e-9, "{both:?}");
        assert_eq!(both.side(), 0.0);
        let above = found(|value| value > 3.0);
        assert_eq!((above.low, above.side()), (f64::NEG_INFINITY, 1.0));
        let below = found(|value| value < -4.0);
        assert_eq!((below.high, below.side()), (f64::INFINITY, -1.0));
    }

    #[test]
    fn a_wrong_call_moves_no_threshold_and_a_stray_one_opens_no_side() {
        let wrong = found(|value| (value > 3.0 && (value - 4.0).abs() > 0.01) || (value - 1.0).abs() < 0.01);
        assert!((wrong.high - 3.05).abs() < 1e-9, "{wrong:?}");
        assert_eq!(found(|value| !(-4.95..=3.0).contains(&value)).side(), 1.0, "one of twenty below");
    }

    #[test]
    fn without_hits_they_lie_beyond_all_that_was_seen() {
        let none = found(|_| false);
        assert_eq!((none.low, none.high), (-5.0, 4.9));
        assert_eq!(Tails::find(&[], &[]).log_odds(0.0, 1.0), metrics::logit(SUREST));
    }

    #[test]
    fn doubt_reaches_further_than_the_mean() {
        let tails = Tails { low: f64::NEG_INFINITY, high: 2.0 };
        // 1 - cdf(1) = .1587.
        assert!((tails.log_odds(1.0, 1.0) - metrics::logit(0.158_655)).abs() < 1e-4);
        assert!(tails.log_odds(1.0, 2.0) > tails.log_odds(1.0, 1.0));
        assert!(tails.log_odds(2.0, 1.0).abs() < 1e-6);
        assert!(tails.log_odds(-60.0, 1.0).is_finite());
    }
}
