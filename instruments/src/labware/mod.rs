//! Plates and what is measured in them: formats, wells, labware by load name, volumes, barcodes.
//!
//! Geometry only. What a well holds, and where a plate stands, is known elsewhere.

mod barcode;
mod catalogue;
mod format;
mod volume;
mod well;

pub use barcode::{Barcode, NotABarcode};
pub use catalogue::{Labware, UnknownLabware};
pub use format::{PlateFormat, UnknownFormat, WellOutsidePlate};
pub use volume::{Nanolitres, NotAVolume};
pub use well::{NotAWell, Well};
