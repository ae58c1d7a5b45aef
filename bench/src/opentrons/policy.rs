//! `PUT /runs/{id}/errorRecoveryPolicy`: what to do with which error. Without a rule, an error that the
//! vendor defines makes the run wait for a person, for ever.

use super::answer::{Data, Problem, data};
use super::failure::ErrorOccurrence;
use super::robot::Robot;
use axum::extract::{Path, State};
use axum::routing::put;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    match_criteria: MatchCriteria,
    if_match: Reaction,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MatchCriteria {
    command: CommandMatcher,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommandMatcher {
    command_type: String,
    error: ErrorMatcher,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorMatcher {
    error_type: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reaction {
    FailRun,
    WaitForRecovery,
    IgnoreAndContinue,
}

/// The reaction to `error` of a `command_type`: the first rule that matches; without one, wait where
/// the error is a defined one, fail otherwise.
pub fn reaction(rules: &[Rule], command_type: &str, error: &ErrorOccurrence) -> Reaction {
    if !error.is_defined {
        return Reaction::FailRun;
    }
    let matches = |rule: &&Rule| {
        let command = &rule.match_criteria.command;
        command.command_type == command_type && command.error.error_type == error.error_type
    };
    rules.iter().find(matches).map_or(Reaction::WaitForRecovery, |rule| rule.if_match)
}

pub fn routes() -> Router<Arc<Robot>> {
    Router::new().route("/runs/{id}/errorRecoveryPolicy", put(set).get(show))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    policy_rules: Vec<Rule>,
}

async fn set(
    State(robot): State<Arc<Robot>>,
    Path(id): Path<String>,
    Data(policy): Data<Policy>,
) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    let is_current = desk.is_current(&id);
    let run = desk.run_mut(&id)?;
    if !is_current {
        return Err(Problem::run_stopped(&id));
    }
    run.rules = policy.policy_rules;
    Ok(Json(json!({})))
}

async fn show(State(robot): State<Arc<Robot>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let mut desk = robot.desk();
    if !desk.is_current(&id) {
        desk.run_mut(&id)?;
        return Err(Problem::run_stopped(&id));
    }
    Ok(data(json!({ "policyRules": desk.run_mut(&id)?.rules })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn without_a_rule_a_defined_error_waits_and_any_other_fails() {
        let rule: Rule = serde_json::from_value(json!({
            "matchCriteria": { "command": { "commandType": "liquidProbe", "error": { "errorType": "liquidNotFound" } } },
            "ifMatch": "ignoreAndContinue",
        }))
        .unwrap();
        let error = |kind| ErrorOccurrence::new(kind, "2017", "", DateTime::UNIX_EPOCH);
        let defined = error("liquidNotFound").defined();
        assert_eq!(reaction(&[], "liquidProbe", &defined), Reaction::WaitForRecovery);
        assert_eq!(
            reaction(std::slice::from_ref(&rule), "liquidProbe", &defined),
            Reaction::IgnoreAndContinue
        );
        assert_eq!(reaction(std::slice::from_ref(&rule), "aspirate", &defined), Reaction::WaitForRecovery);
        assert_eq!(reaction(&[rule], "liquidProbe", &error("liquidNotFound")), Reaction::FailRun);
    }
}
