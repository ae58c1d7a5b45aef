//! The steps of one plate: deck loads, incubation, read.
//!
//! ```text
//! per deck load: move (last load's sources home, this load's onto the deck; at first the assay plate too)
//!                [by hand, where people put in tips: new racks]
//!                dispense
//! then:          [by hand, on the deck]
//!                move (sources home, plate into its incubator slot)      last on the deck
//!                incubate
//!                [by hand, in the incubator; when the incubation is over]
//!                move (incubator -> reader; when the incubation is over) first on the reader
//!                read
//!                [by hand, on the reader]
//!                move (reader -> waste)                                  last on the reader
//! ```
//!
//! Sources that the next load needs too stay where they are; a load that needs the same ones only changes tips.

use super::input::{HandlerProfile, IncubatorProfile, ReaderProfile};
use super::loads::{Deck, Load};
use super::outcome::{After, Requires, Step};
use crate::campaigns::Spec;
use crate::campaigns::spec::Before;
use instruments::labware::Well;
use jobs::Work;
use jobs::work::physical::{
    DeckPlate, Dispense, Incubate, Location, Manual, Move, PlateMove, PlateRef, Read, Transfer,
};
use std::collections::{BTreeMap, VecDeque};

/// One transfer of `transfer_volume_nl`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Drop<'a> {
    pub source_barcode: &'a str,
    pub source_well: Well,
    pub destination_well: Well,
}

/// What every chain of a plan shares.
pub(super) struct Scene<'a> {
    pub spec: &'a Spec,
    pub handler: &'a HandlerProfile,
    pub incubator: &'a IncubatorProfile,
    pub reader: &'a ReaderProfile,
    /// Labware of library plates, by barcode.
    pub source_labware: &'a BTreeMap<&'a str, &'a str>,
}

/// The plate whose chain it is.
pub(super) struct Subject<'a> {
    pub ordinal: u32,
    pub plate: PlateRef,
    pub incubator_slot: &'a str,
    pub drops: Vec<Drop<'a>>,
}

/// Where the last chains on the shared places end: indices into the plan's steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tails {
    pub deck: Option<usize>,
    pub reader: Option<usize>,
}

/// Appends the chain of `subject` to `steps`; answers with the new tails and the number of deck loads.
pub(super) fn append(
    scene: &Scene,
    subject: &Subject,
    tails: Tails,
    steps: &mut Vec<Step>,
) -> (Tails, usize) {
    let mut chain = Chain { scene, subject, steps, last: None, deck: BTreeMap::new() };
    let loads = chain.fill(tails.deck);
    let deck = chain.leave_deck();
    chain.incubate();
    let reader = chain.read(tails.reader);
    (Tails { deck, reader }, loads)
}

/// Who does a step.
struct Who {
    instrument: Option<String>,
    by_hand: bool,
}

impl Who {
    const HANDS: Self = Self { instrument: None, by_hand: true };

    fn robot(name: &str) -> Self {
        Self { instrument: Some(name.to_owned()), by_hand: false }
    }
}

struct Chain<'a, 'p> {
    scene: &'p Scene<'a>,
    subject: &'p Subject<'a>,
    steps: &'p mut Vec<Step>,
    /// The step before, of this chain.
    last: Option<usize>,
    /// Library plates on the deck, by slot.
    deck: BTreeMap<&'a str, &'a str>,
}

impl<'a> Chain<'a, '_> {
    fn fill(&mut self, deck_before: Option<usize>) -> usize {
        let handler = self.scene.handler;
        let mut per_plate: BTreeMap<&str, VecDeque<&Drop>> = BTreeMap::new();
        for drop in &self.subject.drops {
            per_plate.entry(drop.source_barcode).or_default().push_back(drop);
        }
        let counts = per_plate.iter().map(|(plate, drops)| (*plate, drops.len())).collect();
        let loads = Deck { slots: handler.source_slots.len(), tips: handler.tips_per_run() }.pack(&counts);
        for (index, load) in loads.iter().enumerate() {
            let mut moves = Vec::new();
            if index == 0 {
                let from = at("storage", &self.subject.plate.barcode);
                moves.push(self.move_subject(from, self.deck_slot(&handler.destination_slot)));
            }
            self.change_sources(load, &mut moves);
            if !moves.is_empty() {
                self.push_on_deck(self.mover(), Work::Move(Move { moves }), deck_before);
            }
            let mut transfers = Vec::new();
            for (plate, count) in load {
                let queue = per_plate.entry(plate).or_default();
                transfers.extend(queue.drain(..(*count).min(queue.len())).map(|drop| self.transfer(drop)));
            }
            let work = Work::Dispense(Dispense {
                deck: self.deck_plates(),
                tip_rack_slots: handler.tip_rack_slots.clone(),
                transfers,
            });
            if handler.new_tips_by_hand {
                self.push_on_deck(Who::HANDS, self.new_tips(index + 1, loads.len(), load), deck_before);
            }
            self.push_on_deck(Who::robot(&self.scene.spec.bench.handler), work, deck_before);
        }
        loads.len()
    }

    fn new_tips(&self, number: usize, loads: usize, load: &Load) -> Work {
        let (handler, name) = (self.scene.handler, &self.scene.spec.bench.handler);
        let tips: usize = load.values().sum();
        let slots = handler.tip_rack_slots.join(", ");
        Work::Manual(Manual {
            instruction: format!(
                "Put full tip racks on {name}, into {slots}: run {number} of {loads} for this plate takes {tips} tips, \
                 from the first of them on."
            ),
            plates: vec![self.subject.plate.clone()],
        })
    }

    /// Sources home, the plate into its incubator slot; answers with the step that frees the deck.
    fn leave_deck(&mut self) -> Option<usize> {
        let mut moves = Vec::new();
        self.change_sources(&Load::new(), &mut moves);
        let from = self.deck_slot(&self.scene.handler.destination_slot);
        moves.push(self.move_subject(from, self.incubator_slot()));
        for work in self.by_hand(Before::Incubate) {
            let after = self.after_last(0.0, None);
            self.push(Who::HANDS, work, Some(self.scene.spec.bench.deck_resource()), after);
        }
        self.push_on_deck(self.mover(), Work::Move(Move { moves }), None);
        self.last
    }

    fn mover(&self) -> Who {
        self.scene.spec.bench.mover().map_or(Who::HANDS, Who::robot)
    }

    fn by_hand(&self, before: Before) -> Vec<Work> {
        let steps = self.scene.spec.assay.by_hand.iter().filter(|step| step.before == before);
        let work = |instruction: &str| {
            Work::Manual(Manual {
                instruction: instruction.to_owned(),
                plates: vec![self.subject.plate.clone()],
            })
        };
        steps.map(|step| work(&step.instruction)).collect()
    }

    fn incubate(&mut self) {
        let assay = &self.scene.spec.assay;
        let work = Work::Incubate(Incubate {
            plate: self.subject.plate.clone(),
            at: self.incubator_slot(),
            temperature_celsius: assay.temperature_celsius,
            co2_percent: assay.co2_percent,
            hours: assay.incubate_hours,
        });
        let after = self.after_last(0.0, None);
        let by_hand = self.scene.incubator.by_hand;
        let who = Who { by_hand, ..Who::robot(&self.scene.spec.bench.incubator) };
        self.push(who, work, None, after);
    }

    fn read(&mut self, reader_before: Option<usize>) -> Option<usize> {
        let spec = self.scene.spec;
        let slot = self.scene.reader.slots.first().map_or("", String::as_str);
        let there = at(&spec.bench.reader, slot);
        let resource = Some(spec.bench.reader_resource());
        let [hours, window] = [spec.assay.incubate_hours, spec.assay.read_window_hours];

        // Whatever people do in between, the window is counted from the incubation.
        let incubated = self.after_last(hours, Some(hours + window));
        let mut reader_is_free = reader_before.map(ended);
        for work in self.by_hand(Before::Read) {
            // No plate stands open before its turn at the reader has come.
            let mut after = self.after_incubation(&incubated);
            after.extend(reader_is_free.take());
            self.push(Who::HANDS, work, None, after);
        }
        let mut after = self.after_incubation(&incubated);
        after.extend(reader_before.map(ended));
        let arrive =
            Work::Move(Move { moves: vec![self.move_subject(self.incubator_slot(), there.clone())] });
        self.push(self.mover(), arrive, resource.clone(), after);

        let work = Work::Read(Read {
            plate: self.subject.plate.clone(),
            at: there.clone(),
            channels: spec.channels(),
        });
        // A person who takes the plate in time may bring it late.
        let after = if spec.bench.mover().is_none() {
            self.after_incubation(&incubated)
        } else {
            self.after_last(0.0, None)
        };
        self.push(Who::robot(&spec.bench.reader), work, resource.clone(), after);
        for work in self.by_hand(Before::Discard) {
            let after = self.after_last(0.0, None);
            self.push(Who::HANDS, work, resource.clone(), after);
        }

        let home = at("waste", &self.subject.plate.barcode);
        let leave = Work::Move(Move { moves: vec![self.move_subject(there, home)] });
        let after = self.after_last(0.0, None);
        self.push(self.mover(), leave, resource, after);
        self.last
    }

    /// After the incubation and, where it is another one, the step before.
    fn after_incubation(&self, incubated: &[After]) -> Vec<After> {
        let mut after = incubated.to_vec();
        after.extend(
            self.after_last(0.0, None)
                .into_iter()
                .filter(|last| !incubated.iter().any(|incubated| incubated.step == last.step)),
        );
        after
    }

    /// Moves home what `load` does not need, then onto the deck what it needs beside.
    fn change_sources(&mut self, load: &Load<'a>, moves: &mut Vec<PlateMove>) {
        let leaving: Vec<(&'a str, &'a str)> =
            self.deck.iter().filter(|(_, plate)| !load.contains_key(*plate)).map(|(s, p)| (*s, *p)).collect();
        for (slot, plate) in leaving {
            self.deck.remove(slot);
            moves.push(self.move_source(plate, self.deck_slot(slot), at("storage", plate)));
        }
        let arriving: Vec<&'a str> =
            load.keys().copied().filter(|plate| !self.deck.values().any(|there| there == plate)).collect();
        let handler: &'a HandlerProfile = self.scene.handler;
        let free: Vec<&'a str> = handler
            .source_slots
            .iter()
            .map(String::as_str)
            .filter(|slot| !self.deck.contains_key(slot))
            .collect();
        for (plate, slot) in arriving.into_iter().zip(free) {
            self.deck.insert(slot, plate);
            moves.push(self.move_source(plate, at("storage", plate), self.deck_slot(slot)));
        }
    }

    fn transfer(&self, drop: &Drop) -> Transfer {
        let assay = &self.scene.spec.assay;
        Transfer {
            source_barcode: drop.source_barcode.to_owned(),
            source_well: drop.source_well.to_string(),
            destination_barcode: self.subject.plate.barcode.clone(),
            destination_well: drop.destination_well.to_string(),
            volume_nl: assay.transfer_volume_nl,
            liquid_class: assay.liquid_class.clone(),
        }
    }

    fn deck_plates(&self) -> Vec<DeckPlate> {
        let destination = DeckPlate {
            slot: self.scene.handler.destination_slot.clone(),
            plate: self.subject.plate.clone(),
        };
        let slots = self.scene.handler.source_slots.iter();
        let sources = slots.filter_map(|slot| {
            let barcode = self.deck.get(slot.as_str())?;
            Some(DeckPlate { slot: slot.clone(), plate: self.source(barcode) })
        });
        std::iter::once(destination).chain(sources).collect()
    }

    fn source(&self, barcode: &str) -> PlateRef {
        let labware = self.scene.source_labware.get(barcode).copied().unwrap_or_default();
        PlateRef { barcode: barcode.to_owned(), labware: labware.to_owned() }
    }

    fn move_source(&self, barcode: &str, from: Location, to: Location) -> PlateMove {
        PlateMove { plate: self.source(barcode), from, to }
    }

    fn move_subject(&self, from: Location, to: Location) -> PlateMove {
        PlateMove { plate: self.subject.plate.clone(), from, to }
    }

    fn deck_slot(&self, slot: &str) -> Location {
        at(&self.scene.spec.bench.handler, slot)
    }

    fn incubator_slot(&self) -> Location {
        at(&self.scene.spec.bench.incubator, self.subject.incubator_slot)
    }

    fn after_last(&self, min_delay_hours: f64, max_delay_hours: Option<f64>) -> Vec<After> {
        let after = |step| After { step, requires: Requires::Success, min_delay_hours, max_delay_hours };
        self.last.map(after).into_iter().collect()
    }

    /// A step on the deck: after the chain's own last one, or, as its first, after the chain before.
    fn push_on_deck(&mut self, who: Who, work: Work, deck_before: Option<usize>) {
        let mut after = self.after_last(0.0, None);
        if after.is_empty() {
            after.extend(deck_before.map(ended));
        }
        self.push(who, work, Some(self.scene.spec.bench.deck_resource()), after);
    }

    fn push(&mut self, who: Who, work: Work, resource: Option<String>, after: Vec<After>) {
        let first_on_resource =
            resource.is_some() && !self.steps.iter().any(|earlier| earlier.resource == resource);
        self.last = Some(self.steps.len());
        let plate_ordinal = self.subject.ordinal;
        let Who { instrument, by_hand } = who;
        self.steps.push(Step {
            plate_ordinal,
            work,
            instrument,
            by_hand,
            resource,
            after,
            first_on_resource,
        });
    }
}

/// After the chain before on the same place has ended, however.
fn ended(step: usize) -> After {
    After { step, requires: Requires::End, min_delay_hours: 0.0, max_delay_hours: None }
}

fn at(device: &str, slot: &str) -> Location {
    Location { device: device.to_owned(), slot: slot.to_owned() }
}
