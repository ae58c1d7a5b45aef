//! Accounts, the roles granted to them, their sessions, and failed attempts to sign in.

pub mod accounts;
pub mod attempts;
pub mod grants;
pub mod projects;
pub mod sessions;
