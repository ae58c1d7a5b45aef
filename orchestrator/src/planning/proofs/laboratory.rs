//! Carries a plan out on paper: where each plate stands, what is in each well.

use super::super::*;
use super::world::World;
use jobs::Work;
use jobs::work::physical::{Dispense, Location, Move};
use std::collections::{BTreeMap, BTreeSet};

/// Where plates stand, and what is in their wells.
pub(super) struct Laboratory {
    occupied: BTreeMap<(String, String), String>,
    volumes: BTreeMap<(String, String), u64>,
    contents: BTreeMap<(String, String), String>,
    delivered: BTreeMap<(String, String), Vec<String>>,
}

impl Laboratory {
    pub fn of(world: &World) -> Laboratory {
        let mut laboratory = Laboratory {
            occupied: BTreeMap::new(),
            volumes: BTreeMap::new(),
            contents: BTreeMap::new(),
            delivered: BTreeMap::new(),
        };
        let stored = |barcode: &str| (("storage".to_owned(), barcode.to_owned()), barcode.to_owned());
        laboratory.occupied.extend(world.inventory.blanks.iter().map(|blank| stored(&blank.barcode)));
        for (content, source) in
            world.inventory.sources.iter().flat_map(|(c, wells)| wells.iter().map(move |w| (c, w)))
        {
            let well = (source.barcode.clone(), source.well.to_string());
            laboratory.occupied.extend([stored(&source.barcode)]);
            laboratory.volumes.insert(well.clone(), source.available_nl);
            laboratory.contents.insert(well, content.clone());
        }
        laboratory
    }

    /// Every step in order; panics at the first that could not be done.
    pub fn carry_out(mut self, world: &World, plan: &Plan) {
        let before = self.volumes.clone();
        for step in &plan.steps {
            match &step.work {
                Work::Move(work) => self.carry(work),
                Work::Dispense(work) => self.dispense(world, work),
                Work::Incubate(work) => self.expect(&work.at, &work.plate.barcode),
                Work::Read(work) => self.expect(&work.at, &work.plate.barcode),
                other => panic!("{other:?} is not in a plan"),
            }
        }
        let mut planned: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut drawn: BTreeMap<(String, String), u64> = BTreeMap::new();
        for plate in &plan.plates {
            for well in &plate.wells {
                planned.insert((plate.barcode.clone(), well.well.to_string()), well.contents.clone());
            }
            for draw in &plate.draws {
                *drawn.entry((draw.source_barcode.clone(), draw.source_well.to_string())).or_default() +=
                    draw.volume_nl;
            }
            self.expect(&Location { device: "waste".into(), slot: plate.barcode.clone() }, &plate.barcode);
        }
        self.delivered.values_mut().for_each(|contents| contents.sort());
        assert_eq!(self.delivered, planned, "every well got what its map says, and nothing else");
        for (well, volume) in &before {
            assert_eq!(
                volume - self.volumes[well],
                drawn.get(well).copied().unwrap_or(0),
                "draws are the transfers"
            );
        }
        let away =
            self.occupied.keys().filter(|(device, _)| device != "storage" && device != "waste").count();
        assert_eq!(away, 0, "every plate is home at the end");
    }

    fn carry(&mut self, work: &Move) {
        assert!(!work.moves.is_empty());
        for step in &work.moves {
            self.expect(&step.from, &step.plate.barcode);
            self.occupied.remove(&(step.from.device.clone(), step.from.slot.clone()));
            let to = (step.to.device.clone(), step.to.slot.clone());
            assert_eq!(self.occupied.insert(to, step.plate.barcode.clone()), None, "{} is taken", step.to);
        }
    }

    fn dispense(&mut self, world: &World, work: &Dispense) {
        let on_deck: BTreeSet<&str> = work.deck.iter().map(|d| d.plate.barcode.as_str()).collect();
        for place in &work.deck {
            self.expect(
                &Location { device: "handler-1".into(), slot: place.slot.clone() },
                &place.plate.barcode,
            );
        }
        let standing = self.occupied.keys().filter(|(device, _)| device == "handler-1").count();
        assert_eq!(standing, work.deck.len(), "nothing else stands on the deck");
        assert!(!work.transfers.is_empty() && work.transfers.len() <= world.handler.tips_per_run());
        for transfer in &work.transfers {
            assert!(on_deck.contains(transfer.source_barcode.as_str()));
            assert!(on_deck.contains(transfer.destination_barcode.as_str()));
            let source = (transfer.source_barcode.clone(), transfer.source_well.clone());
            let volume = self.volumes.get_mut(&source).unwrap();
            *volume -= u64::from(transfer.volume_nl);
            assert!(*volume >= 11_120, "dead volume and reserve stay");
            let destination = (transfer.destination_barcode.clone(), transfer.destination_well.clone());
            self.delivered.entry(destination).or_default().push(self.contents[&source].clone());
        }
    }

    fn expect(&self, at: &Location, barcode: &str) {
        let there = self.occupied.get(&(at.device.clone(), at.slot.clone()));
        assert_eq!(there.map(String::as_str), Some(barcode), "at {at}");
    }
}
