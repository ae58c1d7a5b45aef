//! `loopwright batch show`: what an approver has to know, in one screen.

use crate::cli::client::Client;
use crate::cli::output::Output;
use serde_json::{Value, json};

pub(super) async fn show(client: &Client, output: Output, id: &str, all: bool) -> anyhow::Result<()> {
    let batch = client.get(&format!("/api/v1/batches/{id}")).await?;
    let query = if all { "" } else { "?status=selected" };
    let proposals = client.get(&format!("/api/v1/batches/{id}/proposals{query}")).await?;
    let comments = client.get(&format!("/api/v1/batches/{id}/comments")).await?;
    if output.json {
        let said = json!({"batch": batch, "proposals": proposals["items"], "comments": comments["items"]});
        return output.raw(&said);
    }
    println!(
        "Batch {id} of {}: round {}, generation {}, {} (revision {})",
        text(&batch, "campaign"),
        batch["round"],
        batch["generation"],
        text(&batch, "state"),
        batch["revision"]
    );
    println!("{}", draft(&batch["draft"]));
    for line in approval(&batch).into_iter().chain(excluded(&batch)) {
        println!("{line}");
    }
    println!();
    output.list(
        &proposals,
        &[
            ("/rank", "rank"),
            ("/perturbation", "perturbation"),
            ("/context", "context"),
            ("/mean", "mean"),
            ("/epistemic_sd", "epistemic"),
            ("/aleatoric_sd", "aleatoric"),
            ("/hit_probability", "P(hit)"),
            ("/status", "status"),
            ("/id", "id"),
            ("/reason", "why"),
        ],
        "Nothing is proposed",
    )?;
    for line in talk(&comments) {
        println!("{line}");
    }
    if batch["state"] == "awaiting_approval" {
        println!(
            "\nloopwright batch approve {id}\nloopwright batch remove {id} PROPOSAL_ID --reason WHY\n\
             loopwright batch add {id} PERTURBATION --context CONTEXT --reason WHY\n\
             loopwright batch comment {id} TEXT\nloopwright batch plan {id}\n\
             loopwright batch reject {id} --reason WHY [--exclude-gene GENE] [--exclude-tag TAG]"
        );
    }
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("?")
}

/// The draft plan in a sentence.
fn draft(draft: &Value) -> String {
    if let Some(reason) = draft["reason"].as_str() {
        return format!("It cannot be carried out as it stands: {reason}");
    }
    if draft["plan"] != "possible" {
        return "The plan is being drafted".to_owned();
    }
    let number = |name: &str| draft["summary"][name].as_f64().unwrap_or_default();
    let plates: Vec<String> = draft["plates"].as_array().into_iter().flatten().map(plate).collect();
    let changed =
        if draft["differs_from"].is_null() { "" } else { " It differs from the plan approved before." };
    let cost = match draft["summary"]["cost"]["amount"].as_f64() {
        Some(amount) => format!("; {amount:.2} {}", text(&draft["summary"]["cost"], "currency")),
        None => String::new(),
    };
    format!(
        "Plan: {} ({}); {} sample and {} control wells; {} transfers, {:.1} µl, from {}; {} tips; about {:.0} h{cost}.{changed}",
        count(number("plates"), "plate"),
        plates.join(", "),
        number("sample_wells"),
        number("control_wells"),
        number("transfers"),
        number("volume_nl") / 1000.0,
        count(number("source_plates"), "source plate"),
        number("tips"),
        number("estimated_hours"),
    )
}

fn plate(plate: &Value) -> String {
    format!("{} {}", text(plate, "barcode"), text(plate, "context"))
}

fn count(number: f64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1.0 { "" } else { "s" })
}

/// Policy, who spoke, what is missing, until when.
fn approval(batch: &Value) -> Vec<String> {
    let standing = &batch["approval"];
    let each = |value: &Value, told: fn(&Value) -> String| -> Vec<String> {
        value.as_array().into_iter().flatten().map(told).collect()
    };
    let roles = each(&standing["roles"], |it| {
        format!("{} of {} in the role {}", it["given"], it["needed"], text(it, "role"))
    });
    let roles = if roles.is_empty() { String::new() } else { format!("; {}", roles.join(", ")) };
    let mut lines = vec![format!("Approval: {} of {} people{roles}", standing["given"], standing["needed"])];
    lines.extend(each(&batch["verdicts"], verdict).into_iter().map(|line| format!("  {line}")));
    let mut told = |name: &str, before: &str| {
        lines.extend(standing[name].as_str().map(|words| format!("  {before}{words}")));
    };
    told("missing", "missing: ");
    told("asked_because", "");
    told("expires_lab_at", "until: ");
    if batch["state"] == "awaiting_approval" {
        told("why_not", "you cannot approve it: ");
    }
    let editors = each(&standing["editors"], |it| it.as_str().unwrap_or("?").to_owned());
    if !editors.is_empty() {
        lines.push(format!("  edited by: {}", editors.join(", ")));
    }
    lines
}

fn verdict(verdict: &Value) -> String {
    let spoke = if verdict["verdict"] == "approve" { "approved" } else { "rejected" };
    let why = verdict["reason"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} {spoke} revision {}{why}", text(verdict, "actor"), verdict["revision"])
}

fn excluded(batch: &Value) -> Vec<String> {
    let words = batch["excluded"].as_array().into_iter().flatten().filter_map(Value::as_str);
    words.map(|words| format!("Excluded from this round: {words}")).collect()
}

fn talk(comments: &Value) -> Vec<String> {
    let said = |it: &Value| format!("{}, {}: {}", text(it, "at"), text(it, "actor"), text(it, "text"));
    let mut lines: Vec<String> = comments["items"].as_array().into_iter().flatten().map(said).collect();
    if !lines.is_empty() {
        lines.insert(0, "\nWhat people say:".to_owned());
    }
    if !comments["next_cursor"].is_null() {
        lines.push("(there is more)".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_told_in_words() {
        let mut possible = json!({
            "plan": "possible", "differs_from": null,
            "plates": [{"barcode": "ASY-1", "context": "D1", "ordinal": 1, "wells": 80}],
            "summary": {"plates": 1, "sample_wells": 48, "control_wells": 32, "transfers": 80, "volume_nl": 80000,
                        "source_plates": 7, "tips": 80, "estimated_hours": 72.0, "cost": null},
        });
        let words = "Plan: 1 plate (ASY-1 D1); 48 sample and 32 control wells; 80 transfers, 80.0 µl, from 7 source plates; \
                     80 tips; about 72 h";
        assert_eq!(draft(&possible), format!("{words}."));
        possible["summary"]["cost"] = json!({"amount": 104.5, "currency": "EUR"});
        assert_eq!(draft(&possible), format!("{words}; 104.50 EUR."));
        let impossible = json!({"plan": "impossible", "code": "x", "reason": "G1 has no volume left."});
        assert!(draft(&impossible).contains("G1 has no volume left."));
        assert_eq!(draft(&Value::Null), "The plan is being drafted");
    }

    #[test]
    fn an_approver_is_told_who_spoke_and_who_is_missing() {
        let batch = json!({
            "state": "awaiting_approval",
            "verdicts": [{"actor": "marie", "verdict": "approve", "revision": 2, "reason": "sensible"}],
            "approval": {
                "needed": 2, "given": 1, "roles": [{"role": "scientist", "needed": 1, "given": 1},
                {"role": "engineer", "needed": 1, "given": 0}], "missing": "1 more person: 1 in the role engineer",
                "asked_because": null, "may_approve": false, "why_not": "you approved this revision already",
                "expires_lab_at": "2026-01-07T08:00:00Z", "editors": ["eve"]},
        });
        assert_eq!(
            approval(&batch),
            [
                "Approval: 1 of 2 people; 1 of 1 in the role scientist, 0 of 1 in the role engineer",
                "  marie approved revision 2: sensible",
                "  missing: 1 more person: 1 in the role engineer",
                "  until: 2026-01-07T08:00:00Z",
                "  you cannot approve it: you approved this revision already",
                "  edited by: eve",
            ]
        );
    }
}
