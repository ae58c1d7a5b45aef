//! What became of deliveries.

use crate::cli::client::Client;
use crate::cli::output::Output;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long to watch a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Orders a test and watches its first try.
pub(super) async fn test(client: &Client, output: Output, name: &str, id: &str) -> anyhow::Result<()> {
    let ordered = client.post(&format!("/api/v1/channels/{id}/test"), &json!({})).await?;
    let delivery = ordered["id"].as_str().context("the server sent no delivery")?;
    let end = Instant::now() + PATIENCE;
    loop {
        let record = client.get(&format!("/api/v1/deliveries/{delivery}")).await?;
        let tried = record["history"]
            .as_array()
            .is_some_and(|tries| tries.iter().any(|it| !it["ended_at"].is_null()));
        match (record["state"].as_str(), tried) {
            (Some("delivered"), _) => return output.done(&record, &format!("{name} took it")),
            (_, true) => bail!(
                "{name} did not take it: {} (`loopwright channel delivery {delivery}` shows every try)",
                record["last_error"].as_str().unwrap_or("no reason was given")
            ),
            _ if Instant::now() > end => bail!(
                "no server has tried it within {} s: is `loopwright serve` running? (`loopwright channel delivery {delivery}`)",
                PATIENCE.as_secs()
            ),
            _ => tokio::time::sleep(Duration::from_millis(250)).await,
        }
    }
}

pub(super) async fn list(
    client: &Client,
    output: Output,
    channel: Option<String>,
    dead: bool,
    cursor: Option<String>,
) -> anyhow::Result<()> {
    let wanted = [("channel", channel), ("state", dead.then(|| "dead".to_owned())), ("cursor", cursor)];
    let query: Vec<String> =
        wanted.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    output.list(
        &client.get(&format!("/api/v1/deliveries?{}", query.join("&"))).await?,
        &[
            ("/channel", "channel"),
            ("/state", "state"),
            ("/attempts", "tries"),
            ("/last_error", "went wrong"),
            ("/created_at", "made"),
            ("/due_at", "due"),
            ("/id", "id"),
        ],
        "Nothing was told",
    )
}

pub(super) async fn show(client: &Client, output: Output, id: &str) -> anyhow::Result<()> {
    let record: Value = client.get(&format!("/api/v1/deliveries/{id}")).await?;
    if output.json {
        return output.raw(&record);
    }
    let mut facts = record.clone();
    if let Some(fields) = facts.as_object_mut() {
        fields.remove("history");
    }
    output.record(&facts)?;
    println!();
    output.list(
        &record["history"],
        &[
            ("/attempt", "try"),
            ("/began_at", "began"),
            ("/ended_at", "ended"),
            ("/outcome", "outcome"),
            ("/status", "status"),
            ("/detail", "detail"),
        ],
        "Not tried yet",
    )
}

pub(super) async fn redeliver(client: &Client, output: Output, id: &str) -> anyhow::Result<()> {
    let answer = client.post(&format!("/api/v1/deliveries/{id}/redeliver"), &json!({})).await?;
    output.done(&answer, "It is told again, under the same id")
}
