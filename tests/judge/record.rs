//! What the service says of it: proposals, reports, lineage, events.

use super::{Verdict, text};
use crate::api::Api;
use crate::laboratory::{Laboratory, binary};
use anyhow::Context;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The sealer looks twice a second; a machine that is busy may take longer.
const SEALING: Duration = Duration::from_secs(30);

pub(super) fn judge(
    laboratory: &Laboratory,
    api: &Api,
    truth: &[Value],
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    proposals(laboratory, verdict)?;
    reports(laboratory, verdict)?;
    lineage(laboratory, api, truth, verdict)?;
    audit(laboratory, verdict)?;
    left_over(laboratory, verdict)?;
    doubts(laboratory, verdict)
}

/// Every approved proposal ends measured or given up.
fn proposals(laboratory: &Laboratory, verdict: &mut Verdict) -> anyhow::Result<()> {
    let open = laboratory.database(
        "select round.number, proposal.perturbation
         from proposal
         join batch on batch.id = proposal.batch_id
         join round on round.id = batch.round_id
         where proposal.status = 'selected' and proposal.fate is null
             and batch.state in ('approved', 'planned') and round.state <> 'cancelled'",
    )?;
    verdict.lost.extend(open.iter().map(|it| format!("approved and not accounted for: {it}")));
    let kept = laboratory.database(
        "select proposal.perturbation
         from proposal
         join batch on batch.id = proposal.batch_id
         where proposal.fate = 'measured' and batch.state = 'planned'
             and not exists (select from observation where observation.proposal_id = proposal.id)",
    )?;
    verdict.lost.extend(kept.iter().map(|it| format!("measured, and without observation: {it}")));
    for row in laboratory.database("select number, model_because from round")? {
        let round = row["number"].as_u64().unwrap_or_default();
        verdict.proposed_by.insert(round, text(&row, "/model_because").to_owned());
    }
    Ok(())
}

/// What an agent was told is kept, is kept; nothing waits on its disk for ever.
fn reports(laboratory: &Laboratory, verdict: &mut Verdict) -> anyhow::Result<()> {
    let mut files = Vec::new();
    find(&laboratory.demo().join("spool"), "jsonl", &mut files);
    let rows = laboratory.database("select job_id::text, lease_token::text from job_report")?;
    let kept: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (text(row, "/job_id"), text(row, "/lease_token"))).collect();
    let mut spooled = 0;
    for file in &files {
        let Some(report) = report_in(file)? else { continue };
        spooled += 1;
        let testimony = (text(&report, "/job_id"), text(&report, "/report/lease_token"));
        let lies = |folder: &str| file.components().any(|part| part.as_os_str() == folder);
        if !kept.contains(&testimony) {
            verdict.lost.push(format!("a report that the service does not have: {}", file.display()));
        } else if !lies("acknowledged") {
            verdict.broken.push(format!("a report that still waits, or was refused: {}", file.display()));
        }
    }
    if spooled == 0 && !kept.is_empty() {
        verdict.broken.push("no agent keeps a report on its disk".to_owned());
    }
    Ok(())
}

/// The report among the lines of an attempt.
fn report_in(file: &Path) -> anyhow::Result<Option<Value>> {
    for line in std::fs::read_to_string(file)?.lines() {
        let mut line: Value =
            serde_json::from_str(line).with_context(|| format!("{} is damaged", file.display()))?;
        if let Some(report) = line.get_mut("report") {
            return Ok(Some(report.take()));
        }
    }
    Ok(None)
}

/// Files whose names end in `.ending`.
fn find(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, ending, found);
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
}

/// Each number leads back to a file that the reader really wrote, to who approved it, and to the model.
fn lineage(laboratory: &Laboratory, api: &Api, truth: &[Value], verdict: &mut Verdict) -> anyhow::Result<()> {
    // A learner that knew nothing yet chose without a model.
    let without_model = laboratory.database(
        "select batch.id::text
         from batch
         join job_outcome on job_outcome.job_id = batch.propose_job_id
         where job_outcome.output -> 'result' ->> 'checkpoint' is null",
    )?;
    let without_model: BTreeSet<&str> = without_model.iter().map(|batch| text(batch, "/id")).collect();
    let listed = api.get("/api/v1/campaigns")?;
    let campaign = text(&listed, "/items/0/id").to_owned();
    let rows = api.get(&format!("/api/v1/campaigns/{campaign}/results.json"))?;
    let written: BTreeSet<(&str, &str)> = truth
        .iter()
        .filter(|event| event["event"] == "plate_read")
        .map(|event| (text(event, "/barcode"), text(event, "/sha256")))
        .collect();
    let mut blobs = BTreeMap::new();
    for row in rows.as_array().into_iter().flatten() {
        let (plate, raw) = (text(row, "/plate_barcode"), text(row, "/raw_sha256"));
        if !written.contains(&(plate, raw)) {
            verdict.broken.push(format!("the reader never wrote the file {raw} of plate {plate}"));
        }
        blobs.entry(raw.to_owned()).or_insert(plate.to_owned());
        let checkpoint = text(row, "/checkpoint_sha256");
        if !(checkpoint.is_empty() && without_model.contains(text(row, "/batch_id"))) {
            blobs.entry(checkpoint.to_owned()).or_insert(plate.to_owned());
        }
        if text(row, "/approved_by").is_empty() || text(row, "/frozen_hash").is_empty() {
            verdict.broken.push(format!("nobody approved {}", text(row, "/perturbation")));
        }
        let round = row["round"].as_u64().unwrap_or_default();
        let what = format!("{} in {}", text(row, "/perturbation"), text(row, "/context"));
        let value = row["value"].as_f64().unwrap_or(f64::NAN);
        if verdict.measured.entry(round).or_default().insert(what.clone(), value).is_some() {
            verdict.repeated.push(format!("{what} has two observations in round {round}"));
        }
    }
    for (name, plate) in blobs {
        let bytes = api.bytes(&format!("/api/v1/blobs/{name}"));
        if !bytes.is_ok_and(|bytes| hex::encode(Sha256::digest(&bytes)) == name) {
            verdict.lost.push(format!("blob {name:?} behind plate {plate} is not there, or is another"));
        }
    }
    Ok(())
}

/// How many events there are, and how many have their position. The sealer comes after the last event: it is given
/// the time for that.
fn sealed(laboratory: &Laboratory) -> anyhow::Result<Value> {
    let end = Instant::now() + SEALING;
    loop {
        let counted = laboratory.database(
            "select (select count(*) from event) as events, count(*) as sealed,
                 coalesce(max(position), 0) as last, count(distinct event_id) as different
             from event_seal",
        )?;
        let counted = counted.into_iter().next().context("counts are a row")?;
        if counted["sealed"] == counted["events"] || Instant::now() > end {
            return Ok(counted);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every event once, in a row without gaps, as it was sealed.
fn audit(laboratory: &Laboratory, verdict: &mut Verdict) -> anyhow::Result<()> {
    let sealed = sealed(laboratory)?;
    if sealed["sealed"] != sealed["last"] || sealed["sealed"] != sealed["different"] {
        verdict.broken.push(format!("positions of events have gaps or repeat: {sealed}"));
    }
    if sealed["sealed"] != sealed["events"] {
        verdict.lost.push(format!("events that were never sealed: {sealed}"));
    }
    let twice = laboratory.database(
        "select kind, subject_id, count(*) as times
         from event
         where kind in ('JobSucceeded', 'JobFailed', 'JobCancelled', 'JobPlateLost', 'RoundStarted', 'RoundClosed')
         group by kind, subject_id
         having count(*) > 1",
    )?;
    verdict.repeated.extend(twice.iter().map(|it| format!("an event that can happen once: {it}")));
    let ends = laboratory.database(
        "select job_outcome.job_id::text
         from job_outcome
         where not exists (
             select from event
             where event.subject = 'job' and event.subject_id = job_outcome.job_id::text
                 and event.kind in ('JobSucceeded', 'JobFailed', 'JobCancelled', 'JobPlateLost')
         )",
    )?;
    verdict.lost.extend(ends.iter().map(|it| format!("the event of the end of a job: {it}")));
    let verified = Command::new(binary("loopwright"))
        .args(["audit", "verify", "--json"])
        .env("LOOPWRIGHT_AUDIT_DATABASE_URL", laboratory.database_url())
        .output()?;
    if !verified.status.success() {
        verdict.broken.push(format!("the audit: {}", String::from_utf8_lossy(&verified.stderr).trim()));
    }
    Ok(())
}

/// A campaign that has finished leaves nothing to do.
fn left_over(laboratory: &Laboratory, verdict: &mut Verdict) -> anyhow::Result<()> {
    let counted = laboratory.database(
        "select (select count(*) from settlement) as settlements, (select count(*) from lease) as leases,
             (select count(*) from job_in_doubt) as doubts, (select count(*) from job_ready) as ready,
             (select count(*) from job_waiting) as waiting",
    )?;
    for (what, count) in counted.iter().filter_map(Value::as_object).flatten() {
        if *count != 0 {
            verdict.broken.push(format!("{count} {what} are left over"));
        }
    }
    let open =
        laboratory.database("select number, state from round where state not in ('closed', 'cancelled')")?;
    verdict.broken.extend(open.iter().map(|it| format!("a round that has not ended: {it}")));
    Ok(())
}

fn doubts(laboratory: &Laboratory, verdict: &mut Verdict) -> anyhow::Result<()> {
    let counted = laboratory.database(
        "select (select count(distinct subject_id) from event where kind = 'JobInDoubt') as doubts,
             (select count(*) from job_outcome where decided_by is not null) as resolved",
    )?;
    let number = |name: &str| counted.first().and_then(|it| it[name].as_u64()).unwrap_or_default();
    (verdict.in_doubt, verdict.resolved) = (number("doubts"), number("resolved"));
    Ok(())
}
