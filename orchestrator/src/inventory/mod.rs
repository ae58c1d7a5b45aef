//! What stands in the laboratory: registered from tables, used by planning, counted and carried by people.

pub mod count;
pub mod hands;
pub mod import;

pub use count::{Counted, count};
pub use hands::{Refused, found, put_back, withdraw};
pub use import::{ImportError, Imported, assay_plates, library};
