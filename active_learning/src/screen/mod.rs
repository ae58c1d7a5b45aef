//! Ranks a whole space of experiments and keeps the best: a virtual screen.
//!
//! ```text
//! space --lazily--> chunk --Cell::predict--> summary of everything
//!                                       \--> the best so far (a bounded heap)
//! ```
//!
//! In memory are one chunk and what is kept, however large the space is ([`space`]). The ranking is the one that
//! predicting everything at once and sorting would give: chunks fall on the boundaries at which a model splits what it
//! is asked anyway. Can be stopped between two chunks.

mod best;
pub mod space;
mod summary;

pub use best::Ranked;
pub use space::Spanned;

use crate::data::posterior;
use crate::model::{self, Stop};
use crate::representation::Vocabulary;
use crate::train::Cell;
use crate::{Error, Result};
use best::Best;
use jobs::Experiment;
use jobs::work::learn::Prediction;
use jobs::work::screen::{MOST_KEPT, RankBy, SpaceSummary};
use summary::Tally;

/// Experiments predicted at once: a multiple of what a model takes at once.
const CHUNK: usize = 2 * model::CHUNK;

/// How a space is ranked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub rank_by: RankBy,
    pub keep: usize,
    /// Of the job; decides no ranking, since nothing is drawn.
    pub seed: u64,
    pub stop: &'a Stop,
}

/// The best of a space, and the whole of it in a few numbers.
#[derive(Clone, Debug)]
pub struct Screened {
    /// Best first.
    pub ranked: Vec<Ranked>,
    pub summary: SpaceSummary,
}

/// Goes through `space` once. `progress` hears the share that is done, after each chunk.
pub fn screen(
    vocabulary: &Vocabulary,
    cell: &Cell,
    mut space: Spanned<'_>,
    request: &Request<'_>,
    mut progress: impl FnMut(f64),
) -> Result<Screened> {
    check(request)?;
    let (mut best, mut tally) = (Best::of(request.keep), Tally::default());
    loop {
        request.stop.check()?;
        let chunk: Vec<Experiment> = space.experiments.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let said = cell.predict(vocabulary, &chunk, 0, request.seed)?.predictions;
        for (experiment, prediction) in chunk.into_iter().zip(said) {
            let is_known = experiment.perturbation.edits().iter().all(|edit| vocabulary.knows(edit));
            tally.add(&prediction, is_known);
            best.offer(score(request.rank_by, &prediction), experiment, prediction);
        }
        progress(tally.experiments() as f64 / space.size.max(1) as f64);
    }
    let ranked = best.into_ranked();
    let kept = u32::try_from(ranked.len()).unwrap_or(MOST_KEPT);
    Ok(Screened { summary: tally.into_summary(kept), ranked })
}

/// What is ranked by; higher stands first.
pub fn score(rule: RankBy, said: &Prediction) -> f64 {
    match rule {
        RankBy::HitProbability => said.hit_probability,
        RankBy::MeanUp => said.mean,
        RankBy::MeanDown => -said.mean,
        RankBy::UpperBound { beta } => said.mean + beta * said.epistemic_sd,
        RankBy::LowerBound { beta } => beta * said.epistemic_sd - said.mean,
    }
}

fn check(request: &Request<'_>) -> Result<()> {
    if request.keep == 0 || request.keep > MOST_KEPT as usize {
        return Err(Error::Settings(format!("a screen keeps 1 to {MOST_KEPT} experiments")));
    }
    match request.rank_by {
        RankBy::UpperBound { beta } | RankBy::LowerBound { beta } if !beta.is_finite() || beta < 0.0 => {
            Err(Error::Settings("the beta of a bound is a number from 0 on".to_owned()))
        }
        _ => Ok(()),
    }
}

impl Screened {
    /// The ranking as CSV with the posterior's columns.
    pub fn to_csv(&self) -> Vec<u8> {
        let experiments: Vec<Experiment> = self.ranked.iter().map(|it| it.experiment.clone()).collect();
        let predictions: Vec<Prediction> = self.ranked.iter().map(|it| it.prediction).collect();
        let scores: Vec<f64> = self.ranked.iter().map(|it| it.score).collect();
        posterior::write(&experiments, &predictions, &scores)
    }
}
