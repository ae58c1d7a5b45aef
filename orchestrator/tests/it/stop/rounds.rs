//! What a pause and a drain leave going, with plates that really stand somewhere.

use crate::laboratory::{Fault, Laboratory, Settings};
use crate::work::LEASE;
use jobs::JobId;
use jobs::work::Kind;
use orchestrator::campaigns::control as campaigns;
use orchestrator::campaigns::state::State as CampaignState;
use orchestrator::orders::{Order, instrument, job as jobs_ordered};
use orchestrator::rounds::State;
use orchestrator::rounds::control;
use orchestrator::rounds::state::Stage;
use orchestrator::store;
use orchestrator::store::instruments::InstrumentState;
use orchestrator::store::jobs::Authority;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// One round of two plates.
async fn two_plates(options: PgPoolOptions, login: PgConnectOptions) -> Laboratory {
    let settings = Settings { rounds: 1, batch: 50, ..Settings::default() };
    Laboratory::new(options, login, settings).await
}

/// How many plates got anything, and whether each got all of it once.
fn dispensed(laboratory: &Laboratory) -> usize {
    laboratory.world.transfers.len()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_of_a_paused_round_begins_that_was_ready_or_leased(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = two_plates(options, login).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let ready = laboratory.count("select count(*) from job_ready where queue = 'bench'").await;
    control::pause(&mut conn, round, "the cells look unwell", laboratory.person).await.expect("paused");
    let back = laboratory.count("select count(*) from job_ready where queue = 'bench'").await;
    assert_eq!(back, ready + 1, "the lease that had not begun is taken back");
    let asked = [(lease.job_id, lease.lease_token)];
    assert_eq!(store::jobs::start_all(&mut conn, &asked, LEASE).await.expect("answered"), [None]);
    let started = store::jobs::start(&mut conn, lease.job_id, lease.lease_token, LEASE).await;
    assert_eq!(started.expect("answered"), Authority::Lost);
    for kind in Kind::ALL {
        assert_eq!(laboratory.lease(kind).await, None, "{kind} is given out");
    }
    assert!(!laboratory.work().await && laboratory.engine.jump().await.expect("a clock").is_none());

    control::resume(&mut conn, round, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::Closed);
    assert_eq!(dispensed(&laboratory), 2);
}

/// It is read and parsed when it is drawn, and days may pass until then.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_answer_to_a_held_round_is_not_at_hand_until_it_goes_on(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = two_plates(options, login).await;
    let lease = laboratory.work_until(Kind::Propose).await;
    laboratory.start(&lease).await;
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::pause(&mut conn, round, "the cells look unwell", laboratory.person).await.expect("paused");
    let outcome = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, outcome).await;
    laboratory.settle().await;
    assert_eq!(laboratory.count("select count(*) from settlement").await, 1, "it waits with its round");
    assert_eq!(store::at_hand::read(&mut conn).await.expect("read").settlements, []);

    control::resume(&mut conn, round, laboratory.person).await.expect("resumed");
    let at_hand = store::at_hand::read(&mut conn).await.expect("read");
    assert_eq!(at_hand.settlements, [(lease.job_id, Some(laboratory.campaign))]);
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::Closed);
}

/// Leased before the pause and committed with it: the start is what decides.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lease_that_slipped_in_beside_a_pause_does_not_start(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = two_plates(options, login).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let (subject, manner) = (store::holds::Subject::Round, store::holds::Manner::Pause);
    store::holds::put(&mut conn, subject, round.0, manner, "beside", laboratory.person).await.expect("put");
    let asked = [(lease.job_id, lease.lease_token)];
    assert_eq!(store::jobs::start_all(&mut conn, &asked, LEASE).await.expect("answered"), [None]);
    let started = store::jobs::start(&mut conn, lease.job_id, lease.lease_token, LEASE).await;
    assert_eq!(started.expect("answered"), Authority::Lost);
    assert_eq!(laboratory.count("select count(*) from lease").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_drained_round_brings_the_begun_plate_to_its_end_and_begins_no_other(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = two_plates(options, login).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::drain(&mut conn, round, "the hood is serviced", laboratory.person).await.expect("ordered");
    drop(conn);
    let outcome = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, outcome).await;
    laboratory.run().await;
    let drained = laboratory.last_round().await;
    assert_eq!(drained.state, State::Held(Stage::Executing));
    assert_eq!(drained.why.expect("why").code, "round.drained");
    assert_eq!(dispensed(&laboratory), 1, "the other plate was not begun");
    let states: Vec<_> = laboratory.plates(round).await.iter().map(|plate| plate.state.as_str()).collect();
    assert_eq!(states, ["passed", "planned"]);

    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::Closed);
    assert_eq!(dispensed(&laboratory), 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_drained_campaign_ends_its_round_begins_no_other_and_is_paused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    drop(laboratory.work_until(Kind::Dispense).await);
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let campaign = laboratory.campaign;
    campaigns::drain(&mut conn, campaign, "holidays", laboratory.person).await.expect("ordered");
    // The test's own lease: given back as if its agent had died.
    sqlx::query("update lease set expires_at = now() - interval '1 second'")
        .execute(&mut *conn)
        .await
        .expect("late");
    store::jobs::reap(&mut conn, 10).await.expect("reaped");
    laboratory.run().await;
    let after = store::campaigns::by_id(&mut conn, campaign).await.expect("read").expect("there");
    assert_eq!(after.state, CampaignState::Paused);
    assert_eq!(laboratory.rounds().await.len(), 1);
    assert_eq!(laboratory.last_round().await.state, State::Closed);

    campaigns::resume(&mut conn, campaign, "back", laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.rounds().await.len(), 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_paused_campaign_gives_nothing_to_anybody_not_even_to_learners(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.settle().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    campaigns::pause(&mut conn, laboratory.campaign, "", laboratory.person).await.expect("paused");
    assert_eq!(laboratory.lease(Kind::Train).await, None);
    assert_eq!(laboratory.run().await, 0);
    campaigns::resume(&mut conn, laboratory.campaign, "", laboratory.person).await.expect("resumed");
    drop(conn);
    assert!(laboratory.run().await > 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_drained_instrument_does_what_has_begun_and_is_in_maintenance(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = two_plates(options, login).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    for name in ["handler-1", "reader-1", "incubator-1", "mover-1"] {
        instrument::order(&mut conn, name, Order::Drain, "service", None, laboratory.person)
            .await
            .expect("ordered");
    }
    let outcome = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, outcome).await;
    laboratory.run().await;
    for name in ["handler-1", "reader-1", "incubator-1", "mover-1"] {
        let instrument = store::instruments::get(&mut conn, name).await.expect("there");
        assert_eq!(instrument.state, InstrumentState::Maintenance, "{name}");
        assert_eq!(instrument.state_reason.as_deref(), Some("service"), "{name}");
        assert_eq!(instrument.state_by.as_deref(), Some("ada"), "{name}");
    }
    assert_eq!(dispensed(&laboratory), 1);
    for name in ["handler-1", "reader-1", "incubator-1", "mover-1"] {
        instrument::order(&mut conn, name, Order::Resume, "done", None, laboratory.person)
            .await
            .expect("ordered");
    }
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::Closed);
    assert_eq!(dispensed(&laboratory), 2);
}

async fn say(laboratory: &Laboratory, job: JobId, order: Order) {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let ordered = jobs_ordered::order(&mut conn, job, order, "as they say", laboratory.person).await;
    assert!(matches!(ordered, Ok(jobs_ordered::Ordered::Done(..))), "{ordered:?}");
}

async fn job_of(laboratory: &Laboratory, sql: &'static str) -> JobId {
    sqlx::query_scalar(sql).fetch_one(&laboratory.pool).await.map(JobId).expect("a job")
}

/// What one person paused is not given out because another resumed what comes before it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_pause_outlives_the_drain_of_the_job_before_it(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let next = "select job_dependency.job_id
                from job_dependency
                join lease on lease.job_id = depends_on
                join hold on hold.subject_id = job_dependency.job_id
                where requires = 'success'
                limit 1";
    say(&laboratory, lease.job_id, Order::Drain).await;
    let next = job_of(&laboratory, next).await;
    say(&laboratory, next, Order::Pause).await;
    say(&laboratory, lease.job_id, Order::Resume).await;
    let held = "select count(*) from hold join job on job.id = subject_id where because_of is null";
    assert_eq!(laboratory.count(held).await, 1);
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.run().await;
    assert_ne!(laboratory.progress().await.state, "finished", "it stays paused");
    say(&laboratory, next, Order::Resume).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_pause_stands_on_the_job_that_is_made_anew(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Incubate).await;
    laboratory.start(&lease).await;
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.settle().await;
    let read = "select id from job where kind = 'read' order by id desc limit 1";
    let before = job_of(&laboratory, read).await;
    say(&laboratory, before, Order::Pause).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Move));
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert!(matches!(round.state, State::Held(_)), "the move to the reader failed, and the reading with it");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    let anew = job_of(&laboratory, read).await;
    assert_ne!(anew, before);
    assert_ne!(laboratory.progress().await.state, "finished", "the reading stays paused");
    say(&laboratory, anew, Order::Resume).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}
