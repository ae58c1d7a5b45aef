//! `loopwright model screen`.

use super::super::client::Client;
use super::super::output::Output;
use super::predict::contexts_of;
use super::question;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub const EXAMPLES: &str = "\
Examples:
  loopwright model screen ifng --known --top 500 --output best.csv
  loopwright model screen ifng --pairs genes.txt --context donor1 --rank-by mean-down
  loopwright model screen ifng --experiments mine.csv --rank-by upper-bound --beta 2";

#[derive(Debug, Args)]
pub struct Arguments {
    /// The campaign's id or name
    campaign: String,
    #[command(flatten)]
    space: SpaceArguments,
    /// In this context; may be left out where the campaign has but one
    #[arg(long, conflicts_with = "experiments")]
    context: Option<String>,
    /// What stands first
    #[arg(long, value_enum, default_value_t = RankBy::HitProbability)]
    rank_by: RankBy,
    /// Epistemic standard deviations that a bound adds
    #[arg(long, default_value_t = 1.0)]
    beta: f64,
    /// How many of the best are kept
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    top: u32,
    /// Write all that are kept to this file, as CSV, best first
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Ask this version of the model, not the one in use
    #[arg(long)]
    model_version: Option<u32>,
    /// Also in a context that the campaign does not have
    #[arg(long)]
    new_context: bool,
    /// How long to wait for the answer, in seconds
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait_seconds: u64,
}

/// What is ranked.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SpaceArguments {
    /// Every edit that the features or other screens know, alone
    #[arg(long)]
    known: bool,
    /// Each of the edits in this file, alone: one name a line, or a CSV with a column `gene`
    #[arg(long)]
    genes: Option<PathBuf>,
    /// Every two of the edits in this file (at most 6,000 edits)
    #[arg(long)]
    pairs: Option<PathBuf>,
    /// The experiments of this CSV `perturbation,context` (at most 2 million)
    #[arg(long)]
    experiments: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RankBy {
    HitProbability,
    MeanUp,
    MeanDown,
    /// Highest mean plus `beta` epistemic sd
    UpperBound,
    /// Lowest mean minus `beta` epistemic sd
    LowerBound,
}

/// Of the best, on a screen.
const SHOWN: usize = 20;
const COLUMNS: &[(&str, &str)] = &[
    ("/rank", "rank"),
    ("/perturbation", "perturbation"),
    ("/context", "context"),
    ("/mean", "mean"),
    ("/epistemic_sd", "epistemic sd"),
    ("/aleatoric_sd", "aleatoric sd"),
    ("/hit_probability", "hit"),
    ("/score", "score"),
];

pub async fn run(arguments: Arguments, client: &Client, output: Output) -> anyhow::Result<()> {
    let campaign = client.campaign(&arguments.campaign).await?;
    let question = json!({
        "space": space(&arguments, &campaign, client).await?,
        "rank_by": rule(arguments.rank_by, arguments.beta),
        "keep": arguments.top,
        "model_version": arguments.model_version,
        "new_context": arguments.new_context,
    });
    let route = format!("/api/v1/campaigns/{campaign}/screens");
    let answer = question::put(client, route, question, arguments.wait_seconds).await?;
    show(&answer, arguments.output.as_deref(), client, output).await
}

fn rule(rank_by: RankBy, beta: f64) -> Value {
    match rank_by {
        RankBy::HitProbability => json!({"name": "hit_probability"}),
        RankBy::MeanUp => json!({"name": "mean_up"}),
        RankBy::MeanDown => json!({"name": "mean_down"}),
        RankBy::UpperBound => json!({"name": "upper_bound", "beta": beta}),
        RankBy::LowerBound => json!({"name": "lower_bound", "beta": beta}),
    }
}

async fn space(arguments: &Arguments, campaign: &str, client: &Client) -> anyhow::Result<Value> {
    if let Some(path) = &arguments.space.experiments {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(json!({"of": "table", "table": client.put_blob(bytes).await?}));
    }
    let context = match &arguments.context {
        Some(context) => context.clone(),
        None => only(&contexts_of(client, campaign).await?)?,
    };
    Ok(match (&arguments.space.genes, &arguments.space.pairs) {
        (Some(path), _) => json!({"of": "singles", "edits": edits(path)?, "context": context}),
        (_, Some(path)) => json!({"of": "pairs", "edits": edits(path)?, "context": context}),
        _ => json!({"of": "known", "context": context}),
    })
}

fn only(contexts: &[String]) -> anyhow::Result<String> {
    match contexts {
        [context] => Ok(context.clone()),
        _ => bail!("say in which context, with --context: the campaign has {}", contexts.join(", ")),
    }
}

/// The names of a file: its column `gene`, or its lines.
fn edits(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let headings = text.lines().next().unwrap_or_default();
    let names: Vec<String> = match headings.split(',').position(|heading| heading.trim() == "gene") {
        None => text.lines().map(|line| line.trim().to_owned()).collect(),
        Some(column) => {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
            let rows = rows.with_context(|| format!("cannot read {}", path.display()))?;
            rows.iter().map(|row| row.get(column).unwrap_or_default().trim().to_owned()).collect()
        }
    };
    Ok(names.into_iter().filter(|name| !name.is_empty()).collect())
}

/// Prints an answer, and writes the whole ranking to `file`.
pub async fn show(
    answer: &Value,
    file: Option<&Path>,
    client: &Client,
    output: Output,
) -> anyhow::Result<()> {
    if let Some(path) = file {
        let ranking = answer["ranking"].as_str().context("the server's answer names no ranking")?;
        let bytes = client.get_bytes(&format!("/api/v1/blobs/{ranking}")).await?;
        std::fs::write(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("The ranking is in {}", path.display());
    }
    if output.json {
        return output.raw(answer);
    }
    let best: Vec<Value> = answer["best"].as_array().into_iter().flatten().take(SHOWN).cloned().collect();
    output.list(&json!({"items": best}), COLUMNS, "Nothing was ranked")?;
    let kept = answer["summary"]["kept"].as_u64().unwrap_or(0);
    if kept > best.len() as u64 {
        println!("(the first {} of {kept}; --output writes all, --json shows up to 100)", best.len());
    }
    println!();
    print!("{}", in_words(answer));
    Ok(())
}

/// The whole space beside its best.
fn in_words(answer: &Value) -> String {
    let summary = &answer["summary"];
    let number = |name: &str| summary[name].as_f64().unwrap_or(0.0);
    let mut text = format!(
        "{} experiments in {:.1} s by version {} of the model, trained on {} rows (job {}).\n",
        summary["experiments"],
        answer["screen_seconds"].as_f64().unwrap_or(0.0),
        answer["model_version"],
        answer["training_rows"],
        answer["job_id"].as_str().unwrap_or("?"),
    );
    text.push_str(&format!(
        "Hits expected: {:.1} (mean probability {:.4}). Predicted means: {:.3} give or take {:.3}, {:.3} to {:.3}.\n",
        number("expected_hits"),
        number("mean_hit_probability"),
        number("mean"),
        number("mean_sd"),
        number("lowest_mean"),
        number("highest_mean"),
    ));
    let quantiles = summary["hit_probability_quantiles"].as_array().into_iter().flatten();
    let quantiles: Vec<String> = quantiles
        .filter_map(|it| Some((it["share"].as_f64()?, it["value"].as_f64()?)))
        .map(|(share, value)| format!("{} % up to {value:.4}", 100.0 * share))
        .collect();
    text.push_str(&format!("Hit probability: {}.\n", quantiles.join(", ")));
    let bins: Vec<u64> = summary["hit_probability_histogram"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let width = 1.0 / bins.len().max(1) as f64;
    for (place, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (from, to) = (width * place as f64, width * (place + 1) as f64);
        text.push_str(&format!("  {from:.2} to {to:.2}  {count}\n"));
    }
    let unknown = number("with_unknown_edits");
    if unknown > 0.0 {
        text.push_str(&format!(
            "{unknown} of them have an edit that neither the features nor other screens know.\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        edits(file.path()).expect("names")
    }

    #[test]
    fn edits_are_lines_or_the_column_of_genes() {
        assert_eq!(names("CBLB\n\n RASA2 \n"), ["CBLB", "RASA2"]);
        assert_eq!(names("tags,gene\nx,CBLB\n\"a,b\",RASA2\n"), ["CBLB", "RASA2"]);
        assert_eq!(names("gene\nCBLB\n"), ["CBLB"]);
    }

    #[test]
    fn several_contexts_have_to_be_told_apart() {
        let of = |names: &[&str]| only(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["donor1"]).expect("one"), "donor1");
        let error = of(&["donor1", "donor2"]).expect_err("two").to_string();
        assert!(error.contains("--context") && error.contains("donor1, donor2"), "{error}");
    }

    #[test]
    fn the_space_is_told_beside_its_best() {
        let answer = json!({
            "job_id": "J", "model_version": 3, "training_rows": 640, "screen_seconds": 2.25,
            "summary": {
                "experiments": 1225, "kept": 3, "with_unknown_edits": 49, "expected_hits": 12.25,
                "mean_hit_probability": 0.01, "hit_probability_quantiles": [{"share": 0.5, "value": 0.0031}],
                "hit_probability_histogram": [1000, 225, 0, 0], "mean": 0.5, "mean_sd": 0.25,
                "lowest_mean": -1.0, "highest_mean": 2.0,
            },
        });
        insta::assert_snapshot!(in_words(&answer), @"
        1225 experiments in 2.2 s by version 3 of the model, trained on 640 rows (job J).
        Hits expected: 12.2 (mean probability 0.0100). Predicted means: 0.500 give or take 0.250, -1.000 to 2.000.
        Hit probability: 50 % up to 0.0031.
          0.00 to 0.25  1000
          0.25 to 0.50  225
        49 of them have an edit that neither the features nor other screens know.
        ");
    }
}
