//! Sets of edits by a model that saw single edits alone: at least one of the edits is a hit, each by itself (independent
//! action: Bliss 1939, "The toxicity of poisons applied jointly"). Their log-odds must not add up: two edits of which
//! nothing is known would make a likely pair, and two likely ones a sure one.

use jobs::{Context, Experiment, Perturbation};
use std::collections::HashMap;

/// Each edit of each set by itself, in the set's context.
pub struct Alone {
    /// Each once.
    pub experiments: Vec<Experiment>,
    /// Of each set, where it stands among those asked about, and where its edits stand here.
    sets: Vec<(usize, Vec<usize>)>,
}

impl Alone {
    /// `None` where there are no sets among `experiments`.
    pub fn of<'a>(experiments: &'a [Experiment]) -> Option<Self> {
        let mut once: HashMap<(&'a str, &'a Context), usize> = HashMap::new();
        let mut alone = Vec::new();
        let mut sets = Vec::new();
        for (row, experiment) in experiments.iter().enumerate() {
            let edits = experiment.perturbation.edits();
            if edits.len() < 2 {
                continue;
            }
            let mut place = |edit: &'a String| {
                let next = once.len();
                let found = *once.entry((edit, &experiment.context)).or_insert(next);
                if found == next {
                    let perturbation = Perturbation::new([edit]).ok()?;
                    alone.push(Experiment { perturbation, context: experiment.context.clone() });
                }
                Some(found)
            };
            sets.push((row, edits.iter().filter_map(&mut place).collect()));
        }
        (!sets.is_empty()).then_some(Self { experiments: alone, sets })
    }

    /// Each set's position, and the probability that it is a hit; `probabilities`: of the experiments here.
    pub fn together(&self, probabilities: &[f64]) -> impl Iterator<Item = (usize, f64)> {
        self.sets.iter().map(|(row, places)| {
            let survives: f64 = places.iter().map(|&place| 1.0 - probabilities[place]).product();
            (*row, 1.0 - survives)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edit_is_asked_once_in_its_context_and_put_together_as_independent() {
        let of = |perturbation: &str, context: &str| Experiment {
            perturbation: perturbation.parse().unwrap(),
            context: Context(context.into()),
        };
        let asked = [of("A+B", "x"), of("B", "x"), of("A+B+C", "y"), of("B+C", "x")];
        let alone = Alone::of(&asked).unwrap();
        let single = |(edit, context): (&str, &str)| of(edit, context);
        let expected = [("A", "x"), ("B", "x"), ("A", "y"), ("B", "y"), ("C", "y"), ("C", "x")].map(single);
        assert_eq!(alone.experiments, expected);
        let together: Vec<(usize, f64)> = alone.together(&[0.5, 0.25, 0.5, 0.5, 0.5, 0.5]).collect();
        assert_eq!(together, [(0, 0.625), (2, 0.875), (3, 0.625)]);
        assert!(Alone::of(&asked[1..2]).is_none(), "nothing to put together");
    }
}
