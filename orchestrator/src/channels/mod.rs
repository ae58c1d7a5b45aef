//! The ways out to people: where we may connect ([`address`]), how secrets are kept ([`key`]), and sending by
//! HTTP ([`post`]), SMTP ([`mail`]) and by a channel's kind ([`send`]).
//!
//! Invariants: nothing is sent while a transaction is open; a redirect is never followed; what a receiver
//! answers is never read or kept, only its status; no secret is in an error, a log line or a `Debug`.
//!
//! Deliberately absent: what is told (in [`crate::notifications`]), when it is tried again (in the engine).

pub mod address;
pub mod key;
pub mod kind;
pub mod mail;
pub mod post;
pub mod send;

pub use address::Rules;
pub use key::Key;
pub use kind::Kind;
pub use mail::Mail;
pub use send::{Destination, Failure, Sender, Sent};
