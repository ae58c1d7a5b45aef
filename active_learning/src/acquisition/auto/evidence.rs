//! What speaks for learning, and what against, measured on held-out rows of this round's model.

use super::Replicating;
use crate::acquisition::Candidates;
use crate::calibration::{FEWEST_ROWS, Reliability};
use crate::metrics;
use jobs::work::learn::ModelMetrics;

/// Log score of saying the mean and spread of all values of every value, standardised: `-1/2 (1 + ln 2 pi)` nats.
const KNOWING_NOTHING: f64 = -1.418_938_533_204_672_7;
/// A calibration error further than this many sd above what chance gives honest probabilities is no chance.
const BEYOND_CHANCE: f64 = 2.0;

/// What the automatic mode goes by.
pub struct Evidence<'a> {
    pub metrics: &'a ModelMetrics,
    pub reliability: Option<Reliability>,
    /// Rounds after this one in which what is learnt can be used; `None` where nobody knows.
    pub rounds_left: Option<u32>,
    /// Largest learning share that people allow, 0 to 1.
    pub limit: Option<f64>,
}

/// The learning share and the sentence that gives its reason.
pub struct Verdict {
    pub(super) share: f64,
    because: String,
}

impl Evidence<'_> {
    pub(super) fn judge(&self, candidates: &Candidates) -> Verdict {
        let none = |because: String| Verdict { share: 0.0, because };
        if let Some(why) = self.distrust() {
            return none(why);
        }
        let said = self.metrics.held_out_log_score.unwrap_or(f64::NEG_INFINITY) - KNOWING_NOTHING;
        if said <= 0.0 {
            let words = "values that it had not seen are foretold no better than by their mean and spread, so it does \
                         not know what it would learn from";
            return none(words.to_owned());
        }
        if self.rounds_left == Some(0) {
            return none("it is the last round, and nothing learnt now would be used".to_owned());
        }
        if self.limit.is_some_and(|limit| limit <= 0.0) {
            return none("the campaign allows no learning share".to_owned());
        }
        let knowable = knowable(candidates);
        let horizon = self.rounds_left.map_or(0.5, |rounds| f64::from(rounds) / (f64::from(rounds) + 1.0));
        let share = (0.5 * knowable * horizon).min(self.limit.unwrap_or(1.0));
        let rounds = match self.rounds_left {
            Some(1) => "one round is left to use it".to_owned(),
            Some(rounds) => format!("{rounds} rounds are left to use it"),
            None => "how many rounds are left is not known".to_owned(),
        };
        let percent = 100.0 * knowable;
        let because = format!(
            "{}, more data can remove {percent:.0} % of the doubt about values, and {rounds}",
            self.trust()
        );
        Verdict { share, because }
    }

    /// Why the uncertainty cannot be gone by; `None` when it can.
    fn distrust(&self) -> Option<String> {
        let rows = self.metrics.held_out_rows;
        let (Some(error), Some(chance)) = (self.metrics.hit_ece, self.reliability) else {
            return Some("too little is measured to say whether the probabilities hold".to_owned());
        };
        if (rows as usize) < FEWEST_ROWS {
            return Some(format!(
                "{rows} held-out answers are too few to say whether the probabilities hold"
            ));
        }
        if error > chance.by_chance + BEYOND_CHANCE * chance.sd {
            return Some(format!(
                "calibration failed: on held-out answers probabilities of a hit are {error:.3} off, where chance \
                 explains {:.3} +- {:.3}, so what the model says of its doubt is not gone by",
                chance.by_chance, chance.sd
            ));
        }
        let covered = self.metrics.coverage_90?;
        let least = 0.9 - 3.0 * (0.09 / rows as f64).sqrt();
        (covered < least).then(|| {
            let (covered, least) = (100.0 * covered, 100.0 * least);
            format!("calibration failed: 90 % intervals hold {covered:.0} % of held-out values, below {least:.0} %")
        })
    }

    fn trust(&self) -> String {
        let (error, chance) = (self.metrics.hit_ece.unwrap_or(0.0), self.reliability.unwrap_or_default());
        let by_chance = chance.by_chance;
        format!(
            "probabilities of a hit held on held-out answers ({error:.3} off, {by_chance:.3} of it by chance)"
        )
    }
}

impl Verdict {
    /// `hits`: expected hits that learning gives up, and that pure exploitation expects.
    pub fn explain(
        &self,
        exploit: usize,
        learn: usize,
        Replicating { count, words }: &Replicating,
        (given_up, expected): (f64, f64),
    ) -> String {
        let because = &self.because;
        let batch = exploit + learn + count;
        let exploits = match (learn, count) {
            (0, 0) => format!("All {batch} experiments exploit (highest probability of a hit)"),
            _ => format!("Of {batch} experiments {exploit} exploit (highest probability of a hit)"),
        };
        if learn == 0 && self.share > 0.0 {
            return format!(
                "{exploits}, none learns, {words}. There is no room to learn without giving up more than it is worth, \
                 although {because}."
            );
        }
        if learn == 0 {
            return format!("{exploits}, none learns, {words}. Why: {because}.");
        }
        let share = 100.0 * learn as f64 / batch.max(1) as f64;
        format!(
            "{exploits} and {learn} ({share:.0} %) learn (what teaches most of the readout, spread over the features, \
             among likely hits); {words}. Why: {because}. Learning gives up {:.1} of {expected:.1} expected hits.",
            given_up.max(0.0)
        )
    }
}

/// The share of the predictive variance that data can remove, over what may be asked for.
fn knowable(candidates: &Candidates) -> f64 {
    let eligible =
        || candidates.eligible.iter().filter_map(|&candidate| candidates.predictions.get(candidate));
    let epistemic = metrics::mean(eligible().map(|p| p.epistemic_sd.powi(2))).unwrap_or(0.0);
    let noise = metrics::mean(eligible().map(|p| p.aleatoric_sd.powi(2))).unwrap_or(0.0);
    epistemic / (epistemic + noise).max(f64::MIN_POSITIVE)
}
