//! The simulated laboratory. One process is one physical world: plates, wells, liquids, a specimen,
//! and the devices that touch them, each speaking its own protocol over HTTP.
//!
//! ```text
//!   handler-1 (Opentrons HTTP)   mover-1   incubator-1   reader-1        control (demo and tests)
//!            \_______________________|___________|__________/               |
//!                                  world  <- state rebuilt by replay ->  truth.jsonl (fsynced)
//!                                    |
//!                                 specimen: what a well's contents do to its reading
//! ```
//!
//! Invariants:
//! - What happened physically is in the truth log before anybody can see it. Killed at any line, the
//!   world is what the log says.
//! - Devices know slots and wells, never what was planned. A wrong picklist gives wrong biology.
//! - All randomness follows from the seed and from the position in the log, so that a replay draws no
//!   number anew.
//!
//! Not here: anything the product needs. Only `loopwright demo`, `loopwright simulate` and tests start it.

pub mod assay;
pub mod bench;
pub mod devices;
pub mod faults;
pub mod library;
pub mod liquid;
pub mod listen;
pub mod opentrons;
pub mod random;
pub mod settings;
pub mod specimen;
pub mod steps;
pub mod volume;
pub mod world;
