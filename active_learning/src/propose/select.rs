//! Whom to take: the rule, the spread, the shares; and what to do while nothing is known.

use super::diverse::Diverse;
use super::repeats::{Doubt, Repeats};
use super::{Request, cold_start, looked_at, mostly_sets, plates, shares, within};
use crate::Result;
use crate::acquisition::auto::{self, Evidence, LEARNING_DIVERSITY, Replicating, Shared, Verdict};
use crate::acquisition::{self, Candidates, Choice, Pick, cost, feasible};
use crate::representation::Vocabulary;
use crate::train::Cell;
use jobs::Experiment;
use jobs::work::learn::Acquisition;
use std::collections::HashSet;

/// A pick, and what it is there for.
#[derive(Clone, Copy)]
pub(super) struct Selected {
    pub pick: Pick,
    pub why: Why,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Why {
    /// The rule's own choice.
    Rule,
    /// Passed on to by diversity, from this place (from 0) in the rule's order.
    Unlike { rank: usize },
    /// The automatic mode's learning share.
    Learns,
    /// Measured before, and again because its call is in doubt.
    Repeats(Doubt),
    /// In place of others that the rule puts before it, to fill a plate.
    FillsPlate,
}

#[derive(Default)]
pub(super) struct Selection {
    pub scores: Vec<f64>,
    pub picks: Vec<Selected>,
    /// The first so many are the batch, the others stand in for them.
    pub batch: usize,
    pub explanation: String,
    pub learning: usize,
    pub replicating: usize,
    /// How the shares are said.
    pub said: Said,
}

/// What says the shares of a batch, should it become another one than the rule's own.
#[derive(Default)]
pub(super) enum Said {
    /// There is nothing to be said of shares.
    #[default]
    Nothing,
    /// Of repeats, where there are any.
    Rule,
    Auto(Verdict),
}

/// What a choice can rest on.
pub(super) enum Knowledge {
    /// Nothing but features.
    Features {
        sets: bool,
    },
    /// Nothing at all.
    None {
        sets: bool,
    },
    /// Other screens.
    Elsewhere,
    Measured,
}

impl Knowledge {
    pub fn of(vocabulary: &Vocabulary, cell: &Cell, request: &Request) -> Self {
        // What other screens of single edits say is no help in finding sets that interact.
        let sets = mostly_sets(request.pool);
        if cell.header.metrics.training_rows > 0 {
            Self::Measured
        } else if cell.header.has_prior && !sets {
            Self::Elsewhere
        } else if vocabulary.knows_features() && request.acquisition != Acquisition::Random {
            Self::Features { sets }
        } else {
            Self::None { sets }
        }
    }

    /// Whether the pool is of sets, and none was measured.
    pub fn says_nothing_of_sets(&self) -> bool {
        matches!(self, Self::Features { sets: true } | Self::None { sets: true })
    }

    /// Whether the batch is spread over the features for want of anything better.
    pub fn spreads(&self) -> bool {
        matches!(self, Self::Features { .. })
    }
}

/// `count`: batch and runners-up.
pub(super) fn select(
    vocabulary: &Vocabulary,
    cell: &Cell,
    request: &Request,
    candidates: &Candidates,
    knowledge: &Knowledge,
    count: usize,
) -> Result<Selection> {
    // What costs too much, or has no plate, is passed over, and others must be there to follow.
    let all = request.prices.is_some() || request.per_plate.is_some();
    let wide = if all { candidates.eligible.len() } else { count };
    let mut selection = choose(vocabulary, cell, request, candidates, knowledge, (count, wide))?;
    let chosen = batch_of(&selection);
    let per_plate = request.per_plate.filter(|per_plate| *per_plate > 0);
    let mut plated = None;
    if let Some(per_plate) = per_plate {
        let (fitted, moved) = plates::fit(selection, request.pool, per_plate);
        (selection, plated) = (fitted, moved.then_some(per_plate));
    }
    let rule = rule_for(request, knowledge);
    if matches!(knowledge, Knowledge::Elsewhere | Knowledge::Measured)
        && !feasible::is_weighed(rule, candidates)
    {
        selection = feasible_first(selection, candidates, rule);
    }
    let mut money = None;
    if let (Some(expense), Some(prices)) = (&candidates.expense, request.prices) {
        let (fitted, words) = within::fit(selection, expense, prices);
        (selection, money) = (fitted, Some(words));
    }
    // Plates and money have moved experiments: what is said is of what is there now.
    if batch_of(&selection) != chosen {
        selection = shares::recount(selection, candidates);
    }
    let plates = plated.map(|per_plate| plates::words(&selection, request.pool, per_plate));
    let words = [Some(selection.explanation), plates, money].into_iter().flatten();
    selection.explanation = words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ");
    selection.picks.truncate(selection.batch.saturating_add(request.runners_up));
    Ok(selection)
}

/// Places in the pool of those in the batch, in order.
fn batch_of(selection: &Selection) -> Vec<usize> {
    let mut batch: Vec<usize> =
        selection.picks.iter().take(selection.batch).map(|it| it.pick.candidate).collect();
    batch.sort_unstable();
    batch
}

/// `count`: batch and runners-up; `wide`: how many are put in order.
fn choose(
    vocabulary: &Vocabulary,
    cell: &Cell,
    request: &Request,
    candidates: &Candidates,
    knowledge: &Knowledge,
    (count, wide): (usize, usize),
) -> Result<Selection> {
    let automatic = matches!(request.acquisition, Acquisition::Auto { .. });
    let cold = |choice: Choice, how: &str| Selection {
        scores: choice.scores,
        picks: choice.picks.into_iter().map(|pick| Selected { pick, why: Why::Rule }).collect(),
        explanation: if automatic {
            format!("Nothing is measured yet: all experiments are {how}.")
        } else {
            String::new()
        },
        batch: request.batch_size,
        ..Selection::default()
    };
    let (pool, eligible, seed) = (request.pool, candidates.eligible, request.seed);
    match knowledge {
        Knowledge::Features { sets: true } => {
            let choice = cold_start::spread_sets(vocabulary, pool, eligible, count, seed)?;
            Ok(cold(choice, "sets of edits that are alike, or spread over the features"))
        }
        Knowledge::Features { sets: false } => {
            let choice = cold_start::spread(vocabulary, pool, eligible, count, seed)?;
            Ok(cold(choice, "spread over the features, for the next round to learn from"))
        }
        Knowledge::None { .. } => {
            Ok(cold(acquisition::choose(Acquisition::Random, candidates, wide)?, "drawn at random"))
        }
        Knowledge::Elsewhere | Knowledge::Measured => {
            let diverse = Diverse { vocabulary, request };
            let repeats = match knowledge {
                Knowledge::Measured => Repeats::of(request, candidates),
                _ => Repeats::none(),
            };
            match rule_for(request, knowledge) {
                Acquisition::Auto { learning_share } => {
                    let evidence = Evidence {
                        metrics: &cell.header.metrics,
                        reliability: cell.header.reliability,
                        rounds_left: request.rounds_left,
                        limit: learning_share,
                    };
                    shared_out(&diverse, candidates, &evidence, &repeats, (count, wide))
                }
                rule => by_rule(&diverse, candidates, rule, &repeats, (count, wide)),
            }
        }
    }
}

/// Without a measured value there is no mean to be greedy with: what the priors know is the hits.
fn rule_for(request: &Request, knowledge: &Knowledge) -> Acquisition {
    match (request.acquisition, knowledge) {
        (rule @ (Acquisition::Random | Acquisition::Auto { .. }), _) | (rule, Knowledge::Measured) => rule,
        _ => Acquisition::HitProbability,
    }
}

fn by_rule(
    diverse: &Diverse,
    candidates: &Candidates,
    rule: Acquisition,
    repeats: &Repeats,
    (count, wide): (usize, usize),
) -> Result<Selection> {
    let request = diverse.request;
    let batch = request.batch_size;
    let draws = acquisition::samples_needed(rule, count) > 0;
    let looked_at = looked_at(request, count);
    let Choice { scores, picks } =
        acquisition::choose(rule, candidates, if draws { looked_at } else { looked_at.max(wide) })?;
    let shortlist = &picks[..looked_at.min(picks.len())];
    // Where all that is likely feasible is taken, there is nobody to be passed over for being alike.
    let strength = if feasible::is_short(rule, candidates) { 0.0 } else { request.diversity };
    let mut order = diverse.order(&[], shortlist, strength, (batch, count))?;
    if wide > count {
        let first: HashSet<usize> = order.iter().copied().collect();
        order.extend((0..picks.len()).filter(|rank| !first.contains(rank)));
    }
    let selected =
        |(place, rank): (usize, usize)| Selected { pick: picks[rank], why: why(place, rank, batch) };
    let picks: Vec<Selected> = order.into_iter().enumerate().map(selected).collect();
    let held = held(picks.iter().map(|it| it.pick.candidate), candidates, batch);
    let chances: Vec<f64> = held.iter().map(|&candidate| candidates.chance(candidate)).collect();
    let places = places(candidates, held.len(), batch);
    let (doubts, Replicating { count: replicating, words }) = repeats.allocate(&chances, places);
    let new = held.len().min(places - replicating);
    let explanation = shares::of_a_rule(new, &Replicating { count: replicating, words });
    let picks = with_repeats(picks, &doubts, new);
    Ok(Selection { scores, picks, batch, explanation, learning: 0, replicating, said: Said::Rule })
}

/// What is likely feasible before what is not, whatever plates asked for; repeats keep the end of the batch.
fn feasible_first(selection: Selection, candidates: &Candidates, rule: Acquisition) -> Selection {
    let (again, mut new): (Vec<_>, Vec<_>) =
        selection.picks.into_iter().partition(|it| matches!(it.why, Why::Repeats(_)));
    let rank = |it: &Selected| feasible::rank(rule, candidates, it.pick.candidate);
    new.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    let end = selection.batch.saturating_sub(again.len()).min(new.len());
    new.splice(end..end, again);
    Selection { picks: new, ..selection }
}

/// Those of `wanted`, in their order, that a batch holds with its money.
fn held(wanted: impl Iterator<Item = usize>, candidates: &Candidates, batch: usize) -> Vec<usize> {
    let Some(expense) = &candidates.expense else { return wanted.take(batch).collect() };
    let wanted: Vec<usize> = wanted.collect();
    let fits = cost::fit(wanted.iter().map(|&candidate| expense.of(candidate)), expense.budget, batch);
    wanted.into_iter().zip(fits).filter(|(_, fits)| *fits).map(|(candidate, _)| candidate).collect()
}

/// Places that repeats are weighed for: where money runs out first, those that money cannot fill are not free.
fn places(candidates: &Candidates, held: usize, batch: usize) -> usize {
    if candidates.expense.is_some() { held } else { batch }
}

/// The repeats stand behind the first `new` picks, and the batch ends with them.
fn with_repeats(mut picks: Vec<Selected>, doubts: &[Doubt], new: usize) -> Vec<Selected> {
    let repeat = |doubt: &Doubt| Selected {
        pick: Pick { candidate: doubt.candidate, score: doubt.gain },
        why: Why::Repeats(*doubt),
    };
    picks.splice(new..new, doubts.iter().map(repeat));
    picks
}

/// The automatic mode.
fn shared_out(
    diverse: &Diverse,
    candidates: &Candidates,
    evidence: &Evidence,
    repeats: &Repeats,
    (count, wide): (usize, usize),
) -> Result<Selection> {
    let request = diverse.request;
    let batch = request.batch_size;
    let Choice { scores, picks: mut ranked } =
        acquisition::choose(Acquisition::HitProbability, candidates, candidates.eligible.len())?;
    // What was measured is in question as a repeat alone, whatever the job leaves.
    let measured: HashSet<&Experiment> = request.cut.iter().map(|row| &row.experiment).collect();
    ranked.retain(|pick| request.pool.get(pick.candidate).is_some_and(|it| !measured.contains(it)));
    let shortlist = &ranked[..looked_at(request, count).min(ranked.len())];
    let mut ranks = diverse.order(&[], shortlist, request.diversity, (batch, count))?;
    let first: HashSet<usize> = ranks.iter().copied().collect();
    ranks.extend((0..ranked.len()).filter(|rank| !first.contains(rank)));
    let (first, new) = affordable(&ranks, &ranked, candidates, 0.0, batch);
    let chances: Vec<f64> = first[..new].iter().map(|&rank| ranked[rank].score).collect();
    let (doubts, replicating) = repeats.allocate(&chances, places(candidates, new, batch));
    let again = candidates.cost(doubts.iter().map(|doubt| doubt.candidate));
    let (ranks, new) = affordable(&ranks, &ranked, candidates, again, batch - replicating.count);
    let ranked: Vec<Pick> = ranks.iter().map(|&rank| ranked[rank]).collect();
    let spread = |taken: &[Pick], from: &[Pick], wanted: usize| -> Result<Vec<Pick>> {
        // None costs more than its part of what is left.
        let left = candidates.expense.map_or(f64::INFINITY, |expense| expense.budget)
            - again
            - candidates.cost(taken.iter().map(|pick| pick.candidate));
        let cheap = |pick: &&Pick| candidates.cost([pick.candidate]) <= left / wanted.max(1) as f64;
        let from: Vec<Pick> = from.iter().filter(cheap).copied().collect();
        let order = diverse.order(taken, &from, LEARNING_DIVERSITY, (wanted, wanted))?;
        Ok(order.into_iter().map(|place| from[place]).collect())
    };
    let Shared { picks, exploit, learn, explanation, verdict } =
        auto::share_out(candidates, &ranked, evidence, &replicating, (new, count.max(wide)), spread)?;
    let selected = |(place, pick): (usize, Pick)| match place {
        place if place < exploit => Selected { pick, why: why(place, ranks[place], batch) },
        place if place < exploit + learn => Selected { pick, why: Why::Learns },
        _ => Selected { pick, why: Why::Rule },
    };
    let picks = picks.into_iter().enumerate().map(selected).collect();
    let picks = with_repeats(picks, &doubts, exploit + learn);
    let replicating = replicating.count;
    let said = Said::Auto(verdict);
    Ok(Selection { scores, picks, batch, explanation, learning: learn, replicating, said })
}

/// `ranks` with what a batch of `places` new experiments may hold in front, beside repeats for `again`; and how many that
/// are.
fn affordable(
    ranks: &[usize],
    ranked: &[Pick],
    candidates: &Candidates,
    again: f64,
    places: usize,
) -> (Vec<usize>, usize) {
    let Some(expense) = &candidates.expense else { return (ranks.to_vec(), places.min(ranks.len())) };
    let costs = ranks.iter().map(|&rank| expense.of(ranked[rank].candidate));
    let fits = cost::fit(costs, expense.budget - again, places);
    let (first, rest): (Vec<_>, Vec<_>) = ranks.iter().copied().zip(fits).partition(|(_, fits)| *fits);
    let new = first.len();
    (first.into_iter().chain(rest).map(|(rank, _)| rank).collect(), new)
}

/// Of what is in the batch; what comes after it needs no reason of its own.
fn why(place: usize, rank: usize, batch: usize) -> Why {
    if place < batch && rank >= batch { Why::Unlike { rank } } else { Why::Rule }
}
