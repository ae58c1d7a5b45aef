//! Accounts: who may sign in, and how.

use crate::ids::ActorId;
use crate::store::error::{Error, Result};
use crate::store::tokens::{self, ActorKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountState)]
pub enum State {
    Active,
    Disabled,
}

/// How an account's owner signs in, and in no other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignsInBy {
    Password,
    /// The laboratory's identity provider.
    Provider,
}

impl SignsInBy {
    pub fn as_str(self) -> &'static str {
        match self {
            SignsInBy::Password => "password",
            SignsInBy::Provider => "provider",
        }
    }
}

/// An account as it may be shown: without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub actor_id: ActorId,
    /// What is typed to sign in, and what the record shows.
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    pub state: State,
    pub signs_in_by: SignsInBy,
    /// Somebody at the provider is known to be its owner.
    pub is_linked: bool,
    pub must_change_password: bool,
    pub is_demo: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

pub struct NewAccount<'a> {
    pub name: &'a str,
    pub display_name: &'a str,
    pub email: Option<&'a str>,
    pub signs_in_by: SignsInBy,
    /// Of an account of the provider: [`crate::people::password::NOBODYS`].
    pub password_phc: &'a str,
    pub must_change_password: bool,
    pub is_demo: bool,
}

/// How a request for an account ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Created(ActorId),
    NameTaken,
}

pub(super) struct Row {
    pub actor_id: uuid::Uuid,
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    pub state: String,
    pub signs_in_by: String,
    pub is_linked: bool,
    pub must_change_password: bool,
    pub is_demo: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Account {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Account {
            actor_id: row.actor_id.into(),
            name: row.name,
            display_name: row.display_name,
            email: row.email,
            state: match row.state.as_str() {
                "active" => State::Active,
                "disabled" => State::Disabled,
                other => return Err(Error::corrupt("account state", other)),
            },
            signs_in_by: match row.signs_in_by.as_str() {
                "password" => SignsInBy::Password,
                "provider" => SignsInBy::Provider,
                other => return Err(Error::corrupt("way to sign in", other)),
            },
            is_linked: row.is_linked,
            must_change_password: row.must_change_password,
            is_demo: row.is_demo,
            created_at: row.created_at,
            last_sign_in_at: row.last_sign_in_at,
        })
    }
}

/// Makes an account; its actor too, unless a person of that name is known without one (from a token).
pub async fn insert(conn: &mut PgConnection, new: &NewAccount<'_>) -> Result<Inserted> {
    let actor = tokens::actor(conn, new.name, ActorKind::Person).await?;
    let inserted = sqlx::query!(
        "insert into account
             (actor_id, display_name, email, signs_in_by, password_phc, must_change_password, is_demo)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (actor_id) do nothing",
        actor.0,
        new.display_name,
        new.email,
        new.signs_in_by.as_str(),
        new.password_phc,
        new.must_change_password,
        new.is_demo
    )
    .execute(conn)
    .await?;
    Ok(if inserted.rows_affected() == 0 { Inserted::NameTaken } else { Inserted::Created(actor) })
}

pub async fn by_id(conn: &mut PgConnection, id: ActorId) -> Result<Option<Account>> {
    sqlx::query_as!(
        Row,
        r#"select actor_id, actor.name, display_name, email, state, signs_in_by,
                identity_subject is not null as "is_linked!", must_change_password, is_demo,
                account.created_at, last_sign_in_at
         from account
         join actor on actor.id = account.actor_id
         where actor_id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Account::try_from)
    .transpose()
}

/// Up to `limit` accounts, oldest first, behind the account `after`.
pub async fn list(conn: &mut PgConnection, after: Option<ActorId>, limit: i64) -> Result<Vec<Account>> {
    sqlx::query_as!(
        Row,
        r#"select actor_id, actor.name, display_name, email, state, signs_in_by,
                identity_subject is not null as "is_linked!", must_change_password, is_demo,
                account.created_at, last_sign_in_at
         from account
         join actor on actor.id = account.actor_id
         where $1::uuid is null or actor_id > $1
         order by actor_id
         limit $2"#,
        after.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Account::try_from)
    .collect()
}

/// Account and password hash of whoever signs in under `name`.
pub async fn by_name(conn: &mut PgConnection, name: &str) -> Result<Option<(Account, String)>> {
    let row = sqlx::query!(
        "select actor_id, password_phc
         from account
         join actor on actor.id = account.actor_id
         where actor.name = $1",
        name
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let account = by_id(conn, row.actor_id.into()).await?;
    Ok(account.map(|account| (account, row.password_phc)))
}

/// The hash of an account's password.
pub async fn password(conn: &mut PgConnection, id: ActorId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!("select password_phc from account where actor_id = $1", id.0)
        .fetch_optional(conn)
        .await?)
}

/// From now on its owner signs in with this password, and in no other way. `false` when there is no such account.
pub async fn set_password(
    conn: &mut PgConnection,
    id: ActorId,
    password_phc: &str,
    must_change: bool,
) -> Result<bool> {
    let updated = sqlx::query!(
        "update account
         set password_phc = $2, must_change_password = $3, password_changed_at = now(),
             signs_in_by = 'password', identity_issuer = null, identity_subject = null
         where actor_id = $1",
        id.0,
        password_phc,
        must_change
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() > 0)
}

/// Whether anything changed.
pub async fn set_state(conn: &mut PgConnection, id: ActorId, state: State) -> Result<bool> {
    let word = match state {
        State::Active => "active",
        State::Disabled => "disabled",
    };
    let updated =
        sqlx::query!("update account set state = $2 where actor_id = $1 and state <> $2", id.0, word)
            .execute(conn)
            .await?;
    Ok(updated.rows_affected() > 0)
}

pub async fn signed_in(conn: &mut PgConnection, id: ActorId) -> Result<()> {
    sqlx::query!("update account set last_sign_in_at = now() where actor_id = $1", id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether an account of the demo could sign in here.
pub async fn demo_is_active(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from account where is_demo and state = 'active') as "there!""#
    )
    .fetch_one(conn)
    .await?)
}
