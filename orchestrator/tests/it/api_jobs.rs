//! The queue over HTTP, as a worker and a person meet it.

use crate::support::App;
use crate::work::{Lab, dispense, read, succeeded};
use axum::http::StatusCode;
use jobs::wire::{LeaseSummary, Report};
use jobs::{JobId, LeaseToken};
use orchestrator::store::jobs::NewJob;
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn app_and_lab(options: PgPoolOptions, login: PgConnectOptions) -> (App, Lab) {
    let app = App::new(options, login).await;
    let lab = Lab::new(app.state.pool.clone()).await;
    (app, lab)
}

fn wish(queue: &str) -> Value {
    json!({
        "contract_version": 1,
        "queue": queue,
        "capabilities": ["dispense.liquid", "read.plate"],
        "instrument": null,
        "wait_seconds": 0
    })
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_goes_from_lease_to_success_over_http(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, lab) = app_and_lab(options, login).await;
    let worker = app.token(&[Scope::WorkBench, Scope::Read]).await;
    let (status, body) = app.post(&worker, "/api/v1/leases", &wish("bench")).await;
    assert_eq!((status, body), (StatusCode::NO_CONTENT, json!("")));

    let job = lab.create(NewJob::new(read())).await;
    let waiting =
        json!({"wait_seconds": 10, "capabilities": ["read.plate"], "contract_version": 1, "queue": "bench"});
    let (status, lease) = app.post(&worker, "/api/v1/leases", &waiting).await;
    assert_eq!((status, lease["job_id"].as_str()), (StatusCode::OK, Some(job.to_string().as_str())));
    let authority = json!({"lease_token": lease["lease_token"]});
    let path = |command: &str| format!("/api/v1/jobs/{job}/{command}");
    let (status, answer) = app.post(&worker, &path("start"), &authority).await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"expires_in_seconds": 60, "stop_requested": false}))
    );
    let beat = json!({"lease_token": lease["lease_token"], "progress": {"message": "half", "fraction": 0.5}});
    let (status, _) = app.post(&worker, &path("heartbeat"), &beat).await;
    assert_eq!(status, StatusCode::OK);
    let (_, seen) = app.get(&worker, &format!("/api/v1/jobs/{job}")).await;
    assert_eq!(
        (seen["state"].as_str(), seen["progress"]["message"].as_str()),
        (Some("running"), Some("half"))
    );

    let token = serde_json::from_value(lease["lease_token"].clone()).expect("a token");
    let report = json!(Report { lease_token: token, outcome: succeeded(&read()), lease: None });
    let (status, answer) = app.post(&worker, &path("report"), &report).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"disposition": "accepted"})));
    let (_, answer) = app.post(&worker, &path("report"), &report).await;
    assert_eq!(answer, json!({"disposition": "already_done"}));
    let (status, answer) = app.post(&worker, &path("heartbeat"), &beat).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("job.authority_lost")));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_older_worker_is_told_in_words(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, _) = app_and_lab(options, login).await;
    let worker = app.token(&[Scope::WorkBench]).await;
    let mut old = wish("bench");
    old["contract_version"] = json!(0);
    let (status, body) = app.post(&worker, "/api/v1/leases", &old).await;
    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    insta::assert_json_snapshot!(body, @r#"
    {
      "code": "lease.contract_version",
      "detail": "The worker speaks version 0 of the contract; this server takes version 1. The worker is too old: update it, then start it again. What it has in hand it can still report.",
      "status": 426,
      "title": "Upgrade Required",
      "type": "urn:loopwright:problem:lease.contract_version"
    }
    "#);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_worker_pulls_only_from_the_queue_of_its_scope(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, _) = app_and_lab(options, login).await;
    let learner = app.token(&[Scope::WorkLearn]).await;
    let (status, body) = app.post(&learner, "/api/v1/leases", &wish("bench")).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::FORBIDDEN, Some("access.scope_missing")));
    let (status, _) = app.post(&learner, "/api/v1/leases", &wish("predict")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, body) = app.post(&learner, "/api/v1/leases", &wish("elsewhere")).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("lease.queue_unknown"))
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_body_that_is_wrong_is_told_what_and_where(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, _) = app_and_lab(options, login).await;
    let worker = app.token(&[Scope::WorkBench]).await;
    let mut bad = wish("bench");
    bad["wait_seconds"] = json!("soon");
    let (status, body) = app.post(&worker, "/api/v1/leases", &bad).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("wait_seconds") && detail.contains("u32"), "{detail}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_person_stops_and_resolves(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, lab) = app_and_lab(options, login).await;
    let person = app.token(&[Scope::JobResolve, Scope::Read]).await;
    let lease = lab.running(dispense()).await;
    let path = |command: &str| format!("/api/v1/jobs/{}/{command}", lease.job_id);
    let (status, body) = app.post(&person, &path("stop"), &json!({"reason": " "})).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("request.reason_missing"))
    );
    let (_, body) = app.post(&person, &path("stop"), &json!({"reason": "smoke"})).await;
    assert_eq!(body, json!({"disposition": "requested"}));
    let early = json!({"resolution": "done", "reason": "looked"});
    let (status, body) = app.post(&person, &path("resolve"), &early).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::CONFLICT, Some("job.not_in_doubt")));
    lab.expire(lease.job_id).await;
    let (_, tasks) = app.get(&person, "/api/v1/tasks").await;
    assert_eq!(tasks["items"][0]["cause"], "job.in_doubt");
    let (status, body) =
        app.post(&person, &path("resolve"), &json!({"resolution": "not_done", "reason": "dry"})).await;
    assert_eq!(status, StatusCode::OK);
    let instead = body["replaced_by"].as_str().expect("a replacement").to_owned();
    let (_, seen) = app.get(&person, &format!("/api/v1/jobs/{instead}")).await;
    assert_eq!(
        (seen["state"].as_str(), seen["replaces"].as_str()),
        (Some("ready"), Some(lease.job_id.to_string().as_str()))
    );
    let (_, tasks) = app.get(&person, "/api/v1/tasks").await;
    assert_eq!(tasks["items"], json!([]));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn lists_are_read_page_by_page(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, lab) = app_and_lab(options, login).await;
    let reader = app.token(&[Scope::Read]).await;
    for _ in 0..5 {
        lab.create(NewJob::new(read())).await;
    }
    lab.create(NewJob::new(dispense())).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/jobs?limit=2&kind=read&state=ready".to_owned();
    loop {
        let (status, page) = app.get(&reader, &path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["items"].as_array().expect("items").clone();
        assert!(items.len() <= 2);
        seen.extend(items.into_iter().map(|item| item["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/jobs?limit=2&kind=read&state=ready&cursor={cursor}");
    }
    let distinct: std::collections::BTreeSet<String> = seen.iter().map(Value::to_string).collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5));
    let (status, body) = app.get(&reader, "/api/v1/jobs?cursor=nonsense").await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("request.cursor_invalid"))
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_output_of_another_kind_is_refused(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, lab) = app_and_lab(options, login).await;
    let worker = app.token(&[Scope::WorkBench]).await;
    let lease = lab.running(dispense()).await;
    let report = json!(Report { lease_token: lease.lease_token, outcome: succeeded(&read()), lease: None });
    let (status, body) = app.post(&worker, &format!("/api/v1/jobs/{}/report", lease.job_id), &report).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("job.output_of_another_kind"))
    );
    assert_eq!(lab.state(lease.job_id).await, "running");
}

/// A learner's token, or a person's, takes no plate out of the stock and confirms no robot's stop.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nobody_speaks_for_robots_but_whoever_may_do_their_work(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (app, lab) = app_and_lab(options, login).await;
    let job = lab.create(NewJob::new(dispense())).await;
    let summary = |work: &jobs::Work| {
        Some(Box::new(LeaseSummary { attempt: 1, instrument: None, begun: true, work: work.clone() }))
    };
    let says = |work: &jobs::Work| {
        json!(Report { lease_token: LeaseToken::fresh(), outcome: succeeded(work), lease: summary(work) })
    };
    let unknown = JobId::fresh();
    for scope in [Scope::WorkLearn, Scope::WorkPeople] {
        let token = app.token(&[scope, Scope::Read]).await;
        for path in [format!("/api/v1/jobs/{job}/report"), format!("/api/v1/jobs/{unknown}/report")] {
            let (status, answer) = app.post(&token, &path, &says(&dispense())).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {answer}");
        }
        let orders =
            json!({"queue": "bench", "instrument": "handler-1", "standing": "idle", "wait_seconds": 0});
        assert_eq!(app.post(&token, "/api/v1/orders", &orders).await.0, StatusCode::FORBIDDEN);
        let done = json!({"instrument": "handler-1", "offered": 0, "in_hand": []});
        let (status, _) = app.post(&token, "/api/v1/reconciliations/any/reconciled", &done).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    // And whoever may: not of a job that is another kind of work than they say.
    let bench = app.token(&[Scope::WorkBench, Scope::Read]).await;
    let (_, answer) = app.post(&bench, &format!("/api/v1/jobs/{job}/report"), &says(&read())).await;
    assert_eq!(lab.state(job).await, "ready", "{answer}");
}
