//! What an event of the record means for notifications: a pure function, one line an event.

use super::Topic;
use crate::store::outbox::TOLD;
use serde_json::Value;

/// An event, as the outbox tells it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// `BatchProposed`.
    pub kind: &'a str,
    pub subject: &'a str,
    pub subject_id: &'a str,
    pub body: &'a Value,
}

/// What is to be done with notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Unless one is open for the same cause and subject.
    Open(Opening),
    /// Each open one of these causes.
    Close { causes: Vec<String>, subject_id: String },
}

/// A notification to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub topic: Topic,
    /// The topic's word, or the cause of the task.
    pub cause: String,
    /// What happened and what to do, in a sentence or two.
    pub message: String,
    /// `batch`, `job`, `instrument`.
    pub subject: String,
    pub subject_id: String,
}

/// Longest message kept and told, in characters.
const LONGEST_MESSAGE: usize = 2_000;

/// What the event asks for; most ask for nothing, and only the kinds of [`TOLD`] come here at all.
pub fn command(told: Told<'_>) -> Option<Command> {
    if !TOLD.contains(&told.kind) {
        return None;
    }
    match told.kind {
        "BatchProposed" => Some(open(told, Topic::BatchWaiting, batch_waits(told.body))),
        "BatchApprovalExpiring" => Some(open(told, Topic::ApprovalExpiring, approval_expires(told.body))),
        "BatchApproved" => Some(close(told, &[Topic::BatchWaiting, Topic::ApprovalExpiring])),
        "BatchApprovalExpired" => Some(close(told, &[Topic::ApprovalExpiring])),
        "BatchRejected" | "BatchWithdrawn" => {
            let mut causes = words(&[Topic::BatchWaiting, Topic::ApprovalExpiring]);
            causes.push(crate::batches::PLAN_DIFFERS_TASK.to_owned());
            Some(Command::Close { causes, subject_id: told.subject_id.to_owned() })
        }
        "CampaignFinished" => Some(open(told, Topic::CampaignFinished, campaign_finished(told.body))),
        "AgentLost" => Some(open(told, Topic::AgentLost, agent_lost(told))),
        "AgentBack" => Some(close(told, &[Topic::AgentLost])),
        "StandstillBegan" => Some(open(told, Topic::Standstill, stands_still(told))),
        "StandstillEnded" => Some(close(told, &[Topic::Standstill])),
        "LaboratoryStopped" => Some(open(told, Topic::LaboratoryStopped, laboratory_stopped(told.body))),
        "LaboratoryResumed" => Some(close(told, &[Topic::LaboratoryStopped])),
        "TaskOpened" => task(told.body, |cause, message, subject, subject_id| {
            Command::Open(Opening {
                topic: Topic::of_task(&cause),
                cause,
                message: cut(&message),
                subject,
                subject_id,
            })
        }),
        "TaskClosed" => {
            task(told.body, |cause, _, _, subject_id| Command::Close { causes: vec![cause], subject_id })
        }
        _ => None,
    }
}

fn open(told: Told<'_>, topic: Topic, message: String) -> Command {
    Command::Open(Opening {
        topic,
        cause: topic.as_str().to_owned(),
        message: cut(&message),
        subject: told.subject.to_owned(),
        subject_id: told.subject_id.to_owned(),
    })
}

fn close(told: Told<'_>, topics: &[Topic]) -> Command {
    Command::Close { causes: words(topics), subject_id: told.subject_id.to_owned() }
}

fn words(topics: &[Topic]) -> Vec<String> {
    topics.iter().map(|topic| topic.as_str().to_owned()).collect()
}

/// The notification of a task is about what the task is about.
fn task(body: &Value, of: impl FnOnce(String, String, String, String) -> Command) -> Option<Command> {
    let word = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(of(word("cause")?, word("message")?, word("subject")?, word("subject_id")?))
}

fn batch_waits(body: &Value) -> String {
    let size = match body.get("experiments").and_then(Value::as_u64) {
        Some(1) => "A batch of 1 experiment".to_owned(),
        Some(size) => format!("A batch of {size} experiments"),
        None => "A batch".to_owned(),
    };
    let again = match body.get("generation").and_then(Value::as_u64) {
        Some(generation) if generation > 1 => format!(" (proposed anew, generation {generation})"),
        _ => String::new(),
    };
    format!("{size}{again} waits for approval. Look at it, then approve or reject it.")
}

fn approval_expires(body: &Value) -> String {
    let when = body.get("expires_lab_at").and_then(Value::as_str);
    let when = when.map(|at| format!(" at {at} (laboratory time)")).unwrap_or_default();
    format!("A batch still waits for approval, and its time runs out{when}. Approve or reject it before.")
}

fn campaign_finished(body: &Value) -> String {
    match body.get("reason").and_then(Value::as_str) {
        Some(reason) => {
            format!("It is finished: {reason}. `loopwright results export` writes what it found.")
        }
        None => "It is finished. `loopwright results export` writes what it found.".to_owned(),
    }
}

fn agent_lost(told: Told<'_>) -> String {
    let since = told.body.get("last_seen_at").and_then(Value::as_str);
    let since = since.map(|at| format!(" since {at}")).unwrap_or_default();
    format!(
        "The agent of {} has been silent{since}, and the instrument is in service. Look at the agent's process \
         and network, or take the instrument out of service (`loopwright instrument set {} maintenance`).",
        told.subject_id, told.subject_id
    )
}

fn stands_still(told: Told<'_>) -> String {
    let word = |name: &str| told.body.get(name).and_then(Value::as_str).unwrap_or_default();
    let sentence = format!(
        "A {} is {} since {}, longer than it should be: {}. {}",
        told.subject,
        word("state").replace('_', " "),
        word("since"),
        word("why").trim_end_matches('.'),
        word("to_do")
    );
    sentence.trim_end().to_owned()
}

fn laboratory_stopped(body: &Value) -> String {
    let reason = body.get("reason").and_then(Value::as_str).unwrap_or("no reason was given");
    format!(
        "The laboratory is stopped: {reason}. `loopwright laboratory` says which agents have confirmed; \
         `loopwright resume-all` lets it go on."
    )
}

fn cut(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(kind: &str, subject: &str, subject_id: &str, body: &Value) -> Option<Command> {
        command(Told { kind, subject, subject_id, body })
    }

    fn opened(kind: &str, subject: &str, body: &Value) -> (Topic, String) {
        match of(kind, subject, "it", body) {
            Some(Command::Open(opening)) => (opening.topic, opening.message),
            other => panic!("{kind} opens a notification, not {other:?}"),
        }
    }

    #[test]
    fn what_waits_for_people_opens_with_a_sentence_that_says_what_to_do() {
        let cases = [
            ("BatchProposed", "batch", json!({"experiments": 12, "generation": 1})),
            ("BatchProposed", "batch", json!({"experiments": 1, "generation": 2})),
            ("BatchApprovalExpiring", "batch", json!({"expires_lab_at": "2026-01-06T08:00:00Z"})),
            ("CampaignFinished", "campaign", json!({"reason": "the budget of 3 rounds is spent"})),
            ("AgentLost", "instrument", json!({"last_seen_at": "2026-01-05T08:00:00Z"})),
            (
                "StandstillBegan",
                "job",
                json!({"state": "ready", "since": "2026-01-05T08:00:00Z", "why": "reader-1 in maintenance",
                       "to_do": "Put it back into service."}),
            ),
            ("LaboratoryStopped", "laboratory", json!({"reason": "a smell of smoke"})),
        ];
        let table: Vec<String> = cases
            .iter()
            .map(|(kind, subject, body)| {
                let (topic, message) = opened(kind, subject, body);
                format!("{kind} -> {}: {message}", topic.as_str())
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn what_ends_the_wait_closes_by_cause() {
        let closes = |kind| match of(kind, "batch", "b1", &json!({})) {
            Some(Command::Close { causes, subject_id }) => {
                assert_eq!(subject_id, "b1");
                causes
            }
            other => panic!("{kind} closes, not {other:?}"),
        };
        assert_eq!(closes("BatchApproved"), ["batch.waiting", "approval.expiring"]);
        assert_eq!(closes("BatchApprovalExpired"), ["approval.expiring"], "it still waits, in a held round");
        for kind in ["BatchRejected", "BatchWithdrawn"] {
            assert_eq!(closes(kind), ["batch.waiting", "approval.expiring", "batch.plan_differs"]);
        }
        assert_eq!(closes("AgentBack"), ["agent.lost"]);
        assert_eq!(closes("StandstillEnded"), ["standstill"]);
        assert_eq!(closes("LaboratoryResumed"), ["laboratory.stopped"]);
    }

    #[test]
    fn a_task_is_told_under_its_own_cause_and_subject() {
        let body =
            |cause: &str| json!({"cause": cause, "message": "Look.", "subject": "plate", "subject_id": "p1"});
        for (cause, topic) in [
            ("job.in_doubt", Topic::JobInDoubt),
            ("plate.quarantined", Topic::PlateQuarantined),
            ("round.held", Topic::RoundHeld),
            ("batch.plan_differs", Topic::BatchWaiting),
            ("model.rejected", Topic::TaskWaiting),
        ] {
            let wanted = Opening {
                topic,
                cause: cause.into(),
                message: "Look.".into(),
                subject: "plate".into(),
                subject_id: "p1".into(),
            };
            assert_eq!(of("TaskOpened", "task", "t1", &body(cause)), Some(Command::Open(wanted)));
            let closes = Command::Close { causes: vec![cause.into()], subject_id: "p1".into() };
            assert_eq!(of("TaskClosed", "task", "t1", &body(cause)), Some(closes));
        }
    }

    #[test]
    fn other_events_and_broken_bodies_ask_for_nothing() {
        for kind in ["JobSucceeded", "RoundClosed", "BatchEdited", "NotificationOpened", ""] {
            assert_eq!(of(kind, "round", "r1", &json!({})), None, "{kind}");
        }
        assert_eq!(of("TaskOpened", "task", "t1", &json!({"cause": "x"})), None);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let body = json!({"cause": "x", "message": "ä".repeat(5_000), "subject": "s", "subject_id": "1"});
        let (_, message) = opened("TaskOpened", "task", &body);
        assert_eq!(message.chars().count(), LONGEST_MESSAGE + 1);
    }
}
