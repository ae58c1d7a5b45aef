//! What came of a simulated campaign: in numbers for programs, in words for people.

use super::Own;
use super::copy::counted;
use crate::cli::client::Client;
use crate::cli::output::table;
use crate::demo::bring_up::SpecimenReport;
use crate::demo::report::{as_f64, expected_hits};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Contents named among those that most was drawn of.
const MOST_DRAWN: usize = 5;

/// Looks everything up. `progress`: the answer of `GET /campaigns/{id}/progress`.
pub async fn of(
    client: &Client,
    own: &Own,
    specimen: &SpecimenReport,
    progress: &Value,
) -> anyhow::Result<Value> {
    let mut rounds = Vec::new();
    let mut drawn: BTreeMap<String, u64> = BTreeMap::new();
    for round in progress["rounds"].as_array().into_iter().flatten() {
        // What a round would have drawn that was held or cut short is nowhere counted.
        let plan = match round["batch_id"].as_str().filter(|_| round["state"] == "closed") {
            Some(batch) => client.get(&format!("/api/v1/batches/{batch}")).await?["draft"]["summary"].take(),
            None => Value::Null,
        };
        for (content, volume) in plan["volume_nl_by_content"].as_object().into_iter().flatten() {
            *drawn.entry(content.clone()).or_default() += volume.as_u64().unwrap_or(0);
        }
        let id = round["round_id"].as_str().context("a round has an id")?;
        let plates = client.get(&format!("/api/v1/plates?round={id}&limit=1000")).await?;
        let record = client.get(&format!("/api/v1/rounds/{id}")).await?;
        rounds.push(one(round, &record, &plan, &plates, own, specimen)?);
    }
    let written = own.spec.assay.transfer_volume_nl;
    let transferred = own.copy.spec.assay.transfer_volume_nl;
    for volume in drawn.values_mut() {
        *volume = as_written(*volume, written, transferred);
    }
    let sum = |field: &str| rounds.iter().filter_map(|round| round[field].as_u64()).sum::<u64>();
    let add = |field: &str| rounds.iter().filter_map(|round| round[field].as_f64()).sum::<f64>();
    let at_random = add("expected_hits_for_random");
    let cost = own.spec.cost.as_ref().map(|cost| json!({"amount": add("cost"), "currency": cost.currency}));
    Ok(json!({
        "campaign": progress["name"],
        "state": progress["state"],
        "finished_reason": progress["finished_reason"],
        "specimen": specimen.name,
        "pool": own.pool,
        "hits_in_pool": specimen.hits_total,
        "experiments": sum("proposed"),
        "passed_qc": progress["passed_qc"],
        "hits_found": progress["hits"],
        "expected_hits_for_random": at_random,
        "plates": sum("plates"),
        "plates_made_again": sum("plates_made_again"),
        "transfers": sum("transfers"),
        "handler_hours": add("handler_hours"),
        "cost": cost,
        "drawn_nl": drawn,
        "rounds": rounds,
        "otherwise": own.copy.otherwise,
        "zone": own.spec.schedule.zone,
    }))
}

/// What would have been drawn with the volume of the file, where the bench has transferred another. Every transfer of a
/// campaign is of one volume.
fn as_written(drawn_nl: u64, written_nl: u32, transferred_nl: u32) -> u64 {
    let drawn = u128::from(drawn_nl) * u128::from(written_nl) / u128::from(transferred_nl.max(1));
    u64::try_from(drawn).unwrap_or(u64::MAX)
}

fn one(
    round: &Value,
    record: &Value,
    plan: &Value,
    plates: &Value,
    own: &Own,
    specimen: &SpecimenReport,
) -> anyhow::Result<Value> {
    let plates = plates["items"].as_array().map_or(&[][..], Vec::as_slice);
    let z_primes = plates.iter().filter_map(|plate| plate["qc"]["z_prime"].as_f64());
    // When it was due is another matter: a tick waits for the round before.
    let begins: DateTime<Utc> = serde_json::from_value(record["stages"][0]["entered_lab_at"].clone())
        .context("a round has a first stage")?;
    // Of dispensing, then of the incubation.
    let hours = plan["estimated_hours"].as_f64();
    let passed = round["passed_qc"].as_u64().unwrap_or(0);
    let new = passed.saturating_sub(round["measured_again"].as_u64().unwrap_or(0));
    let again = plates.iter().filter(|plate| plate["generation"].as_u64().unwrap_or(1) > 1).count();
    Ok(json!({
        "round": round["number"],
        "state": round["state"],
        "reason": round["reason"],
        "begins": begins,
        "ready_to_read": hours.map(|hours| begins + Duration::seconds((hours * 3600.0) as i64)),
        "proposed": round["proposed"],
        "measured": round["measured"],
        "passed_qc": passed,
        "hits_found": round["hits"],
        "hits_withdrawn": round["hits_withdrawn"],
        "measured_again": round["measured_again"],
        "expected_hits_for_random": expected_hits(new, specimen),
        "plates": plates.len(),
        "plates_made_again": again,
        "plates_by_state": round["plates"],
        "worst_z_prime": z_primes.reduce(f64::min),
        "transfers": plan["transfers"],
        "deck_loads": plan["deck_loads"],
        "steps_by_hand": plan["steps_by_hand"],
        "handler_hours": hours.map(|hours| hours - own.copy.spec.assay.incubate_hours),
        "cost": plan["cost"]["amount"],
    }))
}

/// The report for people. `report`: as [`of`] gives it.
pub fn text(report: &Value, own: &Own) -> String {
    let zone = own.spec.schedule.zone;
    let at = |value: &Value| {
        let instant = serde_json::from_value::<DateTime<Utc>>(value.clone());
        instant.map_or("-".to_owned(), |at| zone.wall(at).format("%a %e %b %Y %H:%M").to_string())
    };
    let rounds = report["rounds"].as_array().map_or(&[][..], Vec::as_slice);
    let currency = report["cost"]["currency"].as_str();
    let begins = format!("begins ({})", zone);
    let cost = currency.map(|currency| format!("cost {currency}"));
    let headings: Vec<&str> =
        ["round", &begins, "ready to read", "experiments", "plates", "worst Z'", "passed QC"]
            .into_iter()
            .chain(["hits", "at random", "handler h"])
            .chain(cost.as_deref())
            .collect();
    let number =
        |value: &Value, digits: usize| value.as_f64().map_or("-".to_owned(), |it| format!("{it:.digits$}"));
    let row = |name: String, times: [String; 2], of: &Value| -> Vec<String> {
        let cost = if of["cost"].is_object() { &of["cost"]["amount"] } else { &of["cost"] };
        let experiments = if of["proposed"].is_null() { &of["experiments"] } else { &of["proposed"] };
        let [begins, ready] = times;
        let cells = [
            name,
            begins,
            ready,
            number(experiments, 0),
            number(&of["plates"], 0),
            number(&of["worst_z_prime"], 2),
            number(&of["passed_qc"], 0),
            number(&of["hits_found"], 0),
            number(&of["expected_hits_for_random"], 1),
            number(&of["handler_hours"], 1),
        ];
        cells.into_iter().chain(currency.map(|_| number(cost, 2))).collect()
    };
    let mut rows: Vec<Vec<String>> = rounds
        .iter()
        .map(|round| {
            row(number(&round["round"], 0), [at(&round["begins"]), at(&round["ready_to_read"])], round)
        })
        .collect();
    rows.push(row("all".to_owned(), [String::new(), String::new()], report));
    let mut text = format!(
        "\n{}, simulated: {} of {} experiments in {}\n\n{}",
        report["campaign"].as_str().unwrap_or("?"),
        report["experiments"],
        report["pool"],
        counted(u64::try_from(rounds.len()).unwrap_or(0), "round"),
        table(&headings, &rows)
    );
    // Writing to a String cannot fail.
    for round in rounds.iter().filter(|round| round["state"] != "closed") {
        let reason = round["reason"].as_str().unwrap_or("no reason given");
        let _ = writeln!(
            text,
            "\nRound {} is {}: {reason}",
            round["round"],
            round["state"].as_str().unwrap_or("?")
        );
    }
    if report["plates_made_again"].as_u64().is_some_and(|again| again > 0) {
        let _ = writeln!(
            text,
            "\nMade again: {}; hours, cost and volumes are those of the plans, without them.",
            counted(report["plates_made_again"].as_u64().unwrap_or(0), "plate")
        );
    }
    if let Some(reason) = report["finished_reason"].as_str() {
        let _ = writeln!(text, "\nIt ended: {reason}.");
    }
    let mut drawn: Vec<(&String, f64)> = report["drawn_nl"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(content, volume)| (content, as_f64(volume.as_u64().unwrap_or(0)) / 1_000.0))
        .collect();
    drawn.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most =
        drawn.iter().take(MOST_DRAWN).map(|(content, volume)| format!("{content} {volume:.0} \u{b5}l"));
    let _ = writeln!(text, "\nMost drawn: {}.", most.collect::<Vec<_>>().join(", "));
    let _ = writeln!(text, "\nOtherwise than in {}:", own.asked.file.display());
    for sentence in &own.copy.otherwise {
        let _ = writeln!(text, "- {sentence}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_is_told_in_the_files_own_volume() {
        // 128 wells of 25 nl, for which the bench has transferred 1,000.
        assert_eq!(as_written(128 * 1_000, 25, 1_000), 128 * 25);
        assert_eq!(as_written(128 * 20_000, 50_000, 20_000), 128 * 50_000);
        assert_eq!(as_written(7_000, 1_000, 1_000), 7_000);
    }
}
