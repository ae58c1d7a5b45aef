//! Quarantined plates wait for people, and do what they say.

use crate::api_loop::Talk;
use crate::laboratory::{Laboratory, Settings};
use axum::http::StatusCode;
use instruments::parsers::parse_readings;
use orchestrator::plates::State as PlateState;
use orchestrator::plates::decide::{Decided, decide};
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store::plates::Decision;
use orchestrator::store::tokens::Scope;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};

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

/// Whatever QC said of it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_read_of_a_plate_is_given_as_asm(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = quarantined(options, login.clone(), false).await;
    let round = laboratory.last_round().await;
    let plate = laboratory.plates(round.id).await.remove(0);
    let talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = format!("/api/v1/plates/{}", plate.id);
    let (status, asm) = talk.app.get(&reader, &format!("{path}/readings.asm.json")).await;
    assert_eq!(status, StatusCode::OK, "{asm}");
    let aggregate = &asm["plate reader aggregate document"];
    assert_eq!(aggregate["device system document"]["device identifier"], "reader-1");
    let file = parse_readings("asm_json", asm.to_string().as_bytes()).expect("what we read ourselves");
    assert_eq!(file.plate.as_deref(), Some("P-001"));
    let (_, record) = talk.app.get(&reader, &path).await;
    let readings = record["readings"].as_array().expect("readings");
    let measured =
        |reading: &&serde_json::Value| ["RFU", "RLU"].contains(&reading["unit"].as_str().unwrap_or(""));
    assert!(readings.iter().filter(measured).count() > 0);
    assert_eq!(file.readings.len(), readings.iter().filter(measured).count());
    let calculated = &aggregate["calculated data aggregate document"]["calculated data document"];
    let others = readings.len() - file.readings.len();
    assert_eq!(calculated.as_array().map_or(0, Vec::len), others);
    let controls = asm.to_string().matches("control sample role").count();
    assert!(controls > 0, "controls are told apart");

    let mut owner = PgConnection::connect_with(&login).await.expect("the owner");
    sqlx::query("delete from reading").execute(&mut owner).await.expect("gone");
    let (status, problem) = talk.app.get(&reader, &format!("{path}/readings.asm.json")).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("plate.not_read")));
}
