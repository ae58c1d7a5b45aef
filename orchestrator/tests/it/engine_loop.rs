//! A campaign from its first training to its end, played by hand.

use crate::laboratory::{Laboratory, Settings, world};
use orchestrator::rounds::State;
use orchestrator::rounds::summary::Summary;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_of_two_rounds_closes_and_its_numbers_are_true(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.run().await;

    let progress = laboratory.progress().await;
    assert_eq!(progress.state, "finished", "{progress:#?}");
    assert_eq!(progress.finished_reason.as_deref(), Some("all 2 rounds of the budget are done"));
    assert_eq!(progress.promoted_model_version, Some(3), "trained before the first round and after each");
    let rounds = laboratory.rounds().await;
    assert_eq!(rounds.len(), 2);
    for round in &rounds {
        assert_eq!(round.state, State::Closed);
        let summary: Summary =
            serde_json::from_value(round.summary.clone().expect("a summary")).expect("as written");
        assert_eq!(
            (summary.proposed, summary.dispensed, summary.measured, summary.passed_qc),
            (12, 12, 12, 12)
        );
        assert_eq!(summary.model_version, Some(round.number));
        assert_eq!((summary.given_up, summary.plates), (0, 1));
        assert!(summary.coverage_90.expect("predictions") > 0.9, "{summary:?}");
    }
    // Genes 0, 5, 10 of the first twelve by name, 15, 20 of the next twelve.
    assert_eq!(progress.rounds.iter().map(|round| round.hits).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(progress.hits, 5);
    // A week by the calendar, and three days in the incubator.
    assert_eq!((rounds[1].due_lab_at - rounds[0].due_lab_at).num_hours(), 168);
    assert_eq!((laboratory.lab_now().await - rounds[1].due_lab_at).num_hours(), 72);
    assert!(laboratory.open_tasks().await.is_empty());
    assert_eq!(laboratory.count("select count(*) from settlement").await, 0);
    assert_eq!(laboratory.count("select coalesce(sum(reserved_nl), 0)::bigint from stock_well").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_observation_is_of_the_gene_that_was_really_dispensed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    laboratory.run().await;
    let wells: Vec<(String, String, String)> = sqlx::query_as(
        "select plate.barcode, well.well, proposal.perturbation
         from well
         join plate on plate.id = well.plate_id
         join proposal on proposal.id = well.proposal_id",
    )
    .fetch_all(&laboratory.pool)
    .await
    .expect("the plate map");
    assert_eq!(wells.len(), 24, "two replicates of each");
    for (barcode, well, gene) in wells {
        assert_eq!(laboratory.world.contents(&barcode, &well), [gene]);
    }
    let wrong = laboratory
        .count(
            "select count(*) from observation join proposal on proposal.id = observation.proposal_id
             where hit <> (substr(perturbation, 2)::int % 5 = 0)",
        )
        .await;
    assert_eq!(wrong, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_training_scores_the_versions_before_it(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.run().await;
    let shadows: Vec<Option<serde_json::Value>> =
        sqlx::query_scalar("select payload -> 'shadows' from job where kind = 'train' order by created_at")
            .fetch_all(&laboratory.pool)
            .await
            .expect("trainings");
    let count = |shadows: &Option<serde_json::Value>| {
        shadows.as_ref().map_or(0, |s| s.as_array().map_or(0, Vec::len))
    };
    assert_eq!(shadows.iter().map(count).collect::<Vec<_>>(), [0, 1, 2], "{shadows:?}");
    let in_use: Vec<u8> = sqlx::query_scalar("select checkpoint_sha256 from model_version where number = 2")
        .fetch_one(&laboratory.pool)
        .await
        .expect("version 2");
    let first = &shadows[2].as_ref().expect("shadows")[0];
    assert_eq!(first["checkpoint"], serde_json::json!(hex::encode(in_use)), "the one in use comes first");
    assert!(first["data_cut"].is_string());
}

const VIABILITY: &str = r#"
[[readouts]]
name = "viability"
channel = "atp"
constraint = { at_least = 0.7 }
"#;

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_further_readout_is_measured_kept_and_given_to_the_learner(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 1, sections: VIABILITY, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let rows: Vec<(String, String, f64, i32)> = sqlx::query_as(
        "select proposal.perturbation, readout, value, replicates
         from further_observation
         join proposal on proposal.id = proposal_id
         order by perturbation",
    )
    .fetch_all(&laboratory.pool)
    .await
    .expect("further observations");
    assert_eq!(rows.len(), 12);
    for (gene, readout, value, replicates) in &rows {
        let alive = if world::is_hit(gene) { 0.5 } else { 1.0 };
        assert_eq!((readout.as_str(), *value, *replicates), ("viability", alive, 2), "{gene}");
    }
    assert_eq!(laboratory.progress().await.passed_qc, 12, "what is counted is the campaign's own readout");
    let inputs: Vec<serde_json::Value> = sqlx::query_scalar(
        "select payload -> 'inputs' from job where kind in ('train', 'propose') order by created_at",
    )
    .fetch_all(&laboratory.pool)
    .await
    .expect("payloads");
    let asked =
        serde_json::json!([{"name": "viability", "kind": "continuous", "constraint": {"at_least": 0.7}}]);
    assert!(inputs.iter().all(|inputs| inputs["readouts"] == asked), "{inputs:?}");
    let cut: jobs::Digest =
        serde_json::from_value(inputs.last().expect("a training")["data_cut"].clone()).expect("a cut");
    let cut = laboratory.engine.blobs.read(cut).await.expect("stored");
    let cut = String::from_utf8(cut.to_vec()).expect("text");
    assert_eq!(cut.lines().filter(|line| line.contains(",viability,")).count(), 12, "{cut}");
    assert_eq!(cut.lines().filter(|line| line.contains(",signal,")).count(), 12, "{cut}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn several_plates_take_turns_on_the_deck(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { genes: 200, batch: 100, rounds: 1, volume_nl: 40_000, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    // The world checks each move and each deck: two chains at once would not pass.
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!(progress.state, "finished", "{progress:#?}");
    assert_eq!(progress.passed_qc, 100);
    assert!(progress.rounds[0].plates["passed"] >= 3, "{progress:#?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn steps_run_twice_change_nothing_the_second_time(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    for _ in 0..200 {
        laboratory.settle().await;
        let before = laboratory.event_kinds().await.len();
        let (moved, error) = laboratory.engine.advance().await;
        assert!(!moved && error.is_none(), "{error:?}");
        assert_eq!(laboratory.event_kinds().await.len(), before);
        if !laboratory.work().await && laboratory.engine.jump().await.expect("a clock").is_none() {
            break;
        }
        let mut conn = laboratory.pool.acquire().await.expect("a connection");
        orchestrator::store::jobs::promote(&mut conn, 500).await.expect("promoted");
    }
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn two_replicas_at_once_carry_a_campaign_without_doubling_anything(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    for _ in 0..400 {
        let other = laboratory.engine.clone();
        let (one, two) = tokio::join!(laboratory.engine.settle_down(), other.settle_down());
        assert!(one.error.is_none() && two.error.is_none(), "{one:?} {two:?}");
        if !laboratory.work().await && laboratory.engine.jump().await.expect("a clock").is_none() {
            break;
        }
        let mut conn = laboratory.pool.acquire().await.expect("a connection");
        orchestrator::store::jobs::promote(&mut conn, 500).await.expect("promoted");
    }
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
    assert_eq!(laboratory.count("select count(*) from plate").await, 1);
    assert_eq!(laboratory.count("select count(*) from job where kind = 'dispense'").await, 1);
    assert_eq!(laboratory.count("select count(*) from model_version").await, 2);
}
