//! Many at once: each job is given once, and each ending is counted once.

use crate::support::as_application;
use crate::work::{LEASE, Lab, dispense, read, succeeded};
use futures::future::join_all;
use jobs::JobId;
use jobs::wire::{Disposition, Report};
use orchestrator::store::jobs::{self as store, NewJob, Reported, Wanted};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::BTreeSet;

fn bench() -> Wanted {
    Wanted { queue: "bench".to_owned(), capabilities: vec!["read.plate".to_owned()], instrument: None }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_job_is_given_to_one_of_many_who_ask_at_once(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    for _ in 0..60 {
        lab.create(NewJob::new(read())).await;
    }
    let askers = (0..24).map(|_| async {
        let mut given = Vec::new();
        loop {
            let workers = [lab.worker; 3];
            let leased =
                store::lease(&mut *lab.conn().await, &bench(), &workers, LEASE).await.expect("a lease");
            if leased.is_empty() {
                return given;
            }
            assert!(leased.len() <= workers.len());
            given.extend(leased.into_iter().map(|leased| leased.lease));
        }
    });
    let given: Vec<_> = join_all(askers).await.into_iter().flatten().collect();
    let jobs: BTreeSet<JobId> = given.iter().map(|lease| lease.job_id).collect();
    let tokens: BTreeSet<String> = given.iter().map(|lease| lease.lease_token.to_string()).collect();
    assert_eq!((given.len(), jobs.len(), tokens.len()), (60, 60, 60));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn between_the_reaper_and_the_report_one_wins_and_nothing_is_lost(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    for round in 0..20 {
        let work = if round % 2 == 0 { read() } else { dispense() };
        let lease = lab.running(work.clone()).await;
        let (reported, _) = tokio::join!(
            lab.report(lease.job_id, lease.lease_token, succeeded(&work)),
            lab.expire(lease.job_id)
        );
        // Whichever came first: the report settles it, with authority or late.
        assert!(matches!(reported, Reported::Taken(Disposition::Accepted, _)), "{reported:?}");
        assert_eq!(lab.state(lease.job_id).await, "succeeded");
    }
    assert_eq!(lab.count("select count(*) from event where kind = 'JobSucceeded'").await, 20);
    assert_eq!(lab.count("select count(*) from task where closed_at is null").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_same_report_sent_many_times_at_once_settles_once(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    let report = Report { lease_token: lease.lease_token, outcome: succeeded(&dispense()), lease: None };
    let sent = (0..8)
        .map(|_| async { lab.reporter.report(lease.job_id, lab.worker, &report).await.expect("an answer") });
    let accepted = join_all(sent)
        .await
        .into_iter()
        .filter(|reported| matches!(reported, Reported::Taken(Disposition::Accepted, _)))
        .count();
    assert_eq!(accepted, 1);
    assert_eq!(lab.count("select count(*) from job_outcome").await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn dependencies_that_end_at_once_are_all_counted(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let mut leases = Vec::new();
    for _ in 0..6 {
        leases.push(lab.running(dispense()).await);
    }
    let upstream: Vec<JobId> = leases.iter().map(|lease| lease.job_id).collect();
    let waiting = [lab.after(read(), &upstream).await, lab.after(read(), &upstream).await];
    join_all(leases.iter().map(|lease| lab.report(lease.job_id, lease.lease_token, succeeded(&dispense()))))
        .await;
    for job in waiting {
        assert_eq!(lab.state(job).await, "ready");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_made_while_its_dependency_ends_is_never_forgotten(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    for _ in 0..20 {
        let lease = lab.running(dispense()).await;
        let upstream = [lease.job_id];
        let (_, job) = tokio::join!(
            lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())),
            lab.after(read(), &upstream)
        );
        assert_eq!(lab.state(job).await, "ready");
        sqlx::query("delete from job_ready").execute(&lab.pool).await.expect("a sweep");
    }
}
