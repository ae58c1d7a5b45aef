//! Readings in units of the plate's own controls.

use instruments::labware::Well;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One kind of control on one plate, in the channel's own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControlStatistics {
    /// Wells that were read and rightly filled.
    pub n: u32,
    /// Mean (or median); `None` without wells.
    pub mean: Option<f64>,
    /// Sample standard deviation (or 1.4826 x median absolute deviation); `None` with fewer than two.
    pub sd: Option<f64>,
}

/// A plate in units of its controls: negative 0, positive 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Normalised {
    pub negative: ControlStatistics,
    pub positive: ControlStatistics,
    /// Empty when there is no window between the controls.
    pub values: BTreeMap<Well, f64>,
}
