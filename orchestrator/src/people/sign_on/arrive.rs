//! Whose account it is that somebody arrives at from the provider, and their session. One transaction with its events.

use super::come_back::Stop;
use super::provider::{Arrival, Provider};
use super::refused::Refused;
use crate::ids::{ActorId, SYSTEM};
use crate::people::manage::{record, words};
use crate::people::password;
use crate::store;
use crate::store::people::accounts::{self, Account, Inserted, NewAccount, SignsInBy, State};
use crate::store::people::identities::{self, Identity};
use crate::store::people::sessions::{self, Origin};
use serde_json::json;
use sqlx::{PgConnection, PgPool};

/// Somebody is in.
pub struct SignedOn {
    pub actor: ActorId,
    /// For the cookie.
    pub secret: String,
}

/// Begins a session for whoever arrives, in the account that is theirs.
pub(super) async fn arrive(
    pool: &PgPool,
    provider: &Provider,
    mut arrival: Arrival,
    origin: &Origin,
) -> Result<SignedOn, Stop> {
    let subject = arrival.person.sub.clone();
    let identity = Identity { issuer: &provider.settings().issuer, subject: &subject };
    let is_known = identities::account_of(&mut *pool.acquire().await?, &identity).await?.is_some();
    // An address counts for the first sign-on alone. No connection is held while the provider is asked for it.
    let email = match is_known {
        true => None,
        false => Some(provider.verified_email(&mut arrival).await?.ok_or(Refused::EmailNotVerified)?),
    };
    let mut tx = store::begin_on(pool).await?;
    let account = match email {
        None => identities::account_of(&mut tx, &identity).await?.ok_or(Refused::NoAccount)?,
        Some(email) => first(&mut tx, provider, &arrival, &identity, &email).await?,
    };
    if account.state == State::Disabled {
        return Err(Refused::Disabled(account).into());
    }
    let (session, secret) = sessions::begin(&mut tx, account.actor_id, origin).await?;
    accounts::signed_in(&mut tx, account.actor_id).await?;
    let body = json!({"session_id": session, "by": "provider"});
    record(&mut tx, "SignedIn", account.actor_id, account.actor_id, body).await?;
    tx.commit().await?;
    Ok(SignedOn { actor: account.actor_id, secret })
}

/// The account of somebody who was never here: the one that awaits their address or, where their domain is welcome and
/// no account has the address, one of their own without a role.
async fn first(
    conn: &mut PgConnection,
    provider: &Provider,
    arrival: &Arrival,
    identity: &Identity<'_>,
    email: &str,
) -> Result<Account, Stop> {
    let account = match identities::with_email(conn, email).await?.into_iter().next() {
        Some(account) if account.state == State::Disabled => return Err(Refused::Disabled(account).into()),
        Some(account) if account.signs_in_by == SignsInBy::Password => {
            return Err(Refused::HasPassword(account).into());
        }
        Some(account) if account.is_linked => return Err(Refused::LinkedToAnother(account).into()),
        Some(account) => account,
        None if provider.settings().welcomes(email) => make(conn, arrival, email).await?,
        None => return Err(Refused::NoAccount.into()),
    };
    if !identities::link(conn, account.actor_id, identity).await? {
        // Somebody with the same address was quicker.
        return Err(Refused::LinkedToAnother(account).into());
    }
    let body = json!({"issuer": identity.issuer, "subject": identity.subject, "email": email});
    record(conn, "IdentityLinked", account.actor_id, account.actor_id, body).await?;
    Ok(account)
}

/// A fresh account under the address as its name. Never that of an actor who is known without an account: their tokens
/// would be the newcomer's.
async fn make(conn: &mut PgConnection, arrival: &Arrival, email: &str) -> Result<Account, Stop> {
    let name = name_of(email);
    if identities::name_is_known(conn, &name).await? {
        return Err(Refused::NameTaken.into());
    }
    let person = &arrival.person;
    let called = [&person.name, &person.preferred_username].into_iter().flatten().map(|it| it.trim());
    let called = called.chain([email]).find(|it| !it.is_empty() && !it.contains('\0')).unwrap_or(email);
    let display_name: String = called.chars().take(100).collect();
    let account = NewAccount {
        name: &name,
        display_name: &display_name,
        email: Some(email),
        signs_in_by: SignsInBy::Provider,
        password_phc: password::NOBODYS,
        must_change_password: false,
        is_demo: false,
    };
    let Inserted::Created(id) = accounts::insert(conn, &account).await? else {
        return Err(Refused::NameTaken.into());
    };
    let body = json!({"name": name, "display_name": display_name, "grants": words(&[]),
        "signs_in_by": SignsInBy::Provider, "email": email});
    record(conn, "UserCreated", id, SYSTEM, body).await?;
    Ok(accounts::by_id(conn, id).await?.ok_or(Refused::NoAccount)?)
}

/// The address in the letters of names.
fn name_of(email: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || ".-_@".contains(c) { c } else { '-' };
    email.to_lowercase().chars().map(letter).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_name_that_accounts_may_have() {
        assert_eq!(name_of("Ada.Lovelace@Example.org"), "ada.lovelace@example.org");
        assert_eq!(name_of("ada+lab@example.org"), "ada-lab@example.org");
        assert_eq!(name_of("ä@example.org"), "-@example.org");
    }
}
