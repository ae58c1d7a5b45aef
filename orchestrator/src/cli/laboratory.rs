//! `loopwright stop-all`, `resume-all`, `laboratory`: the stop of the whole laboratory.

use super::arguments::Connection;
use super::output::Output;
use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub struct StopAll {
    #[command(flatten)]
    pub connection: Connection,
    /// For the record
    #[arg(long)]
    reason: String,
    /// How long to wait for every agent to confirm
    #[arg(long, default_value_t = 10)]
    wait_seconds: u64,
}

#[derive(Debug, Args)]
pub struct ResumeAll {
    #[command(flatten)]
    pub connection: Connection,
    /// For the record
    #[arg(long)]
    reason: String,
}

/// Between two looks at who has confirmed.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Stops, then waits for every agent to confirm.
///
/// Errors when some have not within the wait: the laboratory is stopped all the same, and somebody must look at their
/// devices.
pub async fn stop_all(arguments: StopAll) -> anyhow::Result<()> {
    let (client, output) = (arguments.connection.client()?, arguments.connection.output());
    let give_up_at = Instant::now() + Duration::from_secs(arguments.wait_seconds);
    let body = json!({"reason": arguments.reason});
    let mut laboratory = client.post("/api/v1/laboratory/stop", &body).await?;
    while !not_confirmed(&laboratory).is_empty() && Instant::now() < give_up_at {
        tokio::time::sleep(LOOK_AGAIN).await;
        laboratory = client.get("/api/v1/laboratory").await?;
    }
    show(&laboratory, output)?;
    let silent = not_confirmed(&laboratory);
    if !silent.is_empty() {
        bail!(
            "stopped, and no agent has confirmed for: {}. Go there: each device has its own button.",
            silent.join(", ")
        );
    }
    Ok(())
}

pub async fn resume_all(arguments: ResumeAll) -> anyhow::Result<()> {
    let (client, output) = (arguments.connection.client()?, arguments.connection.output());
    let body = json!({"reason": arguments.reason});
    let answer = client.post("/api/v1/laboratory/resume", &body).await?;
    output.done(
        &answer,
        "The laboratory goes on. Rounds whose steps were stopped are held: `loopwright task list` says what to look at",
    )
}

pub async fn state(connection: Connection) -> anyhow::Result<()> {
    let laboratory = connection.client()?.get("/api/v1/laboratory").await?;
    show(&laboratory, connection.output())
}

fn show(laboratory: &Value, output: Output) -> anyhow::Result<()> {
    if output.json {
        return output.record(laboratory);
    }
    let Some(stop) = laboratory.get("stop").filter(|stop| !stop.is_null()) else {
        println!("The laboratory is not stopped");
        return Ok(());
    };
    let word = |name: &str| stop[name].as_str().unwrap_or("?").to_owned();
    println!("Stopped by {} at {}: {}", word("ordered_by"), word("ordered_at"), word("reason"));
    output.list(
        &json!({"items": laboratory["places"]}),
        &[
            ("/place", "place"),
            ("/worker", "agent"),
            ("/standing", "standing"),
            ("/after_ms", "confirmed after ms"),
            ("/says", "says"),
        ],
        "No instruments are registered",
    )
}

fn not_confirmed(laboratory: &Value) -> Vec<&str> {
    let silent = laboratory["not_confirmed"].as_array();
    silent.into_iter().flatten().filter_map(Value::as_str).collect()
}
