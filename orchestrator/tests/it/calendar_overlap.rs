//! A tick while a round of the campaign still runs: plates incubate three days, ticks come each day.

use crate::laboratory::{Laboratory, Settings};
use jobs::work::Kind;
use orchestrator::campaigns::control;
use orchestrator::rounds::State;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn daily(
    options: PgPoolOptions,
    login: PgConnectOptions,
    rounds: u32,
    schedule: &'static str,
) -> Laboratory {
    Laboratory::new(options, login, Settings { rounds, schedule, ..Settings::default() }).await
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn by_default_one_tick_waits_for_the_end_of_the_round(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = daily(options, login, 2, "cron = \"0 8 * * *\"").await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await[..4],
        [
            "01-06 08:00 started tick.started",
            "01-07 08:00 started tick.started",
            "01-08 08:00 skipped tick.overlap",
            "01-09 08:00 skipped tick.overlap"
        ]
    );
    let rounds = laboratory.rounds().await;
    assert_eq!(rounds[1].due_lab_at.to_rfc3339(), "2026-01-07T08:00:00+00:00", "due then, begun on the 9th");
    assert_eq!(laboratory.lab_now().await.to_rfc3339(), "2026-01-12T08:00:00+00:00");
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn ticks_are_skipped_while_a_round_runs_where_the_campaign_says_so(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = daily(options, login, 2, "cron = \"0 8 * * *\"\noverlap = \"skip\"").await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await[..5],
        [
            "01-06 08:00 started tick.started",
            "01-07 08:00 skipped tick.overlap",
            "01-08 08:00 skipped tick.overlap",
            "01-09 08:00 skipped tick.overlap",
            "01-10 08:00 started tick.started"
        ]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn overlapping_rounds_run_beside_each_other_and_ask_for_nothing_twice(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = daily(options, login, 3, "cron = \"0 8 * * *\"\noverlap = \"allow\"").await;
    for _ in 0..400 {
        laboratory.settle().await;
        if laboratory.rounds().await.len() == 3 {
            break;
        }
        if !laboratory.work().await {
            laboratory.engine.jump().await.expect("a clock").expect("time goes on to the next tick");
        }
    }
    let live = laboratory.rounds().await.iter().filter(|round| !round.state.is_terminal()).count();
    assert_eq!(live, 3, "each incubates three days");
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 36), "{progress:#?}");
    let days = ["2026-01-06", "2026-01-07", "2026-01-08"].map(|day| format!("{day}T08:00:00+00:00"));
    let due: Vec<String> =
        laboratory.rounds().await.iter().map(|round| round.due_lab_at.to_rfc3339()).collect();
    assert_eq!(due, days);
    let twice = laboratory
        .count(
            "select count(*) from (
                 select perturbation from proposal where status = 'selected' group by perturbation having count(*) > 1
             ) as twice",
        )
        .await;
    assert_eq!(twice, 0, "what another round asks for is pending");
    // The versions follow the data.
    assert_eq!(progress.promoted_model_version, Some(4));
    let newest = laboratory
        .count("select (metrics ->> 'training_rows')::bigint from model_version where state = 'promoted'")
        .await;
    let most = laboratory.count("select max((metrics ->> 'training_rows')::bigint) from model_version").await;
    assert_eq!(newest, most);
    let ticks = laboratory.ticks().await;
    assert!(ticks[..3].iter().all(|tick| tick.ends_with("started tick.started")), "{ticks:?}");
    assert!(ticks[3..].iter().all(|tick| tick.ends_with("skipped tick.budget")), "{ticks:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_second_round_waits_to_choose_until_the_first_has_chosen(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = daily(options, login, 2, "cron = \"0 8 * * *\"\noverlap = \"allow\"").await;
    // A learner thinks about the first round's batch for a day.
    let slow = laboratory.work_until(Kind::Propose).await;
    laboratory.start(&slow).await;
    laboratory.pass_until("2026-01-07T08:00:00Z").await;
    laboratory.settle().await;
    assert_eq!(laboratory.rounds().await.len(), 2);
    assert_eq!(laboratory.count("select count(*) from job where kind = 'propose'").await, 1);
    let chosen = laboratory.carry_out(&slow.work).await;
    laboratory.report(&slow, chosen).await;
    laboratory.settle().await;
    assert_eq!(laboratory.count("select count(*) from job where kind = 'propose'").await, 2);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.passed_qc, 24);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_cancelled_campaign_ends_every_round_and_every_waiting_tick(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = daily(options, login, 5, "cron = \"0 8 * * *\"").await;
    laboratory.work_until(Kind::Incubate).await;
    laboratory.pass_until("2026-01-07T08:00:00Z").await;
    laboratory.settle().await;
    assert_eq!(laboratory.ticks().await[1], "01-07 08:00 waiting tick.overlap");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::cancel(&mut conn, laboratory.campaign, "wrong cells", laboratory.person)
        .await
        .expect("cancelled");
    assert_eq!(laboratory.ticks().await[1], "01-07 08:00 skipped tick.campaign_ended");
    assert_eq!(laboratory.last_round().await.state, State::Cancelled);
}
