//! The whole state x event table, so that no transition changes unseen.

use jobs::state::{Event, State};

const EVENTS: [Event; 17] = [
    Event::BecameReady,
    Event::BecameImpossible,
    Event::Leased,
    Event::Started,
    Event::Released,
    Event::LeaseExpired { repeatable: true },
    Event::LeaseExpired { repeatable: false },
    Event::StopRequested,
    Event::ReportedSucceeded,
    Event::ReportedFailed { retry: true },
    Event::ReportedFailed { retry: false },
    Event::ReportedStopped,
    Event::ReportedUnknown,
    Event::ReportedFromLostLife,
    Event::ResolvedDone,
    Event::ResolvedNotDone,
    Event::ResolvedPlateLost,
];

#[test]
fn the_whole_table_is_as_it_was_agreed() {
    let mut table = String::new();
    for state in State::ALL {
        table.push_str(&format!("{}\n", state.as_str()));
        for event in EVENTS {
            let next = state.next(event).map_or("-", State::as_str);
            table.push_str(&format!("    {:<38} {next}\n", format!("{event:?}")));
        }
    }
    insta::assert_snapshot!("state_table", table);
}

#[test]
fn nothing_happens_to_a_job_that_is_over() {
    for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
        for event in EVENTS {
            assert!(state.next(event).is_err(), "{state:?} takes {event:?}");
        }
    }
}

#[test]
fn a_physical_step_that_fell_silent_is_never_ready_again() {
    let silence = Event::LeaseExpired { repeatable: false };
    for state in [State::Running, State::Stopping] {
        assert_eq!(state.next(silence), Ok(State::InDoubt));
    }
    for event in EVENTS {
        assert_ne!(State::InDoubt.next(event), Ok(State::Ready), "{event:?}");
        assert_ne!(State::InDoubt.next(event), Ok(State::Leased), "{event:?}");
    }
}

#[test]
fn every_state_is_spelt_in_json_as_in_sql() {
    for state in State::ALL {
        let json = serde_json::to_value(state).unwrap();
        assert_eq!(json, state.as_str());
    }
}
