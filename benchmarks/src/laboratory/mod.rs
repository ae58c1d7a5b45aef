//! A laboratory whose devices take no time: real campaigns in the real service, worked on by the worker loop that
//! every agent runs, over HTTP, with its spool on disk. Only what a device or a model would do is left out.
//!
//! [`world`] holds what is in which well, [`devices`] and [`learner`] answer at once, [`campaign`] writes the file of a
//! campaign with a bench and a library of its own, [`ground`] is the database with the service over it, [`crew`] is
//! everybody at work.

pub mod campaign;
pub mod crew;
pub mod devices;
pub mod ground;
pub mod learner;
pub mod world;
