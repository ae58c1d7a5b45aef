//! Between the queue and the model thread: fetch, perform, store, report.

use crate::model::Stop;
use crate::worker::blobs::Blobs;
use crate::worker::model_thread::ModelThread;
use crate::worker::progress::Progress;
use crate::worker::steps::Step;
use crate::worker::tasks::{Answer, Material, Task};
use crate::{CODE_VERSION, Error};
use async_trait::async_trait;
use bytes::Bytes;
use jobs::crash::{self, Moment};
use jobs::work::learn::{ModelInputs, ProposeResult, TrainResult};
use jobs::work::screen::{Screen, ScreenResult, Space};
use jobs::work::{Outcome, Output};
use jobs::worker::{Attempt, Begun, Halt, Handler, NotBegun};
use jobs::{Digest, Failure, FailureClass, Work};
use std::convert::Infallible;
use std::time::Duration;

/// How often a long task is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Answers the learner's kinds of jobs, one at a time, on a thread of its own.
pub struct LearnerHandler {
    blobs: Blobs,
    thread: ModelThread,
}

/// Why an attempt did not succeed.
enum Ended {
    NotBegun(NotBegun),
    Halted(Halt),
    ShuttingDown,
    Failed(Failure),
}

impl LearnerHandler {
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str) -> std::io::Result<Self> {
        Ok(Self { blobs: Blobs::default(), thread: ModelThread::start(name)? })
    }

    async fn answer(&self, attempt: &Attempt) -> Result<Output, Ended> {
        attempt.begin(attempt.operation_id()).await.map_err(Ended::NotBegun)?;
        attempt.progress("fetching tables", Some(0.0));
        crash::point(Step::Fetch, Moment::Before).await;
        let (task, named_checkpoint) = self.task(attempt).await?;
        crash::point(Step::Fetch, Moment::After).await;
        attempt.progress("computing", Some(0.1));
        let answer = self.compute(attempt, task).await?;
        attempt.progress("storing", Some(0.95));
        crash::point(Step::Keep, Moment::Before).await;
        let output = store(attempt, answer, named_checkpoint).await.map_err(Ended::Failed)?;
        crash::point(Step::Keep, Moment::After).await;
        Ok(output)
    }

    async fn task(&self, attempt: &Attempt) -> Result<(Task, Option<Digest>), Ended> {
        match &attempt.lease().work {
            Work::Train(train) => {
                let mut material = self.material(attempt, &train.inputs, None).await?;
                for shadow in &train.shadows {
                    let checkpoint = self.fetch(attempt, shadow.checkpoint).await?;
                    let cut = match shadow.data_cut {
                        Some(cut) => Some(self.fetch(attempt, cut).await?),
                        None => None,
                    };
                    material.shadows.push((checkpoint, cut));
                }
                Ok((Task::Train(Box::new(train.clone()), material), None))
            }
            Work::Propose(propose) => {
                let material = self.material(attempt, &propose.inputs, propose.checkpoint).await?;
                Ok((Task::Propose(Box::new(propose.clone()), material), propose.checkpoint))
            }
            Work::Predict(predict) => {
                let material = self.material(attempt, &predict.inputs, Some(predict.checkpoint)).await?;
                Ok((Task::Predict(Box::new(predict.clone()), material), Some(predict.checkpoint)))
            }
            Work::Screen(screen) => {
                let material = self.material_of_screen(attempt, screen).await?;
                let task = Task::Screen(Box::new(screen.clone()), material, Progress::default());
                Ok((task, Some(screen.checkpoint)))
            }
            other => Err(Ended::Failed(Failure::new(
                FailureClass::Permanent,
                "learner.not_its_work",
                format!(
                    "A learner does not do work of the kind {}; check the queue it was put in.",
                    other.kind()
                ),
            ))),
        }
    }

    async fn material(
        &self,
        attempt: &Attempt,
        inputs: &ModelInputs,
        checkpoint: Option<Digest>,
    ) -> Result<Material, Ended> {
        let mut features = Vec::new();
        for digest in &inputs.features {
            features.push(self.fetch(attempt, *digest).await?);
        }
        let mut priors = Vec::new();
        for digest in &inputs.priors {
            priors.push(self.fetch(attempt, *digest).await?);
        }
        let mut fetched = [None, None];
        for (slot, digest) in fetched.iter_mut().zip([inputs.data_cut, checkpoint]) {
            if let Some(digest) = digest {
                *slot = Some(self.fetch(attempt, digest).await?);
            }
        }
        let [data_cut, checkpoint] = fetched;
        let pool = self.fetch(attempt, inputs.pool).await?;
        Ok(Material { pool, data_cut, features, priors, checkpoint, table: None, shadows: Vec::new() })
    }

    async fn material_of_screen(&self, attempt: &Attempt, screen: &Screen) -> Result<Material, Ended> {
        let mut material = self.material(attempt, &screen.inputs, Some(screen.checkpoint)).await?;
        if let Space::Table { table } = screen.space {
            material.table = Some(self.fetch(attempt, table).await?);
        }
        Ok(material)
    }

    async fn fetch(&self, attempt: &Attempt, digest: Digest) -> Result<Bytes, Ended> {
        let fetched = self.blobs.get(attempt, digest).await;
        fetched.map_err(|error| {
            let message = format!("The table {digest} could not be fetched: {error}.");
            Ended::Failed(Failure::new(error.class(), "learner.table_unreachable", message))
        })
    }

    /// A stop reaches the thread between passes over the data; then its answer is awaited.
    async fn compute(&self, attempt: &Attempt, task: Task) -> Result<Answer, Ended> {
        let stop = Stop::default();
        let progress = task.progress();
        let work = self.thread.perform(task, stop.clone());
        tokio::pin!(work);
        let ended = tokio::select! {
            answer = &mut work => return answer.map_err(|error| Ended::Failed(error.failure())),
            halt = attempt.halted() => Ended::Halted(halt),
            () = attempt.shutting_down() => Ended::ShuttingDown,
            never = tell(attempt, progress) => match never {},
        };
        stop.request();
        match work.await {
            Ok(answer) => Ok(answer),
            Err(Error::Stopped) => Err(ended),
            Err(error) => Err(Ended::Failed(error.failure())),
        }
    }
}

/// Says how far the thread is, for as long as somebody waits.
async fn tell(attempt: &Attempt, progress: Option<Progress>) -> Infallible {
    let Some(progress) = progress else { return std::future::pending().await };
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        // From the fetched tables to what is stored.
        attempt.progress("screening", Some(0.1 + 0.85 * progress.share()));
    }
}

#[async_trait]
impl Handler for LearnerHandler {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        match self.answer(attempt).await {
            Ok(output) => Outcome::Succeeded { output: Box::new(output) },
            Err(Ended::NotBegun(not_begun)) => not_begun.into(),
            Err(Ended::Halted(Halt::StopRequested)) => {
                Outcome::Stopped { note: "stopped between two passes over the data".to_owned() }
            }
            Err(Ended::Halted(halt)) => given_up(&halt.to_string()),
            Err(Ended::ShuttingDown) => given_up("this learner is shutting down"),
            Err(Ended::Failed(failure)) => Outcome::Failed { failure },
        }
    }

    /// Everything here may simply be done again.
    async fn recover(&self, _: &Begun) -> Option<Outcome> {
        None
    }
}

fn given_up(why: &str) -> Outcome {
    let message = format!("Given up before it was done, and may be done again: {why}.");
    Outcome::Failed { failure: Failure::new(FailureClass::Transient, "learner.given_up", message) }
}

async fn store(attempt: &Attempt, answer: Answer, named: Option<Digest>) -> Result<Output, Failure> {
    let keep = async |bytes: Vec<u8>| {
        attempt.put_blob(bytes).await.map_err(|error| {
            Failure::new(FailureClass::Transient, "learner.result_not_kept", error.to_string())
        })
    };
    let code_version = CODE_VERSION.to_owned();
    Ok(match answer {
        Answer::Trained { checkpoint, train_seconds, metrics } => {
            let checkpoint = keep(checkpoint).await?;
            Output::Train(TrainResult { checkpoint, code_version, metrics, train_seconds })
        }
        Answer::Proposed {
            proposals,
            runners_up,
            explanation,
            posterior,
            fresh_checkpoint,
            select_seconds,
        } => {
            let posterior = keep(posterior).await?;
            let checkpoint = match fresh_checkpoint {
                Some(bytes) => Some(keep(bytes).await?),
                None => named,
            };
            Output::Propose(ProposeResult {
                proposals,
                runners_up,
                explanation,
                posterior,
                checkpoint,
                code_version,
                select_seconds,
            })
        }
        Answer::Predicted(result) => Output::Predict(result),
        Answer::Screened { ranking, summary, screen_seconds } => {
            let ranking = keep(ranking).await?;
            Output::Screen(ScreenResult { ranking, summary, code_version, screen_seconds })
        }
    })
}
