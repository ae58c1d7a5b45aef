//! `loopwright model predict`.

use super::super::client::Client;
use super::super::output::Output;
use super::super::page::asked;
use super::question;
use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub const EXAMPLES: &str = "\
Examples:
  loopwright model predict ifng CBLB CBLB+RASA2 --context donor1
  loopwright model predict ifng --file experiments.csv --model-version 2 --json";

/// With the campaign first: a group of arguments would be put before it.
const USAGE: &str = "loopwright model predict [OPTIONS] <CAMPAIGN> [PERTURBATIONS]... [--file <FILE>]";

#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
#[command(group(ArgGroup::new("asked").args(["perturbations", "file"]).required(true).multiple(true)))]
pub struct Arguments {
    /// The campaign's id or name
    campaign: String,
    /// Edits joined by `+`
    perturbations: Vec<String>,
    /// In this context (several: each in all of them); all of the campaign's when absent
    #[arg(long)]
    context: Vec<String>,
    /// More experiments, from a CSV with a column `perturbation` and, if they are not for every context, `context`
    #[arg(long)]
    file: Option<PathBuf>,
    /// Ask this version of the model, not the one in use
    #[arg(long)]
    model_version: Option<u32>,
    /// Also in contexts that the campaign does not have
    #[arg(long)]
    new_context: bool,
    /// Look up what the latest round's model said of its pool: at once, without a learner
    #[arg(long, conflicts_with = "model_version")]
    stored: bool,
    /// How long to wait for a learner, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait_seconds: u64,
}

/// Rows of notes that are named before the rest is counted.
const NAMED: usize = 4;
const COLUMNS: &[(&str, &str)] = &[
    ("/perturbation", "perturbation"),
    ("/context", "context"),
    ("/mean", "mean"),
    ("/of_50", "50 %"),
    ("/of_80", "80 %"),
    ("/of_90", "90 %"),
    ("/epistemic_sd", "epistemic sd"),
    ("/aleatoric_sd", "aleatoric sd"),
    ("/hit_probability", "hit"),
];

pub async fn run(arguments: Arguments, client: &Client, output: Output) -> anyhow::Result<()> {
    let campaign = client.campaign(&arguments.campaign).await?;
    let experiments = experiments(&arguments, &campaign, client).await?;
    let route = format!("/api/v1/campaigns/{campaign}/predictions");
    if arguments.stored {
        return stored(client, &route, &experiments, output).await;
    }
    let question = json!({
        "experiments": experiments,
        "model_version": arguments.model_version,
        "new_context": arguments.new_context,
    });
    show(&question::put(client, route, question, arguments.wait_seconds).await?, output)
}

/// Those of the command line in each context, then those of the file.
async fn experiments(arguments: &Arguments, campaign: &str, client: &Client) -> anyhow::Result<Vec<Value>> {
    let rows = arguments.file.as_deref().map(read).transpose()?.unwrap_or_default();
    let named = arguments.perturbations.iter().map(|perturbation| (perturbation.clone(), None));
    let all: Vec<(String, Option<String>)> = named.chain(rows).collect();
    let mut contexts = arguments.context.clone();
    if contexts.is_empty() && all.iter().any(|(_, context)| context.is_none()) {
        contexts = contexts_of(client, campaign).await?;
    }
    let mut experiments = Vec::new();
    for (perturbation, context) in all {
        let own = context.map(|context| vec![context]);
        for context in own.as_ref().unwrap_or(&contexts) {
            experiments.push(json!({"perturbation": perturbation, "context": context}));
        }
    }
    Ok(experiments)
}

/// The contexts of the campaign, in its order.
pub async fn contexts_of(client: &Client, campaign: &str) -> anyhow::Result<Vec<String>> {
    let found = client.get(&format!("/api/v1/campaigns/{campaign}")).await?;
    let contexts = found.pointer("/spec/design/contexts").and_then(Value::as_array);
    Ok(contexts.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Perturbations with their contexts, where the table says them.
fn read(path: &Path) -> anyhow::Result<Vec<(String, Option<String>)>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let headings = reader.headers().with_context(|| format!("cannot read {}", path.display()))?.clone();
    let column = |name: &str| headings.iter().position(|heading| heading.trim() == name);
    let Some(perturbation) = column("perturbation") else {
        bail!("{} has no column `perturbation`; its columns are {}", path.display(), headings.as_slice());
    };
    let context = column("context");
    let mut rows = Vec::new();
    for (line, row) in (2..).zip(reader.records()) {
        let row = row.with_context(|| format!("line {line} of {} cannot be read", path.display()))?;
        let named = row.get(perturbation).unwrap_or_default().trim().to_owned();
        if named.is_empty() {
            bail!("line {line} of {} names no perturbation", path.display());
        }
        let context = context.and_then(|column| row.get(column)).map(str::trim);
        rows.push((named, context.filter(|it| !it.is_empty()).map(str::to_owned)));
    }
    Ok(rows)
}

/// Prints an answer: a table, and below it what it rests on.
pub fn show(answer: &Value, output: Output) -> anyhow::Result<()> {
    if output.json {
        return output.raw(answer);
    }
    let predictions = answer["predictions"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Value> = predictions.iter().map(row).collect();
    output.list(&json!({"items": rows}), COLUMNS, "Nothing was asked")?;
    println!();
    println!("By version {} of the model (job {}).", answer["model_version"], text(&answer["job_id"]));
    for (names, note) in notes(&predictions) {
        println!("{names}: {note}");
    }
    Ok(())
}

/// A prediction with its intervals as text.
fn row(prediction: &Value) -> Value {
    let mut row = prediction.clone();
    for of in ["of_50", "of_80", "of_90"] {
        row[of] = interval(&prediction["intervals"][of]).into();
    }
    row
}

fn interval(ends: &Value) -> String {
    match (ends[0].as_f64(), ends[1].as_f64()) {
        (Some(low), Some(high)) => format!("{low:.3} to {high:.3}"),
        _ => "-".to_owned(),
    }
}

/// Each note once, with the experiments that it is of.
fn notes(predictions: &[Value]) -> Vec<(String, String)> {
    let mut notes: Vec<(Vec<String>, &str)> = Vec::new();
    for prediction in predictions {
        let name = format!("{} in {}", text(&prediction["perturbation"]), text(&prediction["context"]));
        let note = text(&prediction["note"]);
        match notes.iter_mut().find(|(_, known)| *known == note) {
            Some((names, _)) => names.push(name),
            None => notes.push((vec![name], note)),
        }
    }
    let named = |(names, note): (Vec<String>, &str)| {
        let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let rest = names.len().saturating_sub(NAMED);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        (format!("{shown}{rest}"), note.to_owned())
    };
    notes.into_iter().map(named).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// What was said before the latest batch, one look-up an experiment.
async fn stored(client: &Client, route: &str, experiments: &[Value], output: Output) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for one in experiments {
        let query = [("perturbation", text(&one["perturbation"])), ("context", text(&one["context"]))];
        found.push(client.get(&asked(route, query)).await?);
    }
    let columns = [
        ("/perturbation", "perturbation"),
        ("/context", "context"),
        ("/mean", "mean"),
        ("/epistemic_sd", "epistemic sd"),
        ("/aleatoric_sd", "aleatoric sd"),
        ("/hit_probability", "hit"),
        ("/round", "said in round"),
    ];
    output.list(&json!({"items": found}), &columns, "Nothing was asked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> anyhow::Result<Vec<(String, Option<String>)>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        read(file.path())
    }

    #[test]
    fn a_table_names_a_context_or_leaves_it_open() {
        let rows = table("context,perturbation\ndonor1,A+B\n, C\n").expect("a table");
        let named = |key: &str, context: Option<&str>| (key.to_owned(), context.map(str::to_owned));
        assert_eq!(rows, [named("A+B", Some("donor1")), named("C", None)]);
        assert_eq!(table("perturbation\nA\n").expect("a table"), [named("A", None)]);
    }

    #[test]
    fn a_table_that_cannot_be_used_says_where() {
        let error = table("gene\nA\n").expect_err("no column").to_string();
        assert!(error.contains("no column `perturbation`"), "{error}");
        let error = table("perturbation,context\nA,x\n,x\n").expect_err("a gap").to_string();
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn each_note_stands_once() {
        let of = |name: &str, note: &str| json!({"perturbation": name, "context": "x", "note": note});
        let all: Vec<Value> = ["A", "B", "C", "D", "E", "F"].iter().map(|name| of(name, "same")).collect();
        let mut predictions = all;
        predictions.push(of("G", "other"));
        let expected = [("A in x, B in x, C in x, D in x and 2 more", "same"), ("G in x", "other")];
        assert_eq!(notes(&predictions), expected.map(|(names, note)| (names.to_owned(), note.to_owned())));
    }
}
