//! An agent that asks for work is seen: at once after a silence, within seconds else.

use crate::support::App;
use axum::http::StatusCode;
use orchestrator::store::instruments::{Registration, register, seen};
use orchestrator::store::tokens::Scope;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;

async fn registered(app: &App, name: &str) {
    let registration =
        Registration { capabilities: vec!["move.plate".to_owned()], profile: json!({}), state: None };
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    register(&mut conn, name, &registration).await.expect("registered");
}

/// How long ago an instrument was seen, in seconds; `None`: never.
async fn silent_for(app: &App, name: &str) -> Option<f64> {
    sqlx::query_scalar(
        "select extract(epoch from clock_timestamp() - last_seen_at)::float8 from instrument where name = $1",
    )
    .bind(name)
    .fetch_one(&app.state.pool)
    .await
    .expect("an instrument")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_agent_that_asks_is_seen(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    registered(&app, "mover-1").await;
    assert_eq!(silent_for(&app, "mover-1").await, None);
    let token = app.token(&[Scope::WorkBench]).await;
    let request = json!({
        "contract_version": jobs::CONTRACT_VERSION, "queue": "bench", "capabilities": ["move.plate"],
        "instrument": "mover-1", "wait_seconds": 0, "epoch": null,
    });
    assert_eq!(app.post(&token, "/api/v1/leases", &request).await.0, StatusCode::NO_CONTENT);
    assert!(silent_for(&app, "mover-1").await.is_some(), "the first sign is written at once");
    sqlx::query("update instrument set last_seen_at = now() - interval '100 seconds'")
        .execute(&app.state.pool)
        .await
        .expect("as if it had been silent");
    assert_eq!(app.post(&token, "/api/v1/leases", &request).await.0, StatusCode::NO_CONTENT);
    let written = async {
        while silent_for(&app, "mover-1").await.is_none_or(|seconds| seconds > 90.0) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), written).await.expect("the others are written soon");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_sign_that_comes_late_takes_nothing_back(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    registered(&app, "mover-1").await;
    registered(&app, "reader-1").await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    seen(&mut conn, &[("mover-1", 0.0), ("reader-1", 0.0)]).await.expect("seen");
    seen(&mut conn, &[("reader-1", 500.0), ("mover-1", 500.0), ("nobody", 0.0)]).await.expect("seen");
    for name in ["mover-1", "reader-1"] {
        let seconds = silent_for(&app, name).await.expect("it was seen");
        assert!(seconds < 400.0, "{name} is silent for {seconds} s");
    }
}
