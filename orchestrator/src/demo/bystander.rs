//! In a demo without people, plays the person who walks to the bench and looks; in a simulation, also the one who decides
//! on plates that failed QC.
//!
//! A job in doubt waits for somebody to say what really happened. In a laboratory that is a person; in an
//! unattended demo nobody is there, but the simulated bench keeps a truth log, and looking at it is
//! what a person would do with their eyes. What was half done to a plate loses the plate; half-done
//! moves are brought to their end by hand, as a person would. Nothing else of the product reads that log.

use super::bring_up::fetch;
use crate::cli::client::Client;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// What was seen.
struct Seen {
    resolution: &'static str,
    words: String,
}

impl Seen {
    /// `happened` of `asked` steps are in the log.
    fn count(happened: usize, asked: usize, what: &str) -> Self {
        let resolution = match happened {
            0 => "not_done",
            all if all == asked => "done",
            _ => "plate_lost",
        };
        Self { resolution, words: format!("{happened} of {asked} {what} are in the bench's log") }
    }
}

/// Looks at what `tasks` (the answer of `GET /tasks`) says is in doubt, and settles it. Answers what was seen.
pub async fn settle_doubts(
    client: &Client,
    tasks: &Value,
    endpoints: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    for task in tasks["items"].as_array().into_iter().flatten() {
        let Some(job) = task["subject_id"].as_str().filter(|_| task["cause"] == "job.in_doubt") else {
            continue;
        };
        let detail = client.get(&format!("/api/v1/jobs/{job}")).await?;
        if detail["state"] != "in_doubt" {
            continue;
        }
        let seen = look(&detail, endpoints).await?;
        let reason = format!("the unattended demo looked at the simulated bench: {}", seen.words);
        let body = json!({"resolution": seen.resolution, "reason": reason});
        client.post(&format!("/api/v1/jobs/{job}/resolve"), &body).await?;
        told.push(format!("A job was in doubt; {}: {}", seen.words, seen.resolution.replace('_', " ")));
    }
    Ok(told)
}

/// A plate that failed QC is made again where nobody is there to look at it: what a laboratory does that does not trust
/// it. One that fails three times waits for a person all the same. Answers what was decided.
pub async fn repeat_quarantined(client: &Client, tasks: &Value) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    for task in tasks["items"].as_array().into_iter().flatten() {
        let Some(plate) = task["subject_id"].as_str().filter(|_| task["cause"] == "plate.quarantined") else {
            continue;
        };
        let body =
            json!({"decision": "repeat", "reason": "nobody is there to look at a plate that failed QC"});
        client.post(&format!("/api/v1/plates/{plate}/decide"), &body).await?;
        told.push(format!("{} It is made again.", task["message"].as_str().unwrap_or("A plate failed QC.")));
    }
    Ok(told)
}

async fn look(job: &Value, endpoints: &BTreeMap<String, String>) -> anyhow::Result<Seen> {
    let control = endpoints.get("control").context("the bench names no control address")?;
    let payload = &job["payload"];
    match job["kind"].as_str() {
        Some("dispense") => {
            let handler = endpoints.get("handler-1").context("the bench names no liquid handler")?;
            if is_at_work(handler).await? {
                bail!("the liquid handler still works; looking again");
            }
            Ok(transfers(payload, &truth(control).await?))
        }
        Some("incubate") => Ok(incubation(job, &truth(control).await?)),
        Some("move") => {
            let mover = endpoints.get("mover-1").context("the bench names no mover")?;
            finish_moves(job, payload, control, mover).await
        }
        other => bail!("nobody knows how to look at a job of kind {other:?}"),
    }
}

/// An agent that fell silent leaves its device at work: what was done is seen when that has ended.
async fn is_at_work(handler: &str) -> anyhow::Result<bool> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let asked = http.get(format!("{handler}/runs")).header("Opentrons-Version", "*").send().await?;
    let runs: Value = asked.error_for_status()?.json().await?;
    Ok(runs["data"].as_array().into_iter().flatten().any(is_under_way))
}

fn is_under_way(run: &Value) -> bool {
    let over = ["idle", "stopped", "failed", "succeeded"];
    run["current"] == true && run["status"].as_str().is_none_or(|status| !over.contains(&status))
}

async fn truth(control: &str) -> anyhow::Result<Vec<Value>> {
    let log = fetch(&format!("{control}/truth")).await?;
    Ok(log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// A plate generation is a barcode of its own, so a transfer into a well happened for this job or never.
fn transfers(payload: &Value, truth: &[Value]) -> Seen {
    let asked = payload["transfers"].as_array().map_or(&[][..], Vec::as_slice);
    let happened = asked.iter().filter(|transfer| {
        truth.iter().any(|event| {
            event["event"] == "transferred"
                && event["source"]["barcode"] == transfer["source_barcode"]
                && event["source"]["well"] == transfer["source_well"]
                && event["destination"]["barcode"] == transfer["destination_barcode"]
                && event["destination"]["well"] == transfer["destination_well"]
        })
    });
    Seen::count(happened.count(), asked.len(), "transfers")
}

fn incubation(job: &Value, truth: &[Value]) -> Seen {
    let id = job["id"].as_str().unwrap_or_default();
    let ours = |event: &&Value| {
        event["event"] == "incubated"
            && event["operation"].as_str().is_some_and(|operation| operation.starts_with(id))
    };
    Seen::count(truth.iter().filter(ours).count().min(1), 1, "incubations")
}

/// Carries plates that are not where they should be there, in the order of the job.
async fn finish_moves(job: &Value, payload: &Value, control: &str, mover: &str) -> anyhow::Result<Seen> {
    let plates: Vec<Value> = serde_json::from_str(&fetch(&format!("{control}/plates")).await?)?;
    let moves = payload["moves"].as_array().map_or(&[][..], Vec::as_slice);
    let at = |barcode: &Value| {
        plates.iter().find(|plate| plate["barcode"] == *barcode).map(|plate| plate["at"].clone())
    };
    let left: Vec<&Value> =
        moves.iter().filter(|one| at(&one["barcode"]).as_ref() != Some(&one["to"])).collect();
    if left.len() == moves.len() {
        return Ok(Seen::count(0, moves.len(), "moves"));
    }
    if !left.is_empty() {
        // Another each time: when the bench died under the last one, that is over, and moves nothing any more.
        let operation = format!("by-hand-{}-{}", job["id"].as_str().unwrap_or_default(), Uuid::now_v7());
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        http.post(format!("{mover}/moves"))
            .json(&json!({"id": operation, "moves": left}))
            .send()
            .await?
            .error_for_status()?;
        bail!("{} plates are being put where they belong; looking again", left.len());
    }
    Ok(Seen::count(moves.len(), moves.len(), "moves"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Value {
        let transfer = |well: &str| json!({"source_barcode": "LIB-1", "source_well": "A1", "destination_barcode": "ASY-1", "destination_well": well});
        json!({"transfers": [transfer("B2"), transfer("B3")]})
    }

    fn happened(well: &str) -> Value {
        json!({
            "event": "transferred",
            "source": {"barcode": "LIB-1", "well": "A1"},
            "destination": {"barcode": "ASY-1", "well": well},
        })
    }

    #[test]
    fn a_half_dispensed_plate_is_lost_and_an_untouched_one_is_not() {
        assert_eq!(transfers(&payload(), &[]).resolution, "not_done");
        assert_eq!(transfers(&payload(), &[happened("B2")]).resolution, "plate_lost");
        assert_eq!(transfers(&payload(), &[happened("B2"), happened("B3")]).resolution, "done");
    }

    #[test]
    fn a_run_that_is_not_over_is_not_judged() {
        let run = |status: &str, current: bool| json!({"status": status, "current": current});
        assert!(is_under_way(&run("running", true)) && is_under_way(&run("finishing", true)));
        assert!(!is_under_way(&run("succeeded", true)) && !is_under_way(&run("running", false)));
    }
}
