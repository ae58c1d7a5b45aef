//! Asks a learner what a model version says of experiments, in or out of the pool, through a `predict` job.
//!
//! Nothing of the loop depends on the answer: whoever asked reads it from the job. The job carries exactly what
//! the version was trained with, so an old version answers as it did when it was new.

use crate::ids::CampaignId;
use crate::store::jobs::{self, Consequences, Created, NewJob};
use crate::store::models::{self, ModelVersion};
use crate::store::{Error, Result};
use ::jobs::work::learn::{Predict, Train};
use ::jobs::{Experiment, JobId, Work};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

/// People wait for it: before the trainings of a shared machine.
const PRIORITY: i16 = 10;

/// What became of the question.
#[derive(Debug)]
pub enum Asked {
    /// After the commit, pass the consequences to the wake-ups.
    Asked { job: JobId, model: ModelVersion, consequences: Consequences },
    /// No version was trained or promoted yet.
    NoModel,
    /// The campaign has no version of this number.
    NoSuchVersion(u32),
    /// The key stands for another question.
    KeyReused,
}

/// Creates the job. `version`: number of the model version; `None`: the one in use. `unique_key` makes a repeat
/// the same job.
pub async fn ask(
    conn: &mut PgConnection,
    campaign: CampaignId,
    version: Option<u32>,
    experiments: Vec<Experiment>,
    unique_key: Option<String>,
) -> Result<Asked> {
    let model = match version {
        None => models::promoted(conn, campaign).await?,
        Some(number) => models::of_campaign(conn, campaign).await?.into_iter().find(|it| it.number == number),
    };
    let Some(model) = model else { return Ok(version.map_or(Asked::NoModel, Asked::NoSuchVersion)) };
    let train: Train = payload(conn, model.train_job_id).await?;
    let asked = experiments.clone();
    let mut job = NewJob::new(Work::Predict(Predict {
        inputs: train.inputs,
        checkpoint: model.checkpoint,
        experiments,
    }));
    job.campaign_id = Some(campaign);
    job.priority = PRIORITY;
    job.unique_key = unique_key;
    Ok(match jobs::create(conn, &job).await? {
        Created::Created(job, consequences) => Asked::Asked { job, model, consequences },
        Created::Existing(job) => repeated(conn, job, campaign, &asked).await?,
    })
}

/// The question is the one that was asked under this key, and whichever version was asked then.
async fn repeated(
    conn: &mut PgConnection,
    job: JobId,
    campaign: CampaignId,
    experiments: &[Experiment],
) -> Result<Asked> {
    let before: Predict = payload(conn, job).await?;
    let versions = models::of_campaign(conn, campaign).await?;
    Ok(match versions.into_iter().find(|model| model.checkpoint == before.checkpoint) {
        Some(model) if before.experiments == experiments => {
            Asked::Asked { job, model, consequences: Consequences::default() }
        }
        _ => Asked::KeyReused,
    })
}

async fn payload<P: DeserializeOwned>(conn: &mut PgConnection, job: JobId) -> Result<P> {
    let payload = jobs::get(conn, job).await?.payload;
    serde_json::from_value(payload).map_err(|error| Error::corrupt("payload of a job", error))
}
