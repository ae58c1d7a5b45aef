//! What opens a notification, what closes it, and that there is one.

use crate::laboratory::{Laboratory, Settings as Campaign};
use crate::outside::{Outside, settings};
use orchestrator::notifications::acknowledge::{Acknowledged, acknowledge};
use orchestrator::notifications::state::State;
use orchestrator::notifications::{Settings, Topic};
use orchestrator::people::Visible;
use orchestrator::plates::decide::decide;
use orchestrator::store;
use orchestrator::store::instruments::{InstrumentState, Registration, register, seen};
use orchestrator::store::plates::Decision;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn one_is_open_per_cause_and_subject(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    for _ in 0..3 {
        outside.batch_waits("b1").await;
    }
    outside.batch_waits("b2").await;
    let open = outside.open().await;
    assert_eq!(open.iter().map(|told| told.subject_id.as_str()).collect::<Vec<_>>(), ["b2", "b1"]);
    outside.happen("BatchApproved", "batch", "b1", json!({})).await;
    outside.engine.relay().await.expect("relayed");
    assert_eq!(outside.open().await.len(), 1);
    outside.batch_waits("b1").await;
    assert_eq!(outside.open().await.len(), 2, "a cause that comes back is told again");
    assert_eq!(outside.count("select count(*) from notification").await, 3);
    assert_eq!(outside.count("select count(*) from outbox").await, 0);
    let opened = "select count(*) from event where kind = 'NotificationOpened'";
    assert_eq!((outside.count(opened).await, outside.engine.relay().await.expect("relayed")), (3, 0));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn replicas_open_once_and_close_what_they_opened(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    for round in 0..5 {
        for batch in 0..20 {
            let id = format!("b{round}-{batch}");
            outside.happen("BatchProposed", "batch", &id, json!({"experiments": 1})).await;
            if batch % 2 == 0 {
                outside.happen("BatchApproved", "batch", &id, json!({})).await;
            }
        }
        let replicas = (0..4).map(|_| {
            let engine = outside.engine.clone();
            tokio::spawn(async move { engine.relay().await.expect("relayed") })
        });
        let looked: usize =
            futures::future::join_all(replicas).await.into_iter().map(|it| it.expect("a replica")).sum();
        let rest = outside.engine.relay().await.expect("relayed");
        assert_eq!(looked + rest, 30, "each entry is looked at once");
    }
    assert_eq!(outside.count("select count(*) from notification").await, 100);
    assert_eq!(outside.count("select count(*) from notification where state = 'closed'").await, 50);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_relay_that_dies_before_its_commit_leaves_everything_to_the_next(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    outside.happen("BatchProposed", "batch", "b1", json!({"experiments": 1})).await;
    let mut dying = orchestrator::store::begin_on(&outside.engine.pool).await.expect("a transaction");
    assert!(store::outbox::lock(&mut dying).await.expect("locked"));
    assert_eq!(outside.engine.relay().await.expect("relayed"), 0, "another is at it");
    dying.rollback().await.expect("it is dead");
    assert_eq!(outside.engine.relay().await.expect("relayed"), 1);
    assert_eq!(outside.open().await.len(), 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_closes_within_its_grace_is_told_to_nobody(options: PgPoolOptions, login: PgConnectOptions) {
    let patient = Settings { grace: Duration::from_secs(60), ..settings() };
    let outside = Outside::with(options, login, patient, None).await;
    outside.add_webhook("http://127.0.0.1:9/hook").await;
    outside.batch_waits("b1").await;
    assert_eq!(outside.engine.deliver().await.expect("nothing is due"), 0);
    outside.happen("BatchApproved", "batch", "b1", json!({})).await;
    outside.engine.relay().await.expect("relayed");
    let delivery = outside.delivery().await;
    assert_eq!((delivery["state"].as_str(), delivery["attempts"].as_u64()), (Some("cancelled"), Some(0)));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_loop_tells_of_what_waits_and_takes_it_back(options: PgPoolOptions, login: PgConnectOptions) {
    let campaign = Campaign { rounds: 1, ..Campaign::default() };
    let mut laboratory = Laboratory::new(options, login, campaign).await;
    laboratory.world.spoilt.push("P-001".into());
    laboratory.run().await;
    laboratory.engine.relay().await.expect("relayed");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let told =
        store::notifications::list(&mut conn, &Visible::All, true, None, 100).await.expect("notifications");
    let open: Vec<_> = told.iter().map(|it| (it.topic, it.title.as_str())).collect();
    assert_eq!(
        open,
        [(Topic::PlateQuarantined, "A plate is quarantined · scripted")],
        "the policy approved the batch"
    );
    let round = laboratory.last_round().await;
    let plate = laboratory.plates(round.id).await.remove(0);
    assert_eq!(told[0].subject_id, plate.id.to_string());
    decide(&mut conn, plate.id, Decision::GiveUp, "looked at the wells", laboratory.person)
        .await
        .expect("decided");
    laboratory.run().await;
    laboratory.engine.relay().await.expect("relayed");
    let told =
        store::notifications::list(&mut conn, &Visible::All, false, None, 100).await.expect("notifications");
    let all: Vec<_> = told.iter().map(|it| (it.topic, it.state)).collect();
    assert_eq!(
        all,
        [
            (Topic::CampaignFinished, State::Open),
            (Topic::PlateQuarantined, State::Closed),
            (Topic::BatchWaiting, State::Closed)
        ]
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn news_is_closed_by_whoever_reads_it_and_the_rest_stays_open(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    outside.happen("CampaignFinished", "campaign", "c1", json!({"reason": "enough"})).await;
    outside.batch_waits("b1").await;
    for told in outside.open().await {
        let path = format!("/api/v1/notifications/{}/acknowledge", told.id);
        let (status, answer) = outside.app.post(&outside.admin, &path, &json!({})).await;
        let wanted = if told.topic == Topic::CampaignFinished { "closed" } else { "acknowledged" };
        assert_eq!((status.as_u16(), answer["state"].as_str()), (200, Some(wanted)), "{answer}");
        assert_eq!(answer["acknowledged_by"], "somebody");
    }
    let open = outside.open().await;
    assert_eq!(open.iter().map(|told| told.topic).collect::<Vec<_>>(), [Topic::BatchWaiting]);
    let mut conn = outside.engine.pool.acquire().await.expect("a connection");
    let again = acknowledge(&mut conn, open[0].id, orchestrator::ids::SYSTEM).await.expect("answered");
    assert_eq!(again, Acknowledged::AlreadyDone);
    let (_, page) = outside.app.get(&outside.admin, "/api/v1/notifications?open=false").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["items"][0]["link"], "/batches/b1", "the app of this test does not know its own address");
    let kinds = "select count(*) from event where kind = 'NotificationAcknowledged'";
    assert_eq!(outside.count(kinds).await, 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_silent_agent_is_lost_once_and_comes_back(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let engine = &outside.engine;
    let mut conn = engine.pool.acquire().await.expect("a connection");
    let plain = |state| Registration { capabilities: vec!["read.plate".into()], profile: json!({}), state };
    for name in ["silent", "never-seen", "resting"] {
        register(&mut conn, name, &plain(None)).await.expect("an instrument");
    }
    register(&mut conn, "resting", &plain(Some(InstrumentState::Maintenance))).await.expect("changed");
    for name in ["silent", "resting"] {
        seen(&mut conn, &[(name, 0.0)]).await.expect("seen");
    }
    let told = async || {
        engine.watch_agents().await.expect("watched");
        engine.relay().await.expect("relayed");
        outside.open().await.into_iter().map(|it| it.subject_id).collect::<Vec<_>>()
    };
    assert!(told().await.is_empty(), "it was just heard of");
    outside
        .execute(
            "update instrument set last_seen_at = now() - interval '1 hour' where last_seen_at is not null",
        )
        .await;
    assert_eq!(told().await, ["silent"]);
    assert_eq!(told().await, ["silent"]);
    assert_eq!(outside.count("select count(*) from event where kind = 'AgentLost'").await, 1);
    seen(&mut conn, &[("silent", 0.0)]).await.expect("seen");
    assert!(told().await.is_empty(), "it is back");
    outside
        .execute("update instrument set last_seen_at = now() - interval '1 hour' where name = 'silent'")
        .await;
    assert_eq!(told().await, ["silent"]);
    register(&mut conn, "silent", &plain(Some(InstrumentState::Maintenance))).await.expect("changed");
    assert!(told().await.is_empty(), "nobody waits for it");
}
