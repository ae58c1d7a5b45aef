//! Driver of Opentrons OT-2 liquid handlers over their HTTP API. One process drives one robot.
//!
//! ```text
//! check picklist -> health, the one that was meant? -> upload picklist, protocol -> analysis ok? -> is the robot free?
//!   -> create run (idle) -> failRun policy, ownership -> Attempt::begin(run id) -> nobody at work in it? -> play
//!   -> poll to the end -> commands, errors -> archive -> Outcome
//! ```
//!
//! - The protocol is always the vetted one ([`CHERRYPICK`](crate::protocols::CHERRYPICK)); only its picklist changes.
//! - The server runs protocols that its own analysis calls not ok: the gate is here.
//! - Creating a run replaces an idle one without a word: we look first, and leave other people's alone.
//! - Playing a run ends a maintenance run (a calibration, a pipette being attached) without a word: we look for one before
//!   anything is created, and again before each play.
//! - A robot that somebody uses is waited for; a run that it refuses to play for too long is ended, and what became of it is
//!   told by its own record, not by the refusals: somebody may have played it at the robot.
//! - `ok: false` is a robot that lost its power in mid-run. It reads `stopped`; it is unknown.
//! - A run that ended after liquid had moved, other than by succeeding, is for a person to judge. How far it
//!   came is said.
//!
//! Deliberately absent: error recovery by us, more than one run at a time, labware offsets.

mod analysis;
mod api;
mod archive;
mod driver;
mod follow;
mod free;
mod health;
mod labware;
mod model;
mod outcome;
mod reconcile;
mod run;

pub use analysis::protocol_files;
pub use driver::Opentrons;
