//! What holds for every route: who may use it, and how refusals look.

use crate::support::App;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use orchestrator::api::{Access, openapi, rules};
use orchestrator::store::tokens::Scope;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::BTreeSet;

/// `/jobs/{id}/start` with something in each parameter's place.
fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_route_refuses_whoever_lacks_its_scope(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    for rule in rules() {
        if rule.access == Access::Public {
            continue;
        }
        let path = filled(&rule.path);
        let bare = Request::builder().method(&rule.method).uri(&path).body(Body::empty()).expect("a request");
        let status = app.status(bare).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{rule:?} without a token");
        let Access::AnyOf(scopes) = rule.access else { continue };
        assert!(!scopes.is_empty(), "{rule:?} can be opened by nobody");
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| !scopes.contains(scope)).collect();
        if others.is_empty() {
            continue;
        }
        let token = app.token(&others).await;
        let status = app.status(crate::support::request(rule.method.as_str(), &token, &path, None)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{rule:?} with every scope but its own");
        let token = app.token(scopes).await;
        let status = app.status(crate::support::request(rule.method.as_str(), &token, &path, None)).await;
        let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED];
        assert!(!denied.contains(&status), "{rule:?} with its scopes answered {status}");
    }
}

#[test]
fn every_described_route_has_a_rule_and_the_other_way_round() {
    let described: BTreeSet<(String, String)> = openapi()
        .paths
        .paths
        .iter()
        .flat_map(|(path, item)| {
            [
                ("GET", &item.get),
                ("HEAD", &item.head),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ]
            .into_iter()
            .filter(|(_, operation)| operation.is_some())
            .map(|(method, _)| (method.to_owned(), path.clone()))
            .collect::<Vec<_>>()
        })
        .collect();
    let ruled: BTreeSet<(String, String)> =
        rules().into_iter().map(|rule| (rule.method.to_string(), rule.path)).collect();
    assert_eq!(described, ruled);
}

#[test]
fn only_health_the_description_and_signing_in_are_public() {
    let public: Vec<String> =
        rules().into_iter().filter(|rule| rule.access == Access::Public).map(|rule| rule.path).collect();
    assert_eq!(
        public,
        [
            "/healthz",
            "/api/v1/openapi.json",
            "/api/v1/session",
            "/api/v1/session/sign-on",
            "/api/v1/session/sign-on",
            "/api/v1/session/sign-on/callback",
        ]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_unknown_route_and_a_wrong_method_are_problems(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let (status, body) = app.get("", "/api/v1/nothing").await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some("route.unknown")));
    let (status, body) = app.post("", "/api/v1/clock", &serde_json::json!({})).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, Some("route.method_not_allowed"))
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn health_and_the_description_need_no_token(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let bare = |path: &str| Request::builder().uri(path).body(Body::empty()).expect("a request");
    let (status, body) = app.send(bare("/healthz")).await;
    assert_eq!((status, body["status"].as_str()), (StatusCode::OK, Some("ok")));
    let (status, body) = app.send(bare("/api/v1/openapi.json")).await;
    assert_eq!((status, body["openapi"].as_str()), (StatusCode::OK, Some("3.1.0")));
}
