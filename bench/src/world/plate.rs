//! One plate.

use super::Place;
use crate::liquid::Mixture;
use instruments::labware::{Labware, Well};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plate was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Role {
    /// Guides, one gene a well.
    Library,
    /// Positive and negative controls.
    Control,
    /// Cells of one context in every well.
    Assay { context: String },
}

#[derive(Clone, Debug)]
pub struct Plate {
    pub barcode: String,
    pub labware: &'static Labware,
    pub role: Role,
    pub at: Place,
    /// What every well held when the plate was made, unless `wells` says otherwise.
    pub(super) fill: Mixture,
    pub(super) wells: BTreeMap<Well, Mixture>,
    /// Something liquid has come to it since it was made.
    pub touched: bool,
    /// Multiplies every reading of this plate (a fault on request); 1 for a good plate.
    pub reading_factor: f64,
    /// Added to every reading's coefficient of variation (a fault on request); 0 for a good plate.
    pub reading_extra_cv: f64,
}

impl Plate {
    /// What is in `well`; nothing in a well that the plate does not have.
    pub fn contents(&self, well: Well) -> Mixture {
        if !self.labware.format.contains(well) {
            return Mixture::default();
        }
        self.wells.get(&well).unwrap_or(&self.fill).clone()
    }

    /// Every well with its contents, row by row.
    pub fn all_contents(&self) -> impl Iterator<Item = (Well, &Mixture)> {
        self.labware.format.wells().map(|well| (well, self.wells.get(&well).unwrap_or(&self.fill)))
    }

    pub(super) fn contents_mut(&mut self, well: Well) -> &mut Mixture {
        let fill = &self.fill;
        self.wells.entry(well).or_insert_with(|| fill.clone())
    }
}
