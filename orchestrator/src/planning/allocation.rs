//! Which experiment goes onto which plate: one context a plate, plates filled evenly.
//!
//! Experiments that come from the same library plate are put together, so that each assay plate meets few
//! library plates and needs few deck loads. The price is that a library plate's own quirks and an assay
//! plate's are not told apart; each assay plate carries its own controls, and that is what it is read against.

use super::input::PlannedExperiment;
use super::sourcing::Stock;
use std::collections::BTreeMap;

/// What one assay plate is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share<'a> {
    pub context: &'a str,
    pub experiments: Vec<&'a PlannedExperiment>,
}

/// Contexts by name; in each as few plates as hold its experiments, differing by one at most.
pub(super) fn allocate<'a>(
    experiments: &'a [PlannedExperiment],
    per_plate: usize,
    stock: &Stock<'a>,
) -> Vec<Share<'a>> {
    let mut by_context: BTreeMap<&str, Vec<&PlannedExperiment>> = BTreeMap::new();
    for planned in experiments {
        by_context.entry(&planned.experiment.context.0).or_default().push(planned);
    }
    let mut shares = Vec::new();
    for (context, mut group) in by_context {
        group.sort_by_key(|planned| {
            let edits = planned.experiment.perturbation.edits();
            let homes: Vec<Option<&str>> = edits.iter().map(|edit| stock.home(edit)).collect();
            (homes, &planned.experiment.perturbation, planned.proposal)
        });
        let plates = group.len().div_ceil(per_plate.max(1));
        for plate in 0..plates {
            let bound = |i: usize| group.len() * i / plates;
            let experiments = group.get(bound(plate)..bound(plate + 1)).unwrap_or_default().to_vec();
            shares.push(Share { context, experiments });
        }
    }
    shares
}
