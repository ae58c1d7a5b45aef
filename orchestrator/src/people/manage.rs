//! Making accounts and changing what they may do. Each command is one transaction with its event.

use super::{Grant, Role, password};
use crate::ids::ActorId;
use crate::store;
use crate::store::error::Result;
use crate::store::events::{self, NewEvent};
use crate::store::people::accounts::{self, Account, Inserted, NewAccount, SignsInBy, State};
use crate::store::people::{grants, projects, sessions};
use crate::store::tokens;
use serde_json::{Value, json};
use sqlx::PgConnection;

/// An account to make.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What is typed to sign in: letters, digits, `.`, `_`, `-`, `@`.
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    pub grants: Vec<Grant>,
    pub is_demo: bool,
    /// Absent: a random one, to be changed at the first sign-in.
    pub password: Option<String>,
}

/// Why a change of users is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a name has 2 to 100 characters: letters, digits, `.`, `_`, `-`, `@`")]
    NameInvalid,
    #[error("a display name has 1 to 100 characters")]
    DisplayNameInvalid,
    #[error("this is no e-mail address")]
    EmailInvalid,
    #[error("whoever signs on by the provider is known by an e-mail address: name it")]
    EmailMissing,
    #[error("another account awaits the first sign-on of this e-mail address")]
    EmailTaken,
    #[error("there is a user of this name already")]
    NameTaken,
    #[error("a role is granted in a project that does not exist")]
    UnknownProject,
    #[error("there is no such user")]
    NotFound,
    #[error(
        "nobody with a password could administer this installation then: make another such administrator first"
    )]
    LastAdmin,
    #[error("{0}")]
    Password(#[from] password::Refused),
}

impl Refused {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::NameInvalid => "user.name_invalid",
            Refused::DisplayNameInvalid => "user.display_name_invalid",
            Refused::EmailInvalid => "user.email_invalid",
            Refused::EmailMissing => "user.email_missing",
            Refused::EmailTaken => "user.email_taken",
            Refused::NameTaken => "user.name_taken",
            Refused::UnknownProject => "project.not_found",
            Refused::NotFound => "user.not_found",
            Refused::LastAdmin => "user.last_admin",
            Refused::Password(refused) => refused.code(),
        }
    }
}

pub(super) type Answer<T> = Result<std::result::Result<T, Refused>>;

/// Makes an account. Answers it, and the password that nobody chose, if one was made.
pub async fn create(conn: &mut PgConnection, new: NewUser, by: ActorId) -> Answer<(ActorId, Option<String>)> {
    if let Err(refused) = check(&new) {
        return Ok(Err(refused));
    }
    let (chosen, initial) = match new.password {
        Some(chosen) => (chosen, None),
        None => {
            let random = password::random()?;
            (random.clone(), Some(random))
        }
    };
    let phc = password::hash(chosen).await?;
    let mut tx = store::begin(conn).await?;
    if !known(&mut tx, &new.grants).await? {
        return refuse(tx, Refused::UnknownProject).await;
    }
    let account = NewAccount {
        name: &new.name,
        display_name: &new.display_name,
        email: new.email.as_deref(),
        signs_in_by: SignsInBy::Password,
        password_phc: &phc,
        must_change_password: initial.is_some(),
        is_demo: new.is_demo,
    };
    let Inserted::Created(id) = accounts::insert(&mut tx, &account).await? else {
        return refuse(tx, Refused::NameTaken).await;
    };
    grants::replace(&mut tx, id, &new.grants, by).await?;
    let body = json!({"name": new.name, "display_name": new.display_name, "grants": words(&new.grants)});
    record(&mut tx, "UserCreated", id, by, body).await?;
    tx.commit().await?;
    Ok(Ok((id, initial)))
}

/// From now on these roles and no others.
pub async fn grant(conn: &mut PgConnection, id: ActorId, granted: &[Grant], by: ActorId) -> Answer<()> {
    let mut tx = store::begin(conn).await?;
    if accounts::by_id(&mut tx, id).await?.is_none() {
        return refuse(tx, Refused::NotFound).await;
    }
    if !known(&mut tx, granted).await? {
        return refuse(tx, Refused::UnknownProject).await;
    }
    let stays_admin = granted.contains(&Grant { project: None, role: Role::Admin });
    if !stays_admin && is_last_admin(&mut tx, id).await? {
        return refuse(tx, Refused::LastAdmin).await;
    }
    grants::replace(&mut tx, id, granted, by).await?;
    record(&mut tx, "RolesGranted", id, by, json!({"grants": words(granted)})).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Switches an account off (every browser is signed out, every token of theirs is revoked) or on again.
pub async fn switch(conn: &mut PgConnection, id: ActorId, state: State, by: ActorId) -> Answer<Account> {
    let mut tx = store::begin(conn).await?;
    if state == State::Disabled && is_last_admin(&mut tx, id).await? {
        return refuse(tx, Refused::LastAdmin).await;
    }
    let changed = accounts::set_state(&mut tx, id, state).await?;
    let Some(account) = accounts::by_id(&mut tx, id).await? else {
        return refuse(tx, Refused::NotFound).await;
    };
    if changed {
        let kind = match state {
            State::Active => "UserEnabled",
            State::Disabled => "UserDisabled",
        };
        let mut tokens = 0;
        if state == State::Disabled {
            sessions::end_all(&mut tx, id, None).await?;
            tokens = tokens::revoke_all(&mut tx, id).await?;
        }
        record(&mut tx, kind, id, by, json!({"tokens_revoked": tokens})).await?;
    }
    tx.commit().await?;
    Ok(Ok(account))
}

/// A fresh random password, to be changed at the next sign-in; every browser is signed out and every token revoked:
/// whoever asks for it may have lost more than a memory. From then on nobody of the provider's opens the account.
pub async fn reset_password(conn: &mut PgConnection, id: ActorId, by: ActorId) -> Answer<String> {
    let random = password::random()?;
    let phc = password::hash(random.clone()).await?;
    let mut tx = store::begin(conn).await?;
    if !accounts::set_password(&mut tx, id, &phc, true).await? {
        return refuse(tx, Refused::NotFound).await;
    }
    sessions::end_all(&mut tx, id, None).await?;
    let tokens = tokens::revoke_all(&mut tx, id).await?;
    record(&mut tx, "PasswordReset", id, by, json!({"tokens_revoked": tokens})).await?;
    tx.commit().await?;
    Ok(Ok(random))
}

pub(super) fn check(new: &NewUser) -> std::result::Result<(), Refused> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    if !(2..=100).contains(&new.name.len()) || !new.name.chars().all(of_name) {
        return Err(Refused::NameInvalid);
    }
    if !(1..=100).contains(&new.display_name.trim().chars().count()) {
        return Err(Refused::DisplayNameInvalid);
    }
    if !new.email.as_deref().is_none_or(is_address) {
        return Err(Refused::EmailInvalid);
    }
    if let Some(chosen) = &new.password {
        password::check(chosen, &[&new.name, &new.display_name])?;
    }
    Ok(())
}

/// As an account keeps one.
pub(super) fn is_address(email: &str) -> bool {
    email.len() <= 200
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

pub(super) async fn known(conn: &mut PgConnection, granted: &[Grant]) -> Result<bool> {
    let wanted: Vec<uuid::Uuid> = granted.iter().filter_map(|grant| grant.project).map(|id| id.0).collect();
    projects::all_exist(conn, &wanted).await
}

/// Whether `id` is an administrator of everything, and the only one who can sign in.
pub(super) async fn is_last_admin(conn: &mut PgConnection, id: ActorId) -> Result<bool> {
    let is_admin = grants::of(conn, id).await?.contains(&Grant { project: None, role: Role::Admin });
    Ok(is_admin && grants::lock_and_count_other_admins(conn, id).await? == 0)
}

pub(super) fn words(granted: &[Grant]) -> Value {
    granted.iter().map(|grant| json!({"project_id": grant.project, "role": grant.role})).collect()
}

/// Nothing was changed; the locks go at once.
pub(super) async fn refuse<T>(tx: sqlx::Transaction<'_, sqlx::Postgres>, refused: Refused) -> Answer<T> {
    tx.rollback().await?;
    Ok(Err(refused))
}

pub(super) async fn record(
    conn: &mut PgConnection,
    kind: &str,
    id: ActorId,
    by: ActorId,
    body: Value,
) -> Result<()> {
    let event =
        NewEvent { kind, subject: "user", subject_id: id.to_string(), campaign_id: None, actor: by, body };
    events::append(conn, &event).await?;
    Ok(())
}
