//! Gives a newcomer something to look at: the first rounds are approved by the demo itself, and say so in the record.

use crate::cli::client::Client;
use serde_json::{Value, json};

/// The remark that stands beside these approvals.
const REMARK: &str = "approved by the demo, so that there is a history to look at";

/// Whether `progress` (the answer of `GET /campaigns/{id}/progress`) is still in its first `rounds` rounds.
pub fn is_being_made(progress: &Value, rounds: u32) -> bool {
    let all = progress["rounds"].as_array().map_or(&[][..], Vec::as_slice);
    let closed = all.iter().filter(|round| round["state"] == "closed").count();
    u32::try_from(closed).unwrap_or(u32::MAX) < rounds && progress["state"] == "active"
}

/// Approves the batch that waits, if one does and its plan is drafted.
pub async fn approve(client: &Client, progress: &Value) -> anyhow::Result<()> {
    let rounds = progress["rounds"].as_array().into_iter().flatten();
    for round in rounds.filter(|round| round["state"] == "awaiting_approval") {
        let Some(id) = round["batch_id"].as_str() else { continue };
        let batch = client.get(&format!("/api/v1/batches/{id}")).await?;
        let Some(revision) = batch["revision"].as_i64().filter(|_| batch["draft"]["plan"] == "possible")
        else {
            continue;
        };
        client
            .post_if_match(&format!("/api/v1/batches/{id}/approve"), revision, &json!({"reason": REMARK}))
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_ends_with_the_round_asked_for_or_with_the_campaign() {
        let progress = |state: &str, closed: usize| {
            let mut rounds = vec![json!({"state": "closed"}); closed];
            rounds.push(json!({"state": "awaiting_approval"}));
            json!({"state": state, "rounds": rounds})
        };
        assert!(is_being_made(&progress("active", 2), 3));
        assert!(!is_being_made(&progress("active", 3), 3));
        assert!(!is_being_made(&progress("active", 0), 0));
        assert!(!is_being_made(&progress("cancelled", 1), 3));
    }
}
