//! Physics: nothing is lost, nothing comes from nowhere.

use crate::support::{PLATE, settings};
use bench::bench::Bench;
use bench::volume::Volume;
use bench::world::place::HANDLER;
use bench::world::transfer::{Handling, Order, SlotWell, carry_out};
use bench::world::{Event, Place, State};
use instruments::labware::Well;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Everything there is, by content: in wells, or lost on the deck and in the trash.
fn total(state: &State) -> BTreeMap<String, u64> {
    let mut total = BTreeMap::new();
    let wells = state.plates().flat_map(|plate| plate.all_contents()).map(|(_, contents)| contents);
    for (content, volume) in wells.chain([state.lost()]).flat_map(|contents| contents.iter()) {
        *total.entry(content.to_owned()).or_default() += volume.picolitres();
    }
    total
}

#[derive(Clone, Debug)]
struct Shot {
    slots: (u8, u8),
    wells: (Well, Well),
    microlitres: f64,
    senses: bool,
    misses: bool,
}

/// Few wells, so that they run dry and over.
fn shot() -> impl Strategy<Value = Shot> {
    let well = (0u8..2, 0u8..2).prop_map(|(row, column)| Well::new(row, column).unwrap());
    ((1u8..5, 1u8..5), (well.clone(), well), 1.0..20.0, any::<bool>(), proptest::bool::weighted(0.1))
        .prop_map(|(slots, wells, microlitres, senses, misses)| Shot {
            slots,
            wells,
            microlitres,
            senses,
            misses,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_transferred_no_picolitre_is_made_or_lost(shots in proptest::collection::vec(shot(), 1..80)) {
        let dir = tempfile::tempdir().unwrap();
        let options = settings(dir.path(), &["--genes", "5", "--assay-plates", "1", "--dispense-cv", "0.3"]);
        let bench = Bench::open(options, || ()).unwrap();
        let mut world = bench.world();
        // Nothing stands in slot 4.
        for (barcode, slot) in [("ASY-0001", "1"), ("LIB-0001", "2"), ("CTRL-0001", "3")] {
            let event = Event::PlateMoved {
                operation: "load".to_owned(),
                barcode: barcode.to_owned(),
                from: Place::storage(barcode),
                to: Place::new(HANDLER, slot),
            };
            world.record(event).unwrap();
        }
        let before = total(world.state());
        for (index, shot) in (0..).zip(&shots) {
            let end = |slot: u8, well| SlotWell { slot: slot.to_string(), labware: PLATE.to_owned(), well };
            let order = Order {
                run: "r".to_owned(),
                index,
                device: HANDLER.to_owned(),
                source: end(shot.slots.0, shot.wells.0),
                destination: end(shot.slots.1, shot.wells.1),
                volume: Volume::from_microlitres_f64(shot.microlitres),
            };
            let handling = Handling { seed: 1, dispense_cv: 0.3, senses_liquid: shot.senses, misses: shot.misses };
            if let Ok(moved) = carry_out(&mut world, &order, handling) {
                prop_assert!(moved.dispensed_nl <= moved.aspirated_nl);
            }
        }
        prop_assert_eq!(total(world.state()), before);
        for plate in world.state().plates() {
            let capacity = Volume::from_nanolitres(plate.labware.capacity().0);
            prop_assert!(plate.all_contents().all(|(_, contents)| contents.total() <= capacity));
        }
    }
}
