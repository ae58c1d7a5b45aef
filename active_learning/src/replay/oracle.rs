//! The measured screen, behind a counter: answers come only for what is asked.

use crate::data::Observation;
use crate::data::table::{ColumnKind, Table, Words};
use crate::{Error, Result};
use jobs::{Context, Experiment, Perturbation};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

/// Name of the only context of a replayed screen that names none.
const CONTEXT: &str = "replay";
const SCREEN: &str = "screen";

/// Share of a screen called hits at its high end, where the file calls none.
pub const TOP_SHARE: f64 = 0.01;

#[derive(Clone, Debug)]
pub struct Oracle {
    pool: Vec<Experiment>,
    truth: HashMap<Experiment, (f64, bool)>,
    pub skipped: Skipped,
}

/// Rows of the file that are no experiments of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// An edit with itself in a file of pairs.
    pub collapsed: usize,
    /// No name, or none that an edit can have.
    pub unnamed: usize,
    /// Why the first of these is none.
    why: Option<String>,
}

impl Skipped {
    /// A sentence for each reason.
    pub fn words(&self) -> Vec<String> {
        let collapsed = format!("{} rows pair an edit with itself and are skipped", self.collapsed);
        let why = self.why.as_deref().unwrap_or_default();
        let unnamed = format!("{} rows name no experiment and are skipped; the first: {why}", self.unnamed);
        let both = [(self.collapsed, collapsed), (self.unnamed, unnamed)];
        both.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect()
    }
}

/// Names of the columns of one format.
struct Format {
    edits: &'static [&'static str],
    context: Option<&'static str>,
    value: &'static str,
}

/// Of the drugs, both or neither.
const DOSES: [&str; 2] = ["dose_a", "dose_b"];
/// Single genes, gene pairs, drug pairs in a cell line (at doses, where `dose_a`, `dose_b` say so: `10uM`).
const FORMATS: [Format; 3] = [
    Format { edits: &["gene"], context: None, value: "score" },
    Format { edits: &["gene_a", "gene_b"], context: None, value: "gi_score" },
    Format { edits: &["drug_a", "drug_b"], context: Some("cell_line"), value: "synergy" },
];

impl Oracle {
    /// Parses a screen: `gene,score,hit`; `gene_a,gene_b,gi_score,hit`; or `drug_a,drug_b,cell_line,synergy`.
    /// Without `hit`, or where nothing stands in it, the highest [`TOP_SHARE`] are hits; where it has calls, a blank is none. A
    /// row whose names cannot be a perturbation, or that pairs an edit with itself, is [skipped](Skipped); that no row is left
    /// is an error.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::read_pool(bytes, false)
    }

    /// The same, of what is not marked in the column `essential`.
    pub fn read_non_essential(bytes: &[u8]) -> Result<Self> {
        Self::read_pool(bytes, true)
    }

    fn read_pool(bytes: &[u8], non_essential: bool) -> Result<Self> {
        let table = Table::read(SCREEN, bytes, kind_of_column)?;
        let missing = || Error::MissingColumn { table: SCREEN, column: "gene".into() };
        let named = |format: &&Format| format.edits.iter().all(|column| table.has(column));
        let format = FORMATS.iter().find(named).ok_or_else(missing)?;
        let values = table.number(format.value)?;
        let barred = if non_essential { table.number("essential")? } else { &[] };
        let edits = format.edits.iter().map(|column| table.text(column)).collect::<Result<Vec<_>>>()?;
        let doses = DOSES.iter().filter(|column| format.context.is_some() && table.has(column));
        let doses = doses.map(|column| table.text(column)).collect::<Result<Vec<_>>>()?;
        let context = format.context.map(|column| table.text(column)).transpose()?;
        let mut skipped = Skipped::default();
        let named = values.iter().enumerate().map(|(row, value)| {
            let experiment = match value.is_finite().then(|| experiment(row, (&edits, &doses), context))? {
                Ok(experiment) => experiment,
                Err(error) => {
                    skipped.unnamed += 1;
                    skipped.why.get_or_insert_with(|| error.to_string());
                    return None;
                }
            };
            let whole = experiment.perturbation.edits().len() == edits.len();
            skipped.collapsed += usize::from(!whole);
            whole.then_some(experiment)
        });
        let named: Vec<Option<Experiment>> = named.collect();
        if named.iter().all(Option::is_none) {
            let reason =
                ["it names no experiment with a value".to_owned()].into_iter().chain(skipped.words());
            return Err(Error::Table { table: SCREEN, reason: reason.collect::<Vec<_>>().join("; ") });
        }
        let calls = table.number("hit").ok().filter(|calls| calls.iter().any(|call| !call.is_nan()));
        let hits = calls.map_or_else(|| highest(values, &named), <[f32]>::to_vec);
        let mut oracle = Self { pool: Vec::new(), truth: HashMap::new(), skipped };
        for (row, (experiment, (value, hit))) in named.into_iter().zip(values.iter().zip(hits)).enumerate() {
            if let Some(experiment) = experiment
                && barred.get(row).is_none_or(|mark| mark.is_nan() || *mark < 0.5)
            {
                oracle.push(experiment, f64::from(*value), hit > 0.5);
            }
        }
        Ok(oracle)
    }

    /// What comes first stays.
    fn push(&mut self, experiment: Experiment, value: f64, hit: bool) {
        if !self.truth.contains_key(&experiment) {
            self.truth.insert(experiment.clone(), (value, hit));
            self.pool.push(experiment);
        }
    }

    /// From rows of gene, score and hit.
    pub fn of(rows: impl IntoIterator<Item = (String, f64, bool)>) -> Result<Self> {
        let mut text = String::from("gene,score,hit\n");
        for (gene, score, hit) in rows {
            text.push_str(&format!("{gene},{score},{}\n", u8::from(hit)));
        }
        Self::read(text.as_bytes())
    }

    pub fn pool(&self) -> &[Experiment] {
        &self.pool
    }

    pub fn hits(&self) -> usize {
        self.truth.values().filter(|(_, hit)| *hit).count()
    }

    /// Measures `experiment`; `None` for one that is not in the screen.
    pub fn ask(&self, experiment: &Experiment) -> Option<Observation> {
        let &(value, hit) = self.truth.get(experiment)?;
        Some(Observation::single(experiment.clone(), value, Some(hit)))
    }
}

/// The control: each experiment gets the answer of another one of the same batch.
pub fn permuted(answers: &[Observation], rng: &mut ChaCha8Rng) -> Vec<Observation> {
    let mut said: Vec<(f64, Option<bool>)> = answers.iter().map(|row| (row.value, row.hit)).collect();
    said.shuffle(rng);
    let give = |(row, (value, hit)): (&Observation, (f64, Option<bool>))| {
        Observation::single(row.experiment.clone(), value, hit)
    };
    answers.iter().zip(said).map(give).collect()
}

fn kind_of_column(name: &str) -> Option<ColumnKind> {
    match name {
        "gene" | "gene_a" | "gene_b" | "drug_a" | "drug_b" | "cell_line" | "dose_a" | "dose_b" => {
            Some(ColumnKind::Text)
        }
        "score" | "gi_score" | "synergy" | "hit" | "essential" => Some(ColumnKind::Number),
        _ => None,
    }
}

/// `doses`: as many as edits, or none.
fn experiment(
    row: usize,
    (edits, doses): (&[&Words], &[&Words]),
    context: Option<&Words>,
) -> Result<Experiment> {
    let word = |words: &Words| words.at(row).unwrap_or_default().to_owned();
    let named = |(place, edit): (usize, &&Words)| match doses.get(place).map(|dose| word(dose)) {
        Some(dose) if !dose.is_empty() => format!("{}@{dose}", word(edit)),
        _ => word(edit),
    };
    let perturbation = Perturbation::new(edits.iter().enumerate().map(named))
        .map_err(|error| Error::Row { table: SCREEN, row: row + 1, reason: error.to_string() })?;
    Ok(Experiment { perturbation, context: Context(context.map_or_else(|| CONTEXT.to_owned(), word)) })
}

/// 1 for the highest [`TOP_SHARE`] of the rows that are `named`.
fn highest(values: &[f32], named: &[Option<Experiment>]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&row| named[row].is_some()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let count = (TOP_SHARE * order.len() as f64).ceil() as usize;
    let mut calls = vec![0.0; values.len()];
    order.into_iter().take(count).for_each(|row| calls[row] = 1.0);
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{self, Purpose};

    #[test]
    fn pairs_and_drugs_are_read_with_their_contexts() {
        let pairs = Oracle::read(b"gene_a,gene_b,gi_score,hit\nB,A,-2,1\nA,C,0.1,0\n").unwrap();
        assert_eq!(pairs.pool()[0].perturbation.to_string(), "A+B");
        assert_eq!((pairs.pool().len(), pairs.hits()), (2, 1));
        let drugs = Oracle::read(b"drug_a,drug_b,cell_line,synergy\n5,7,K,3\n5,7,L,9\n6,7,K,1\n").unwrap();
        assert_eq!(drugs.pool()[1].context.0, "L");
        let dosed =
            Oracle::read(b"drug_a,dose_a,drug_b,dose_b,cell_line,synergy\n5,1uM,7,10nM,K,3\n5,,7,10nM,K,3\n");
        let names: Vec<String> = dosed.unwrap().pool().iter().map(|e| e.perturbation.to_string()).collect();
        assert_eq!(names, ["5@1uM+7@10nM", "5+7@10nM"]);
        let slip =
            Oracle::read(b"drug_a,dose_a,drug_b,dose_b,cell_line,synergy\n5,1,7,10nM,K,3\n").unwrap_err();
        assert_eq!(slip.code(), "learner.table_unreadable");
        assert!(slip.to_string().contains("row 1: "), "{slip}");
        assert_eq!((drugs.hits(), drugs.ask(&drugs.pool()[1]).unwrap().hit), (1, Some(true)));
    }

    #[test]
    fn an_edit_with_itself_is_no_pair_and_is_counted() {
        let pairs = Oracle::read(b"gene_a,gene_b,gi_score\nA,A,9\nA,B,2\nB,B,8\nB,C,1\n").unwrap();
        assert_eq!((pairs.pool().len(), pairs.skipped.collapsed), (2, 2));
        assert_eq!(pairs.ask(&pairs.pool()[0]).unwrap().hit, Some(true), "the highest of what is left");
        assert_eq!(pairs.skipped.words(), ["2 rows pair an edit with itself and are skipped"]);
        let dosed = b"drug_a,dose_a,drug_b,dose_b,cell_line,synergy\n5,1uM,5,2uM,K,3\n5,1uM,5,1uM,K,3\n";
        let dosed = Oracle::read(dosed).unwrap();
        assert_eq!((dosed.pool().len(), dosed.skipped.collapsed), (1, 1), "two doses are two edits");
    }

    #[test]
    fn essential_genes_can_be_left_out() {
        let text = b"gene,score,hit,essential\nA,1,1,1\nB,2,1,0\nC,0,0,0\n";
        let all = Oracle::read(text).unwrap();
        let rest = Oracle::read_non_essential(text).unwrap();
        assert_eq!((all.pool().len(), all.hits()), (3, 2));
        assert_eq!((rest.pool().len(), rest.hits()), (2, 1));
        let unmarked = Oracle::read_non_essential(b"gene,score,hit\nA,1,1\n");
        assert_eq!(unmarked.unwrap_err().code(), "learner.column_missing");
    }

    #[test]
    fn a_row_without_a_name_is_skipped_and_counted() {
        let screen = Oracle::read(b"gene,score,hit\nA,1,1\n,2,1\n\"B,C\",3,1\nD,0,0\n").unwrap();
        assert_eq!((screen.pool().len(), screen.hits(), screen.skipped.unnamed), (2, 1, 2));
        let words = screen.skipped.words().join("");
        assert!(words.starts_with("2 rows name no experiment and are skipped; the first: "), "{words}");
        assert!(words.contains("row 2"), "{words}");
    }

    #[test]
    fn calls_that_nobody_made_are_no_calls() {
        let blank =
            (0..200).fold(String::from("gene,score,hit\n"), |text, row| format!("{text}G{row},{row},\n"));
        assert_eq!(Oracle::read(blank.as_bytes()).unwrap().hits(), 2, "the highest 1 %");
        let some = Oracle::read(b"gene,score,hit,essential\nA,1,YES,\nB,2,,TRUE\nC,3,no,no\n").unwrap();
        assert_eq!((some.pool().len(), some.hits()), (3, 1));
        let rest = Oracle::read_non_essential(b"gene,score,hit,essential\nA,1,YES,\nB,2,,TRUE\nC,3,no,no\n");
        let names: Vec<String> = rest.unwrap().pool().iter().map(|it| it.perturbation.to_string()).collect();
        assert_eq!(names, ["A", "C"], "a blank is not essential");
    }

    #[test]
    fn the_control_gives_the_same_answers_to_others() {
        let oracle = Oracle::of((0..40).map(|i| (format!("G{i}"), f64::from(i), i % 4 == 0))).unwrap();
        let answers: Vec<Observation> = oracle.pool().iter().filter_map(|e| oracle.ask(e)).collect();
        let given = permuted(&answers, &mut seed::stream(1, Purpose::Permute));
        let mut values: Vec<f64> = given.iter().map(|row| row.value).collect();
        assert!(given.iter().zip(&answers).filter(|(a, b)| a.value != b.value).count() > 30);
        values.sort_by(f64::total_cmp);
        assert!(values.iter().zip(0..).all(|(value, i)| *value == f64::from(i)));
    }
}
