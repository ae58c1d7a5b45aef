//! Ticks that nobody could act on, and ticks that wait for a model.

use crate::laboratory::{Laboratory, Settings};
use jobs::work::Kind;
use orchestrator::campaigns::control;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Trained, then away for three weeks and an hour: the ticks of the 12th, 19th and 26th are over.
async fn away(
    options: PgPoolOptions,
    login: PgConnectOptions,
    rounds: u32,
    schedule: &'static str,
) -> Laboratory {
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds, schedule, ..Settings::default() }).await;
    laboratory.settle().await;
    assert!(laboratory.work().await, "the first training");
    laboratory.settle().await;
    laboratory.pass_until("2026-01-26T09:00:00Z").await;
    laboratory
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn missed_ticks_are_made_up_for_once(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = away(options, login, 2, "cron = \"0 8 * * Mon\"").await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await,
        [
            "01-12 08:00 skipped tick.missed",
            "01-19 08:00 skipped tick.missed",
            "01-26 08:00 started tick.started",
            "02-02 08:00 started tick.started"
        ]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn missed_ticks_are_let_go(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = away(options, login, 1, "cron = \"0 8 * * Mon\"\nmissed = \"skip\"").await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await[2..],
        ["01-26 08:00 skipped tick.missed", "02-02 08:00 started tick.started"]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn missed_ticks_are_made_up_for_by_a_round_each_within_the_budget(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = away(options, login, 2, "cron = \"0 8 * * Mon\"\nmissed = \"all\"").await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await,
        [
            "01-12 08:00 started tick.started",
            "01-19 08:00 started tick.started",
            "01-26 08:00 skipped tick.budget"
        ],
        "one after the other, until the budget was spent"
    );
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn ticks_of_a_paused_campaign_are_missed_when_it_is_resumed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let schedule = "cron = \"0 8 * * Mon\"\nmissed = \"skip\"";
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds: 1, schedule, ..Settings::default() }).await;
    laboratory.settle().await;
    assert!(laboratory.work().await, "the first training");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::pause(&mut conn, laboratory.campaign, "holidays", laboratory.person).await.expect("paused");
    laboratory.pass_until("2026-01-14T00:00:00Z").await;
    laboratory.run().await;
    assert_eq!(laboratory.ticks().await, Vec::<String>::new(), "nothing is judged while it is paused");
    control::resume(&mut conn, laboratory.campaign, "", laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await,
        ["01-12 08:00 skipped tick.missed", "01-19 08:00 started tick.started"]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_tick_waits_for_the_training_up_to_its_limit_and_then_says_which_model_it_used(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let schedule = "cron = \"0 8 * * Mon\"\nwait_for_training_hours = 6.0";
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds: 2, schedule, ..Settings::default() }).await;
    let first = laboratory.work_until(Kind::Train).await;
    let trained = laboratory.carry_out(&first.work).await;
    laboratory.start(&first).await;
    laboratory.report(&first, trained).await;
    // The training after the first round takes its time.
    let slow = laboratory.work_until(Kind::Train).await;
    laboratory.start(&slow).await;
    laboratory.pass_until("2026-01-19T08:00:00Z").await;
    laboratory.settle().await;
    assert_eq!(laboratory.ticks().await[1], "01-19 08:00 waiting tick.training");
    laboratory.pass_until("2026-01-19T13:59:59Z").await;
    laboratory.settle().await;
    assert_eq!(laboratory.rounds().await.len(), 1);
    laboratory.pass_until("2026-01-19T14:00:00Z").await;
    laboratory.settle().await;
    assert_eq!(laboratory.ticks().await[1], "01-19 08:00 started tick.started");
    let round = laboratory.last_round().await;
    assert_eq!(
        round.model_because.as_deref(),
        Some(
            "version 1 is in use: the newest training was not done when the round began (a tick waits 6 h for it)"
        )
    );
    assert!(round.data_cut.is_some(), "it knows what was measured all the same");
    let trained = laboratory.carry_out(&slow.work).await;
    laboratory.report(&slow, trained).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_training_in_time_is_used_at_once(options: PgPoolOptions, login: PgConnectOptions) {
    let schedule = "cron = \"0 8 * * Mon\"";
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds: 2, schedule, ..Settings::default() }).await;
    let first = laboratory.work_until(Kind::Train).await;
    let trained = laboratory.carry_out(&first.work).await;
    laboratory.start(&first).await;
    laboratory.report(&first, trained).await;
    let slow = laboratory.work_until(Kind::Train).await;
    laboratory.start(&slow).await;
    laboratory.pass_until("2026-01-19T08:00:00Z").await;
    laboratory.settle().await;
    assert_eq!(laboratory.rounds().await.len(), 1, "it waits");
    let trained = laboratory.carry_out(&slow.work).await;
    laboratory.report(&slow, trained).await;
    laboratory.settle().await;
    let because = laboratory.last_round().await.model_because.expect("said");
    assert!(because.starts_with("version 2 is the newest"), "{because}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_last_ticks_are_judged_also_when_the_calendar_ended_meanwhile(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let schedule = "cron = \"0 8 * * Mon\"\nends = \"2026-01-25\"";
    let mut laboratory = away(options, login, 2, schedule).await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await,
        ["01-12 08:00 skipped tick.missed", "01-19 08:00 started tick.started"],
        "the last one is made up for"
    );
    assert_eq!(laboratory.progress().await.state, "finished");
}
