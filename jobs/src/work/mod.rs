//! The kinds of work and their typed payloads.
//!
//! Physical kinds carry what a device needs and nothing biological: barcodes, slots, wells, volumes.
//! Learner kinds carry what a model needs and nothing physical: perturbations, contexts, blobs.

pub mod description;
pub mod learn;
pub mod physical;
pub mod readout;
pub mod screen;
pub mod shadow;

use crate::failure::Failure;
use learn::{Predict, PredictResult, Propose, ProposeResult, Train, TrainResult};
use physical::{
    Dispense, DispenseResult, Incubate, IncubateResult, Manual, ManualResult, Move, MoveResult, Read,
    ReadResult,
};
use screen::{Screen, ScreenResult};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum Work {
    Train(Train),
    Propose(Propose),
    Predict(Predict),
    Screen(Screen),
    Dispense(Dispense),
    Move(Move),
    Incubate(Incubate),
    Read(Read),
    Manual(Manual),
}

/// The kind of a job, without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Train,
    Propose,
    Predict,
    Screen,
    Dispense,
    Move,
    Incubate,
    Read,
    Manual,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Train,
        Kind::Propose,
        Kind::Predict,
        Kind::Screen,
        Kind::Dispense,
        Kind::Move,
        Kind::Incubate,
        Kind::Read,
        Kind::Manual,
    ];

    /// The word used in JSON, SQL, logs and the user interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Train => "train",
            Kind::Propose => "propose",
            Kind::Predict => "predict",
            Kind::Screen => "screen",
            Kind::Dispense => "dispense",
            Kind::Move => "move",
            Kind::Incubate => "incubate",
            Kind::Read => "read",
            Kind::Manual => "manual",
        }
    }

    /// Whether doing it twice does no harm. What is not repeatable becomes `in_doubt` when its
    /// worker falls silent after the start: nobody repeats a physical step blindly.
    pub fn is_repeatable(self) -> bool {
        match self {
            Kind::Train | Kind::Propose | Kind::Predict | Kind::Screen | Kind::Read => true,
            // A second move would look for the plate where it no longer is; a second incubation
            // would start the clock anew.
            Kind::Dispense | Kind::Move | Kind::Incubate | Kind::Manual => false,
        }
    }

    /// Whether it moves something outside of computers.
    pub fn is_physical(self) -> bool {
        match self {
            Kind::Train | Kind::Propose | Kind::Predict | Kind::Screen => false,
            Kind::Dispense | Kind::Move | Kind::Incubate | Kind::Read | Kind::Manual => true,
        }
    }

    /// The queue it waits in: one per sort of worker.
    pub fn queue(self) -> &'static str {
        match self {
            Kind::Train | Kind::Propose | Kind::Screen => "learner",
            // Apart from `learner`, so that a prediction is answered while a training runs.
            Kind::Predict => "predict",
            Kind::Dispense | Kind::Move | Kind::Incubate | Kind::Read => "bench",
            Kind::Manual => "people",
        }
    }

    /// The capability a worker must offer to be given it.
    pub fn capability(self) -> &'static str {
        match self {
            Kind::Train => "learn.train",
            Kind::Propose => "learn.propose",
            Kind::Predict => "learn.predict",
            Kind::Screen => "learn.screen",
            Kind::Dispense => "dispense.liquid",
            Kind::Move => "move.plate",
            Kind::Incubate => "incubate.plate",
            Kind::Read => "read.plate",
            Kind::Manual => "hands",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no kind of job.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a kind of job")]
pub struct NotAKind(String);

impl std::str::FromStr for Kind {
    type Err = NotAKind;
    fn from_str(word: &str) -> Result<Self, NotAKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| NotAKind(word.to_owned()))
    }
}

impl Work {
    pub fn kind(&self) -> Kind {
        match self {
            Work::Train(_) => Kind::Train,
            Work::Propose(_) => Kind::Propose,
            Work::Predict(_) => Kind::Predict,
            Work::Screen(_) => Kind::Screen,
            Work::Dispense(_) => Kind::Dispense,
            Work::Move(_) => Kind::Move,
            Work::Incubate(_) => Kind::Incubate,
            Work::Read(_) => Kind::Read,
            Work::Manual(_) => Kind::Manual,
        }
    }
}

/// What a worker brings back for work that succeeded; of the same kind as the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "result", rename_all = "snake_case")]
pub enum Output {
    Train(TrainResult),
    Propose(ProposeResult),
    Predict(PredictResult),
    Screen(ScreenResult),
    Dispense(DispenseResult),
    Move(MoveResult),
    Incubate(IncubateResult),
    Read(ReadResult),
    Manual(ManualResult),
}

impl Output {
    pub fn kind(&self) -> Kind {
        match self {
            Output::Train(_) => Kind::Train,
            Output::Propose(_) => Kind::Propose,
            Output::Predict(_) => Kind::Predict,
            Output::Screen(_) => Kind::Screen,
            Output::Dispense(_) => Kind::Dispense,
            Output::Move(_) => Kind::Move,
            Output::Incubate(_) => Kind::Incubate,
            Output::Read(_) => Kind::Read,
            Output::Manual(_) => Kind::Manual,
        }
    }
}

/// How an attempt ended, in the worker's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Outcome {
    /// Done; with what it brought.
    Succeeded { output: Box<Output> },
    /// Not done, and known not to be (or known how far): nothing is left in the dark.
    Failed { failure: Failure },
    /// Stopped on request at a safe point, with nothing further moved.
    Stopped { note: String },
    /// The worker cannot say what happened (device power cut in mid-run): a person must look.
    Unknown { failure: Failure },
}
