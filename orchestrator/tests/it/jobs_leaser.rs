//! Waiting for work in memory: wake-ups, their loss, and askers that are gone.

use crate::support::as_application;
use crate::work::{LEASE, Lab, read};
use orchestrator::queue::{Error, Leaser, Wakeups};
use orchestrator::store::jobs::{NewJob, Wanted};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(10);

fn reader(instrument: Option<&str>) -> Wanted {
    Wanted {
        queue: "bench".to_owned(),
        capabilities: vec!["read.plate".to_owned()],
        instrument: instrument.map(str::to_owned),
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn everybody_who_waits_is_given_work_when_it_comes(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let wakeups = Wakeups::default();
    let leaser = Leaser::new(lab.pool.clone(), wakeups.clone(), LEASE, 100);
    let waiting: Vec<_> = (0..20)
        .map(|place| {
            let (leaser, worker) = (leaser.clone(), lab.worker);
            let name = format!("reader-{}", place % 7);
            tokio::spawn(async move { leaser.lease(reader(Some(&name)), worker, PATIENCE).await })
        })
        .collect();
    for _ in 0..20 {
        lab.create(NewJob::new(read())).await;
        wakeups.jobs("bench");
    }
    let mut jobs = std::collections::BTreeSet::new();
    for asker in waiting {
        let granted = asker.await.expect("no panic").expect("an answer").expect("work");
        jobs.insert(granted.take().expect("a lease").job_id);
    }
    assert_eq!(jobs.len(), 20);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn work_is_found_also_when_every_wake_up_is_lost(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let leaser = Leaser::new(lab.pool.clone(), Wakeups::default(), LEASE, 100);
    let (granted, job) =
        tokio::join!(leaser.lease(reader(None), lab.worker, PATIENCE), lab.create(NewJob::new(read())));
    let lease = granted.expect("an answer").expect("work").take().expect("a lease");
    assert_eq!(lease.job_id, job);
}

/// Those who wait were tried in vain; whoever comes after them is tried alone, where what was seen may hold something.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_comes_beside_many_who_wait_finds_what_is_ready_for_it_alone(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let leaser = Leaser::new(lab.pool.clone(), Wakeups::default(), LEASE, 100);
    let mut own = BTreeMap::new();
    for place in [3, 20, 21] {
        let name = format!("reader-{place}");
        let job = NewJob { instrument: Some(name.clone()), ..NewJob::new(read()) };
        own.insert(name, lab.create(job).await);
    }
    let ask = |place: usize| {
        let (leaser, worker) = (leaser.clone(), lab.worker);
        let name = format!("reader-{place}");
        tokio::spawn(async move {
            let granted = leaser.lease(reader(Some(&name)), worker, PATIENCE).await.expect("an answer");
            (name, granted.expect("work").take().expect("a lease").job_id)
        })
    };
    let waiting: Vec<_> = (0..8).map(&ask).collect();
    let mut given = BTreeMap::new();
    let later = [ask(20), ask(21)];
    let served = waiting.into_iter().enumerate().filter(|(place, _)| *place == 3).map(|(_, asker)| asker);
    for asker in served.chain(later) {
        let (name, job) = tokio::time::timeout(PATIENCE, asker).await.expect("in time").expect("no panic");
        given.insert(name, job);
    }
    assert_eq!(given, own);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn another_process_is_woken_by_notify(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let (here, there) = (Wakeups::default(), Wakeups::default());
    let shutdown = CancellationToken::new();
    let mut news = there.subscribe_jobs("bench");
    let running = [here.clone(), there.clone()]
        .map(|wakeups| tokio::spawn(wakeups.run(lab.pool.clone(), shutdown.clone())));
    // Until the other process listens, what we send is lost: repeat, as a busy queue would.
    let heard = async {
        loop {
            here.jobs("bench");
            if tokio::time::timeout(Duration::from_millis(100), news.changed()).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect("the other process heard it");
    shutdown.cancel();
    for task in running {
        task.await.expect("an orderly end");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lease_whose_asker_is_gone_is_given_back(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let wakeups = Wakeups::default();
    let leaser = Leaser::new(lab.pool.clone(), wakeups.clone(), LEASE, 100);
    let job = lab.create(NewJob::new(read())).await;
    let granted = leaser.lease(reader(None), lab.worker, PATIENCE).await.expect("an answer").expect("work");
    assert_eq!(lab.state(job).await, "leased");
    let mut news = wakeups.subscribe_jobs("bench");
    drop(granted);
    tokio::time::timeout(PATIENCE, news.changed()).await.expect("given back in time").expect("wake-ups live");
    assert_eq!(lab.state(job).await, "ready");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_line_is_bounded(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let leaser = Leaser::new(lab.pool.clone(), Wakeups::default(), LEASE, 1);
    let first = leaser.lease(reader(None), lab.worker, Duration::from_millis(300));
    let second = async {
        tokio::task::yield_now().await;
        leaser.lease(reader(None), lab.worker, PATIENCE).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(matches!(first, Ok(None)), "{first:?}");
    assert!(matches!(second, Err(Error::Full)), "{second:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_instrument_is_given_its_own_jobs_and_none_while_out_of_service(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let leaser = Leaser::new(lab.pool.clone(), Wakeups::default(), LEASE, 100);
    let now = Duration::from_millis(200);
    lab.create(NewJob { instrument: Some("reader-1".to_owned()), ..NewJob::new(read()) }).await;
    for other in [None, Some("reader-2")] {
        let granted = leaser.lease(reader(other), lab.worker, now).await.expect("an answer");
        assert!(granted.is_none(), "{other:?}");
    }
    sqlx::query("insert into instrument (name, capabilities, state) values ('reader-1', '{read.plate}', 'maintenance')")
        .execute(&lab.pool)
        .await
        .expect("an instrument");
    assert!(leaser.lease(reader(Some("reader-1")), lab.worker, now).await.expect("an answer").is_none());
    sqlx::query("update instrument set state = 'in_service'")
        .execute(&lab.pool)
        .await
        .expect("back in service");
    let granted = leaser.lease(reader(Some("reader-1")), lab.worker, PATIENCE).await.expect("an answer");
    assert!(granted.expect("work").take().is_some());
}
