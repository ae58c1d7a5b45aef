//! One list of transfers, and a writer of it for each device that takes worklists.
//!
//! [`TransferList::check`] turns a job's transfers into wells, plates and volumes that exist; the
//! writers only put them into a device's words, and refuse what the device could not carry out
//! exactly. What was really dispensed is told by the device afterwards (see `parsers`), never here.
//!
//! | writer | volume | wells | line ends |
//! |---|---|---|---|
//! | [`opentrons_picklist`] | µL, exact | `A1` | LF |
//! | [`tecan_gwl`] | µL, 2 decimals | column by column from 1 | CRLF |
//! | [`echo_csv`] | nL, multiples of the drop | `A1` | CRLF |
//! | [`biomek_csv`] | µL, exact | `A1` | CRLF |

mod biomek;
mod echo;
mod list;
mod opentrons;
mod tecan;

pub use biomek::biomek_csv;
pub use echo::{EchoModel, EchoPlateTypes, echo_csv};
pub use list::{ListError, ListProblem, ListedPlate, ListedTransfer, TransferList};
pub use opentrons::{PICKLIST_COLUMNS, opentrons_picklist};
pub use tecan::{is_label, tecan_gwl};

use crate::labware::Nanolitres;
use std::collections::BTreeMap;

/// Characters that a label has at most (Tecan).
pub const LONGEST_LABEL: usize = 32;

/// What a device calls each labware, by load name.
pub type PlateTypes = BTreeMap<String, String>;

/// A device's worklist could not say this list exactly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transfer {index} cannot be written for {target}: {problem}")]
pub struct WriteError {
    /// Index into the list's transfers, from 0.
    pub index: usize,
    /// The device family, e.g. `Echo 525`.
    pub target: &'static str,
    pub problem: WriteProblem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteProblem {
    #[error("{volume} is not a multiple of {step_tenths_nl} tenths of a nanolitre, the smallest step")]
    VolumeStep { volume: Nanolitres, step_tenths_nl: u32 },
    #[error("{volume} is outside {smallest} to {largest}, what the pipette moves")]
    VolumeRange { volume: Nanolitres, smallest: Nanolitres, largest: Nanolitres },
    #[error("plate {0} has no deck slot")]
    NoSlot(String),
    #[error("there are tips for {tips} transfers")]
    OutOfTips { tips: usize },
    #[error(
        "plate {barcode} is a {labware}, and {place} has no name for that: add {labware} = \"..\" there, as the device calls it"
    )]
    NoPlateType { barcode: String, labware: &'static str, place: &'static str },
    #[error("{what} {text:?} is not 1 to {LONGEST_LABEL} printable characters without ';'")]
    Label { what: &'static str, text: String },
}

/// `fields` as one comma-separated line. Nothing in a checked list needs quotes: barcodes, load
/// names and liquid classes exclude commas, quotes and line ends.
fn csv_line<const N: usize>(fields: [&str; N], line_end: &str) -> String {
    let mut line = fields.join(",");
    line.push_str(line_end);
    line
}
