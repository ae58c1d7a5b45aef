//! Reports that come at the same time are taken in one transaction, each as if it had come alone.

use crate::support::{App, as_application};
use crate::work::{LEASE, Lab, dispense, hours, monday, output, read, succeeded};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use jobs::wire::{Disposition, Lease, Report};
use jobs::{JobId, LeaseToken};
use orchestrator::store::jobs::{
    self as store, Dependency, NewJob, Reported, Success, Taken, Wanted, report_successes,
};
use orchestrator::store::tokens::Scope;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;

fn success(lab: &Lab, job: JobId, token: LeaseToken) -> Success {
    Success { job, token, actor: lab.worker, output: Box::new(output(&dispense())), origin: None }
}

async fn together(lab: &Lab, successes: &[Success]) -> Taken {
    report_successes(&mut *lab.conn().await, successes).await.expect("taken")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_of_many_is_settled_once_with_its_attempt_report_and_event(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let mut leases: Vec<Lease> = Vec::new();
    for _ in 0..20 {
        leases.push(lab.running(dispense()).await);
    }
    let reports =
        leases.iter().map(|lease| lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())));
    for reported in join_all(reports).await {
        assert!(matches!(reported, Reported::Taken(Disposition::Accepted, _)), "{reported:?}");
    }
    for query in [
        "select count(*) from job_outcome where state = 'succeeded' and output is not null",
        "select count(*) from job_attempt where ending = 'succeeded' and started_at is not null",
        "select count(*) from job_report where disposition = 'accepted'",
        "select count(*) from event where kind = 'JobSucceeded' and body ->> 'kind' = 'dispense'",
    ] {
        assert_eq!(lab.count(query).await, 20, "{query}");
    }
    assert_eq!(lab.count("select count(*) from lease").await, 0);
    assert_eq!(lab.count("select count(*) from outbox").await, 0, "nobody is told of a success");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn one_without_authority_of_another_kind_or_said_twice_is_left_out_and_the_others_are_taken(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let (good, fenced) = (lab.running(dispense()).await, lab.running(dispense()).await);
    let other = lab.running(read()).await;
    let taken = together(
        &lab,
        &[
            success(&lab, fenced.job_id, LeaseToken::fresh()),
            success(&lab, good.job_id, good.lease_token),
            success(&lab, other.job_id, other.lease_token),
            success(&lab, good.job_id, good.lease_token),
            success(&lab, JobId::fresh(), LeaseToken::fresh()),
        ],
    )
    .await;
    assert!(taken.places == [1] || taken.places == [3], "{taken:?}");
    assert_eq!(lab.state(good.job_id).await, "succeeded");
    assert_eq!(lab.state(fenced.job_id).await, "running");
    assert_eq!(lab.state(other.job_id).await, "running");
    let again = together(&lab, &[success(&lab, good.job_id, good.lease_token)]).await;
    assert_eq!(again.places, Vec::<usize>::new());
    assert_eq!(lab.count("select count(*) from event where kind = 'JobSucceeded'").await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn of_many_who_begin_each_gets_its_own_answer_and_who_may_not_is_left_out(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let mut leases: Vec<Lease> = Vec::new();
    for _ in 0..6 {
        lab.create(NewJob::new(dispense())).await;
        leases.push(lab.lease().await.expect("work"));
    }
    let stopping = leases[4].job_id;
    lab.start(&leases[4]).await;
    store::ask(&mut *lab.conn().await, &[stopping.0], lab.worker, "enough").await.expect("asked");
    let mut asked: Vec<(JobId, LeaseToken)> =
        leases.iter().rev().map(|lease| (lease.job_id, lease.lease_token)).collect();
    asked[2].1 = LeaseToken::fresh();
    asked.push(asked[0]);
    let answers = store::start_all(&mut *lab.conn().await, &asked, LEASE).await.expect("answers");
    let stops: Vec<Option<bool>> =
        answers.iter().map(|answer| answer.as_ref().map(|it| it.stop_requested)).collect();
    let once = if stops[0].is_some() { (Some(false), None) } else { (None, Some(false)) };
    assert_eq!(stops, [once.0, Some(true), None, Some(false), Some(false), Some(false), once.1]);
    assert_eq!(
        lab.count("select count(*) from lease where phase = 'running' and started_at is not null").await,
        4
    );
    assert_eq!(
        lab.count("select count(*) from lease where phase = 'leased' and started_at is null").await,
        1
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_waited_for_several_of_them_becomes_ready_once_and_the_queue_is_named(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let upstream =
        [lab.running(dispense()).await, lab.running(dispense()).await, lab.running(dispense()).await];
    let ids: Vec<JobId> = upstream.iter().map(|lease| lease.job_id).collect();
    let for_all = lab.after(read(), &ids).await;
    let for_two = lab.after(read(), &ids[..2]).await;
    let at_the_end =
        lab.create(NewJob { dependencies: vec![Dependency::end(ids[0])], ..NewJob::new(read()) }).await;
    let reports: Vec<Success> =
        upstream[..2].iter().map(|lease| success(&lab, lease.job_id, lease.lease_token)).collect();
    let taken = together(&lab, &reports).await;
    assert!(taken.consequences.queues.contains("bench"), "{taken:?}");
    assert_eq!(lab.state(for_two).await, "ready");
    assert_eq!(lab.state(at_the_end).await, "ready");
    assert_eq!(lab.state(for_all).await, "waiting");
    together(&lab, &[success(&lab, ids[2], upstream[2].lease_token)]).await;
    assert_eq!(lab.state(for_all).await, "ready");
}

/// As if they had ended one after the other: the longest delay and the shortest window hold.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn delays_and_windows_of_several_that_end_together_all_hold(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let leases = [lab.running(dispense()).await, lab.running(dispense()).await];
    let after = |lease: &Lease, least: u64, most: Option<u64>| Dependency {
        min_delay: Duration::from_secs(least * 3600),
        max_delay: most.map(|hours| Duration::from_secs(hours * 3600)),
        ..Dependency::success(lease.job_id)
    };
    let [first, second] = &leases;
    let dependencies = vec![after(first, 1, Some(9)), after(second, 4, None)];
    let waits = lab.create(NewJob { dependencies, ..NewJob::new(dispense()) }).await;
    let dependencies = vec![after(first, 0, Some(7)), after(second, 0, Some(5))];
    let comes = lab.create(NewJob { dependencies, ..NewJob::new(dispense()) }).await;
    together(&lab, &leases.each_ref().map(|lease| success(&lab, lease.job_id, lease.lease_token))).await;
    let window = async |table: &str, job: JobId| -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let select = match table {
            "job_waiting" => "select not_before_lab_at, deadline_lab_at from job_waiting where job_id = $1",
            _ => "select null::timestamptz, deadline_lab_at from job_ready where job_id = $1",
        };
        sqlx::query_as(select).bind(job.0).fetch_one(&lab.pool).await.expect("it is there")
    };
    let at = |after| Some(monday() + hours(after));
    assert_eq!(window("job_waiting", waits).await, (at(4), at(9)));
    assert_eq!(window("job_ready", comes).await, (None, at(5)));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_is_left_to_the_engine_where_nothing_follows(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    let taken = together(&lab, &[success(&lab, lease.job_id, lease.lease_token)]).await;
    assert_eq!(taken.consequences.settled, []);
    assert_eq!(lab.count("select count(*) from settlement").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn reports_and_new_dependents_at_the_same_time_never_miss_each_other(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    for _ in 0..10 {
        let upstream = [lab.running(dispense()).await, lab.running(dispense()).await];
        let ids = upstream.clone().map(|lease| lease.job_id);
        let reports = upstream.iter().map(|it| lab.report(it.job_id, it.lease_token, succeeded(&dispense())));
        let (_, dependent) = tokio::join!(join_all(reports), lab.after(read(), &ids));
        assert_eq!(lab.state(dependent).await, "ready");
        let wanted = Wanted {
            queue: "bench".to_owned(),
            capabilities: vec!["read.plate".to_owned()],
            instrument: None,
        };
        let leased =
            store::lease(&mut *lab.conn().await, &wanted, &[lab.worker], LEASE).await.expect("a lease");
        assert_eq!(leased.len(), 1);
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_report_brings_the_next_job_in_its_answer(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let lab = Lab::new(app.state.pool.clone()).await;
    let worker = app.token(&[Scope::WorkBench]).await;
    let (first, second) = (lab.running(read()).await, lab.create(NewJob::new(read())).await);
    let mut report =
        json!(Report { lease_token: first.lease_token, outcome: succeeded(&read()), lease: None });
    report["next"] = json!({
        "contract_version": 1, "queue": "bench", "capabilities": ["read.plate"], "wait_seconds": 0
    });
    let path = |job: JobId| format!("/api/v1/jobs/{job}/report");
    let (status, answer) = app.post(&worker, &path(first.job_id), &report).await;
    assert_eq!((status, answer["disposition"].as_str()), (StatusCode::OK, Some("accepted")));
    assert_eq!(answer["next"]["job_id"], second.to_string());
    report["lease_token"] = answer["next"]["lease_token"].clone();
    let (_, answer) = app.post(&worker, &path(second), &report).await;
    assert_eq!(answer, json!({"disposition": "accepted"}), "there is nothing more to do");
    report["next"]["queue"] = json!("learner");
    let third = lab.running(read()).await;
    report["lease_token"] = json!(third.lease_token);
    let (status, _) = app.post(&worker, &path(third.job_id), &report).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "the wish is another queue's");
    assert_eq!(lab.state(third.job_id).await, "running");
}
