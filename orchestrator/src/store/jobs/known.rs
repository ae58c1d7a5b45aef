//! What is known of a job in doubt, and what each of the three choices will do: pure, from what is stored.

use super::detail::Testimony;
use super::resolve::Resolution;
use ::jobs::wire::Progress;
use ::jobs::work::physical::Dispense;
use ::jobs::work::{Outcome, Output};
use ::jobs::{Failure, Work};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a person needs to decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Doubt {
    pub since: DateTime<Utc>,
    pub attempt: i32,
    pub why: Why,
    /// Only a person settles it: no later report does.
    pub awaits_person: bool,
    /// The last that its worker said while it worked.
    pub progress: Option<Progress>,
    /// The device's own words, as its worker passed them on.
    pub failure: Option<Failure>,
    /// How the worker says that it ended: `succeeded`, `failed`, `cancelled` or `in_doubt`.
    pub claims: Option<String>,
    pub instrument: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    /// Intended against reported, for a dispense; in the order of the work.
    pub transfers: Vec<DoubtfulTransfer>,
    pub choices: Vec<Choice>,
    /// All of it as it was kept.
    pub known: Value,
}

/// Why nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DoubtWhy)]
pub enum Why {
    /// Its worker fell silent after the start.
    LeaseExpired,
    /// Its worker cannot say.
    ReportedUnknown,
    /// It was done in a life of the database that was lost.
    LostLife,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DoubtfulTransfer {
    pub source_barcode: String,
    pub source_well: String,
    pub destination_barcode: String,
    pub destination_well: String,
    pub intended_nl: u32,
    /// Absent when no device has said anything of it.
    pub reported_nl: Option<u32>,
    pub error: Option<String>,
}

/// One of the three answers, and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DoubtChoice)]
pub struct Choice {
    pub resolution: Resolution,
    /// In a sentence or two.
    pub will: String,
}

/// As it is stored.
pub(super) struct Stored {
    pub since: DateTime<Utc>,
    pub attempt: i32,
    pub awaits_person: bool,
    pub known: Value,
}

/// The plate that it works on.
#[derive(Clone, Copy)]
pub(super) struct Plate<'a> {
    pub barcode: &'a str,
    /// It was lost or cancelled meanwhile.
    pub is_over: bool,
}

/// What `stored`, the work and everything that was ever reported of it say together.
pub(super) fn of(stored: Stored, work: &Work, plate: Option<Plate<'_>>, reports: &[Testimony]) -> Doubt {
    let field = |name: &str| stored.known.get(name).filter(|value| !value.is_null()).cloned();
    let output = reported(reports);
    let transfers = match work {
        Work::Dispense(asked) => transfers(asked, output.as_ref()),
        _ => Vec::new(),
    };
    Doubt {
        since: stored.since,
        attempt: stored.attempt,
        why: match field("why").as_ref().and_then(Value::as_str) {
            Some("lost_life") => Why::LostLife,
            Some("reported_unknown") => Why::ReportedUnknown,
            _ => Why::LeaseExpired,
        },
        awaits_person: stored.awaits_person,
        progress: read(field("progress")),
        failure: read(field("failure")),
        claims: read(field("claims")),
        instrument: read(field("instrument")),
        started_at: read(field("started_at")),
        choices: choices(work, plate, output.is_some(), &transfers),
        transfers,
        known: stored.known,
    }
}

/// What we kept ourselves; what cannot be read is shown in `known` all the same.
fn read<T: serde::de::DeserializeOwned>(value: Option<Value>) -> Option<T> {
    value.and_then(|value| serde_json::from_value(value).ok())
}

/// What a worker brought that said that it succeeded: the newest, as [`super::resolve`] takes it.
fn reported(reports: &[Testimony]) -> Option<Output> {
    reports.iter().rev().find_map(|report| match serde_json::from_value(report.outcome.clone()) {
        Ok(Outcome::Succeeded { output }) => Some(*output),
        _ => None,
    })
}

fn transfers(asked: &Dispense, output: Option<&Output>) -> Vec<DoubtfulTransfer> {
    let reported: BTreeMap<u32, _> = match output {
        Some(Output::Dispense(result)) => result.transfers.iter().map(|one| (one.index, one)).collect(),
        _ => BTreeMap::new(),
    };
    (0..)
        .zip(&asked.transfers)
        .map(|(index, transfer)| {
            let said = reported.get(&index);
            DoubtfulTransfer {
                source_barcode: transfer.source_barcode.clone(),
                source_well: transfer.source_well.clone(),
                destination_barcode: transfer.destination_barcode.clone(),
                destination_well: transfer.destination_well.clone(),
                intended_nl: transfer.volume_nl,
                reported_nl: said.and_then(|said| said.actual_nl),
                error: said.and_then(|said| said.error.clone()),
            }
        })
        .collect()
}

fn choices(
    work: &Work,
    plate: Option<Plate<'_>>,
    is_reported: bool,
    transfers: &[DoubtfulTransfer],
) -> Vec<Choice> {
    let drawn: u64 = transfers.iter().map(|one| u64::from(one.reported_nl.unwrap_or(one.intended_nl))).sum();
    let source = if is_reported { "as reported" } else { "as intended, since no device has said anything" };
    let liquid = |what: &str| match work {
        Work::Dispense(_) => format!(" {drawn} nl {what} ({source})."),
        _ => String::new(),
    };
    let place = match work {
        Work::Move(_) => {
            (" Bring every plate to where the move ends.", " Bring every plate to where the move begins.")
        }
        _ => ("", ""),
    };
    let taken = if is_reported { " What its worker reported is taken as its result." } else { "" };
    let is_over = plate.is_some_and(|plate| plate.is_over);
    let plate = plate.map_or_else(|| "Its plate".to_owned(), |plate| format!("Plate {}", plate.barcode));
    if is_over {
        return over(&plate, &liquid("are written off"));
    }
    vec![
        Choice {
            resolution: Resolution::Done,
            will: format!(
                "It happened, wholly: the loop goes on.{taken}{}{}",
                liquid("are written off"),
                place.0
            ),
        },
        Choice {
            resolution: Resolution::NotDone,
            will: format!(
                "Nothing happened: the same {} is ordered again. Nothing is written off.{}",
                work.kind(),
                place.1
            ),
        },
        Choice {
            resolution: Resolution::PlateLost,
            will: format!(
                "{plate} is lost: it is withdrawn, the rest of its work is stopped, and it is made again on another plate.{}",
                liquid("are written off, the rest of what was reserved for it is free again")
            ),
        },
    ]
}

/// The choices of a job whose plate was lost or cancelled meanwhile: what is asked is where things are, and what was drawn.
fn over(plate: &str, drawn: &str) -> Vec<Choice> {
    let home = "what still stands on a device is brought home";
    let choice = |resolution, will| Choice { resolution, will };
    vec![
        choice(
            Resolution::Done,
            format!("It happened, wholly. {plate} is over all the same: {home}.{drawn}"),
        ),
        choice(
            Resolution::NotDone,
            format!(
                "Nothing happened, and nothing is ordered again: {plate} is over, and {home}. Nothing is written off."
            ),
        ),
        choice(
            Resolution::PlateLost,
            format!("Nobody can say how far it came. {plate} is over already: {home}.{drawn}"),
        ),
    ]
}
