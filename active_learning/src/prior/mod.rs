//! What other screens say before this one says anything.
//!
//! Out of many screens, some of them near repeats of each other, come for every gene: log-odds of being a
//! hit in one more screen ([`evidence`]), and a block of features that places the gene among all screens
//! ([`profile`]). Screens described as the one at hand is may count more than others ([`alike`]). Which screens may be used at all (no siblings of the one at hand) is the caller's to say.

mod alike;
pub mod calls;
pub mod evidence;
pub mod profile;
pub mod screens;
mod transfer;

pub use evidence::HitEvidence;
pub use screens::PriorScreens;
