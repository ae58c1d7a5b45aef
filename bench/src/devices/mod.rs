//! Mover, incubator and reader: small devices on a small HTTP protocol, and the control port.
//!
//! Every operation has an id chosen by the caller and is carried out once: posted again, the answer
//! is the operation as it stands. An id posted with another content is 409 `id_conflict`.

pub mod answer;
pub mod control;
pub mod incubator;
pub mod mover;
pub mod operation;
pub mod reader;
