//! Accounts, who they are at the provider, the roles granted to them, their sessions, and attempts to sign in.

pub mod accounts;
pub mod attempts;
pub mod grants;
pub mod identities;
pub mod pending;
pub mod projects;
pub mod sessions;
