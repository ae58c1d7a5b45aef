//! What comes in is checked, and goes out as it came in.

use active_learning::data::{FeatureTable, cut, pool};
use active_learning::prior::PriorScreens;
use active_learning::representation::{Encoded, Vocabulary};
use jobs::work::readout::{Readout, ReadoutKind};
use jobs::{Context, Experiment};
use std::collections::HashSet;

#[test]
fn a_pool_and_a_cut_survive_being_written() {
    let experiments =
        pool::read(b"perturbation,context\nB+A,\"K562, day 3\"\nA,K562\nA+B,\"K562, day 3\"\n").unwrap();
    assert_eq!(experiments.len(), 2, "the same pair in another order is the same experiment");
    assert_eq!(pool::read(&pool::write(&experiments)).unwrap(), experiments);

    let rows = cut::read(b"perturbation,context,readout,value,hit,replicates,sem\nA,K562,ifng,-1.5,1,2,0.1\nB,K562,ifng,0.25,,1,\n", &[]).unwrap();
    let rows = rows.observations;
    assert_eq!(rows[0].hit, Some(true));
    assert_eq!(rows[1].hit, None);
    assert_eq!((rows[0].replicates, rows[1].sem), (2.0, None));
    assert_eq!(cut::read(&cut::write("ifng", &rows), &[]).unwrap().observations, rows);
}

#[test]
fn two_readouts_in_one_cut_are_refused() {
    let mixed = b"perturbation,context,readout,value,hit,replicates,sem\nA,K,one,1,,1,\nB,K,two,2,,1,\n";
    assert_eq!(cut::read(mixed, &[]).unwrap_err().code(), "learner.table_unreadable");
}

#[test]
fn rows_of_named_readouts_are_told_apart() {
    let text = b"perturbation,context,readout,value,hit,replicates,sem\nA,K,one,1,,1,\nA,K,alive,0.9,,2,0.1\nA,K,rna/MYC,2,,1,\n";
    let vector = ReadoutKind::Vector { components: vec!["TP53".into(), "MYC".into()] };
    let readout = |name: &str, kind| Readout { name: name.into(), kind, constraint: None };
    let cut = cut::read(text, &[readout("alive", ReadoutKind::Continuous), readout("rna", vector)]).unwrap();
    assert_eq!(cut.observations.len(), 1);
    let places: Vec<(usize, usize, f64)> =
        cut.further.iter().map(|row| (row.readout, row.component, row.value)).collect();
    assert_eq!(places, [(0, 0, f64::from(0.9f32)), (1, 1, 2.0)]);
    assert_eq!(cut::read(text, &[]).unwrap_err().code(), "learner.table_unreadable");
}

#[test]
fn bad_tables_are_refused_with_a_code() {
    assert_eq!(pool::read(b"gene\nA\n").unwrap_err().code(), "learner.column_missing");
    assert_eq!(pool::read(b"perturbation,context\nA+,K\n").unwrap_err().code(), "learner.row_invalid");
    assert_eq!(pool::read(b"PAR1 not a parquet file").unwrap_err().code(), "learner.table_unreadable");
    let no_number = b"perturbation,context,readout,value,hit,replicates,sem\nA,K,r,high,,1,\n";
    assert_eq!(cut::read(no_number, &[]).unwrap_err().code(), "learner.row_invalid");
    let no_value = b"perturbation,context,readout,value,hit,replicates,sem\nA,K,r,,,1,\n";
    assert_eq!(cut::read(no_value, &[]).unwrap_err().code(), "learner.row_invalid");
}

#[test]
fn siblings_are_left_out_by_id_study_and_group() {
    let mut text = String::from("screen_id,gene,score,group\n");
    for (id, group) in [("lab1_a", "x"), ("lab1_b", "y"), ("other", "x"), ("kept", "z")] {
        for gene in 0..5 {
            text.push_str(&format!("{id},G{gene},{gene},{group}\n"));
        }
    }
    let left = |siblings: &[&str]| {
        let siblings: HashSet<String> = siblings.iter().map(|name| (*name).to_owned()).collect();
        PriorScreens::read("p", text.as_bytes(), &siblings, &HashSet::new()).unwrap().screens
    };
    assert_eq!(left(&["lab1"]), ["other", "kept"]);
    assert_eq!(left(&["x"]), ["lab1_b", "kept"]);
    assert_eq!(left(&["lab1_a"]), ["lab1_b", "other", "kept"]);
}

#[test]
fn experiments_keep_their_names() {
    let text = "perturbation,context\n\"a\"\"b\",c\n";
    let experiments: Vec<Experiment> = pool::read(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(pool::write(&experiments)).unwrap(), text);
}

#[test]
fn names_that_differ_by_case_alone_are_one_where_only_one_is_meant() {
    let features = FeatureTable::read(b"gene,a_0,a_1\nMapk1,1,2\nTP53,3,-1\nCat,2,2\nCAT,0,1\n").unwrap();
    let text = "screen_id,gene,score,hit\na,MAPK1,9,1\na,tp53,0,0\na,cat,1,0\na,OTHER,1,0\n";
    let screens = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
    let vocabulary = Vocabulary::build(&features, Some(&screens)).unwrap();
    for [name, other] in [["Mapk1", "MAPK1"], ["TP53", "tp53"], ["OTHER", "other"], ["Mapk1", "mapk1@3uM"]] {
        assert_eq!(vocabulary.row(name), vocabulary.row(other), "{name} {other}");
        assert!(vocabulary.knows(other), "{other}");
    }
    // What the other screen says of it stands in the row that has its features.
    let share = |name: &str| vocabulary.frequency[usize::try_from(vocabulary.row(name)).unwrap()];
    assert_eq!((share("mapk1"), share("TP53")), (Some(1.0), Some(0.0)));
    // Nobody says which of two is meant; `cat` of the screens is a third.
    let rows: HashSet<i64> = ["Cat", "CAT", "cat", "cAT"].map(|name| vocabulary.row(name)).into();
    assert_eq!(rows.len(), 4);
    assert!(!vocabulary.knows("cAT"));
    let pool = ["mapk1", "cat", "OTHER", "new", "Cat+tp53"]
        .map(|key| Experiment { perturbation: key.parse().unwrap(), context: Context("k".into()) });
    let said = vocabulary.coverage(&pool).unwrap().to_string();
    assert_eq!(said, "features know 3 of 6 edits, other screens 4");
}

#[test]
fn a_context_is_not_taken_for_a_gene_of_another_case() {
    let features = FeatureTable::read(b"gene,a_0,a_1\nREST,1,2\nB,3,-1\n").unwrap();
    let vocabulary = Vocabulary::build(&features, None).unwrap();
    let of = |context: &str| {
        let experiment =
            Experiment { perturbation: "rest".parse().unwrap(), context: Context(context.into()) };
        let encoded = Encoded::of(&[experiment], &vocabulary, &[]).unwrap();
        [encoded.rows, encoded.context_rows].map(|rows| rows.int64_value(&[0]))
    };
    assert_eq!(of("rest"), [0, 2]);
}
