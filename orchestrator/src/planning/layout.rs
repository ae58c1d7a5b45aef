//! Which well of a plate is for what: controls spread, replicates apart, everything else by chance.
//!
//! Position on a plate moves readings (evaporation at the edge, gradients of temperature and time), so no
//! control and no experiment may always stand in one place:
//! - each role's controls are drawn one from each of as many equal runs of wells, column by column: they cover
//!   the columns evenly, and of a few candidates the one furthest from its fellows is taken, to cover the rows;
//! - the wells left are cut, column by column, into as many blocks as there are replicates, and every experiment
//!   has one well in each, drawn at random: a randomised complete block design, so that a gradient meets all
//!   experiments alike and an experiment's replicates never stand side by side for want of luck.

use instruments::labware::{PlateFormat, Well};
use rand::Rng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

/// Candidates looked at for each control.
const CANDIDATES: usize = 8;

/// How much has to stand on a plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    pub format: PlateFormat,
    pub leave_edge_empty: bool,
    pub negative: usize,
    pub positive: usize,
    pub replicates: usize,
}

/// One plate's wells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub negative: Vec<Well>,
    pub positive: Vec<Well>,
    /// `[replicate][experiment]`.
    pub samples: Vec<Vec<Well>>,
}

impl Demand {
    /// Wells that may be used, column by column.
    pub fn usable(&self) -> Vec<Well> {
        let format = self.format;
        format.wells_by_column().filter(|well| !(self.leave_edge_empty && format.is_edge(*well))).collect()
    }

    /// Experiments, with all their replicates, that one plate takes beside its controls.
    pub fn experiments_per_plate(&self) -> usize {
        let taken = self.negative.saturating_add(self.positive);
        self.usable().len().saturating_sub(taken) / self.replicates.max(1)
    }
}

/// Draws a layout for `experiments`; `None` when they do not fit.
pub(super) fn lay_out(demand: &Demand, experiments: usize, chance: &mut ChaCha8Rng) -> Option<Layout> {
    if experiments > demand.experiments_per_plate() {
        return None;
    }
    let mut board = Board { format: demand.format, wells: demand.usable(), taken: Vec::new() };
    let negative = board.place_controls(demand.negative, chance)?;
    let positive = board.place_controls(demand.positive, chance)?;
    let free: Vec<Well> = board.wells.iter().copied().filter(|well| !board.taken.contains(well)).collect();
    let samples = (0..demand.replicates)
        .map(|replicate| {
            let mut block = run(&free, replicate, demand.replicates).to_vec();
            block.shuffle(chance);
            block.truncate(experiments);
            block
        })
        .collect();
    Some(Layout { negative, positive, samples })
}

struct Board {
    format: PlateFormat,
    /// Column by column.
    wells: Vec<Well>,
    taken: Vec<Well>,
}

impl Board {
    fn place_controls(&mut self, count: usize, chance: &mut ChaCha8Rng) -> Option<Vec<Well>> {
        let mut placed = Vec::with_capacity(count);
        for index in 0..count {
            let well = self.draw_control(run(&self.wells, index, count), &placed, chance)?;
            placed.push(well);
            self.taken.push(well);
        }
        Some(placed)
    }

    /// One free well of `stratum`, far from `fellows`; of the whole plate when the stratum is full.
    fn draw_control(&self, stratum: &[Well], fellows: &[Well], chance: &mut ChaCha8Rng) -> Option<Well> {
        let free = |wells: &[Well]| -> Vec<Well> {
            wells.iter().copied().filter(|well| !self.taken.contains(well)).collect()
        };
        let mut open = free(stratum);
        if open.is_empty() {
            open = free(&self.wells);
        }
        let mut best: Option<(u64, Well)> = None;
        for _ in 0..CANDIDATES.min(open.len()) {
            let candidate = *open.get(chance.random_range(0..open.len()))?;
            let distance = fellows.iter().map(|f| self.distance(*f, candidate)).min().unwrap_or(u64::MAX);
            if best.is_none_or(|(far, _)| distance > far) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, well)| well)
    }

    /// Squared, with the plate's height and width counted alike; whole numbers, so that it is the same on
    /// every machine.
    fn distance(&self, a: Well, b: Well) -> u64 {
        let down = u64::from(a.row().abs_diff(b.row())) * u64::from(self.format.columns());
        let across = u64::from(a.column().abs_diff(b.column())) * u64::from(self.format.rows());
        down * down + across * across
    }
}

/// The `index`-th of `count` almost equal runs of `wells`.
fn run(wells: &[Well], index: usize, count: usize) -> &[Well] {
    let bound = |i: usize| wells.len() * i / count.max(1);
    wells.get(bound(index)..bound(index + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use std::collections::{BTreeMap, BTreeSet};

    fn demand(format: PlateFormat, controls: usize, replicates: usize, leave_edge_empty: bool) -> Demand {
        Demand { format, leave_edge_empty, negative: controls, positive: controls, replicates }
    }

    #[test]
    fn more_than_fits_is_refused_and_as_much_as_fits_is_not() {
        let demand = demand(PlateFormat::Wells96, 6, 2, true);
        assert_eq!(demand.experiments_per_plate(), 24);
        let chance = || ChaCha8Rng::seed_from_u64(1);
        assert!(lay_out(&demand, 24, &mut chance()).is_some());
        assert!(lay_out(&demand, 25, &mut chance()).is_none());
    }

    proptest! {
        #[test]
        fn controls_cover_the_columns_and_replicates_stand_in_their_blocks(
            seed: u64, format in 0usize..3, controls in 2usize..17, replicates in 1usize..5, edge: bool, share in 1usize..=10,
        ) {
            let demand = demand(PlateFormat::ALL[format], controls, replicates, edge);
            let experiments = (demand.experiments_per_plate() * share / 10).max(1);
            prop_assume!(experiments <= demand.experiments_per_plate());
            let layout = lay_out(&demand, experiments, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();

            let all: Vec<Well> = layout.negative.iter().chain(&layout.positive).chain(layout.samples.iter().flatten()).copied().collect();
            let distinct: BTreeSet<Well> = all.iter().copied().collect();
            prop_assert_eq!(distinct.len(), all.len());
            prop_assert_eq!(all.len(), 2 * controls + experiments * replicates);
            prop_assert!(all.iter().all(|w| demand.format.contains(*w) && !(edge && demand.format.is_edge(*w))));

            let columns = usize::from(demand.format.columns()) - if edge { 2 } else { 0 };
            let mut per_column: BTreeMap<u8, usize> = BTreeMap::new();
            for well in &layout.negative {
                *per_column.entry(well.column()).or_default() += 1;
            }
            prop_assert!(per_column.values().all(|n| *n <= controls.div_ceil(columns) + 1), "{per_column:?}");
            // Blocks follow one another column by column.
            for pair in layout.samples.windows(2) {
                let last = pair[0].iter().map(|w| (w.column(), w.row())).max();
                let first = pair[1].iter().map(|w| (w.column(), w.row())).min();
                prop_assert!(last < first);
            }
        }
    }
}
