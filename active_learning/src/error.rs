//! What can go wrong, with a stable code and a class each.

use jobs::{Failure, FailureClass};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the {table} cannot be read: {reason}")]
    Table { table: &'static str, reason: String },
    #[error("the {table} has no column {column:?}")]
    MissingColumn { table: &'static str, column: String },
    #[error("the {table}, row {row}: {reason}")]
    Row { table: &'static str, row: usize, reason: String },
    #[error("the model settings cannot be used: {0}")]
    Settings(String),
    #[error(
        "this libtorch sees no CUDA device: leave `--device` (LOOPWRIGHT_DEVICE) at auto or cpu, or build with a CUDA \
         libtorch (LIBTORCH) on a host with a GPU"
    )]
    NoCuda,
    #[error("the checkpoint cannot be read: {0}")]
    Checkpoint(String),
    #[error("the checkpoint was trained on other features or priors than this job names: {0}")]
    CheckpointMismatch(String),
    #[error("stopped on request")]
    Stopped,
    #[error("the model code gave up: {0}")]
    Panicked(String),
    #[error("a number came out that is not one: {0}")]
    NotFinite(&'static str),
    #[error("libtorch refused")]
    Tensor(#[from] tch::TchError),
}

impl Error {
    /// Stable; documented for operators.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Table { .. } => "learner.table_unreadable",
            Error::MissingColumn { .. } => "learner.column_missing",
            Error::Row { .. } => "learner.row_invalid",
            Error::Settings(_) => "learner.settings_invalid",
            Error::NoCuda => "learner.no_cuda",
            Error::Checkpoint(_) => "learner.checkpoint_unreadable",
            Error::CheckpointMismatch(_) => "learner.checkpoint_mismatch",
            Error::Stopped => "learner.stopped",
            Error::Panicked(_) => "learner.panicked",
            Error::NotFinite(_) => "learner.not_finite",
            Error::Tensor(_) => "learner.tensor",
        }
    }

    pub fn class(&self) -> FailureClass {
        match self {
            Error::Stopped => FailureClass::Transient,
            Error::Panicked(_) | Error::NotFinite(_) | Error::Tensor(_) => FailureClass::Bug,
            _ => FailureClass::Permanent,
        }
    }

    /// As a worker reports it.
    pub fn failure(&self) -> Failure {
        let mut message = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Failure::new(self.class(), self.code(), message)
    }
}
