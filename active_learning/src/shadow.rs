//! Shadow scoring: earlier versions are asked about rows that came after them, beside the newly trained one.
//!
//! The new version's say on these rows is that of its held-out folds, so both are judged on the same rows, and neither on
//! what it learnt from. Log scores are in nats, of the value in units of the new cut's spread.

use crate::Result;
use crate::calibration::Judged;
use crate::data::Observation;
use crate::metrics::{self, Forecast};
use crate::model::Scale;
use crate::representation::Vocabulary;
use crate::train::Cell;
use jobs::work::learn::Prediction;
use jobs::work::shadow::{Scores, ShadowScore};
use jobs::{Digest, Experiment, Perturbation};
use std::collections::{HashMap, HashSet};

/// What the new version is, to be compared with.
pub struct New<'a> {
    pub vocabulary: &'a Vocabulary,
    pub cut: &'a [Observation],
    pub scale: Scale,
    /// Of the rows of `cut` that were held out.
    pub held_out: &'a [Judged],
    /// Whether a fold leaves out single rows (sets do), and not a perturbation in all its contexts.
    pub by_row: bool,
}

/// Scores `shadow`, which was trained on `known`, on the rows of the new cut that are not among them; `None` where there
/// are none that the new version has an unlearnt say on.
///
/// Where folds leave out whole perturbations, one that `known` has in another context is left out too: the shadow knows
/// more of it than the fold that speaks for the new version.
pub fn score(
    new: &New,
    checkpoint: Digest,
    shadow: &Cell,
    known: &[Observation],
) -> Result<Option<ShadowScore>> {
    let perturbations: HashSet<&Perturbation> =
        known.iter().filter(|_| !new.by_row).map(|row| &row.experiment.perturbation).collect();
    let known: HashSet<&Experiment> = known.iter().map(|row| &row.experiment).collect();
    let own: HashMap<usize, &Judged> = new.held_out.iter().map(|judged| (judged.row, judged)).collect();
    let is_new = |(row, observed): &(usize, &Observation)| {
        !known.contains(&observed.experiment)
            && !perturbations.contains(&observed.experiment.perturbation)
            && own.contains_key(row)
    };
    let rows: Vec<(usize, &Observation)> = new.cut.iter().enumerate().filter(is_new).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let experiments: Vec<Experiment> = rows.iter().map(|(_, observed)| observed.experiment.clone()).collect();
    let said = shadow.predict(new.vocabulary, &experiments, 0, 0)?.predictions;
    let theirs: Vec<Judged> = rows
        .iter()
        .zip(&said)
        .map(|((row, observed), said)| judged(*row, observed, said, new.scale))
        .collect();
    let ours: Vec<&Judged> = rows.iter().filter_map(|(row, _)| own.get(row).copied()).collect();
    let differences = ours.iter().zip(&theirs).map(|(own, their)| own.log_score() - their.log_score());
    let differences: Vec<f64> = differences.collect();
    let error = metrics::sd(&differences).map(|sd| sd / (differences.len() as f64).sqrt());
    Ok(Some(ShadowScore {
        checkpoint,
        rows: rows.len() as u64,
        shadow: scores(&theirs.iter().collect::<Vec<_>>()),
        new: scores(&ours),
        difference_error: error,
    }))
}

fn judged(row: usize, observed: &Observation, said: &Prediction, scale: Scale) -> Judged {
    let standard = |value: f64| (value - scale.mean) / scale.sd;
    let sd = said.epistemic_sd.hypot(said.aleatoric_sd) / scale.sd;
    let forecast = Forecast { mean: standard(said.mean), sd, observed: standard(observed.value) };
    Judged { row, forecast, hit_probability: said.hit_probability, hit: observed.hit == Some(true) }
}

fn scores(judged: &[&Judged]) -> Scores {
    let forecasts: Vec<Forecast> = judged.iter().map(|judged| judged.forecast).collect();
    let mean = |of: fn(&Judged) -> f64| metrics::mean(judged.iter().map(|judged| of(judged))).unwrap_or(0.0);
    Scores {
        log_score: mean(Judged::log_score),
        hit_log_score: mean(Judged::hit_log_score),
        coverage_90: metrics::coverage(&forecasts).map_or(0.0, |covered| covered.of_90),
    }
}
