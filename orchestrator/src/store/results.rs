//! Observations with their whole lineage, for export. One row leads from the value back to the raw file,
//! the plate, the approvers and the checkpoint.

use super::Result;
use super::moved::{corrupt, count};
use crate::ids::CampaignId;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// One observation, flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ResultRow {
    pub round: u32,
    pub perturbation: String,
    pub context: String,
    pub readout: String,
    /// Normalised: negative control 0, positive control 1.
    pub value: f64,
    pub sem: Option<f64>,
    pub replicates: u32,
    pub hit: Option<bool>,
    pub predicted_mean: Option<f64>,
    pub predicted_sd: Option<f64>,
    pub hit_probability: Option<f64>,
    pub reason: String,
    pub proposal_id: String,
    pub batch_id: String,
    /// Names of who approved, joined by `;`.
    pub approved_by: String,
    pub frozen_hash: Option<String>,
    pub plate_barcode: String,
    pub plate_generation: u32,
    pub plate_state: String,
    pub z_prime: Option<f64>,
    pub raw_sha256: Option<String>,
    pub model_version: Option<u32>,
    pub checkpoint_sha256: Option<String>,
}

/// Every observation of the campaign that may train, by round and experiment.
pub async fn of_campaign(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<ResultRow>> {
    let rows = sqlx::query!(
        r#"select round.number, proposal.perturbation, proposal.context, observation.readout, observation.value,
                  observation.sem, observation.replicates, observation.hit, observation.predicted_mean,
                  observation.predicted_sd, proposal.hit_probability, proposal.reason, proposal.id as proposal_id,
                  batch.id as batch_id, encode(batch.frozen_hash, 'hex') as frozen_hash, plate.barcode,
                  plate.generation, plate.state, (plate.qc ->> 'z_prime')::float8 as z_prime,
                  (select encode(reading.raw_sha256, 'hex') from reading where reading.plate_id = plate.id limit 1)
                      as raw_sha256,
                  (select coalesce(string_agg(distinct actor.name, ';'), '')
                   from approval
                   join actor on actor.id = approval.actor_id
                   where approval.batch_id = batch.id
                     and approval.verdict = 'approve'
                     and approval.revision = batch.revision) as "approved_by!",
                  model_version.number as "model_version?",
                  coalesce(
                      proposed.output -> 'result' ->> 'checkpoint',
                      encode(model_version.checkpoint_sha256, 'hex')
                  ) as checkpoint_sha256
           from observation
           join proposal on proposal.id = observation.proposal_id
           join batch on batch.id = proposal.batch_id
           join plate on plate.id = observation.plate_id
           join round on round.id = observation.round_id
           left join job_outcome proposed on proposed.job_id = batch.propose_job_id
           left join model_version on model_version.id = round.model_version_id
           where round.campaign_id = $1 and plate.state in ('passed', 'released')
           order by round.number, proposal.perturbation, proposal.context, observation.readout, plate.generation"#,
        campaign.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ResultRow {
                round: count(row.number.into())?,
                perturbation: row.perturbation,
                context: row.context,
                readout: row.readout,
                value: row.value,
                sem: row.sem,
                replicates: count(row.replicates.into())?,
                hit: row.hit,
                predicted_mean: row.predicted_mean,
                predicted_sd: row.predicted_sd,
                hit_probability: row.hit_probability,
                reason: row.reason,
                proposal_id: row.proposal_id.to_string(),
                batch_id: row.batch_id.to_string(),
                approved_by: row.approved_by,
                frozen_hash: row.frozen_hash,
                plate_barcode: row.barcode,
                plate_generation: count(row.generation.into())?,
                plate_state: row.state,
                z_prime: row.z_prime,
                raw_sha256: row.raw_sha256,
                model_version: row.model_version.map(u32::try_from).transpose().map_err(corrupt)?,
                checkpoint_sha256: row.checkpoint_sha256,
            })
        })
        .collect()
}
