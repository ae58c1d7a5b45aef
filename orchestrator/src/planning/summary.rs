//! The plan in numbers.

use super::compose::count;
use super::input::PlanInput;
use super::outcome::{PlanSummary, PlannedPlate, PlannedWell, Role, Step};
use crate::campaigns::cost::Quantities;
use jobs::Work;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn summarise(
    input: &PlanInput,
    plates: &[PlannedPlate],
    steps: &[Step],
    deck_loads: usize,
) -> PlanSummary {
    let wells: Vec<&PlannedWell> = plates.iter().flat_map(|plate| &plate.wells).collect();
    let samples = wells.iter().filter(|planned| planned.role == Role::Sample).count();
    let contents = || wells.iter().flat_map(|planned| &planned.contents);
    let transfers = contents().count();
    let per_transfer = u64::from(input.spec.assay.transfer_volume_nl);
    let mut volume_nl_by_content: BTreeMap<String, u64> = BTreeMap::new();
    for content in contents() {
        *volume_nl_by_content.entry(content.clone()).or_default() += per_transfer;
    }
    let sources: BTreeSet<&str> =
        plates.iter().flat_map(|plate| &plate.draws).map(|draw| draw.source_barcode.as_str()).collect();
    let plate_moves = steps.iter().map(|step| match &step.work {
        Work::Move(work) => work.moves.len(),
        _ => 0,
    });
    let by_hand = steps.iter().filter(|step| step.by_hand).count();
    let seconds = input.handler.seconds_per_transfer.unwrap_or(0.0) * f64::from(count(transfers));
    let used = Quantities {
        plates: count(plates.len()),
        wells: count(wells.len()),
        tips: count(transfers),
        experiments: count(input.experiments.len()),
        edits: input.spec.cost.as_ref().map_or(0.0, |prices| {
            input.experiments.iter().map(|planned| prices.of_edits(&planned.experiment)).sum()
        }),
        handler_hours: seconds / 3600.0,
    };
    PlanSummary {
        experiments: count(input.experiments.len()),
        plates: count(plates.len()),
        wells_used: count(wells.len()),
        sample_wells: count(samples),
        control_wells: count(wells.len() - samples),
        transfers: count(transfers),
        tips: count(transfers),
        deck_loads: count(deck_loads),
        source_plates: count(sources.len()),
        plate_moves: count(plate_moves.sum()),
        steps_by_hand: count(by_hand),
        volume_nl: volume_nl_by_content.values().sum(),
        volume_nl_by_content,
        estimated_hours: seconds / 3600.0 + input.spec.assay.incubate_hours,
        cost: input.spec.cost.as_ref().map(|prices| prices.of(&used)),
    }
}
