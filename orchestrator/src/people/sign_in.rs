//! Signing in with a name and a password. Single sign-on would begin sessions here too.

use super::password;
use crate::ids::ActorId;
use crate::store::Result;
use crate::store::people::accounts::{self, State};
use crate::store::people::attempts::{self, Attempt};
use crate::store::people::sessions::{self, Origin};
use sqlx::PgPool;
use std::time::Duration;

/// How an attempt to sign in ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// `secret` is for the cookie.
    Done { actor: ActorId, secret: String },
    /// No such name, or not its password: nobody is told which.
    WrongCredentials,
    /// The password was right, and the account is switched off.
    Disabled,
    /// Too many failures: not even looked at.
    Throttled { retry_after: Duration },
}

/// Begins a session for whoever knows the password of `name`.
pub async fn sign_in(pool: &PgPool, name: &str, password: String, origin: &Origin) -> Result<SignedIn> {
    let known = {
        let mut conn = pool.acquire().await?;
        if let Attempt::Throttled { retry_after } = attempts::begin(&mut conn, name, &origin.address).await? {
            return Ok(SignedIn::Throttled { retry_after });
        }
        accounts::by_name(&mut conn, name).await?
    };
    // No connection is held while hashing.
    let (account, phc) = known.unzip();
    if !password::verify(password, phc).await? {
        return Ok(SignedIn::WrongCredentials);
    }
    let Some(account) = account else { return Ok(SignedIn::WrongCredentials) };
    if account.state == State::Disabled {
        return Ok(SignedIn::Disabled);
    }
    let mut tx = pool.begin().await?;
    attempts::succeeded(&mut tx, name).await?;
    let (_, secret) = sessions::begin(&mut tx, account.actor_id, origin).await?;
    accounts::signed_in(&mut tx, account.actor_id).await?;
    tx.commit().await?;
    Ok(SignedIn::Done { actor: account.actor_id, secret })
}
