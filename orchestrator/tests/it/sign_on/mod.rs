//! Signing on by an identity provider: who gets in, into which account, and everything that must not.

mod accounts;
mod provider;
mod refused;

use crate::support::{App, request};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use orchestrator::api::Config;
use orchestrator::ids::{ActorId, SYSTEM};
use orchestrator::people::manage::NewUser;
use orchestrator::people::sign_on::{Patience, Provider, Secret, Settings, account};
use orchestrator::people::{Grant, Role, manage};
use provider::{CLIENT, FakeProvider, Key, Mood, SECRET, asked};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;
use tower::ServiceExt;

const ADA: &str = "ada@example.org";
const PASSWORD: &str = "gravel otter sonnet 9 quince";
const BEGIN: &str = "/api/v1/session/sign-on";
const CALLBACK: &str = "/api/v1/session/sign-on/callback";

/// An app, its provider, and the key that the provider signs with.
struct House {
    app: App,
    provider: FakeProvider,
    key: Key,
}

fn settings(issuer: &str) -> Settings {
    let settings = Settings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Secret::new(SECRET),
        label: "Sign in with ACME".to_owned(),
        domains: Vec::new(),
        trusts_email: false,
        redirect_uri: String::new(),
    };
    settings.checked(Some("http://127.0.0.1:8460")).expect("usable")
}

/// Waits for nobody long, and asks for keys as often as it likes.
fn hasty() -> Patience {
    let none = Duration::ZERO;
    Patience {
        answer: Duration::from_millis(500),
        between_keys: none,
        after_failure: none,
        ..Patience::default()
    }
}

fn config(settings: Settings, patience: Patience) -> Config {
    Config { sign_on: Some(Provider::new(settings, patience).expect("a client")), ..Config::default() }
}

impl House {
    async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        Self::with(options, login, hasty(), |settings| settings).await
    }

    async fn with(
        options: PgPoolOptions,
        login: PgConnectOptions,
        patience: Patience,
        change: impl FnOnce(Settings) -> Settings,
    ) -> Self {
        let key = Key::ec("one");
        let provider = FakeProvider::start(&key).await;
        let app = App::with(options, login, config(change(settings(&provider.issuer)), patience)).await;
        Self { app, provider, key }
    }

    /// An account that awaits the first sign-on of this address.
    async fn prepared(&self, name: &str, email: &str, grants: &[Grant]) -> ActorId {
        let new = NewUser { email: Some(email.to_owned()), ..user(name, grants) };
        let mut conn = self.app.state.pool.acquire().await.expect("a connection");
        account::create(&mut conn, new, SYSTEM).await.expect("stored").expect("an account")
    }

    async fn with_password(&self, name: &str, email: Option<&str>, grants: &[Grant]) -> ActorId {
        let new = NewUser {
            email: email.map(str::to_owned),
            password: Some(PASSWORD.to_owned()),
            ..user(name, grants)
        };
        let mut conn = self.app.state.pool.acquire().await.expect("a connection");
        manage::create(&mut conn, new, SYSTEM).await.expect("stored").expect("an account").0
    }

    /// A browser is sent to the provider.
    async fn begin(&self) -> Sent {
        self.begin_for(json!({"from": "/plates?state=passed"})).await
    }

    async fn begin_for(&self, wish: Value) -> Sent {
        let (status, headers, body) = answer(&self.app, anonymous("POST", BEGIN, Some(&wish))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        Sent {
            location: body["location"].as_str().expect("a URL").to_owned(),
            cookie: cookie(&headers, "loopwright_sign_on").expect("a cookie"),
        }
    }

    /// Somebody signs in at the provider and comes back.
    async fn sign_on(&self, subject: &str, email: &str) -> Back {
        self.sign_on_saying(|house, sent| house.provider.claims(&sent.location, subject, email)).await
    }

    async fn sign_on_saying(&self, claims: impl FnOnce(&Self, &Sent) -> Value) -> Back {
        let sent = self.begin().await;
        let token = self.key.sign(&claims(self, &sent));
        let path = self.provider.signs_in(&sent.location, &token);
        self.back(&path, Some(&sent.cookie)).await
    }

    async fn back(&self, path: &str, cookie: Option<&str>) -> Back {
        back(&self.app, path, cookie).await
    }

    /// Everything in the record, oldest first.
    async fn record(&self) -> Vec<(String, String, Value)> {
        sqlx::query_as("select kind, subject_id, body from event order by id")
            .fetch_all(&self.app.state.pool)
            .await
            .expect("events")
    }

    /// Why the last refusal was one.
    async fn refusal(&self) -> Value {
        let (kind, _, body) = self.record().await.pop().expect("an event");
        assert_eq!(kind, "SignInRefused");
        body
    }
}

fn user(name: &str, grants: &[Grant]) -> NewUser {
    NewUser {
        name: name.to_owned(),
        display_name: name.to_owned(),
        email: None,
        grants: grants.to_vec(),
        is_demo: false,
        password: None,
    }
}

fn everywhere(role: Role) -> Grant {
    Grant { project: None, role }
}

/// A browser on its way.
struct Sent {
    location: String,
    cookie: String,
}

/// A browser that is back.
struct Back {
    status: StatusCode,
    headers: HeaderMap,
    location: String,
    session: Option<String>,
}

impl Back {
    /// Nobody is signed in, for this reason; the page says where one wanted to go.
    fn refused(&self, code: &str) {
        assert_eq!(self.location, format!("/sign-in?refused={code}&from=%2Fplates%3Fstate%3Dpassed"));
        self.is_out();
    }

    fn is_out(&self) {
        assert_eq!((self.status, &self.session), (StatusCode::SEE_OTHER, &None), "{}", self.location);
    }

    fn is_in(&self) -> &str {
        assert_eq!((self.status, self.location.as_str()), (StatusCode::SEE_OTHER, "/plates?state=passed"));
        self.session.as_deref().expect("a session")
    }
}

async fn back(app: &App, path: &str, cookie_sent: Option<&str>) -> Back {
    let mut request = anonymous("GET", path, None);
    if let Some(cookie) = cookie_sent {
        request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    }
    let (status, headers, _) = answer(app, request).await;
    let location = headers[header::LOCATION].to_str().expect("text").to_owned();
    Back { status, location, session: cookie(&headers, "loopwright_session"), headers }
}

fn anonymous(method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
    let mut request = request(method, "", path, body);
    request.headers_mut().remove(header::AUTHORIZATION);
    request
}

async fn answer(app: &App, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let response = app.router.clone().oneshot(request).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// A cookie that is set to something, as the browser sends it.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("text"));
    let pair = |text: &str| text.split(';').next().unwrap_or_default().to_owned();
    all.map(pair)
        .find(|pair| pair.split_once('=').is_some_and(|(known, value)| known == name && !value.is_empty()))
}

/// The session that this cookie opens.
async fn session(app: &App, cookie: &str) -> Value {
    let mut request = anonymous("GET", "/api/v1/session", None);
    request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    let (status, _, body) = answer(app, request).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

async fn password_opens(app: &App, name: &str, password: &str) -> bool {
    let wanted = json!({"name": name, "password": password});
    answer(app, anonymous("POST", "/api/v1/session", Some(&wanted))).await.0 == StatusCode::OK
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whoever_signs_on_has_a_session_like_any_other_and_is_where_they_wanted_to_go(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    let ada = house.prepared("ada", "Ada@Example.org", &[everywhere(Role::Scientist)]).await;
    let back = house.sign_on("subject-1", ADA).await;
    let cookie = back.is_in();
    let set = back.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("text"));
    let set: Vec<&str> = set.collect();
    assert!(
        set.iter()
            .any(|it| it.starts_with("loopwright_session=") && it.contains("HttpOnly; SameSite=Strict"))
    );
    assert!(
        set.iter().any(|it| it.starts_with("loopwright_sign_on=;") && it.contains("Max-Age=0")),
        "{set:?}"
    );
    assert_eq!(back.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(back.headers[header::REFERRER_POLICY], "no-referrer");

    let session = session(&house.app, cookie).await;
    assert_eq!(session["user"]["id"], ada.to_string());
    assert_eq!(
        (&session["signs_in_by"], &session["must_change_password"]),
        (&json!("provider"), &json!(false))
    );
    let mut change = request("DELETE", "", "/api/v1/session", None);
    change.headers_mut().remove(header::AUTHORIZATION);
    change.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    let (status, _, body) = answer(&house.app, change).await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("session.csrf")));

    let record = house.record().await;
    let kinds: Vec<(&str, &str)> = record.iter().map(|(kind, of, _)| (kind.as_str(), of.as_str())).collect();
    let of_ada = ada.to_string();
    assert_eq!(kinds, [("UserCreated", &*of_ada), ("IdentityLinked", &of_ada), ("SignedIn", &of_ada)]);
    assert_eq!(record[1].2, json!({"issuer": house.provider.issuer, "subject": "subject-1", "email": ADA}));
    assert_eq!(record[2].2["by"], "provider");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_provider_is_asked_as_the_protocol_says_and_told_no_secret_by_way_of_the_browser(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    let sent = house.begin().await;
    for (name, value) in [
        ("prompt", "login"),
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "http://127.0.0.1:8460/api/v1/session/sign-on/callback"),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked(&sent.location, name), value);
    }
    let secret = sent.cookie.split_once('=').expect("a pair").1;
    assert!(secret.len() > 60 && !sent.location.contains(secret) && !sent.location.contains("secret"));
    let other = house.begin().await;
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(asked(&sent.location, name), asked(&other.location, name), "{name} is fresh");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn keys_of_both_kinds_and_both_ways_to_send_the_secret_are_taken(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut house = House::new(options, login).await;
    house.prepared("ada", ADA, &[]).await;
    house.provider.takes_the_secret_by("client_secret_post");
    house.key = Key::rsa("two");
    house.provider.publish(&[&house.key]);
    house.sign_on("subject-1", ADA).await.is_in();
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn another_replica_takes_the_browser_back(options: PgPoolOptions, login: PgConnectOptions) {
    let house = House::new(options, login).await;
    house.prepared("ada", ADA, &[]).await;
    let sent = house.begin().await;
    let mut state = house.app.state.clone();
    state.config = std::sync::Arc::new(config(settings(&house.provider.issuer), hasty()));
    let other = App::over(state);
    let token = house.key.sign(&house.provider.claims(&sent.location, "subject-1", ADA));
    let path = house.provider.signs_in(&sent.location, &token);
    back(&other, &path, Some(&sent.cookie)).await.is_in();
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nobody_is_led_out_of_the_app(options: PgPoolOptions, login: PgConnectOptions) {
    let house = House::new(options, login).await;
    house.prepared("ada", ADA, &[]).await;
    for (wish, to) in [
        (json!({"from": "https://evil.example/"}), "/"),
        (json!({"from": "//evil.example/"}), "/"),
        (json!({"from": "/\\evil.example/"}), "/"),
        (json!({}), "/"),
        (json!({"from": "/batches/1?a=b"}), "/batches/1?a=b"),
    ] {
        let sent = house.begin_for(wish.clone()).await;
        let token = house.key.sign(&house.provider.claims(&sent.location, "subject-1", ADA));
        let path = house.provider.signs_in(&sent.location, &token);
        let back = house.back(&path, Some(&sent.cookie)).await;
        assert_eq!(back.location, to, "{wish}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_secret_is_kept_recorded_or_told(options: PgPoolOptions, login: PgConnectOptions) {
    let house = House::new(options, login).await;
    house.prepared("ada", ADA, &[]).await;
    let sent = house.begin().await;
    let pending: String = sqlx::query_scalar("select sign_on_pending::text from sign_on_pending")
        .fetch_one(&house.app.state.pool)
        .await
        .expect("a row");
    let secret = sent.cookie.split_once('=').expect("a pair").1.to_owned();
    for hidden in [secret.clone(), asked(&sent.location, "state"), asked(&sent.location, "nonce")] {
        assert!(!pending.contains(&hidden), "{pending}");
    }
    let token = house.key.sign(&house.provider.claims(&sent.location, "subject-1", ADA));
    let path = house.provider.signs_in(&sent.location, &token);
    let back = house.back(&path, Some(&sent.cookie)).await;
    back.is_in();
    let replayed = house.back(&path, Some(&sent.cookie)).await;
    replayed.is_out();
    let code = asked(&format!("http://x{path}"), "code");
    let all = format!("{:?} {} {}", house.record().await, back.location, replayed.location);
    for hidden in [&secret, &code, &token, &"an access token".to_owned(), &SECRET.to_owned()] {
        assert!(!all.contains(hidden.as_str()), "{hidden} in {all}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn without_a_provider_nothing_of_it_is_offered(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let (status, _, body) = answer(&app, anonymous("GET", BEGIN, None)).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"label": null})));
    let (status, _, body) = answer(&app, anonymous("POST", BEGIN, Some(&json!({})))).await;
    assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("sign_on.not_configured")));
    let back = back(&app, CALLBACK, None).await;
    assert_eq!(back.location, "/sign-in?refused=sign_on.not_configured");
    back.is_out();
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_sign_in_page_is_told_what_the_button_says_and_a_checkup_how_the_provider_is(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    let (_, _, offer) = answer(&house.app, anonymous("GET", BEGIN, None)).await;
    assert_eq!(offer, json!({"label": "Sign in with ACME"}));
    let token = house.app.token(&[orchestrator::store::tokens::Scope::Read]).await;
    let issuer = house.provider.issuer.clone();
    let (_, checkup) = house.app.get(&token, "/api/v1/checkup").await;
    assert_eq!(checkup["sign_on"], json!({"issuer": issuer, "error": null}));
    house.provider.mood(Mood::Broken);
    let (_, checkup) = house.app.get(&token, "/api/v1/checkup").await;
    let error = "asking the provider where things are: it answered 500 Internal Server Error";
    assert_eq!(checkup["sign_on"], json!({"issuer": issuer, "error": error}));
}
