//! `loopwright channel add-..`

use crate::cli::client::Client;
use crate::cli::output::Output;
use crate::notifications::{Severity, Topic};
use anyhow::Context;
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// What a channel wants to be told.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only this topic, e.g. batch.waiting (repeat, or separate by commas; without it: every topic)
    #[arg(long = "topic", value_delimiter = ',', value_parser = topic)]
    topics: Vec<Topic>,
    /// From this severity on: info, warning or critical
    #[arg(long, default_value = "info", value_parser = severity)]
    severity: Severity,
    /// Only what belongs to this project (its id)
    #[arg(long)]
    project: Option<uuid::Uuid>,
    /// 0: told when a notification opens; 1 to 3: told only with that escalation, when nobody acknowledged
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3))]
    level: u32,
}

pub(super) async fn add(
    client: &Client,
    output: Output,
    name: &str,
    kind: &str,
    target: &str,
    secret: Option<String>,
    filter: Filter,
) -> anyhow::Result<()> {
    let mut body = json!({
        "name": name, "kind": kind, "target": target, "topics": filter.topics,
        "minimum_severity": filter.severity, "project_id": filter.project, "escalation_level": filter.level,
    });
    if let Some(secret) = secret {
        body["secret"] = json!(secret);
    }
    let answer = client.post("/api/v1/channels", &body).await?;
    if output.json {
        return output.raw(&answer);
    }
    match answer["secret"].as_str() {
        Some(secret) => {
            eprintln!("{name} is added. Its signing secret; keep it now, it is not shown again:");
            println!("{secret}");
        }
        None => println!("{name} is added"),
    }
    eprintln!("Try it: loopwright channel test {name}");
    Ok(())
}

/// The one line of a file that holds a secret; `-`: of the standard input.
pub(super) fn line_of(file: &Path) -> anyhow::Result<String> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read the standard input")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    Ok(text.trim().to_owned())
}

fn topic(word: &str) -> anyhow::Result<Topic> {
    word.parse().with_context(|| {
        let all: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        format!("one of: {}", all.join(", "))
    })
}

fn severity(word: &str) -> anyhow::Result<Severity> {
    word.parse().context("one of: info, warning, critical")
}
