//! Proposals entered, edited, foretold, and what became of them.

use super::{Fate, Proposal, Status};
use crate::ids::{ActorId, BatchId, ProposalId};
use crate::store::Result;
use crate::store::moved::corrupt;
use jobs::JobId;
use jobs::work::learn::Prediction;
use jobs::work::readout::ReadoutPrediction;
use sqlx::PgConnection;
use uuid::Uuid;

/// Inserts proposals in bulk.
pub async fn insert(conn: &mut PgConnection, proposals: &[Proposal]) -> Result<()> {
    let mut columns = Columns::default();
    for proposal in proposals {
        columns.push(proposal)?;
    }
    sqlx::query!(
        "insert into proposal
             (id, batch_id, rank, origin, status, perturbation, context,
              mean, epistemic_sd, aleatoric_sd, hit_probability, score, readouts, reason, edited_by)
         select * from unnest(
             $1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
             $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::jsonb[], $14::text[],
             $15::uuid[])",
        &columns.id,
        &columns.batch_id,
        &columns.rank,
        &columns.origin,
        &columns.status,
        &columns.perturbation,
        &columns.context,
        &columns.mean as &[Option<f64>],
        &columns.epistemic_sd as &[Option<f64>],
        &columns.aleatoric_sd as &[Option<f64>],
        &columns.hit_probability as &[Option<f64>],
        &columns.score as &[Option<f64>],
        &columns.readouts,
        &columns.reason,
        &columns.edited_by as &[Option<Uuid>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    batch_id: Vec<Uuid>,
    rank: Vec<i32>,
    origin: Vec<String>,
    status: Vec<String>,
    perturbation: Vec<String>,
    context: Vec<String>,
    mean: Vec<Option<f64>>,
    epistemic_sd: Vec<Option<f64>>,
    aleatoric_sd: Vec<Option<f64>>,
    hit_probability: Vec<Option<f64>>,
    score: Vec<Option<f64>>,
    readouts: Vec<serde_json::Value>,
    reason: Vec<String>,
    edited_by: Vec<Option<Uuid>>,
}

impl Columns {
    fn push(&mut self, proposal: &Proposal) -> Result<()> {
        let prediction = proposal.prediction;
        self.id.push(proposal.id.0);
        self.batch_id.push(proposal.batch_id.0);
        self.rank.push(i32::try_from(proposal.rank).map_err(corrupt)?);
        self.origin.push(proposal.origin.as_str().to_owned());
        self.status.push(proposal.status.as_str().to_owned());
        self.perturbation.push(proposal.experiment.perturbation.to_string());
        self.context.push(proposal.experiment.context.0.clone());
        self.mean.push(prediction.map(|p| p.mean));
        self.epistemic_sd.push(prediction.map(|p| p.epistemic_sd));
        self.aleatoric_sd.push(prediction.map(|p| p.aleatoric_sd));
        self.hit_probability.push(prediction.map(|p| p.hit_probability));
        self.score.push(proposal.score);
        self.readouts.push(serde_json::to_value(&proposal.readouts).map_err(corrupt)?);
        self.reason.push(proposal.reason.clone());
        self.edited_by.push(proposal.edited_by.map(|actor| actor.0));
        Ok(())
    }
}

/// Writes an edit of people: status, removal's reason, who.
pub async fn edit(
    conn: &mut PgConnection,
    id: ProposalId,
    status: Status,
    removed_reason: Option<&str>,
    actor: ActorId,
) -> Result<()> {
    sqlx::query!(
        "update proposal set status = $2, removed_reason = $3, edited_by = $4 where id = $1",
        id.0,
        status.as_str(),
        removed_reason,
        actor.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps which job will answer with the proposal's prediction.
pub async fn await_prediction(conn: &mut PgConnection, id: ProposalId, job: JobId) -> Result<()> {
    sqlx::query!("update proposal set predict_job_id = $2 where id = $1", id.0, job.0).execute(conn).await?;
    Ok(())
}

/// Writes what was asked for with `job`, unless it is there. Answers whose it is.
pub async fn predicted(
    conn: &mut PgConnection,
    job: JobId,
    prediction: &Prediction,
    readouts: &[ReadoutPrediction],
) -> Result<Option<(ProposalId, BatchId)>> {
    let row = sqlx::query!(
        "update proposal
         set mean = $2, epistemic_sd = $3, aleatoric_sd = $4, hit_probability = $5, readouts = $6
         where predict_job_id = $1 and mean is null
         returning id, batch_id",
        job.0,
        prediction.mean,
        prediction.epistemic_sd,
        prediction.aleatoric_sd,
        prediction.hit_probability,
        serde_json::to_value(readouts).map_err(corrupt)?
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id.into(), row.batch_id.into())))
}

/// Writes how approved proposals ended.
pub async fn set_fates(conn: &mut PgConnection, fates: &[(ProposalId, Fate, Option<String>)]) -> Result<()> {
    let ids: Vec<Uuid> = fates.iter().map(|(id, ..)| id.0).collect();
    let words: Vec<String> = fates.iter().map(|(_, fate, _)| fate.as_str().to_owned()).collect();
    let reasons: Vec<Option<String>> = fates.iter().map(|(.., reason)| reason.clone()).collect();
    sqlx::query!(
        "update proposal
         set fate = given.fate, fate_reason = given.reason
         from unnest($1::uuid[], $2::text[], $3::text[]) as given (id, fate, reason)
         where proposal.id = given.id",
        &ids,
        &words,
        &reasons as &[Option<String>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
