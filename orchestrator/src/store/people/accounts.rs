//! Accounts: who may sign in with a password.

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

/// An account as it may be shown: without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub actor_id: ActorId,
    /// What is typed to sign in, and what the record shows.
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    pub state: State,
    pub must_change_password: bool,
    pub is_demo: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

pub struct NewAccount<'a> {
    pub name: &'a str,
    pub display_name: &'a str,
    pub email: Option<&'a str>,
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

struct Row {
    actor_id: uuid::Uuid,
    name: String,
    display_name: String,
    email: Option<String>,
    state: String,
    must_change_password: bool,
    is_demo: bool,
    created_at: DateTime<Utc>,
    last_sign_in_at: Option<DateTime<Utc>>,
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
        "insert into account (actor_id, display_name, email, password_phc, must_change_password, is_demo)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (actor_id) do nothing",
        actor.0,
        new.display_name,
        new.email,
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
        "select actor_id, actor.name, display_name, email, state, must_change_password, is_demo,
                account.created_at, last_sign_in_at
         from account
         join actor on actor.id = account.actor_id
         where actor_id = $1",
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
        "select actor_id, actor.name, display_name, email, state, must_change_password, is_demo,
                account.created_at, last_sign_in_at
         from account
         join actor on actor.id = account.actor_id
         where $1::uuid is null or actor_id > $1
         order by actor_id
         limit $2",
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

/// `false` when there is no such account.
pub async fn set_password(
    conn: &mut PgConnection,
    id: ActorId,
    password_phc: &str,
    must_change: bool,
) -> Result<bool> {
    let updated = sqlx::query!(
        "update account
         set password_phc = $2, must_change_password = $3, password_changed_at = now()
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
