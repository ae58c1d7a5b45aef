//! Browsers that are signed in. Real time.

use crate::ids::{ActorId, SessionId};
use crate::store::error::Result;
use crate::store::tokens::{fresh_secret, secret_digest};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::time::Duration;

/// A browser nobody uses is signed out after this.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);
/// And every browser after this.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// A session that is valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub actor_id: ActorId,
    pub name: String,
    pub must_change_password: bool,
    pub idle_expires_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Where a sign-in came from; cut to what the record keeps.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: String,
    pub user_agent: String,
}

/// Begins a session. Answers its secret, for the cookie.
pub async fn begin(conn: &mut PgConnection, actor: ActorId, origin: &Origin) -> Result<(SessionId, String)> {
    let secret = fresh_secret("lws_")?;
    let id = SessionId::fresh();
    let cut = |text: &str, limit| text.chars().take(limit).collect::<String>();
    sqlx::query!(
        "insert into session (id, actor_id, secret_sha256, idle_expires_at, expires_at, user_agent, address)
         values ($1, $2, $3, now() + make_interval(secs => $4), now() + make_interval(secs => $5), $6, $7)",
        id.0,
        actor.0,
        &secret_digest(&secret),
        IDLE.as_secs_f64(),
        LONGEST.as_secs_f64(),
        cut(&origin.user_agent, 300),
        cut(&origin.address, 100)
    )
    .execute(conn)
    .await?;
    Ok((id, secret))
}

/// Whose session it is; `None` when it is nobody's, has ended or expired. Being used moves the idle limit.
pub async fn authenticate(conn: &mut PgConnection, secret: &str) -> Result<Option<Session>> {
    let row = sqlx::query!(
        r#"select
             session.id, session.actor_id, actor.name, must_change_password, idle_expires_at, expires_at,
             (last_seen_at < now() - interval '1 minute') as "stale!"
         from session
         join account on account.actor_id = session.actor_id and account.state = 'active'
         join actor on actor.id = session.actor_id
         where secret_sha256 = $1 and ended_at is null and idle_expires_at > now() and expires_at > now()"#,
        &secret_digest(secret)
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut idle_expires_at = row.idle_expires_at;
    if row.stale {
        idle_expires_at = sqlx::query_scalar!(
            "update session
             set last_seen_at = now(), idle_expires_at = now() + make_interval(secs => $2)
             where id = $1
             returning idle_expires_at",
            row.id,
            IDLE.as_secs_f64()
        )
        .fetch_one(conn)
        .await?;
    }
    Ok(Some(Session {
        id: SessionId(row.id),
        actor_id: row.actor_id.into(),
        name: row.name,
        must_change_password: row.must_change_password,
        idle_expires_at,
        expires_at: row.expires_at,
    }))
}

/// It opens nothing from now on.
pub async fn end(conn: &mut PgConnection, id: SessionId) -> Result<()> {
    sqlx::query!("update session set ended_at = now() where id = $1 and ended_at is null", id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends every session of `actor` but `besides`. Answers how many.
pub async fn end_all(conn: &mut PgConnection, actor: ActorId, besides: Option<SessionId>) -> Result<u64> {
    let ended = sqlx::query!(
        "update session
         set ended_at = now()
         where actor_id = $1 and ended_at is null and ($2::uuid is null or id <> $2)",
        actor.0,
        besides.map(|id| id.0)
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected())
}

/// Forgets sessions that ended or expired more than 90 days ago, attempts of more than a day, and browsers that did not
/// come back from the provider.
pub async fn forget_old(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "delete from session
         where least(ended_at, idle_expires_at, expires_at) < now() - interval '90 days'"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from sign_in_failure where happened_at < now() - interval '1 day'")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from sign_on_pending where begun_at < now() - interval '1 hour'")
        .execute(conn)
        .await?;
    Ok(())
}
