//! Experiments in batches: chosen, kept in reserve, removed; and what became of them.

use super::Result;
use super::moved::{corrupt, count, word};
use crate::ids::{ActorId, BatchId, CampaignId, ProposalId, RoundId};
use jobs::work::learn::Prediction;
use jobs::work::readout::ReadoutPrediction;
use jobs::{Context, Experiment, JobId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub id: ProposalId,
    pub batch_id: BatchId,
    /// Best first; runners-up go on counting.
    pub rank: u32,
    pub origin: Origin,
    pub status: Status,
    pub experiment: Experiment,
    /// `None` when a person added it and the model never saw it.
    pub prediction: Option<Prediction>,
    pub score: Option<f64>,
    /// Of further readouts, vectors left out; empty where there are none.
    pub readouts: Vec<ReadoutPrediction>,
    /// Why it was chosen.
    pub reason: String,
    pub removed_reason: Option<String>,
    pub edited_by: Option<ActorId>,
    pub fate: Option<Fate>,
    pub fate_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Model,
    Person,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Selected,
    RunnerUp,
    Removed,
}

/// How an approved proposal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Measured,
    GivenUp,
}

impl Origin {
    fn as_str(self) -> &'static str {
        match self {
            Origin::Model => "model",
            Origin::Person => "person",
        }
    }
    fn from_column(word: &str) -> Option<Self> {
        [Origin::Model, Origin::Person].into_iter().find(|origin| origin.as_str() == word)
    }
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Status::Selected => "selected",
            Status::RunnerUp => "runner_up",
            Status::Removed => "removed",
        }
    }
    fn from_column(word: &str) -> Option<Self> {
        [Status::Selected, Status::RunnerUp, Status::Removed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

impl Fate {
    fn as_str(self) -> &'static str {
        match self {
            Fate::Measured => "measured",
            Fate::GivenUp => "given_up",
        }
    }
    fn from_column(word: &str) -> Option<Self> {
        [Fate::Measured, Fate::GivenUp].into_iter().find(|fate| fate.as_str() == word)
    }
}

struct Row {
    id: Uuid,
    batch_id: Uuid,
    rank: i32,
    origin: String,
    status: String,
    perturbation: String,
    context: String,
    mean: Option<f64>,
    epistemic_sd: Option<f64>,
    aleatoric_sd: Option<f64>,
    hit_probability: Option<f64>,
    score: Option<f64>,
    readouts: serde_json::Value,
    reason: String,
    removed_reason: Option<String>,
    edited_by: Option<Uuid>,
    fate: Option<String>,
    fate_reason: Option<String>,
}

impl TryFrom<Row> for Proposal {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        let prediction = match (row.mean, row.epistemic_sd, row.aleatoric_sd, row.hit_probability) {
            (Some(mean), Some(epistemic_sd), Some(aleatoric_sd), Some(hit_probability)) => {
                Some(Prediction { mean, epistemic_sd, aleatoric_sd, hit_probability })
            }
            _ => None,
        };
        let fate = match row.fate {
            Some(fate) => Some(word(Fate::from_column(&fate), "proposal.fate", &fate)?),
            None => None,
        };
        Ok(Proposal {
            id: row.id.into(),
            batch_id: row.batch_id.into(),
            rank: count(row.rank.into())?,
            origin: word(Origin::from_column(&row.origin), "proposal.origin", &row.origin)?,
            status: word(Status::from_column(&row.status), "proposal.status", &row.status)?,
            experiment: experiment(&row.perturbation, row.context)?,
            prediction,
            score: row.score,
            readouts: serde_json::from_value(row.readouts).map_err(corrupt)?,
            reason: row.reason,
            removed_reason: row.removed_reason,
            edited_by: row.edited_by.map(ActorId),
            fate,
            fate_reason: row.fate_reason,
        })
    }
}

/// Two columns as an experiment.
pub(super) fn experiment(perturbation: &str, context: String) -> Result<Experiment> {
    Ok(Experiment { perturbation: perturbation.parse().map_err(corrupt)?, context: Context(context) })
}

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

/// Of one batch, by rank; removed ones among them.
pub async fn of_batch(conn: &mut PgConnection, batch: BatchId) -> Result<Vec<Proposal>> {
    sqlx::query_as!(
        Row,
        "select id, batch_id, rank, origin, status, perturbation, context, mean, epistemic_sd, aleatoric_sd,
                hit_probability, score, readouts, reason, removed_reason, edited_by, fate, fate_reason
         from proposal
         where batch_id = $1
         order by rank, id",
        batch.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Proposal::try_from)
    .collect()
}

/// How many of each of these batches are selected; a batch without any is left out.
pub async fn selected(conn: &mut PgConnection, batches: &[BatchId]) -> Result<BTreeMap<BatchId, u32>> {
    if batches.is_empty() {
        return Ok(BTreeMap::new());
    }
    let batches: Vec<Uuid> = batches.iter().map(|batch| batch.0).collect();
    let rows = sqlx::query!(
        r#"select batch_id, count(*) as "count!"
           from proposal
           where batch_id = any($1) and status = 'selected'
           group by batch_id"#,
        &batches
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.batch_id.into(), count(row.count)?))).collect()
}

/// What the model says of those of `ids` that it saw.
pub async fn predictions(
    conn: &mut PgConnection,
    ids: &[ProposalId],
) -> Result<BTreeMap<ProposalId, Prediction>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select id, mean as "mean!", epistemic_sd as "epistemic_sd!", aleatoric_sd as "aleatoric_sd!",
                  hit_probability as "hit_probability!"
           from proposal
           where id = any($1)
             and num_nulls(mean, epistemic_sd, aleatoric_sd, hit_probability) = 0"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    let predictions = rows.into_iter().map(|row| {
        let prediction = Prediction {
            mean: row.mean,
            epistemic_sd: row.epistemic_sd,
            aleatoric_sd: row.aleatoric_sd,
            hit_probability: row.hit_probability,
        };
        (ProposalId(row.id), prediction)
    });
    Ok(predictions.collect())
}

pub async fn by_id(conn: &mut PgConnection, id: ProposalId) -> Result<Option<Proposal>> {
    sqlx::query_as!(
        Row,
        "select id, batch_id, rank, origin, status, perturbation, context, mean, epistemic_sd, aleatoric_sd,
                hit_probability, score, readouts, reason, removed_reason, edited_by, fate, fate_reason
         from proposal
         where id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Proposal::try_from)
    .transpose()
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

/// What must not be proposed in this round: measured or given up in the campaign, or removed by people in this round. Batch by
/// batch (`offset 0`): from the proposals on, those of every campaign are gone through.
pub async fn excluded(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
) -> Result<Vec<Experiment>> {
    let rows = sqlx::query!(
        "select distinct perturbation, context
         from round
         join batch on batch.round_id = round.id
         cross join lateral (
             select perturbation, context, fate, status from proposal where proposal.batch_id = batch.id offset 0
         ) as chosen
         where round.campaign_id = $1
           and (fate is not null or (round.id = $2 and status = 'removed'))
         order by perturbation, context",
        campaign.0,
        round.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| experiment(&row.perturbation, row.context)).collect()
}

/// What may be measured again in this round: measured in the campaign, in fewer than `most` rounds, never given up, and
/// not removed by people in this round.
pub async fn repeatable(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
    most: u32,
) -> Result<Vec<Experiment>> {
    let rows = sqlx::query!(
        "select perturbation, context
         from proposal
         join batch on batch.id = proposal.batch_id
         join round on round.id = batch.round_id
         where round.campaign_id = $1
           and (proposal.fate is not null or (round.id = $2 and proposal.status = 'removed'))
         group by perturbation, context
         having count(*) filter (where proposal.fate = 'measured') < $3
            and bool_and(proposal.fate is not distinct from 'measured')
         order by perturbation, context",
        campaign.0,
        round.0,
        i64::from(most)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| experiment(&row.perturbation, row.context)).collect()
}

/// Asked for by other live rounds of the campaign and not yet answered. Batch by batch, as [`excluded`].
pub async fn pending(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
) -> Result<Vec<Experiment>> {
    let rows = sqlx::query!(
        "select distinct perturbation, context
         from round
         join batch on batch.round_id = round.id
         cross join lateral (
             select perturbation, context, fate, status from proposal where proposal.batch_id = batch.id offset 0
         ) as chosen
         where round.campaign_id = $1
           and round.id <> $2
           and round.state not in ('closed', 'cancelled', 'failed')
           and batch.state in ('awaiting_approval', 'approved', 'planned')
           and status = 'selected'
           and fate is null
         order by perturbation, context",
        campaign.0,
        round.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| experiment(&row.perturbation, row.context)).collect()
}

/// How many experiments live rounds of the campaign ask for, and no round has answered yet.
pub async fn asked_for(conn: &mut PgConnection, campaign: CampaignId) -> Result<u64> {
    let asked = sqlx::query_scalar!(
        r#"select count(distinct (perturbation, context)) as "count!"
           from proposal
           join batch on batch.id = proposal.batch_id
           join round on round.id = batch.round_id
           where round.campaign_id = $1
             and round.state not in ('closed', 'cancelled', 'failed')
             and batch.state in ('awaiting_approval', 'approved', 'planned')
             and proposal.status = 'selected'
             and proposal.fate is null
             and not exists (
                 select from proposal as answered
                 join batch as its on its.id = answered.batch_id
                 join round as earlier on earlier.id = its.round_id
                 where answered.perturbation = proposal.perturbation
                   and answered.context = proposal.context
                   and answered.fate is not null
                   and earlier.campaign_id = $1)"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    count(asked).map(u64::from)
}

/// How many proposals are in live batches of the live rounds of each of these campaigns: at least as many as are asked
/// for. A campaign without live batches is left out.
pub async fn in_live_batches(
    conn: &mut PgConnection,
    campaigns: &[CampaignId],
) -> Result<BTreeMap<CampaignId, u64>> {
    if campaigns.is_empty() {
        return Ok(BTreeMap::new());
    }
    let campaigns: Vec<Uuid> = campaigns.iter().map(|campaign| campaign.0).collect();
    let rows = sqlx::query!(
        r#"select round.campaign_id,
               sum(coalesce(batch.selected, (
                   select count(*) from proposal where proposal.batch_id = batch.id)))::bigint as "count!"
           from round
           join batch on batch.round_id = round.id
           where round.campaign_id = any($1)
             and round.state not in ('closed', 'cancelled', 'failed')
             and batch.state in ('awaiting_approval', 'approved', 'planned')
           group by round.campaign_id"#,
        &campaigns
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.campaign_id.into(), count(row.count)?.into()))).collect()
}

/// How many experiments of the campaign have their fate.
pub async fn answered(conn: &mut PgConnection, campaign: CampaignId) -> Result<u64> {
    let answered = sqlx::query_scalar!(
        r#"select count(distinct (perturbation, context)) as "count!"
           from proposal
           join batch on batch.id = proposal.batch_id
           join round on round.id = batch.round_id
           where round.campaign_id = $1 and proposal.fate is not null"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    count(answered).map(u64::from)
}
