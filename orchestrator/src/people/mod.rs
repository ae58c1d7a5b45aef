//! People: what a role opens, where, and how somebody proves to be who they say they are.
//!
//! Roles are granted per project (or everywhere) and stand for scopes, the words that routes are declared with.
//! A bearer token of a person never opens more than the person's roles do. Everything here is ruled by real time.
//!
//! Deliberately absent: SQL (in [`crate::store::people`]), roles by what a provider says of somebody (they are granted
//! here, by an administrator).

pub mod manage;
pub mod password;
pub mod powers;
pub mod role;
pub mod sign_in;
pub mod sign_on;

pub use powers::{Grant, Powers, Visible};
pub use role::Role;
