//! What a plate reader measured.

use super::{ParseError, ParseProblem};
use crate::labware::Well;
use std::collections::HashMap;

/// One value of one channel in one well, in the device's own unit.
#[derive(Clone, Debug, PartialEq)]
pub struct WellReading {
    pub well: Well,
    pub channel: String,
    /// Finite.
    pub value: f64,
    /// As the device wrote it; not to be trusted for conversion.
    pub unit: String,
}

/// The device was asked for a value and could not give one (overflow, NaN, nothing).
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    pub well: Well,
    pub channel: String,
    /// What stands in the file instead: `OVRFLW`, `NaN`, nothing.
    pub text: String,
    /// From 1; 0 where the format has no lines.
    pub line: u64,
}

/// A reader's file. No well and channel occurs twice, `readings` and `unreadable` together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReaderFile {
    /// Barcode of the plate, when the file says it: to be compared with the plate that was to be read.
    pub plate: Option<String>,
    /// What may be its barcode, or the kind of plate that it is, when the file says it: it can confirm a plate, and never
    /// contradict what else says whose the file is.
    pub label: Option<String>,
    pub instrument: Option<String>,
    /// The device's own id of the read.
    pub read: Option<String>,
    pub readings: Vec<WellReading>,
    pub unreadable: Vec<Unreadable>,
}

/// Collects readings and refuses a second one for the same well and channel.
#[derive(Default)]
pub(super) struct Collector {
    pub file: ReaderFile,
    seen: HashMap<(Well, String), u64>,
}

impl Collector {
    /// `value`: a finite number, or the text that stands in its place.
    pub fn add(
        &mut self,
        line: u64,
        well: Well,
        channel: &str,
        value: Result<f64, String>,
        unit: &str,
    ) -> Result<(), ParseProblem> {
        let channel = channel.to_owned();
        if let Some(first) = self.seen.insert((well, channel.clone()), line) {
            return Err(ParseProblem::ReadingTwice { well, channel, first });
        }
        match value {
            Ok(value) => {
                let unit = unit.to_owned();
                self.file.readings.push(WellReading { well, channel, value, unit });
            }
            Err(text) => self.file.unreadable.push(Unreadable { well, channel, text, line }),
        }
        Ok(())
    }

    /// Sets something that a file says once.
    pub fn say_once(place: &mut Option<String>, what: &'static str, text: &str) -> Result<(), ParseProblem> {
        match place {
            Some(before) if before != text => {
                Err(ParseProblem::SaidTwice(what, before.clone(), text.to_owned()))
            }
            _ => {
                *place = Some(text.to_owned());
                Ok(())
            }
        }
    }
}

/// For tests and for ingestion: how many bytes a file may have.
pub(super) const LARGEST_FILE: usize = 64 * 1024 * 1024;

pub(super) fn check_size(bytes: &[u8]) -> Result<(), ParseError> {
    if bytes.len() > LARGEST_FILE {
        return Err(ParseError::whole(ParseProblem::TooLarge(bytes.len())));
    }
    Ok(())
}
