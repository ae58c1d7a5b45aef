//! The record: gapless positions and an unbroken chain, whoever commits when.

use crate::support::as_application;
use futures::future::join_all;
use orchestrator::ids::SYSTEM;
use orchestrator::people::Visible;
use orchestrator::store::events::{self, NewEvent, append, read_after, seal_batch, verify};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

pub async fn happen(conn: &mut PgConnection, subject: &str) {
    let event = NewEvent {
        kind: "TestHappened",
        subject: "test",
        subject_id: subject.to_owned(),
        campaign_id: None,
        actor: SYSTEM,
        body: json!({"z": 1, "a": {"y": 2.5, "b": ["x"]}}),
    };
    append(conn, &event).await.expect("an event");
}

/// Seals until `wanted` events have their positions. The horizon is the whole cluster's: transactions of other
/// tests hold it back for a moment.
pub async fn seal_all(pool: &PgPool, wanted: usize) {
    let sealed = async {
        while subjects(pool).await.len() < wanted {
            seal_batch(&mut pool.acquire().await.expect("a connection"), 7).await.expect("a sealer");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sealed).await.expect("the horizon moves on");
}

async fn subjects(pool: &PgPool) -> Vec<(i64, String)> {
    let mut conn = pool.acquire().await.expect("a connection");
    let read = read_after(&mut conn, 0, 10_000).await.expect("events");
    read.into_iter().map(|event| (event.position, event.subject_id)).collect()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_late_commit_is_never_behind_a_position_already_given(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let pool = as_application(options, login).await;
    let mut early = orchestrator::store::begin_on(&pool).await.expect("a transaction");
    happen(&mut early, "early").await;
    happen(&mut pool.acquire().await.expect("a connection"), "late").await;
    for _ in 0..3 {
        let sealed = seal_batch(&mut pool.acquire().await.expect("a connection"), 7).await.expect("a sealer");
        assert_eq!(sealed, 0, "an older transaction is still running");
    }
    early.commit().await.expect("a commit");
    seal_all(&pool, 2).await;
    assert_eq!(subjects(&pool).await, [(1, "early".to_owned()), (2, "late".to_owned())]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_rolled_back_leaves_no_gap(options: PgPoolOptions, login: PgConnectOptions) {
    let pool = as_application(options, login).await;
    let mut undone = orchestrator::store::begin_on(&pool).await.expect("a transaction");
    happen(&mut undone, "undone").await;
    undone.rollback().await.expect("a rollback");
    happen(&mut pool.acquire().await.expect("a connection"), "done").await;
    seal_all(&pool, 1).await;
    assert_eq!(subjects(&pool).await, [(1, "done".to_owned())]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn positions_have_no_gaps_while_many_commit_and_many_seal(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let pool = as_application(options, login).await;
    let commits = (0..40).map(|number| {
        let pool = &pool;
        async move {
            let mut tx = orchestrator::store::begin_on(pool).await.expect("a transaction");
            happen(&mut tx, &number.to_string()).await;
            tokio::task::yield_now().await;
            happen(&mut tx, &number.to_string()).await;
            tx.commit().await.expect("a commit");
        }
    });
    let sealers = (0..3).map(|_| async {
        for _ in 0..10 {
            let mut conn = pool.acquire().await.expect("a connection");
            seal_batch(&mut conn, 5).await.expect("a sealer");
        }
    });
    tokio::join!(join_all(commits), join_all(sealers));
    seal_all(&pool, 80).await;
    let positions: Vec<i64> = subjects(&pool).await.into_iter().map(|(position, _)| position).collect();
    assert_eq!(positions, (1..=80).collect::<Vec<i64>>());
    assert_eq!(
        verify(&mut pool.acquire().await.expect("a connection")).await.expect("an unbroken chain"),
        80
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whoever_may_see_nothing_goes_over_the_record_in_pieces_and_once(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let pool = as_application(options, login).await;
    let mut conn = pool.acquire().await.expect("a connection");
    for number in 0..7 {
        happen(&mut conn, &number.to_string()).await;
    }
    seal_all(&pool, 7).await;
    let nobody = Visible::Only(Vec::new());
    let (mut position, mut seen) = (0, Vec::new());
    for _ in 0..4 {
        let look = events::look(&mut conn, &nobody, position, 3, 10).await.expect("a look");
        assert_eq!(look.events, []);
        position = look.seen;
        seen.push(position);
    }
    assert_eq!(seen, [3, 6, 7, 7]);
    let look = events::look(&mut conn, &Visible::All, 1, 3, 2).await.expect("a look");
    let positions: Vec<i64> = look.events.iter().map(|event| event.position).collect();
    assert_eq!((positions, look.seen), (vec![2, 3], 3), "the fourth may be seen, and was not yet");
    let beyond = events::look(&mut conn, &Visible::All, 9, 3, 2).await.expect("a look");
    assert_eq!((beyond.events.len(), beyond.seen), (0, 9), "nobody goes back");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_changed_event_breaks_the_chain(options: PgPoolOptions, login: PgConnectOptions) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let pool = as_application(options, login).await;
    for number in 0..3 {
        happen(&mut pool.acquire().await.expect("a connection"), &number.to_string()).await;
    }
    seal_all(&pool, 3).await;
    sqlx::query("update event set body = '{\"a\": 3}' where subject_id = '1'")
        .execute(&owner)
        .await
        .expect("a forger");
    let broken = verify(&mut pool.acquire().await.expect("a connection")).await.expect_err("a broken chain");
    assert!(broken.to_string().contains("position 2"), "{broken}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_chain_can_be_computed_by_hand(options: PgPoolOptions, login: PgConnectOptions) {
    use sha2::{Digest, Sha256};
    let pool = as_application(options, login).await;
    let mut conn = pool.acquire().await.expect("a connection");
    happen(&mut conn, "one").await;
    seal_all(&pool, 1).await;
    let event = events::read_after(&mut conn, 0, 1).await.expect("events").remove(0);
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let canonical = format!(
        r#"{{"actor_id":"{}","body":{{"a":{{"b":["x"],"y":2.5}},"z":1}},"campaign_id":null,"happened_at":"{}","id":{},"kind":"TestHappened","lab_at":"{}","origin":null,"subject":"test","subject_id":"one"}}"#,
        event.actor_id,
        time(event.happened_at),
        event.event_id,
        time(event.lab_at)
    );
    let expected = Sha256::new().chain_update([0; 32]).chain_update(canonical).finalize();
    assert_eq!(event.chain_sha256, hex::encode(expected));
}
