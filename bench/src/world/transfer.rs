//! The physics of one transfer: a tip, two wells, and whatever plates really stand in the slots.

use super::event::{Event, PlateWell, Transferred};
use super::{Place, World};
use crate::liquid::Mixture;
use crate::random::stream;
use crate::volume::Volume;
use instruments::labware::Well;
use rand::Rng;
use rand_distr::StandardNormal;

/// What the liquid handler is told to do. It knows slots and wells; barcodes are for people.
#[derive(Clone, Debug)]
pub struct Order {
    pub run: String,
    pub index: u32,
    pub device: String,
    pub source: SlotWell,
    pub destination: SlotWell,
    pub volume: Volume,
}

/// A well of whatever stands in a slot, and the labware the protocol believes it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotWell {
    pub slot: String,
    pub labware: String,
    pub well: Well,
}

/// How well the handler handles liquid.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    pub seed: u64,
    /// Standard deviation of the volume that really moves, as a fraction of what was asked.
    pub dispense_cv: f64,
    /// The tip feels the liquid: a well without enough is an error. Without, the tip draws air.
    pub senses_liquid: bool,
    /// This transfer misses: what is drawn stays in the tip.
    pub misses: bool,
}

/// Nothing moved, and the handler knows it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no liquid found in {well} of slot {slot}")]
    LiquidNotFound { slot: String, well: Well },
    #[error("the tip hit something over slot {slot}: {there} stands there, not {believed}")]
    Collision { slot: String, there: String, believed: String },
    #[error(transparent)]
    World(#[from] super::Error),
}

/// Carries out `order`; what really happened is in the log when this returns.
pub fn carry_out(world: &mut World, order: &Order, handling: Handling) -> Result<Transferred, Error> {
    let source = plate_well(world, order, &order.source)?;
    let destination = plate_well(world, order, &order.destination)?;
    let drawn = draw(world, order, source.as_ref(), handling)?;
    let delivered =
        if handling.misses { Mixture::default() } else { deliver(world, destination.as_ref(), &drawn) };
    let spilt = if handling.misses { Volume::ZERO } else { drawn.total().minus(delivered.total()) };
    let transferred = Transferred {
        run: order.run.clone(),
        index: order.index,
        source,
        destination,
        intended_nl: order.volume,
        aspirated_nl: drawn.total(),
        dispensed_nl: delivered.total(),
        spilt_nl: spilt,
        drawn,
        delivered,
        missed: handling.misses,
    };
    world.record(Event::Transferred(transferred.clone()))?;
    Ok(transferred)
}

/// The well that is really met; `None` when the slot is empty.
fn plate_well(world: &World, order: &Order, at: &SlotWell) -> Result<Option<PlateWell>, Error> {
    let Some(plate) = world.state().plate_at(&Place::new(&order.device, &at.slot)) else {
        return Ok(None);
    };
    if plate.labware.load_name != at.labware || !plate.labware.format.contains(at.well) {
        return Err(Error::Collision {
            slot: at.slot.clone(),
            there: plate.labware.load_name.to_owned(),
            believed: at.labware.clone(),
        });
    }
    Ok(Some(PlateWell { barcode: plate.barcode.clone(), well: at.well }))
}

fn draw(
    world: &World,
    order: &Order,
    source: Option<&PlateWell>,
    handling: Handling,
) -> Result<Mixture, Error> {
    let plate = source.and_then(|source| world.state().plate(&source.barcode));
    let contents = plate.map(|plate| plate.contents(order.source.well)).unwrap_or_default();
    let dead = plate.map_or(Volume::ZERO, |plate| Volume::from_nanolitres(plate.labware.dead_volume().0));
    let reachable = contents.total().minus(dead);
    if handling.senses_liquid && reachable < order.volume {
        return Err(Error::LiquidNotFound { slot: order.source.slot.clone(), well: order.source.well });
    }
    // One number for each entry of the log, so that a replay draws none again.
    let mut numbers = stream(handling.seed, &["dispense", &world.next_seq().to_string()]);
    let error: f64 = numbers.sample(StandardNormal);
    let actual = order.volume.nanolitres() * (1.0 + handling.dispense_cv * error);
    Ok(contents.sample(Volume::from_nanolitres_f64(actual).min(reachable)))
}

/// What of `drawn` the destination well can hold.
fn deliver(world: &World, destination: Option<&PlateWell>, drawn: &Mixture) -> Mixture {
    let Some((plate, well)) =
        destination.and_then(|at| world.state().plate(&at.barcode).map(|plate| (plate, at.well)))
    else {
        return Mixture::default();
    };
    let room = Volume::from_nanolitres(plate.labware.capacity().0).minus(plate.contents(well).total());
    drawn.sample(room)
}
