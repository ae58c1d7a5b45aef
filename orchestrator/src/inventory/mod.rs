//! What stands in the laboratory: registered from tables, used by planning.

pub mod import;

pub use import::{ImportError, Imported, assay_plates, library};
