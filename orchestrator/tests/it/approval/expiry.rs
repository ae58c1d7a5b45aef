//! How long a batch waits.

use super::{approves, batch, by_people, nothing_physical, person, removes_first};
use crate::laboratory::{Laboratory, Settings};
use chrono::Duration;
use orchestrator::batches::approve::Approved;
use orchestrator::batches::gate::Closed;
use orchestrator::rounds::control;
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn for_two_days() -> Settings {
    Settings { approvals: 2, policy: "expires_hours = 48.0", ..by_people() }
}

async fn pass(laboratory: &Laboratory, hours: i64) {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let to = laboratory.lab_now().await + Duration::hours(hours);
    store::clock::jump_to(&mut conn, to).await.expect("time passes");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nobody_in_time_means_looking_anew(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, for_two_days()).await;
    laboratory.run().await;
    let (ada, grace) = (laboratory.person, person(&laboratory, "grace").await);
    let waiting = batch(&laboratory).await;
    let over = laboratory.lab_now().await + Duration::hours(48);
    assert_eq!(waiting.expires_lab_at, Some(over));
    assert_eq!(laboratory.engine.jump().await.expect("a clock"), None, "only a person is awaited");
    assert!(matches!(approves(&laboratory, ada, 1).await, Approved::Recorded { .. }));

    pass(&laboratory, 48).await;
    // Before the engine looks: too late all the same.
    let late = approves(&laboratory, grace, 1).await;
    assert_eq!(late, Approved::Closed(Closed::TimeOver { since: over }));
    assert_eq!(
        laboratory.engine.jump().await.expect("a clock"),
        None,
        "the engine has something to do first"
    );
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    assert_eq!(round.state, State::Held(Stage::AwaitingApproval));
    let why = round.why.expect("a reason");
    assert_eq!(why.code, "approval.expired");
    assert!(why.text.contains("within 48 laboratory hours (missing: 1 more person)"), "{}", why.text);
    assert_eq!(laboratory.open_tasks().await, ["round.held"]);
    assert!(laboratory.event_kinds().await.contains(&"BatchApprovalExpired".to_owned()));
    assert_eq!(approves(&laboratory, grace, 1).await, Approved::RevisionChanged { now: 2 });
    assert_eq!(approves(&laboratory, grace, 2).await, Approved::Closed(Closed::RoundHeld));
    nothing_physical(&laboratory, "after its time").await;

    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round.id, ada).await.expect("resumed");
    drop(conn);
    laboratory.settle().await;
    assert!(laboratory.open_tasks().await.is_empty());
    assert_eq!(batch(&laboratory).await.expires_lab_at, Some(over + Duration::hours(48)));
    let Approved::Recorded { tally } = approves(&laboratory, grace, 2).await else { panic!("not the last") };
    assert_eq!(tally.given, 1, "what was said of the revision before no longer counts");
    assert!(matches!(approves(&laboratory, ada, 2).await, Approved::Frozen { .. }));
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_edit_gives_no_more_time_and_a_resumed_round_all_of_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, for_two_days()).await;
    laboratory.run().await;
    let over = batch(&laboratory).await.expires_lab_at;
    pass(&laboratory, 40).await;
    removes_first(&laboratory, laboratory.person, 1).await;
    laboratory.settle().await;
    assert_eq!(batch(&laboratory).await.expires_lab_at, over);
    // Held by a person over the end of its time: held for what the person said.
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::pause(&mut conn, round, "the freezer is open", laboratory.person).await.expect("held");
    pass(&laboratory, 100).await;
    laboratory.settle().await;
    let why = laboratory.last_round().await.why.expect("a reason");
    assert_eq!(why.code, "round.held_by_person");
    control::resume(&mut conn, round, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.settle().await;
    let anew = laboratory.lab_now().await + Duration::hours(48);
    assert_eq!(batch(&laboratory).await.expires_lab_at, Some(anew));
    assert_eq!(batch(&laboratory).await.revision, 2, "it did not expire");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn people_are_warned_once_before_the_time_is_over(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, for_two_days()).await;
    laboratory.run().await;
    let warn = async |laboratory: &Laboratory| laboratory.engine.warn_of_expiry().await.expect("warned");
    pass(&laboratory, 35).await;
    assert_eq!(warn(&laboratory).await, 0, "more than a quarter is left");
    pass(&laboratory, 1).await;
    assert_eq!(warn(&laboratory).await, 1);
    assert_eq!(warn(&laboratory).await, 0, "once");
    pass(&laboratory, 12).await;
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.settle().await;
    pass(&laboratory, 47).await;
    assert_eq!(warn(&laboratory).await, 1, "a new window, a new warning");
}
