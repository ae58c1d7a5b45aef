//! What is asserted of every state machine of the loop, in one piece. Only tests use it.

use std::fmt::Debug;

/// One line for each state and event that lead on: `state + event -> next`.
pub fn table<S: Copy + Debug, E: Copy + Debug, R>(
    states: &[S],
    events: &[E],
    next: impl Fn(S, E) -> Result<S, R>,
) -> String {
    let mut table = String::new();
    for &state in states {
        for &event in events {
            if let Ok(next) = next(state, event) {
                table += &format!("{state:?} + {event:?} -> {next:?}\n");
            }
        }
    }
    table
}

/// None of `ended` takes any event.
pub fn assert_over<S: Copy + Debug, E: Copy + Debug, R>(
    ended: impl IntoIterator<Item = S>,
    events: &[E],
    next: impl Fn(S, E) -> Result<S, R>,
) {
    let mut seen = 0;
    for state in ended {
        seen += 1;
        for &event in events {
            assert!(next(state, event).is_err(), "{state:?} takes {event:?}");
        }
    }
    assert!(seen > 0, "every machine of the loop comes to an end");
}

/// The word that a state is stored as reads back as that state, and another word as none.
pub fn assert_words_read_back<S: Copy + Debug + PartialEq>(
    states: &[S],
    write: impl Fn(S) -> &'static str,
    read: impl Fn(&str) -> Option<S>,
) {
    for &state in states {
        assert_eq!(read(write(state)), Some(state));
    }
    assert_eq!(read("nonsense"), None);
}
