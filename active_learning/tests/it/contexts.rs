//! Cell lines that have features.

use active_learning::data::{FeatureTable, Observation};
use active_learning::model::{Model, Stop};
use active_learning::representation::Vocabulary;
use active_learning::train::Cell;
use jobs::work::learn::{ModelFamily, Prediction};
use jobs::{Context, Experiment};

const GENES: usize = 20;

/// Lines of two kinds: expression of the odd ones is the even ones' turned over, nearly.
fn vocabulary(lines: bool) -> Vocabulary {
    let mut genes = String::from("gene,a_0,a_1\n");
    for gene in 0..GENES {
        genes.push_str(&format!("G{gene},{},{}\n", (gene % 5) as f64 - 2.0, (gene % 3) as f64 - 1.0));
    }
    let mut table = String::from("cell_line,X,Y,Z\n");
    for line in 0..12 {
        let kind = if line % 2 == 0 { 1.0 } else { -1.0 };
        let own = (line % 4) as f64 / 10.0;
        table.push_str(&format!("L{line},{},{},{own}\n", kind, 2.0 * kind + own));
    }
    let mut tables = vec![FeatureTable::read(genes.as_bytes()).unwrap()];
    if lines {
        tables.push(FeatureTable::read(table.as_bytes()).unwrap());
    }
    Vocabulary::build(&FeatureTable::join(tables), None).unwrap()
}

fn experiment(gene: usize, line: &str) -> Experiment {
    Experiment { perturbation: format!("G{gene}").parse().unwrap(), context: Context(line.into()) }
}

/// Ten lines; the even ones answer two more.
fn cut() -> Vec<Observation> {
    let rows = (0..10).flat_map(|line| (0..GENES).map(move |gene| (line, gene)));
    let rows = rows.filter(|(line, gene)| (line + gene) % 2 == 0 || gene % 3 == 0);
    rows.map(|(line, gene)| {
        let value = if line % 2 == 0 { 2.0 } else { 0.0 } + 0.3 * (gene % 5) as f64;
        Observation::single(experiment(gene, &format!("L{line}")), value, Some(value > 2.5))
    })
    .collect()
}

fn train(vocabulary: &Vocabulary) -> Cell {
    tch::set_num_threads(1);
    let spec = crate::synthetic::spec(ModelFamily::BayesianLinear);
    Cell::train(vocabulary, &cut(), &spec, 1, &Stop::default()).unwrap()
}

fn said(cell: &Cell, vocabulary: &Vocabulary, line: &str) -> Prediction {
    cell.predict(vocabulary, &[experiment(4, line)], 0, 1).unwrap().predictions[0]
}

#[test]
fn a_new_context_is_foretold_by_its_likes() {
    let vocabulary = vocabulary(true);
    let cell = train(&vocabulary);
    assert!(matches!(cell.model, Model::Linear(_)));
    // Never measured in either.
    let (even, odd) = (said(&cell, &vocabulary, "L10"), said(&cell, &vocabulary, "L11"));
    assert!(even.mean - odd.mean > 1.0, "the truth is 2: {even:?} {odd:?}");
    assert!(even.hit_probability > odd.hit_probability + 0.1, "{even:?} {odd:?}");
    // A name without features lies between them.
    let unknown = said(&cell, &vocabulary, "nobody's");
    assert!(odd.mean < unknown.mean && unknown.mean < even.mean, "{unknown:?}");
    let read = Cell::from_bytes(&cell.to_bytes().unwrap()).unwrap();
    // A root that was turned over in memory: last digits of double precision.
    assert!((said(&read, &vocabulary, "L10").mean - even.mean).abs() < 1e-9);
}

#[test]
fn without_features_of_contexts_a_context_is_its_name() {
    let vocabulary = vocabulary(false);
    let cell = train(&vocabulary);
    let bytes = String::from_utf8_lossy(&cell.to_bytes().unwrap()).into_owned();
    assert!(!bytes.contains("context_features"));
    let (even, odd) = (said(&cell, &vocabulary, "L10"), said(&cell, &vocabulary, "L11"));
    assert_eq!(even, odd, "nobody could tell");
    assert!(
        said(&cell, &vocabulary, "L8").mean - said(&cell, &vocabulary, "L9").mean > 1.0,
        "names are known"
    );
}
