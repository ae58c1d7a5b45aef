//! Observations: what came of proposals, from plates that passed QC or that a person released.

use super::Result;
use super::moved::{corrupt, count};
use super::proposals::experiment;
use super::rounds::Round;
use crate::campaigns::spec::HitRule;
use crate::ids::{CampaignId, ObservationId, PlateId, ProposalId, RoundId};
use crate::rounds::pooled;
use crate::rounds::summary::Calls;
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

/// How many observations of each of these rounds are called hits: at least as many as there are new hits in it, since a
/// pooled hit has a plate that is one. A round
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

/// What the round changed about hit calls, its measurements pooled with those of earlier ones. As
/// [`crate::rounds::summary::calls`] over everything.
///
/// Earlier is what other rounds had observed before this one observed anything of the experiment. `offset 0`: what may have
/// been measured before is looked up one by one, by what was asked; never all proposals of the campaign. That is what is
/// called here, what people added, and everything where the campaign lets a share be measured again.
pub async fn calls(conn: &mut PgConnection, round: &Round) -> Result<Calls> {
    let Some((rule, repeats)) = rule(conn, round).await? else { return Ok(Calls::default()) };
    let rows = sqlx::query!(
        r#"with here as materialized (
               select proposal.perturbation, proposal.context, min(observation.created_at) as first_at,
                      bool_or(proposal.origin = 'person') as by_hand,
                      sum(value * replicates) as weighted, sum(replicates) as replicates,
                      count(hit) as called, count(*) filter (where hit) as hits
               from observation
               join proposal on proposal.id = observation.proposal_id
               where observation.round_id = $1
               group by proposal.perturbation, proposal.context
           ),
           other as materialized (
               select batch.id
               from round
               join batch on batch.round_id = round.id
               where round.campaign_id = $2 and round.id <> $1
           ),
           asked as materialized (
               select here.perturbation, here.context, here.first_at, proposal.id, proposal.batch_id
               from here
               cross join lateral (
                   select id, batch_id
                   from proposal
                   where proposal.perturbation = here.perturbation and proposal.context = here.context
                   offset 0) as proposal
               where here.hits > 0 or here.by_hand or $3
           ),
           before as (
               select asked.perturbation, asked.context,
                      sum(value * replicates) as weighted, sum(replicates) as replicates,
                      count(hit) as called, count(*) filter (where hit) as hits
               from asked
               join other on other.id = asked.batch_id
               join observation on observation.proposal_id = asked.id and observation.created_at < asked.first_at
               group by asked.perturbation, asked.context
           )
           select here.weighted as "weighted!", here.replicates as "replicates!", here.called as "called!",
                  here.hits as "hits!", before.weighted as "before_weighted?",
                  before.replicates as "before_replicates?", before.called as "before_called?",
                  before.hits as "before_hits?"
           from here
           left join before using (perturbation, context)
           where here.hits > 0 or before.replicates is not null"#,
        round.id.0,
        round.campaign_id.0,
        repeats
    )
    .fetch_all(conn)
    .await?;
    let mut calls = Calls::default();
    for row in rows {
        let here =
            Sum { weighted: row.weighted, replicates: row.replicates, called: row.called, hits: row.hits };
        let before = Sum {
            weighted: row.before_weighted.unwrap_or_default(),
            replicates: row.before_replicates.unwrap_or_default(),
            called: row.before_called.unwrap_or_default(),
            hits: row.before_hits.unwrap_or_default(),
        };
        calls.count(before.replicates > 0, before.is_hit(&rule)?, here.and(before).is_hit(&rule)?);
    }
    Ok(calls)
}

/// Sums over the plates of one experiment.
#[derive(Clone, Copy)]
struct Sum {
    /// Of values, each times its replicates.
    weighted: f64,
    replicates: i64,
    called: i64,
    hits: i64,
}

impl Sum {
    fn and(self, other: Self) -> Self {
        Self {
            weighted: self.weighted + other.weighted,
            replicates: self.replicates + other.replicates,
            called: self.called + other.called,
            hits: self.hits + other.hits,
        }
    }

    fn is_hit(self, rule: &HitRule) -> Result<bool> {
        let number = |number: i64| usize::try_from(number).map_err(corrupt);
        let value = self.weighted / f64::from(count(self.replicates)?.max(1));
        Ok(pooled::call(rule, value, number(self.called)?, number(self.hits)?) == Some(true))
    }
}

/// How the round's edition calls hits, and whether it lets a share of a batch be measured again.
async fn rule(conn: &mut PgConnection, round: &Round) -> Result<Option<(HitRule, bool)>> {
    let row = sqlx::query!(
        r#"select spec->'objective'->'hit' as "hit!",
                  coalesce((spec->'acquisition'->>'replicate_share')::float8, 0) > 0 as "repeats!"
           from campaign_version
           where campaign_id = $1 and version = $2"#,
        round.campaign_id.0,
        i32::try_from(round.campaign_version).map_err(corrupt)?
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((serde_json::from_value(row.hit).map_err(corrupt)?, row.repeats))).transpose()
}
