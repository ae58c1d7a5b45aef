//! How large a round of a campaign is, before there is a batch.

use super::{Device, Needs};
use crate::campaigns::Spec;
use crate::campaigns::spec::Combinations;
use instruments::labware::Labware;
use std::collections::BTreeMap;

/// A round with a full batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub plates: u32,
    pub dispense_hours: f64,
    pub incubate_hours: f64,
    pub read_window_hours: f64,
    pub read_hours: f64,
    pub needs: Needs,
}

impl Shape {
    pub fn of(spec: &Spec, handler: Option<&Device>, reader: Option<&Device>) -> Self {
        let assay = &spec.assay;
        let controls = spec.controls.negative.wells + spec.controls.positive.wells;
        let usable = Labware::by_load_name(&assay.labware).map_or(0, |labware| {
            let format = labware.format;
            format.wells().filter(|well| !(assay.leave_edge_empty && format.is_edge(*well))).count()
        });
        let usable = u32::try_from(usable).unwrap_or(u32::MAX);
        let per_plate = (usable.saturating_sub(controls) / assay.replicates.max(1)).max(1);
        // Evenly over the contexts, each on plates of its own.
        let contexts = u32::try_from(spec.design.contexts.len()).unwrap_or(u32::MAX).max(1);
        let share = spec.budget.batch.div_ceil(contexts);
        let plates_each = share.div_ceil(per_plate);
        let plates = plates_each.saturating_mul(contexts.min(spec.budget.batch.max(1)));
        let edits = if spec.design.combinations == Combinations::Singles { 1 } else { 2 };
        let samples = spec.budget.batch.saturating_mul(assay.replicates);
        let transfers = f64::from(samples) * f64::from(edits) + f64::from(controls) * f64::from(plates);
        let blanks = spec.design.contexts.iter().take(spec.budget.batch as usize);
        let drawn = |wells: u32| u64::from(wells) * u64::from(plates) * u64::from(assay.transfer_volume_nl);
        Self {
            plates,
            dispense_hours: transfers * handler.map_or(0.0, |device| device.seconds_per_transfer) / 3600.0,
            incubate_hours: assay.incubate_hours,
            read_window_hours: assay.read_window_hours,
            read_hours: f64::from(plates) * reader.map_or(0.0, |device| device.minutes_per_plate) / 60.0,
            needs: Needs {
                blanks: blanks
                    .map(|context| ((assay.labware.clone(), context.clone()), plates_each))
                    .collect(),
                volume_nl_by_content: BTreeMap::from([
                    (spec.controls.negative.content.clone(), drawn(spec.controls.negative.wells)),
                    (spec.controls.positive.content.clone(), drawn(spec.controls.positive.wells)),
                ]),
                // A pool of pairs reuses its edits: at least the singles of it must be there.
                any: (edits == 1).then(|| {
                    let each = u64::from(assay.replicates) * u64::from(assay.transfer_volume_nl);
                    (share, each * u64::from(contexts))
                }),
            },
        }
    }

    /// From the first transfer to the last reading, when nobody waits for anybody.
    pub fn hours(&self) -> f64 {
        self.dispense_hours + self.incubate_hours + self.read_hours
    }
}
