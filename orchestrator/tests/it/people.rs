//! Who may do what: signing in, sessions, roles by project, every role on every route.

use crate::support::{App, request};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use orchestrator::api::{Access, rules};
use orchestrator::ids::{ActorId, DEFAULT_PROJECT, ProjectId, SYSTEM};
use orchestrator::people::manage::{self, NewUser};
use orchestrator::people::{Grant, Role};
use orchestrator::serve::ensure_no_demo_users;
use orchestrator::store::people::accounts::State;
use orchestrator::store::people::projects::{self, Inserted};
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::fmt::Write as _;
use tower::ServiceExt;

const PASSWORD: &str = "gravel otter sonnet 9 quince";

/// Somebody who signed in.
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = request(method, "", path, body);
        request.headers_mut().remove(header::AUTHORIZATION);
        request.headers_mut().insert(header::COOKIE, self.cookie.parse().expect("a cookie"));
        request.headers_mut().insert("x-csrf-token", self.csrf.parse().expect("a token"));
        request
    }
}

async fn user(app: &App, name: &str, grants: &[Grant]) -> ActorId {
    let new = NewUser {
        name: name.to_owned(),
        display_name: name.to_owned(),
        email: None,
        grants: grants.to_vec(),
        is_demo: false,
        password: Some(PASSWORD.to_owned()),
    };
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    manage::create(&mut conn, new, SYSTEM).await.expect("stored").expect("a user").0
}

async fn everywhere(app: &App, role: Role) -> ActorId {
    user(app, role.as_str(), &[Grant { project: None, role }]).await
}

fn credentials(name: &str, password: &str) -> Request<Body> {
    let mut request =
        request("POST", "", "/api/v1/session", Some(&json!({"name": name, "password": password})));
    request.headers_mut().remove(header::AUTHORIZATION);
    request
}

async fn answer(app: &App, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let response = app.router.clone().oneshot(request).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn sign_in(app: &App, name: &str, password: &str) -> Browser {
    let (status, headers, body) = answer(app, credentials(name, password)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let cookie = headers[header::SET_COOKIE].to_str().expect("text").split(';').next().expect("a pair");
    Browser { cookie: cookie.to_owned(), csrf: body["csrf_token"].as_str().expect("a token").to_owned() }
}

fn code(body: &Value) -> &str {
    body["code"].as_str().unwrap_or_default()
}

/// `/jobs/{id}/start` with an id in each parameter's place.
fn filled(path: &str) -> String {
    let id = "01890000-0000-7000-8000-00000000abcd";
    path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_role_opens_its_routes_and_no_others(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let mut browsers = Vec::new();
    for role in Role::ALL {
        everywhere(&app, role).await;
        browsers.push((role, sign_in(&app, role.as_str(), PASSWORD).await));
    }
    let mut table = String::from("method path: viewer operator scientist engineer admin\n");
    for rule in rules() {
        let Access::AnyOf(scopes) = rule.access else {
            writeln!(table, "{} {}: {:?}", rule.method, rule.path, rule.access).expect("a string");
            continue;
        };
        let mut row = format!("{} {}:", rule.method, rule.path);
        for (role, browser) in &browsers {
            let status = app.status(browser.request(rule.method.as_str(), &filled(&rule.path), None)).await;
            let opens = role.scopes().iter().any(|scope| scopes.contains(scope));
            let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
            assert_eq!(denied, !opens, "{role} on {rule:?} was answered {status}");
            row += if opens { " yes" } else { " -" };
        }
        writeln!(table, "{row}").expect("a string");
    }
    insta::assert_snapshot!(table);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_browser_that_does_not_send_the_csrf_token_changes_nothing(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    everywhere(&app, Role::Admin).await;
    let mut browser = sign_in(&app, "admin", PASSWORD).await;
    "another".clone_into(&mut browser.csrf);
    for rule in rules() {
        if rule.access == Access::Public || rule.method == Method::GET {
            continue;
        }
        let (status, _, body) =
            answer(&app, browser.request(rule.method.as_str(), &filled(&rule.path), None)).await;
        assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "session.csrf"), "{rule:?}");
    }
    let (status, ..) = answer(&app, browser.request("GET", "/api/v1/session", None)).await;
    assert_eq!(status, StatusCode::OK, "reading needs none");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_session_ends_here_everywhere_and_with_the_account(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let ada = everywhere(&app, Role::Scientist).await;
    let here = sign_in(&app, "scientist", PASSWORD).await;
    let there = sign_in(&app, "scientist", PASSWORD).await;
    let seen = |browser: &Browser| browser.request("GET", "/api/v1/campaigns", None);

    let (status, headers, _) = answer(&app, here.request("DELETE", "/api/v1/session", None)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(headers[header::SET_COOKIE].to_str().expect("text").contains("Max-Age=0"));
    let (status, _, body) = answer(&app, seen(&here)).await;
    assert_eq!((status, code(&body)), (StatusCode::UNAUTHORIZED, "session.missing"));
    assert_eq!(app.status(seen(&there)).await, StatusCode::OK, "the other browser stays");

    let third = sign_in(&app, "scientist", PASSWORD).await;
    let everywhere = third.request("DELETE", "/api/v1/session/everywhere", None);
    assert_eq!(app.status(everywhere).await, StatusCode::NO_CONTENT);
    assert_eq!(app.status(seen(&there)).await, StatusCode::UNAUTHORIZED);

    let fourth = sign_in(&app, "scientist", PASSWORD).await;
    let token = app.token_of("scientist", ActorKind::Person, &[Scope::Read]).await;
    assert_eq!(app.get(&token, "/api/v1/campaigns").await.0, StatusCode::OK);
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    manage::switch(&mut conn, ada, State::Disabled, SYSTEM).await.expect("stored").expect("switched off");
    assert_eq!(app.status(seen(&fourth)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(app.get(&token, "/api/v1/campaigns").await.0, StatusCode::UNAUTHORIZED, "the token too");
    let (status, _, body) = answer(&app, credentials("scientist", PASSWORD)).await;
    assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "session.account_disabled"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_session_expires_when_idle_and_in_the_end(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    everywhere(&app, Role::Viewer).await;
    for limit in ["idle_expires_at", "expires_at"] {
        let browser = sign_in(&app, "viewer", PASSWORD).await;
        let seen = || browser.request("GET", "/api/v1/campaigns", None);
        assert_eq!(app.status(seen()).await, StatusCode::OK);
        let past = format!("update session set {limit} = now() - interval '1 second'");
        sqlx::query(sqlx::AssertSqlSafe(past)).execute(&app.state.pool).await.expect("time passes");
        assert_eq!(app.status(seen()).await, StatusCode::UNAUTHORIZED, "{limit}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn guessing_is_slowed_down_and_names_are_not_given_away(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    everywhere(&app, Role::Viewer).await;
    let (_, _, unknown) = answer(&app, credentials("nobody", "x")).await;
    let (status, _, wrong) = answer(&app, credentials("viewer", "x")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(unknown, wrong, "the same words for an unknown name and a wrong password");
    for _ in 0..4 {
        assert_eq!(answer(&app, credentials("viewer", "x")).await.0, StatusCode::UNAUTHORIZED);
    }
    let (status, headers, body) = answer(&app, credentials("viewer", PASSWORD)).await;
    assert_eq!((status, code(&body)), (StatusCode::TOO_MANY_REQUESTS, "session.throttled"));
    assert!(headers.contains_key(header::RETRY_AFTER));
    sqlx::query("update sign_in_failure set happened_at = happened_at - interval '1 minute'")
        .execute(&app.state.pool)
        .await
        .expect("time passes");
    sign_in(&app, "viewer", PASSWORD).await;
    let left: i64 = sqlx::query_scalar("select count(*) from sign_in_failure where name = 'viewer'")
        .fetch_one(&app.state.pool)
        .await
        .expect("a count");
    assert_eq!(left, 0, "a right password ends the count");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nul_in_what_is_typed_is_refused_and_no_defect(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let (status, _, body) = answer(&app, credentials("a\0b", "x")).await;
    assert_eq!((status, code(&body)), (StatusCode::UNPROCESSABLE_ENTITY, "store.refused"), "{body}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn guesses_sent_at_the_same_moment_see_each_other(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    everywhere(&app, Role::Viewer).await;
    let guesses = (0..16).map(|_| answer(&app, credentials("viewer", "x")));
    let answers = futures::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|(status, ..)| *status == StatusCode::UNAUTHORIZED).count();
    assert!(looked_at <= 5, "{looked_at} of 16 were looked at");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_initial_password_opens_nothing_but_its_own_change(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    everywhere(&app, Role::Admin).await;
    let admin = sign_in(&app, "admin", PASSWORD).await;
    let new = json!({"name": "rosa", "display_name": "Rosa", "grants": [{"role": "scientist"}]});
    let (status, _, made) = answer(&app, admin.request("POST", "/api/v1/users", Some(&new))).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let initial = made["initial_password"].as_str().expect("a password");
    let rosa = sign_in(&app, "rosa", initial).await;
    let (status, _, body) = answer(&app, rosa.request("GET", "/api/v1/campaigns", None)).await;
    assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "session.password_change_needed"));
    let system =
        json!({"actor": "loopwright", "kind": "system", "scopes": ["read"], "label": "x", "valid_hours": 1});
    let (status, _, body) = answer(&app, admin.request("POST", "/api/v1/tokens", Some(&system))).await;
    assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "token.not_own"), "nobody acts as the server");
    // A token would outlive the change of the password.
    let token =
        json!({"actor": "rosa", "kind": "person", "scopes": ["read"], "label": "x", "valid_hours": 1});
    let (status, _, body) = answer(&app, rosa.request("POST", "/api/v1/tokens", Some(&token))).await;
    assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "session.password_change_needed"));
    let change = |current: &str, new: &str| {
        rosa.request("POST", "/api/v1/session/password", Some(&json!({"current": current, "new": new})))
    };
    for (current, new, expected) in [
        (initial, "short", "password.too_short"),
        (initial, "password1234", "password.too_common"),
        (initial, initial, "password.unchanged"),
        ("wrong", PASSWORD, "password.wrong"),
    ] {
        assert_eq!(code(&answer(&app, change(current, new)).await.2), expected);
    }
    assert_eq!(app.status(change(initial, PASSWORD)).await, StatusCode::NO_CONTENT);
    assert_eq!(app.status(rosa.request("GET", "/api/v1/campaigns", None)).await, StatusCode::OK);
    let everything: String = sqlx::query_scalar("select string_agg(body::text, '') from event")
        .fetch_one(&app.state.pool)
        .await
        .expect("the record");
    assert!(!everything.contains(initial) && !everything.contains(PASSWORD), "no password is recorded");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_administrator_acts_under_no_other_name(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    everywhere(&app, Role::Scientist).await;
    everywhere(&app, Role::Admin).await;
    let admin = sign_in(&app, "admin", PASSWORD).await;
    let make = |actor: &str, kind: &str| {
        let new = json!({"actor": actor, "kind": kind, "scopes": ["read"], "label": "x", "valid_hours": 1});
        admin.request("POST", "/api/v1/tokens", Some(&new))
    };
    let (status, _, body) = answer(&app, make("scientist", "person")).await;
    assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "token.not_own"));
    for (actor, kind) in [("admin", "person"), ("agent-1", "agent")] {
        assert_eq!(app.status(make(actor, kind)).await, StatusCode::CREATED, "{actor}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn tokens_go_with_a_password_that_somebody_else_resets(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let rosa = everywhere(&app, Role::Scientist).await;
    let before = app.token_of("scientist", ActorKind::Person, &[Scope::Read]).await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    manage::reset_password(&mut conn, rosa, SYSTEM).await.expect("stored").expect("reset");
    assert_eq!(app.get(&before, "/api/v1/campaigns").await.0, StatusCode::UNAUTHORIZED);
    let again = app.token_of("scientist", ActorKind::Person, &[Scope::Read]).await;
    for state in [State::Disabled, State::Active] {
        manage::switch(&mut conn, rosa, state, SYSTEM).await.expect("stored").expect("switched");
        assert_eq!(app.get(&again, "/api/v1/campaigns").await.0, StatusCode::UNAUTHORIZED, "{state:?}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_last_administrator_stays(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let only = everywhere(&app, Role::Admin).await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    let refused = manage::switch(&mut conn, only, State::Disabled, SYSTEM).await.expect("stored");
    assert_eq!(refused.expect_err("refused"), manage::Refused::LastAdmin);
    let refused = manage::grant(&mut conn, only, &[], SYSTEM).await.expect("stored");
    assert_eq!(refused, Err(manage::Refused::LastAdmin));
    user(&app, "second", &[Grant { project: None, role: Role::Admin }]).await;
    assert!(manage::switch(&mut conn, only, State::Disabled, SYSTEM).await.expect("stored").is_ok());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn users_of_the_demo_are_not_served_to_other_machines(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let pool = &app.state.pool;
    let address = |text: &str| text.parse::<std::net::SocketAddr>().expect("an address");
    let (here, anywhere) = (address("127.0.0.1:8460"), address("0.0.0.0:8460"));
    ensure_no_demo_users(pool, anywhere, true).await.expect("nobody of the demo is known");
    let new = NewUser {
        name: "rosa".to_owned(),
        display_name: "Rosa".to_owned(),
        email: None,
        grants: Vec::new(),
        is_demo: true,
        password: Some(PASSWORD.to_owned()),
    };
    let mut conn = pool.acquire().await.expect("a connection");
    let (rosa, _) = manage::create(&mut conn, new, SYSTEM).await.expect("stored").expect("a user");
    ensure_no_demo_users(pool, here, false).await.expect("this machine only");
    for (listen, behind_proxy) in [(anywhere, true), (here, true)] {
        let refused = ensure_no_demo_users(pool, listen, behind_proxy).await.expect_err("others reach it");
        assert!(refused.to_string().contains("users of the demo"), "{refused}");
    }
    manage::switch(&mut conn, rosa, State::Disabled, SYSTEM).await.expect("stored").expect("switched off");
    ensure_no_demo_users(pool, anywhere, true).await.expect("she cannot sign in any more");
}

async fn project(app: &App, name: &str) -> ProjectId {
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    match projects::insert(&mut conn, name).await.expect("stored") {
        Inserted::Created(project) => project.id,
        Inserted::NameTaken => panic!("{name} is taken"),
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_token_of_ones_own_opens_no_more_than_its_owner(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let viewer = everywhere(&app, Role::Engineer).await;
    let browser = sign_in(&app, "engineer", PASSWORD).await;
    let new = |actor: &str, scopes: &[&str]| json!({"actor": actor, "kind": "person", "scopes": scopes, "label": "mine", "valid_hours": 24});
    let make = |body: &Value| browser.request("POST", "/api/v1/tokens", Some(body));
    assert_eq!(code(&answer(&app, make(&new("engineer", &["admin"]))).await.2), "access.scope_missing");
    assert_eq!(code(&answer(&app, make(&new("somebody", &["read"]))).await.2), "token.not_own");
    let (status, _, made) = answer(&app, make(&new("engineer", &["read", "campaign:write"]))).await;
    assert_eq!(status, StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(app.get(&secret, "/api/v1/campaigns").await.0, StatusCode::OK);
    let (_, refused) = app.post(&secret, "/api/v1/tokens", &new("engineer", &["read"])).await;
    assert_eq!(code(&refused), "token.not_own", "a token makes no token");
    // The owner's roles shrink, and the token with them.
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    manage::grant(&mut conn, viewer, &[Grant { project: None, role: Role::Viewer }], SYSTEM)
        .await
        .expect("stored")
        .expect("granted");
    let (status, _) = app.post(&secret, "/api/v1/campaigns", &json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let other = app.token(&[Scope::Read]).await;
    let (_, mine) = app.get(&secret, "/api/v1/tokens").await;
    assert_eq!(mine["items"].as_array().map(Vec::len), Some(1), "only one's own are listed: {mine}");
    assert!(app.get(&other, "/api/v1/campaigns").await.0.is_success());
}

mod by_project {
    use super::*;
    use crate::events_seal::seal_all;
    use crate::laboratory::{Laboratory, Settings};
    use orchestrator::api::{AppState, Config};

    /// A laboratory whose only campaign, of the default project, has a batch waiting.
    async fn laboratory(options: PgPoolOptions, login: PgConnectOptions) -> (Laboratory, App) {
        let settings = Settings { auto_approve: false, rounds: 1, batch: 4, ..Settings::default() };
        let mut laboratory = Laboratory::new(options, login, settings).await;
        laboratory.run().await;
        let engine = &laboratory.engine;
        let state = AppState::new(
            laboratory.pool.clone(),
            engine.blobs.clone(),
            engine.wakeups.clone(),
            Config::default(),
        );
        (laboratory, App::over(state))
    }

    #[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
    async fn what_belongs_to_another_project_is_not_there(options: PgPoolOptions, login: PgConnectOptions) {
        let (laboratory, app) = laboratory(options, login).await;
        let elsewhere = project(&app, "elsewhere").await;
        user(&app, "theirs", &[Grant { project: Some(elsewhere), role: Role::Admin }]).await;
        let theirs = sign_in(&app, "theirs", PASSWORD).await;
        let ids = [
            ("/api/v1/campaigns/{id}", "select id from campaign"),
            ("/api/v1/rounds/{id}", "select id from round"),
            ("/api/v1/batches/{id}", "select id from batch"),
            ("/api/v1/jobs/{id}", "select id from job limit 1"),
            ("/api/v1/models/{id}", "select id from model_version"),
        ];
        let mut found = std::collections::BTreeMap::new();
        for (root, sql) in ids {
            let id: uuid::Uuid = sqlx::query_scalar(sql).fetch_one(&laboratory.pool).await.expect("one");
            found.insert(root, id.to_string());
        }
        let mut tried = 0;
        for rule in rules() {
            let Some((root, id)) = found.iter().find(|(root, _)| rule.path.starts_with(**root)) else {
                continue;
            };
            let path = filled(&rule.path.replacen(root, &root.replace("{id}", id), 1));
            let (status, _, body) = answer(&app, theirs.request(rule.method.as_str(), &path, None)).await;
            let worker_only = status == StatusCode::FORBIDDEN && code(&body) == "access.scope_missing";
            assert!(status == StatusCode::NOT_FOUND || worker_only, "{rule:?} answered {status} {body}");
            tried += 1;
        }
        assert!(tried > 20, "{tried}");
        for list in ["campaigns", "batches", "plates", "jobs", "tasks", "events"] {
            let (status, _, body) =
                answer(&app, theirs.request("GET", &format!("/api/v1/{list}"), None)).await;
            let items = body["items"].as_array().or(body.as_array()).map(Vec::len);
            assert_eq!((status, items), (StatusCode::OK, Some(0)), "{list}: {body}");
        }
        let new = json!({"toml": "", "files": {}, "project_id": DEFAULT_PROJECT});
        let (status, ..) = answer(&app, theirs.request("POST", "/api/v1/campaigns", Some(&new))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "nor is a campaign made there");
        let everywhere = theirs.request("GET", "/api/v1/users", None);
        assert_eq!(app.status(everywhere).await, StatusCode::FORBIDDEN, "users are everybody's");
    }

    #[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
    async fn a_live_stream_goes_past_what_belongs_to_another_project(
        options: PgPoolOptions,
        login: PgConnectOptions,
    ) {
        let (laboratory, app) = laboratory(options, login).await;
        let elsewhere = project(&app, "elsewhere").await;
        user(&app, "theirs", &[Grant { project: Some(elsewhere), role: Role::Viewer }]).await;
        let theirs = sign_in(&app, "theirs", PASSWORD).await;
        let events = laboratory.count("select count(*) from event").await;
        seal_all(&laboratory.pool, usize::try_from(events).expect("a number")).await;
        let stream = theirs.request("GET", "/api/v1/events/stream?after=0", None);
        let response = app.router.clone().oneshot(stream).await.expect("a stream");
        let mut frames = response.into_body().into_data_stream();
        let frame = futures::StreamExt::next(&mut frames);
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), frame).await.expect("in time");
        let frame = String::from_utf8(frame.expect("a frame").expect("bytes").to_vec()).expect("text");
        assert_eq!(frame, format!("id: {events}\n\n"), "after a break it goes on from there");
    }

    #[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
    async fn a_role_in_the_project_opens_what_is_there(options: PgPoolOptions, login: PgConnectOptions) {
        let (_laboratory, app) = laboratory(options, login).await;
        user(&app, "ours", &[Grant { project: Some(DEFAULT_PROJECT), role: Role::Scientist }]).await;
        let ours = sign_in(&app, "ours", PASSWORD).await;
        let (_, _, batches) = answer(&app, ours.request("GET", "/api/v1/batches", None)).await;
        let id = batches["items"][0]["id"].as_str().expect("a batch");
        let mut approve = ours.request("POST", &format!("/api/v1/batches/{id}/approve"), Some(&json!({})));
        approve.headers_mut().insert(header::IF_MATCH, "\"1\"".parse().expect("a revision"));
        let (status, _, body) = answer(&app, approve).await;
        assert_eq!((status, body["disposition"].as_str()), (StatusCode::OK, Some("frozen")), "{body}");
        let hold = ours.request(
            "POST",
            &format!("/api/v1/rounds/{}/hold", body["batch"]["round_id"].as_str().expect("a round")),
            Some(&json!({"reason": "x"})),
        );
        assert_eq!(app.status(hold).await, StatusCode::FORBIDDEN, "a scientist runs no campaigns");
        let instrument =
            ours.request("PUT", "/api/v1/instruments/x", Some(&json!({"capabilities": ["read.plate"]})));
        assert_eq!(app.status(instrument).await, StatusCode::FORBIDDEN);
    }
}
