//! `loopwright instrument`: the devices, and whether they are in service.

use super::client::Client;
use super::output::{Output, table};
use super::page::asked;
use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jobs::work::Kind;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Instruments, their state and when their agents were seen
    List,
    /// One instrument, with its profile
    Show { name: String },
    /// What it did day by day, and what waits for it
    Work {
        name: String,
        /// Days looked back on, today among them
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u64).range(1..=92))]
        days: u64,
        /// Whose days: an IANA name, such as Europe/Zurich
        #[arg(long, default_value = "UTC")]
        zone: String,
    },
    /// Make an instrument known, or change what is known of it
    ///
    /// Jobs go to registered instruments only. Its agent needs a token with the scope work:bench.
    Register {
        /// As its agent names it with --instrument, e.g. ot2
        name: String,
        /// What it can do: dispense.liquid, move.plate, incubate.plate or read.plate (repeat, or separate by
        /// commas)
        #[arg(long = "capability", required = true, value_delimiter = ',', value_parser = capability)]
        capabilities: Vec<String>,
        /// Its places, as JSON: {"slots": ["1"]} for an incubator or a reader; {"destination_slot": "1",
        /// "source_slots": ["2"], "tip_rack_slots": ["10"], "tips_per_rack": 96} for a liquid handler. For the calendar's
        /// forecasts, a handler's "seconds_per_transfer" and a reader's "minutes_per_plate"
        #[arg(long, default_value = "{}", value_parser = profile)]
        profile: Value,
    },
    /// Begin nothing on it; a step that has begun is brought to its end
    Pause {
        name: String,
        #[command(flatten)]
        why: Why,
    },
    /// Do only what belongs to plates that have begun; then it is in maintenance
    Drain {
        name: String,
        #[command(flatten)]
        why: Why,
    },
    /// Put it back into service
    Resume {
        name: String,
        #[arg(long)]
        reason: String,
    },
    /// Ask what runs on it to stop at its next safe point; it is in maintenance
    Cancel {
        name: String,
        #[command(flatten)]
        why: Why,
    },
    /// Take an instrument into or out of service
    Set { name: String, state: State },
}

#[derive(Debug, Args)]
pub struct Why {
    /// For the record
    #[arg(long)]
    reason: String,
    /// When it is expected back (laboratory time, RFC 3339); it does not come back by itself
    #[arg(long)]
    until: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum State {
    #[value(alias = "in_service")]
    InService,
    Maintenance,
    Retired,
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List => output.list(
            &client.get("/api/v1/instruments").await?,
            &[
                ("/name", "name"),
                ("/state", "state"),
                ("/capabilities", "capabilities"),
                ("/last_seen_at", "last seen"),
            ],
            "No instruments yet: loopwright instrument register NAME --capability read.plate --profile JSON",
        ),
        Command::Show { name } => output.record(&client.get(&format!("/api/v1/instruments/{name}")).await?),
        Command::Work { name, days, zone } => {
            let query = [("days", days.to_string()), ("zone", zone)];
            let route = format!("/api/v1/instruments/{name}/work");
            let asked = asked(&route, query.iter().map(|(key, value)| (*key, value.as_str())));
            let work = client.get(&asked).await?;
            output.done(&work, in_words(&work).trim_end())
        }
        Command::Register { name, capabilities, profile } => {
            let body = json!({"capabilities": capabilities, "profile": profile});
            let answer = client.put_json(&format!("/api/v1/instruments/{name}"), &body).await?;
            output.done(&answer, &format!("{name} is registered; its agent may ask for work"))
        }
        Command::Pause { name, why } => order(client, output, &name, "pause", &why).await,
        Command::Drain { name, why } => order(client, output, &name, "drain", &why).await,
        Command::Resume { name, reason } => {
            order(client, output, &name, "resume", &Why { reason, until: None }).await
        }
        Command::Cancel { name, why } => order(client, output, &name, "cancel", &why).await,
        Command::Set { name, state } => {
            let word = match state {
                State::InService => "in_service",
                State::Maintenance => "maintenance",
                State::Retired => "retired",
            };
            let mut record = client.get(&format!("/api/v1/instruments/{name}")).await?;
            record["state"] = json!(word);
            let body = json!({
                "capabilities": record["capabilities"], "profile": record["profile"], "state": word,
            });
            let answer = client.put_json(&format!("/api/v1/instruments/{name}"), &body).await?;
            output.done(&answer, &format!("{name} is {word}"))
        }
    }
}

/// What waits, then a line for each kind and each day.
fn in_words(work: &Value) -> String {
    let count = |of: &Value| of.as_u64().unwrap_or(0).to_string();
    let mut text = format!(
        "{} running, {} ready, {} waiting, {} in doubt\n",
        count(&work["running"]),
        count(&work["ready"]),
        count(&work["waiting"]),
        count(&work["in_doubt"])
    );
    let rows = |list: &Value, row: &dyn Fn(&Value) -> Vec<String>| -> Vec<Vec<String>> {
        list.as_array().into_iter().flatten().map(row).collect()
    };
    let kinds = rows(&work["kinds"], &|of| {
        let median = of["median_seconds"].as_f64();
        vec![
            of["kind"].as_str().unwrap_or("?").to_owned(),
            count(&of["succeeded"]),
            count(&of["not_succeeded"]),
            median.map_or("-".to_owned(), |seconds| format!("{:.1}", seconds / 60.0)),
        ]
    });
    if !kinds.is_empty() {
        text.push('\n');
        text.push_str(&table(&["kind", "succeeded", "not", "median minutes"], &kinds));
    }
    let days = rows(&work["days"], &|of| {
        let hours = of["busy_seconds"].as_f64().unwrap_or(0.0) / 3600.0;
        vec![
            of["day"].as_str().unwrap_or("?").to_owned(),
            count(&of["succeeded"]),
            count(&of["not_succeeded"]),
            format!("{hours:.1}"),
        ]
    });
    text.push('\n');
    text.push_str(&table(&["day", "succeeded", "not", "hours busy"], &days));
    if work["cut"].as_bool() == Some(true) {
        text.push_str("(the first days lack what came before the newest 5,000 jobs)\n");
    }
    text
}

async fn order(client: &Client, output: Output, name: &str, verb: &str, why: &Why) -> anyhow::Result<()> {
    let body = json!({"reason": why.reason, "back_lab_at": why.until});
    let answer = client.post(&format!("/api/v1/instruments/{name}/{verb}"), &body).await?;
    let state = answer["instrument"]["state"].as_str().unwrap_or("?");
    let stopping = match answer["stopping"].as_u64() {
        Some(jobs) if jobs > 0 => format!("; {jobs} jobs on it are asked to stop"),
        _ => String::new(),
    };
    output.done(&answer, &format!("{name} is {state}{stopping}"))
}

fn capability(word: &str) -> anyhow::Result<String> {
    let devices = Kind::ALL.into_iter().filter(|kind| kind.queue() == Kind::Read.queue());
    let known: Vec<&str> = devices.map(Kind::capability).collect();
    if known.contains(&word) { Ok(word.to_owned()) } else { bail!("one of: {}", known.join(", ")) }
}

fn profile(text: &str) -> anyhow::Result<Value> {
    let profile: Value = serde_json::from_str(text).context("not JSON")?;
    if profile.is_object() { Ok(profile) } else { bail!("a JSON object, such as {{\"slots\": [\"1\"]}}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_an_instrument_reads_as_a_table() {
        let work = json!({"running": 1, "ready": 2, "waiting": 0, "in_doubt": 0, "cut": false,
            "kinds": [{"kind": "read", "succeeded": 3, "not_succeeded": 1, "median_seconds": 90.0}],
            "days": [{"day": "2026-11-30", "succeeded": 3, "not_succeeded": 1, "busy_seconds": 5400.0}]});
        let expected = "1 running, 2 ready, 0 waiting, 0 in doubt\n\n\
            kind  succeeded  not  median minutes\nread  3          1    1.5\n\n\
            day         succeeded  not  hours busy\n2026-11-30  3          1    1.5\n";
        assert_eq!(in_words(&work), expected);
    }

    #[test]
    fn a_capability_that_no_job_asks_for_is_refused_with_those_that_are() {
        assert_eq!(capability("read.plate").expect("known"), "read.plate");
        let refused = capability("read.plates").expect_err("unknown").to_string();
        assert_eq!(refused, "one of: dispense.liquid, move.plate, incubate.plate, read.plate");
        assert!(profile("[1]").is_err() && profile("{\"slots\": [\"1\"]}").is_ok());
    }
}
