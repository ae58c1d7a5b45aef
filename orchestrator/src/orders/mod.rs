//! What people may order of a campaign, a round, a job or an instrument: pause, drain, resume, cancel.
//!
//! - **pause**: nothing of it that has not begun begins; a physical step that has begun is brought to its end.
//! - **drain**: what is on its way is brought to its end, nothing new is entered; then it stands.
//! - **resume**: undoes both.
//! - **cancel**: what has not begun is cancelled, what runs is asked to stop at its next safe point.
//!
//! Pure tables say what each order means in each state ([`round::rule`], [`job::rule`], [`instrument::rule`]; a
//! campaign's is its machine, [`crate::campaigns::state`]). An order is answered with what it did: a repeat is a value.

pub mod instrument;
pub mod job;
pub mod round;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    Pause,
    Drain,
    Resume,
    Cancel,
}

impl Order {
    pub const ALL: [Order; 4] = [Order::Pause, Order::Drain, Order::Resume, Order::Cancel];

    pub fn as_str(self) -> &'static str {
        match self {
            Order::Pause => "pause",
            Order::Drain => "drain",
            Order::Resume => "resume",
            Order::Cancel => "cancel",
        }
    }
}

/// What an order means in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling<A> {
    Do(A),
    /// What is asked for is so.
    Already,
    /// It cannot be done, and why: a sentence that says what to do.
    Refused(&'static str),
}

/// One line for each state and order: `state + order -> ruling`. For snapshots.
#[cfg(test)]
pub(crate) fn table<S: std::fmt::Debug + Copy, A: std::fmt::Debug>(
    states: &[S],
    rule: impl Fn(S, Order) -> Ruling<A>,
) -> String {
    let mut lines = Vec::new();
    for &state in states {
        for order in Order::ALL {
            lines.push(format!("{state:?} + {} -> {:?}", order.as_str(), rule(state, order)));
        }
    }
    lines.join("\n")
}
