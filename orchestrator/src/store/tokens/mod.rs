//! Who may do what: actors and their bearer tokens.
//!
//! A secret is 256 random bits, shown once; only its SHA-256 is kept. It needs no salt and no slow hash:
//! nobody guesses 256 bits. Expiry is real time.

use super::error::{Error, Result};
use super::people::grants;
use crate::ids::{ActorId, TokenId};
use crate::people::Powers;
use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::time::Duration;
use utoipa::ToSchema;

mod scope;

pub use scope::{NotAScope, Scope};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    Person,
    Agent,
    Learner,
    System,
}

impl ActorKind {
    pub const ALL: [ActorKind; 4] =
        [ActorKind::Person, ActorKind::Agent, ActorKind::Learner, ActorKind::System];

    pub fn as_str(self) -> &'static str {
        match self {
            ActorKind::Person => "person",
            ActorKind::Agent => "agent",
            ActorKind::Learner => "learner",
            ActorKind::System => "system",
        }
    }

    fn from_column(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| Error::corrupt("actor kind", word))
    }
}

/// Whoever holds a token that is valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub id: ActorId,
    pub name: String,
    pub kind: ActorKind,
    pub token_id: TokenId,
    /// What the token was made for and, for a person with an account, what their roles allow of it.
    pub powers: Powers,
    pub expires_in: Duration,
}

/// A token to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Name of the actor; made when there is none of that name.
    pub actor: String,
    pub kind: ActorKind,
    pub scopes: Vec<Scope>,
    /// What it is for, in the words of whoever made it.
    pub label: String,
    /// Real time.
    pub valid_hours: u32,
}

/// A token as it may be shown: without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    pub id: TokenId,
    pub actor: String,
    pub kind: ActorKind,
    pub scopes: Vec<String>,
    pub label: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A fresh token and its secret, which is shown now and never again.
#[derive(Clone, Debug)]
pub struct Created {
    pub id: TokenId,
    pub actor: ActorId,
    pub secret: String,
}

/// The actor of that name; made when there is none. Refused when the name belongs to another kind.
pub async fn actor(conn: &mut PgConnection, name: &str, kind: ActorKind) -> Result<ActorId> {
    sqlx::query!(
        "insert into actor (id, kind, name) values ($1, $2, $3) on conflict (name) do nothing",
        ActorId::fresh().0,
        kind.as_str(),
        name
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!("select id, kind from actor where name = $1", name).fetch_one(conn).await?;
    if row.kind != kind.as_str() {
        return Err(Error::Refused(format!("{name} is known as a {}, not as a {}", row.kind, kind.as_str())));
    }
    Ok(ActorId(row.id))
}

/// Makes a token with a fresh random secret.
pub async fn create(conn: &mut PgConnection, new: &NewToken) -> Result<Created> {
    if new.scopes.is_empty() {
        return Err(Error::Refused("a token without scopes could do nothing: name at least one".to_owned()));
    }
    let actor = actor(conn, &new.actor, new.kind).await?;
    let secret = fresh_secret("lw_")?;
    let id = TokenId::fresh();
    let hash = secret_digest(&secret);
    let scopes: Vec<String> = new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into api_token (id, actor_id, secret_sha256, scopes, label, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(hours => $6))",
        id.0,
        actor.0,
        &hash,
        &scopes,
        new.label,
        i32::try_from(new.valid_hours).unwrap_or(i32::MAX)
    )
    .execute(conn)
    .await?;
    Ok(Created { id, actor, secret })
}

/// 256 random bits, with a prefix that says what they open.
pub(in crate::store) fn fresh_secret(prefix: &str) -> Result<String> {
    let mut bytes = [0; 32];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::Refused(format!("no randomness from the system: {error}")))?;
    Ok(format!("{prefix}{}", hex::encode(bytes)))
}

/// What is kept of a secret.
pub(in crate::store) fn secret_digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// Whose secret it is; `None` when it is nobody's, revoked or expired, or its owner's account is switched off.
pub async fn authenticate(conn: &mut PgConnection, secret: &str) -> Result<Option<Actor>> {
    let hash = secret_digest(secret);
    let row = sqlx::query!(
        r#"select
             api_token.id as token_id, api_token.scopes, actor.id, actor.name, actor.kind,
             account.state as "account_state?", extract(epoch from expires_at - now())::float8 as "expires_in!",
             (last_used_at is null or last_used_at < now() - interval '1 minute') as "stale!"
         from api_token
         join actor on actor.id = api_token.actor_id
         left join account on account.actor_id = actor.id
         where secret_sha256 = $1 and revoked_at is null and expires_at > now()
           and account.state is distinct from 'disabled'"#,
        &hash
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.stale {
        sqlx::query!("update api_token set last_used_at = now() where id = $1", row.token_id)
            .execute(&mut *conn)
            .await?;
    }
    // A scope that this binary does not know gives nothing.
    let scopes: BTreeSet<Scope> = row.scopes.iter().filter_map(|word| word.parse().ok()).collect();
    let id = ActorId(row.id);
    let powers = match row.account_state {
        Some(_) => Powers::of(&grants::of(conn, id).await?).limited_to(&scopes),
        None => Powers::everywhere(scopes),
    };
    Ok(Some(Actor {
        id,
        name: row.name,
        kind: ActorKind::from_column(&row.kind)?,
        token_id: TokenId(row.token_id),
        powers,
        expires_in: Duration::try_from_secs_f64(row.expires_in).unwrap_or_default(),
    }))
}

/// Revokes every token of `actor`. Answers how many opened something until now.
pub async fn revoke_all(conn: &mut PgConnection, actor: ActorId) -> Result<u64> {
    let revoked = sqlx::query!(
        "update api_token
         set revoked_at = now()
         where actor_id = $1 and revoked_at is null and expires_at > now()",
        actor.0
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected())
}

/// How a revocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Revoked,
    AlreadyDone,
}

/// Whose token it is; `None` when there is no such token.
pub async fn owner(conn: &mut PgConnection, id: TokenId) -> Result<Option<ActorId>> {
    let owner = sqlx::query_scalar!("select actor_id from api_token where id = $1", id.0);
    Ok(owner.fetch_optional(conn).await?.map(ActorId))
}

/// From now on the secret opens nothing.
pub async fn revoke(conn: &mut PgConnection, id: TokenId) -> Result<Revoked> {
    let revoked =
        sqlx::query!("update api_token set revoked_at = now() where id = $1 and revoked_at is null", id.0)
            .execute(&mut *conn)
            .await?;
    if revoked.rows_affected() > 0 {
        return Ok(Revoked::Revoked);
    }
    let known =
        sqlx::query_scalar!("select id from api_token where id = $1", id.0).fetch_optional(conn).await?;
    known.map(|_| Revoked::AlreadyDone).ok_or_else(|| Error::not_found("token", id))
}

/// Up to `limit` tokens, oldest first, behind the token `after`; only those of `owner` when there is one.
pub async fn list(
    conn: &mut PgConnection,
    owner: Option<ActorId>,
    after: Option<TokenId>,
    limit: i64,
) -> Result<Vec<Token>> {
    let rows = sqlx::query!(
        "select api_token.id, actor.name, actor.kind, scopes, label, api_token.created_at, expires_at,
             revoked_at, last_used_at
         from api_token
         join actor on actor.id = api_token.actor_id
         where ($1::uuid is null or api_token.id > $1)
           and ($2::uuid is null or api_token.actor_id = $2)
         order by api_token.id
         limit $3",
        after.map(|id| id.0),
        owner.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Token {
                id: row.id.into(),
                actor: row.name,
                kind: ActorKind::from_column(&row.kind)?,
                scopes: row.scopes,
                label: row.label,
                created_at: row.created_at,
                expires_at: row.expires_at,
                revoked_at: row.revoked_at,
                last_used_at: row.last_used_at,
            })
        })
        .collect()
}
