//! Whether a batch goes without people, by its policy. Pure.

use crate::campaigns::policy::Policy;
use crate::planning::PlanSummary;

/// What the policy says of a batch whose plan is drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutoApproval {
    /// People approve all batches of this campaign.
    Off,
    Approves,
    /// This one is for people, and why.
    AsksPeople {
        because: String,
    },
}

impl AutoApproval {
    /// `edited`: people changed what was proposed; what they chose, people approve.
    pub fn of(policy: &Policy, summary: &PlanSummary, edited: bool) -> Self {
        if !policy.auto_approve {
            return AutoApproval::Off;
        }
        let mut because = Vec::new();
        if edited {
            because.push("people edited it".to_owned());
        }
        let limit = policy.auto_approve_limit.unwrap_or_default();
        if let Some(most) = limit.experiments.filter(|most| summary.experiments > *most) {
            because.push(format!("{} experiments are more than {most}", summary.experiments));
        }
        if let Some(most) = limit.plates.filter(|most| summary.plates > *most) {
            because.push(format!("{} plates are more than {most}", summary.plates));
        }
        if let Some(most) = limit.cost {
            match &summary.cost {
                Some(cost) if cost.amount <= most => {}
                Some(cost) => because.push(format!("{cost} is more than {most:.2} {}", cost.currency)),
                None => because.push("its cost is not known".to_owned()),
            }
        }
        if because.is_empty() {
            return AutoApproval::Approves;
        }
        let because = format!("The policy does not approve it by itself: {}.", because.join("; "));
        AutoApproval::AsksPeople { because }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::cost::Money;
    use crate::campaigns::policy::AutoApproveLimit;

    fn summary(experiments: u32, plates: u32, cost: Option<f64>) -> PlanSummary {
        let cost = cost.map(|amount| Money { amount, currency: "EUR".into() });
        PlanSummary { experiments, plates, cost, ..PlanSummary::default() }
    }

    #[test]
    fn beyond_a_limit_people_are_asked_and_told_why() {
        let limit = AutoApproveLimit { experiments: Some(100), plates: Some(2), cost: Some(500.0) };
        let policy = Policy { auto_approve: true, auto_approve_limit: Some(limit), ..Policy::default() };
        let ask = |summary: &PlanSummary, edited| match AutoApproval::of(&policy, summary, edited) {
            AutoApproval::AsksPeople { because } => because,
            other => format!("{other:?}"),
        };
        assert_eq!(ask(&summary(100, 2, Some(500.0)), false), "Approves", "a limit may be reached");
        let why = |what: &str| format!("The policy does not approve it by itself: {what}.");
        assert_eq!(ask(&summary(101, 2, Some(1.0)), false), why("101 experiments are more than 100"));
        assert_eq!(
            ask(&summary(1, 3, Some(500.01)), false),
            why("3 plates are more than 2; 500.01 EUR is more than 500.00 EUR")
        );
        assert_eq!(ask(&summary(1, 1, None), false), why("its cost is not known"));
        assert_eq!(ask(&summary(1, 1, Some(1.0)), true), why("people edited it"));
    }

    #[test]
    fn without_a_limit_everything_goes_and_switched_off_nothing() {
        let policy = Policy { auto_approve: true, ..Policy::default() };
        assert_eq!(AutoApproval::of(&policy, &summary(9, 9, None), false), AutoApproval::Approves);
        assert_eq!(AutoApproval::of(&Policy::default(), &summary(1, 1, None), false), AutoApproval::Off);
    }
}
