//! Earlier versions beside the new one, on rows that neither learnt from.

use super::synthetic;
use active_learning::data::Observation;
use active_learning::model::Stop;
use active_learning::shadow::{self, New};
use active_learning::train::Cell;
use jobs::work::learn::ModelFamily;
use jobs::work::shadow::ShadowScore;
use jobs::{Context, Digest};

/// A version of the first `earlier` rows beside one of all 160.
fn scored(earlier: usize, cut: &[Observation]) -> Option<ShadowScore> {
    let vocabulary = synthetic::screen().vocabulary();
    let spec = synthetic::spec(ModelFamily::BayesianLinear);
    let old = synthetic::train(&vocabulary, &cut[..earlier], ModelFamily::BayesianLinear, 1);
    let (new, held_out) = Cell::train_and_judge(&vocabulary, cut, &spec, 2, &Stop::default()).unwrap();
    let new = New {
        vocabulary: &vocabulary,
        cut,
        scale: new.header.scale,
        held_out: &held_out,
        by_row: new.model.leaves_out_rows(),
    };
    shadow::score(&new, Digest::of(b"old"), &old, &cut[..earlier]).unwrap()
}

#[test]
fn more_data_shows_on_the_same_rows() {
    let cut = synthetic::screen().cut(160);
    let score = scored(12, &cut).unwrap();
    assert_eq!((score.rows, score.checkpoint), (148, Digest::of(b"old")));
    let error = score.difference_error.unwrap();
    assert!(score.new.log_score > score.shadow.log_score + 2.0 * error, "{score:?}");
    assert!((0.8..=1.0).contains(&score.new.coverage_90), "{score:?}");
    // A forecast by mean and spread alone has -1.42.
    assert!(score.new.log_score > -1.0 && score.new.hit_log_score < 0.0, "{score:?}");
}

#[test]
fn the_same_data_is_no_comparison() {
    let cut = synthetic::screen().cut(160);
    assert_eq!(scored(160, &cut), None);
}

#[test]
fn a_version_that_learnt_lies_loses() {
    let mut cut = synthetic::screen().cut(160);
    let truth = cut.clone();
    // The first eighty were measured upside down, and then measured again.
    cut.truncate(80);
    cut.iter_mut().for_each(|row| row.value = -row.value);
    let vocabulary = synthetic::screen().vocabulary();
    let liar = synthetic::train(&vocabulary, &cut, ModelFamily::BayesianLinear, 1);
    let spec = synthetic::spec(ModelFamily::BayesianLinear);
    let (new, held_out) = Cell::train_and_judge(&vocabulary, &truth, &spec, 2, &Stop::default()).unwrap();
    let new = New {
        vocabulary: &vocabulary,
        cut: &truth,
        scale: new.header.scale,
        held_out: &held_out,
        by_row: new.model.leaves_out_rows(),
    };
    let score = shadow::score(&new, Digest::of(b"liar"), &liar, &cut).unwrap().unwrap();
    assert_eq!(score.rows, 80);
    assert!(score.new.log_score - score.shadow.log_score > 1.0, "{score:?}");
}

#[test]
fn a_perturbation_known_from_another_context_is_no_comparison_where_folds_leave_it_out_whole() {
    let vocabulary = synthetic::screen().vocabulary();
    let first = synthetic::screen().cut(160);
    let elsewhere = first[..40].iter().cloned().map(|mut row| {
        row.experiment.context = Context("others".into());
        row
    });
    let cut: Vec<Observation> = first.iter().cloned().chain(elsewhere).collect();
    let spec = synthetic::spec(ModelFamily::BayesianLinear);
    let old = synthetic::train(&vocabulary, &first[..80], ModelFamily::BayesianLinear, 1);
    let (new, held_out) = Cell::train_and_judge(&vocabulary, &cut, &spec, 2, &Stop::default()).unwrap();
    assert!(!new.model.leaves_out_rows());
    let rows = |by_row| {
        let new =
            New { vocabulary: &vocabulary, cut: &cut, scale: new.header.scale, held_out: &held_out, by_row };
        shadow::score(&new, Digest::of(b"old"), &old, &first[..80]).unwrap().unwrap().rows
    };
    // 80 genes that the old version never saw; beside them 40 that it knows from the first context.
    assert_eq!((rows(false), rows(true)), (80, 120));
}
