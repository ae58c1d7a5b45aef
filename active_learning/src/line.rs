//! A straight line between log-odds: the slope and shift at which given log-odds fit what happened (Platt 1999).
//!
//! About a centre, and held to slope 1 and shift 0 as firmly as the caller says. Penalised logistic regression by Newton
//! steps, each halved until it helps: the loss is convex, so the one minimum is found.

use crate::metrics;

const MOST_STEPS: usize = 30;
const MOST_HALVINGS: i32 = 20;

/// `log-odds -> centre + slope * (log-odds - centre) + shift`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub centre: f64,
    pub slope: f64,
    pub shift: f64,
}

/// How firmly slope and shift are held: inverse variances.
#[derive(Clone, Copy, Debug)]
pub struct Firmness {
    pub slope: f64,
    pub shift: f64,
}

impl Line {
    /// Changes nothing.
    pub fn identity(centre: f64) -> Self {
        Self { centre, slope: 1.0, shift: 0.0 }
    }

    /// To `cases`: log-odds, and 1 or 0 for what happened.
    pub fn fit(cases: &[(f64, f64)], centre: f64, held: Firmness) -> Self {
        let mut line = Self::identity(centre);
        let mut loss = line.loss(cases, held);
        for _ in 0..MOST_STEPS {
            let step = line.newton(cases, held);
            let moved = |halving: i32| {
                let part = 0.5f64.powi(halving);
                Self { slope: line.slope - part * step.0, shift: line.shift - part * step.1, ..line }
            };
            let tried = (0..MOST_HALVINGS).map(moved).map(|line| (line.loss(cases, held), line));
            let Some((new, better)) = tried.into_iter().find(|(new, _)| *new < loss) else { break };
            let gained = loss - new;
            (loss, line) = (new, better);
            if gained < 1e-9 {
                break;
            }
        }
        line
    }

    pub fn log_odds(&self, log_odds: f64) -> f64 {
        self.centre + self.slope * (log_odds - self.centre) + self.shift
    }

    fn loss(&self, cases: &[(f64, f64)], held: Firmness) -> f64 {
        let pulled = held.slope * (self.slope - 1.0).powi(2) + held.shift * self.shift.powi(2);
        let of = |(log_odds, happened): &(f64, f64)| {
            let log_odds = self.log_odds(*log_odds);
            log_odds.max(0.0) - happened * log_odds + (-log_odds.abs()).exp().ln_1p()
        };
        0.5 * pulled + cases.iter().map(of).sum::<f64>()
    }

    /// What a full step takes off slope and shift.
    fn newton(&self, cases: &[(f64, f64)], held: Firmness) -> (f64, f64) {
        let mut gradient = [held.slope * (self.slope - 1.0), held.shift * self.shift];
        let mut curvature = [held.slope, 0.0, held.shift];
        for (log_odds, happened) in cases {
            let x = log_odds - self.centre;
            let p = metrics::sigmoid(self.log_odds(*log_odds));
            let (error, weight) = (p - happened, p * (1.0 - p));
            gradient = [gradient[0] + error * x, gradient[1] + error];
            curvature = [curvature[0] + weight * x * x, curvature[1] + weight * x, curvature[2] + weight];
        }
        let determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
        (
            (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant,
            (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2,000 calls whose log-odds are `slope` times what is said, about -3, and `shift` above.
    fn cases(slope: f64, shift: f64) -> Vec<(f64, f64)> {
        let of = |i: usize| {
            let said = -5.0 + 4.0 * (i % 40) as f64 / 40.0;
            let p = metrics::sigmoid(-3.0 + slope * (said + 3.0) + shift);
            // Of the fifty calls at one place, as many happened as should.
            (said, f64::from(u8::from(((i / 40) as f64 + 0.5) / 50.0 < p)))
        };
        (0..2_000).map(of).collect()
    }

    #[test]
    fn a_bent_forecast_is_found() {
        let held = Firmness { slope: 1e-3, shift: 1e-3 };
        let line = Line::fit(&cases(1.6, 0.3), -3.0, held);
        assert!((line.slope - 1.6).abs() < 0.15 && (line.shift - 0.3).abs() < 0.1, "{line:?}");
        let line = Line::fit(&cases(1.0, 0.0), -3.0, held);
        assert!((line.slope - 1.0).abs() < 0.1 && line.shift.abs() < 0.1, "{line:?}");
    }

    #[test]
    fn what_is_held_moves_little_and_nothing_moves_nothing() {
        let level = Firmness { slope: 1e-3, shift: 1e6 };
        let line = Line::fit(&cases(1.0, 0.8), -3.0, level);
        assert!(
            line.shift.abs() < 0.01 && line.slope > 1.2,
            "the slope takes what the level may not: {line:?}"
        );
        assert_eq!(Line::fit(&[], -3.0, level), Line::identity(-3.0));
    }
}
