//! A learner without a model: proposes by name, and says so.

use super::world::is_hit;
use jobs::work::Output;
use jobs::work::learn::{ModelMetrics, Prediction, Proposal, Propose, ProposeResult, Train, TrainResult};
use jobs::work::readout::{ReadoutPrediction, ReadoutSays};
use jobs::{Digest, Experiment};
use orchestrator::engine::Engine;
use orchestrator::ids::ActorId;
use std::fmt::Write as _;

pub async fn train(engine: &Engine, by: ActorId, job: &Train) -> Output {
    let rows = match job.inputs.data_cut {
        Some(digest) => {
            engine.blobs.read(digest).await.expect("the data cut is there").split(|b| *b == b'\n').count()
        }
        None => 0,
    };
    let checkpoint =
        store(engine, by, format!("checkpoint of seed {} on {rows} rows", job.inputs.seed)).await;
    Output::Train(TrainResult {
        checkpoint,
        code_version: "test".into(),
        metrics: metrics(rows as u64),
        train_seconds: 0.0,
    })
}

/// As of a learner whose folds speak for it.
fn metrics(rows: u64) -> ModelMetrics {
    let training = ModelMetrics { training_rows: rows, ..ModelMetrics::default() };
    if rows == 0 {
        return training;
    }
    let (score, covered) = (Some(-1.0), Some(0.9));
    ModelMetrics { held_out_rows: rows, held_out_log_score: score, coverage_90: covered, ..training }
}

pub async fn propose(engine: &Engine, by: ActorId, job: &Propose) -> Output {
    let pool = engine.blobs.read(job.inputs.pool).await.expect("the pool is there");
    let mut reader = csv::Reader::from_reader(pool.as_ref());
    let all: Vec<Experiment> = reader.deserialize().map(|row| row.expect("a row of the pool")).collect();
    let mut posterior =
        "perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score\n".to_owned();
    for experiment in &all {
        let p = prediction(experiment);
        writeln!(
            posterior,
            "{},{},{},{},{},{},{}",
            experiment.perturbation,
            experiment.context,
            p.mean,
            p.epistemic_sd,
            p.aleatoric_sd,
            p.hit_probability,
            p.mean
        )
        .expect("a string");
    }
    let free = all
        .into_iter()
        .filter(|e| !job.excluded.contains(e) && !job.pending.contains(e) && !job.excludes_gene_of(e));
    // One after the other while there is money, and then no more.
    let mut money = job.prices.as_ref().map_or(f64::INFINITY, |prices| prices.budget);
    let mut pays = |experiment: &Experiment| {
        money -= job.prices.as_ref().map_or(0.0, |prices| prices.of(experiment));
        money >= 0.0
    };
    // As many again as may be, behind what is new.
    let again = job.repeats.iter().flat_map(|it| it.experiments.iter().take(it.at_most as usize));
    let again: Vec<Proposal> = again.cloned().map(proposal).collect();
    let (batch, rest): (Vec<_>, Vec<_>) =
        free.enumerate().partition(|(place, it)| *place + again.len() < job.batch_size as usize && pays(it));
    let mut proposals: Vec<Proposal> = batch.into_iter().map(|(_, it)| proposal(it)).collect();
    proposals.extend(again);
    let runners_up = rest.into_iter().take(job.runners_up as usize).map(|(_, it)| proposal(it)).collect();
    Output::Propose(ProposeResult {
        proposals,
        runners_up,
        explanation: "All exploit: next by name.".into(),
        posterior: store(engine, by, posterior).await,
        checkpoint: job.checkpoint,
        code_version: "test".into(),
        select_seconds: 0.0,
    })
}

fn prediction(experiment: &Experiment) -> Prediction {
    let hit = experiment.perturbation.edits().iter().any(|edit| is_hit(edit));
    let mean = if hit { 0.75 } else { 0.1 };
    Prediction { mean, epistemic_sd: 0.2, aleatoric_sd: 0.1, hit_probability: if hit { 0.6 } else { 0.1 } }
}

fn proposal(experiment: Experiment) -> Proposal {
    let prediction = prediction(&experiment);
    Proposal {
        experiment,
        prediction,
        score: prediction.mean,
        reason: "next by name".into(),
        readouts: vec![viability(0.9)],
        feasibility: Some(0.9),
    }
}

/// What it says of a further readout, with a constraint that holds so likely.
pub fn viability(feasibility: f64) -> ReadoutPrediction {
    let says = ReadoutSays::Value { mean: 0.95, epistemic_sd: 0.03, aleatoric_sd: 0.04 };
    ReadoutPrediction { readout: "viability".into(), says, feasibility: Some(feasibility) }
}

async fn store(engine: &Engine, by: ActorId, text: String) -> Digest {
    engine.blobs.put_bytes(&engine.pool, text.into(), "text/plain", by).await.expect("a blob")
}
