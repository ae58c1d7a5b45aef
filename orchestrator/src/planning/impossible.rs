//! Why a batch cannot be carried out, said to the approver before anybody moves.

use std::fmt;

/// A plan that cannot be. `Display` says what is missing and what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Impossible {
    #[error("the batch is empty: keep or add at least one experiment")]
    EmptyBatch,
    #[error("{} no library plate holds: {}; remove their experiments, or register plates that hold them", Count(contents.len(), "reagent that", "reagents that"), Some3(contents))]
    UnknownContent { contents: Vec<String> },
    #[error(
        "not enough volume of {} beyond what wells keep; remove experiments, or register fresh library plates",
        Some3(shortages)
    )]
    NotEnoughVolume { shortages: Vec<Shortage> },
    #[error("{needed} blank plates {labware} with cells {context:?} are needed and {available} are there; seed and register {}, or make the batch smaller", needed - available)]
    NoBlankPlate { context: String, labware: String, needed: u32, available: u32 },
    #[error(
        "one experiment does not fit on a plate: {replicates} replicates and {controls} controls need {needed} wells, {labware} has {usable} that may be used; use a larger plate or fewer replicates"
    )]
    ExperimentDoesNotFit { labware: String, replicates: u32, controls: u32, needed: u64, usable: u32 },
    #[error(
        "{needed} plates need a slot in {incubator} and {available} are free; wait until plates have been read, or make the batch smaller"
    )]
    NoIncubatorSlot { incubator: String, needed: u32, available: u32 },
    #[error(
        "{instrument} cannot be used for this campaign: {why}; correct its profile or the campaign's [bench]"
    )]
    UnfitInstrument { instrument: String, why: String },
    #[error("nobody knows the labware {labware:?} of {what}; known are {known}")]
    UnknownLabware { labware: String, what: String, known: String },
    #[error(
        "{perturbation} needs {volume_nl} nL in one well and {labware} holds {capacity_nl} nL; lower assay.transfer_volume_nl"
    )]
    WellOverflows { perturbation: String, labware: String, volume_nl: u64, capacity_nl: u64 },
    #[error("{context:?} is not a context of this campaign; remove its experiments")]
    UnknownContext { context: String },
}

/// A content of which there is too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub content: String,
    pub needed_nl: u64,
    /// What whole transfers can be made of, above what each well keeps.
    pub available_nl: u64,
}

impl Impossible {
    /// Stable; for interfaces and alarms.
    pub fn code(&self) -> &'static str {
        match self {
            Impossible::EmptyBatch => "plan.empty_batch",
            Impossible::UnknownContent { .. } => "plan.unknown_content",
            Impossible::NotEnoughVolume { .. } => "plan.not_enough_volume",
            Impossible::NoBlankPlate { .. } => "plan.no_blank_plate",
            Impossible::ExperimentDoesNotFit { .. } => "plan.experiment_does_not_fit",
            Impossible::NoIncubatorSlot { .. } => "plan.no_incubator_slot",
            Impossible::UnfitInstrument { .. } => "plan.unfit_instrument",
            Impossible::UnknownLabware { .. } => "plan.unknown_labware",
            Impossible::WellOverflows { .. } => "plan.well_overflows",
            Impossible::UnknownContext { .. } => "plan.unknown_context",
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (needs {} nL, has {} nL)", self.content, self.needed_nl, self.available_nl)
    }
}

/// The first three of many, and how many more.
struct Some3<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Some3<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().take(3).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{item}")?;
        }
        match self.0.len().checked_sub(3) {
            Some(more) if more > 0 => write!(f, " and {more} more"),
            _ => Ok(()),
        }
    }
}

struct Count(usize, &'static str, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { self.1 } else { self.2 })
    }
}
