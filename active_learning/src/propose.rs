//! The next batch: who is in question, what the cell says of them, whom the rule picks, and why in words.

mod cold_start;
mod directions;
mod diverse;
mod plates;
mod reason;
mod repeats;
mod select;
mod shares;
mod within;

use crate::acquisition::cost::Expense;
use crate::acquisition::{self, Candidates, Pick, diversity};
use crate::data::Observation;
use crate::prior::screens::HIT_SHARE;
use crate::readouts;
use crate::representation::Vocabulary;
use crate::train::{Cell, Predicted};
use crate::{Error, Result, threads};
use foldhash::fast::RandomState;
use jobs::Experiment;
use jobs::work::learn::{Acquisition, Objective, Prediction, Prices, Proposal, Repeats};
use jobs::work::readout::ReadoutPrediction;
use select::{Knowledge, Selected, Selection};
use std::collections::HashSet;

/// What a batch is chosen from and by. Lifetimes: everything is borrowed from the job.
pub struct Request<'a> {
    pub pool: &'a [Experiment],
    /// What was measured: named in reasons. The cell may have been trained on an earlier cut.
    pub cut: &'a [Observation],
    /// Asked for and not yet answered: never proposed again; diversity counts them as chosen.
    pub pending: &'a [Experiment],
    /// Not proposed, but for what may be measured again.
    pub excluded: &'a [Experiment],
    /// What may be measured again; `None`: nothing.
    pub repeats: Option<&'a Repeats>,
    /// What experiments cost and the batch may; `None`: anything.
    pub prices: Option<&'a Prices>,
    /// Experiments that one plate takes, all in one context: the batch needs as few plates as it can. `None`: contexts
    /// are mixed as the rule likes.
    pub per_plate: Option<usize>,
    pub objective: Objective,
    pub acquisition: Acquisition,
    /// How firmly the batch is spread over the features, 0 to 1.
    pub diversity: f64,
    /// Rounds after this one in which what is learnt can be used, where that is known.
    pub rounds_left: Option<u32>,
    pub batch_size: usize,
    pub runners_up: usize,
    pub seed: u64,
}

/// The batch, the next best, and what the cell says of the whole pool.
pub struct Proposed {
    /// Best first.
    pub proposals: Vec<Proposal>,
    pub runners_up: Vec<Proposal>,
    /// What the batch as a whole is for, and why; empty when the rule says it all.
    pub explanation: String,
    /// Proposals that are there to learn from, rather than for being likely hits.
    pub learning: usize,
    /// Proposals that were measured before.
    pub replicating: usize,
    /// In the pool's order.
    pub predictions: Vec<Prediction>,
    /// In the pool's order.
    pub scores: Vec<f64>,
}

/// The value of an experiment that does nothing: values are in units in which the negative control reads 0.
const NO_EFFECT: f64 = 0.0;

/// Chooses by `cell`. A cell without data nor priors knows nothing: then the batch is spread over the
/// features, or drawn at random, and every reason says so.
pub fn propose(vocabulary: &Vocabulary, cell: &Cell, request: &Request) -> Result<Proposed> {
    if request.batch_size == 0 {
        return Err(Error::Settings("batch_size is 0".into()));
    }
    let eligible = eligible(request);
    let count = request.batch_size.saturating_add(request.runners_up).min(eligible.len());
    let draws = acquisition::samples_needed(request.acquisition, looked_at(request, count));
    let Predicted { mut predictions, hit_information, samples } =
        cell.predict(vocabulary, request.pool, draws, request.seed)?;
    let knowledge = Knowledge::of(vocabulary, cell, request);
    if knowledge.says_nothing_of_sets() && cell.header.has_prior {
        as_often_as_single_edits(request.pool, &mut predictions);
    }
    let readouts = cell.predict_readouts(vocabulary, request.pool, false)?;
    let feasibility = feasibility(&readouts);
    let costs: Vec<f64> = request
        .prices
        .map(|prices| request.pool.iter().map(|experiment| prices.of(experiment)).collect())
        .unwrap_or_default();
    let expense = request.prices.map(|prices| Expense {
        each: &costs,
        budget: prices.budget,
        batch: request.batch_size,
    });
    let candidates = Candidates {
        predictions: &predictions,
        samples: &samples,
        hit_information: &hit_information,
        feasibility: &feasibility,
        expense,
        eligible: &eligible,
        objective: request.objective,
        reference: NO_EFFECT,
        best_utility: best_utility(request),
        taken: count,
        seed: request.seed,
    };
    let Selection { scores, picks, batch, explanation, learning, replicating, .. } =
        select::select(vocabulary, cell, request, &candidates, &knowledge, count)?;
    let words = reason::Words::new(vocabulary, cell, request, &predictions, knowledge.spreads())?;
    let says = Says { predictions: &predictions, readouts: &readouts };
    let neighbours = words.neighbours(&picks)?;
    let described = picks
        .iter()
        .enumerate()
        .map(|(place, selected)| describe(selected, request, &says, (&words, neighbours.get(place))));
    let mut proposals = described.collect::<Result<Vec<_>>>()?;
    let runners_up = proposals.split_off(batch.min(proposals.len()));
    Ok(Proposed { proposals, runners_up, explanation, learning, replicating, predictions, scores })
}

/// Whether `pool` is one of sets of edits: by its majority, so that a stray single edit among pairs does not make it one of
/// single edits.
pub fn mostly_sets(pool: &[Experiment]) -> bool {
    let sets = pool.iter().filter(|experiment| experiment.perturbation.edits().len() > 1).count();
    2 * sets > pool.len()
}

/// What is said of sets where nobody measured any: that one of their edits is a hit, each as often as in other screens. Which
/// edits are hits by themselves says nothing of which sets are.
fn as_often_as_single_edits(pool: &[Experiment], predictions: &mut [Prediction]) {
    for (experiment, prediction) in pool.iter().zip(predictions) {
        let edits = experiment.perturbation.edits().len();
        if edits > 1 {
            prediction.hit_probability = 1.0 - (1.0 - HIT_SHARE).powi(edits as i32);
        }
    }
}

/// Candidates that the rule has to rank for `count` picks.
fn looked_at(request: &Request, count: usize) -> usize {
    if request.diversity > 0.0 { diversity::shortlist(count) } else { count }
}

/// Of the values measured; `None` when nothing is.
fn best_utility(request: &Request) -> Option<f64> {
    let measured = request.cut.iter().map(|row| row.value);
    let utilities = measured.map(|value| acquisition::utility(request.objective, NO_EFFECT, value));
    utilities.max_by(f64::total_cmp)
}

/// What may be asked for that is new.
fn eligible(request: &Request) -> Vec<usize> {
    let again = request.repeats.map_or(&[][..], |repeats| &repeats.experiments);
    let barred: HashSet<&Experiment, RandomState> =
        request.pending.iter().chain(request.excluded).chain(again).collect();
    let pool = request.pool;
    let free = threads::collect(pool.len(), false, |position| !barred.contains(&pool[position]));
    free.into_iter().enumerate().filter(|(_, free)| *free).map(|(position, _)| position).collect()
}

/// Of the pool; empty without constraints, or where nothing is measured of what they are about.
fn feasibility(readouts: &[Vec<ReadoutPrediction>]) -> Vec<f64> {
    readouts.iter().map_while(|of_one| readouts::joint(of_one)).collect()
}

/// What the cell says of the pool.
struct Says<'a> {
    predictions: &'a [Prediction],
    /// Empty without further readouts.
    readouts: &'a [Vec<ReadoutPrediction>],
}

fn describe(
    selected: &Selected,
    request: &Request,
    says: &Says,
    (words, neighbours): (&reason::Words, Option<&String>),
) -> Result<Proposal> {
    let outside = || Error::Settings("a candidate outside the pool was picked".into());
    let Pick { candidate, score } = selected.pick;
    let experiment = request.pool.get(candidate).ok_or_else(outside)?;
    let prediction = says.predictions.get(candidate).ok_or_else(outside)?;
    let readouts = says.readouts.get(candidate).cloned().unwrap_or_default();
    Ok(Proposal {
        experiment: experiment.clone(),
        prediction: *prediction,
        score,
        reason: words.of(experiment, prediction, &readouts, (selected, neighbours)),
        feasibility: readouts::joint(&readouts),
        readouts,
    })
}
