//! What choosing at random would have found: the hypergeometric distribution. Pure.

/// Mean and central interval of a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    pub mean: f64,
    pub low: u64,
    pub high: u64,
}

/// Hits among `drawn` experiments chosen at random, without replacement, from a pool of `pool` with `hits` hits: mean
/// and central 90 % interval (both ends included; hypergeometric distribution, exact).
///
/// Probabilities are built up from the mode by the ratio of neighbours, so that nothing overflows.
pub fn hypergeometric_90(pool: u64, hits: u64, drawn: u64) -> Expected {
    let (hits, drawn) = (hits.min(pool), drawn.min(pool));
    if pool == 0 || hits == 0 || drawn == 0 {
        return Expected { mean: 0.0, low: 0, high: 0 };
    }
    let least = (hits + drawn).saturating_sub(pool);
    let most = hits.min(drawn);
    let mode = ((real(drawn + 1) * real(hits + 1) / real(pool + 2)).floor() as u64).clamp(least, most);
    // p(k + 1) / p(k)
    let ratio = |k: u64| {
        let left = real(pool - hits) - (real(drawn) - real(k)) + 1.0;
        real(hits - k) * real(drawn - k) / (real(k + 1) * left)
    };
    let mut below = Vec::new();
    let mut weight = 1.0;
    for k in (least..mode).rev() {
        weight /= ratio(k);
        if weight < NOTHING {
            break;
        }
        below.push((k, weight));
    }
    let mut weights: Vec<(u64, f64)> = below.into_iter().rev().chain([(mode, 1.0)]).collect();
    weight = 1.0;
    for k in mode..most {
        weight *= ratio(k);
        if weight < NOTHING {
            break;
        }
        weights.push((k + 1, weight));
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let quantile = |share: f64| {
        let mut sum = 0.0;
        let reached = weights.iter().find(|(_, weight)| {
            sum += weight / total;
            sum >= share
        });
        reached.map_or(most, |(k, _)| *k)
    };
    Expected { mean: real(drawn) * real(hits) / real(pool), low: quantile(0.05), high: quantile(0.95) }
}

/// Beside a mode of 1, what is smaller moves no quantile of a twentieth.
const NOTHING: f64 = 1e-12;

/// Sizes of pools: exact in a double.
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By summing every probability as a ratio of binomials.
    fn slow(pool: u64, hits: u64, drawn: u64) -> (u64, u64) {
        let choose = |n: u64, k: u64| (0..k).map(|i| real(n - i) / real(k - i)).product::<f64>();
        let all = choose(pool, drawn);
        let mut sum = 0.0;
        let (mut low, mut high) = (None, None);
        for k in (hits + drawn).saturating_sub(pool)..=hits.min(drawn) {
            sum += choose(hits, k) * choose(pool - hits, drawn - k) / all;
            low = low.or((sum >= 0.05).then_some(k));
            high = high.or((sum >= 0.95).then_some(k));
        }
        (low.unwrap(), high.unwrap())
    }

    #[test]
    fn it_is_the_hypergeometric_distribution() {
        for (pool, hits, drawn) in [(20, 5, 8), (50, 10, 25), (100, 3, 40), (60, 59, 30), (40, 20, 39)] {
            let expected = hypergeometric_90(pool, hits, drawn);
            assert_eq!((expected.low, expected.high), slow(pool, hits, drawn), "{pool} {hits} {drawn}");
        }
    }

    #[test]
    fn a_screen_of_real_size_is_no_trouble_and_nothing_is_nothing() {
        let expected = hypergeometric_90(18_418, 920, 640);
        assert!((expected.mean - 31.97).abs() < 0.01, "{expected:?}");
        assert!((22..=25).contains(&expected.low) && (39..=42).contains(&expected.high), "{expected:?}");
        assert_eq!(hypergeometric_90(10, 0, 5).high, 0);
        assert_eq!(hypergeometric_90(10, 10, 10), Expected { mean: 10.0, low: 10, high: 10 });
    }
}
