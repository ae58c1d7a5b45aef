//! What Prometheus sees: every metric described, documented, and the only ones that the dashboard and the alert rules
//! speak of.

mod exposition;

use crate::laboratory::{Laboratory, Settings};
use crate::support::{App, request};
use axum::http::{StatusCode, header};
use exposition::{Family, parse};
use orchestrator::api::{AppState, Config, rules, scrape_router};
use orchestrator::metrics::{CONTENT_TYPE, DATABASE_METRICS, ROUND_STAGES, Scraper, counted};
use orchestrator::store::telemetry::Sample;
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::{BTreeMap, BTreeSet};
use tower::ServiceExt;

const DOCUMENT: &str = include_str!("../../../../docs/metrics.md");
const DASHBOARD: &str = include_str!("../../../../deploy/grafana/loopwright.json");
const ALERTS: &str = include_str!("../../../../deploy/prometheus/alerts.yml");

/// Names in the document's table.
fn documented() -> BTreeSet<String> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

/// Names of metrics in an expression.
fn named(expression: &str) -> BTreeSet<String> {
    expression
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("loopwright_") || word.starts_with("process_"))
        .map(|word| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix));
            base.unwrap_or(word).to_owned()
        })
        .collect()
}

/// A laboratory that has worked, and the text of a scrape.
async fn scraped(
    options: PgPoolOptions,
    login: PgConnectOptions,
) -> (Laboratory, App, BTreeMap<String, Family>) {
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds: 1, batch: 4, ..Settings::default() }).await;
    laboratory.run().await;
    let engine = &laboratory.engine;
    let config = Config::default();
    let state = AppState::new(laboratory.pool.clone(), engine.blobs.clone(), engine.wakeups.clone(), config);
    let app = App::over(state);
    let reader = app.token(&[Scope::Read]).await;
    let (status, _) = app.get(&reader, "/api/v1/campaigns").await;
    assert_eq!(status, StatusCode::OK);
    // What counts only when something goes wrong.
    counted().engine_error("testing", "test.none");
    let (status, text) = app.get(&reader, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    (laboratory, app, parse(text.as_str().expect("text")))
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_metric_is_described_and_documented(options: PgPoolOptions, login: PgConnectOptions) {
    let (_laboratory, _app, families) = scraped(options, login).await;
    let mut known: BTreeSet<String> = families.keys().cloned().collect();
    let of_database = DATABASE_METRICS.iter().map(|(name, ..)| *name).chain([ROUND_STAGES.0]);
    known.extend(of_database.map(|name| format!("loopwright_{name}")));
    // Counted only with a leaser, which this test has none of.
    known.extend(["lease_latency_seconds", "job_dwell_seconds"].map(|name| format!("loopwright_{name}")));
    assert_eq!(known, documented(), "docs/metrics.md lists exactly what there is");
    let routes: BTreeSet<String> = rules().into_iter().map(|rule| rule.path).collect();
    for (name, family) in &families {
        if !name.starts_with("loopwright_http_") {
            assert!(family.samples.len() <= 500, "{name} has {} series", family.samples.len());
        }
        // Paths that nobody registered are not counted: a client cannot make series.
        let labels = family.samples.iter().flat_map(|(_, labels, _)| labels);
        for (_, route) in labels.filter(|(label, _)| label == "route") {
            assert!(routes.iter().any(|known| known.ends_with(route)), "{name} counts {route}");
        }
    }
    let value = |name: &str, labels: &[(&str, &str)]| families[name].value(labels);
    assert_eq!(value("loopwright_database_up", &[]), Some(1.0));
    assert_eq!(value("loopwright_rounds", &[("state", "closed")]), Some(1.0));
    assert_eq!(value("loopwright_plates", &[("state", "passed")]), Some(1.0));
    assert_eq!(value("loopwright_jobs_in_doubt", &[]), Some(0.0));
    assert_eq!(
        value("loopwright_model_promoted_version", &[("project", "default"), ("campaign", "scripted")]),
        Some(2.0)
    );
    let executing = [("stage", "executing")];
    let stages = &families["loopwright_round_stage_lab_seconds"];
    let hours = stages.part("loopwright_round_stage_lab_seconds_sum", &executing).expect("a sum") / 3600.0;
    assert!((72.0..96.0).contains(&hours), "an incubation of 72 h by the laboratory's clock: {hours} h");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lease_is_measured_from_when_both_were_there(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    let job = orchestrator::store::jobs::NewJob::new(crate::work::read());
    orchestrator::store::jobs::create(&mut conn, &job).await.expect("a job");
    sqlx::query("update job_ready set ready_at = now() - interval '1 hour'")
        .execute(&mut *conn)
        .await
        .expect("old");
    drop(conn);
    let agent = app.token_of("bench", ActorKind::Agent, &[Scope::WorkBench]).await;
    let ask =
        json!({"contract_version": 1, "queue": "bench", "capabilities": ["read.plate"], "wait_seconds": 5});
    assert_eq!(app.post(&agent, "/api/v1/leases", &ask).await.0, StatusCode::OK);
    let families = parse(&app.state.scraper.text().await);
    let of = [("queue", "bench")];
    let dwelt = families["loopwright_job_dwell_seconds"].part("loopwright_job_dwell_seconds_sum", &of);
    assert!(dwelt.is_some_and(|seconds| seconds >= 3600.0), "{dwelt:?}");
    let latency = &families["loopwright_lease_latency_seconds"];
    // However the library writes the bound.
    let within_ten_minutes = |labels: &[(String, String)]| {
        labels.iter().any(|(name, word)| name == "queue" && word == "bench")
            && labels
                .iter()
                .any(|(name, word)| name == "le" && word.parse::<f64>().is_ok_and(|bound| bound == 600.0))
    };
    let buckets = latency.samples.iter().filter(|(_, labels, _)| within_ten_minutes(labels));
    let quick = buckets.map(|(.., value)| *value).next();
    let all = latency.part("loopwright_lease_latency_seconds_count", &of);
    assert_eq!(quick, all, "the job waited for a worker, the worker for nothing");
    assert!(all.is_some_and(|count| count >= 1.0));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_may_not_begin_does_not_make_a_queue_old(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let mut conn = app.state.pool.acquire().await.expect("a connection");
    let job = orchestrator::store::jobs::NewJob::new(crate::work::read());
    let job = orchestrator::store::jobs::create(&mut conn, &job).await.expect("a job").job_id();
    sqlx::query("update job_ready set ready_at = now() - interval '1 hour'")
        .execute(&mut *conn)
        .await
        .expect("old");
    let oldest = async || {
        // Not a scrape: that is kept for a while.
        let mut conn = app.state.pool.acquire().await.expect("a connection");
        let samples = orchestrator::store::telemetry::samples(&mut conn).await.expect("samples");
        let of =
            |it: &&Sample| it.metric == "queue_oldest_ready_seconds" && it.labels == ["bench", "read.plate"];
        samples.iter().find(of).map(|it| it.value)
    };
    assert!(oldest().await.is_some_and(|seconds| seconds >= 3600.0));
    for (hold, lift) in [
        (
            "insert into hold (subject_id, subject, manner, reason, ordered_by)
             select id, 'job', 'pause', 'service', '00000000-0000-7000-8000-000000000001' from job",
            "delete from hold",
        ),
        (
            "insert into laboratory_stop (id, reason, ordered_by)
             values (gen_random_uuid(), 'smoke', '00000000-0000-7000-8000-000000000001')",
            "update laboratory_stop set lifted_at = now(), lifted_by = ordered_by, lifted_reason = 'aired'",
        ),
    ] {
        sqlx::query(hold).execute(&mut *conn).await.expect("held");
        assert_eq!(oldest().await, None, "{job} may not begin: {hold}");
        sqlx::query(lift).execute(&mut *conn).await.expect("lifted");
        assert!(oldest().await.is_some(), "{lift}");
    }
}

#[test]
fn the_dashboard_and_the_alerts_speak_only_of_what_there_is() {
    let documented = documented();
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let rows: Vec<&str> = panels
        .iter()
        .filter(|panel| panel["type"] == "row")
        .filter_map(|row| row["title"].as_str())
        .collect();
    assert_eq!(rows, ["Queue", "Rounds", "Robots", "Model", "Database", "Service"]);
    let mut shown = BTreeSet::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let names = named(target["expr"].as_str().expect("an expression"));
            assert!(!names.is_empty(), "{target}");
            shown.extend(names);
        }
    }
    let unknown: Vec<&String> = shown.difference(&documented).collect();
    assert!(unknown.is_empty(), "the dashboard shows what there is not: {unknown:?}");

    // The file is plain enough to be read by its lines.
    let field = |line: &str, name: &str| {
        line.trim().strip_prefix(&format!("{name}: ")).map(|rest| rest.trim_matches('\'').to_owned())
    };
    let rules: Vec<&str> = ALERTS.split("- alert: ").skip(1).collect();
    assert!(rules.len() >= 15);
    for rule in rules {
        let one = |name: &str| {
            let found: Vec<String> = rule.lines().filter_map(|line| field(line, name)).collect();
            assert_eq!(found.len(), 1, "{name} of {rule}");
            found.into_iter().next().expect("one")
        };
        let names: BTreeSet<String> = named(&one("expr")).into_iter().collect();
        let unknown: Vec<&String> = names.difference(&documented).collect();
        assert!(unknown.is_empty(), "an alert rings for what there is not: {unknown:?} in {rule}");
        assert!(["info", "warning", "critical"].contains(&one("severity").as_str()), "{rule}");
        assert!(one("summary").len() > 10 && one("action").len() > 20, "what to do: {rule}");
        assert!(one("for").ends_with('m') || one("for").ends_with('h'), "{rule}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_token_for_metrics_opens_metrics_and_nothing_else(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let token = app.token_of("prometheus", ActorKind::Agent, &[Scope::Metrics]).await;
    for rule in rules() {
        let orchestrator::api::Access::AnyOf(_) = rule.access else { continue };
        let path = rule.path.replace("{id}", "x").replace("{name}", "x").replace("{sha256}", "x");
        let status = app.status(request(rule.method.as_str(), &token, &path, None)).await;
        let expected = if rule.path == "/metrics" { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(status, expected, "{rule:?}");
    }
    let bare =
        axum::http::Request::builder().uri("/metrics").body(axum::body::Body::empty()).expect("a request");
    assert_eq!(app.status(bare).await, StatusCode::UNAUTHORIZED);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_scrape_without_its_database_says_so_and_answers(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    app.state.pool.close().await;
    // On the listener that asks for no token.
    let router = scrape_router(Scraper::new(app.state.pool.clone()));
    let bare =
        axum::http::Request::builder().uri("/metrics").body(axum::body::Body::empty()).expect("a request");
    let answer = router.oneshot(bare).await.expect("an answer");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    let families = parse(std::str::from_utf8(&body).expect("text"));
    assert_eq!(families["loopwright_database_up"].value(&[]), Some(0.0));
    assert!(!families.contains_key("loopwright_jobs_in_doubt"), "nothing is made up");
    assert!(families.contains_key("process_resident_memory_bytes"));
}
