//! Rounds by the calendar: ticks, blackouts, dates, modes; each tick once with three engines.

use crate::laboratory::{Laboratory, Settings};
use chrono::{DateTime, Utc};
use jobs::work::Kind;
use orchestrator::calendar::{Window, Zone};
use orchestrator::campaigns::control;
use orchestrator::campaigns::start_round::{Started, start_round};
use orchestrator::engine::Engine;
use orchestrator::queue::Wakeups;
use orchestrator::rounds::State;
use orchestrator::store;
use orchestrator::store::blackouts::NewBlackout;
use orchestrator::store::rounds::BegunBy;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// The laboratory's clock begins on Monday, 5 January 2026, 8:00 UTC (9:00 in Berlin).
async fn scheduled(
    options: PgPoolOptions,
    login: PgConnectOptions,
    rounds: u32,
    schedule: &'static str,
) -> Laboratory {
    Laboratory::new(options, login, Settings { rounds, schedule, ..Settings::default() }).await
}

async fn due(laboratory: &Laboratory) -> Vec<DateTime<Utc>> {
    laboratory.rounds().await.iter().map(|round| round.due_lab_at).collect()
}

/// When each round really began.
async fn begun(laboratory: &Laboratory) -> Vec<DateTime<Utc>> {
    sqlx::query_scalar(
        "select entered_lab_at from round_stage join round on round.id = round_stage.round_id
         where entry = 1 order by round.number",
    )
    .fetch_all(&laboratory.pool)
    .await
    .expect("stages")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn rounds_begin_when_the_clock_on_the_wall_says_so(options: PgPoolOptions, login: PgConnectOptions) {
    let schedule = "cron = \"30 8 * * Mon\"\nzone = \"Europe/Berlin\"";
    let mut laboratory = scheduled(options, login, 2, schedule).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
    let mondays = [at("2026-01-12T07:30:00Z"), at("2026-01-19T07:30:00Z")];
    assert_eq!(due(&laboratory).await, mondays);
    assert_eq!(begun(&laboratory).await, mondays, "time jumped to the tick, not beyond");
    assert_eq!(
        laboratory.ticks().await,
        ["01-12 08:30 started tick.started", "01-19 08:30 started tick.started"]
    );
    let rounds = laboratory.rounds().await;
    assert!(rounds.iter().all(|round| round.begun_by == BegunBy::Tick), "{rounds:?}");
    assert_eq!(rounds[0].model_because.as_deref(), Some("version 1 is the newest: the first version"));
    let events = laboratory.event_kinds().await;
    assert_eq!(events.iter().filter(|kind| *kind == "TickStarted").count(), 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_tick_that_the_clocks_skip_begins_its_round_when_they_have_changed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let schedule = "cron = \"30 2 * * Sun\"\nzone = \"Europe/Berlin\"\nstarts = 2026-03-28";
    let mut laboratory = scheduled(options, login, 2, schedule).await;
    laboratory.run().await;
    assert_eq!(due(&laboratory).await, [at("2026-03-29T01:00:00Z"), at("2026-04-05T00:30:00Z")]);
    assert_eq!(laboratory.ticks().await.len(), 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_blackout_of_the_campaign_or_of_the_installation_shifts_a_tick(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let schedule = "cron = \"0 8 * * *\"\nstarts = \"2026-01-12\"\n
        [[schedule.blackouts]]\nfrom = \"2026-01-12\"\nto = \"2026-01-13\"\nreason = \"stocktaking\"";
    let mut laboratory = scheduled(options, login, 1, schedule).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let window = Window {
        from: at("2026-01-14T00:00:00Z"),
        to: at("2026-01-14T20:00:00Z"),
        reason: "no power".into(),
    };
    let new = NewBlackout { instrument: None, window, zone: Zone::UTC };
    store::blackouts::insert(&mut conn, &new, laboratory.person).await.expect("entered");
    drop(conn);
    laboratory.run().await;
    assert_eq!(begun(&laboratory).await, [at("2026-01-14T20:00:00Z")]);
    assert_eq!(
        laboratory.ticks().await[..3],
        [
            "01-12 08:00 skipped tick.joined",
            "01-13 08:00 skipped tick.joined",
            "01-14 08:00 started tick.started"
        ],
        "three ticks in it are one round after it"
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_blackout_skips_ticks_where_the_campaign_says_so(options: PgPoolOptions, login: PgConnectOptions) {
    let schedule = "cron = \"0 8 * * Mon\"\nin_blackout = \"skip\"\n
        [[schedule.blackouts]]\nfrom = \"2026-01-12\"\nto = \"2026-01-12\"\nreason = \"stocktaking\"";
    let mut laboratory = scheduled(options, login, 1, schedule).await;
    laboratory.run().await;
    assert_eq!(
        laboratory.ticks().await,
        ["01-12 08:00 skipped tick.in_blackout", "01-19 08:00 started tick.started"]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_calendar_that_ends_finishes_its_campaign(options: PgPoolOptions, login: PgConnectOptions) {
    let schedule = "cron = \"0 8 * * Mon\"\nends = \"2026-01-18\"";
    let mut laboratory = scheduled(options, login, 9, schedule).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.rounds.len()), ("finished", 1));
    assert_eq!(progress.finished_reason.as_deref(), Some("its calendar ended at 2026-01-19 00:00:00 UTC"));
    assert_eq!(laboratory.lab_now().await, at("2026-01-19T00:00:00Z"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn continuous_rounds_follow_each_other_but_not_in_a_blackout(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let schedule = "mode = \"continuous\"\n
        [[schedule.blackouts]]\nfrom = \"2026-01-10\"\nto = \"2026-01-11\"\nreason = \"weekend\"";
    let mut laboratory = scheduled(options, login, 3, schedule).await;
    laboratory.run().await;
    // Three days in the incubator each; the second ends on the 11th at 8:00, inside the blackout.
    assert_eq!(
        begun(&laboratory).await,
        [at("2026-01-05T08:00:00Z"), at("2026-01-08T08:00:00Z"), at("2026-01-12T00:00:00Z")]
    );
    let rounds = laboratory.rounds().await;
    assert!(rounds.iter().all(|round| round.begun_by == BegunBy::Continuous), "{rounds:?}");
    assert_eq!(laboratory.ticks().await, Vec::<String>::new());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn in_manual_mode_rounds_begin_by_hand_alone(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = scheduled(options, login, 2, "mode = \"manual\"").await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let (campaign, person) = (laboratory.campaign, laboratory.person);
    let refused = |started: Started| match started {
        Started::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    };
    laboratory.settle().await;
    let none = start_round(&mut conn, campaign, false, person).await.expect("answered");
    assert_eq!(refused(none), "round.no_model_yet");
    let before = laboratory.lab_now().await;
    laboratory.run().await;
    assert_eq!(
        (laboratory.rounds().await.len(), laboratory.lab_now().await),
        (0, before),
        "a person is awaited"
    );

    let started = start_round(&mut conn, campaign, false, person).await.expect("answered");
    assert!(matches!(started, Started::Started(_)), "{started:?}");
    let again = start_round(&mut conn, campaign, false, person).await.expect("answered");
    assert_eq!(refused(again), "round.one_runs");
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert_eq!((round.state, round.begun_by), (State::Closed, BegunBy::Person));
    control::pause(&mut conn, campaign, "holidays", person).await.expect("paused");
    let paused = start_round(&mut conn, campaign, false, person).await.expect("answered");
    assert_eq!(refused(paused), "campaign.not_in_state");
    control::resume(&mut conn, campaign, "", person).await.expect("resumed");
    start_round(&mut conn, campaign, false, person).await.expect("answered");
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn time_does_not_jump_from_tick_to_tick_while_only_a_person_is_awaited(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings =
        Settings { auto_approve: false, schedule: "cron = \"0 8 * * *\"", rounds: 3, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    assert_eq!(laboratory.rounds().await.len(), 1);
    assert_eq!(laboratory.lab_now().await, at("2026-01-06T08:00:00Z"), "it stands at the first tick");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_tick_happens_once_with_three_engines(options: PgPoolOptions, login: PgConnectOptions) {
    let schedule = "cron = \"0 8 * * *\"\nmissed = \"all\"\noverlap = \"allow\"";
    let settings = Settings { batch: 1, rounds: 10, blanks: 20, schedule, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    // Controls for ten plates.
    laboratory.stock(0, 60_000).await;
    laboratory.settle().await;
    assert!(laboratory.work().await, "the first training");
    // Ten ticks are due at once, and three processes see them.
    laboratory.pass_until("2026-01-15T09:00:00Z").await;
    let engines: Vec<Engine> = (0..3)
        .map(|_| Engine::new(laboratory.pool.clone(), laboratory.engine.blobs.clone(), Wakeups::default()))
        .collect();
    for _ in 0..20 {
        let results =
            tokio::join!(engines[0].settle_down(), engines[1].settle_down(), engines[2].settle_down());
        for settled in [results.0, results.1, results.2] {
            assert!(settled.error.is_none(), "{settled:?}");
        }
        if laboratory.rounds().await.len() == 10 {
            break;
        }
    }
    let days: Vec<String> = (6..16).map(|day| format!("01-{day:02} 08:00 started tick.started")).collect();
    assert_eq!(laboratory.ticks().await, days);
    let numbers: Vec<u32> = laboratory.rounds().await.iter().map(|round| round.number).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    assert_eq!(laboratory.count("select count(distinct round_id) from tick").await, 10);
    let events = laboratory.event_kinds().await;
    assert_eq!(events.iter().filter(|kind| *kind == "TickStarted").count(), 10);
    assert_eq!(events.iter().filter(|kind| *kind == "RoundStarted").count(), 10);
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!((progress.state.as_str(), progress.passed_qc), ("finished", 10), "{progress:#?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_whose_round_runs_is_looked_at_again_when_its_next_tick_is_due(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.work_until(Kind::Dispense).await;
    // As a change of the blackouts leaves it.
    sqlx::query("update campaign set calendar_look_lab_at = '-infinity'")
        .execute(&laboratory.pool)
        .await
        .expect("to be looked at");
    laboratory.settle().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    assert_eq!(store::at_hand::read(&mut conn).await.expect("read").campaigns, []);
    laboratory.pass_until("2026-01-12T08:00:00Z").await;
    assert_eq!(store::at_hand::read(&mut conn).await.expect("read").campaigns, [laboratory.campaign]);
}
