//! What is told reaches its receiver: signed, once under one id, again when it must, and never for ever.

use crate::outside::mailbox::Mailbox;
use crate::outside::receiver::Receiver;
use crate::outside::{Outside, settings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use hmac::{Hmac, Mac};
use orchestrator::channels::Mail;
use orchestrator::notifications::Settings;
use orchestrator::notifications::delivery::{Event, MOST_TRIES};
use orchestrator::store::deliveries::{self, Ending};
use serde_json::json;
use sha2::Sha256;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::BTreeSet;
use std::time::Duration;

/// As a receiver would: nothing of ours.
fn is_signed(received: &crate::outside::receiver::Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(received.header("webhook-id").as_bytes());
    mac.update(b".");
    mac.update(received.header("webhook-timestamp").as_bytes());
    mac.update(b".");
    mac.update(&received.body);
    let signature = received.header("webhook-signature").strip_prefix("v1,").expect("version 1");
    mac.verify_slice(&STANDARD.decode(signature).expect("base64")).is_ok()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_webhook_gets_a_signed_cloud_event_with_a_link(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    let (_, secret) = outside.add_webhook(&receiver.url).await;
    outside.batch_waits("b1").await;
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 1);
    let [received] = receiver.received().try_into().expect("one request");
    assert!(is_signed(&received, &secret));
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert!(!is_signed(&received, other), "the check can fail");
    let age = Utc::now().timestamp() - received.header("webhook-timestamp").parse::<i64>().expect("seconds");
    assert!((0..60).contains(&age), "{age}");
    assert_eq!(received.header("content-type"), "application/cloudevents+json");
    let event = received.json();
    assert_eq!(
        (event["specversion"].as_str(), event["type"].as_str(), event["subject"].as_str()),
        (Some("1.0"), Some("dev.loopwright.batch.waiting.v1"), Some("batch/b1"))
    );
    assert_eq!(event["source"], "https://lab.example.org");
    assert_eq!(event["id"].as_str(), Some(received.header("webhook-id")));
    assert_eq!(event["data"]["link"], "https://lab.example.org/batches/b1");
    assert_eq!(event["data"]["notification_id"], json!(outside.open().await[0].id));
    let delivery = outside.delivery().await;
    assert_eq!((delivery["state"].as_str(), &delivery["id"]), (Some("delivered"), &event["id"]));
    assert_eq!(
        (&delivery["history"][0]["outcome"], &delivery["history"][0]["status"]),
        (&json!("delivered"), &json!(204))
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_fails_is_tried_later_under_one_id_then_given_up_and_ordered_again(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add_webhook(&receiver.url).await;
    receiver.answers([500; MOST_TRIES as usize]);
    outside.batch_waits("b1").await;
    for tried in 1..=MOST_TRIES {
        assert_eq!(outside.engine.deliver().await.expect("tried"), 1, "try {tried}");
        assert_eq!(outside.engine.deliver().await.expect("it waits"), 0, "no hurry after try {tried}");
        outside.wait_is_over().await;
    }
    assert_eq!(outside.engine.deliver().await.expect("it is given up"), 0);
    let delivery = outside.delivery().await;
    assert_eq!(delivery["state"], "dead");
    assert_eq!(delivery["history"].as_array().map(Vec::len), Some(MOST_TRIES as usize));
    assert!(delivery["last_error"].as_str().is_some_and(|why| why.contains("500")), "{delivery}");
    let (_, dead) = outside.app.get(&outside.admin, "/api/v1/deliveries?state=dead").await;
    assert_eq!(dead["items"].as_array().map(Vec::len), Some(1));
    let (_, channels) = outside.app.get(&outside.admin, "/api/v1/channels").await;
    assert_eq!((&channels["items"][0]["dead"], &channels["items"][0]["pending"]), (&json!(1), &json!(0)));

    let path = format!("/api/v1/deliveries/{}/redeliver", delivery["id"].as_str().expect("an id"));
    assert_eq!(outside.app.post(&outside.admin, &path, &json!({})).await.0, 202);
    let (status, answer) = outside.app.post(&outside.admin, &path, &json!({})).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (409, Some("delivery.not_ended")));
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 1);
    let delivery = outside.delivery().await;
    assert_eq!((delivery["state"].as_str(), delivery["tries"].as_u64()), (Some("delivered"), Some(1)));
    let ids: BTreeSet<String> =
        receiver.received().iter().map(|it| it.header("webhook-id").to_owned()).collect();
    assert_eq!((receiver.received().len(), ids.len()), (MOST_TRIES as usize + 1, 1), "one id for ever");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_claim_of_a_killed_server_returns_and_its_late_word_changes_nothing(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add_webhook(&receiver.url).await;
    outside.batch_waits("b1").await;
    let mut conn = outside.engine.pool.acquire().await.expect("a connection");
    let killed = deliveries::claim(&mut conn, 8, Duration::from_secs(120)).await.expect("claimed");
    assert_eq!(killed.len(), 1);
    assert_eq!(outside.engine.deliver().await.expect("it is in other hands"), 0);
    outside.execute("update delivery set claim_expires_at = now() - interval '1 second'").await;
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 1);
    let late = Ending {
        event: Event::FailedForGood,
        status: None,
        detail: Some("from the grave".into()),
        wait: Duration::ZERO,
    };
    assert_eq!(deliveries::end(&mut conn, &killed[0], &late).await.expect("answered"), None);
    let delivery = outside.delivery().await;
    assert_eq!((delivery["state"].as_str(), delivery["attempts"].as_u64()), (Some("delivered"), Some(2)));
    assert_eq!(receiver.received().len(), 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn replicas_do_not_send_the_same_twice(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add_webhook(&receiver.url).await;
    for batch in 0..30 {
        outside.batch_waits(&format!("b{batch}")).await;
    }
    let replicas = (0..4).map(|_| {
        let engine = outside.engine.clone();
        tokio::spawn(async move { while engine.deliver().await.expect("delivered") > 0 {} })
    });
    for replica in futures::future::join_all(replicas).await {
        replica.expect("a replica");
    }
    let ids: BTreeSet<String> =
        receiver.received().iter().map(|it| it.header("webhook-id").to_owned()).collect();
    assert_eq!((receiver.received().len(), ids.len()), (30, 30));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_channel_that_takes_nothing_delays_no_other(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let [dead, healthy] = [Receiver::new().await, Receiver::new().await];
    dead.answers([500; 20]);
    outside.add(json!({"name": "dead", "kind": "webhook", "target": dead.url})).await;
    for batch in 0..20 {
        outside.batch_waits(&format!("b{batch}")).await;
    }
    outside.add(json!({"name": "healthy", "kind": "webhook", "target": healthy.url})).await;
    outside.batch_waits("news").await;
    assert_eq!(outside.engine.deliver().await.expect("tried"), 3);
    assert_eq!((dead.received().len(), healthy.received().len()), (2, 1));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_never_told_goes_before_what_is_tried_again(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add_webhook(&receiver.url).await;
    receiver.answers([500]);
    outside.batch_waits("old").await;
    assert_eq!(outside.engine.deliver().await.expect("tried"), 1);
    outside.execute("update delivery set due_at = now() - interval '1 hour'").await;
    outside.batch_waits("b1").await;
    outside.batch_waits("b2").await;
    let times =
        |subject: &str| receiver.received().iter().filter(|it| it.json()["subject"] == subject).count();
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 2);
    assert_eq!([times("batch/old"), times("batch/b1"), times("batch/b2")], [1, 1, 1]);
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 1);
    assert_eq!(times("batch/old"), 2, "then it is its turn");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_redirect_is_not_followed_and_a_gone_receiver_is_left_alone(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add_webhook(&receiver.url).await;
    receiver.answers([302, 410]);
    outside.batch_waits("b1").await;
    outside.batch_waits("b2").await;
    while outside.engine.deliver().await.expect("tried") > 0 {}
    let paths: Vec<String> = receiver.received().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/hook", "/hook"]);
    assert_eq!(outside.count("select count(*) from delivery where state = 'dead' and attempts = 1").await, 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_channel_is_told_what_it_asked_for_and_escalations_only_when_nobody_acknowledges(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let brief = Settings { escalate_after: Duration::ZERO, escalations: 2, ..settings() };
    let outside = Outside::with(options, login, brief, None).await;
    let receivers =
        [Receiver::new().await, Receiver::new().await, Receiver::new().await, Receiver::new().await];
    let filters = [
        json!({"topics": ["job.in_doubt"]}),
        json!({"minimum_severity": "critical"}),
        json!({"escalation_level": 1}),
        json!({"escalation_level": 2}),
    ];
    for (index, (receiver, filter)) in receivers.iter().zip(filters).enumerate() {
        let mut body = json!({"name": format!("hook-{index}"), "kind": "webhook", "target": receiver.url});
        body.as_object_mut().expect("an object").extend(filter.as_object().expect("an object").clone());
        outside.add(body).await;
    }
    let counts = async || {
        while outside.engine.deliver().await.expect("delivered") > 0 {}
        receivers.each_ref().map(|receiver| receiver.received().len())
    };
    outside.batch_waits("b1").await;
    assert_eq!(counts().await, [0, 0, 0, 0], "a warning, and not the topic");
    let acknowledged = outside.open().await[0].id;
    let path = format!("/api/v1/notifications/{acknowledged}/acknowledge");
    assert_eq!(outside.app.post(&outside.admin, &path, &json!({})).await.0, 200);
    assert_eq!(outside.engine.escalate().await.expect("looked"), 0, "somebody looks after it");

    let doubt = json!({"cause": "job.in_doubt", "message": "Look.", "subject": "job", "subject_id": "j1"});
    outside.happen("TaskOpened", "task", "t1", doubt).await;
    outside.engine.relay().await.expect("relayed");
    assert_eq!(counts().await, [1, 1, 0, 0]);
    assert_eq!(outside.engine.escalate().await.expect("escalated"), 1);
    assert_eq!(counts().await, [1, 1, 1, 0]);
    assert_eq!(outside.engine.escalate().await.expect("escalated"), 1);
    assert_eq!(counts().await, [1, 1, 1, 1]);
    assert_eq!(outside.engine.escalate().await.expect("that is all"), 0);
    assert_eq!(outside.open().await[0].escalations, 2);
    assert_eq!(receivers[3].received()[0].json()["data"]["escalation"], 2);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn slack_gets_its_own_shape(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add(json!({"name": "lab", "kind": "slack", "target": receiver.url})).await;
    outside.batch_waits("b1").await;
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 1);
    let received = receiver.received().remove(0);
    assert_eq!((received.path.as_str(), received.header("webhook-signature")), ("/hook", ""));
    let message = received.json();
    assert!(message["text"].as_str().is_some_and(|text| text.contains("waits for approval")), "{message}");
    assert_eq!(message["blocks"][3]["elements"][0]["url"], "https://lab.example.org/batches/b1");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_e_mail_arrives_in_both_forms(options: PgPoolOptions, login: PgConnectOptions) {
    let mailbox = Mailbox::new(None).await;
    let mail = Mail::new(&mailbox.url, "Loopwright <loopwright@lab.example.org>").expect("a mail server");
    let outside = Outside::with(options, login, settings(), Some(mail)).await;
    outside.add(json!({"name": "ada", "kind": "email", "target": "ada@lab.example.org"})).await;
    outside.batch_waits("b1").await;
    assert_eq!(outside.engine.deliver().await.expect("delivered"), 1);
    let [letter] = mailbox.letters().try_into().expect("one letter");
    assert_eq!(
        (letter.from.as_str(), letter.to.as_str()),
        ("loopwright@lab.example.org", "ada@lab.example.org")
    );
    let id = outside.open().await[0].id;
    for part in [
        format!("Message-ID: <{id}@lab.example.org>"),
        "Subject: [Loopwright] A batch waits for approval".into(),
        "text/plain".into(),
        "text/html".into(),
        "https://lab.example.org/batches/b1".into(),
    ] {
        assert!(letter.text.contains(&part), "{part} is missing in {}", letter.text);
    }
    assert_eq!(outside.delivery().await["state"], "delivered");
}

/// The state of the only delivery, after one try with a mail server that refuses like this.
async fn refused_with(refusal: &'static str, options: PgPoolOptions, login: PgConnectOptions) -> String {
    let mailbox = Mailbox::new(Some(refusal)).await;
    let mail = Mail::new(&mailbox.url, "loopwright@lab.example.org").expect("a mail server");
    let outside = Outside::with(options, login, settings(), Some(mail)).await;
    outside.add(json!({"name": "nobody", "kind": "email", "target": "nobody@lab.example.org"})).await;
    outside.batch_waits("b1").await;
    assert_eq!(outside.engine.deliver().await.expect("tried"), 1);
    assert!(mailbox.letters().is_empty());
    outside.delivery().await["state"].as_str().expect("a state").to_owned()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_mailbox_that_does_not_exist_is_given_up(options: PgPoolOptions, login: PgConnectOptions) {
    assert_eq!(refused_with("550 no such mailbox", options, login).await, "dead");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_busy_mail_server_is_tried_again(options: PgPoolOptions, login: PgConnectOptions) {
    assert_eq!(refused_with("451 busy", options, login).await, "pending");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn old_endings_are_forgotten_and_dead_letters_kept_longer(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    outside.add_webhook(&receiver.url).await;
    receiver.answers([204, 410]);
    outside.batch_waits("b1").await;
    outside.engine.deliver().await.expect("delivered");
    outside.batch_waits("b2").await;
    outside.engine.deliver().await.expect("given up");
    outside.engine.forget_deliveries().await.expect("looked");
    assert_eq!(outside.count("select count(*) from delivery").await, 2);
    outside.execute("update delivery set ended_at = now() - interval '20 days'").await;
    outside.engine.forget_deliveries().await.expect("forgotten");
    assert_eq!(outside.count("select count(*) from delivery where state = 'dead'").await, 1);
    assert_eq!(outside.count("select count(*) from delivery").await, 1);
}
