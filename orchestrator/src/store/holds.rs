//! What a person paused or drains. The lease statement looks here; nothing else has to be kept in step.

use super::error::{Error, Result};
use crate::ids::ActorId;
use chrono::{DateTime, Utc};
use jobs::JobId;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// How it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Nothing of it that has not begun begins.
    Pause,
    /// What is on its way is brought to its end, nothing new is entered.
    Drain,
}

impl Manner {
    pub const ALL: [Manner; 2] = [Manner::Pause, Manner::Drain];

    pub fn as_str(self) -> &'static str {
        match self {
            Manner::Pause => "pause",
            Manner::Drain => "drain",
        }
    }

    pub(super) fn from_column(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|manner| manner.as_str() == word);
        found.ok_or_else(|| Error::corrupt("hold manner", word))
    }
}

/// What a hold may stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Campaign,
    Round,
    Job,
}

impl Subject {
    fn as_str(self) -> &'static str {
        match self {
            Subject::Campaign => "campaign",
            Subject::Round => "round",
            Subject::Job => "job",
        }
    }

    pub(super) fn from_column(word: &str) -> Result<Self> {
        let all = [Subject::Campaign, Subject::Round, Subject::Job];
        let found = all.into_iter().find(|subject| subject.as_str() == word);
        found.ok_or_else(|| Error::corrupt("hold subject", word))
    }
}

/// A hold, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    pub manner: Manner,
    pub reason: String,
    /// Name of whoever ordered it.
    pub by: String,
    /// Real time.
    pub since: DateTime<Utc>,
}

/// Holds it so, whatever held it before.
pub async fn put(
    conn: &mut PgConnection,
    subject: Subject,
    id: Uuid,
    manner: Manner,
    reason: &str,
    actor: ActorId,
) -> Result<()> {
    sqlx::query!(
        "insert into hold (subject_id, subject, manner, reason, ordered_by)
         values ($1, $2, $3, $4, $5)
         on conflict (subject_id) do update
         set manner = excluded.manner, reason = excluded.reason, ordered_by = excluded.ordered_by,
             ordered_at = now(), because_of = null",
        id,
        subject.as_str(),
        manner.as_str(),
        reason,
        actor.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A drain came to its end: from now on nothing of it begins. Who ordered it, and why, stays.
pub async fn drained(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query!("update hold set manner = 'pause' where subject_id = $1", id).execute(conn).await?;
    Ok(())
}

/// Takes the hold away, and those that its drain put on others. Answers whether there was one.
pub async fn lift(conn: &mut PgConnection, id: Uuid) -> Result<bool> {
    let gone =
        sqlx::query!("delete from hold where subject_id = $1 or because_of = $1", id).execute(conn).await?;
    Ok(gone.rows_affected() > 0)
}

/// Jobs of the same plate that need `job` to succeed do not begin, until the hold on `job` is lifted. Those that
/// are held already keep their hold.
pub async fn put_on_dependents(
    conn: &mut PgConnection,
    job: JobId,
    reason: &str,
    actor: ActorId,
) -> Result<()> {
    sqlx::query!(
        "insert into hold (subject_id, subject, manner, because_of, reason, ordered_by)
         select job_dependency.job_id, 'job', 'pause', $1, $2, $3
         from job_dependency
         left join job_outcome on job_outcome.job_id = job_dependency.job_id
         where job_dependency.depends_on = $1
             and job_dependency.requires = 'success'
             and job_outcome.job_id is null
         on conflict (subject_id) do nothing",
        job.0,
        reason,
        actor.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a person put on a job stands on the one that does its work instead.
pub async fn move_to(conn: &mut PgConnection, job: JobId, instead: JobId) -> Result<()> {
    sqlx::query!(
        "update hold set subject_id = $2 where subject_id = $1 and manner = 'pause' and because_of is null",
        job.0,
        instead.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether it is held only because something before it drains.
pub async fn is_derived(conn: &mut PgConnection, id: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from hold where subject_id = $1 and because_of is not null) as "derived!""#,
        id
    )
    .fetch_one(conn)
    .await?)
}

pub async fn manner_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<Manner>> {
    let word =
        sqlx::query_scalar!("select manner from hold where subject_id = $1", id).fetch_optional(conn).await?;
    word.map(|word| Manner::from_column(&word)).transpose()
}

pub async fn of(conn: &mut PgConnection, id: Uuid) -> Result<Option<Hold>> {
    Ok(of_all(conn, &[id]).await?.remove(&id))
}

/// The hold on each of these that has one.
pub async fn of_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Hold>> {
    let rows = sqlx::query!(
        r#"select subject_id, manner, reason, actor.name as by, ordered_at
         from hold
         join actor on actor.id = ordered_by
         where subject_id = any($1)"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let manner = Manner::from_column(&row.manner)?;
            Ok((row.subject_id, Hold { manner, reason: row.reason, by: row.by, since: row.ordered_at }))
        })
        .collect()
}
