//! From what is in a well to what a plate reader sees of it.
//!
//! `signal` in RFU:
//! - no cells: [`BACKGROUND_RFU`];
//! - cells: `null_rfu + rfu_per_unit * (effect - null_effect)`, where a guide below the saturating dose
//!   has its effect in proportion; then well-to-well noise, the plate's factor and its edge, and the
//!   instrument's noise.
//!
//! `viability` in luminescence units: [`VIABLE_RLU`] for cells left alone, in proportion to the cells alive; with the
//! plate's factor and noise of its own.
//!
//! `call`: 1 where the true class of what is really in the well is "hit" (no noise), else 0; 0 for
//! controls and empty wells.
//!
//! What else an [assay](crate::assay) may have the reader show: `death`, from a twentieth of [`VIABLE_RLU`] where all
//! live to the whole of it where none do, as in the positive control; a `level`, the way from the negative to the
//! positive control in steps; a `component`, the effect times a loading of the channel's own.

use super::{Dose, Optics, Specimen};
use crate::assay::{Channel, Shows};
use crate::liquid::{Mixture, POSITIVE, context_of_cells};
use crate::random::stream;
use crate::volume::Volume;
use crate::world::Plate;
use instruments::labware::Well;
use rand::Rng;
use rand_distr::StandardNormal;

/// What a well without cells reads.
pub const BACKGROUND_RFU: f64 = 500.0;
/// What cells left alone read in the channel `viability`.
pub const VIABLE_RLU: f64 = 50_000.0;
/// Of cells that nothing was done to, so many are dead.
const DEAD_AT_LEAST: f64 = 0.05;
/// Of one well's reading of it: coefficient of variation.
const VIABILITY_CV: f64 = 0.08;
/// The reader's floor: raw readings are above zero.
const FLOOR_RFU: f64 = 50.0;

/// Looks at plates.
pub struct Observer<'a> {
    pub specimen: &'a dyn Specimen,
    pub seed: u64,
    /// From this volume on a guide has its full effect.
    pub saturating_dose: Volume,
}

/// What one look at one well gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// RFU, above 0.
    pub signal: f64,
    /// RLU, 0 or above.
    pub viability: f64,
    pub call: bool,
    /// RLU, 0 or above.
    pub death: f64,
    /// The way from the negative to the positive control, with what differs from well to well.
    pub way: f64,
    /// `signal` of a well without effect on this plate.
    pub null: f64,
}

impl Reading {
    /// Value and unit in `channel`, as the reader's file has them.
    pub fn shown(&self, channel: &Channel) -> (String, &'static str) {
        match &channel.shows {
            Shows::Signal => (format!("{:.2}", self.signal), "RFU"),
            Shows::Viability => (format!("{:.1}", self.viability), "RLU"),
            Shows::Death => (format!("{:.1}", self.death), "RLU"),
            Shows::Call => (u8::from(self.call).to_string(), "call"),
            Shows::Level { labels } => {
                let last = f64::from(labels.saturating_sub(1));
                (format!("{:.0}", (self.way.abs().min(1.0) * last).round()), "level")
            }
            Shows::Component => {
                let loading: f64 = stream(0, &["loading", &channel.name]).sample(StandardNormal);
                let value = self.null + loading * (self.signal - self.null);
                (format!("{:.2}", value.max(FLOOR_RFU)), "RFU")
            }
        }
    }
}

impl Observer<'_> {
    /// Every well of `plate`, row by row. `look` names this look: the instrument's noise is new each
    /// time, what differs from well to well stays.
    pub fn read(&self, plate: &Plate, look: &str) -> Vec<(Well, Reading)> {
        let optics = self.specimen.optics();
        let mut of_plate = stream(self.seed, &["plate", &plate.barcode]);
        let plate_factor =
            (optics.plate_sd * of_plate.sample::<f64, _>(StandardNormal)).exp() * plate.reading_factor;
        let cv = optics.technical_cv.hypot(plate.reading_extra_cv);
        let mut of_wells = stream(self.seed, &["wells", &plate.barcode]);
        let mut of_look = stream(self.seed, &["look", &plate.barcode, look]);
        let mut of_cells = stream(self.seed, &["cells", &plate.barcode, look]);
        plate
            .all_contents()
            .map(|(well, contents)| {
                let biology: f64 = of_wells.sample(StandardNormal);
                let instrument: f64 = of_look.sample(StandardNormal);
                let (rfu, call) = self.without_instrument(contents, &optics, biology);
                let window = optics.rfu_per_unit * (optics.positive_effect - optics.null_effect);
                let edge = if plate.labware.format.is_edge(well) { 1.0 - optics.edge_loss } else { 1.0 };
                let signal = rfu * plate_factor * edge * (1.0 + cv * instrument);
                let counted: f64 = of_cells.sample(StandardNormal);
                let light = plate_factor * (1.0 + VIABILITY_CV * counted);
                let alive = self.alive(contents);
                let killed = self.fraction(contents.volume_of(POSITIVE));
                let dead = if most_of(contents).is_some() { 1.0 - alive * (1.0 - killed) } else { 0.0 };
                let dead = DEAD_AT_LEAST + (1.0 - DEAD_AT_LEAST) * dead;
                let reading = Reading {
                    signal: signal.max(FLOOR_RFU),
                    viability: (VIABLE_RLU * alive * light).max(0.0),
                    call,
                    death: (VIABLE_RLU * dead * light).max(0.0),
                    way: (rfu - optics.null_rfu) / window,
                    null: optics.null_rfu * plate_factor,
                };
                (well, reading)
            })
            .collect()
    }

    /// RFU and call of a well with `contents`; `biology` is its standard normal deviate.
    fn without_instrument(&self, contents: &Mixture, optics: &Optics, biology: f64) -> (f64, bool) {
        let Some(context) = most_of(contents) else { return (BACKGROUND_RFU, false) };
        let response = self.specimen.response(&self.doses(contents), context);
        let positive =
            self.fraction(contents.volume_of(POSITIVE)) * (optics.positive_effect - optics.null_effect);
        let excess = response.effect - optics.null_effect + positive + optics.well_sd * biology;
        (optics.null_rfu + optics.rfu_per_unit * excess, response.hit)
    }

    /// Fraction of the cells alive; 0 of a well without cells.
    fn alive(&self, contents: &Mixture) -> f64 {
        most_of(contents).map_or(0.0, |context| self.specimen.viability(&self.doses(contents), context))
    }

    fn doses(&self, contents: &Mixture) -> Vec<Dose> {
        let dose = |(content, volume)| {
            let gene = self.specimen.gene_index(content)?;
            Some(Dose { gene, fraction: self.fraction(volume) })
        };
        contents.iter().filter_map(dose).collect()
    }

    fn fraction(&self, volume: Volume) -> f64 {
        if self.saturating_dose.is_zero() {
            return if volume.is_zero() { 0.0 } else { 1.0 };
        }
        (volume.nanolitres() / self.saturating_dose.nanolitres()).min(1.0)
    }
}

/// The context of most of the cells in a well; `None` without cells.
fn most_of(contents: &Mixture) -> Option<&str> {
    contents
        .iter()
        .filter_map(|(content, volume)| context_of_cells(content).map(|context| (volume, context)))
        .max_by_key(|(volume, _)| *volume)
        .map(|(_, context)| context)
}
