//! What an approval freezes: content, layout seed and plan, under one hash. Pure.

use jobs::{Digest, Experiment};
use serde::Serialize;

#[derive(Serialize)]
struct Canonical<'a> {
    version: u32,
    /// Sorted.
    experiments: Vec<&'a Experiment>,
    layout_seed: u64,
    plan: Digest,
}

/// SHA-256 over what is approved. The order of `experiments` does not matter.
pub fn hash(experiments: &[&Experiment], layout_seed: u64, plan: Digest) -> Digest {
    let mut experiments = experiments.to_vec();
    experiments.sort();
    let canonical = Canonical { version: 1, experiments, layout_seed, plan };
    Digest::of(&serde_json::to_vec(&canonical).expect("strings and numbers always serialise"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Context;

    #[test]
    fn content_seed_and_plan_are_under_the_hash_and_order_is_not() {
        let experiment =
            |gene: &str| Experiment { perturbation: gene.parse().unwrap(), context: Context("c".into()) };
        let (a, b) = (experiment("A"), experiment("B"));
        let plan = Digest::of(b"plan");
        let frozen = hash(&[&a, &b], 1, plan);
        assert_eq!(frozen, hash(&[&b, &a], 1, plan));
        assert_ne!(frozen, hash(&[&a], 1, plan));
        assert_ne!(frozen, hash(&[&a, &b], 2, plan));
        assert_ne!(frozen, hash(&[&a, &b], 1, Digest::of(b"another plan")));
    }
}
