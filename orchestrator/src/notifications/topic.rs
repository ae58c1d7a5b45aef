//! What notifications are about, and how grave that is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// News: nothing waits.
    Info,
    /// Something waits for a person.
    Warning,
    /// Something stands still on the bench, or may be lost.
    Critical,
}

impl Severity {
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];

    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Topic {
    /// A batch waits for approval.
    #[serde(rename = "batch.waiting")]
    BatchWaiting,
    /// The time for approving a batch runs out.
    #[serde(rename = "approval.expiring")]
    ApprovalExpiring,
    /// Nobody knows how a physical step ended.
    #[serde(rename = "job.in_doubt")]
    JobInDoubt,
    /// A plate failed QC.
    #[serde(rename = "plate.quarantined")]
    PlateQuarantined,
    /// A round stands still.
    #[serde(rename = "round.held")]
    RoundHeld,
    /// An instrument in service has an agent that is silent.
    #[serde(rename = "agent.lost")]
    AgentLost,
    /// A campaign reached its end.
    #[serde(rename = "campaign.finished")]
    CampaignFinished,
    /// Robots are given no work until what they did in another life of the database is reconciled.
    #[serde(rename = "reconciliation.open")]
    ReconciliationOpen,
    /// Another task waits for a person; its cause says which.
    #[serde(rename = "task.waiting")]
    TaskWaiting,
    /// Something does not move, past its deadline.
    #[serde(rename = "standstill")]
    Standstill,
    /// The laboratory is stopped.
    #[serde(rename = "laboratory.stopped")]
    LaboratoryStopped,
}

impl Topic {
    pub const ALL: [Topic; 11] = [
        Topic::BatchWaiting,
        Topic::ApprovalExpiring,
        Topic::JobInDoubt,
        Topic::PlateQuarantined,
        Topic::RoundHeld,
        Topic::AgentLost,
        Topic::CampaignFinished,
        Topic::ReconciliationOpen,
        Topic::TaskWaiting,
        Topic::Standstill,
        Topic::LaboratoryStopped,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Topic::BatchWaiting => "batch.waiting",
            Topic::ApprovalExpiring => "approval.expiring",
            Topic::JobInDoubt => "job.in_doubt",
            Topic::PlateQuarantined => "plate.quarantined",
            Topic::RoundHeld => "round.held",
            Topic::AgentLost => "agent.lost",
            Topic::CampaignFinished => "campaign.finished",
            Topic::ReconciliationOpen => "reconciliation.open",
            Topic::TaskWaiting => "task.waiting",
            Topic::Standstill => "standstill",
            Topic::LaboratoryStopped => "laboratory.stopped",
        }
    }

    /// The topic of a task with this cause.
    pub fn of_task(cause: &str) -> Topic {
        match cause {
            "job.in_doubt" => Topic::JobInDoubt,
            "plate.quarantined" => Topic::PlateQuarantined,
            "round.held" => Topic::RoundHeld,
            "reconciliation.open" => Topic::ReconciliationOpen,
            "batch.plan_differs" => Topic::BatchWaiting,
            _ => Topic::TaskWaiting,
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Topic::CampaignFinished => Severity::Info,
            Topic::BatchWaiting | Topic::PlateQuarantined | Topic::TaskWaiting | Topic::Standstill => {
                Severity::Warning
            }
            Topic::ApprovalExpiring
            | Topic::JobInDoubt
            | Topic::RoundHeld
            | Topic::AgentLost
            | Topic::ReconciliationOpen => Severity::Critical,
            Topic::LaboratoryStopped => Severity::Critical,
        }
    }

    /// News has no cause that could go away: acknowledging closes it, and it is not escalated.
    pub fn is_news(self) -> bool {
        self == Topic::CampaignFinished
    }

    /// A heading for people.
    pub fn title(self) -> &'static str {
        match self {
            Topic::BatchWaiting => "A batch waits for approval",
            Topic::ApprovalExpiring => "The time to approve a batch runs out",
            Topic::JobInDoubt => "A job is in doubt",
            Topic::PlateQuarantined => "A plate is quarantined",
            Topic::RoundHeld => "A round is held",
            Topic::AgentLost => "An agent is lost",
            Topic::CampaignFinished => "A campaign is finished",
            Topic::ReconciliationOpen => "Robots stand still until a reconciliation is closed",
            Topic::TaskWaiting => "Something waits for you",
            Topic::Standstill => "Something does not move",
            Topic::LaboratoryStopped => "The laboratory is stopped",
        }
    }
}

/// A word that names no topic.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a topic")]
pub struct NotATopic(String);

impl std::str::FromStr for Topic {
    type Err = NotATopic;
    fn from_str(word: &str) -> Result<Self, NotATopic> {
        Topic::ALL.into_iter().find(|topic| topic.as_str() == word).ok_or_else(|| NotATopic(word.to_owned()))
    }
}

/// A word that names no severity.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a severity")]
pub struct NotASeverity(String);

impl std::str::FromStr for Severity {
    type Err = NotASeverity;
    fn from_str(word: &str) -> Result<Self, NotASeverity> {
        let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
        found.ok_or_else(|| NotASeverity(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_word_is_the_same_in_sql_and_json() {
        for topic in Topic::ALL {
            assert_eq!(json!(topic), json!(topic.as_str()));
            assert_eq!(topic.as_str().parse::<Topic>().expect("known"), topic);
        }
        for severity in Severity::ALL {
            assert_eq!(json!(severity), json!(severity.as_str()));
            assert_eq!(severity.as_str().parse::<Severity>().expect("known"), severity);
        }
    }

    #[test]
    fn only_what_nobody_can_act_on_is_news() {
        for topic in Topic::ALL {
            assert_eq!(topic.is_news(), topic.severity() == Severity::Info, "{topic:?}");
        }
    }
}
