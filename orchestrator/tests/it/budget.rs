//! What the experiments of a batch may cost together.

use crate::laboratory::{Laboratory, Settings};
use jobs::Work;
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
