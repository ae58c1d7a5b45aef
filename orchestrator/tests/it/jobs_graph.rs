//! Who waits for whom: delays, deadlines, cascades, replacements.

use crate::support::as_application;
use crate::work::{Lab, dispense, failed, hours, incubate, monday, read, succeeded};
use jobs::{FailureClass, JobId};
use orchestrator::ids::SYSTEM;
use orchestrator::store::jobs::{self as store, Created, Dependency, NewJob, Resolution, Resolved, Stopped};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;

async fn succeed_next(lab: &Lab) -> JobId {
    let lease = lab.lease().await.expect("work");
    lab.start(&lease).await;
    lab.report(lease.job_id, lease.lease_token, succeeded(&lease.work)).await;
    lease.job_id
}

async fn fail_next(lab: &Lab) -> JobId {
    let lease = lab.lease().await.expect("work");
    lab.start(&lease).await;
    lab.report(lease.job_id, lease.lease_token, failed(FailureClass::Permanent)).await;
    lease.job_id
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_waits_for_everything_it_depends_on(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let first = lab.create(NewJob::new(dispense())).await;
    let second = lab.create(NewJob::new(dispense())).await;
    let last = lab.after(read(), &[first, second]).await;
    assert_eq!(lab.state(last).await, "waiting");
    succeed_next(&lab).await;
    assert_eq!(lab.state(last).await, "waiting");
    succeed_next(&lab).await;
    assert_eq!(lab.state(last).await, "ready");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_delay_runs_in_laboratory_time_and_its_window_is_the_deadline(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let upstream = lab.create(NewJob::new(dispense())).await;
    let after = Dependency {
        min_delay: Duration::from_secs(72 * 3600),
        max_delay: Some(Duration::from_secs(74 * 3600)),
        ..Dependency::success(upstream)
    };
    let job = lab.create(NewJob { dependencies: vec![after], ..NewJob::new(read()) }).await;
    succeed_next(&lab).await;
    lab.jump(monday() + hours(71)).await;
    lab.promote().await;
    assert_eq!(lab.state(job).await, "waiting");
    lab.jump(monday() + hours(72)).await;
    let consequences = lab.promote().await;
    assert_eq!(consequences.queues.into_iter().collect::<Vec<_>>(), ["bench"]);
    assert_eq!(lab.state(job).await, "ready");
    lab.jump(monday() + hours(75)).await;
    assert!(lab.lease().await.is_none(), "too late to begin");
    lab.promote().await;
    let detail = store::get(&mut *lab.conn().await, job).await.expect("the job");
    assert_eq!(detail.summary.failure.expect("a failure")["code"], "job.deadline_passed");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whoever_needs_a_success_fails_with_it_all_the_way_down(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let first = lab.create(NewJob::new(dispense())).await;
    let second = lab.after(dispense(), &[first]).await;
    let third = lab.after(read(), &[second]).await;
    let at_the_end = NewJob { dependencies: vec![Dependency::end(third)], ..NewJob::new(read()) };
    let at_the_end = lab.create(at_the_end).await;
    fail_next(&lab).await;
    for job in [second, third] {
        let detail = store::get(&mut *lab.conn().await, job).await.expect("the job");
        assert_eq!(detail.summary.failure.expect("a failure")["code"], "job.dependency_failed");
    }
    assert_eq!(lab.state(at_the_end).await, "ready", "it waited for the end, however");
    assert_eq!(lab.count("select count(*) from job_outcome").await, 3);
    assert_eq!(lab.count("select count(*) from event where kind = 'JobFailed'").await, 3);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_made_after_its_dependency_ended_knows_it(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    lab.create(NewJob::new(dispense())).await;
    let done = succeed_next(&lab).await;
    lab.create(NewJob::new(dispense())).await;
    let broken = fail_next(&lab).await;
    let ready = lab.after(read(), &[done]).await;
    assert_eq!(lab.state(ready).await, "ready");
    let impossible = lab.after(read(), &[done, broken]).await;
    assert_eq!(lab.state(impossible).await, "failed");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_same_unique_key_makes_one_job(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let key = Some("propose:1:1".to_owned());
    let first = lab.create(NewJob { unique_key: key.clone(), ..NewJob::new(read()) }).await;
    let again = NewJob { unique_key: key, ..NewJob::new(read()) };
    let created = store::create(&mut *lab.conn().await, &again).await.expect("an answer");
    assert_eq!(created, Created::Existing(first));
    assert_eq!(lab.count("select count(*) from job").await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_found_not_done_is_done_by_another_and_nobody_fails_with_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let before = lab.create(NewJob::new(dispense())).await;
    succeed_next(&lab).await;
    let doubted = lab.after(dispense(), &[before]).await;
    let after = lab.after(read(), &[doubted]).await;
    let lease = lab.lease().await.expect("work");
    lab.start(&lease).await;
    lab.expire(doubted).await;

    let resolved =
        store::resolve(&mut *lab.conn().await, doubted, Resolution::NotDone, SYSTEM, "dry wells").await;

    let Ok(Resolved::Settled { replaced_by: Some(instead), .. }) = resolved else { panic!("{resolved:?}") };
    assert_eq!(lab.state(doubted).await, "failed");
    assert_eq!(lab.state(after).await, "waiting");
    assert_eq!(lab.state(instead).await, "ready");
    let detail = store::get(&mut *lab.conn().await, instead).await.expect("the job");
    assert_eq!(detail.summary.replaces, Some(doubted));
    assert_eq!(detail.depends_on.len(), 1);
    assert_eq!(succeed_next(&lab).await, instead);
    assert_eq!(lab.state(after).await, "ready");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lost_plate_takes_what_follows_with_it(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let doubted = lab.running(dispense()).await.job_id;
    let after = lab.after(read(), &[doubted]).await;
    lab.expire(doubted).await;
    store::resolve(&mut *lab.conn().await, doubted, Resolution::PlateLost, SYSTEM, "spilled")
        .await
        .expect("resolved");
    assert_eq!(lab.state(doubted).await, "plate_lost");
    assert_eq!(lab.state(after).await, "failed");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_place_is_not_given_on_while_it_may_be_occupied(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let resource = Some("deck:handler-1".to_owned());
    let first = lab.create(NewJob { resource: resource.clone(), ..NewJob::new(dispense()) }).await;
    let next = NewJob { resource, dependencies: vec![Dependency::end(first)], ..NewJob::new(dispense()) };
    let next = lab.create(next).await;
    fail_next(&lab).await;
    assert_eq!(lab.state(next).await, "waiting", "plates may still stand on the deck");
    store::resource::clear(&mut *lab.conn().await, first).await.expect("cleared");
    assert_eq!(lab.state(next).await, "ready");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn stopping_what_nobody_holds_cancels_it_and_stopping_again_is_refused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let first = lab.create(NewJob::new(dispense())).await;
    let after = lab.after(read(), &[first]).await;
    let mut conn = lab.conn().await;
    let stopped = store::stop(&mut conn, first, SYSTEM, "changed our minds").await.expect("a stop");
    assert!(matches!(stopped, Stopped::Cancelled(_)), "{stopped:?}");
    assert_eq!(lab.state(after).await, "failed");
    let again = store::stop(&mut conn, first, SYSTEM, "again").await.expect("an answer");
    assert_eq!(again, Stopped::Refused(jobs::state::State::Cancelled));
}

/// A graph with everything that a new job can meet: `done` succeeded, `broken` did not.
fn graph(done: JobId, broken: JobId) -> Vec<NewJob> {
    let after = |dependencies: Vec<Dependency>| NewJob { dependencies, ..NewJob::new(dispense()) };
    let resource = || Some("deck:handler-1".to_owned());
    let hour = Duration::from_secs(3600);
    let first = NewJob { resource: resource(), ..after(vec![]) };
    let second = after(vec![Dependency::success(first.id), Dependency::success(done)]);
    let at_once = after(vec![Dependency::success(done)]);
    let later =
        after(vec![Dependency { min_delay: hour, max_delay: Some(2 * hour), ..Dependency::success(done) }]);
    let lost = NewJob { resource: resource(), ..after(vec![Dependency::success(broken)]) };
    let lost_with_it = after(vec![Dependency::success(lost.id)]);
    let when_the_place_is_clear = after(vec![Dependency::end(lost.id)]);
    let however_it_ended = after(vec![Dependency::end(lost_with_it.id)]);
    let too_late = NewJob { deadline_lab_at: Some(monday()), ..after(vec![Dependency::success(second.id)]) };
    vec![
        first,
        second,
        at_once,
        later,
        lost,
        lost_with_it,
        when_the_place_is_clear,
        however_it_ended,
        too_late,
    ]
}

/// Everything that says where these jobs are, by their places in the list; of times, those that lie ahead.
async fn whereabouts(lab: &Lab, jobs: &[NewJob]) -> Vec<String> {
    let place = |id: uuid::Uuid| jobs.iter().position(|job| job.id.0 == id);
    let mut all = Vec::new();
    for job in jobs {
        all.push(lab.state(job.id).await);
    }
    let waiting: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "select job_id,
             concat_ws(' ', unmet, case when not_before_lab_at > lab_now() then not_before_lab_at end, deadline_lab_at)
         from job_waiting
         order by job_id",
    )
    .fetch_all(&lab.pool)
    .await
    .expect("those that wait");
    let ready: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "select job_id, concat_ws(' ', queue, capability, priority, deadline_lab_at) from job_ready order by ready_order",
    )
    .fetch_all(&lab.pool)
    .await
    .expect("those that are ready");
    let mut waiting: Vec<_> = waiting.into_iter().filter_map(|(id, says)| Some((place(id)?, says))).collect();
    waiting.sort();
    let ready = ready.into_iter().filter_map(|(id, says)| Some((place(id)?, says)));
    all.extend(waiting.into_iter().chain(ready).map(|(place, says)| format!("{place}: {says}")));
    all
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn jobs_entered_together_are_where_those_entered_one_after_the_other_are(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    lab.create(NewJob::new(dispense())).await;
    let done = succeed_next(&lab).await;
    lab.create(NewJob::new(dispense())).await;
    let broken = fail_next(&lab).await;
    let failed = "select count(*) from event where kind = 'JobFailed'";
    let before = lab.count(failed).await;

    let alone = graph(done, broken);
    let mut settled_alone = 0;
    for job in &alone {
        let created = store::create(&mut *lab.conn().await, job).await.expect("a job");
        let Created::Created(id, consequences) = created else { panic!("{created:?}") };
        assert_eq!(id, job.id);
        settled_alone += consequences.settled.len();
    }
    let in_between = lab.count(failed).await;
    let together = graph(done, broken);
    let created = store::create_all(&mut *lab.conn().await, &together).await.expect("jobs");

    let expected = whereabouts(&lab, &alone).await;
    assert_eq!(whereabouts(&lab, &together).await, expected);
    assert_eq!(
        expected[..9],
        ["ready", "waiting", "ready", "waiting", "failed", "failed", "waiting", "ready", "waiting"]
    );
    assert_eq!(lab.count(failed).await - in_between, in_between - before);
    let mut settled_together = 0;
    for (created, job) in created.iter().zip(&together) {
        let Created::Created(id, consequences) = created else { panic!("{created:?}") };
        assert_eq!(*id, job.id);
        settled_together += consequences.settled.len();
    }
    assert_eq!(settled_together, settled_alone);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn of_jobs_entered_together_those_that_are_there_stay(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let keyed = |key: &str| NewJob { unique_key: Some(key.to_owned()), ..NewJob::new(read()) };
    let there = lab.create(keyed("one")).await;
    let new = [keyed("one"), keyed("two"), keyed("two")];
    let created = store::create_all(&mut *lab.conn().await, &new).await.expect("jobs");
    assert_eq!(created[0], Created::Existing(there));
    assert!(matches!(created[1], Created::Created(id, _) if id == new[1].id), "{created:?}");
    assert_eq!(created[2], Created::Existing(new[1].id));
    assert_eq!(lab.count("select count(*) from job").await, 2);
    assert_eq!(lab.count("select count(*) from job_ready").await, 2);
    assert_eq!(store::create_all(&mut *lab.conn().await, &[]).await.expect("nothing"), []);
}

/// The report of an incubation that began five hours ago comes when the network is back: what follows is due 72 hours after
/// it began. (Of hands their word counts, and laboratory time that jumps stands still meanwhile.)
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_window_of_a_reading_begins_with_the_incubation_and_not_with_its_report(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    sqlx::query("update lab_clock set mode = 'real', lab_at = null")
        .execute(&lab.pool)
        .await
        .expect("a real clock");
    let window = |upstream| Dependency {
        min_delay: Duration::from_secs(72 * 3600),
        max_delay: Some(Duration::from_secs(74 * 3600)),
        ..Dependency::success(upstream)
    };
    let mut due = Vec::new();
    for work in [incubate(), dispense()] {
        let upstream = lab.create(NewJob::new(work)).await;
        let job = lab.create(NewJob { dependencies: vec![window(upstream)], ..NewJob::new(read()) }).await;
        let lease = lab.lease().await.expect("work");
        assert_eq!(lease.job_id, upstream);
        lab.start(&lease).await;
        sqlx::query("update lease set started_at = now() - interval '5 hours', leased_at = now() - interval '5 hours'")
            .execute(&lab.pool)
            .await
            .expect("begun long ago");
        lab.report(lease.job_id, lease.lease_token, succeeded(&lease.work)).await;
        // Also for what is made afterwards, in the place of one that broke.
        let made_later =
            lab.create(NewJob { dependencies: vec![window(upstream)], ..NewJob::new(read()) }).await;
        for job in [job, made_later] {
            let hours: (f64, f64) = sqlx::query_as(
                "select (extract(epoch from not_before_lab_at - now()) / 3600)::float8,
                        (extract(epoch from deadline_lab_at - now()) / 3600)::float8
                 from job_waiting where job_id = $1",
            )
            .bind(job.0)
            .fetch_one(&lab.pool)
            .await
            .expect("it waits");
            due.push((hours.0.round(), hours.1.round()));
        }
    }
    assert_eq!(due, [(67.0, 69.0), (67.0, 69.0), (72.0, 74.0), (72.0, 74.0)]);
}
