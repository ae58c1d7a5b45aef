//! Ranking whole spaces: what streams by is ranked as if all of it were predicted at once.

use crate::synthetic;
use active_learning::Error;
use active_learning::model::Stop;
use active_learning::representation::Vocabulary;
use active_learning::screen::{Request, Screened, Spanned, score, screen};
use active_learning::train::Cell;
use jobs::work::learn::ModelFamily;
use jobs::work::screen::{RankBy, Space};
use jobs::{Context, Experiment};

const RULES: [RankBy; 5] = [
    RankBy::HitProbability,
    RankBy::MeanUp,
    RankBy::MeanDown,
    RankBy::UpperBound { beta: 1.5 },
    RankBy::LowerBound { beta: 1.5 },
];

/// All pairs of the first `genes` genes: one of them unknown to the features where it is the last.
fn pairs(genes: usize) -> Space {
    let skipped = synthetic::GENES - genes;
    let edits = (skipped..synthetic::GENES).map(|gene| format!("G{gene}")).collect();
    Space::Pairs { edits, context: Context("replay".into()) }
}

fn ranked(cell: &Cell, vocabulary: &Vocabulary, space: &Space, rank_by: RankBy, keep: usize) -> Screened {
    let spanned = Spanned::of(space, None, vocabulary, &[]).unwrap();
    let request = Request { rank_by, keep, seed: 1, stop: &Stop::default() };
    screen(vocabulary, cell, spanned, &request, |_| ()).unwrap()
}

/// Predicts everything, sorts, and takes the first.
fn naive(cell: &Cell, vocabulary: &Vocabulary, space: &Space, rule: RankBy) -> Vec<(f64, Experiment)> {
    let all: Vec<Experiment> = Spanned::of(space, None, vocabulary, &[]).unwrap().experiments.collect();
    let said = cell.predict(vocabulary, &all, 0, 1).unwrap().predictions;
    let mut scored: Vec<(f64, Experiment)> = said.iter().map(|said| score(rule, said)).zip(all).collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    scored
}

fn agrees(cell: &Cell, vocabulary: &Vocabulary, space: &Space, rule: RankBy, keep: usize) {
    let screened = ranked(cell, vocabulary, space, rule, keep);
    let expected = naive(cell, vocabulary, space, rule);
    assert_eq!(screened.ranked.len(), keep.min(expected.len()));
    for (place, (one, (score, experiment))) in screened.ranked.iter().zip(&expected).enumerate() {
        assert_eq!((&one.experiment, one.score), (experiment, *score), "{rule:?}, place {place}");
    }
    assert_eq!(screened.summary.experiments, expected.len() as u64);
}

#[test]
fn a_space_of_several_chunks_is_ranked_as_predicting_everything_would() {
    let files = synthetic::screen();
    let vocabulary = files.vocabulary();
    let cell = synthetic::train(&vocabulary, &files.cut(80), ModelFamily::BayesianLinear, 3);
    // 44,850 pairs: more than one chunk, and not a whole number of them.
    let space = pairs(synthetic::GENES);
    for rule in RULES {
        agrees(&cell, &vocabulary, &space, rule, 500);
    }
}

#[test]
fn every_family_is_ranked_so() {
    let files = synthetic::screen();
    let vocabulary = files.vocabulary();
    for family in synthetic::FAMILIES {
        let cell = synthetic::train(&vocabulary, &files.cut(80), family, 3);
        agrees(&cell, &vocabulary, &pairs(40), RankBy::HitProbability, 1_000);
    }
}

#[test]
fn the_summary_is_of_the_whole_space_and_not_of_what_is_kept() {
    let files = synthetic::screen();
    let vocabulary = files.vocabulary();
    let cell = synthetic::train(&vocabulary, &files.cut(80), ModelFamily::BayesianLinear, 3);
    let space = pairs(50);
    let summary = ranked(&cell, &vocabulary, &space, RankBy::MeanUp, 3).summary;
    let means = naive(&cell, &vocabulary, &space, RankBy::MeanUp);
    let hits: f64 = naive(&cell, &vocabulary, &space, RankBy::HitProbability).iter().map(|it| it.0).sum();
    assert_eq!((summary.experiments, summary.kept), (1225, 3));
    // The last gene has no row in the features, and is in 49 pairs.
    assert_eq!(summary.with_unknown_edits, 49);
    assert!((summary.expected_hits - hits).abs() < 1e-6);
    assert_eq!(summary.highest_mean, means[0].0);
    assert_eq!(summary.hit_probability_histogram.iter().sum::<u64>(), 1225);
}

#[test]
fn a_stop_is_heard_between_two_chunks() {
    let files = synthetic::screen();
    let vocabulary = files.vocabulary();
    let cell = synthetic::train(&vocabulary, &files.cut(80), ModelFamily::BayesianLinear, 3);
    let space = pairs(synthetic::GENES);
    let spanned = Spanned::of(&space, None, &vocabulary, &[]).unwrap();
    let stop = Stop::default();
    let request = Request { rank_by: RankBy::HitProbability, keep: 1, seed: 1, stop: &stop };
    let mut heard = Vec::new();
    let ended = screen(&vocabulary, &cell, spanned, &request, |share| {
        heard.push(share);
        stop.request();
    });
    assert!(matches!(ended, Err(Error::Stopped)), "{ended:?}");
    assert!(heard.len() == 1 && heard[0] < 1.0, "{heard:?}");
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let files = synthetic::screen();
    let vocabulary = files.vocabulary();
    let cell = synthetic::train(&vocabulary, &files.cut(40), ModelFamily::BayesianLinear, 3);
    let space = pairs(3);
    for (rank_by, keep) in [
        (RankBy::MeanUp, 0),
        (RankBy::MeanUp, 10_001),
        (RankBy::UpperBound { beta: f64::NAN }, 1),
        (RankBy::LowerBound { beta: -1.0 }, 1),
    ] {
        let spanned = Spanned::of(&space, None, &vocabulary, &[]).unwrap();
        let request = Request { rank_by, keep, seed: 1, stop: &Stop::default() };
        let ended = screen(&vocabulary, &cell, spanned, &request, |_| ());
        assert!(matches!(ended, Err(Error::Settings(_))), "{rank_by:?} {keep}: {ended:?}");
    }
}

#[test]
fn contexts_that_stand_among_the_features_are_no_edits() {
    let files = synthetic::screen();
    let vocabulary = files.vocabulary();
    let space = Space::Known { context: Context("G7".into()) };
    let others = ["G8".to_owned()];
    let known = Spanned::of(&space, None, &vocabulary, &others).unwrap();
    assert_eq!(
        known.size,
        synthetic::GENES as u64 - 3,
        "one is unknown, one is asked in, one was trained in"
    );
    assert_eq!(known.experiments.count() as u64, synthetic::GENES as u64 - 3);
}
