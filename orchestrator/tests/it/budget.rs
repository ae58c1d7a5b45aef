//! What the experiments of a batch may cost together.

use crate::laboratory::{Laboratory, Settings};
use jobs::Work;
use orchestrator::batches::edit::{self, Edited};
use orchestrator::store;
use orchestrator::store::proposals::Status;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// In two wells each: 10 + 2 x 0.5 and 4 for the edit, 24 for G003; a batch of twelve would cost 200.
const PRICES: &str = "[cost]\ncurrency = \"EUR\"\nper_experiment = 10.0\nper_well = 0.5\nper_edit = 4.0\n\
                      edits = { G003 = 24.0 }\n";

fn settings() -> Settings {
    Settings { budget: "batch_cost = 100.0", sections: PRICES, ..Settings::default() }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_is_played_within_its_budget(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, settings()).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!(progress.state, "finished", "{progress:#?}");
    // G000 to G002 at 15, G003 at 35: 80, and one more; then six at 15.
    let measured: Vec<_> = progress.rounds.iter().map(|round| round.passed_qc).collect();
    assert_eq!(measured, [5, 6]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_answer_that_costs_more_than_a_batch_may_is_refused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, settings()).await;
    let lease = laboratory.work_until(jobs::work::Kind::Propose).await;
    let Work::Propose(mut asked) = lease.work.clone() else { panic!("{lease:?}") };
    asked.prices.as_mut().expect("prices").budget = 120.0;
    laboratory.start(&lease).await;
    let outcome = laboratory.carry_out(&Work::Propose(asked)).await;
    laboratory.report(&lease, outcome).await;
    laboratory.settle().await;
    let why = laboratory.last_round().await.why.expect("a reason");
    assert!(why.text.contains("its batch costs 110.00, where 100.00 EUR may be spent"), "{why:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn no_runner_up_takes_a_place_that_the_batch_cannot_pay_for(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    // Twelve at 15 are all that may be spent; the best runner-up costs 25, the next one 15.
    let prices = "[cost]\ncurrency = \"EUR\"\nper_experiment = 10.0\nper_well = 0.5\nper_edit = 4.0\n\
                  edits = { G012 = 14.0 }\n";
    let settings = Settings {
        rounds: 1,
        auto_approve: false,
        budget: "batch_cost = 180.0",
        sections: prices,
        ..Settings::default()
    };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let batch =
        store::batches::live_of_round(&mut conn, round.id).await.expect("read").expect("a live batch");
    let proposals = store::proposals::of_batch(&mut conn, batch.id).await.expect("proposals");
    let runners_up: Vec<String> = proposals
        .iter()
        .filter(|it| it.status == Status::RunnerUp)
        .map(|it| it.experiment.perturbation.to_string())
        .collect();
    assert_eq!(runners_up[..2], ["G012", "G013"]);
    let out = proposals[0].id;
    let removed = edit::remove(&mut conn, batch.id, 1, out, "known already", laboratory.person)
        .await
        .expect("answered");
    let Edited::Done { replaced_by: Some(instead), .. } = removed else { panic!("{removed:?}") };
    assert_eq!(instead.perturbation.to_string(), "G013");
}
