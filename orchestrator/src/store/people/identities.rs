//! Who an account's owner is at the laboratory's identity provider.
//!
//! An issuer and its subject are one account's (`account_identity`), and an address is awaited by one account at most
//! (`account_awaits_sign_on`).

use super::accounts::{Account, Row, SignsInBy};
use crate::ids::ActorId;
use crate::people::password;
use crate::store::error::{Error, Result};
use sqlx::PgConnection;

/// Somebody, as one issuer knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    pub issuer: &'a str,
    /// Never reused by the issuer, unlike names and addresses.
    pub subject: &'a str,
}

/// Whose account it is.
pub async fn account_of(conn: &mut PgConnection, identity: &Identity<'_>) -> Result<Option<Account>> {
    sqlx::query_as!(
        Row,
        r#"select actor_id, actor.name, display_name, email, state, signs_in_by,
                identity_subject is not null as "is_linked!", must_change_password, is_demo,
                account.created_at, last_sign_in_at
         from account
         join actor on actor.id = account.actor_id
         where identity_issuer = $1 and identity_subject = $2"#,
        identity.issuer,
        identity.subject
    )
    .fetch_optional(conn)
    .await?
    .map(Account::try_from)
    .transpose()
}

/// Accounts with this e-mail address, whichever way they sign in; the one that awaits its first sign-on first.
pub async fn with_email(conn: &mut PgConnection, email: &str) -> Result<Vec<Account>> {
    sqlx::query_as!(
        Row,
        r#"select actor_id, actor.name, display_name, email, state, signs_in_by,
                identity_subject is not null as "is_linked!", must_change_password, is_demo,
                account.created_at, last_sign_in_at
         from account
         join actor on actor.id = account.actor_id
         where lower(email) = lower($1)
         order by signs_in_by = 'provider' and identity_subject is null desc, actor_id"#,
        email
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Account::try_from)
    .collect()
}

/// `false` when the account does not await anybody (any more).
pub async fn link(conn: &mut PgConnection, id: ActorId, identity: &Identity<'_>) -> Result<bool> {
    let linked = sqlx::query!(
        "update account
         set identity_issuer = $2, identity_subject = $3
         where actor_id = $1 and signs_in_by = 'provider' and identity_subject is null",
        id.0,
        identity.issuer,
        identity.subject
    )
    .execute(conn)
    .await?;
    Ok(linked.rows_affected() > 0)
}

/// How [`prepare`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    Done,
    NoAccount,
    /// Another account awaits this address.
    EmailAwaited,
}

/// From now on its owner signs in by the provider alone: whoever it says has `email`. Who it was before is forgotten,
/// and so is the password.
pub async fn prepare(conn: &mut PgConnection, id: ActorId, email: &str) -> Result<Prepared> {
    let prepared = sqlx::query!(
        "update account
         set signs_in_by = $2, email = $3, identity_issuer = null, identity_subject = null,
             password_phc = $4, must_change_password = false, password_changed_at = now()
         where actor_id = $1",
        id.0,
        SignsInBy::Provider.as_str(),
        email,
        password::NOBODYS
    )
    .execute(conn)
    .await
    .map_err(Error::from);
    match prepared {
        Ok(done) if done.rows_affected() == 0 => Ok(Prepared::NoAccount),
        Ok(_) => Ok(Prepared::Done),
        Err(error) if error.constraint() == Some("account_awaits_sign_on") => Ok(Prepared::EmailAwaited),
        Err(error) => Err(error),
    }
}

/// Whether an actor of this name is known, with an account or without.
pub async fn name_is_known(conn: &mut PgConnection, name: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select exists (select from actor where name = $1) as "known!""#, name)
        .fetch_one(conn)
        .await?)
}
