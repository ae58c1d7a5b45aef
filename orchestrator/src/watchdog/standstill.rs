//! What is past its deadline. Pure.

use super::waits::{self, Deadline, Wait};
use super::{Owner, Reason};
use crate::ids::CampaignId;
use crate::store::instruments::InstrumentState;
use chrono::{DateTime, Utc};
use jobs::state::State as Job;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What may stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StandstillSubject)]
pub enum Subject {
    Campaign,
    Round,
    Batch,
    Job,
    Model,
    Instrument,
}

impl Subject {
    pub const ALL: [Subject; 6] = [
        Subject::Campaign,
        Subject::Round,
        Subject::Batch,
        Subject::Job,
        Subject::Model,
        Subject::Instrument,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Subject::Campaign => "campaign",
            Subject::Round => "round",
            Subject::Batch => "batch",
            Subject::Job => "job",
            Subject::Model => "model",
            Subject::Instrument => "instrument",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == word)
    }
}

/// Something that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub subject: Subject,
    pub id: String,
    /// Its state's word.
    pub state: String,
    pub campaign_id: Option<CampaignId>,
    /// Real time.
    pub since: DateTime<Utc>,
    pub own_deadline_passed: bool,
    /// A person holds it, or the laboratory is stopped, or it is to be tried again later: it waits on purpose.
    pub held: bool,
    /// A task asks a person to look at it. One that the engine holds has one; one that a person paused or drained has none.
    pub has_task: bool,
}

/// Something past its deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Standstill {
    pub subject: Subject,
    pub id: String,
    pub state: String,
    pub campaign_id: Option<CampaignId>,
    pub owner: Owner,
    /// Since when it waits (real time).
    pub since: DateTime<Utc>,
    /// Why it does not move, the weightiest first.
    pub reasons: Vec<Reason>,
    /// People are told of it by a notification of its own topic (a job in doubt, a held round): not once more.
    pub told_otherwise: bool,
}

impl Standstill {
    /// In a sentence or two.
    pub fn in_words(&self) -> String {
        let (why, to_do) = match self.reasons.first() {
            Some(reason) => (reason.words.as_str(), reason.to_do.as_str()),
            None => ("nobody knows why", ""),
        };
        let since = super::reason::at(self.since);
        format!("{} {} is {} since {since}: {why}. {to_do}", self.subject.as_str(), self.id, self.state)
            .trim_end()
            .to_owned()
    }
}

/// The wait that the words of subject and state stand for.
pub fn wait_of(waiting: &Waiting) -> Option<Wait> {
    let word = waiting.state.as_str();
    if waiting.held && waiting.subject != Subject::Instrument {
        return Some(waits::HOLD);
    }
    match waiting.subject {
        Subject::Job if word == "waiting" => Some(waits::DUE),
        Subject::Job => Job::ALL.into_iter().find(|it| it.as_str() == word).and_then(waits::of_job),
        Subject::Round => {
            let all = crate::rounds::State::all();
            all.into_iter().find(|it| it.as_str() == word).and_then(waits::of_round)
        }
        Subject::Batch => {
            let all = crate::batches::State::ALL;
            all.into_iter().find(|it| it.as_str() == word).and_then(waits::of_batch)
        }
        Subject::Campaign => {
            let all = crate::campaigns::state::State::ALL;
            all.into_iter().find(|it| it.as_str() == word).and_then(waits::of_campaign)
        }
        Subject::Model => {
            let all = crate::models::state::State::ALL;
            all.into_iter().find(|it| it.as_str() == word).and_then(waits::of_model)
        }
        Subject::Instrument => {
            InstrumentState::ALL.into_iter().find(|it| it.as_str() == word).and_then(waits::of_instrument)
        }
    }
}

/// Whose turn it is, when it has waited longer than it may.
pub fn judge(waiting: &Waiting, now: DateTime<Utc>) -> Option<Owner> {
    let wait = wait_of(waiting)?;
    let past = match wait.deadline {
        Deadline::After(limit) => (now - waiting.since).to_std().is_ok_and(|waited| waited > limit),
        Deadline::Own(_) => waiting.own_deadline_passed,
        Deadline::OfItsParts => false,
    };
    past.then_some(wait.owner)
}

/// Whether a notification of another topic tells of it.
pub fn is_told_otherwise(waiting: &Waiting) -> bool {
    match waiting.subject {
        Subject::Job => waiting.state == "in_doubt",
        Subject::Round => waiting.has_task,
        Subject::Batch => waiting.state == "awaiting_approval",
        Subject::Campaign | Subject::Model | Subject::Instrument => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn waiting(subject: Subject, state: &str) -> Waiting {
        Waiting {
            subject,
            id: "it".into(),
            state: state.into(),
            campaign_id: None,
            since: now(),
            own_deadline_passed: false,
            held: false,
            has_task: false,
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-03-02T12:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn a_ready_job_stands_still_after_its_deadline_and_not_before() {
        let job = waiting(Subject::Job, "ready");
        assert_eq!(judge(&job, now() + Duration::minutes(9)), None);
        assert_eq!(judge(&job, now() + Duration::minutes(11)), Some(Owner::Agent));
        let held = Waiting { held: true, ..job };
        assert_eq!(judge(&held, now() + Duration::hours(1)), None, "somebody wants it so, for a day");
        assert_eq!(judge(&held, now() + Duration::hours(25)), Some(Owner::Operator));
    }

    #[test]
    fn what_has_a_deadline_of_its_own_goes_by_that() {
        let reader = waiting(Subject::Instrument, "maintenance");
        assert_eq!(judge(&reader, now() + Duration::days(9)), None, "nobody said until when");
        let late = Waiting { own_deadline_passed: true, ..reader };
        assert_eq!(judge(&late, now()), Some(Owner::Operator));
    }

    #[test]
    fn a_held_round_is_told_otherwise_only_where_a_task_asks_about_it() {
        let paused = Waiting { held: true, ..waiting(Subject::Round, "held") };
        assert_eq!(judge(&paused, now() + Duration::hours(25)), Some(Owner::Operator));
        assert!(!is_told_otherwise(&paused), "whoever paused it may have forgotten it");
        assert!(is_told_otherwise(&Waiting { has_task: true, ..paused }));
    }

    #[test]
    fn an_unknown_word_is_no_standstill() {
        for subject in Subject::ALL {
            assert_eq!(judge(&waiting(subject, "nonsense"), now() + Duration::days(99)), None);
        }
    }
}
