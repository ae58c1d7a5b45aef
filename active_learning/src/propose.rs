//! The next batch: who is in question, what the cell says of them, whom the rule picks, and why in words.

mod cold_start;
mod reason;

use crate::acquisition::{self, Candidates, Choice, Pick};
use crate::data::Observation;
use crate::representation::Vocabulary;
use crate::train::{Cell, Predicted};
use crate::{Error, Result};
use jobs::Experiment;
use jobs::work::learn::{Acquisition, Objective, Prediction, Proposal};
use std::collections::HashSet;

/// What a batch is chosen from and by. Lifetimes: everything is borrowed from the job.
pub struct Request<'a> {
    pub pool: &'a [Experiment],
    /// What was measured: named in reasons. The cell may have been trained on an earlier cut.
    pub cut: &'a [Observation],
    /// Asked for and not yet answered: never proposed again. Conditioned on in so far as no rule here
    /// gains from asking twice; diversity against them is a later rule's.
    pub pending: &'a [Experiment],
    /// Never proposed.
    pub excluded: &'a [Experiment],
    pub objective: Objective,
    pub acquisition: Acquisition,
    pub batch_size: usize,
    pub runners_up: usize,
    pub seed: u64,
}

/// The batch, the next best, and what the cell says of the whole pool.
pub struct Proposed {
    /// Best first.
    pub proposals: Vec<Proposal>,
    pub runners_up: Vec<Proposal>,
    /// In the pool's order.
    pub predictions: Vec<Prediction>,
    /// In the pool's order.
    pub scores: Vec<f64>,
}

/// Chooses by `cell`. A cell without data nor priors knows nothing: then the batch is spread over the
/// features, or drawn at random, and every reason says so.
pub fn propose(vocabulary: &Vocabulary, cell: &Cell, request: &Request) -> Result<Proposed> {
    if request.batch_size == 0 {
        return Err(Error::Settings("batch_size is 0".into()));
    }
    let eligible = eligible(request);
    let count = request.batch_size.saturating_add(request.runners_up).min(eligible.len());
    let draws = acquisition::samples_needed(request.acquisition, count);
    let Predicted { predictions, hit_information, samples } =
        cell.predict(vocabulary, request.pool, draws, request.seed)?;
    let untrained = cell.header.metrics.training_rows == 0;
    let ignorant = untrained && !cell.header.has_prior;
    // What other screens of single edits say is no help in finding sets that interact.
    let sets = request.pool.iter().all(|experiment| experiment.perturbation.edits().len() > 1);
    let ignorant = ignorant || (untrained && sets);
    let spread = ignorant && vocabulary.knows_features() && request.acquisition != Acquisition::Random;
    let choice = if spread && sets {
        cold_start::spread_sets(vocabulary, request.pool, &eligible, count, request.seed)?
    } else if spread {
        cold_start::spread(vocabulary, request.pool, &eligible, count, request.seed)?
    } else {
        let rule = if ignorant { Acquisition::Random } else { rule_for(request, untrained) };
        let candidates = Candidates {
            predictions: &predictions,
            samples: &samples,
            hit_information: &hit_information,
            eligible: &eligible,
            objective: request.objective,
            reference: cell.header.reference,
            best_utility: best_utility(request, cell.header.reference),
            seed: request.seed,
        };
        acquisition::choose(rule, &candidates, count)?
    };
    let Choice { scores, picks } = choice;
    let words = reason::Words::new(vocabulary, cell, request, &predictions, spread)?;
    let mut proposals =
        picks.iter().map(|pick| describe(pick, request, &predictions, &words)).collect::<Result<Vec<_>>>()?;
    let runners_up = proposals.split_off(request.batch_size.min(proposals.len()));
    Ok(Proposed { proposals, runners_up, predictions, scores })
}

/// Without a measured value there is no mean to be greedy with: what the priors know is the hits.
fn rule_for(request: &Request, untrained: bool) -> Acquisition {
    match request.acquisition {
        Acquisition::Random => Acquisition::Random,
        _ if untrained => Acquisition::HitProbability,
        rule => rule,
    }
}

/// Of the values measured; `None` when nothing is.
fn best_utility(request: &Request, reference: f64) -> Option<f64> {
    let measured = request.cut.iter().map(|row| row.value);
    let utilities = measured.map(|value| acquisition::utility(request.objective, reference, value));
    utilities.max_by(f64::total_cmp)
}

fn eligible(request: &Request) -> Vec<usize> {
    let barred: HashSet<&Experiment> = request.pending.iter().chain(request.excluded).collect();
    let free = request.pool.iter().enumerate().filter(|(_, experiment)| !barred.contains(experiment));
    free.map(|(position, _)| position).collect()
}

fn describe(
    pick: &Pick,
    request: &Request,
    predictions: &[Prediction],
    words: &reason::Words,
) -> Result<Proposal> {
    let outside = || Error::Settings("a candidate outside the pool was picked".into());
    let experiment = request.pool.get(pick.candidate).ok_or_else(outside)?;
    let prediction = predictions.get(pick.candidate).ok_or_else(outside)?;
    Ok(Proposal {
        experiment: experiment.clone(),
        prediction: *prediction,
        score: pick.score,
        reason: words.of(experiment, prediction, pick.score)?,
    })
}
