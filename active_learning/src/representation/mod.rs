//! From the names of edits to tensors.
//!
//! [`standardise`] brings each feature block to unit variance; [`vocabulary`] joins features and prior
//! evidence into one row per known edit; [`encoded`] turns experiments into indices into those rows.
//! Nothing here is learnt from the data cut.

pub mod encoded;
mod spelling;
pub mod standardise;
pub mod vocabulary;

pub use encoded::Encoded;
pub use vocabulary::Vocabulary;
