//! Why a file could not be read.

use crate::labware::{NotAWell, Well};

/// What is wrong with a file, and in which line (from 1), where it has lines.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseError {
    pub line: Option<u64>,
    pub problem: ParseProblem,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParseProblem {
    #[error("there is no parser for {0:?}; there are plate_csv, plate_grid, asm_json, echo_report")]
    UnknownFormat(String),
    #[error("a {0} file holds no readings")]
    NoReadings(String),
    #[error("the file has {0} bytes; more than 64 MiB is not read")]
    TooLarge(usize),
    #[error("no line {0:?}")]
    NoHeader(&'static str),
    #[error("the header has the column {0:?} twice")]
    ColumnTwice(String),
    #[error("the header lacks the column {0:?}")]
    NoColumn(&'static str),
    #[error("{found} fields, the header has {expected}")]
    Fields { found: u64, expected: u64 },
    #[error("not a CSV line: {0}")]
    NotCsv(String),
    #[error(transparent)]
    Well(#[from] NotAWell),
    #[error("{column} {text:?} is not a number")]
    NotANumber { column: &'static str, text: String },
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("well {well}, channel {channel:?} stands in line {first} already")]
    ReadingTwice { well: Well, channel: String, first: u64 },
    #[error("{0} is said twice, as {1:?} and {2:?}")]
    SaidTwice(&'static str, String, String),
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("{0}: {1}")]
    At(String, Box<ParseProblem>),
    #[error("nothing in the file looks like a measurement")]
    NoMeasurement,
}

impl ParseError {
    /// The file as a whole.
    pub(super) fn whole(problem: ParseProblem) -> Self {
        Self { line: None, problem }
    }

    /// One line, counted from 1.
    pub(super) fn at(line: u64, problem: impl Into<ParseProblem>) -> Self {
        Self { line: Some(line), problem: problem.into() }
    }

    /// Stable, for tasks and logs.
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }
}

impl ParseProblem {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat(_) => "parse.unknown_format",
            Self::NoReadings(_) => "parse.no_readings",
            Self::TooLarge(_) => "parse.too_large",
            Self::NoHeader(_) | Self::ColumnTwice(_) | Self::NoColumn(_) => "parse.header",
            Self::Fields { .. } | Self::NotCsv(_) => "parse.csv",
            Self::Well(_) => "parse.well",
            Self::NotANumber { .. } => "parse.number",
            Self::Empty(_) => "parse.empty_field",
            Self::ReadingTwice { .. } | Self::SaidTwice(..) => "parse.duplicate",
            Self::NotJson(_) => "parse.json",
            Self::At(_, problem) => problem.code(),
            Self::NoMeasurement => "parse.no_measurement",
        }
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

impl std::error::Error for ParseError {}
