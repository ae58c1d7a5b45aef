//! Observations: what came of proposals, from plates that passed QC or that a person released.

use super::Result;
use super::moved::{corrupt, count};
use super::proposals::experiment;
use super::rounds::Round;
use crate::ids::{CampaignId, ObservationId, PlateId, ProposalId, RoundId};
use jobs::Experiment;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Normalised to the plate's controls (negative 0, positive 1).
#[derive(Clone, Debug, PartialEq)]
pub struct NewObservation {
    pub round_id: RoundId,
    pub proposal_id: ProposalId,
    pub plate_id: PlateId,
    pub readout: String,
    pub value: f64,
    /// `None` with one replicate.
    pub sem: Option<f64>,
    pub replicates: u32,
    pub hit: Option<bool>,
    pub predicted_mean: Option<f64>,
    /// Of an observation: epistemic and aleatoric parts together.
    pub predicted_sd: Option<f64>,
}

/// Inserts; what is there already (same proposal, plate, readout) stays as it is.
pub async fn insert(conn: &mut PgConnection, observations: &[NewObservation]) -> Result<()> {
    let uuids = |of: fn(&NewObservation) -> Uuid| observations.iter().map(of).collect::<Vec<Uuid>>();
    let replicates: Vec<i32> = observations
        .iter()
        .map(|o| i32::try_from(o.replicates))
        .collect::<Result<_, _>>()
        .map_err(corrupt)?;
    let readouts: Vec<String> = observations.iter().map(|o| o.readout.clone()).collect();
    let values: Vec<f64> = observations.iter().map(|o| o.value).collect();
    let sems: Vec<Option<f64>> = observations.iter().map(|o| o.sem).collect();
    let hits: Vec<Option<bool>> = observations.iter().map(|o| o.hit).collect();
    let means: Vec<Option<f64>> = observations.iter().map(|o| o.predicted_mean).collect();
    let sds: Vec<Option<f64>> = observations.iter().map(|o| o.predicted_sd).collect();
    sqlx::query!(
        "insert into observation
             (id, round_id, proposal_id, plate_id, readout, value, sem, replicates, hit, predicted_mean, predicted_sd)
         select * from unnest(
             $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::float8[], $7::float8[], $8::int[],
             $9::bool[], $10::float8[], $11::float8[])
         on conflict (proposal_id, plate_id, readout) do nothing",
        &uuids(|_| ObservationId::fresh().0),
        &uuids(|o| o.round_id.0),
        &uuids(|o| o.proposal_id.0),
        &uuids(|o| o.plate_id.0),
        &readouts,
        &values,
        &sems as &[Option<f64>],
        &replicates,
        &hits as &[Option<bool>],
        &means as &[Option<f64>],
        &sds as &[Option<f64>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One row with its experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    pub round_number: u32,
    pub proposal_id: ProposalId,
    pub plate_id: PlateId,
    pub experiment: Experiment,
    pub readout: String,
    pub value: f64,
    pub sem: Option<f64>,
    pub replicates: u32,
    pub hit: Option<bool>,
    pub predicted_mean: Option<f64>,
    pub predicted_sd: Option<f64>,
}

/// Everything the campaign measured, in a fixed order; of one round when `round` says so.
pub async fn of_campaign(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: Option<RoundId>,
) -> Result<Vec<Observed>> {
    let rows = sqlx::query!(
        "select round.number, observation.proposal_id, observation.plate_id, proposal.perturbation,
                proposal.context, readout, value, sem, replicates, hit, predicted_mean, predicted_sd
         from observation
         join proposal on proposal.id = observation.proposal_id
         join plate on plate.id = observation.plate_id
         join round on round.id = observation.round_id
         where round.campaign_id = $1
           and ($2::uuid is null or round.id = $2)
           and plate.state in ('passed', 'released')
         order by proposal.perturbation, proposal.context, readout, round.number, plate.ordinal, plate.generation",
        campaign.0,
        round.map(|id| id.0)
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
                hit: row.hit,
                predicted_mean: row.predicted_mean,
                predicted_sd: row.predicted_sd,
            })
        })
        .collect()
}

/// How many observations the campaign has. They are only ever added, and only of plates that may train: while the
/// number is the same, so are they.
pub async fn number(conn: &mut PgConnection, campaign: CampaignId) -> Result<u64> {
    let number = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from round
           join observation on observation.round_id = round.id
           where round.campaign_id = $1"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    u64::try_from(number).map_err(corrupt)
}

/// How many observations of each of these rounds are called hits: at least as many as there are new hits in it. A round
/// without any is left out.
pub async fn called_hits(conn: &mut PgConnection, rounds: &[RoundId]) -> Result<BTreeMap<RoundId, u32>> {
    if rounds.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = rounds.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select round_id, count(*) as "count!"
           from observation
           where round_id = any($1) and hit
           group by round_id"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.round_id.into(), count(row.count)?))).collect()
}

/// Experiments that most of the round's observations call a hit (a tie is one), and that those of earlier rounds did
/// not. As [`crate::rounds::summary::new_hits`] over everything.
///
/// `offset 0`: the few that are called are looked up one by one, by what was asked; never all proposals of the campaign,
/// and no earlier round by itself.
pub async fn new_hits(conn: &mut PgConnection, round: &Round) -> Result<u32> {
    let hits = sqlx::query_scalar!(
        r#"with called as materialized (
               select proposal.perturbation, proposal.context
               from observation
               join proposal on proposal.id = observation.proposal_id
               where observation.round_id = $1
               group by proposal.perturbation, proposal.context
               having avg(observation.hit::int) >= 0.5
           ),
           earlier as materialized (
               select batch.id
               from round
               join batch on batch.round_id = round.id
               where round.campaign_id = $2 and round.number < $3
           ),
           asked as materialized (
               select called.perturbation, called.context, proposal.id, proposal.batch_id
               from called
               cross join lateral (
                   select id, batch_id
                   from proposal
                   where proposal.perturbation = called.perturbation and proposal.context = called.context
                   offset 0) as proposal
           ),
           called_before as (
               select asked.perturbation, asked.context
               from asked
               join earlier on earlier.id = asked.batch_id
               join observation on observation.proposal_id = asked.id
               group by asked.perturbation, asked.context
               having avg(observation.hit::int) >= 0.5
           )
           select (select count(*) from called) - (select count(*) from called_before) as "count!""#,
        round.id.0,
        round.campaign_id.0,
        i32::try_from(round.number).map_err(corrupt)?
    )
    .fetch_one(conn)
    .await?;
    count(hits)
}
