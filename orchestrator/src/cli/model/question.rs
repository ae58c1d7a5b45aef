//! A question to the model: put, waited for, and what to do when nobody answers.

use super::super::client::Client;
use anyhow::{Context, bail};
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::time::Instant;

/// As long as the server holds a request.
const ONE_WAIT: u64 = 30;

/// A question that was put.
pub struct Asked {
    /// Of its kind: `/api/v1/campaigns/ID/predictions`.
    pub route: String,
    pub job: String,
}

/// Puts `question` at `route` and waits for its answer.
pub async fn put(
    client: &Client,
    route: String,
    mut question: Value,
    wait_seconds: u64,
) -> anyhow::Result<Value> {
    let first = wait_seconds.min(ONE_WAIT);
    question["wait_seconds"] = first.into();
    let answer = client.post(&route, &question).await?;
    if is_done(&answer) {
        return Ok(answer);
    }
    let job = answer["job_id"].as_str().context("the server's answer names no job")?.to_owned();
    Asked { route, job }.answer(client, wait_seconds - first).await
}

/// Where a job's answer is found, and its kind.
pub async fn route_of(client: &Client, job: &str) -> anyhow::Result<(String, String)> {
    let found = client.get(&format!("/api/v1/jobs/{job}")).await?;
    let campaign = found["campaign_id"].as_str().unwrap_or_default();
    let kind = found["kind"].as_str().unwrap_or_default();
    let resource = match kind {
        "predict" => "predictions",
        "screen" => "screens",
        _ => {
            bail!("job {job} is no question to the model but of the kind {kind}: `loopwright job show {job}`")
        }
    };
    Ok((format!("/api/v1/campaigns/{campaign}/{resource}"), kind.to_owned()))
}

impl Asked {
    /// Waits for the answer; without one in time says what to do.
    pub async fn answer(&self, client: &Client, wait_seconds: u64) -> anyhow::Result<Value> {
        let until = Instant::now() + Duration::from_secs(wait_seconds);
        let mut progress = Line::default();
        loop {
            let left = until.saturating_duration_since(Instant::now()).as_secs();
            let path = format!("{}/{}?wait_seconds={}", self.route, self.job, left.min(2));
            let answer = client.get(&path).await?;
            if is_done(&answer) {
                progress.clear();
                return Ok(answer);
            }
            progress.show(&answer);
            if left == 0 {
                progress.clear();
                return Err(anyhow::anyhow!(unanswered(&self.job, &answer)));
            }
        }
    }
}

fn is_done(answer: &Value) -> bool {
    answer["state"] == "succeeded"
}

fn unanswered(job: &str, answer: &Value) -> String {
    let state = answer["state"].as_str().unwrap_or("not known");
    let percent = answer.pointer("/progress/fraction").and_then(Value::as_f64).map(|it| 100.0 * it);
    let percent = percent.map(|it| format!(", {it:.0} % done")).unwrap_or_default();
    let nobody = "No learner has taken it: is one running (`loopwright-learner work`), and new enough? \
                  `loopwright doctor` looks, ";
    let nobody = if state == "ready" { nobody } else { "" };
    format!(
        "there is no answer yet: job {job} is {state}{percent}. {nobody}`loopwright why job {job}` says what it waits \
         for. The question stays: `loopwright model answer {job} --wait-seconds 600` waits for the answer, `loopwright \
         job cancel {job} --reason ..` takes it back"
    )
}

/// How far it is, on a terminal.
#[derive(Default)]
struct Line {
    shown: bool,
}

impl Line {
    fn show(&mut self, answer: &Value) {
        let Some(done) = answer.pointer("/progress/fraction").and_then(Value::as_f64) else { return };
        if std::io::stderr().is_terminal() {
            eprint!("\r{:3.0} %", 100.0 * done);
            self.shown = true;
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r     \r");
            // Nothing hangs on it.
            let _ = std::io::stderr().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whoever_waits_in_vain_is_told_what_to_do() {
        let ready = unanswered("J", &json!({"state": "ready"}));
        assert!(
            ready.contains("loopwright-learner work") && ready.contains("loopwright why job J"),
            "{ready}"
        );
        let running = unanswered("J", &json!({"state": "running", "progress": {"fraction": 0.425}}));
        assert!(running.contains("J is running, 42 % done"), "{running}");
        assert!(!running.contains("No learner"), "{running}");
    }
}
