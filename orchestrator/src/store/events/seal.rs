//! The sealer: any replica under a row lock.
//!
//! It seals in the order (transaction, event) and only what is older than the oldest running transaction,
//! so that nothing can later commit in front of a position already given.

use super::canonical::{Form, Recorded, link};
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::Result;
use sqlx::PgConnection;

struct Head {
    position: i64,
    chain: Vec<u8>,
}

/// Gives up to `limit` committed events their positions. Answers how many; 0 also when another seals now.
pub async fn seal_batch(conn: &mut PgConnection, limit: i64) -> Result<usize> {
    steps::before(Step::Seal).await;
    let mut tx = store::begin(conn).await?;
    let Some(mut head) = lock_head(&mut tx).await? else { return Ok(0) };
    let found = unsealed(&mut tx, limit).await?;
    if found.events.is_empty() {
        return Ok(0);
    }
    let mut positions = Vec::with_capacity(found.events.len());
    let mut links = Vec::with_capacity(found.events.len());
    for event in &found.events {
        head.position += 1;
        head.chain = link(&head.chain, &event.canonical(Form::NEWEST)).to_vec();
        positions.push(head.position);
        links.push(head.chain.clone());
    }
    let ids: Vec<i64> = found.events.iter().map(|event| event.id).collect();
    write(&mut tx, &positions, &ids, &links).await?;
    move_head(&mut tx, &head, &found.sealed_below).await?;
    steps::commit(tx, Step::Seal).await?;
    Ok(ids.len())
}

async fn lock_head(conn: &mut PgConnection) -> Result<Option<Head>> {
    let row = sqlx::query!("select position, chain_sha256 from event_sealer for update skip locked")
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Head { position: row.position, chain: row.chain_sha256 }))
}

struct Found {
    events: Vec<Recorded>,
    /// Once they are sealed, every event of an older transaction is.
    sealed_below: String,
}

/// One statement, so that the horizon and the rows are of the same snapshot. A database restored from a
/// dump counts transactions anew: then the remembered bound lies ahead of the horizon and is not used.
async fn unsealed(conn: &mut PgConnection, limit: i64) -> Result<Found> {
    let rows = sqlx::query!(
        r#"select
             event.id, happened_at, lab_at, kind, subject, subject_id, campaign_id, actor_id, body,
             origin, event.xid::text as "xid!", pg_snapshot_xmin(pg_current_snapshot())::text as "below!"
         from event
         where event.xid >= (
                 select
                     case
                         when sealed_below <= pg_snapshot_xmin(pg_current_snapshot()) then sealed_below
                         else '0'::xid8
                     end
                 from event_sealer
             )
             and event.xid < pg_snapshot_xmin(pg_current_snapshot())
             and not exists (select from event_seal where event_seal.event_id = event.id)
         order by event.xid, event.id
         limit $1"#,
        limit
    )
    .fetch_all(conn)
    .await?;
    let full = i64::try_from(rows.len()).is_ok_and(|found| found >= limit);
    let sealed_below = match rows.last() {
        Some(last) if full => last.xid.clone(),
        Some(last) => last.below.clone(),
        None => String::new(),
    };
    let events = rows
        .into_iter()
        .map(|row| Recorded {
            id: row.id,
            happened_at: row.happened_at,
            lab_at: row.lab_at,
            kind: row.kind,
            subject: row.subject,
            subject_id: row.subject_id,
            campaign_id: row.campaign_id.map(Into::into),
            actor: row.actor_id.into(),
            body: row.body,
            origin: row.origin,
        })
        .collect();
    Ok(Found { events, sealed_below })
}

async fn write(conn: &mut PgConnection, positions: &[i64], ids: &[i64], links: &[Vec<u8>]) -> Result<()> {
    sqlx::query!(
        "insert into event_seal (position, event_id, chain_sha256, form)
         select position, event_id, chain_sha256, $4
         from unnest($1::bigint[], $2::bigint[], $3::bytea[]) as sealed (position, event_id, chain_sha256)",
        positions,
        ids,
        links,
        Form::NEWEST as i16
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn move_head(conn: &mut PgConnection, head: &Head, sealed_below: &str) -> Result<()> {
    sqlx::query!(
        "update event_sealer set position = $1, chain_sha256 = $2, sealed_below = $3::text::xid8",
        head.position,
        head.chain,
        sealed_below
    )
    .execute(conn)
    .await?;
    Ok(())
}
