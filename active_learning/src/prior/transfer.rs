//! How far other screens can be believed: each screen is foretold from those unlike it.
//!
//! For every screen, the log-odds of its genes are computed from the screens whose hit calls do not
//! correlate with its own (a study's other cell lines would make it look easy), and one logistic regression
//! over all screens says how such log-odds have to be bent to become probabilities. The feature forecast
//! still contains the screen foretold, as one among all: a small optimism that is left in.

use crate::metrics;
use crate::prior::PriorScreens;

/// Screens with a larger squared correlation of hit calls are relatives, and left out.
pub(super) const RELATED: f64 = 0.02;
/// Every so many genes are looked at: two numbers need no more.
const GENE_STEP: usize = 8;
/// Fewer unrelated screens than this, copies counted once, teach nothing about transfer.
const FEWEST_SCREENS: f64 = 5.0;

/// `log-odds -> slope * log-odds + shift`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transfer {
    slope: f64,
    shift: f64,
}

/// One gene in one screen.
struct Case {
    log_odds: f64,
    hit: f64,
    weight: f64,
}

impl Transfer {
    const IDENTITY: Self = Self { slope: 1.0, shift: 0.0 };

    pub fn bend(&self, log_odds: f64) -> f64 {
        self.slope * log_odds + self.shift
    }

    /// `weights`: one a screen, for foretelling a screen by the others; `related`: `[screens, screens]` squared correlations;
    /// `log_odds`: of hits, screens seen and gene.
    pub fn learn(
        screens: &PriorScreens,
        (weights, weights_for): (&[f64], impl Fn(usize) -> Vec<f64>),
        related: &[f64],
        log_odds: impl Fn(f64, f64, usize) -> f64,
    ) -> Self {
        let width = screens.screens.len();
        let mut cases = Vec::new();
        for (target, row) in related.chunks_exact(width).enumerate() {
            let unrelated: Vec<usize> =
                (0..width).filter(|&other| other != target && row[other] < RELATED).collect();
            if unrelated.iter().map(|&other| weights[other]).sum::<f64>() < FEWEST_SCREENS {
                continue;
            }
            let counted = weights_for(target);
            for (gene, calls) in screens.hit.chunks_exact(width).enumerate().step_by(GENE_STEP) {
                if calls[target].is_nan() {
                    continue;
                }
                let (mut hits, mut seen) = (0.0, 0.0);
                for &other in unrelated.iter().filter(|&&other| !calls[other].is_nan()) {
                    hits += counted[other] * f64::from(calls[other]);
                    seen += counted[other];
                }
                let hit = f64::from(calls[target]);
                cases.push(Case { log_odds: log_odds(hits, seen, gene), hit, weight: weights[target] });
            }
        }
        if cases.is_empty() { Self::IDENTITY } else { Self::fit(&cases) }
    }

    /// Logistic regression by Newton steps.
    fn fit(cases: &[Case]) -> Self {
        let Self { mut slope, mut shift } = Self::IDENTITY;
        for _ in 0..12 {
            let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
            for Case { log_odds, hit, weight } in cases {
                let p = metrics::sigmoid(slope * log_odds + shift);
                let (error, curvature) = (weight * (p - hit), weight * p * (1.0 - p));
                g0 += error * log_odds;
                g1 += error;
                h00 += curvature * log_odds * log_odds;
                h01 += curvature * log_odds;
                h11 += curvature;
            }
            let determinant = h00 * h11 - h01 * h01;
            let (down_slope, down_shift) =
                ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
            slope -= down_slope.clamp(-1.0, 1.0);
            shift -= down_shift.clamp(-1.0, 1.0);
            if down_slope.abs() + down_shift.abs() < 1e-7 {
                break;
            }
        }
        // Evidence is never turned against itself.
        Self { slope: slope.clamp(0.1, 1.5), shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boastful_odds_are_bent_back() {
        // Hits come with the log-odds 0.5 x - 1, but x was said.
        let cases: Vec<Case> = (0..4000)
            .map(|i| {
                let log_odds = f64::from(i % 40) / 10.0 - 2.0;
                let share = metrics::sigmoid(0.5 * log_odds - 1.0);
                let hit = f64::from(u8::from(f64::from(i / 40) / 100.0 < share));
                Case { log_odds, hit, weight: 0.5 }
            })
            .collect();
        let transfer = Transfer::fit(&cases);
        assert!((transfer.slope - 0.5).abs() < 0.05 && (transfer.shift + 1.0).abs() < 0.05, "{transfer:?}");
    }
}
