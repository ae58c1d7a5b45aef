//! Blobs, tokens, instruments, clock and events over HTTP.

use crate::support::{App, request};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use jobs::Digest;
use orchestrator::api::Checkup;
use orchestrator::store::events;
use orchestrator::store::tokens::Scope;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;

fn put(token: &str, name: &str, bytes: &'static [u8]) -> Request<Body> {
    Request::builder()
        .method("PUT")
        .uri(format!("/api/v1/blobs/{name}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "text/csv")
        .body(Body::from(bytes))
        .expect("a request")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_blob_comes_back_as_it_was_sent(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let name = Digest::of(b"Well,Value\n").to_string();
    let path = format!("/api/v1/blobs/{name}");
    assert_eq!(app.get(&token, &path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(app.send(put(&token, &name, b"Well,Value\n")).await.0, StatusCode::CREATED);
    assert_eq!(app.send(put(&token, &name, b"Well,Value\n")).await.0, StatusCode::OK);
    let response = app.router.clone().oneshot(request("GET", &token, &path, None)).await.expect("an answer");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/csv");
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "11");
    let bytes = axum::body::to_bytes(response.into_body(), 100).await.expect("bytes");
    assert_eq!(&bytes[..], b"Well,Value\n");
    let head = app.router.clone().oneshot(request("HEAD", &token, &path, None)).await.expect("an answer");
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(app.state.blobs.read(Digest::of(b"Well,Value\n")).await.expect("bytes"), &b"Well,Value\n"[..]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_blob_that_is_not_what_its_name_says_is_not_kept(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let name = Digest::of(b"promised").to_string();
    let (status, body) = app.send(put(&token, &name, b"delivered")).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("blob.content_mismatch"))
    );
    assert_eq!(app.get(&token, &format!("/api/v1/blobs/{name}")).await.0, StatusCode::NOT_FOUND);
    let (status, body) = app.send(put(&token, "nonsense", b"x")).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("blob.name_invalid"))
    );
    static LARGE: [u8; (1 << 20) + 1] = [0; (1 << 20) + 1];
    let (status, body) = app.send(put(&token, &Digest::of(&LARGE).to_string(), &LARGE)).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("blob.too_large")));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_token_opens_until_it_is_revoked_or_expires(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let admin = app.token(&[Scope::Admin]).await;
    let wanted =
        json!({"actor": "ada", "kind": "person", "scopes": ["read"], "label": "laptop", "valid_hours": 8});
    let (status, made) = app.post(&admin, "/api/v1/tokens", &wanted).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    assert_eq!((secret.len(), secret.starts_with("lw_")), (67, true));
    assert_eq!(app.get(&secret, "/api/v1/clock").await.0, StatusCode::OK);
    let (_, listed) = app.get(&admin, "/api/v1/tokens").await;
    assert!(!listed.to_string().contains(&secret[3..]), "a secret is shown once");

    sqlx::query("update api_token set expires_at = now() - interval '1 second' where label = 'laptop'")
        .execute(&app.state.pool)
        .await
        .expect("time passes");
    let (status, body) = app.get(&secret, "/api/v1/clock").await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("token.invalid")));
    sqlx::query("update api_token set expires_at = now() + interval '1 hour'")
        .execute(&app.state.pool)
        .await
        .expect("time returns");
    assert_eq!(app.get(&secret, "/api/v1/clock").await.0, StatusCode::OK);
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().expect("an id"));
    for _ in 0..2 {
        assert_eq!(app.send(request("DELETE", &admin, &path, None)).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(app.get(&secret, "/api/v1/clock").await.0, StatusCode::UNAUTHORIZED);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_unknown_scope_is_refused_by_name(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let admin = app.token(&[Scope::Admin]).await;
    let wanted =
        json!({"actor": "ada", "kind": "person", "scopes": ["everything"], "label": "x", "valid_hours": 8});
    let (status, body) = app.post(&admin, "/api/v1/tokens", &wanted).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body["detail"].as_str().unwrap_or_default().contains("everything"), "{body}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_instrument_is_registered_and_changed(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::InstrumentWrite, Scope::Read]).await;
    let body = json!({"capabilities": ["read.plate"], "profile": {"slots": ["1"]}});
    let path = "/api/v1/instruments/reader-1";
    let (status, _) = app.send(request("PUT", &token, path, Some(&body))).await;
    assert_eq!(status, StatusCode::CREATED);
    let body = json!({"capabilities": ["read.plate"], "profile": {"slots": ["1"]}, "state": "maintenance"});
    let (status, seen) = app.send(request("PUT", &token, path, Some(&body))).await;
    assert_eq!((status, seen["state"].as_str()), (StatusCode::OK, Some("maintenance")));
    let (_, mut listed) = app.get(&token, "/api/v1/instruments").await;
    let since = listed[0]["state_since"].take();
    assert!(since.is_string(), "{since}");
    insta::assert_json_snapshot!(listed, @r#"
    [
      {
        "back_lab_at": null,
        "capabilities": [
          "read.plate"
        ],
        "last_seen_at": null,
        "name": "reader-1",
        "profile": {
          "slots": [
            "1"
          ]
        },
        "state": "maintenance",
        "state_by": null,
        "state_reason": null,
        "state_since": null
      }
    ]
    "#);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn events_are_read_by_position_also_live(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::InstrumentWrite, Scope::Read]).await;
    let body = json!({"capabilities": ["read.plate"]});
    for name in ["reader-1", "reader-2"] {
        app.send(request("PUT", &token, &format!("/api/v1/instruments/{name}"), Some(&body))).await;
    }
    let (_, none) = app.get(&token, "/api/v1/events").await;
    assert_eq!(none, json!([]), "without a position nothing is shown");
    let response = app
        .router
        .clone()
        .oneshot(request("GET", &token, "/api/v1/events/stream?after=1", None))
        .await
        .expect("a stream");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    // Transactions of other tests may hold the horizon back for a moment.
    let mut sealed = 0;
    while sealed < 2 {
        let mut conn = app.state.pool.acquire().await.expect("a connection");
        sealed += events::seal_batch(&mut conn, 10).await.expect("a sealer");
    }
    app.state.wakeups.events();
    let mut frames = response.into_body().into_data_stream();
    let frame = futures::StreamExt::next(&mut frames);
    let frame = tokio::time::timeout(std::time::Duration::from_secs(10), frame).await.expect("in time");
    let frame = String::from_utf8(frame.expect("a frame").expect("bytes").to_vec()).expect("text");
    assert!(frame.contains("id: 2") && frame.contains("reader-2") && !frame.contains("id: 1\n"), "{frame}");
    let (_, listed) = app.get(&token, "/api/v1/events?after=0").await;
    assert_eq!(listed[0]["kind"], "InstrumentRegistered");
    assert_eq!((listed[0]["position"].as_i64(), listed[1]["position"].as_i64()), (Some(1), Some(2)));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_answer_to_a_worker_names_the_databases_epoch(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::Read]).await;
    let response =
        app.router.clone().oneshot(request("GET", &token, "/api/v1/clock", None)).await.expect("an answer");
    let epoch = response.headers()[jobs::client::EPOCH_HEADER].to_str().expect("text").to_owned();
    assert!(
        epoch.split_once('-').is_some_and(|(system, timeline)| !system.is_empty() && !timeline.is_empty())
    );
    assert!(response.headers().contains_key("x-request-id"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_reader_may_ask_how_the_installation_is(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::Read]).await;
    let (status, checkup) = app.get(&token, "/api/v1/checkup").await;
    assert_eq!(status, StatusCode::OK, "{checkup}");
    let checkup: Checkup = serde_json::from_value(checkup).expect("as doctor reads it");
    assert!(checkup.database.server_version >= 150_000);
    assert_eq!((checkup.database.events_can_be_changed, checkup.blob_store_error), (false, None));
}
