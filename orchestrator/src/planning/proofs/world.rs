//! A laboratory and a batch to plan for.

use super::super::*;
use crate::campaigns::Spec;
use crate::ids::ProposalId;
use instruments::labware::{Labware, PlateFormat};
use jobs::{Context, Experiment, Perturbation};
use proptest::prelude::*;

const SPEC: &str = r#"
name = "proof"
[design]
genes_file = "genes.csv"
contexts = ["donor-1", "donor-2"]
[objective]
readout = "signal"
channel = "signal"
direction = "maximise"
hit.channel = "call"
[acquisition]
name = "greedy"
[assay]
labware = "corning_384_wellplate_112ul_flat"
replicates = 2
transfer_volume_nl = 1000
incubate_hours = 72.0
read_window_hours = 2.0
temperature_celsius = 37.0
co2_percent = 5.0
[controls]
negative = { content = "NEG", wells = 16 }
positive = { content = "POS", wells = 16 }
[budget]
rounds = 5
batch = 128
[bench]
handler = "handler-1"
incubator = "incubator-1"
reader = "reader-1"
mover = "mover-1"
"#;

/// A laboratory and a batch, owned, so that a plan can be made of it.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub spec: Spec,
    pub experiments: Vec<PlannedExperiment>,
    pub seed: u64,
    pub inventory: Inventory,
    pub handler: HandlerProfile,
    pub incubator: IncubatorProfile,
    pub reader: ReaderProfile,
}

impl World {
    /// `genes` guides in library plates of `per_plate` wells, a control plate, ten blanks a context.
    pub fn new(genes: usize, per_plate: usize, drawable_nl: u64) -> World {
        let library = |content: String, plate: usize, index: usize| {
            let well = PlateFormat::Wells384.wells().nth(index).unwrap();
            let labware = "corning_384_wellplate_112ul_flat".to_owned();
            (
                content,
                SourceWell {
                    barcode: format!("LIB-{plate:03}"),
                    labware,
                    well,
                    available_nl: 11_120 + drawable_nl,
                },
            )
        };
        let mut inventory = Inventory::default();
        let guides = (0..genes).map(|g| library(format!("G{g:04}"), 1 + g / per_plate, g % per_plate));
        let controls = (0..48).map(|i| library(if i % 2 == 0 { "NEG" } else { "POS" }.to_owned(), 0, i));
        for (content, source) in guides.chain(controls) {
            inventory.sources.entry(content).or_default().push(source);
        }
        for (context, i) in ["donor-1", "donor-2"].into_iter().flat_map(|c| (0..10).map(move |i| (c, i))) {
            inventory.blanks.push(BlankPlate {
                barcode: format!("ASSAY-{context}-{i:02}"),
                labware: "corning_384_wellplate_112ul_flat".into(),
                context: context.into(),
            });
        }
        let names = |range: std::ops::RangeInclusive<u32>| range.map(|i| i.to_string()).collect::<Vec<_>>();
        World {
            spec: toml::from_str(SPEC).unwrap(),
            experiments: Vec::new(),
            seed: 7,
            inventory,
            handler: HandlerProfile {
                destination_slot: "1".into(),
                source_slots: names(2..=9),
                tip_rack_slots: names(10..=11),
                tips_per_rack: 96,
                new_tips_by_hand: false,
                minimum_transfer_nl: Some(1_000),
                maximum_transfer_nl: Some(20_000),
                seconds_per_transfer: None,
            },
            incubator: IncubatorProfile { slots: names(1..=44), by_hand: false },
            reader: ReaderProfile { slots: names(1..=1) },
        }
    }

    pub fn ask(&mut self, edits: &[usize], context: &str) {
        let edits = edits.iter().map(|g| format!("G{g:04}"));
        let experiment =
            Experiment { perturbation: Perturbation::new(edits).unwrap(), context: Context(context.into()) };
        let proposal = ProposalId(uuid::Uuid::from_u128(self.experiments.len() as u128));
        if !self.experiments.iter().any(|e| e.experiment == experiment) {
            self.experiments.push(PlannedExperiment { proposal, experiment });
        }
    }

    pub fn plan(&self) -> Result<Plan, Impossible> {
        plan(&PlanInput {
            spec: &self.spec,
            experiments: &self.experiments,
            layout_seed: self.seed,
            generation: 1,
            first_ordinal: 1,
            inventory: &self.inventory,
            handler: &self.handler,
            incubator: &self.incubator,
            reader: &self.reader,
        })
    }
}

/// 128 genes across a whole-genome library, once.
pub(super) fn ifng_round() -> World {
    let mut world = World::new(18_418, 384, 20_000);
    // 128 genes across the whole library.
    (0..128).for_each(|i| world.ask(&[i * 143], "donor-1"));
    world
}

/// Laboratories and batches of every sort, most of which can be carried out.
pub(super) fn worlds() -> impl Strategy<Value = World> {
    let batch = (1usize..120, 1usize..60, 1u32..4, any::<u64>(), 0u64..40_000);
    let plates = (0usize..3, any::<bool>(), 2u32..9, 1u32..4);
    let deck = (1usize..9, 1u32..97, any::<bool>(), any::<bool>());
    (batch, plates, deck).prop_map(|(batch, plates, deck)| {
        let (genes, per_plate, replicates, seed, drawable_nl) = batch;
        let (format, leave_edge_empty, controls, microlitres) = plates;
        let (slots, tips, pairs, two_contexts) = deck;
        let mut world = World::new(genes, per_plate, drawable_nl);
        let labware = Labware::of_format(PlateFormat::ALL[format]).load_name;
        world.spec.assay.labware = labware.into();
        world.inventory.blanks.iter_mut().for_each(|blank| blank.labware = labware.into());
        world.spec.assay.replicates = replicates;
        world.spec.assay.leave_edge_empty = leave_edge_empty;
        world.spec.assay.transfer_volume_nl = microlitres * 1_000;
        world.spec.controls.negative.wells = controls;
        world.spec.controls.positive.wells = controls;
        world.handler.source_slots.truncate(slots);
        world.handler.tips_per_rack = tips;
        world.seed = seed;
        for gene in 0..genes {
            let context = if two_contexts && gene % 3 == 0 { "donor-2" } else { "donor-1" };
            world.ask(&[gene], context);
            if pairs && gene > 0 {
                world.ask(&[gene - 1, gene], context);
            }
        }
        world
    })
}

#[test]
fn a_batch_fills_whole_plates_where_the_file_says_so_and_there_is_more_than_one_context() {
    let mut spec = World::new(4, 4, 10_000).spec;
    assert_eq!(crate::planning::whole_plates(&spec), None, "it does not say so");
    spec.acquisition.whole_plates = true;
    let wells = 384 - spec.controls.negative.wells - spec.controls.positive.wells;
    assert!(spec.design.contexts.len() > 1 && !spec.assay.leave_edge_empty);
    assert_eq!(crate::planning::whole_plates(&spec), Some(wells / spec.assay.replicates));
    spec.design.contexts.truncate(1);
    assert_eq!(crate::planning::whole_plates(&spec), None);
}
