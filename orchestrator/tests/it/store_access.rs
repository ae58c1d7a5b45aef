//! Whoever works is looked up once, and anew when somebody's powers change, by whichever way they change.

use crate::support::{App, request};
use axum::http::StatusCode;
use orchestrator::ids::SYSTEM;
use orchestrator::people::manage::{self, NewUser};
use orchestrator::people::{Grant, Role};
use orchestrator::store::access;
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;

/// Of a person with a role and a token.
async fn somebody(app: &App) {
    let new = NewUser {
        name: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        email: None,
        grants: vec![Grant { project: None, role: Role::Operator }],
        is_demo: false,
        password: Some("correct horse battery staple of access 7".to_owned()),
    };
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    manage::create(&mut conn, new, SYSTEM).await.expect("stored").expect("a user");
    app.token_of("ada", ActorKind::Person, &[Scope::WorkPeople]).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_changes_powers_is_noticed_and_what_does_not_is_not(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let app = App::new(options, login).await;
    somebody(&app).await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    let mut before = access::read(&mut conn).await.expect("a version");
    // In their order: the last ones take away what the others need.
    for (changes, statement) in [
        (false, "update api_token set last_used_at = now()"),
        (false, "update account set last_sign_in_at = now()"),
        (false, "insert into api_token (id, actor_id, secret_sha256, scopes, label, expires_at)
            select gen_random_uuid(), id, sha256('another'), '{read}', 'another', now() from actor where name = 'ada'"),
        (true, "update api_token set scopes = '{read}'"),
        (true, "update api_token set expires_at = now()"),
        (true, "update api_token set revoked_at = now()"),
        (true, "update account set state = 'disabled'"),
        (true, "insert into role_grant (id, actor_id, role, granted_by)
            select gen_random_uuid(), id, 'engineer', id from actor where name = 'ada'"),
        (true, "update role_grant set role = 'viewer' where role = 'engineer'"),
        (true, "delete from role_grant"),
        (true, "delete from api_token"),
        (true, "truncate role_grant"),
    ] {
        sqlx::query(statement).execute(&owner).await.expect(statement);
        let now = access::read(&mut conn).await.expect("a version");
        assert_eq!(now != before, changes, "{statement}");
        before = now;
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_worker_that_is_known_is_refused_when_its_token_is_revoked_elsewhere(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::WorkLearn]).await;
    let request = json!({
        "contract_version": jobs::CONTRACT_VERSION, "queue": "learner", "capabilities": [], "instrument": null,
        "wait_seconds": 0, "epoch": null,
    });
    for _ in 0..3 {
        assert_eq!(app.post(&token, "/api/v1/leases", &request).await.0, StatusCode::NO_CONTENT);
    }
    sqlx::query("update api_token set revoked_at = now()")
        .execute(&app.state.pool)
        .await
        .expect("revoked, and not through this app");
    let refused = async {
        while app.post(&token, "/api/v1/leases", &request).await.0 != StatusCode::UNAUTHORIZED {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), refused).await.expect("it is noticed");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_is_known_opens_what_their_scopes_open_and_no_more(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let reader = app.token(&[Scope::Read]).await;
    let path = format!("/api/v1/blobs/{}", jobs::Digest::of(b"of nobody"));
    for _ in 0..3 {
        assert_eq!(app.get(&reader, &path).await.0, StatusCode::NOT_FOUND, "they may look");
        let put = app.send(request("PUT", &reader, &path, None)).await;
        assert_eq!(put.0, StatusCode::FORBIDDEN, "{put:?}");
    }
    sqlx::query("update api_token set revoked_at = now()")
        .execute(&app.state.pool)
        .await
        .expect("revoked elsewhere");
    let refused = async {
        while app.get(&reader, &path).await.0 != StatusCode::UNAUTHORIZED {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), refused).await.expect("it is noticed");
}
