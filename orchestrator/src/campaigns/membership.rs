//! Why an experiment is not of the design space, for people. Pure.

use super::spec::{Combinations, Design};
use jobs::Experiment;

/// `unknown`: those of its genes that the design space does not have. `None`: it is one of its experiments.
pub fn why_not(design: &Design, experiment: &Experiment, unknown: &[String]) -> Option<String> {
    if let [gene, ..] = unknown {
        return Some(if design.exclude.contains(gene) {
            format!("{gene} is excluded by the campaign")
        } else {
            format!("{gene} is not among the campaign's genes")
        });
    }
    let context = &experiment.context.0;
    if !design.contexts.contains(context) {
        return Some(format!(
            "{context} is not among the campaign's contexts ({})",
            design.contexts.join(", ")
        ));
    }
    let edits = experiment.perturbation.edits().len();
    let (fits, asks_for) = match design.combinations {
        Combinations::Singles => (edits == 1, "single genes"),
        Combinations::Pairs => (edits == 2, "pairs"),
        Combinations::SinglesAndPairs => (edits == 1 || edits == 2, "single genes and pairs"),
    };
    (!fits).then(|| format!("the campaign asks for {asks_for}, and this is a perturbation of {edits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Context;

    fn of(combinations: Combinations, perturbation: &str, context: &str, unknown: &[&str]) -> String {
        let design = Design {
            genes_file: "genes.csv".into(),
            combinations,
            contexts: vec!["K562".into(), "MOLM-13".into()],
            exclude: vec!["MYC".into()],
        };
        let experiment =
            Experiment { perturbation: perturbation.parse().unwrap(), context: Context(context.into()) };
        let unknown: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        why_not(&design, &experiment, &unknown).unwrap_or_else(|| "it is".to_owned())
    }

    #[test]
    fn what_is_not_of_the_design_space_says_why() {
        use Combinations::{Pairs, Singles, SinglesAndPairs};
        assert_eq!(of(Singles, "A", "K562", &[]), "it is");
        assert_eq!(of(SinglesAndPairs, "A+B", "MOLM-13", &[]), "it is");
        assert_eq!(of(Singles, "XYZ", "K562", &["XYZ"]), "XYZ is not among the campaign's genes");
        assert_eq!(of(Singles, "MYC", "K562", &["MYC"]), "MYC is excluded by the campaign");
        assert_eq!(
            of(Singles, "A", "HeLa", &[]),
            "HeLa is not among the campaign's contexts (K562, MOLM-13)"
        );
        assert_eq!(
            of(Pairs, "A", "K562", &[]),
            "the campaign asks for pairs, and this is a perturbation of 1"
        );
        assert_eq!(
            of(SinglesAndPairs, "A+B+C", "K562", &[]),
            "the campaign asks for single genes and pairs, and this is a perturbation of 3"
        );
    }
}
