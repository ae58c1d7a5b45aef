//! The posterior over the whole pool, as a round's model saw it before the batch.

use super::Result;
use super::moved::count;
use super::proposals::experiment;
use crate::ids::{CampaignId, RoundId};
use chrono::{DateTime, Utc};
use jobs::Experiment;
use jobs::work::learn::Prediction;
use sqlx::PgConnection;

/// Rows per statement: seven arrays of this length stay under a megabyte.
const CHUNK: usize = 10_000;

/// One experiment of the pool, and what the model says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    pub experiment: Experiment,
    pub prediction: Prediction,
    /// Value of the acquisition function.
    pub score: f64,
}

/// Replaces the round's posterior (a new generation of the batch has a new one).
pub async fn replace(conn: &mut PgConnection, round: RoundId, posterior: &[Predicted]) -> Result<()> {
    sqlx::query!("delete from prediction where round_id = $1", round.0).execute(&mut *conn).await?;
    for chunk in posterior.chunks(CHUNK) {
        let text = |of: fn(&Predicted) -> String| chunk.iter().map(of).collect::<Vec<String>>();
        let number = |of: fn(&Predicted) -> f64| chunk.iter().map(of).collect::<Vec<f64>>();
        sqlx::query!(
            "insert into prediction
                 (round_id, perturbation, context, mean, epistemic_sd, aleatoric_sd, hit_probability, score)
             select $1, * from unnest(
                 $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[])",
            round.0,
            &text(|p| p.experiment.perturbation.to_string()),
            &text(|p| p.experiment.context.0.clone()),
            &number(|p| p.prediction.mean),
            &number(|p| p.prediction.epistemic_sd),
            &number(|p| p.prediction.aleatoric_sd),
            &number(|p| p.prediction.hit_probability),
            &number(|p| p.score)
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Of one experiment; `None` when it is not in the pool.
pub async fn of(conn: &mut PgConnection, round: RoundId, asked: &Experiment) -> Result<Option<Predicted>> {
    let row = sqlx::query!(
        "select mean, epistemic_sd, aleatoric_sd, hit_probability, score
         from prediction
         where round_id = $1 and perturbation = $2 and context = $3",
        round.0,
        asked.perturbation.to_string(),
        asked.context.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Predicted {
        experiment: asked.clone(),
        prediction: Prediction {
            mean: row.mean,
            epistemic_sd: row.epistemic_sd,
            aleatoric_sd: row.aleatoric_sd,
            hit_probability: row.hit_probability,
        },
        score: row.score,
    }))
}

/// Of one experiment in the latest round of the campaign that has it in its pool, with that round's number.
pub async fn latest(
    conn: &mut PgConnection,
    campaign: CampaignId,
    asked: &Experiment,
) -> Result<Option<(u32, Predicted)>> {
    let Some(row) = sqlx::query!(
        "select round.number, mean, epistemic_sd, aleatoric_sd, hit_probability, score
         from round
         join prediction on prediction.round_id = round.id
         where round.campaign_id = $1 and perturbation = $2 and context = $3
         order by round.number desc
         limit 1",
        campaign.0,
        asked.perturbation.to_string(),
        asked.context.0
    )
    .fetch_optional(conn)
    .await?
    else {
        return Ok(None);
    };
    let predicted = Predicted {
        experiment: asked.clone(),
        prediction: Prediction {
            mean: row.mean,
            epistemic_sd: row.epistemic_sd,
            aleatoric_sd: row.aleatoric_sd,
            hit_probability: row.hit_probability,
        },
        score: row.score,
    };
    Ok(Some((count(row.number.into())?, predicted)))
}

/// The `limit` highest scores of the round's pool.
pub async fn best(conn: &mut PgConnection, round: RoundId, limit: i64) -> Result<Vec<Predicted>> {
    let rows = sqlx::query!(
        "select perturbation, context, mean, epistemic_sd, aleatoric_sd, hit_probability, score
         from prediction
         where round_id = $1
         order by score desc, perturbation, context
         limit $2",
        round.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Predicted {
                experiment: experiment(&row.perturbation, row.context)?,
                prediction: Prediction {
                    mean: row.mean,
                    epistemic_sd: row.epistemic_sd,
                    aleatoric_sd: row.aleatoric_sd,
                    hit_probability: row.hit_probability,
                },
                score: row.score,
            })
        })
        .collect()
}

/// Hits that the round's posterior expects among what the campaign has not measured; `None` when the round has none.
pub async fn expected_hits_unmeasured(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
) -> Result<Option<f64>> {
    let row = sqlx::query!("select expected_hits, expected_hits_at from round where id = $1", round.0)
        .fetch_optional(&mut *conn)
        .await?;
    match row.and_then(|row| row.expected_hits.zip(row.expected_hits_at)) {
        Some((then, at)) => Ok(Some(then - measured_since(conn, campaign, round, at).await?)),
        // Stored before anybody added it up.
        None => add_up(conn, campaign, round).await,
    }
}

/// Of the round's posterior, what the campaign has measured since `at` for the first time. Only rounds that had not closed by then measured
/// anything since. `offset 0`: what was measured is looked up one by one, never the whole posterior.
async fn measured_since(
    conn: &mut PgConnection,
    campaign: CampaignId,
    round: RoundId,
    at: DateTime<Utc>,
) -> Result<f64> {
    Ok(sqlx::query_scalar!(
        r#"with measured as (
               select distinct proposal.perturbation, proposal.context
               from round
               join observation on observation.round_id = round.id
               join proposal on proposal.id = observation.proposal_id
               where round.campaign_id = $2
                 and coalesce((
                         select max(entered_at)
                         from round_stage
                         where round_stage.round_id = round.id and stage = 'closed'), 'infinity') > $3
                 and observation.created_at > $3
                 and ((select coalesce(max((spec->'acquisition'->>'replicate_share')::float8), 0)
                       from campaign_version
                       where campaign_version.campaign_id = $2) = 0
                     or not exists (
                         select from proposal as earlier
                         join batch on batch.id = earlier.batch_id
                         join round as another on another.id = batch.round_id
                         join observation as known on known.proposal_id = earlier.id
                         where earlier.perturbation = proposal.perturbation
                           and earlier.context = proposal.context
                           and another.campaign_id = $2
                           and known.created_at <= $3))
           )
           select coalesce(sum(hit_probability), 0) as "sum!"
           from measured
           cross join lateral (
               select hit_probability
               from prediction
               where prediction.round_id = $1
                 and prediction.perturbation = measured.perturbation
                 and prediction.context = measured.context
               offset 0) as predicted"#,
        round.0,
        campaign.0,
        at
    )
    .fetch_one(conn)
    .await?)
}

/// Everything, less what is measured: found by its key, whatever plan is chosen.
async fn add_up(conn: &mut PgConnection, campaign: CampaignId, round: RoundId) -> Result<Option<f64>> {
    let sum = sqlx::query_scalar!(
        "with measured as materialized (
             select distinct proposal.perturbation, proposal.context
             from round
             join observation on observation.round_id = round.id
             join plate on plate.id = observation.plate_id
             join proposal on proposal.id = observation.proposal_id
             where round.campaign_id = $2 and plate.state in ('passed', 'released')
         )
         select sum(hit_probability) - (
             select coalesce(sum(predicted.hit_probability), 0)
             from measured
             cross join lateral (
                 select hit_probability
                 from prediction
                 where prediction.round_id = $1
                     and prediction.perturbation = measured.perturbation
                     and prediction.context = measured.context
                 offset 0) as predicted)
         from prediction
         where round_id = $1",
        round.0,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    // Where all is measured, what is left of the two sums is rounding.
    Ok(sum.map(|sum| sum.max(0.0)))
}

/// Keeps what [`add_up`] says now.
pub async fn keep_expected_hits(conn: &mut PgConnection, campaign: CampaignId, round: RoundId) -> Result<()> {
    let expected = add_up(conn, campaign, round).await?;
    sqlx::query!(
        "update round
         set expected_hits = $2, expected_hits_at = case when $2::float8 is not null then now() end
         where id = $1",
        round.0,
        expected
    )
    .execute(conn)
    .await?;
    Ok(())
}
