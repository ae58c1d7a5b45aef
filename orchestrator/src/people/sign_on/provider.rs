//! What is asked of the provider: where things are, its keys, what a code stands for.
//!
//! What it publishes is kept in memory for an hour; a key that is not among what is kept is looked for again, once a
//! minute at most. Who waits for the same answer waits once: one asks, the others take what it found. After a failure
//! nothing is asked for a few seconds, so that a provider that is down is told to each, and keeps nobody waiting.

use super::fetch::{self, Failed};
use super::id_token::{self, Expected, Fault, Person};
use super::keys::{Heading, Keys};
use super::refused::Refused;
use super::round_trip::RoundTrip;
use super::settings::{Secret, Settings, is_loopback, is_private};
use crate::people::manage::is_address;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long the provider is waited for, and how often it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each answer.
    pub answer: Duration,
    /// What it publishes is kept so long.
    pub kept: Duration,
    /// Between two looks for a key that is not among those kept.
    pub between_keys: Duration,
    /// After a failure.
    pub after_failure: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(5),
            kept: Duration::from_secs(3600),
            between_keys: Duration::from_secs(60),
            after_failure: Duration::from_secs(5),
        }
    }
}

/// Cheap to clone; clones share what was found.
#[derive(Clone, Debug)]
pub struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    patience: Patience,
    http: Client,
    places: Mutex<Kept<Places>>,
    keys: Mutex<Kept<Keys>>,
}

/// Where things are, as the discovery document says. Parsed: each is reached over TLS (or on this machine).
#[derive(Clone, Debug)]
struct Places {
    authorization: Url,
    token: Url,
    keys: Url,
    user: Option<Url>,
    /// The secret is sent in the body, because the provider takes it in no header.
    secret_in_body: bool,
}

/// OpenID Connect Discovery 1.0, section 3.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What a code was exchanged for.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

/// The provider's page for signing in.
pub struct Way<'a> {
    url: Url,
    settings: &'a Settings,
}

/// Somebody who has signed in there.
pub struct Arrival {
    pub person: Person,
    /// Opens what the provider knows of them.
    access: Option<Secret>,
}

/// What was found last, and what failed last.
#[derive(Debug)]
struct Kept<T> {
    found: Option<(T, Instant)>,
    failed: Option<(Failed, Instant)>,
}

const FINDING: &str = "asking the provider where things are";
const KEYS: &str = "asking the provider for its keys";
const EXCHANGING: &str = "exchanging the code";
const ASKING_USER: &str = "asking the provider for the user's e-mail address";
const SCOPES: &str = "openid email profile";

impl Provider {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: Settings, patience: Patience) -> reqwest::Result<Self> {
        let is_here = Url::parse(&settings.issuer).is_ok_and(|url| is_loopback(&url));
        let http = fetch::client(patience.answer, is_here)?;
        let (places, keys) = (Mutex::new(Kept::nothing()), Mutex::new(Kept::nothing()));
        Ok(Self(Arc::new(Inner { settings, patience, http, places, keys })))
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether people can be sent there now; asks anew what is older than a minute.
    ///
    /// # Errors
    /// What does not work.
    pub async fn probe(&self) -> Result<(), Failed> {
        let recent = self.0.patience.between_keys;
        self.places(recent).await?;
        self.keys(recent).await.map(drop)
    }

    /// Where to send a browser.
    ///
    /// # Errors
    /// When the provider does not say where it is.
    pub async fn way(&self) -> Result<Way<'_>, Failed> {
        let url = self.places(self.0.patience.kept).await?.authorization;
        Ok(Way { url, settings: self.settings() })
    }

    /// Who came back with `code` from this round trip.
    ///
    /// # Errors
    /// When the provider does not answer as it should, or what it answers proves nothing.
    pub async fn exchange(&self, code: &str, trip: &RoundTrip<'_>) -> Result<Arrival, Refused> {
        let places = self.places(self.0.patience.kept).await?;
        let Settings { issuer, client_id, client_secret, redirect_uri, .. } = self.settings();
        let verifier = trip.verifier();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", &verifier),
        ];
        let mut request = self.0.http.post(places.token).header("accept", "application/json");
        if places.secret_in_body {
            fields.extend([("client_id", client_id.as_str()), ("client_secret", client_secret.expose())]);
        } else {
            request = request.header(AUTHORIZATION, basic(client_id, client_secret));
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form(&fields));
        let Tokens { id_token, access_token } = fetch::json(EXCHANGING, request).await?;
        let heading = Heading::of(&id_token).map_err(Refused::TokenInvalid)?;
        let key = self.key(&heading).await?;
        let nonce = trip.nonce();
        let expected = Expected { issuer, client_id, nonce: &nonce };
        let person =
            id_token::check(&id_token, &key, heading.algorithm, expected).map_err(Refused::TokenInvalid)?;
        Ok(Arrival { person, access: access_token.map(Secret::new) })
    }

    /// Their e-mail address, if the provider answers for it. Asked for where the ID token tells none: most providers put
    /// it there, some keep it for whoever asks.
    ///
    /// # Errors
    /// When the provider does not answer, or answers of somebody else.
    pub async fn verified_email(&self, arrival: &mut Arrival) -> Result<Option<String>, Refused> {
        if let (None, Some(access)) = (&arrival.person.email, &arrival.access)
            && let Some(user) = self.places(self.0.patience.kept).await?.user
        {
            let request = self.0.http.get(user).bearer_auth(access.expose());
            let told: Person = fetch::json(ASKING_USER, request).await?;
            // Section 5.3.2: user information of another subject must not be used.
            if told.sub != arrival.person.sub {
                return Err(Refused::TokenInvalid(Fault::Subject));
            }
            arrival.person = told;
        }
        let verified = arrival.person.says_verified().unwrap_or(self.settings().trusts_email);
        Ok(arrival.person.email.clone().filter(|email| verified && is_address(email)))
    }

    async fn places(&self, kept: Duration) -> Result<Places, Failed> {
        let mut places = self.0.places.lock().await;
        places.or_ask(kept, self.0.patience.after_failure, || self.discover()).await
    }

    async fn discover(&self) -> Result<Places, Failed> {
        let Settings { issuer, .. } = self.settings();
        let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let found: Discovery = fetch::json(FINDING, self.0.http.get(at)).await?;
        let wrong = |why: &str| Failed::Answer { doing: FINDING, why: why.to_owned() };
        if found.issuer != *issuer {
            return Err(wrong(
                "it says that it is another issuer: configure exactly what it says, to the last sign",
            ));
        }
        let place = |text: &String| {
            let url = Url::parse(text).map_err(|_| wrong("one of its addresses is none"))?;
            if is_private(&url) { Ok(url) } else { Err(wrong("it wants to be reached without TLS")) }
        };
        // In the header unless the provider says otherwise (Discovery 1.0, section 3).
        let takes = |method: &str| {
            found.token_endpoint_auth_methods_supported.iter().flatten().any(|it| it == method)
        };
        Ok(Places {
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
            authorization: place(&found.authorization_endpoint)?,
            token: place(&found.token_endpoint)?,
            keys: place(&found.jwks_uri)?,
            user: found.userinfo_endpoint.as_ref().map(place).transpose()?,
        })
    }

    /// The key that a token names: among those kept or, where it is not and they are not fresh, among those there are now.
    async fn key(&self, heading: &Heading) -> Result<DecodingKey, Refused> {
        let Patience { kept, between_keys, .. } = self.0.patience;
        if let Some(key) = self.keys(kept).await?.find(heading) {
            return Ok(key);
        }
        self.keys(between_keys).await?.find(heading).ok_or(Refused::TokenInvalid(Fault::UnknownKey))
    }

    async fn keys(&self, kept: Duration) -> Result<Keys, Failed> {
        let at = self.places(self.0.patience.kept).await?.keys;
        let mut keys = self.0.keys.lock().await;
        keys.or_ask(kept, self.0.patience.after_failure, || fetch::json(KEYS, self.0.http.get(at))).await
    }
}

impl Way<'_> {
    /// For the browser that has this round trip.
    pub fn of(mut self, trip: &RoundTrip<'_>) -> String {
        let Settings { client_id, redirect_uri, .. } = self.settings;
        self.url
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", SCOPES)
            .append_pair("state", &trip.state())
            .append_pair("nonce", &trip.nonce())
            .append_pair("code_challenge", &trip.challenge())
            .append_pair("code_challenge_method", "S256");
        self.url.into()
    }
}

impl<T: Clone> Kept<T> {
    fn nothing() -> Self {
        Self { found: None, failed: None }
    }

    /// What was found less than `kept` ago, or is found now.
    async fn or_ask(
        &mut self,
        kept: Duration,
        after_failure: Duration,
        ask: impl AsyncFnOnce() -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        if let Some((found, _)) = self.found.as_ref().filter(|(_, at)| at.elapsed() < kept) {
            return Ok(found.clone());
        }
        if let Some((failed, _)) = self.failed.as_ref().filter(|(_, at)| at.elapsed() < after_failure) {
            return Err(failed.clone());
        }
        let asked = ask().await;
        match &asked {
            Ok(found) => *self = Self { found: Some((found.clone(), Instant::now())), failed: None },
            Err(failed) => self.failed = Some((failed.clone(), Instant::now())),
        }
        asked
    }
}

/// RFC 6749, section 2.3.1: each half is encoded as in a form.
fn basic(client_id: &str, client_secret: &Secret) -> String {
    let encoded = |text: &str| form(&[("", text)]).trim_start_matches('=').to_owned();
    let pair = format!("{}:{}", encoded(client_id), encoded(client_secret.expose()));
    format!("Basic {}", STANDARD.encode(pair))
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut url = Url::parse("form:").expect("a URL");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_as_the_protocol_wants_it() {
        assert_eq!(form(&[("a b", "c&d=e"), ("f", "ä")]), "a+b=c%26d%3De&f=%C3%A4");
        let header = basic("loop wright", &Secret::new("p:ss=%"));
        let pair = STANDARD.decode(header.trim_start_matches("Basic ")).expect("base64");
        assert_eq!(String::from_utf8(pair).expect("text"), "loop+wright:p%3Ass%3D%25");
    }

    #[tokio::test]
    async fn who_waits_for_the_same_answer_gets_it_and_a_failure_is_not_asked_for_again_at_once() {
        let down = || Failed::Unreachable { doing: FINDING, why: "down".to_owned() };
        let (long, none) = (Duration::from_secs(60), Duration::ZERO);
        let mut kept = Kept::nothing();
        assert_eq!(kept.or_ask(long, long, async || Err(down())).await, Err(down()));
        assert_eq!(kept.or_ask(long, long, async || Ok(1)).await, Err(down()), "not asked");
        assert_eq!(kept.or_ask(long, none, async || Ok(2)).await, Ok(2));
        assert_eq!(kept.or_ask(long, none, async || Ok(3)).await, Ok(2), "kept");
        assert_eq!(kept.or_ask(none, none, async || Err(down())).await, Err(down()));
        assert_eq!(kept.or_ask(long, none, async || Ok(4)).await, Ok(2), "what was found stays");
    }
}
