//! The worked examples are right, and so is what their comments say in numbers.

use super::{NamedFiles, Pool, Spec, resolve::resolve};
use crate::ids::ProposalId;
use crate::planning::{
    BlankPlate, HandlerProfile, IncubatorProfile, Inventory, Plan, PlanInput, PlannedExperiment,
    ReaderProfile, SourceWell, plan,
};
use instruments::labware::PlateFormat;
use jobs::Experiment;
use std::path::{Path, PathBuf};

struct Example {
    spec: Spec,
    warnings: Vec<String>,
    files: NamedFiles,
    pool: Pool,
}

fn read(name: &str) -> Example {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let text = std::fs::read_to_string(folder.join("campaign.toml")).unwrap();
    let (spec, warnings) = Spec::parse_with_warnings(&text).unwrap_or_else(|error| panic!("{error}"));
    let files = resolve(&spec, &folder).unwrap();
    let pool = Pool::expand(&spec.design, std::str::from_utf8(&files.genes.bytes).unwrap()).unwrap();
    Example { spec, warnings: warnings.into_iter().map(|warning| warning.path).collect(), files, pool }
}

impl Example {
    /// A plan for `experiments` in a laboratory that has a well of everything.
    fn plan(&self, experiments: impl Iterator<Item = Experiment>) -> Plan {
        let experiments: Vec<PlannedExperiment> = experiments
            .zip(0u128..)
            .map(|(experiment, id)| PlannedExperiment {
                proposal: ProposalId(uuid::Uuid::from_u128(id)),
                experiment,
            })
            .collect();
        let controls = [&self.spec.controls.negative.content, &self.spec.controls.positive.content];
        let wells = (0..).flat_map(|plate| PlateFormat::Wells384.wells().map(move |well| (plate, well)));
        let mut inventory = Inventory::default();
        for (content, (plate, well)) in self.pool.genes().iter().chain(controls).zip(wells) {
            let labware = "corning_384_wellplate_112ul_flat".to_owned();
            let source = SourceWell { barcode: format!("LIB-{plate}"), labware, well, available_nl: 500_000 };
            inventory.sources.insert(content.clone(), vec![source]);
        }
        for context in &self.spec.design.contexts {
            inventory.blanks.extend((0..9).map(|i| BlankPlate {
                barcode: format!("{context}-{i}"),
                labware: self.spec.assay.labware.clone(),
                context: context.clone(),
            }));
        }
        let slots =
            |range: std::ops::RangeInclusive<u8>| range.map(|slot| slot.to_string()).collect::<Vec<_>>();
        let handler = HandlerProfile {
            destination_slot: "1".into(),
            source_slots: slots(2..=9),
            tip_rack_slots: slots(10..=11),
            tips_per_rack: 96,
            new_tips_by_hand: false,
            minimum_transfer_nl: Some(1_000),
            maximum_transfer_nl: Some(20_000),
            seconds_per_transfer: None,
        };
        let input = PlanInput {
            spec: &self.spec,
            experiments: &experiments,
            layout_seed: 1,
            generation: 1,
            first_ordinal: 1,
            inventory: &inventory,
            handler: &handler,
            incubator: &IncubatorProfile { slots: slots(1..=44), by_hand: false },
            reader: &ReaderProfile { slots: slots(1..=1) },
        };
        plan(&input).unwrap_or_else(|impossible| panic!("{impossible}"))
    }
}

#[test]
fn the_screen_of_singles_fits_its_plate_and_its_list() {
    let example = read("ifng-screen");
    assert_eq!(example.warnings, ["model"], "it stands alone, without features");
    let asked = example.spec.budget.rounds * example.spec.budget.batch;
    assert_eq!((example.pool.size(), asked), (1_080, 640));
    let plan = example.plan(example.pool.experiments().take(128));
    assert_eq!((plan.summary.plates, plan.summary.wells_used), (1, 288));
    // 45 + 288 x 0.4 + 288 x 0.08; this handler's profile does not say how fast it is.
    assert_eq!(plan.summary.cost.map(|cost| cost.to_string()).as_deref(), Some("183.24 EUR"));
}

#[test]
fn the_pairs_are_as_many_as_their_file_says() {
    let example = read("pairs");
    assert_eq!(example.warnings, Vec::<String>::new());
    assert_eq!((example.pool.genes().len(), example.pool.size()), (32, 1_056));
    assert_eq!(example.files.features.len(), 1);
    assert_eq!(example.spec.policy.people_needed(), 2);
    assert!(example.pool.tagged_genes().iter().all(|gene| gene.tags.len() == 1));
    // Pairs only, all in one line.
    let one_line: Vec<Experiment> = example.pool.experiments().skip(32).take(96).collect();
    assert!(one_line.iter().all(|e| e.perturbation.edits().len() == 2));
    let plan = example.plan(one_line.into_iter());
    assert_eq!((plan.summary.plates, plan.summary.wells_used), (4, 4 * 60));
    assert_eq!(plan.summary.transfers, 96 * 2 * 2 + 4 * 12);
    // Split between the lines.
    let split =
        example.pool.experiments().skip(32).take(50).chain(example.pool.experiments().skip(560).take(46));
    assert_eq!(example.plan(split).summary.plates, 5);
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_field() {
    let mut example = read("pairs");
    example.spec.model.features = vec!["nowhere.csv".into()];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pairs");
    let error = resolve(&example.spec, &folder).unwrap_err();
    assert_eq!(error.code(), "campaign.file_unreadable");
    assert!(error.to_string().starts_with("model.features[0] names "), "{error}");
    example.spec.model.features = vec!["../pairs".into()];
    assert_eq!(resolve(&example.spec, &folder).unwrap_err().code(), "campaign.file_format");
    example.spec.model.features = Vec::new();
    example.spec.design.genes_file = "../pairs".into();
    assert_eq!(resolve(&example.spec, &folder).unwrap_err().code(), "campaign.file_is_none");
}
