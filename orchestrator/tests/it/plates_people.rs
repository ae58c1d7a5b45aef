//! Quarantined plates wait for people, and do what they say.

use crate::laboratory::{Laboratory, Settings};
use orchestrator::plates::State as PlateState;
use orchestrator::plates::decide::{Decided, decide};
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store::plates::Decision;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// A laboratory whose first plate failed QC.
async fn quarantined(options: PgPoolOptions, login: PgConnectOptions, noisy: bool) -> Laboratory {
    let settings = Settings { rounds: 1, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    let bad = if noisy { &mut laboratory.world.noisy } else { &mut laboratory.world.spoilt };
    bad.push("P-001".into());
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert_eq!(round.state, State::In(Stage::Assessing));
    let plates = laboratory.plates(round.id).await;
    assert_eq!(plates.iter().map(|plate| plate.state).collect::<Vec<_>>(), [PlateState::Quarantined]);
    assert_eq!(laboratory.open_tasks().await, ["plate.quarantined"]);
    assert_eq!(laboratory.count("select count(*) from observation").await, 0, "it trains nothing");
    laboratory
}

async fn decided(laboratory: &Laboratory, decision: Decision) -> Decided {
    let round = laboratory.last_round().await;
    let plate = laboratory.plates(round.id).await.remove(0);
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    decide(&mut conn, plate.id, decision, "looked at the wells", laboratory.person).await.expect("decided")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_quarantined_plate_that_is_repeated_is_made_again(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = quarantined(options, login, false).await;
    assert_eq!(decided(&laboratory, Decision::Repeat).await, Decided::Done);
    assert_eq!(decided(&laboratory, Decision::Repeat).await, Decided::AlreadyDone);
    assert!(matches!(decided(&laboratory, Decision::Release).await, Decided::Refused { .. }));
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 12), "{progress:#?}");
    assert_eq!(
        laboratory.count("select count(*) from plate where generation = 2 and state = 'passed'").await,
        1
    );
    assert!(laboratory.open_tasks().await.is_empty());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_quarantined_plate_that_is_given_up_gives_up_its_proposals(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = quarantined(options, login, false).await;
    assert_eq!(decided(&laboratory, Decision::GiveUp).await, Decided::Done);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
    let reasons: Vec<String> =
        sqlx::query_scalar("select distinct fate_reason from proposal where fate = 'given_up'")
            .fetch_all(&laboratory.pool)
            .await
            .expect("reasons");
    assert_eq!(reasons, ["plate P-001: looked at the wells"]);
    assert_eq!(
        laboratory.count("select count(*) from job where kind = 'train'").await,
        1,
        "nothing new to learn"
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_released_plate_trains(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = quarantined(options, login, true).await;
    assert_eq!(decided(&laboratory, Decision::Release).await, Decided::Done);
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!(
        (progress.state.as_str(), progress.passed_qc, progress.hits),
        ("finished", 12, 3),
        "{progress:#?}"
    );
    assert_eq!(laboratory.count("select count(*) from plate where state = 'released'").await, 1);
    assert_eq!(laboratory.count("select count(*) from proposal where fate = 'measured'").await, 12);
    assert_eq!(laboratory.count("select count(*) from job where kind = 'train'").await, 2);
}
