//! A learner without a model: it proposes by name, and says so.

use super::devices::outcome;
use anyhow::Context as _;
use async_trait::async_trait;
use jobs::work::learn::{ModelMetrics, Prediction, Proposal, Propose, ProposeResult, Train, TrainResult};
use jobs::work::{Outcome, Output};
use jobs::worker::{Attempt, Begun, Handler};
use jobs::{Context, Digest, Experiment, Perturbation, Work};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

const PREDICTION: Prediction =
    Prediction { mean: 0.3, epistemic_sd: 0.3, aleatoric_sd: 0.1, hit_probability: 0.2 };
const CODE_VERSION: &str = "bench";

/// The pool of a campaign, read once.
struct Pool {
    experiments: Vec<Experiment>,
    /// Its posterior: always the same.
    posterior: String,
}

#[derive(Default)]
pub struct Learner {
    pools: Mutex<HashMap<Digest, Arc<Pool>>>,
}

#[async_trait]
impl Handler for Learner {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        if let Err(not_begun) = attempt.begin("at once").await {
            return not_begun.into();
        }
        outcome(match &attempt.lease().work {
            Work::Train(job) => train(attempt, job).await,
            Work::Propose(job) => self.propose(attempt, job).await,
            other => unreachable!("the learner is given {}", other.kind()),
        })
    }

    async fn recover(&self, _begun: &Begun) -> Option<Outcome> {
        None
    }
}

impl Learner {
    async fn propose(&self, attempt: &Attempt, job: &Propose) -> anyhow::Result<Output> {
        let pool = self.pool(attempt, job.inputs.pool).await?;
        let barred: HashSet<&Experiment> = job.excluded.iter().chain(&job.pending).collect();
        let mut free = pool.experiments.iter().filter(|it| !barred.contains(it)).map(proposal);
        let proposals = free.by_ref().take(job.batch_size as usize).collect();
        let runners_up = free.take(job.runners_up as usize).collect();
        Ok(Output::Propose(ProposeResult {
            proposals,
            runners_up,
            explanation: String::new(),
            posterior: attempt.put_blob(&pool.posterior).await?,
            checkpoint: job.checkpoint,
            code_version: CODE_VERSION.to_owned(),
            select_seconds: 0.0,
        }))
    }

    async fn pool(&self, attempt: &Attempt, digest: Digest) -> anyhow::Result<Arc<Pool>> {
        if let Some(pool) = self.known().get(&digest) {
            return Ok(pool.clone());
        }
        let bytes = attempt.get_blob(digest).await?;
        let pool = Arc::new(Pool::parse(std::str::from_utf8(&bytes)?)?);
        self.known().insert(digest, pool.clone());
        Ok(pool)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Columns `perturbation,context`, nothing quoted.
    fn parse(csv: &str) -> anyhow::Result<Self> {
        let mut experiments = Vec::new();
        let mut posterior =
            "perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score\n".to_owned();
        let Prediction { mean, epistemic_sd, aleatoric_sd, hit_probability } = PREDICTION;
        for line in csv.lines().skip(1) {
            let (edits, context) = line.split_once(',').context("not a row of the pool")?;
            let perturbation = Perturbation::new(edits.split('+'))?;
            experiments.push(Experiment { perturbation, context: Context(context.to_owned()) });
            let _ =
                writeln!(posterior, "{line},{mean},{epistemic_sd},{aleatoric_sd},{hit_probability},{mean}");
        }
        Ok(Self { experiments, posterior })
    }
}

fn proposal(experiment: &Experiment) -> Proposal {
    Proposal {
        experiment: experiment.clone(),
        prediction: PREDICTION,
        score: PREDICTION.mean,
        reason: "next by name".to_owned(),
        readouts: vec![],
        feasibility: None,
    }
}

/// As of a learner whose folds speak for its model: each version is promoted.
async fn train(attempt: &Attempt, job: &Train) -> anyhow::Result<Output> {
    let rows = u64::from(job.inputs.data_cut.is_some());
    let training = ModelMetrics { training_rows: rows, ..ModelMetrics::default() };
    let (score, covered) = (Some(-1.0), Some(0.9));
    let judged = ModelMetrics {
        held_out_rows: rows,
        held_out_log_score: score,
        coverage_90: covered,
        ..training.clone()
    };
    Ok(Output::Train(TrainResult {
        checkpoint: attempt.put_blob(format!("checkpoint of seed {}", job.inputs.seed)).await?,
        code_version: CODE_VERSION.to_owned(),
        metrics: if rows == 0 { training } else { judged },
        train_seconds: 0.0,
    }))
}
