//! A trained cell is its bytes.

use crate::synthetic::{self, FAMILIES, train};
use active_learning::data::FeatureTable;
use active_learning::representation::Vocabulary;
use active_learning::train::Cell;

#[test]
fn the_same_inputs_and_seed_give_the_same_bytes() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(80));
    for family in FAMILIES {
        let first = train(&vocabulary, &cut, family, 5).to_bytes().unwrap();
        let again = train(&screen.vocabulary(), &cut, family, 5).to_bytes().unwrap();
        assert!(first == again, "{family:?}");
    }
}

#[test]
fn another_seed_gives_another_ensemble() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(80));
    let [first, other] = [5, 6].map(|seed| {
        let cell = train(&vocabulary, &cut, FAMILIES[0], seed);
        cell.predict(&vocabulary, &[cut[0].experiment.clone()], 0, 1).unwrap().predictions[0].mean
    });
    assert_ne!(first, other);
}

#[test]
fn a_cell_read_back_predicts_the_same() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(80));
    let pool = screen.oracle().pool().to_vec();
    for family in FAMILIES {
        let cell = train(&vocabulary, &cut, family, 5);
        let read = Cell::from_bytes(&cell.to_bytes().unwrap()).unwrap();
        assert_eq!(read.header, cell.header);
        let before = cell.predict(&vocabulary, &pool, 3, 9).unwrap();
        let after = read.predict(&vocabulary, &pool, 3, 9).unwrap();
        assert_eq!(before.predictions, after.predictions, "{family:?}");
        assert_eq!(before.samples, after.samples, "{family:?}");
    }
}

#[test]
fn broken_bytes_are_refused() {
    let screen = synthetic::screen();
    let bytes = train(&screen.vocabulary(), &screen.cut(50), FAMILIES[0], 5).to_bytes().unwrap();
    let cases = [&bytes[..4], &bytes[..40], &bytes[..bytes.len() - 1], b"not a checkpoint at all".as_slice()];
    for broken in cases {
        assert_eq!(Cell::from_bytes(broken).unwrap_err().code(), "learner.checkpoint_unreadable");
    }
}

#[test]
fn a_cell_refuses_features_it_was_not_trained_with() {
    let screen = synthetic::screen();
    let cell = train(&screen.vocabulary(), &screen.cut(50), FAMILIES[1], 5);
    let other = FeatureTable::read(b"gene,a_0\nG0,1\nG1,2\n").unwrap();
    let other = Vocabulary::build(&other, None).unwrap();
    let refused = cell.predict(&other, screen.oracle().pool(), 0, 1);
    assert_eq!(refused.err().unwrap().code(), "learner.checkpoint_mismatch");
}
