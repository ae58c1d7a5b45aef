//! Observations of further readouts: with each observation of a proposal on a plate, what else its wells said.

use super::Result;
use super::moved::{corrupt, count};
use super::observations::Observed;
use super::proposals::experiment;
use crate::ids::{CampaignId, ObservationId, PlateId, RoundId};
use crate::ingestion::further::FurtherObserved;
use sqlx::PgConnection;
use uuid::Uuid;

/// Inserts; what is there already (same proposal, plate, readout) stays as it is.
pub async fn insert(
    conn: &mut PgConnection,
    round: RoundId,
    plate: PlateId,
    observed: &[FurtherObserved],
) -> Result<()> {
    if observed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = observed.iter().map(|_| ObservationId::fresh().0).collect();
    let proposals: Vec<Uuid> = observed.iter().map(|o| o.proposal.0).collect();
    let readouts: Vec<String> = observed.iter().map(|o| o.readout.clone()).collect();
    let values: Vec<f64> = observed.iter().map(|o| o.value).collect();
    let sems: Vec<Option<f64>> = observed.iter().map(|o| o.sem).collect();
    let replicates: Vec<i32> =
        observed.iter().map(|o| i32::try_from(o.replicates)).collect::<Result<_, _>>().map_err(corrupt)?;
    sqlx::query!(
        "insert into further_observation (id, round_id, proposal_id, plate_id, readout, value, sem, replicates)
         select row.id, $1, row.proposal_id, $2, row.readout, row.value, row.sem, row.replicates
         from unnest($3::uuid[], $4::uuid[], $5::text[], $6::float8[], $7::float8[], $8::int[])
             as row (id, proposal_id, readout, value, sem, replicates)
         on conflict (proposal_id, plate_id, readout) do nothing",
        round.0,
        plate.0,
        &ids,
        &proposals,
        &readouts,
        &values,
        &sems as &[Option<f64>],
        &replicates
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything of the campaign, in a fixed order, as rows of the data cut.
pub async fn of_campaign(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<Observed>> {
    let rows = sqlx::query!(
        "select round.number, further.proposal_id, further.plate_id, proposal.perturbation, proposal.context,
                further.readout, further.value, further.sem, further.replicates
         from round
         join further_observation further on further.round_id = round.id
         join proposal on proposal.id = further.proposal_id
         join plate on plate.id = further.plate_id
         where round.campaign_id = $1 and plate.state in ('passed', 'released')
         order by proposal.perturbation, proposal.context, further.readout, round.number, plate.ordinal, plate.generation",
        campaign.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Observed {
                round_number: count(row.number.into())?,
                proposal_id: row.proposal_id.into(),
                plate_id: row.plate_id.into(),
                experiment: experiment(&row.perturbation, row.context)?,
                readout: row.readout,
                value: row.value,
                sem: row.sem,
                replicates: count(row.replicates.into())?,
                hit: None,
                predicted_mean: None,
                predicted_sd: None,
            })
        })
        .collect()
}
