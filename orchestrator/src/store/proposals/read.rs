//! Proposals of batches, read.

use super::Proposal;
use super::proposal::Row;
use crate::ids::{BatchId, ProposalId};
use crate::store::Result;
use crate::store::moved::count;
use jobs::work::learn::Prediction;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

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
