//! What holds for every plan, tried on many: a laboratory is simulated plate by plate and volume by volume.

mod laboratory;
mod world;

use super::*;
use crate::campaigns::spec::{Before, ByHand};
use crate::ids::ProposalId;
use instruments::labware::{Labware, Well};
use jobs::work::Kind;
use jobs::work::physical::{Location, PlateRef};
use jobs::{Experiment, Work};
use laboratory::Laboratory;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use world::{World, ifng_round, worlds};

#[test]
fn a_round_of_the_worked_example_needs_one_plate_and_as_many_loads_as_its_library_plates_ask() {
    let plan = ifng_round().plan().unwrap();
    let summary = &plan.summary;
    assert_eq!((summary.plates, summary.transfers, summary.wells_used), (1, 288, 288));
    // 48 library plates and the control plate, eight at a time.
    assert_eq!((summary.source_plates, summary.deck_loads), (49, 7));
    assert_eq!(summary.volume_nl, 288_000);
    assert_eq!(summary.volume_nl_by_content["NEG"], 16_000);
    assert_eq!(summary.estimated_hours, 72.0);
}

#[test]
fn the_same_input_in_another_order_has_the_same_digest_and_another_seed_has_not() {
    let world = ifng_round();
    let digest = world.plan().unwrap().digest();
    let mut shuffled = world.clone();
    shuffled.experiments.reverse();
    shuffled.inventory.blanks.reverse();
    shuffled.inventory.sources.values_mut().for_each(|wells| wells.reverse());
    assert_eq!(shuffled.plan().unwrap().digest(), digest);
    let mut reseeded = world.clone();
    reseeded.seed += 1;
    assert_ne!(reseeded.plan().unwrap().digest(), digest);
    let mut fewer = world;
    fewer.experiments.pop();
    assert_ne!(fewer.plan().unwrap().digest(), digest);
}

#[test]
fn the_digest_covers_steps_draws_maps_and_not_the_names_of_proposals() {
    let plan = ifng_round().plan().unwrap();
    let changed = |change: &dyn Fn(&mut Plan)| {
        let mut other = plan.clone();
        change(&mut other);
        other.digest() != plan.digest()
    };
    assert!(changed(&|p| p.generation = 2));
    assert!(changed(&|p| p.plates[0].barcode.push('x')));
    assert!(changed(&|p| p.plates[0].wells.swap(0, 1)));
    assert!(changed(&|p| p.plates[0].wells[0].contents[0].push('x')));
    assert!(changed(&|p| p.plates[0].draws[0].volume_nl += 1));
    assert!(changed(&|p| p.steps[0].instrument = None));
    assert!(changed(&|p| p.steps.last_mut().unwrap().after.clear()));
    let window = |p: &mut Plan| {
        let read =
            p.steps.iter_mut().flat_map(|step| &mut step.after).find(|after| after.max_delay_hours.is_some());
        read.unwrap().max_delay_hours = Some(75.0);
    };
    assert!(changed(&window));
    let liquid = |p: &mut Plan| {
        let dispense = p.steps.iter_mut().find_map(|step| match &mut step.work {
            Work::Dispense(work) => Some(work),
            _ => None,
        });
        dispense.unwrap().transfers[0].liquid_class.push('x');
    };
    assert!(changed(&liquid));
    let proposals = |p: &mut Plan| {
        p.plates[0]
            .wells
            .iter_mut()
            .for_each(|well| well.proposal = well.proposal.map(|_| ProposalId::fresh()));
    };
    assert!(!changed(&proposals));
}

#[test]
fn the_read_is_due_when_the_incubation_is_over_and_no_later_than_its_window() {
    let plan = ifng_round().plan().unwrap();
    let kinds: Vec<&str> = plan.steps.iter().map(|step| step.work.kind().as_str()).collect();
    assert_eq!(kinds[..4], ["move", "dispense", "move", "dispense"]);
    assert_eq!(kinds[14..], ["move", "incubate", "move", "read", "move"]);
    let incubate = kinds.iter().position(|kind| *kind == "incubate").unwrap();
    let to_reader = &plan.steps[incubate + 1];
    let due = After {
        step: incubate,
        requires: Requires::Success,
        min_delay_hours: 72.0,
        max_delay_hours: Some(74.0),
    };
    assert_eq!(to_reader.after, [due]);
    let Work::Read(read) = &plan.steps[incubate + 2].work else { panic!() };
    assert_eq!(read.channels, ["signal", "call"]);
}

#[test]
fn steps_by_hand_stand_before_the_robots_steps_that_they_name() {
    let mut world = ifng_round();
    let plain = world.plan().unwrap();
    let step = |before, instruction: &str| ByHand { before, instruction: instruction.to_owned() };
    world.spec.assay.by_hand = vec![
        step(Before::Read, "unseal"),
        step(Before::Incubate, "seal"),
        step(Before::Incubate, "spin"),
        step(Before::Discard, "keep"),
    ];
    let plan = world.plan().unwrap();
    assert_eq!(plan.steps.len(), plain.steps.len() + 4, "one plate");
    steps_only_wait_for_earlier_ones(&plan);
    let told: Vec<String> = plan.steps[14..]
        .iter()
        .map(|step| match &step.work {
            Work::Manual(work) => {
                format!("{} ({})", work.instruction, step.resource.as_deref().unwrap_or("no place"))
            }
            work => work.kind().to_string(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "seal (deck:handler-1)",
            "spin (deck:handler-1)",
            "move",
            "incubate",
            "unseal (no place)",
            "move",
            "read",
            "keep (reader:reader-1)",
            "move"
        ]
    );
    let hands: Vec<&Step> = plan.steps.iter().filter(|step| step.work.kind() == Kind::Manual).collect();
    assert!(hands.iter().all(|step| step.instrument.is_none() && step.plate_ordinal == 1));
    // Whatever people do, the window is counted from the incubation.
    let due = |step: usize| {
        plan.steps[step].after.iter().find_map(|after| after.max_delay_hours.map(|most| (after.step, most)))
    };
    assert_eq!([due(18), due(19)], [Some((17, 74.0)); 2]);
    assert!(plan.steps[19].after.iter().any(|after| after.step == 18), "and it is unsealed first");
    assert_eq!((plain.summary.steps_by_hand, plan.summary.steps_by_hand), (0, 4));
    assert_ne!(plan.digest(), plain.digest(), "it is part of what is approved");
}

#[test]
fn people_are_asked_for_new_tips_before_each_run_where_nobody_else_puts_them_in() {
    let mut world = ifng_round();
    let plain = world.plan().unwrap();
    world.handler.new_tips_by_hand = true;
    let plan = world.plan().unwrap();
    steps_only_wait_for_earlier_ones(&plan);
    let runs: Vec<usize> =
        (0..plan.steps.len()).filter(|step| plan.steps[*step].work.kind() == Kind::Dispense).collect();
    assert!(runs.len() > 1, "several loads");
    assert_eq!(plan.steps.len(), plain.steps.len() + runs.len());
    for (number, &run) in runs.iter().enumerate() {
        let Work::Manual(asked) = &plan.steps[run - 1].work else { panic!("{:?}", plan.steps[run - 1]) };
        let Work::Dispense(dispense) = &plan.steps[run].work else { panic!() };
        let (of, tips) = (runs.len(), dispense.transfers.len());
        let says = format!("run {} of {of} for this plate takes {tips} tips", number + 1);
        assert!(asked.instruction.contains(&says), "{}", asked.instruction);
        assert!(plan.steps[run - 1].by_hand && plan.steps[run - 1].resource.is_some());
        assert_eq!(plan.steps[run].after.iter().map(|after| after.step).collect::<Vec<_>>(), [run - 1]);
    }
    assert_eq!(plan.summary.steps_by_hand as usize, runs.len(), "and it is said before anybody approves");
}

#[test]
fn people_stand_in_for_a_mover_and_an_incubator() {
    let mut world = ifng_round();
    let plain = world.plan().unwrap();
    world.spec.bench.mover = "people".to_owned();
    world.incubator.by_hand = true;
    let plan = world.plan().unwrap();
    let by_hand = |plan: &Plan| -> BTreeSet<String> {
        plan.steps
            .iter()
            .filter(|step| step.by_hand)
            .map(|step| format!("{} at {:?}", step.work.kind(), step.instrument.as_deref()))
            .collect()
    };
    assert_eq!(by_hand(&plain), BTreeSet::new());
    let expected = ["incubate at Some(\"incubator-1\")", "move at None"].map(str::to_owned);
    assert_eq!(by_hand(&plan), BTreeSet::from(expected));
    let work = |plan: &Plan| plan.steps.iter().map(|step| step.work.clone()).collect::<Vec<Work>>();
    assert_eq!(work(&plan), work(&plain), "the same is done, by others");
    let read = plan.steps.iter().find(|step| step.work.kind() == Kind::Read).unwrap();
    let most = read.after.iter().find_map(|after| after.max_delay_hours);
    assert_eq!(most, Some(74.0), "a plate that was taken in time may be brought late");
    let standing = Standing {
        plate: PlateRef { barcode: "P-1".to_owned(), labware: "any".to_owned() },
        role: StockRole::Assay,
        at: Location { device: "handler-1".to_owned(), slot: "1".to_owned() },
    };
    let home = clear_deck(&world.spec.bench, 1, &[standing]).unwrap();
    assert!(home.by_hand && home.instrument.is_none());
}

#[test]
fn a_plate_made_again_keeps_its_number_and_gets_another_layout() {
    let world = ifng_round();
    let first = world.plan().unwrap();
    let again = plan(&PlanInput {
        spec: &world.spec,
        experiments: &world.experiments,
        layout_seed: world.seed,
        generation: 2,
        first_ordinal: 3,
        inventory: &world.inventory,
        handler: &world.handler,
        incubator: &world.incubator,
        reader: &world.reader,
    })
    .unwrap();
    assert_eq!((again.generation, again.plates[0].ordinal, again.plates.len()), (2, 3, 1));
    assert!(again.steps.iter().all(|step| step.plate_ordinal == 3));
    let places = |plan: &Plan| {
        plan.plates[0].wells.iter().map(|w| (w.well, w.contents.clone())).collect::<BTreeMap<_, _>>()
    };
    assert_ne!(places(&again), places(&first));
}

#[test]
fn prices_are_told_and_change_nothing_that_happens() {
    let mut world = ifng_round();
    let free = world.plan().unwrap();
    assert_eq!(free.summary.cost, None);
    world.spec.cost = Some(crate::campaigns::cost::Cost {
        currency: "EUR".into(),
        per_plate: 40.0,
        per_well: 0.5,
        per_tip: 0.1,
        per_experiment: 0.0,
        per_edit: 0.0,
        edits: BTreeMap::new(),
        per_handler_hour: 0.0,
    });
    let priced = world.plan().unwrap();
    assert_eq!(priced.digest(), free.digest());
    // One plate, 288 wells, 288 tips.
    assert_eq!(priced.summary.cost.map(|cost| cost.to_string()).as_deref(), Some("212.80 EUR"));
}

#[test]
fn a_plan_survives_json_with_its_digest() {
    let plan = ifng_round().plan().unwrap();
    let again: Plan = serde_json::from_slice(&serde_json::to_vec(&plan).unwrap()).unwrap();
    assert_eq!(again.digest(), plan.digest());
    assert_eq!(again, plan);
}

#[test]
fn what_cannot_be_done_says_why() {
    let code = |world: &World| world.plan().unwrap_err().code();
    let base = {
        let mut world = World::new(40, 20, 20_000);
        (0..40).for_each(|g| world.ask(&[g], "donor-1"));
        world
    };
    base.plan().unwrap();

    let mut world = base.clone();
    world.experiments.clear();
    assert_eq!(code(&world), "plan.empty_batch");

    let mut world = base.clone();
    world.ask(&[99], "donor-1");
    assert_eq!(world.plan().unwrap_err(), Impossible::UnknownContent { contents: vec!["G0099".into()] });

    let mut world = base.clone();
    world.inventory.sources.get_mut("G0003").unwrap()[0].available_nl = 13_119;
    assert_eq!(
        world.plan().unwrap_err().to_string(),
        "not enough volume of G0003 (needs 2000 nL, has 1000 nL) beyond what wells keep; remove experiments, or register \
         fresh library plates"
    );

    let mut world = base.clone();
    world.inventory.blanks.retain(|blank| blank.context != "donor-1");
    assert_eq!(code(&world), "plan.no_blank_plate");

    let mut world = base.clone();
    world.incubator.slots.clear();
    assert_eq!(code(&world), "plan.no_incubator_slot");

    let mut world = base.clone();
    world.spec.assay.replicates = 353;
    assert_eq!(code(&world), "plan.experiment_does_not_fit");

    let mut world = base.clone();
    world.ask(&[1], "donor-9");
    assert_eq!(code(&world), "plan.unknown_context");

    let mut world = base.clone();
    world.spec.assay.transfer_volume_nl = 500;
    assert_eq!(code(&world), "plan.unfit_instrument");

    let mut world = base.clone();
    world.spec.assay.labware = "my_plate".into();
    assert_eq!(code(&world), "plan.unknown_labware");

    let mut world = base;
    world.spec.assay.labware = "corning_1536_wellplate_12ul_flat".into();
    world.spec.assay.transfer_volume_nl = 13_000;
    assert_eq!(code(&world), "plan.well_overflows");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_can_be_carried_out_as_it_says(world in worlds()) {
        match world.plan() {
            Ok(plan) => {
                every_experiment_stands_where_it_should(&world, &plan);
                steps_only_wait_for_earlier_ones(&plan);
                Laboratory::of(&world).carry_out(&world, &plan);
                assert_eq!(world.plan().unwrap().digest(), plan.digest());
            }
            Err(impossible) => refused_for_good_reason(&world, &impossible),
        }
    }
}

fn every_experiment_stands_where_it_should(world: &World, plan: &Plan) {
    let experiments: BTreeMap<ProposalId, &Experiment> =
        world.experiments.iter().map(|e| (e.proposal, &e.experiment)).collect();
    let mut met: BTreeMap<ProposalId, (BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
    let mut sizes: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let format = Labware::by_load_name(&world.spec.assay.labware).unwrap().format;
    for plate in &plan.plates {
        let wells: BTreeSet<Well> = plate.wells.iter().map(|w| w.well).collect();
        assert_eq!(wells.len(), plate.wells.len(), "a well is used once");
        assert!(wells.iter().all(|w| format.contains(*w)));
        assert!(!world.spec.assay.leave_edge_empty || !wells.iter().any(|w| format.is_edge(*w)));
        for (role, control) in [
            (Role::NegativeControl, &world.spec.controls.negative),
            (Role::PositiveControl, &world.spec.controls.positive),
        ] {
            let wells: Vec<_> = plate.wells.iter().filter(|w| w.role == role).collect();
            assert_eq!(wells.len(), control.wells as usize);
            assert!(wells.iter().all(|w| w.contents == [control.content.clone()] && w.proposal.is_none()));
        }
        let mut on_plate = BTreeSet::new();
        for well in plate.wells.iter().filter(|w| w.role == Role::Sample) {
            let proposal = well.proposal.unwrap();
            let experiment = experiments[&proposal];
            assert_eq!(experiment.perturbation.edits(), well.contents);
            assert_eq!(experiment.context.0, plate.context);
            let (replicates, plates) = met.entry(proposal).or_default();
            assert!(replicates.insert(well.replicate), "a replicate stands once");
            plates.insert(plate.ordinal);
            on_plate.insert(proposal);
        }
        sizes.entry(&plate.context).or_default().insert(on_plate.len());
    }
    assert_eq!(met.len(), experiments.len());
    let all: BTreeSet<u32> = (1..=world.spec.assay.replicates).collect();
    assert!(met.values().all(|(replicates, plates)| *replicates == all && plates.len() == 1));
    assert!(sizes.values().all(|s| s.last().unwrap() - s.first().unwrap() <= 1), "plates are filled evenly");
}

fn steps_only_wait_for_earlier_ones(plan: &Plan) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, step) in plan.steps.iter().enumerate() {
        assert!(step.after.iter().all(|after| after.step < index), "the graph is acyclic");
        let upstream: BTreeSet<usize> = step.after.iter().map(|after| after.step).collect();
        assert_eq!(upstream.len(), step.after.len(), "one dependency on one step");
        let Some(resource) = step.resource.as_deref() else { continue };
        assert_eq!(step.first_on_resource, !seen.contains_key(resource));
        if let Some(before) = seen.insert(resource, index) {
            assert!(waits_for(plan, index, before), "{resource} is used by one chain at a time");
        }
    }
}

fn waits_for(plan: &Plan, step: usize, on: usize) -> bool {
    step == on || (step > on && plan.steps[step].after.iter().any(|after| waits_for(plan, after.step, on)))
}

/// A refusal is checked by counting, without the planner's own bookkeeping.
fn refused_for_good_reason(world: &World, impossible: &Impossible) {
    match impossible {
        Impossible::NotEnoughVolume { shortages } => {
            assert!(!shortages.is_empty());
            for shortage in shortages {
                let transfer = u64::from(world.spec.assay.transfer_volume_nl);
                let wells = &world.inventory.sources[&shortage.content];
                let there: u64 = wells.iter().map(|w| (w.available_nl - 11_120) / transfer).sum();
                assert!(there * transfer < shortage.needed_nl);
            }
        }
        Impossible::NoBlankPlate { needed, available, .. } => {
            assert_eq!(*available, 10);
            assert!(*needed > 10);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_stands_on_the_deck_is_brought_home_and_an_empty_deck_is_left_alone() {
    let bench = &World::new(1, 1, 1_000).spec.bench;
    let standing = |barcode: &str, role, device: &str, slot: &str| Standing {
        plate: jobs::work::physical::PlateRef { barcode: barcode.into(), labware: "x".into() },
        role,
        at: Location { device: device.into(), slot: slot.into() },
    };
    let there = [
        standing("ASSAY-1", StockRole::Assay, "handler-1", "1"),
        standing("LIB-2", StockRole::Library, "handler-1", "3"),
        standing("LIB-3", StockRole::Library, "storage", "LIB-3"),
        standing("ASSAY-2", StockRole::Assay, "incubator-1", "4"),
    ];
    let step = clear_deck(bench, 3, &there).unwrap();
    let Work::Move(work) = &step.work else { panic!("{step:?}") };
    let moves: Vec<String> =
        work.moves.iter().map(|m| format!("{} {} -> {}", m.plate.barcode, m.from, m.to)).collect();
    assert_eq!(moves, ["LIB-2 handler-1/3 -> storage/LIB-2", "ASSAY-1 handler-1/1 -> waste/ASSAY-1"]);
    assert_eq!(
        (step.instrument.as_deref(), step.resource.as_deref()),
        (Some("mover-1"), Some("deck:handler-1"))
    );
    assert_eq!(clear_deck(bench, 3, &there[2..]), None);
    assert!(bring_home(bench, 3, &there[3..]).is_some());
}
