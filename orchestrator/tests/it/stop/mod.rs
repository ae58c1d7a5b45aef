//! Stop means stop: every order from every state, what a pause and a drain leave going, and the stop of the whole
//! laboratory with agents that confirm.

mod agents;
mod laboratory;
pub mod orders;
mod rounds;
