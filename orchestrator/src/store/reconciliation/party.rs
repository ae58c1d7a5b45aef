//! Who has to say what it did: heard of, or excused by a person.

use super::read;
use crate::ids::ActorId;
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::events::{self, NewEvent};
use ::jobs::wire::Reconciled;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

/// What became of an agent's word that it has offered everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    Taken,
    /// It speaks of another life than the one that answers.
    OtherEpoch(String),
    /// It has work in hand that this life knows nothing of: it ends, is reported, and then everything was offered.
    UnknownInHand(Uuid),
}

/// An agent has offered everything it has; in a transaction of its own.
pub async fn reconciled(
    conn: &mut PgConnection,
    epoch: &str,
    actor: ActorId,
    word: &Reconciled,
) -> Result<Answered> {
    let mut tx = store::begin(conn).await?;
    let now = crate::store::epoch::read(&mut tx).await?;
    if now != epoch {
        return Ok(Answered::OtherEpoch(now));
    }
    if let Some(unknown) = unknown_in_hand(&mut tx, word).await? {
        return Ok(Answered::UnknownInHand(unknown));
    }
    if let Some(instrument) = &word.instrument {
        let offered = i32::try_from(word.offered).unwrap_or(i32::MAX);
        let changed = sqlx::query!(
            "insert into reconciliation_party (epoch, instrument, state, actor_id, offered)
             values ($1, $2, 'reconciled', $3, $4)
             on conflict (epoch, instrument) do update
             set state = 'reconciled', actor_id = $3, offered = $4, excused_reason = null, since = now()
             where reconciliation_party.state <> 'reconciled'",
            epoch,
            instrument,
            actor.0,
            offered
        )
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() > 0 {
            let body = json!({"instrument": instrument, "offered": offered});
            record(&mut tx, "InstrumentReconciled", epoch, actor, body).await?;
        }
    }
    tx.commit().await?;
    Ok(Answered::Taken)
}

/// Of what it has in hand, a job whose lease this life has never given.
async fn unknown_in_hand(conn: &mut PgConnection, word: &Reconciled) -> Result<Option<Uuid>> {
    let jobs: Vec<Uuid> = word.in_hand.iter().map(|held| held.job_id.0).collect();
    let tokens: Vec<Uuid> = word.in_hand.iter().map(|held| held.lease_token.0).collect();
    Ok(sqlx::query_scalar!(
        r#"select in_hand.job_id as "job_id!"
         from unnest($1::uuid[], $2::uuid[]) as in_hand (job_id, lease_token)
         where not exists (
                 select from lease
                 where lease.job_id = in_hand.job_id and lease.lease_token = in_hand.lease_token)
             and not exists (
                 select from job_attempt
                 where job_attempt.job_id = in_hand.job_id and job_attempt.lease_token = in_hand.lease_token)
         limit 1"#,
        &jobs,
        &tokens
    )
    .fetch_optional(conn)
    .await?)
}

/// What became of a person's word that nobody waits for an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excused {
    Done,
    /// Nobody waits for it.
    NotAwaited,
}

/// A person says that nobody waits for this instrument's agent; in the caller's transaction.
pub async fn excuse(
    conn: &mut PgConnection,
    instrument: &str,
    actor: ActorId,
    reason: &str,
) -> Result<Excused> {
    let standing = read::standing(conn).await?;
    if !standing.instruments.iter().any(|party| party.instrument == instrument) {
        return Err(Error::not_found("instrument", instrument));
    }
    let changed = sqlx::query!(
        "update reconciliation_party
         set state = 'excused', actor_id = $3, excused_reason = $4, since = now()
         where epoch = $1 and instrument = $2 and state = 'awaited'",
        standing.epoch,
        instrument,
        actor.0,
        reason
    )
    .execute(&mut *conn)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(Excused::NotAwaited);
    }
    let body = json!({"instrument": instrument, "reason": reason});
    record(conn, "InstrumentExcused", &standing.epoch, actor, body).await?;
    Ok(Excused::Done)
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    epoch: &str,
    actor: ActorId,
    body: serde_json::Value,
) -> Result<()> {
    let event = NewEvent {
        kind,
        subject: "reconciliation",
        subject_id: epoch.to_owned(),
        campaign_id: None,
        actor,
        body,
    };
    events::append(conn, &event).await.map(drop)
}
