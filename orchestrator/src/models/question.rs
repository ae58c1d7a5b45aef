//! What is asked of a model version becomes a job of a learner, once.
//!
//! Nothing of the loop depends on the answer: whoever asked reads it from the job. The job carries exactly what the
//! version was trained with, so an old version answers as it did when it was new.

use crate::ids::CampaignId;
use crate::store::jobs::{self, Consequences, Created, NewJob};
use crate::store::models::{self, ModelVersion};
use crate::store::{Error, Result};
use ::jobs::work::learn::{ModelInputs, Train};
use ::jobs::{Digest, JobId, Work};
use serde_json::Value;
use sqlx::PgConnection;

/// A question to a version of a campaign's model.
#[derive(Clone, Debug)]
pub struct Question {
    pub campaign: CampaignId,
    /// Number of the version; `None`: the one in use.
    pub version: Option<u32>,
    /// Makes a repeat the same job.
    pub unique_key: Option<String>,
}

/// What became of the question.
#[derive(Debug)]
pub enum Asked {
    /// After the commit, pass the consequences to the wake-ups. Those of a repeat are none.
    Asked { job: JobId, model: Box<ModelVersion>, consequences: Consequences },
    /// No version was trained or promoted yet.
    NoModel,
    /// The campaign has no version of this number.
    NoSuchVersion(u32),
    /// The key stands for another question.
    KeyReused,
}

/// Creates the job that `work` makes of what the version was trained with and its checkpoint. `priority`: higher goes
/// first in its queue.
pub(super) async fn put(
    conn: &mut PgConnection,
    question: Question,
    priority: i16,
    work: impl FnOnce(ModelInputs, Digest) -> Work,
) -> Result<Asked> {
    let Question { campaign, version, unique_key } = question;
    let model = match version {
        None => models::promoted(conn, campaign).await?,
        Some(number) => models::of_campaign(conn, campaign).await?.into_iter().find(|it| it.number == number),
    };
    let Some(model) = model else { return Ok(version.map_or(Asked::NoModel, Asked::NoSuchVersion)) };
    let train = jobs::get(conn, model.train_job_id).await?.payload;
    let train: Train =
        serde_json::from_value(train).map_err(|error| Error::corrupt("payload of a job", error))?;
    let mut job = NewJob::new(work(train.inputs, model.checkpoint));
    job.campaign_id = Some(campaign);
    job.priority = priority;
    job.unique_key = unique_key;
    match jobs::create(conn, &job).await? {
        Created::Created(id, consequences) => {
            Ok(Asked::Asked { job: id, model: Box::new(model), consequences })
        }
        Created::Existing(id) => repeated(conn, id, campaign, &job.work).await,
    }
}

/// The question is the one that was asked under this key, and whichever version was asked then.
async fn repeated(conn: &mut PgConnection, job: JobId, campaign: CampaignId, work: &Work) -> Result<Asked> {
    let before = jobs::get(conn, job).await?;
    let now = serde_json::to_value(work).map_err(|error| Error::corrupt("payload of a job", error))?;
    let is_same =
        before.summary.kind == work.kind() && of_the_asker(&before.payload) == of_the_asker(&now["payload"]);
    Ok(match version_of(conn, campaign, &before.payload).await? {
        Some(model) if is_same => {
            Asked::Asked { job, model: Box::new(model), consequences: Consequences::default() }
        }
        _ => Asked::KeyReused,
    })
}

/// The payload without what follows from the version.
fn of_the_asker(payload: &Value) -> Value {
    let mut asked = payload.clone();
    if let Some(fields) = asked.as_object_mut() {
        fields.remove("inputs");
        fields.remove("checkpoint");
    }
    asked
}

/// The version of `campaign` that a job with this payload is put to.
pub async fn version_of(
    conn: &mut PgConnection,
    campaign: CampaignId,
    payload: &Value,
) -> Result<Option<ModelVersion>> {
    let checkpoint = payload["checkpoint"].as_str().and_then(|name| name.parse::<Digest>().ok());
    let versions = models::of_campaign(conn, campaign).await?;
    Ok(versions.into_iter().find(|model| Some(model.checkpoint) == checkpoint))
}
