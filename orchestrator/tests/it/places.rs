//! After a plate or its round has ended: the books of the stock agree with what was drawn, and every place is free again.

use crate::laboratory::{Fault, Laboratory, Settings};
use jobs::Work;
use jobs::wire::Lease;
use jobs::work::Kind;
use orchestrator::plates::State as PlateState;
use orchestrator::rounds::control;
use orchestrator::rounds::state::State;
use orchestrator::store;
use orchestrator::store::jobs::{Resolution, Resolved};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Wells in which something else is reserved than plates have reserved and not drawn.
const WRONG_IN_THE_BOOKS: &str = "
    select count(*)
    from stock_well
    where reserved_nl <> coalesce((
        select sum(volume_nl - (
            select coalesce(sum(intended_nl), 0)
            from dispense_record
            where dispense_record.plate_id = reservation.plate_id
              and dispense_record.source_barcode = reservation.source_barcode
              and dispense_record.source_well = reservation.source_well))
        from reservation
        where reservation.state = 'reserved'
          and source_barcode = stock_well.barcode
          and source_well = stock_well.well), 0)";
const RESERVED: &str = "select coalesce(sum(reserved_nl), 0)::bigint from stock_well";
const DRAWN: &str = "select (60 * 60000 + 2 * 110000 - sum(volume_nl))::bigint from stock_well";
const HELD: &str = "select count(*) from resource_held";
/// A plate of these tests: 12 samples in duplicate, 12 controls, 2 µL each.
const ONE_PLATE: i64 = (24 + 12) * 2000;

fn one_round() -> Settings {
    Settings { rounds: 1, ..Settings::default() }
}

async fn cancel(laboratory: &Laboratory) {
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::cancel(&mut conn, round.id, "wrong cells", laboratory.person).await.expect("cancelled");
    drop(conn);
    laboratory.settle().await;
}

/// As far as a dispense that has begun, of a round that is cancelled meanwhile.
async fn dispensing_for_a_cancelled_round(laboratory: &mut Laboratory) -> Lease {
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    cancel(laboratory).await;
    lease
}

async fn resolve(laboratory: &Laboratory, resolution: Resolution) {
    let job = laboratory.in_doubt().await.pop().expect("a job in doubt");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let resolved = store::jobs::resolve(&mut conn, job, resolution, laboratory.person, "looked at it")
        .await
        .expect("resolved");
    assert!(matches!(resolved, Resolved::Settled { .. }), "{resolved:?}");
}

/// Works on whatever is there, but begins no further round.
async fn work_off(laboratory: &mut Laboratory) {
    laboratory.settle().await;
    while laboratory.work().await {
        laboratory.settle().await;
    }
}

async fn clear_strays(laboratory: &Laboratory) -> usize {
    laboratory.engine.clear_strays().await.expect("a look")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_dispense_of_a_cancelled_round_takes_nothing_of_what_another_has_reserved(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    let late = dispensing_for_a_cancelled_round(&mut laboratory).await;
    // The next round plans on the same wells while the robot still draws for the first.
    laboratory.pass_until("2026-01-12T09:00:00Z").await;
    work_off(&mut laboratory).await;
    assert_eq!(laboratory.count("select count(*) from plate").await, 2);
    assert_eq!(laboratory.count(RESERVED).await, ONE_PLATE);
    let done = laboratory.carry_out(&late.work).await;
    laboratory.report(&late, done).await;
    laboratory.settle().await;
    assert_eq!(laboratory.count(RESERVED).await, ONE_PLATE, "all of it is the second plate's");
    assert_eq!(laboratory.count(DRAWN).await, ONE_PLATE, "what was drawn is gone");
    assert_eq!(laboratory.count(WRONG_IN_THE_BOOKS).await, 0);
    laboratory.run().await;
    assert_eq!(laboratory.count(WRONG_IN_THE_BOOKS).await, 0);
    assert_eq!(laboratory.count(RESERVED).await, 0);
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_a_dispense_in_doubt_drew_is_written_off_although_its_round_was_cancelled(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Dispense));
    let lease = dispensing_for_a_cancelled_round(&mut laboratory).await;
    let unknown = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, unknown).await;
    laboratory.settle().await;
    assert_eq!(laboratory.count(RESERVED).await, 0, "given back when the round was cancelled");
    let doubt = {
        let mut conn = laboratory.pool.acquire().await.expect("a connection");
        store::jobs::get(&mut conn, lease.job_id).await.expect("the job").in_doubt.expect("in doubt")
    };
    let will: Vec<&str> = doubt.choices.iter().map(|choice| choice.will.as_str()).collect();
    assert!(will[1].contains("nothing is ordered again"), "{will:?}");
    assert!(will[2].contains("is over already") && will[2].contains("72000 nl are written off"), "{will:?}");
    resolve(&laboratory, Resolution::PlateLost).await;
    work_off(&mut laboratory).await;
    assert_eq!(laboratory.count(DRAWN).await, ONE_PLATE, "as intended, since nobody has said anything");
    assert_eq!(laboratory.count(RESERVED).await, 0);
    assert!(laboratory.world.on("handler-1").is_empty());
    assert_eq!(laboratory.count(HELD).await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_not_done_for_a_cancelled_round_is_not_done_any_more(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Dispense));
    let lease = dispensing_for_a_cancelled_round(&mut laboratory).await;
    let unknown = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, unknown).await;
    laboratory.settle().await;
    resolve(&laboratory, Resolution::NotDone).await;
    work_off(&mut laboratory).await;
    assert!(laboratory.world.transfers.is_empty(), "{:?}", laboratory.world.transfers);
    assert_eq!((laboratory.count(DRAWN).await, laboratory.count(RESERVED).await), (0, 0));
    assert!(laboratory.world.on("handler-1").is_empty(), "the mover cleared it");
    assert_eq!(laboratory.count(HELD).await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_deck_that_a_cancelled_round_left_occupied_is_cleared_by_hand_when_the_mover_cannot(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.extend([Fault::Fails(Kind::Dispense), Fault::Fails(Kind::Move)]);
    let lease = dispensing_for_a_cancelled_round(&mut laboratory).await;
    let failed = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, failed).await;
    work_off(&mut laboratory).await;
    assert!(laboratory.count(HELD).await > 0, "nobody clears it: its round waits for nobody");
    assert_eq!(clear_strays(&laboratory).await, 1);
    assert_eq!(clear_strays(&laboratory).await, 0, "it is on its way");
    work_off(&mut laboratory).await;
    assert!(!laboratory.world.on("handler-1").is_empty(), "the mover could not");
    assert_eq!(clear_strays(&laboratory).await, 1);
    let by_hand = laboratory.lease(Kind::Manual).await.expect("hands are asked");
    assert!(matches!(by_hand.work, Work::Move(_)), "{:?}", by_hand.work);
    laboratory.start(&by_hand).await;
    let done = laboratory.carry_out(&by_hand.work).await;
    laboratory.report(&by_hand, done).await;
    work_off(&mut laboratory).await;
    assert!(laboratory.world.on("handler-1").is_empty(), "{:?}", laboratory.world.on("handler-1"));
    assert_eq!(laboratory.count(HELD).await, 0);
    assert_eq!(clear_strays(&laboratory).await, 0);
    assert!(laboratory.open_tasks().await.is_empty());
    // What comes after it on that deck is not kept waiting.
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 12), "{progress:#?}");
    assert_eq!(laboratory.count(WRONG_IN_THE_BOOKS).await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_held_round_that_is_cancelled_leaves_no_deck_occupied(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    laboratory.faults.extend([Fault::Fails(Kind::Dispense), Fault::Fails(Kind::Move)]);
    let failed = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, failed).await;
    work_off(&mut laboratory).await;
    assert!(matches!(laboratory.last_round().await.state, State::Held(_)), "a person is asked to look");
    assert_eq!(clear_strays(&laboratory).await, 0, "and whoever looks resumes the round");
    cancel(&laboratory).await;
    assert_eq!(clear_strays(&laboratory).await, 1);
    work_off(&mut laboratory).await;
    assert!(laboratory.world.on("handler-1").is_empty());
    assert_eq!(laboratory.count(HELD).await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_slot_of_the_incubator_is_freed_by_hand_when_the_mover_cannot(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    let lease = laboratory.work_until(Kind::Incubate).await;
    laboratory.start(&lease).await;
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.settle().await;
    // Its reading window passes while nobody works: it is lost, and the mover cannot bring it to waste.
    laboratory.pass_until("2026-01-20T09:00:00Z").await;
    laboratory.faults.push_back(Fault::Fails(Kind::Move));
    {
        let mut conn = laboratory.pool.acquire().await.expect("a connection");
        store::jobs::reap(&mut conn, 100).await.expect("reaped");
    }
    laboratory.promote().await;
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    assert_eq!(laboratory.plates(round.id).await[0].state, PlateState::Lost);
    while laboratory.faults.front().is_some() {
        assert!(laboratory.work().await);
    }
    laboratory.settle().await;
    assert_eq!(laboratory.world.on("incubator-1"), ["P-001"]);
    let round = laboratory.last_round().await;
    assert!(matches!(round.state, State::In(_)), "the round waits for nobody: {round:?}");
    assert_eq!(clear_strays(&laboratory).await, 1);
    let by_hand = laboratory.lease(Kind::Manual).await.expect("hands are asked");
    laboratory.start(&by_hand).await;
    let done = laboratory.carry_out(&by_hand.work).await;
    laboratory.report(&by_hand, done).await;
    laboratory.run().await;
    let left = "select count(*) from plate_location where device = 'incubator-1'";
    assert_eq!(laboratory.count(left).await, 0);
    assert_eq!(laboratory.progress().await.state, "finished");
}

/// Which blanks are left, and what is in sources, is what agents are asked about after a restore.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_lost_plate_is_not_made_again_before_the_laboratory_is_reconciled(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Dispense));
    let failed = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, failed).await;
    let mut conn = owner.acquire().await.expect("a connection");
    store::epoch::begin(&mut conn).await.expect("another life");
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    let generations = async |laboratory: &Laboratory| {
        let plates = laboratory.plates(round.id).await;
        plates.iter().map(|plate| (plate.generation, plate.state)).collect::<Vec<_>>()
    };
    assert_eq!(generations(&laboratory).await, [(1, PlateState::Lost)]);
    assert_eq!(clear_strays(&laboratory).await, 0);
    sqlx::query(
        "insert into reconciliation (epoch, opened_because, closed_at, closed_by, closed_reason)
         values (database_epoch(), 'restored', now(), '00000000-0000-7000-8000-000000000001', 'all were heard')",
    )
    .execute(&mut *conn)
    .await
    .expect("closed");
    laboratory.settle().await;
    assert_eq!(generations(&laboratory).await, [(1, PlateState::Lost), (2, PlateState::Planned)]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_quarantined_plate_that_was_dropped_leaves_the_reader_free(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.world.spoilt.push("P-001".into());
    let read = laboratory.work_until(Kind::Read).await;
    laboratory.start(&read).await;
    let done = laboratory.carry_out(&read.work).await;
    laboratory.report(&read, done).await;
    laboratory.settle().await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Move));
    assert!(laboratory.work().await, "on its way to waste");
    laboratory.settle().await;
    resolve(&laboratory, Resolution::PlateLost).await;
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    assert_eq!(laboratory.plates(round.id).await[0].state, PlateState::Quarantined, "people decide on it");
    assert!(laboratory.lease(Kind::Manual).await.is_some_and(|lease| matches!(lease.work, Work::Move(_))));
    assert_eq!(laboratory.count(HELD).await, 0, "whoever comes next waits for those hands");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_quarantined_plate_goes_with_its_round(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.world.spoilt.push("P-001".into());
    let read = laboratory.work_until(Kind::Read).await;
    laboratory.start(&read).await;
    let done = laboratory.carry_out(&read.work).await;
    laboratory.report(&read, done).await;
    laboratory.settle().await;
    assert_eq!(laboratory.open_tasks().await, ["plate.quarantined"]);
    cancel(&laboratory).await;
    assert!(laboratory.open_tasks().await.is_empty(), "nobody is asked to decide on it any more");
    let round = &laboratory.rounds().await[0];
    assert_eq!(laboratory.plates(round.id).await[0].state, PlateState::Cancelled);
    work_off(&mut laboratory).await;
    assert_eq!(clear_strays(&laboratory).await, 0);
    assert!(laboratory.world.on("reader-1").is_empty());
    assert_eq!(laboratory.count(HELD).await, 0);
    assert_eq!(laboratory.count("select count(*) from stock_plate where state = 'reserved'").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_a_cancelled_round_had_measured_is_counted_and_not_measured_again(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    // Three plates a round; one is read when the round is cancelled.
    let settings = Settings { genes: 300, batch: 100, rounds: 1, blanks: 20, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    let read = laboratory.work_until(Kind::Read).await;
    laboratory.start(&read).await;
    let done = laboratory.carry_out(&read.work).await;
    laboratory.report(&read, done).await;
    laboratory.settle().await;
    cancel(&laboratory).await;
    let measured = laboratory.count("select count(*) from proposal where fate = 'measured'").await;
    assert!(measured > 0 && measured < 100, "{measured}");
    let seen = laboratory.count("select count(distinct proposal_id) from observation").await;
    assert_eq!(measured, seen);
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!(progress.state, "finished", "{progress:#?}");
    let counted: Vec<i64> = progress.rounds.iter().map(|round| i64::from(round.passed_qc)).collect();
    assert_eq!(counted, [measured, 100], "each round's own");
    let twice = "
        select count(*)
        from (select perturbation, context from proposal where fate = 'measured' group by 1, 2 having count(*) > 1) as it";
    assert_eq!(laboratory.count(twice).await, 0, "nothing is asked twice");
    let left: i64 = sqlx::query_scalar(
        "select (payload ->> 'rounds_left')::bigint from job where kind = 'propose' order by id desc limit 1",
    )
    .fetch_one(&laboratory.pool)
    .await
    .expect("a job");
    assert_eq!(left, 0, "the second is the only one of the budget");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_dispense_that_never_began_costs_no_plate(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Dispense));
    // Its agent found the device busy with something else, and gave up before it began.
    let failed = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, failed).await;
    work_off(&mut laboratory).await;
    let round = laboratory.last_round().await;
    assert!(matches!(round.state, State::Held(_)), "a person is told why");
    assert_eq!(round.why.expect("a reason").code, "job.failed");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 12), "{progress:#?}");
    assert_eq!(laboratory.count("select count(*) from plate").await, 1, "the same plate");
    assert_eq!(laboratory.count(DRAWN).await, ONE_PLATE);
}

/// A replacement is made only of what goes on, also beside a cancel that has not committed yet.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_resolution_waits_for_the_cancel_of_its_round(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    laboratory.faults.push_back(Fault::Unknown(Kind::Dispense));
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let unknown = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, unknown).await;
    let round = laboratory.last_round().await.id;
    let mut cancelling = store::begin_on(&laboratory.pool).await.expect("a transaction");
    store::rounds::lock(&mut cancelling, round).await.expect("asked").expect("the round");
    let (pool, person) = (laboratory.pool.clone(), laboratory.person);
    let resolving = tokio::spawn(async move {
        let mut conn = pool.acquire().await.expect("a connection");
        store::jobs::resolve(&mut conn, lease.job_id, Resolution::NotDone, person, "dry")
            .await
            .expect("resolved")
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!resolving.is_finished(), "whoever cancels has it first");
    control::cancel(&mut cancelling, round, "wrong cells", laboratory.person).await.expect("cancelled");
    cancelling.commit().await.expect("committed");
    let resolved = resolving.await.expect("no panic");
    assert!(matches!(resolved, Resolved::Settled { replaced_by: None, .. }), "{resolved:?}");
    work_off(&mut laboratory).await;
    assert!(laboratory.world.transfers.is_empty(), "{:?}", laboratory.world.transfers);
}

/// Robots are quicker than the service: the plate is in the waste when its reading is judged.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plate_that_was_carried_away_before_it_was_judged_is_not_carried_again(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, one_round()).await;
    let read = laboratory.work_until(Kind::Read).await;
    laboratory.start(&read).await;
    let done = laboratory.carry_out(&read.work).await;
    laboratory.report(&read, done).await;
    assert!(laboratory.work().await, "to waste, before the engine looks");
    assert!(laboratory.world.on("reader-1").is_empty());
    let moves = "select count(*) from job where kind = 'move'";
    let before = laboratory.count(moves).await;
    laboratory.settle().await;
    assert_eq!(laboratory.count(moves).await, before);
    assert_eq!(clear_strays(&laboratory).await, 0);
    laboratory.run().await;
    assert_eq!(laboratory.count(moves).await, before);
    assert!(laboratory.open_tasks().await.is_empty());
}
