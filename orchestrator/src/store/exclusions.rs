//! What rejections exclude from further proposals of their round.

use super::Result;
use super::batches::Batch;
use super::moved::{count, word};
use crate::batches::exclusion::{Excluded, Kind};
use crate::ids::{ActorId, RoundId};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Keeps what the rejection of `batch` excludes.
pub async fn add(
    conn: &mut PgConnection,
    batch: &Batch,
    excluded: &[(Kind, String)],
    reason: &str,
    actor: ActorId,
) -> Result<()> {
    let ids: Vec<Uuid> = excluded.iter().map(|_| Uuid::now_v7()).collect();
    let kinds: Vec<String> = excluded.iter().map(|(kind, _)| kind.as_str().to_owned()).collect();
    let values: Vec<String> = excluded.iter().map(|(_, value)| value.clone()).collect();
    sqlx::query!(
        "insert into round_exclusion (id, round_id, batch_id, kind, value, reason, actor_id)
         select id, $1, $2, kind, value, $3, $4
         from unnest($5::uuid[], $6::text[], $7::text[]) as given (id, kind, value)
         on conflict on constraint round_exclusion_once do nothing",
        batch.round_id.0,
        batch.id.0,
        reason,
        actor.0,
        &ids,
        &kinds,
        &values
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was excluded in each of these rounds, first to last; a round without any is left out.
pub async fn of_rounds(
    conn: &mut PgConnection,
    rounds: &[RoundId],
) -> Result<BTreeMap<RoundId, Vec<Excluded>>> {
    let rounds: Vec<Uuid> = rounds.iter().map(|round| round.0).collect();
    let rows = sqlx::query!(
        "select round_exclusion.round_id, round_exclusion.kind, value, reason, actor.name as actor, batch.generation
         from round_exclusion
         join batch on batch.id = round_exclusion.batch_id
         join actor on actor.id = round_exclusion.actor_id
         where round_exclusion.round_id = any($1)
         order by batch.generation, round_exclusion.id",
        &rounds
    )
    .fetch_all(conn)
    .await?;
    let mut excluded: BTreeMap<RoundId, Vec<Excluded>> = BTreeMap::new();
    for row in rows {
        excluded.entry(row.round_id.into()).or_default().push(Excluded {
            kind: word(Kind::from_column(&row.kind), "round_exclusion.kind", &row.kind)?,
            value: row.value,
            reason: row.reason,
            actor: row.actor,
            generation: count(row.generation.into())?,
        });
    }
    Ok(excluded)
}

/// The genes that must not be proposed in the round: excluded by name or by a tag that they have.
pub async fn genes(conn: &mut PgConnection, round: RoundId) -> Result<Vec<String>> {
    let genes = sqlx::query_scalar!(
        r#"select value as "gene!"
           from round_exclusion
           where round_id = $1 and kind = 'gene'
           union
           select gene
           from round_exclusion
           join round on round.id = round_exclusion.round_id
           join campaign_gene
             on campaign_gene.campaign_id = round.campaign_id
            and campaign_gene.version = round.campaign_version
            and campaign_gene.tags @> array[round_exclusion.value]
           where round_exclusion.round_id = $1 and kind = 'tag'
           order by 1"#,
        round.0
    )
    .fetch_all(conn)
    .await?;
    Ok(genes)
}
