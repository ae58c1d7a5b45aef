//! Signing in with a name and a password; by the provider: [`super::sign_on`].

use super::password;
use crate::ids::{ActorId, SYSTEM};
use crate::store;
use crate::store::Result;
use crate::store::events::{self, NewEvent};
use crate::store::people::accounts::{self, SignsInBy, State};
use crate::store::people::attempts::{self, Attempt};
use crate::store::people::sessions::{self, Origin};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
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
    let of = account.as_ref().map(|account| account.actor_id);
    // Looked at in any case, so that the time tells nothing; whoever signs on by the provider has none.
    let fits = password::verify(password, phc).await?;
    if !fits || account.as_ref().is_some_and(|account| account.signs_in_by == SignsInBy::Provider) {
        refused(pool, of, "wrong_credentials").await?;
        return Ok(SignedIn::WrongCredentials);
    }
    let Some(account) = account else {
        refused(pool, None, "wrong_credentials").await?;
        return Ok(SignedIn::WrongCredentials);
    };
    if account.state == State::Disabled {
        refused(pool, of, "disabled").await?;
        return Ok(SignedIn::Disabled);
    }
    let mut tx = store::begin_on(pool).await?;
    attempts::succeeded(&mut tx, name).await?;
    let (session, secret) = sessions::begin(&mut tx, account.actor_id, origin).await?;
    accounts::signed_in(&mut tx, account.actor_id).await?;
    let body = json!({"session_id": session});
    record(&mut tx, "SignedIn", Some(account.actor_id), account.actor_id, body).await?;
    tx.commit().await?;
    Ok(SignedIn::Done { actor: account.actor_id, secret })
}

/// An attempt that failed, by nobody known. A name that nobody has is not kept: it may be a password in the wrong field.
async fn refused(pool: &PgPool, of: Option<ActorId>, why: &str) -> Result<()> {
    record(&mut *pool.acquire().await?, "SignInRefused", of, SYSTEM, json!({"because": why})).await
}

async fn record(
    conn: &mut PgConnection,
    kind: &str,
    of: Option<ActorId>,
    actor: ActorId,
    body: Value,
) -> Result<()> {
    let subject_id = of.map_or_else(|| "unknown".to_owned(), |of| of.to_string());
    let event = NewEvent { kind, subject: "user", subject_id, campaign_id: None, actor, body };
    events::append(conn, &event).await.map(drop)
}
