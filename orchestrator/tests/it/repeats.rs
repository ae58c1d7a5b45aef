//! An experiment that is measured in more rounds than one: asked for within the share, pooled, counted once.

use crate::laboratory::{Laboratory, Settings};
use jobs::Work;
use orchestrator::campaigns::learning_curve::learning_curve;
use orchestrator::campaigns::spec::HitRule;
use orchestrator::rounds::summary::{Calls, calls};
use orchestrator::store::{observations, predictions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Three of a batch of twelve.
const SHARE: &str = "replicate_share = 0.25\nmost_measurements = 2";

fn settings() -> Settings {
    Settings { rounds: 3, acquisition: SHARE, hit: "{ at_least = 0.5 }", ..Settings::default() }
}

/// Of each round's batch, what was measured before, by name.
async fn measured_again(laboratory: &Laboratory) -> Vec<Vec<String>> {
    let rows: Vec<(i32, String)> = sqlx::query_as(
        "select round.number, proposal.perturbation
         from proposal
         join batch on batch.id = proposal.batch_id
         join round on round.id = batch.round_id
         where proposal.fate = 'measured' and exists (
             select from proposal as earlier
             join batch on batch.id = earlier.batch_id
             join round as before on before.id = batch.round_id
             where earlier.perturbation = proposal.perturbation and earlier.fate = 'measured'
               and before.number < round.number)
         order by round.number, proposal.perturbation",
    )
    .fetch_all(&laboratory.pool)
    .await
    .expect("proposals");
    let of =
        |number| rows.iter().filter(|(round, _)| *round == number).map(|(_, gene)| gene.clone()).collect();
    (1..=3).map(of).collect()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_measured_in_two_rounds_is_one_row_with_twice_the_replicates(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, settings()).await;
    laboratory.run().await;
    // The bound: what was measured twice is not asked for a third time.
    let again = measured_again(&laboratory).await;
    assert_eq!(again, [vec![], vec!["G000", "G001", "G002"], vec!["G003", "G004", "G005"]]);

    let cut: Vec<u8> = sqlx::query_scalar(
        "select decode(payload -> 'inputs' ->> 'data_cut', 'hex') from job
         where kind = 'train' order by created_at desc limit 1",
    )
    .fetch_one(&laboratory.pool)
    .await
    .expect("the last training");
    let cut = jobs::Digest(cut.try_into().expect("32 bytes"));
    let cut = laboratory.engine.blobs.read(cut).await.expect("stored");
    let mut replicates = std::collections::BTreeMap::new();
    for row in csv::Reader::from_reader(cut.as_ref()).records() {
        let row = row.expect("a row");
        let gene = row[0].to_owned();
        assert!(replicates.insert(gene, row[5].to_owned()).is_none(), "{row:?} stands there twice");
    }
    assert_eq!(replicates.len(), 30, "36 measurements of 30 experiments");
    let four = replicates.iter().filter(|(_, wells)| *wells == "4").map(|(gene, _)| gene.as_str());
    assert_eq!(four.collect::<Vec<_>>(), ["G000", "G001", "G002", "G003", "G004", "G005"]);
    assert!(replicates.iter().all(|(_, wells)| wells == "4" || wells == "2"), "{replicates:?}");

    let progress = laboratory.progress().await;
    assert_eq!(progress.state, "finished", "{progress:#?}");
    let per_round: Vec<_> =
        progress.rounds.iter().map(|round| (round.passed_qc, round.measured_again, round.hits)).collect();
    // Every fifth is a hit: 0, 5, 10 of twelve, 15, 20 of nine more, 25 of the last nine.
    assert_eq!(per_round, [(12, 0, 3), (12, 3, 2), (12, 3, 1)]);
    assert_eq!((progress.passed_qc, progress.hits), (30, 6));
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let curve = learning_curve(&mut conn, laboratory.campaign).await.expect("read").expect("a curve");
    let points: Vec<_> =
        curve.rounds.iter().map(|it| (it.measured, it.cumulative_measured, it.cumulative_hits)).collect();
    assert_eq!(points, [(12, 12, 3), (12, 21, 5), (12, 30, 6)]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn without_the_share_nothing_is_measured_again(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { acquisition: "", ..settings() }).await;
    laboratory.run().await;
    assert_eq!(measured_again(&laboratory).await, [const { Vec::<String>::new() }; 3]);
    assert_eq!(laboratory.progress().await.passed_qc, 36);
    let asked = "select count(*) from job where kind = 'propose' and payload ? 'repeats'";
    assert_eq!(laboratory.count(asked).await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_hit_that_another_measurement_withdraws_is_none_any_more(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, settings()).await;
    laboratory.run().await;
    let rounds = laboratory.rounds().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    // G000 is a hit in round 1, and far from it in round 2; G001 the other way round.
    for (gene, value) in [("G000", -1.0), ("G001", 2.0)] {
        sqlx::query(
            "update observation set value = $2, hit = $2 >= 0.5
             where round_id = $1 and proposal_id in (select id from proposal where perturbation = $3)",
        )
        .bind(rounds[1].id.0)
        .bind(value)
        .bind(gene)
        .execute(&laboratory.pool)
        .await
        .expect("measured otherwise");
    }
    let all = observations::of_campaign(&mut conn, laboratory.campaign, None).await.expect("read");
    let mut counted = Vec::new();
    for round in &rounds {
        let here = observations::calls(&mut conn, round).await.expect("counted");
        assert_eq!(here, calls(&all, round.number, &HitRule::AtLeast(0.5)), "round {}", round.number);
        counted.push(here);
    }
    assert_eq!(counted[1], Calls { measured_again: 3, found: 3, withdrawn: 1 });
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_answer_that_measures_more_again_than_the_share_is_refused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, settings()).await;
    let lease = loop {
        let lease = laboratory.work_until(jobs::work::Kind::Propose).await;
        let Work::Propose(asked) = &lease.work else { panic!("{lease:?}") };
        if asked.repeats.is_some() {
            break lease;
        }
        laboratory.start(&lease).await;
        let outcome = laboratory.carry_out(&lease.work).await;
        laboratory.report(&lease, outcome).await;
    };
    let Work::Propose(mut asked) = lease.work.clone() else { panic!("{lease:?}") };
    asked.repeats.as_mut().expect("some").at_most += 1;
    laboratory.start(&lease).await;
    let outcome = laboratory.carry_out(&Work::Propose(asked)).await;
    laboratory.report(&lease, outcome).await;
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    let why = round.why.expect("a reason");
    assert!(why.text.contains("it measures 4 experiments again, where 3 may be"), "{why:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_measured_again_is_not_taken_off_the_hits_still_expected(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, settings()).await;
    laboratory.run().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let last = laboratory.rounds().await.pop().expect("a round");
    let kept =
        predictions::expected_hits_unmeasured(&mut conn, last.campaign_id, last.id).await.expect("read");
    // 30 of 60 are not measured; every fifth is a hit with probability .6, the others with .1.
    let expected = 6.0 * 0.6 + 24.0 * 0.1;
    assert!((kept.expect("a posterior") - expected).abs() < 1e-9, "{kept:?}");
}
