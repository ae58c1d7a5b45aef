//! Why a round or a campaign does not move. Pure.

use super::reason::{Owner, Reason, at};
use crate::campaigns::state::State as CampaignState;
use crate::rounds::state::{Stage, State};
use crate::store::holds::{Hold, Manner};
use chrono::{DateTime, Utc};

/// What says why a round is where it is.
#[derive(Clone, Debug)]
pub struct Facts {
    pub state: State,
    /// Code and words of a held round.
    pub why: Option<(String, String)>,
    pub hold: Option<Hold>,
    /// The campaign is paused or drains: who, why.
    pub campaign_hold: Option<Hold>,
    /// When it entered its stage (real time).
    pub since: Option<DateTime<Utc>>,
    /// The waiting batch's time (laboratory time).
    pub expires_lab_at: Option<DateTime<Utc>>,
    /// What the policy still asks for: "1 more approval".
    pub approvals_missing: Option<String>,
    pub quarantined: Vec<String>,
    /// What its jobs wait for; the jobs' own words.
    pub jobs: Vec<Reason>,
}

/// Why it does not move; empty when it is over.
pub fn explain(facts: &Facts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if facts.state.is_terminal() {
        return reasons;
    }
    if let Some(hold) = &facts.campaign_hold
        && hold.manner == Manner::Pause
    {
        let words = format!("its campaign is paused, by {}: {}", hold.by, hold.reason);
        let to_do = "`loopwright campaign resume` when that is dealt with.";
        reasons.push(
            Reason::new("round.campaign_paused", Owner::Operator, words).to_do(to_do).since(hold.since),
        );
    }
    if let Some(hold) = &facts.hold {
        let (code, how) = match hold.manner {
            Manner::Pause => ("round.paused", "is paused"),
            Manner::Drain => ("round.draining", "drains: plates that have begun go to their end"),
        };
        let words = format!("it {how}, by {}: {}", hold.by, hold.reason);
        let to_do = "`loopwright round resume` when that is dealt with.";
        reasons.push(Reason::new(code, Owner::Operator, words).to_do(to_do).since(hold.since));
    }
    match facts.state {
        State::Held(_) if facts.hold.is_none() => {
            let (code, words) = facts.why.clone().unwrap_or_default();
            let words = format!("it is held ({code}): {words}");
            let to_do = "Deal with it, then `loopwright round resume`.";
            reasons.push(Reason::new("round.held", Owner::Operator, words).to_do(to_do).since(facts.since));
        }
        State::In(Stage::AwaitingApproval) => reasons.push(approval(facts)),
        State::In(Stage::Planning) => {
            let words = "the approved batch becomes plates and jobs";
            reasons.push(Reason::new("round.planning", Owner::Engine, words).since(facts.since));
        }
        State::In(Stage::Assessing) if !facts.quarantined.is_empty() => {
            let words = format!("plates that failed QC wait for a person: {}", facts.quarantined.join(", "));
            let to_do = "Release, repeat or give up each: `loopwright plate`.";
            reasons.push(
                Reason::new("round.quarantine", Owner::Operator, words).to_do(to_do).since(facts.since),
            );
        }
        _ => {}
    }
    reasons.extend(facts.jobs.iter().cloned());
    if reasons.is_empty() {
        let words = format!("the service moves it on from {}", facts.state.as_str());
        let to_do = "That takes seconds while `loopwright serve` runs: is it running?";
        reasons.push(Reason::new("round.moving", Owner::Engine, words).to_do(to_do).since(facts.since));
    }
    reasons
}

fn approval(facts: &Facts) -> Reason {
    let missing = facts.approvals_missing.as_deref().unwrap_or("approval");
    let until =
        facts.expires_lab_at.map(|at_| format!("; its time is over at {}", at(at_))).unwrap_or_default();
    let words = format!("its batch waits for {missing}{until}");
    let to_do = "Approve or reject it: `loopwright batch`.";
    Reason::new("round.waits_for_approval", Owner::Approvers, words).to_do(to_do).since(facts.since)
}

/// What says why a campaign is where it is.
#[derive(Clone, Debug)]
pub struct CampaignFacts {
    pub state: CampaignState,
    pub hold: Option<Hold>,
    /// What its live rounds wait for, by number.
    pub rounds: Vec<(u32, Vec<Reason>)>,
    /// What its open jobs outside of rounds wait for (training).
    pub jobs: Vec<Reason>,
    /// Why its waiting tick waits.
    pub tick: Option<String>,
    /// When its next round begins, if the calendar knows.
    pub next_lab_at: Option<DateTime<Utc>>,
}

/// Why it does not move; empty when it is over.
pub fn explain_campaign(facts: &CampaignFacts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if facts.state.is_terminal() {
        return reasons;
    }
    if let Some(hold) = &facts.hold {
        let (code, how) = match hold.manner {
            Manner::Pause => ("campaign.paused", "is paused"),
            Manner::Drain => ("campaign.draining", "drains: its live round goes to its end"),
        };
        let words = format!("it {how}, by {}: {}", hold.by, hold.reason);
        let to_do = "`loopwright campaign resume` when that is dealt with.";
        reasons.push(Reason::new(code, Owner::Operator, words).to_do(to_do).since(hold.since));
    }
    for (number, of_round) in &facts.rounds {
        for reason in of_round {
            reasons.push(Reason { words: format!("round {number}: {}", reason.words), ..reason.clone() });
        }
    }
    reasons.extend(facts.jobs.iter().cloned());
    if let Some(tick) = &facts.tick {
        reasons.push(Reason::new(
            "campaign.tick_waits",
            Owner::Calendar,
            format!("its next round waits: {tick}"),
        ));
    }
    if reasons.is_empty() {
        let words = match facts.next_lab_at {
            Some(next) => format!("its next round begins at {} (laboratory time)", at(next)),
            None => "a round begins when a person begins it".to_owned(),
        };
        reasons.push(Reason::new("campaign.idle", Owner::Calendar, words));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(state: State) -> Facts {
        Facts {
            state,
            why: None,
            hold: None,
            campaign_hold: None,
            since: None,
            expires_lab_at: None,
            approvals_missing: None,
            quarantined: Vec::new(),
            jobs: Vec::new(),
        }
    }

    #[test]
    fn whatever_has_not_ended_has_a_reason_and_what_has_ended_has_none() {
        for state in State::all() {
            assert_eq!(explain(&facts(state)).is_empty(), state.is_terminal(), "{state:?}");
        }
        for state in CampaignState::ALL {
            let facts = CampaignFacts {
                state,
                hold: None,
                rounds: Vec::new(),
                jobs: Vec::new(),
                tick: None,
                next_lab_at: None,
            };
            assert_eq!(explain_campaign(&facts).is_empty(), state.is_terminal(), "{state:?}");
        }
    }
}
