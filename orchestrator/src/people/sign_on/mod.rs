//! Signing on by the laboratory's identity provider: OpenID Connect, authorization code flow with PKCE.
//!
//! ```text
//! browser                        serve                          provider
//!   | POST /session/sign-on        |                                |
//!   |----------------------------->| discovery (kept an hour)       |
//!   |<- cookie, address -----------|------------------------------->|
//!   | goes there, signs in -------------------------------------- ->|
//!   |<- code, state -------------------------------------------------|
//!   | GET .. /callback             |                                |
//!   |----------------------------->| code and verifier for ID token |
//!   |                              |------------------------------->|
//!   |<- session's cookie, 303 -----| checked, linked, recorded      |
//! ```
//!
//! Reading order: what is configured ([`settings`]), what a browser is given to come back with ([`round_trip`]), what is
//! asked of the provider ([`provider`], [`fetch`], [`keys`]), what is believed of its answer ([`id_token`]), how a
//! browser comes back ([`come_back`]), whose account it arrives at ([`arrive`]), how accounts are made ready ([`account`]).
//!
//! Invariants: a round trip is used once, by the browser that began it, within ten minutes. An account is its owner's at
//! the provider by issuer and subject; an e-mail address counts once, for the account that awaits it, and only verified.
//! No token, code, secret or verifier is kept, logged or told.
//!
//! Deliberately absent: roles out of the provider's claims, signing out at the provider, refresh tokens (no token is
//! kept), more than one provider.

pub mod account;
pub mod arrive;
pub mod come_back;
pub mod fetch;
pub mod id_token;
pub mod keys;
pub mod provider;
pub mod refused;
pub mod round_trip;
pub mod settings;

pub use provider::{Patience, Provider};
pub use refused::Refused;
pub use settings::{Secret, Settings};
