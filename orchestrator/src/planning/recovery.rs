//! Bringing plates home after a chain broke: the deck must be free before the next chain begins.

use super::outcome::Step;
use crate::campaigns::spec::Bench;
use jobs::Work;
use jobs::work::physical::{Location, Move, PlateMove, PlateRef};

/// A plate and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub plate: PlateRef,
    pub role: StockRole,
    pub at: Location,
}

/// What a plate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StockRole {
    /// Goes back to storage.
    Library,
    /// Cannot be used again: goes to waste.
    Assay,
}

/// The step that frees the handler's deck of whatever stands on it; `None` when nothing does.
///
/// `plate_ordinal`: of the plate whose chain broke. The step holds the deck's resource, so that the next
/// chain waits for it.
pub fn clear_deck(bench: &Bench, plate_ordinal: u32, standing: &[Standing]) -> Option<Step> {
    let on_deck: Vec<Standing> = standing.iter().filter(|s| s.at.device == bench.handler).cloned().collect();
    let mut step = bring_home(bench, plate_ordinal, &on_deck)?;
    step.resource = Some(bench.deck_resource());
    Some(step)
}

/// The step that brings these plates home from wherever they stand: library plates to storage, assay
/// plates to waste. `None` when all are there already. Names no resource.
pub fn bring_home(bench: &Bench, plate_ordinal: u32, standing: &[Standing]) -> Option<Step> {
    let mut moves: Vec<PlateMove> = standing.iter().filter_map(way_home).collect();
    // Sources first, as in every unloading; then by barcode, so that the step is the same each time.
    moves.sort_by(|a, b| (&a.to.device, &a.plate.barcode).cmp(&(&b.to.device, &b.plate.barcode)));
    if moves.is_empty() {
        return None;
    }
    Some(Step {
        plate_ordinal,
        work: Work::Move(Move { moves }),
        instrument: bench.mover().map(str::to_owned),
        by_hand: bench.mover().is_none(),
        resource: None,
        after: Vec::new(),
        first_on_resource: false,
    })
}

fn way_home(standing: &Standing) -> Option<PlateMove> {
    let device = match standing.role {
        StockRole::Library => "storage",
        StockRole::Assay => "waste",
    };
    let to = Location { device: device.to_owned(), slot: standing.plate.barcode.clone() };
    let is_home = standing.at == to;
    (!is_home).then(|| PlateMove { plate: standing.plate.clone(), from: standing.at.clone(), to })
}
