//! Why an experiment was chosen, in words a scientist reads.

use super::select::{Selected, Why};
use super::{Request, directions};
use crate::readouts::feasibility;
use crate::representation::Vocabulary;
use crate::train::Cell;
use crate::{Result, acquisition, metrics, tensor};
use jobs::Experiment;
use jobs::work::learn::{Acquisition, Prediction, Prices};
use jobs::work::readout::ReadoutPrediction;
use tch::Tensor;

/// Neighbours named at most.
const NEIGHBOURS: usize = 2;
/// Less alike than this (cosine of standardised features) is not called near.
const LEAST_LIKENESS: f64 = 0.25;

/// What all reasons of one batch share.
pub(super) struct Words<'a> {
    vocabulary: &'a Vocabulary,
    cell: &'a Cell,
    pool: &'a [Experiment],
    acquisition: Acquisition,
    spread: bool,
    prices: Option<&'a Prices>,
    /// Rows the cell was trained on.
    measured: u64,
    /// Mean probability of a hit over the pool.
    pool_probability: f64,
    /// Of the information gain of one value, over the pool, where reasons say it.
    gain_quartiles: (f64, f64),
    hits: Vec<&'a Experiment>,
    /// `[hits, width]`, unit length.
    hit_directions: Option<Tensor>,
}

impl<'a> Words<'a> {
    pub fn new(
        vocabulary: &'a Vocabulary,
        cell: &'a Cell,
        request: &'a Request,
        predictions: &[Prediction],
        spread: bool,
    ) -> Result<Self> {
        let called = request.cut.iter().filter(|row| row.hit == Some(true));
        let hits: Vec<&Experiment> = called.map(|row| &row.experiment).collect();
        let hit_directions = if hits.is_empty() || !vocabulary.knows_features() {
            None
        } else {
            Some(directions::of_edits(vocabulary, &hits)?)
        };
        let automatic = matches!(request.acquisition, Acquisition::Auto { .. });
        Ok(Self {
            vocabulary,
            cell,
            pool: request.pool,
            acquisition: request.acquisition,
            spread,
            prices: request.prices,
            measured: cell.header.metrics.training_rows,
            gain_quartiles: if automatic { gain_quartiles(predictions) } else { (0.0, 0.0) },
            pool_probability: metrics::mean(predictions.iter().map(|p| p.hit_probability)).unwrap_or(0.0),
            hits,
            hit_directions,
        })
    }

    pub fn of(
        &self,
        experiment: &Experiment,
        prediction: &Prediction,
        readouts: &[ReadoutPrediction],
        selected: (&Selected, Option<&String>),
    ) -> String {
        let mut words = self.without_cost(experiment, prediction, readouts, selected);
        if let Some(prices) = self.prices {
            words += &format!("; costs {:.2} {}", prices.of(experiment), prices.currency);
        }
        words
    }

    fn without_cost(
        &self,
        experiment: &Experiment,
        prediction: &Prediction,
        readouts: &[ReadoutPrediction],
        (selected, neighbours): (&Selected, Option<&String>),
    ) -> String {
        let Selected { pick, why } = selected;
        let score = pick.score;
        if self.spread {
            let words = "nothing is measured yet and no other screens were given; chosen to spread the batch";
            return format!("{words} over the known features (distance from the others {score:.1} sd)");
        }
        if self.measured == 0 && !self.cell.header.has_prior {
            let words = "nothing is measured yet, and neither other screens nor features were given";
            return format!("{words}; drawn at random");
        }
        let mut parts = vec![match why {
            Why::Repeats(doubt) => doubt.words(),
            Why::Learns => self.learns(prediction),
            Why::Rule | Why::Unlike { .. } | Why::FillsPlate => self.rule(prediction, score),
        }];
        parts.extend(self.constraints(readouts));
        parts.extend(self.elsewhere(experiment));
        parts.extend(neighbours.filter(|words| !words.is_empty()).cloned());
        if matches!(self.acquisition, Acquisition::Auto { .. }) && self.measured > 0 {
            parts.push(self.known(prediction).to_owned());
        }
        match why {
            Why::Unlike { rank } => {
                parts.push(format!(
                    "number {} by the rule alone, taken for being unlike the others",
                    rank + 1
                ));
            }
            Why::FillsPlate => parts.push(format!("taken to fill a plate of {}", experiment.context.0)),
            _ => {}
        }
        parts.join("; ")
    }

    fn learns(&self, prediction: &Prediction) -> String {
        let (nats, chance) = (acquisition::information_gain::gain(prediction), prediction.hit_probability);
        format!(
            "chosen to learn: its value would teach {nats:.3} nats of the readout; probability of hit {chance:.2}"
        )
    }

    /// How much of what is not known of it can be learnt, beside the pool.
    fn known(&self, prediction: &Prediction) -> &'static str {
        match acquisition::information_gain::gain(prediction) {
            gain if gain > self.gain_quartiles.1 => "little is known of its like",
            gain if gain < self.gain_quartiles.0 => "much is known of its like",
            _ => "as much is known of its like as of most",
        }
    }

    fn rule(&self, prediction: &Prediction, score: f64) -> String {
        let Prediction { mean, epistemic_sd, hit_probability, .. } = prediction;
        let chance = format!("probability of hit {hit_probability:.2}");
        let average = format!("pool average {:.2}", self.pool_probability);
        if self.measured == 0 && self.acquisition != Acquisition::Random {
            return format!("{chance} from other screens alone ({average})");
        }
        match self.acquisition {
            Acquisition::HitProbability | Acquisition::Auto { .. } => format!("{chance} ({average})"),
            Acquisition::Greedy => format!("predicted value {mean:.3} +- {epistemic_sd:.3}, {chance}"),
            Acquisition::Ucb { beta } => {
                format!("predicted value {mean:.3} and {beta} x its uncertainty {epistemic_sd:.3}, {chance}")
            }
            Acquisition::Thompson | Acquisition::TopTwo => {
                format!("best in one sample of what the model holds possible ({score:.3}), {chance}")
            }
            // The score is the logarithm.
            Acquisition::ExpectedImprovement => {
                let improvement = score.exp();
                format!("expected improvement {improvement:.2e} over the best value measured, {chance}")
            }
            Acquisition::InformationGain => {
                format!("its value would teach {score:.3} nats of the readout, {chance}")
            }
            Acquisition::Bald => {
                format!("whether it is a hit would teach {score:.3} nats of hits, {chance}")
            }
            Acquisition::MaxEpistemic => {
                format!("among the least known: predicted value {mean:.3} +- {epistemic_sd:.3}, {chance}")
            }
            Acquisition::Random => "drawn at random, as asked".to_owned(),
        }
    }

    /// What each constraint is expected to be.
    fn constraints(&self, readouts: &[ReadoutPrediction]) -> Vec<String> {
        let words = |said: &ReadoutPrediction| {
            let head = self.cell.heads.iter().find(|head| head.readout.name == said.readout)?;
            feasibility::words(said, head.readout.constraint.as_ref()?)
        };
        readouts.iter().filter_map(words).collect()
    }

    /// What other screens saw.
    fn elsewhere(&self, experiment: &Experiment) -> Option<String> {
        let edits = experiment.perturbation.edits();
        let share = |edit: &String| {
            let row = usize::try_from(self.vocabulary.evidence(edit)).ok()?;
            self.vocabulary.frequency.get(row).copied().flatten()
        };
        let seen: Vec<String> = edits
            .iter()
            .filter_map(|edit| Some((edit, share(edit)?)))
            .map(|(edit, share)| {
                let whose = if edits.len() > 1 { format!("{edit} ") } else { String::new() };
                format!("{whose}a hit in {:.0} % of other screens", 100.0 * share)
            })
            .collect();
        (!seen.is_empty()).then(|| seen.join(", "))
    }

    /// Of each pick; empty where no measured hit is near. None where none was measured.
    pub fn neighbours(&self, picks: &[Selected]) -> Result<Vec<String>> {
        let Some(hits) = &self.hit_directions else { return Ok(Vec::new()) };
        let picked: Vec<&Experiment> =
            picks.iter().filter_map(|selected| self.pool.get(selected.pick.candidate)).collect();
        let own = directions::of_edits(self.vocabulary, &picked)?;
        let likeness = tensor::to_f64(&own.f_matmul(&hits.f_transpose(0, 1)?)?)?;
        let rows = likeness.chunks(self.hits.len().max(1));
        Ok(picked.into_iter().zip(rows).map(|(experiment, row)| self.nearest(experiment, row)).collect())
    }

    /// `likeness`: to each measured hit.
    fn nearest(&self, experiment: &Experiment, likeness: &[f64]) -> String {
        let near = likeness.iter().zip(&self.hits).filter(|(likeness, _)| **likeness >= LEAST_LIKENESS);
        let mut order: Vec<(&f64, &&Experiment)> = near.filter(|(_, hit)| **hit != experiment).collect();
        order.sort_by(|a, b| b.0.total_cmp(a.0));
        let names = order.iter().take(NEIGHBOURS).map(|(_, hit)| hit.perturbation.to_string());
        match names.collect::<Vec<_>>().join(", ") {
            names if names.is_empty() => names,
            names => format!("nearest measured hits: {names}"),
        }
    }
}

fn gain_quartiles(predictions: &[Prediction]) -> (f64, f64) {
    let mut gains: Vec<f64> = predictions.iter().map(acquisition::information_gain::gain).collect();
    gains.sort_by(f64::total_cmp);
    let at = |quarters: usize| gains.get(gains.len() * quarters / 4).copied().unwrap_or(0.0);
    (at(1), at(3))
}
