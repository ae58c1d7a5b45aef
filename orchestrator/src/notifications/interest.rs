//! Whom a notification concerns: a channel's filters, as one pure predicate.

use super::{Severity, Topic};
use crate::ids::ProjectId;

/// What a channel wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Empty: every topic.
    pub topics: Vec<Topic>,
    pub minimum_severity: Severity,
    /// `None`: every project, and what belongs to none (instruments).
    pub project: Option<ProjectId>,
    /// 0: told at once; n: told with the n-th escalation.
    pub escalation_level: u32,
}

impl Interest {
    /// Whether to tell it of `topic` in `project`, opened (`escalation` 0) or escalated for the n-th time.
    pub fn covers(&self, topic: Topic, project: Option<ProjectId>, escalation: u32) -> bool {
        self.escalation_level == escalation
            && (self.topics.is_empty() || self.topics.contains(&topic))
            && topic.severity() >= self.minimum_severity
            && (self.project.is_none() || self.project == project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_filter_can_refuse_and_none_refuses_all() {
        let (mine, other) = (ProjectId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)));
        let any =
            Interest { topics: vec![], minimum_severity: Severity::Info, project: None, escalation_level: 0 };
        let cases = [
            (any.clone(), Topic::CampaignFinished, Some(mine), 0, true),
            (any.clone(), Topic::AgentLost, None, 0, true),
            (any.clone(), Topic::JobInDoubt, Some(mine), 1, false),
            (Interest { topics: vec![Topic::JobInDoubt], ..any.clone() }, Topic::JobInDoubt, None, 0, true),
            (Interest { topics: vec![Topic::JobInDoubt], ..any.clone() }, Topic::RoundHeld, None, 0, false),
            (
                Interest { minimum_severity: Severity::Warning, ..any.clone() },
                Topic::BatchWaiting,
                None,
                0,
                true,
            ),
            (
                Interest { minimum_severity: Severity::Critical, ..any.clone() },
                Topic::BatchWaiting,
                None,
                0,
                false,
            ),
            (Interest { project: Some(mine), ..any.clone() }, Topic::BatchWaiting, Some(mine), 0, true),
            (Interest { project: Some(mine), ..any.clone() }, Topic::BatchWaiting, Some(other), 0, false),
            (Interest { project: Some(mine), ..any.clone() }, Topic::AgentLost, None, 0, false),
            (Interest { escalation_level: 2, ..any.clone() }, Topic::JobInDoubt, Some(mine), 2, true),
            (Interest { escalation_level: 2, ..any }, Topic::JobInDoubt, Some(mine), 0, false),
        ];
        for (interest, topic, project, escalation, wanted) in cases {
            assert_eq!(
                interest.covers(topic, project, escalation),
                wanted,
                "{interest:?} {topic:?} {project:?} {escalation}"
            );
        }
    }
}
