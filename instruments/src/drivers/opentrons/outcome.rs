//! From the record of a run that is over to what we testify. Pure.
//!
//! | run | liquid | outcome |
//! |---|---|---|
//! | `ok: false` | ? | `Unknown` |
//! | succeeded, every transfer found in its commands | yes | `Succeeded` |
//! | succeeded, something else in its commands | ? | `Unknown` |
//! | failed or stopped | touched | `Unknown`, saying how far it came |
//! | failed | not touched | `Failed`, for a person |
//! | stopped by somebody | not touched | `Stopped` |
//! | stopped by us, who were not to play it any more | not touched | that nothing was begun, and why |
//! | stopped by us, as it was not to be played | not touched | `Failed`, for a person |
//! | stopped by nobody (replaced, or never played by us) | not touched | `Failed`, may be tried again |
//!
//! A run that did not succeed after liquid had moved is never tried again by itself: the plate holds
//! something that nobody planned, and a person decides what it is worth.

use super::model::{Run, RunStatus};
use super::reconcile::Reconciled;
use jobs::work::physical::DispenseResult;
use jobs::work::{Outcome, Output};
use jobs::worker::{Halt, NotBegun};
use jobs::{Digest, Failure, FailureClass};

/// What is known when a run is over.
pub(super) struct Over<'a> {
    pub run: &'a Run,
    pub reconciled: Reconciled,
    /// Of the archive.
    pub raw: Digest,
    /// What of the record could not be had.
    pub missing: Option<&'a str>,
    /// Somebody asked us to stop it.
    pub stop_requested: bool,
    /// It stood idle, and we ended it.
    pub ended_unplayed: Option<Unplayed>,
}

/// Why we ended a run that stood idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unplayed {
    /// An earlier life of this process had not played it.
    BeforeRestart,
    /// It had not come to play when we were told not to begin anything.
    Halted(Halt),
    /// It was not to be played for longer than anybody waits, for this reason.
    Refused(&'static str),
}

pub(super) fn outcome(over: Over<'_>) -> Outcome {
    let run = over.run;
    if !run.ok {
        let message = format!(
            "The robot lost its power in the middle of run {}, and its record with it. What was dispensed is unknown. Look at the deck, then record what happened.",
            run.id
        );
        return unknown("run_outcome_unknown", message);
    }
    if let Some(missing) = over.missing {
        let message = format!(
            "Run {} ended as {:?}, but its record could not be read: {missing}. Look at the deck, then record what happened.",
            run.id, run.status
        );
        return unknown("no_record", message);
    }
    match run.status {
        RunStatus::Succeeded => succeeded(over),
        RunStatus::Failed => failed(&over),
        _ => stopped(&over),
    }
}

fn succeeded(over: Over<'_>) -> Outcome {
    let run = over.run;
    if !over.reconciled.is_complete() && !run.has_ever_entered_error_recovery {
        let message = format!(
            "Run {} succeeded, but not as intended: {}. {} Its record is {}.",
            run.id,
            over.reconciled.unintended.as_deref().unwrap_or("transfers are missing from its commands"),
            extent(&over.reconciled),
            over.raw
        );
        return unknown("record_mismatch", message);
    }
    if let Some(unintended) = &over.reconciled.unintended {
        let message = format!(
            "Run {} was recovered from an error by somebody, and {unintended}. Its record is {}.",
            run.id, over.raw
        );
        return unknown("record_mismatch", message);
    }
    Outcome::Succeeded {
        output: Box::new(Output::Dispense(DispenseResult {
            transfers: over.reconciled.reports,
            device_run_id: run.id.clone(),
            recovered_from_error: run.has_ever_entered_error_recovery,
            raw: over.raw,
        })),
    }
}

fn failed(over: &Over<'_>) -> Outcome {
    let run = over.run;
    let (code, why) = match run.errors.first().map(|error| error.innermost()) {
        Some(error) => (format!("robot_{}", error.error_code), error.to_string()),
        None => ("run_failed".to_owned(), "the robot gives no reason".to_owned()),
    };
    if over.reconciled.liquid_touched {
        let message =
            format!("Run {} failed: {why}. {} Its record is {}.", run.id, extent(&over.reconciled), over.raw);
        return unknown(&code, message);
    }
    let message = format!("Run {} failed before any liquid was touched: {why}. Look at the robot.", run.id);
    let failure = Failure::new(FailureClass::NeedsPerson, format!("opentrons.{code}"), message);
    Outcome::Failed { failure }
}

fn stopped(over: &Over<'_>) -> Outcome {
    let run = over.run;
    let has_stop = run.actions.iter().flatten().any(|action| action.action_type == "stop");
    let by_somebody = over.stop_requested || (has_stop && over.ended_unplayed.is_none());
    if over.reconciled.liquid_touched {
        let message = format!(
            "Run {} was stopped in the middle. {} Its record is {}.",
            run.id,
            extent(&over.reconciled),
            over.raw
        );
        return unknown("stopped_midway", message);
    }
    if by_somebody {
        return Outcome::Stopped {
            note: format!("run {} was stopped before any liquid was touched", run.id),
        };
    }
    let (code, why) = match over.ended_unplayed {
        Some(Unplayed::Halted(halt)) => return NotBegun::from(halt).into(),
        Some(Unplayed::Refused(why)) => {
            let message = format!(
                "Nothing was begun: the robot was not to be played on ({why}), and run {} was ended. Look at the robot: is its door open, is somebody at work in it?",
                run.id
            );
            let failure = Failure::new(FailureClass::NeedsPerson, "opentrons.not_played", message);
            return Outcome::Failed { failure };
        }
        Some(Unplayed::BeforeRestart) => {
            ("opentrons.not_played_before_restart", "it stood idle after a restart and was ended")
        }
        None => ("opentrons.run_replaced", "another client replaced it before it was played"),
    };
    let message = format!("Nothing was begun: run {}: {why}.", run.id);
    let failure = Failure::new(FailureClass::Transient, code, message);
    Outcome::Failed { failure }
}

/// How far it came, for the person who decides.
fn extent(reconciled: &Reconciled) -> String {
    let all = reconciled.reports.len();
    let first_open = reconciled.reports.iter().find(|report| report.error.is_some());
    let open = first_open.map_or_else(String::new, |report| {
        let error = report.error.as_deref().unwrap_or_default();
        format!(" The first that was not is transfer {}: {error}.", report.index)
    });
    format!(
        "{} of {all} transfers were dispensed.{open} Look at the plate, then record what happened.",
        reconciled.dispensed
    )
}

fn unknown(what: &str, message: String) -> Outcome {
    let failure = Failure::new(FailureClass::NeedsPerson, format!("opentrons.{what}"), message);
    Outcome::Unknown { failure }
}
