//! What tests of the whole system stand on: laboratories in real processes, ways to hurt them, and a judge.
//!
//! ```text
//! laboratory   a demo in a folder of its own          scene    one that runs, is watched, and is killed in
//! api          the service, as an operator asks it    person   who decides what waits for somebody
//! live         until the campaign has finished        judge    by the bench's truth log: lost, repeated, broken
//! points       steps of all programs, to be armed     matrix   kills at each of them
//! walk         kills at random                        table    what became of it
//! proxy        a bad network                          clock    a wall clock that somebody sets
//! ```

pub mod api;
pub mod clock;
pub mod judge;
pub mod laboratory;
pub mod live;
pub mod matrix;
pub mod person;
pub mod points;
pub mod proxy;
pub mod scene;
pub mod table;
pub mod walk;
