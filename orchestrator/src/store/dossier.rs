//! What a campaign leaves behind, for its research crate. What is small is read together; tables that grow with plates
//! are read plate by plate.

use super::models::{self, ModelVersion};
use super::moved::{corrupt, count, digest};
use super::rounds::{self, Round};
use super::{Result, campaigns};
use crate::ids::{CampaignId, PlateId, RoundId};
use chrono::{DateTime, Utc};
use jobs::Digest;
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Everything but the tables.
#[derive(Clone, Debug)]
pub struct Dossier {
    pub campaign: campaigns::Campaign,
    pub goal: String,
    pub editions: Vec<Edition>,
    pub rounds: Vec<RoundOver>,
    pub verdicts: Vec<Verdict>,
    pub models: Vec<ModelVersion>,
    /// With their barcodes, by round.
    pub plates: Vec<(PlateId, String)>,
    pub raw_files: Vec<RawFile>,
}

/// The campaign's file as it was written, once for each time that it changed.
#[derive(Clone, Debug)]
pub struct Edition {
    pub number: u32,
    pub toml: String,
    /// Who wrote it.
    pub by: Author,
    pub created_at: DateTime<Utc>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq)]
pub struct Author {
    pub name: String,
    /// As people call them; the name where they have no account.
    pub display_name: String,
    /// `person`, `agent`, `learner` or `system`.
    pub kind: String,
}

#[derive(Clone, Debug)]
pub struct RoundOver {
    pub round: Round,
    pub model: Option<u32>,
    pub closed_at: Option<DateTime<Utc>>,
}

/// What somebody decided on a batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    pub round: u32,
    pub batch_id: String,
    /// Of the batch, that it was said of.
    pub revision: u32,
    pub by: String,
    /// As people call them; the name where they have no account.
    pub display_name: String,
    /// `approve` or `reject`.
    pub verdict: String,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
    /// Of what was approved, hexadecimal; where this word is one of those that it was approved by.
    pub frozen_hash: Option<String>,
    /// It is of the batch as it was in the end: who approved it so, approved what was carried out.
    #[serde(skip)]
    pub of_last_revision: bool,
    #[serde(skip)]
    pub kind: String,
}

impl Verdict {
    pub fn author(&self) -> Author {
        Author { name: self.by.clone(), display_name: self.display_name.clone(), kind: self.kind.clone() }
    }
}

/// What a reader gave, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct RawFile {
    pub round: u32,
    pub plate: String,
    pub plate_state: String,
    pub instrument: Option<String>,
    pub sha256: Digest,
    /// The parser that reads it.
    pub format: String,
    pub size_bytes: u64,
    pub media_type: String,
    pub read_at: DateTime<Utc>,
}

/// One experiment that was proposed, whatever became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProposalRow {
    pub round: u32,
    pub batch_id: String,
    pub batch_state: String,
    pub proposal_id: String,
    pub rank: i32,
    pub origin: String,
    pub status: String,
    pub perturbation: String,
    pub context: String,
    pub mean: Option<f64>,
    pub epistemic_sd: Option<f64>,
    pub aleatoric_sd: Option<f64>,
    pub hit_probability: Option<f64>,
    pub score: Option<f64>,
    pub reason: String,
    pub removed_reason: Option<String>,
    pub fate: Option<String>,
    pub fate_reason: Option<String>,
}

/// What a well held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WellRow {
    pub plate_barcode: String,
    pub well: String,
    pub role: String,
    pub perturbation: Option<String>,
    pub context: String,
    pub replicate: i32,
    pub proposal_id: Option<String>,
}

/// What was read of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReadingRow {
    pub plate_barcode: String,
    pub well: String,
    pub channel: String,
    pub value: f64,
    pub unit: String,
    pub raw_sha256: String,
}

/// `None`: no such campaign.
pub async fn read(conn: &mut PgConnection, id: CampaignId) -> Result<Option<Dossier>> {
    let Some(campaign) = campaigns::by_id(conn, id).await? else { return Ok(None) };
    let current = campaigns::version(conn, id, campaign.current_version).await?;
    let goal = current.ok_or_else(|| corrupt("a campaign without its version"))?.spec.goal;
    let models = models::of_campaign(conn, id).await?;
    Ok(Some(Dossier {
        goal,
        editions: editions(conn, id).await?,
        rounds: rounds_over(conn, id, &models).await?,
        verdicts: verdicts(conn, id).await?,
        plates: plates(conn, id).await?,
        raw_files: raw_files(conn, id).await?,
        models,
        campaign,
    }))
}

async fn editions(conn: &mut PgConnection, id: CampaignId) -> Result<Vec<Edition>> {
    let rows = sqlx::query!(
        r#"select version, toml, actor.name, actor.kind, campaign_version.created_at,
                  coalesce(account.display_name, actor.name) as "display_name!"
         from campaign_version
         join actor on actor.id = created_by
         left join account on account.actor_id = actor.id
         where campaign_id = $1
         order by version"#,
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let number = count(row.version.into())?;
            let by = Author { name: row.name, display_name: row.display_name, kind: row.kind };
            Ok(Edition { number, toml: row.toml, by, created_at: row.created_at })
        })
        .collect()
}

async fn rounds_over(
    conn: &mut PgConnection,
    id: CampaignId,
    models: &[ModelVersion],
) -> Result<Vec<RoundOver>> {
    let rounds = rounds::of_campaign(conn, id).await?;
    let ids: Vec<RoundId> = rounds.iter().map(|round| round.id).collect();
    let closed = rounds::last_stages(conn, &ids, Some("closed")).await?;
    let numbers: BTreeMap<_, _> = models.iter().map(|model| (model.id, model.number)).collect();
    Ok(rounds
        .into_iter()
        .map(|round| RoundOver {
            model: round.model_version_id.and_then(|id| numbers.get(&id).copied()),
            closed_at: closed.get(&round.id).map(|entry| entry.entered_at),
            round,
        })
        .collect())
}

async fn verdicts(conn: &mut PgConnection, id: CampaignId) -> Result<Vec<Verdict>> {
    let rows = sqlx::query!(
        r#"select round.number, batch.id, actor.name, actor.kind, coalesce(account.display_name, actor.name) as "display_name!",
                  verdict, approval.reason, approval.at, approval.revision,
                  case when verdict = 'approve' and approval.revision = batch.revision
                      then encode(batch.frozen_hash, 'hex') end as frozen_hash,
                  approval.revision = batch.revision as "of_last_revision!"
           from approval
           join batch on batch.id = approval.batch_id
           join round on round.id = batch.round_id
           join actor on actor.id = approval.actor_id
           left join account on account.actor_id = actor.id
           where round.campaign_id = $1
           order by approval.at, approval.id"#,
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Verdict {
                round: count(row.number.into())?,
                batch_id: row.id.to_string(),
                revision: count(row.revision.into())?,
                by: row.name,
                display_name: row.display_name,
                verdict: row.verdict,
                reason: row.reason,
                at: row.at,
                frozen_hash: row.frozen_hash,
                of_last_revision: row.of_last_revision,
                kind: row.kind,
            })
        })
        .collect()
}

async fn plates(conn: &mut PgConnection, id: CampaignId) -> Result<Vec<(PlateId, String)>> {
    let rows = sqlx::query!(
        "select plate.id, barcode
         from plate
         join round on round.id = plate.round_id
         where round.campaign_id = $1
         order by round.number, ordinal, generation, plate.id",
        id.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.into(), row.barcode)).collect())
}

/// Of every plate, also of those that quality control turned down.
async fn raw_files(conn: &mut PgConnection, id: CampaignId) -> Result<Vec<RawFile>> {
    let rows = sqlx::query!(
        r#"select round.number, plate.barcode, plate.state, job.instrument, blob.sha256, size_bytes, media_type,
                  coalesce(output -> 'result' ->> 'format', '') as "format!", settled_at
           from plate
           join round on round.id = plate.round_id
           join job on job.plate_id = plate.id and job.kind = 'read'
           join job_outcome on job_outcome.job_id = job.id
           join blob on blob.sha256 = decode(output -> 'result' ->> 'raw', 'hex')
           where round.campaign_id = $1
           order by settled_at, plate.barcode"#,
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(RawFile {
                round: count(row.number.into())?,
                plate: row.barcode,
                plate_state: row.state,
                instrument: row.instrument,
                sha256: digest(&row.sha256)?,
                format: row.format,
                size_bytes: u64::try_from(row.size_bytes).map_err(corrupt)?,
                media_type: row.media_type,
                read_at: row.settled_at,
            })
        })
        .collect()
}

/// What was proposed in one round, batch by batch.
pub async fn proposals(conn: &mut PgConnection, round: &Round) -> Result<Vec<ProposalRow>> {
    let rows = sqlx::query!(
        "select batch.id as batch_id, batch.state, proposal.id, rank, origin, status, perturbation, context, mean,
                epistemic_sd, aleatoric_sd, hit_probability, score, reason, removed_reason, fate, fate_reason
         from batch
         join proposal on proposal.batch_id = batch.id
         where batch.round_id = $1
         order by batch.generation, rank, proposal.id",
        round.id.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ProposalRow {
            round: round.number,
            batch_id: row.batch_id.to_string(),
            batch_state: row.state,
            proposal_id: row.id.to_string(),
            rank: row.rank,
            origin: row.origin,
            status: row.status,
            perturbation: row.perturbation,
            context: row.context,
            mean: row.mean,
            epistemic_sd: row.epistemic_sd,
            aleatoric_sd: row.aleatoric_sd,
            hit_probability: row.hit_probability,
            score: row.score,
            reason: row.reason,
            removed_reason: row.removed_reason,
            fate: row.fate,
            fate_reason: row.fate_reason,
        })
        .collect())
}

/// The map of one plate.
pub async fn wells(conn: &mut PgConnection, plate: PlateId, barcode: &str) -> Result<Vec<WellRow>> {
    let rows = sqlx::query!(
        r#"select well, role, proposal.perturbation as "perturbation?", plate.context, replicate, proposal_id
           from plate
           join well on well.plate_id = plate.id
           left join proposal on proposal.id = well.proposal_id
           where plate.id = $1
           order by well"#,
        plate.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| WellRow {
            plate_barcode: barcode.to_owned(),
            well: row.well,
            role: row.role,
            perturbation: row.perturbation,
            context: row.context,
            replicate: row.replicate,
            proposal_id: row.proposal_id.map(|id| id.to_string()),
        })
        .collect())
}

/// What was read of one plate.
pub async fn readings(conn: &mut PgConnection, plate: PlateId, barcode: &str) -> Result<Vec<ReadingRow>> {
    let rows = sqlx::query!(
        r#"select well, channel, value, unit, encode(raw_sha256, 'hex') as "raw_sha256!"
           from reading
           where plate_id = $1
           order by well, channel"#,
        plate.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ReadingRow {
            plate_barcode: barcode.to_owned(),
            well: row.well,
            channel: row.channel,
            value: row.value,
            unit: row.unit,
            raw_sha256: row.raw_sha256,
        })
        .collect())
}
