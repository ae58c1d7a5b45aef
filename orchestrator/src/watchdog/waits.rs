//! Every state of every machine that is not an end is a wait, and has an owner and a deadline. Exhaustive matches: a
//! new state does not compile without one; a test holds that ends, and only ends, have none.

use super::Owner;
use crate::batches::State as Batch;
use crate::calendar::state::State as Tick;
use crate::campaigns::state::State as Campaign;
use crate::models::state::State as Model;
use crate::notifications::delivery::State as Delivery;
use crate::notifications::state::State as Notification;
use crate::plates::State as Plate;
use crate::rounds::state::{Stage, State as Round};
use crate::store::instruments::InstrumentState as Instrument;
use jobs::state::State as Job;
use std::time::Duration;

/// A wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Whose turn it is.
    pub owner: Owner,
    pub deadline: Deadline,
}

/// When a wait has lasted too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// So much real time after it began.
    After(Duration),
    /// The row's own: what it is called.
    Own(&'static str),
    /// What it waits for has one: its jobs, its plates, its rounds.
    OfItsParts,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

const fn wait(owner: Owner, deadline: Deadline) -> Option<Wait> {
    Some(Wait { owner, deadline })
}

pub fn of_job(state: Job) -> Option<Wait> {
    match state {
        Job::Waiting => wait(Owner::Engine, Deadline::OfItsParts),
        Job::Ready => wait(Owner::Agent, Deadline::After(Duration::from_secs(10 * 60))),
        Job::Leased => wait(Owner::Agent, Deadline::After(Duration::from_secs(5 * 60))),
        // Heartbeats keep it; when they end, the lease runs out.
        Job::Running => wait(Owner::Agent, Deadline::After(DAY)),
        Job::Stopping => wait(Owner::Agent, Deadline::After(Duration::from_secs(5 * 60))),
        Job::InDoubt => wait(Owner::Operator, Deadline::After(HOUR)),
        Job::Succeeded | Job::Failed | Job::Cancelled | Job::PlateLost => None,
    }
}

pub fn of_round(state: Round) -> Option<Wait> {
    match state {
        Round::In(Stage::Proposing) => wait(Owner::Learner, Deadline::OfItsParts),
        Round::In(Stage::AwaitingApproval) => wait(Owner::Approvers, Deadline::Own("batch.expires_lab_at")),
        Round::In(Stage::Planning) => wait(Owner::Engine, Deadline::After(Duration::from_secs(5 * 60))),
        Round::In(Stage::Executing) => wait(Owner::Agent, Deadline::OfItsParts),
        Round::In(Stage::Assessing) => wait(Owner::Operator, Deadline::OfItsParts),
        Round::Held(_) => wait(Owner::Operator, Deadline::After(DAY)),
        Round::Closed | Round::Cancelled | Round::Failed => None,
    }
}

pub fn of_batch(state: Batch) -> Option<Wait> {
    match state {
        Batch::AwaitingApproval => wait(Owner::Approvers, Deadline::Own("batch.expires_lab_at")),
        Batch::Approved => wait(Owner::Engine, Deadline::After(Duration::from_secs(5 * 60))),
        // What becomes of it its plates say.
        Batch::Planned => None,
        Batch::Rejected | Batch::Withdrawn => None,
    }
}

pub fn of_plate(state: Plate) -> Option<Wait> {
    match state {
        Plate::Planned | Plate::Dispensing | Plate::Incubating | Plate::Reading => {
            wait(Owner::Agent, Deadline::OfItsParts)
        }
        Plate::Quarantined => wait(Owner::Operator, Deadline::After(DAY)),
        Plate::Passed | Plate::Released | Plate::Rejected | Plate::Lost | Plate::Cancelled => None,
    }
}

pub fn of_campaign(state: Campaign) -> Option<Wait> {
    match state {
        Campaign::Active => wait(Owner::Calendar, Deadline::OfItsParts),
        Campaign::Draining => wait(Owner::Engine, Deadline::OfItsParts),
        Campaign::Paused => wait(Owner::Operator, Deadline::After(Duration::from_secs(7 * 24 * 3600))),
        Campaign::Finished | Campaign::Cancelled => None,
    }
}

pub fn of_model(state: Model) -> Option<Wait> {
    match state {
        Model::Candidate => wait(Owner::Engine, Deadline::After(Duration::from_secs(30 * 60))),
        // It proposes until a better one comes: nothing is awaited.
        Model::Promoted | Model::Rejected | Model::Retired => None,
    }
}

pub fn of_tick(state: Tick) -> Option<Wait> {
    match state {
        Tick::Due => wait(Owner::Engine, Deadline::After(Duration::from_secs(15 * 60))),
        Tick::Waiting => wait(Owner::Calendar, Deadline::OfItsParts),
        Tick::Started | Tick::Skipped => None,
    }
}

pub fn of_notification(state: Notification) -> Option<Wait> {
    match state {
        Notification::Open => wait(Owner::Operator, Deadline::Own("notification.escalate_at")),
        Notification::Acknowledged => wait(Owner::Operator, Deadline::OfItsParts),
        Notification::Closed => None,
    }
}

pub fn of_delivery(state: Delivery) -> Option<Wait> {
    match state {
        Delivery::Pending { .. } => wait(Owner::Engine, Deadline::Own("delivery.next_try_at")),
        Delivery::Delivered | Delivery::Cancelled => None,
        // Given up, and said so: a person may order it again.
        Delivery::Dead => None,
    }
}

pub fn of_instrument(state: Instrument) -> Option<Wait> {
    match state {
        // Its agent's silence is its own topic.
        Instrument::InService => wait(Owner::Agent, Deadline::Own("settings.agent_lost_after")),
        Instrument::Draining => wait(Owner::Engine, Deadline::After(DAY)),
        Instrument::Maintenance => wait(Owner::Operator, Deadline::Own("instrument.back_lab_at")),
        Instrument::Retired => None,
    }
}

/// An open task.
pub const TASK: Wait = Wait { owner: Owner::Operator, deadline: Deadline::After(DAY) };
/// A blob on its way in parts: left alone for a day, it is cleared away.
pub const UPLOAD: Wait = Wait { owner: Owner::Engine, deadline: Deadline::Own("upload.touched_at") };
/// A settled job whose consequences are not drawn.
pub const SETTLEMENT: Wait =
    Wait { owner: Owner::Engine, deadline: Deadline::After(Duration::from_secs(5 * 60)) };
/// What somebody paused, and nobody resumed.
pub const HOLD: Wait = Wait { owner: Owner::Operator, deadline: Deadline::After(DAY) };
/// A job whose time has come and that is not ready.
pub const DUE: Wait = Wait { owner: Owner::Engine, deadline: Deadline::After(MINUTE) };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_that_is_no_end_has_an_owner_and_a_deadline() {
        for state in Job::ALL {
            assert_eq!(of_job(state).is_none(), state.is_terminal(), "{state:?}");
        }
        for state in Round::all() {
            assert_eq!(of_round(state).is_none(), state.is_terminal(), "{state:?}");
        }
        for state in Campaign::ALL {
            assert_eq!(of_campaign(state).is_none(), state.is_terminal(), "{state:?}");
        }
        for state in Plate::ALL {
            assert_eq!(of_plate(state).is_none(), state.is_terminal(), "{state:?}");
        }
        for state in Instrument::ALL {
            assert_eq!(of_instrument(state).is_none(), state == Instrument::Retired, "{state:?}");
        }
    }

    #[test]
    fn the_whole_table_is_as_agreed() {
        let mut lines = Vec::new();
        let mut line = |what: &str, state: String, wait: Option<Wait>| {
            let says =
                wait.map_or("an end".to_owned(), |it| format!("{}, {:?}", it.owner.as_str(), it.deadline));
            lines.push(format!("{what} {state}: {says}"));
        };
        Job::ALL.iter().for_each(|s| line("job", format!("{s:?}"), of_job(*s)));
        Round::all().iter().for_each(|s| line("round", format!("{s:?}"), of_round(*s)));
        Batch::ALL.iter().for_each(|s| line("batch", format!("{s:?}"), of_batch(*s)));
        Plate::ALL.iter().for_each(|s| line("plate", format!("{s:?}"), of_plate(*s)));
        Campaign::ALL.iter().for_each(|s| line("campaign", format!("{s:?}"), of_campaign(*s)));
        Model::ALL.iter().for_each(|s| line("model", format!("{s:?}"), of_model(*s)));
        Tick::ALL.iter().for_each(|s| line("tick", format!("{s:?}"), of_tick(*s)));
        Notification::ALL.iter().for_each(|s| line("notification", format!("{s:?}"), of_notification(*s)));
        Instrument::ALL.iter().for_each(|s| line("instrument", format!("{s:?}"), of_instrument(*s)));
        insta::assert_snapshot!(lines.join("\n"));
    }
}
