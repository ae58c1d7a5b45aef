//! A browser that comes back from the provider: expected or not, signed on or refused, and recorded either way.

use super::arrive::{SignedOn, arrive};
use super::fetch::one_word;
use super::id_token::Fault;
use super::provider::Provider;
use super::refused::Refused;
use super::round_trip::RoundTrip;
use crate::ids::SYSTEM;
use crate::store::events::{self, NewEvent};
use crate::store::people::attempts::{self, Attempt};
use crate::store::people::pending;
use crate::store::people::sessions::Origin;
use crate::store::{Error, Result};
use serde_json::{Value, json};
use sqlx::PgPool;

/// What the provider sent it back with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    pub code: Option<&'a str>,
    pub state: Option<&'a str>,
    /// Instead of a code.
    pub error: Option<&'a str>,
    /// Who says so (RFC 9207); many providers do not.
    pub issuer: Option<&'a str>,
}

/// How it ended. `to`: the path that the person wanted to go to.
pub enum Ended {
    SignedOn {
        signed_on: SignedOn,
        to: String,
    },
    Refused {
        refused: Refused,
        to: Option<String>,
    },
    /// Too many failures at this address: not even looked at.
    Throttled,
}

/// Why it goes no further.
pub(super) enum Stop {
    Refused(Refused),
    Store(Error),
}

/// What is known on the way.
#[derive(Default)]
struct Seen {
    to: Option<String>,
    /// Proven by a token.
    subject: Option<String>,
}

/// Takes the browser that has `secret` in its cookie back.
///
/// # Errors
/// When the database does not do it now.
pub async fn come_back(
    pool: &PgPool,
    provider: &Provider,
    secret: Option<&str>,
    answer: Answer<'_>,
    origin: &Origin,
) -> Result<Ended> {
    let attempt = attempts::begin_unnamed(&mut *pool.acquire().await?, &origin.address).await?;
    let Attempt::Begun { id } = attempt else { return Ok(Ended::Throttled) };
    let mut seen = Seen::default();
    let ended = sign_on(pool, provider, secret, answer, origin, &mut seen).await;
    match (ended, seen.to) {
        (Ok(signed_on), Some(to)) => {
            attempts::strike_out(&mut *pool.acquire().await?, id).await?;
            Ok(Ended::SignedOn { signed_on, to })
        }
        (Err(Stop::Refused(refused)), to) => {
            record(pool, provider, &refused, seen.subject).await?;
            if refused.is_the_providers() {
                attempts::strike_out(&mut *pool.acquire().await?, id).await?;
            }
            Ok(Ended::Refused { refused, to })
        }
        (Err(Stop::Store(error)), _) => Err(error),
        (Ok(_), None) => Ok(Ended::Refused { refused: Refused::NotExpected, to: None }),
    }
}

async fn sign_on(
    pool: &PgPool,
    provider: &Provider,
    secret: Option<&str>,
    answer: Answer<'_>,
    origin: &Origin,
    seen: &mut Seen,
) -> std::result::Result<SignedOn, Stop> {
    let secret = secret.ok_or(Refused::NotExpected)?;
    let trip = RoundTrip(secret);
    // Before it is used up: a link of somebody else's must not end what this browser has begun.
    if answer.state != Some(trip.state().as_str()) {
        return Err(Refused::StateDiffers.into());
    }
    let to = pending::take(&mut *pool.acquire().await?, secret).await?;
    seen.to = Some(to.ok_or(Refused::NotExpected)?);
    if answer.issuer.is_some_and(|issuer| issuer != provider.settings().issuer) {
        return Err(Refused::TokenInvalid(Fault::Issuer).into());
    }
    let Some(code) = answer.code.filter(|_| answer.error.is_none()) else {
        let word = answer.error.and_then(one_word);
        return Err(Refused::ProviderRefused(word.unwrap_or_else(|| "no code".to_owned())).into());
    };
    // No connection is held meanwhile.
    let arrival = provider.exchange(code, &trip).await?;
    seen.subject = Some(arrival.person.sub.clone());
    arrive(pool, provider, arrival, origin).await
}

/// By nobody known, as with a password.
async fn record(
    pool: &PgPool,
    provider: &Provider,
    refused: &Refused,
    subject: Option<String>,
) -> Result<()> {
    let because = refused.code().rsplit('.').next().unwrap_or_default();
    tracing::warn!(because, why = refused.why(), "nobody was signed on by the provider");
    let mut body = json!({"because": because, "by": "provider"});
    if let Some(why) = refused.why() {
        body["why"] = Value::String(why);
    }
    if let Some(subject) = subject {
        body["issuer"] = provider.settings().issuer.clone().into();
        body["subject"] = subject.into();
    }
    let of = refused.account().map_or_else(|| "unknown".to_owned(), |account| account.actor_id.to_string());
    let event = NewEvent {
        kind: "SignInRefused",
        subject: "user",
        subject_id: of,
        campaign_id: None,
        actor: SYSTEM,
        body,
    };
    events::append(&mut *pool.acquire().await?, &event).await.map(drop)
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Stop::Refused(refused)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Store(error)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Stop::Store(error.into())
    }
}
