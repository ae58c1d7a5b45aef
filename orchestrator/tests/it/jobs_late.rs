//! Authority and testimony: what a worker can still do after its lease was lost.

use crate::support::as_application;
use crate::work::{LEASE, Lab, dispense, failed, read, succeeded, unknown};
use jobs::wire::{Disposition, Heartbeat, LeaseSummary, Report};
use jobs::{FailureClass, LeaseToken};
use orchestrator::ids::SYSTEM;
use orchestrator::people::Visible;
use orchestrator::store::jobs::{
    self as store, Authority, CONTRADICTION_TASK, IN_DOUBT_TASK, NEEDS_PERSON_TASK, NewJob, Reported,
    Resolution, Resolved, Wanted,
};
use orchestrator::store::tasks;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn disposition(reported: &Reported) -> Option<Disposition> {
    match reported {
        Reported::Taken(disposition, _) => Some(*disposition),
        _ => None,
    }
}

async fn open_tasks(lab: &Lab) -> Vec<String> {
    let open = tasks::list(&mut *lab.conn().await, &Visible::All, true, None, 100).await.expect("tasks");
    open.into_iter().map(|task| task.cause).collect()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_stale_agent_cannot_finish_a_reclaimed_job(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let stale = lab.running(read()).await;
    lab.expire(stale.job_id).await;
    let current = lab.lease().await.expect("it is ready again");
    assert_eq!((current.job_id, current.attempt), (stale.job_id, 2));
    assert_ne!(current.lease_token, stale.lease_token);

    let reported = lab.report(stale.job_id, stale.lease_token, succeeded(&read())).await;

    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(lab.state(stale.job_id).await, "leased");
    lab.start(&current).await;
    let reported = lab.report(current.job_id, current.lease_token, succeeded(&read())).await;
    assert_eq!(disposition(&reported), Some(Disposition::Accepted));
    assert_eq!(open_tasks(&lab).await, Vec::<String>::new(), "reading twice does no harm");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lost_lease_gives_no_authority(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(read()).await;
    lab.expire(lease.job_id).await;
    let mut conn = lab.conn().await;
    let beat = Heartbeat { lease_token: lease.lease_token, progress: None };
    assert_eq!(
        store::heartbeat(&mut conn, lease.job_id, &beat, crate::work::LEASE).await.expect("an answer"),
        Authority::Lost
    );
    let started = lab.starter.start(lease.job_id, lease.lease_token).await;
    assert_eq!(started.expect("an answer"), Authority::Lost);
    let released = store::release(&mut conn, lease.job_id, lease.lease_token).await;
    assert_eq!(released.expect("an answer"), Authority::Lost);
    assert_eq!(lab.state(lease.job_id).await, "ready");
}

/// The commit of a lease does not wait for the disk, so a crash of PostgreSQL may take it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lease_that_a_crash_took_gives_no_authority_and_is_no_loss(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(dispense())).await;
    let mut tx = orchestrator::store::begin_on(&lab.pool).await.expect("a transaction");
    let wanted = Wanted {
        queue: "bench".to_owned(),
        capabilities: vec!["dispense.liquid".to_owned()],
        instrument: None,
    };
    let taken = store::lease(&mut tx, &wanted, &[lab.worker], LEASE).await.expect("a lease").remove(0).lease;
    tx.rollback().await.expect("as after the crash");

    let started = lab.starter.start(job, taken.lease_token).await;
    assert_eq!(started.expect("an answer"), Authority::Lost);
    let not_begun = Report {
        lease_token: taken.lease_token,
        outcome: failed(FailureClass::Transient),
        lease: Some(Box::new(LeaseSummary {
            attempt: taken.attempt,
            instrument: None,
            begun: false,
            work: taken.work,
        })),
    };
    let reported = lab.reporter.report(job, lab.worker, &not_begun).await.expect("kept");
    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(lab.count("select coalesce(sum(unknown_reports), 0)::bigint from reconciliation").await, 0);

    let again = lab.lease().await.expect("it is ready as it was");
    assert_eq!((again.job_id, again.attempt), (job, 1));
    lab.start(&again).await;
    let reported = lab.report(job, again.lease_token, succeeded(&dispense())).await;
    assert_eq!(disposition(&reported), Some(Disposition::Accepted));
    assert_eq!(open_tasks(&lab).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_late_report_settles_a_job_in_doubt_and_closes_its_task(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    lab.expire(lease.job_id).await;
    assert_eq!(lab.state(lease.job_id).await, "in_doubt");
    assert_eq!(open_tasks(&lab).await, [IN_DOUBT_TASK]);

    let reported = lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())).await;

    assert_eq!(disposition(&reported), Some(Disposition::Accepted));
    assert_eq!(lab.state(lease.job_id).await, "succeeded");
    assert_eq!(open_tasks(&lab).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_late_report_settles_a_job_that_is_ready_again(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(read()).await;
    lab.expire(lease.job_id).await;
    let reported = lab.report(lease.job_id, lease.lease_token, succeeded(&read())).await;
    assert_eq!(disposition(&reported), Some(Disposition::Accepted));
    assert_eq!(lab.state(lease.job_id).await, "succeeded");
    assert!(lab.lease().await.is_none(), "nobody is given what is done");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_report_after_a_person_decided_changes_nothing_and_a_contradiction_is_a_task(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    lab.expire(lease.job_id).await;
    let resolved =
        store::resolve(&mut *lab.conn().await, lease.job_id, Resolution::PlateLost, SYSTEM, "spilled").await;
    assert!(matches!(resolved, Ok(Resolved::Settled { replaced_by: None, .. })), "{resolved:?}");

    let reported = lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())).await;

    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(lab.state(lease.job_id).await, "plate_lost");
    assert_eq!(open_tasks(&lab).await, [CONTRADICTION_TASK]);
    let detail = store::get(&mut *lab.conn().await, lease.job_id).await.expect("the job");
    assert_eq!(detail.reports.len(), 1);
    assert_eq!(detail.reports[0].disposition, "kept_as_evidence");
    assert_eq!(detail.decided_by.as_deref(), Some("loopwright"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_report_that_agrees_with_the_person_is_evidence_without_a_task(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    lab.expire(lease.job_id).await;
    store::resolve(&mut *lab.conn().await, lease.job_id, Resolution::Done, SYSTEM, "looked")
        .await
        .expect("resolved");
    let reported = lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())).await;
    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(open_tasks(&lab).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_physical_step_reported_by_an_older_attempt_is_a_task(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(dispense())).await;
    let first = lab.lease().await.expect("work");
    lab.expire(job).await;
    let second = lab.lease().await.expect("it never began, so it is given again");
    lab.start(&second).await;
    let reported = lab.report(job, first.lease_token, succeeded(&dispense())).await;
    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(lab.state(job).await, "running");
    assert_eq!(open_tasks(&lab).await, [CONTRADICTION_TASK]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_same_report_again_changes_nothing(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    let first = lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())).await;
    let again = lab.report(lease.job_id, lease.lease_token, succeeded(&dispense())).await;
    assert_eq!(disposition(&first), Some(Disposition::Accepted));
    assert_eq!(disposition(&again), Some(Disposition::AlreadyDone));
    assert_eq!(lab.count("select count(*) from event where kind = 'JobSucceeded'").await, 1);
    assert_eq!(lab.count("select count(*) from job_outcome").await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_report_under_a_token_that_nobody_gave_is_kept_and_settles_nothing(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(read())).await;
    let reported = lab.report(job, LeaseToken::fresh(), succeeded(&read())).await;
    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(lab.state(job).await, "ready");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_passing_failure_is_tried_again_until_the_attempts_are_used_up(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob { max_attempts: 2, ..NewJob::new(read()) }).await;
    let first = lab.lease().await.expect("work");
    lab.start(&first).await;
    lab.report(job, first.lease_token, failed(FailureClass::Transient)).await;
    assert_eq!(lab.state(job).await, "ready");
    assert!(lab.lease().await.is_none(), "not before its wait is over");
    sqlx::query("update job_ready set retry_at = now()").execute(&lab.pool).await.expect("the wait is over");
    let second = lab.lease().await.expect("work");
    lab.start(&second).await;
    lab.report(job, second.lease_token, failed(FailureClass::Transient)).await;
    assert_eq!(lab.state(job).await, "failed");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn workers_that_vanish_again_and_again_exhaust_the_attempts(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob { max_attempts: 2, ..NewJob::new(read()) }).await;
    for state in ["ready", "failed"] {
        let lease = lab.lease().await.expect("work");
        lab.start(&lease).await;
        lab.expire(job).await;
        assert_eq!(lab.state(job).await, state);
    }
    let detail = store::get(&mut *lab.conn().await, job).await.expect("the job");
    assert_eq!(detail.summary.failure.expect("a failure")["code"], "job.attempts_exhausted");
    assert_eq!(detail.attempts.len(), 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_that_was_asked_to_stop_does_not_begin(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(dispense())).await;
    let lease = lab.lease().await.expect("work");
    store::stop(&mut *lab.conn().await, job, SYSTEM, "no").await.expect("a stop");
    let answer = lab.starter.start(job, lease.lease_token).await;
    let Ok(Authority::Held(answer)) = answer else { panic!("{answer:?}") };
    assert!(answer.stop_requested);
    lab.expire(job).await;
    assert_eq!(lab.state(job).await, "cancelled", "it never began, so nothing is in doubt");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_failure_that_needs_a_person_opens_a_task(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    lab.report(lease.job_id, lease.lease_token, failed(FailureClass::NeedsPerson)).await;
    assert_eq!(lab.state(lease.job_id).await, "failed");
    assert_eq!(open_tasks(&lab).await, [NEEDS_PERSON_TASK]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn not_knowing_twice_leaves_the_job_in_doubt(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let lease = lab.running(dispense()).await;
    lab.expire(lease.job_id).await;
    let reported = lab.report(lease.job_id, lease.lease_token, unknown()).await;
    assert_eq!(disposition(&reported), Some(Disposition::Accepted));
    let detail = store::get(&mut *lab.conn().await, lease.job_id).await.expect("the job");
    let known = detail.in_doubt.expect("in doubt").known;
    assert_eq!(known["failure"]["code"], "test.unknown", "the device's own words are there for the person");
}
