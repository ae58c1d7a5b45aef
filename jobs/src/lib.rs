//! The contract between the orchestrator and everything that does work.
//!
//! What a job is ([`work`]), the states it passes through ([`state`]), the words spoken over HTTP
//! ([`wire`]), and the client every worker polls with ([`client`], [`spool`], [`worker`]).
//! Robots, learners and people at a bench all pull from the same queue with the same contract.
//!
//! Deliberately absent: SQL, libtorch, biology, wells as anything but names.

pub mod blob;
pub mod client;
pub mod crash;
pub mod dose;
pub mod experiment;
pub mod failure;
pub mod id;
pub mod spool;
pub mod state;
pub mod wire;
pub mod work;
pub mod worker;

pub use blob::Digest;
pub use experiment::{Context, Experiment, Perturbation};
pub use failure::{Failure, FailureClass};
pub use id::{JobId, LeaseToken, StopId};
pub use work::Work;

/// Version of this contract; sent with each lease request. A server takes [`OLDEST_CONTRACT`] up to its own, and answers
/// others in words. It is raised when a worker must know something new to be safe; fields that may be absent do not
/// raise it.
pub const CONTRACT_VERSION: u32 = 1;

/// The oldest version a server of this build still gives work to.
pub const OLDEST_CONTRACT: u32 = 1;
