//! What a prediction rests on: what the features know of its edits, and what was measured of its like.

use crate::data::Observation;
use crate::representation::Vocabulary;
use jobs::work::learn::Grounds;
use jobs::{Experiment, dose};
use std::collections::{HashMap, HashSet};

/// Of each of `experiments`, in their order. `cut`: what the model was trained on.
pub fn of(experiments: &[Experiment], vocabulary: &Vocabulary, cut: &[Observation]) -> Vec<Grounds> {
    let measured = Measured::of(cut);
    experiments.iter().map(|experiment| measured.grounds(experiment, vocabulary)).collect()
}

/// Rows of the cut by what they have in common with a question.
struct Measured<'a> {
    own: HashMap<&'a Experiment, u32>,
    /// At whatever dose.
    by_edit: HashMap<&'a str, Vec<usize>>,
    by_context: HashMap<&'a str, u32>,
    by_size: HashMap<usize, u32>,
}

impl<'a> Measured<'a> {
    fn of(cut: &'a [Observation]) -> Self {
        let (mut own, mut by_context, mut by_size) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut by_edit: HashMap<&str, Vec<usize>> = HashMap::new();
        for (row, Observation { experiment, .. }) in cut.iter().enumerate() {
            *own.entry(experiment).or_default() += 1;
            *by_context.entry(experiment.context.0.as_str()).or_default() += 1;
            *by_size.entry(experiment.perturbation.edits().len()).or_default() += 1;
            for edit in experiment.perturbation.edits() {
                by_edit.entry(dose::split(edit).0).or_default().push(row);
            }
        }
        Self { own, by_edit, by_context, by_size }
    }

    fn grounds(&self, experiment: &Experiment, vocabulary: &Vocabulary) -> Grounds {
        let edits = experiment.perturbation.edits();
        let related = edits.iter().filter_map(|edit| self.by_edit.get(dose::split(edit).0)).flatten();
        let related: HashSet<usize> = related.copied().collect();
        let own_rows = self.own.get(experiment).copied().unwrap_or(0);
        let context = self.by_context.get(experiment.context.0.as_str());
        Grounds {
            unknown_edits: edits.iter().filter(|edit| !vocabulary.knows(edit)).cloned().collect(),
            own_rows,
            related_rows: u32::try_from(related.len()).unwrap_or(u32::MAX).saturating_sub(own_rows),
            context_rows: context.copied().unwrap_or(0),
            same_size_rows: self.by_size.get(&edits.len()).copied().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use jobs::Context;

    fn experiment(key: &str, context: &str) -> Experiment {
        Experiment { perturbation: key.parse().unwrap(), context: Context(context.to_owned()) }
    }

    #[test]
    fn rows_are_counted_once_and_by_what_they_share() {
        let features = FeatureTable::read(b"gene,a_0\nA,1\nB,2\n").unwrap();
        let vocabulary = Vocabulary::build(&features, None).unwrap();
        let cut = [("A", "x"), ("A+B", "x"), ("A+B", "y"), ("B", "x"), ("C", "y")];
        let row = |(key, context): &(&str, &str)| Observation::single(experiment(key, context), 0.0, None);
        let cut: Vec<Observation> = cut.iter().map(row).collect();
        let asked = [experiment("A+B", "x"), experiment("C+D", "z")];
        let grounds = of(&asked, &vocabulary, &cut);
        let known = Grounds {
            unknown_edits: vec![],
            own_rows: 1,
            related_rows: 3,
            context_rows: 3,
            same_size_rows: 2,
        };
        let unknown_edits = vec!["C".to_owned(), "D".to_owned()];
        let unknown = Grounds { unknown_edits, related_rows: 1, same_size_rows: 2, ..Grounds::default() };
        assert_eq!(grounds, [known, unknown]);
        let dosed = [row(&("A@1uM", "x")), row(&("A@9nM+B", "x"))];
        let at_another = &of(&[experiment("A@2uM", "x")], &vocabulary, &dosed)[0];
        assert_eq!(
            (at_another.own_rows, at_another.related_rows),
            (0, 2),
            "what another dose did is related"
        );
        assert!(at_another.unknown_edits.is_empty());
        let three = of(&[experiment("A+B+C", "x")], &vocabulary, &cut);
        assert_eq!((three[0].same_size_rows, three[0].related_rows), (0, 5));
    }
}
