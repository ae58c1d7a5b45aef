//! The calendar: when rounds begin. Pure: no clock, no SQL.
//!
//! ```text
//! schedule of the file -> Rule: nominal ticks (wall clock of a zone, then the instant)      [rule, cron, zone]
//!                      -> due instants (blackouts shift or skip)                            [blackouts, tick]
//!                      -> judged when due: started, waiting, skipped, each once             [judge, state]
//! everything due soon  -> the weekly view: what happens when, what it needs, what fits not  [week]
//! ```
//!
//! A cron expression is evaluated on wall-clock time, with UTC standing for local time, and the wall time is
//! then mapped to its instant: the crate is wrong at daylight saving when it is given a zone. A wall time that
//! a change of clocks leaves out happens when the clocks have changed; one that comes twice, the first time.
//! Both keep the order, so ticks are strictly increasing.
//!
//! Every instant here is laboratory time.

pub mod blackouts;
pub mod cron;
pub mod judge;
pub mod moment;
pub mod rule;
pub mod state;
pub mod tick;
pub mod week;
pub mod zone;

pub use blackouts::{Blackouts, Window};
pub use cron::Cron;
pub use moment::Moment;
pub use rule::{Beat, Rule};
pub use state::State;
pub use tick::{Nominal, Tick};
pub use zone::Zone;
