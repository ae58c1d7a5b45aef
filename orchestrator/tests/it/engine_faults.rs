//! What the loop does when physics does not.

use crate::laboratory::{Fault, Laboratory, Settings};
use jobs::work::{Kind, Outcome, Output};
use orchestrator::plates::State as PlateState;
use orchestrator::rounds::control;
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store;
use orchestrator::store::jobs::{Resolution, Resolved};
use orchestrator::store::plates::Decision;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn one_round() -> Settings {
    Settings { rounds: 1, ..Settings::default() }
}

fn three_plates() -> Settings {
    Settings { genes: 200, batch: 100, rounds: 1, blanks: 20, ..Settings::default() }
}

async fn plates(laboratory: &Laboratory) -> Vec<(u32, u32, PlateState)> {
    let round = laboratory.last_round().await;
    let plates = laboratory.plates(round.id).await;
    plates.iter().map(|plate| (plate.ordinal, plate.generation, plate.state)).collect()
}

async fn resolve(laboratory: &Laboratory, resolution: Resolution) {
    let job = laboratory.in_doubt().await.pop().expect("a job in doubt");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let resolved = store::jobs::resolve(&mut conn, job, resolution, laboratory.person, "looked at it")
        .await
        .expect("resolved");
    assert!(matches!(resolved, Resolved::Settled { .. }), "{resolved:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plate_whose_dispense_failed_is_made_again(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Dispense));
    laboratory.run().await;
    assert_eq!(plates(&laboratory).await, [(1, 1, PlateState::Lost), (1, 2, PlateState::Passed)]);
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 12), "{progress:#?}");
    assert!(laboratory.world.on("handler-1").is_empty(), "the deck was cleared");
    assert_eq!(laboratory.world.on("waste").len(), 2);
    // The lost plate's liquid is counted as drawn, once; the new one's too.
    assert_eq!(laboratory.count("select count(*) from reservation where state <> 'spent'").await, 0);
    assert_eq!(laboratory.count("select coalesce(sum(reserved_nl), 0)::bigint from stock_well").await, 0);
    let drawn =
        laboratory.count("select (60 * 60000 + 2 * 110000 - sum(volume_nl))::bigint from stock_well").await;
    assert_eq!(drawn, 2 * (24 + 12) * 2000);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_next_plate_waits_until_the_deck_of_a_lost_one_is_clear(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, three_plates()).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Dispense));
    // The world refuses a move onto an occupied deck.
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 100), "{progress:#?}");
    assert_eq!(laboratory.count("select count(*) from plate where state = 'lost'").await, 1);
    assert_eq!(laboratory.count("select count(*) from resource_held").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whoever_comes_after_a_lost_plate_waits_for_the_plate_before_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, three_plates()).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Dispense));
    // When the incubations of the first and the third are over, both want to the reader; the world refuses a move onto
    // an occupied one.
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 100), "{progress:#?}");
    let round = laboratory.last_round().await;
    let lost: Vec<u32> = laboratory
        .plates(round.id)
        .await
        .iter()
        .filter(|plate| plate.state == PlateState::Lost)
        .map(|plate| plate.ordinal)
        .collect();
    assert_eq!(lost, [2]);
    assert_eq!(laboratory.count("select count(*) from resource_held").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn of_plates_lost_one_after_the_other_nobody_is_waited_for(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let five = Settings { genes: 300, batch: 200, ..three_plates() };
    let mut laboratory = Laboratory::new(options, login, five).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.faults.extend([Fault::Fails(Kind::Dispense), Fault::Fails(Kind::Dispense)]);
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 200), "{progress:#?}");
    assert_eq!(laboratory.count("select count(*) from plate where state = 'lost'").await, 2);
    assert_eq!(laboratory.count("select count(*) from resource_held").await, 0);
    assert_eq!(laboratory.count("select count(*) from job_waiting").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_step_in_doubt_stops_the_clock_until_a_person_has_looked(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, three_plates()).await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Dispense));
    laboratory.run().await;
    assert_eq!(laboratory.in_doubt().await.len(), 1);
    let before = laboratory.lab_now().await;
    laboratory.run().await;
    assert_eq!(laboratory.lab_now().await, before, "a person is awaited");
    assert_eq!(laboratory.last_round().await.state, State::In(Stage::Executing));

    resolve(&laboratory, Resolution::PlateLost).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 100), "{progress:#?}");
    assert_eq!(laboratory.count("select count(*) from plate where state = 'lost'").await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_step_that_was_not_done_is_done_by_another_job(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, three_plates()).await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Dispense));
    laboratory.run().await;
    resolve(&laboratory, Resolution::NotDone).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 100), "{progress:#?}");
    assert_eq!(laboratory.count("select count(*) from plate where generation > 1").await, 0);
    assert_eq!(laboratory.count("select count(*) from resource_held").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_dispense_that_a_person_saw_done_is_not_done_twice(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    // It really happens, and then the worker cannot say so.
    laboratory.carry_out(&lease.work).await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Dispense));
    let unknown = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, unknown).await;
    laboratory.settle().await;
    resolve(&laboratory, Resolution::Done).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 12), "{progress:#?}");
    assert_eq!(laboratory.world.transfers.values().sum::<usize>(), 36, "each well once");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_failed_move_holds_the_round_and_the_deck_until_it_is_resumed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, three_plates()).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Move));
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert_eq!(round.state, State::Held(Stage::Executing));
    assert_eq!(round.why.expect("a reason").code, "job.failed");
    assert_eq!(laboratory.open_tasks().await, ["round.held"]);
    assert!(laboratory.world.transfers.is_empty(), "nobody used the deck meanwhile");

    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 100), "{progress:#?}");
    assert_eq!(laboratory.count("select count(*) from plate where generation > 1").await, 0);
    assert!(laboratory.open_tasks().await.is_empty());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plate_lost_three_times_waits_for_a_person(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.extend([Fault::Fails(Kind::Dispense); 3]);
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert_eq!(round.why.clone().expect("a reason").code, "plate.lost_too_often");
    let lost = laboratory.plates(round.id).await.pop().expect("a plate");
    assert_eq!((lost.generation, lost.state), (3, PlateState::Lost));

    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let decided = orchestrator::plates::decide::decide(
        &mut conn,
        lost.id,
        Decision::GiveUp,
        "no luck",
        laboratory.person,
    )
    .await;
    assert_eq!(decided.expect("decided"), orchestrator::plates::decide::Decided::Done);
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
    assert_eq!(laboratory.count("select count(*) from proposal where fate = 'given_up'").await, 12);
    assert!(laboratory.open_tasks().await.is_empty());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_failed_training_leaves_the_model_in_use_and_tells_a_person(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    let lease = laboratory.work_until(Kind::Read).await;
    laboratory.start(&lease).await;
    let read = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, read).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Train));
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!(progress.state, "finished");
    assert_eq!(laboratory.count("select count(*) from task where cause = 'model.training_failed'").await, 1);
    assert!(laboratory.rounds().await[1].data_cut.is_some(), "the second round knows what was measured");
    assert_eq!(progress.promoted_model_version, Some(2), "the first, and the one after the second round");
    assert!(laboratory.open_tasks().await.is_empty(), "that one was trained");
}

/// Reads the first round's plate: the next training is the one on what was measured.
async fn read_the_first_plate(laboratory: &mut Laboratory) {
    let lease = laboratory.work_until(Kind::Read).await;
    laboratory.start(&lease).await;
    let read = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, read).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_training_that_fails_is_told(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    read_the_first_plate(&mut laboratory).await;
    laboratory.faults.extend([Fault::Fails(Kind::Train); 2]);
    laboratory.run().await;
    assert_eq!(laboratory.open_tasks().await, ["model.training_failed"]);
    while laboratory.engine.relay().await.expect("relayed") > 0 {}
    let told = "select count(*) from notification where cause = 'model.training_failed'";
    assert_eq!(laboratory.count(told).await, 2, "once a round");
    let open = "select count(*) from notification where cause = 'model.training_failed' and state = 'open'";
    assert_eq!(laboratory.count(open).await, 1, "the second");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_rejected_model_waits_for_a_person_until_a_better_one_is_in_use(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    read_the_first_plate(&mut laboratory).await;
    let lease = laboratory.work_until(Kind::Train).await;
    laboratory.start(&lease).await;
    let Outcome::Succeeded { mut output } = laboratory.carry_out(&lease.work).await else {
        panic!("it is trained")
    };
    let Output::Train(trained) = &mut *output else { panic!("it is a training") };
    // Nothing speaks for it.
    trained.metrics.held_out_log_score = None;
    laboratory.report(&lease, Outcome::Succeeded { output }).await;
    laboratory.settle().await;
    assert_eq!(laboratory.open_tasks().await, ["model.rejected"]);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.promoted_model_version, Some(3));
    assert!(laboratory.open_tasks().await.is_empty());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_cancelled_round_asks_nobody_about_its_plates(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.extend([Fault::Fails(Kind::Dispense); 3]);
    laboratory.run().await;
    assert_eq!(laboratory.open_tasks().await, ["plate.lost_too_often", "round.held"]);
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::cancel(&mut conn, round.id, "bad luck", laboratory.person).await.expect("cancelled");
    assert!(laboratory.open_tasks().await.is_empty(), "nothing is to be decided any more");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_cancelled_round_gives_back_what_it_reserved_and_clears_the_deck(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, three_plates()).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::cancel(&mut conn, round.id, "wrong cells", laboratory.person).await.expect("cancelled");
    drop(conn);
    laboratory.settle().await;
    assert!(!laboratory.world.on("handler-1").is_empty());
    // The worker takes its step to the end; then the deck is cleared.
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.run().await;
    assert!(laboratory.world.on("handler-1").is_empty(), "{:?}", laboratory.world.on("handler-1"));
    assert_eq!(laboratory.rounds().await[0].state, State::Cancelled);
    assert_eq!(laboratory.count("select count(*) from resource_held").await, 0);
    assert_eq!(laboratory.count("select coalesce(sum(reserved_nl), 0)::bigint from stock_well").await, 0);
    // The budget's round was not spent: the next one takes its place.
    let progress = laboratory.progress().await;
    assert_eq!(
        (progress.state.as_str(), progress.rounds.len(), progress.passed_qc),
        ("finished", 2, 100),
        "{progress:#?}"
    );
}

/// `now()` is when a transaction began: one that ended a lease may have begun before the one that started it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_attempt_that_ended_before_it_started_has_taken_no_time(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut owner = login.clone().connect().await.expect("a connection of the owner");
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.run().await;
    let changed = sqlx::query("update job_attempt set started_at = ended_at + interval '1 ms'")
        .execute(&mut owner)
        .await
        .expect("updated");
    assert!(changed.rows_affected() > 0);
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    assert_eq!(store::rounds::worker_seconds(&mut conn, round.id).await.expect("a sum"), 0.0);
}
