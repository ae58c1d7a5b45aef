//! Plays the person at the bench in rounds that need nobody: takes each step by hand, and says that it is done.

use crate::cli::client::Client;
use serde_json::{Value, json};

/// The remark that stands beside these steps.
const NOTE: &str = "done by the demo, where nobody stands at the bench";

/// Steps that wait for hands or are in some: the answer of `GET /by-hand`.
pub async fn look(client: &Client) -> anyhow::Result<Vec<Value>> {
    let answer = client.get("/api/v1/by-hand").await?;
    Ok(answer["items"].as_array().cloned().unwrap_or_default())
}

/// Does all of `steps`. One that was taken before the demo was started again is done all the same.
pub async fn do_all(client: &Client, steps: &[Value]) -> anyhow::Result<()> {
    for id in steps.iter().filter_map(|step| step["id"].as_str()) {
        // One that somebody else has is theirs.
        if client.post(&format!("/api/v1/jobs/{id}/take"), &json!({})).await.is_err() {
            continue;
        }
        client.post(&format!("/api/v1/jobs/{id}/done"), &json!({"note": NOTE})).await?;
    }
    Ok(())
}
