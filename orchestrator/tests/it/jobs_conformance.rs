//! The tables mirror `State::next`: every state x every command, for a job that may be repeated and one that
//! may not.

use crate::support::as_application;
use crate::work::{self, Lab, failed, hours, monday, stopped, succeeded, unknown};
use jobs::state::{Event, State};
use jobs::work::Outcome;
use jobs::{FailureClass, JobId, LeaseToken, Work};
use orchestrator::ids::SYSTEM;
use orchestrator::store::jobs::{self as store, NewJob, Resolution, Wanted};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// A job brought into `state` by the commands themselves, and the last token it was leased under.
pub async fn in_state(lab: &Lab, work: Work, state: State) -> (JobId, LeaseToken) {
    let job = NewJob { deadline_lab_at: Some(monday() + hours(9)), ..NewJob::new(work.clone()) };
    if state == State::Waiting {
        let job = NewJob { not_before_lab_at: Some(monday() + hours(1)), ..job };
        return (lab.create(job).await, LeaseToken::fresh());
    }
    let id = lab.create(job).await;
    let lease = lab.lease().await.expect("work");
    assert_eq!(lease.job_id, id);
    let token = lease.lease_token;
    match state {
        State::Leased | State::Waiting => {}
        // Ready again: what a late report can still settle.
        State::Ready => drop(lab.expire(id).await),
        _ => lab.start(&lease).await,
    }
    match state {
        State::Stopping => {
            drop(store::stop(&mut *lab.conn().await, id, SYSTEM, "test").await.expect("a stop"))
        }
        State::Succeeded => drop(lab.report(id, token, succeeded(&work)).await),
        State::Failed => drop(lab.report(id, token, failed(FailureClass::Permanent)).await),
        State::Cancelled => drop(lab.report(id, token, stopped()).await),
        State::InDoubt | State::PlateLost => drop(lab.report(id, token, unknown()).await),
        _ => {}
    }
    if state == State::PlateLost {
        resolve(lab, id, Resolution::PlateLost).await;
    }
    assert_eq!(lab.state(id).await, state.as_str(), "the way into {state:?}");
    (id, token)
}

async fn resolve(lab: &Lab, job: JobId, resolution: Resolution) {
    store::resolve(&mut *lab.conn().await, job, resolution, SYSTEM, "looked").await.expect("a resolution");
}

fn events(repeatable: bool) -> Vec<Event> {
    vec![
        Event::BecameReady,
        Event::BecameImpossible,
        Event::Leased,
        Event::Started,
        Event::Released,
        Event::LeaseExpired { repeatable },
        Event::StopRequested,
        Event::ReportedSucceeded,
        Event::ReportedFailed { retry: true },
        Event::ReportedFailed { retry: false },
        Event::ReportedStopped,
        Event::ReportedUnknown,
        Event::ReportedFromLostLife,
        Event::ResolvedDone,
        Event::ResolvedNotDone,
        Event::ResolvedPlateLost,
    ]
}

/// The command that means `event`, on this one job.
async fn apply(lab: &Lab, work: &Work, job: JobId, token: LeaseToken, event: Event) {
    let report = |outcome: Outcome| async move { drop(lab.report(job, token, outcome).await) };
    let mut conn = lab.conn().await;
    match event {
        Event::BecameReady => {
            set_times(lab, job, "not_before_lab_at", -1).await;
            lab.promote().await;
        }
        Event::BecameImpossible => {
            set_times(lab, job, "deadline_lab_at", -1).await;
            lab.promote().await;
        }
        Event::Leased => {
            let wanted = Wanted {
                queue: work.kind().queue().to_owned(),
                capabilities: vec![work.kind().capability().to_owned()],
                instrument: None,
            };
            store::lease(&mut conn, &wanted, &[lab.worker], work::LEASE).await.expect("a lease");
        }
        Event::Started => drop(lab.starter.start(job, token).await.expect("a start")),
        Event::Released => drop(store::release(&mut conn, job, token).await.expect("a release")),
        Event::LeaseExpired { .. } => drop(lab.expire(job).await),
        Event::StopRequested => drop(store::stop(&mut conn, job, SYSTEM, "test").await.expect("a stop")),
        Event::ReportedSucceeded => report(succeeded(work)).await,
        Event::ReportedFailed { retry: true } => report(failed(FailureClass::Transient)).await,
        Event::ReportedFailed { retry: false } => report(failed(FailureClass::Permanent)).await,
        Event::ReportedStopped => report(stopped()).await,
        Event::ReportedUnknown => report(unknown()).await,
        Event::ReportedFromLostLife => drop(lab.report_of_lost_life(job, work).await),
        Event::ResolvedDone => resolve(lab, job, Resolution::Done).await,
        Event::ResolvedNotDone => resolve(lab, job, Resolution::NotDone).await,
        Event::ResolvedPlateLost => resolve(lab, job, Resolution::PlateLost).await,
    }
}

/// Moves the one time that matters for this job, so that no other job's state depends on the clock.
async fn set_times(lab: &Lab, job: JobId, column: &'static str, offset_hours: i64) {
    for table in ["job_waiting", "job_ready"] {
        if table == "job_ready" && column == "not_before_lab_at" {
            continue;
        }
        let statement = format!("update {table} set {column} = $2 where job_id = $1");
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(job.0)
            .bind(monday() + hours(offset_hours))
            .execute(&lab.pool)
            .await
            .expect("an update");
    }
}

/// Where the machine says that the command leads; the state itself when it refuses.
///
/// Three of the events depend on more than the state, and the store decides them as documented:
/// - a transient failure is tried again only when the work may be repeated or had not begun;
/// - what had begun is not released, also when it was asked to stop in between;
/// - success (or not knowing) of a job whose start we never heard of says that it had begun.
fn expected(state: State, event: Event, repeatable: bool) -> State {
    let event = match (state, event) {
        (State::Running, Event::ReportedFailed { retry: true }) => {
            Event::ReportedFailed { retry: repeatable }
        }
        (_, event) => event,
    };
    match (state, event) {
        (State::Stopping, Event::Released) => State::Stopping,
        (State::Leased, Event::ReportedSucceeded | Event::ReportedUnknown) => {
            State::Running.next(event).expect("running takes every report")
        }
        _ => state.next(event).unwrap_or(state),
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_state_takes_every_command_as_the_state_machine_says(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let mut checked = 0;
    for work in [work::read(), work::dispense()] {
        let repeatable = work.kind().is_repeatable();
        for state in State::ALL {
            for event in events(repeatable) {
                let (job, token) = in_state(&lab, work.clone(), state).await;
                apply(&lab, &work, job, token, event).await;
                let found = lab.state(job).await;
                let wanted = expected(state, event, repeatable);
                assert_eq!(found, wanted.as_str(), "{state:?} x {event:?}, repeatable: {repeatable}");
                assert_in_one_table(&lab, job).await;
                // Out of the way of the next one: nothing stays ready, waiting or leased.
                sqlx::query("delete from job_ready").execute(&lab.pool).await.expect("a sweep");
                sqlx::query("delete from job_waiting").execute(&lab.pool).await.expect("a sweep");
                sqlx::query("delete from lease").execute(&lab.pool).await.expect("a sweep");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 320);
}

async fn assert_in_one_table(lab: &Lab, job: JobId) {
    let tables: i64 = sqlx::query_scalar(
        "select (select count(*) from job_waiting where job_id = $1)
             + (select count(*) from job_ready where job_id = $1)
             + (select count(*) from lease where job_id = $1)
             + (select count(*) from job_in_doubt where job_id = $1)
             + (select count(*) from job_outcome where job_id = $1)",
    )
    .bind(job.0)
    .fetch_one(&lab.pool)
    .await
    .expect("a count");
    assert_eq!(tables, 1, "a job is in exactly one table");
}
