//! Channels over HTTP: checked, changed, removed, and silent about their secrets.

use crate::outside::Outside;
use crate::outside::receiver::Receiver;
use crate::support::request;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_cannot_be_a_channel_is_refused_with_a_reason(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let project = uuid::Uuid::new_v4();
    let cases = [
        (json!({"name": "", "kind": "webhook", "target": "https://a.example"}), "channel.name_invalid"),
        (json!({"name": "a", "kind": "webhook", "target": "http://169.254.169.254/"}), "channel.url_refused"),
        (json!({"name": "a", "kind": "webhook", "target": "http://198.51.100.7/"}), "channel.url_refused"),
        (json!({"name": "a", "kind": "webhook", "target": "https://u:p@a.example"}), "channel.url_refused"),
        (json!({"name": "a", "kind": "slack", "target": "hooks.slack.com"}), "channel.url_refused"),
        (json!({"name": "a", "kind": "email", "target": "nobody"}), "channel.address_invalid"),
        (
            json!({"name": "a", "kind": "webhook", "target": "https://a.example", "secret": "short"}),
            "channel.secret_invalid",
        ),
        (
            json!({"name": "a", "kind": "email", "target": "a@a.example", "secret": "whsec_x"}),
            "channel.secret_not_wanted",
        ),
        (
            json!({"name": "a", "kind": "email", "target": "a@a.example", "escalation_level": 4}),
            "channel.level_invalid",
        ),
        (
            json!({"name": "a", "kind": "email", "target": "a@a.example", "project_id": project}),
            "channel.project_unknown",
        ),
        (
            json!({"name": "a", "kind": "email", "target": "a@a.example", "topics": ["x"]}),
            "request.body_invalid",
        ),
    ];
    for (body, code) in cases {
        let (status, answer) = outside.app.post(&outside.admin, "/api/v1/channels", &body).await;
        assert_eq!((status.as_u16(), answer["code"].as_str()), (422, Some(code)), "{body} {answer}");
    }
    let body = json!({"name": "a", "kind": "email", "target": "a@a.example"});
    outside.add(body.clone()).await;
    let (status, answer) = outside.app.post(&outside.admin, "/api/v1/channels", &body).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (409, Some("channel.name_taken")));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn there_are_no_more_than_fifty_channels(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let body = |number: u32| json!({"name": format!("c{number}"), "kind": "email", "target": "a@a.example"});
    for number in 0..50 {
        outside.add(body(number)).await;
    }
    let (status, answer) = outside.app.post(&outside.admin, "/api/v1/channels", &body(50)).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (409, Some("channel.too_many")));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_channel_is_changed_disabled_and_removed(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    let (channel, first) = outside.add_webhook(&receiver.url).await;
    let path = format!("/api/v1/channels/{}", channel["id"].as_str().expect("an id"));
    let put = async |body: Value| {
        let answer = outside.app.send(request("PUT", &outside.admin, &path, Some(&body))).await;
        assert_eq!(answer.0, 200, "{}", answer.1);
        answer.1
    };
    let kept = put(json!({"name": "renamed", "minimum_severity": "warning"})).await;
    assert_eq!(
        (&kept["channel"]["name"], &kept["channel"]["target"]),
        (&json!("renamed"), &json!(receiver.url))
    );
    assert!(kept["secret"].is_null());
    let renewed = put(json!({"name": "renamed", "renew_secret": true})).await;
    assert!(renewed["secret"].as_str().is_some_and(|secret| secret != first));
    outside.batch_waits("b1").await;
    put(json!({"name": "renamed", "enabled": false})).await;
    assert_eq!(outside.delivery().await["state"], "cancelled");
    let again =
        format!("/api/v1/deliveries/{}/redeliver", outside.delivery().await["id"].as_str().expect("an id"));
    assert_eq!(outside.app.post(&outside.admin, &again, &json!({})).await.0, 409);
    outside.batch_waits("b2").await;
    assert_eq!(outside.engine.deliver().await.expect("nobody is told"), 0);
    assert_eq!(outside.app.send(request("DELETE", &outside.admin, &path, None)).await.0, 204);
    assert_eq!(outside.app.send(request("DELETE", &outside.admin, &path, None)).await.0, 404);
    assert_eq!(outside.count("select count(*) from channel where sealed is not null").await, 0);
    outside.add_webhook(&receiver.url).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_test_goes_the_way_of_every_delivery(options: PgPoolOptions, login: PgConnectOptions) {
    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    let (channel, _) = outside.add_webhook(&receiver.url).await;
    let path = format!("/api/v1/channels/{}/test", channel["id"].as_str().expect("an id"));
    let (status, ordered) = outside.app.post(&outside.admin, &path, &json!({})).await;
    assert_eq!((status.as_u16(), ordered["state"].as_str()), (202, Some("pending")));
    outside.engine.deliver().await.expect("delivered");
    assert_eq!(receiver.received()[0].json()["type"], "dev.loopwright.channel.test.v1");
    assert_eq!(outside.delivery().await["state"], "delivered");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn no_secret_is_in_an_answer_a_row_an_event_or_the_log(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let outside = Outside::new(options, login).await;
    let receiver = Receiver::new().await;
    receiver.answers([500, 200]);
    let (_, signing) = outside.add_webhook(&receiver.url).await;
    let path = "T0SECRET/B0SECRET/HUSHHUSH";
    // Nobody listens on this port: the failure must not quote the address.
    let slack = format!("http://127.0.0.1:9/services/{path}");
    outside.add(json!({"name": "lab", "kind": "slack", "target": slack})).await;
    outside.batch_waits("b1").await;
    assert_eq!(outside.engine.deliver().await.expect("tried"), 2);

    let mut told = String::new();
    for list in ["/api/v1/channels", "/api/v1/deliveries", "/api/v1/notifications"] {
        told += &outside.app.get(&outside.admin, list).await.1.to_string();
    }
    for table in ["channel", "delivery", "delivery_attempt", "event", "outbox", "idempotency_key"] {
        let sql =
            sqlx::AssertSqlSafe(format!("select coalesce(string_agg({table}::text, ' '), '') from {table}"));
        let rows: String = sqlx::query_scalar(sql).fetch_one(&outside.engine.pool).await.expect("rows");
        told += &rows;
    }
    told += &format!("{:?} {:?}", outside.engine.sender, outside.app.state.config);
    let log = String::from_utf8_lossy(&log.0.lock().expect("the log")).into_owned();
    assert!(log.contains("tried again later"), "the log was captured");
    assert!(told.contains("cannot connect"), "the failure was told");
    for secret in [signing.trim_start_matches("whsec_"), "HUSHHUSH"] {
        assert!(!told.contains(secret), "told: {told}");
        let leak = log.lines().find(|line| line.contains(secret));
        assert_eq!(leak, None, "logged");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_record_names_the_place_of_a_webhook_and_no_more(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let outside = Outside::new(options, login).await;
    let target = "http://127.0.0.1:9/in?key=WHISPER";
    let (channel, _) = outside.add(json!({"name": "lab", "kind": "webhook", "target": target})).await;
    let path = format!("/api/v1/channels/{}", channel["id"].as_str().expect("an id"));
    let change = json!({"name": "lab", "target": target});
    let (status, body) = outside.app.send(request("PUT", &outside.admin, &path, Some(&change))).await;
    assert_eq!(status, 200, "{body}");
    let targets: Vec<String> =
        sqlx::query_scalar("select body->>'target' from event where subject = 'channel' order by id")
            .fetch_all(&outside.engine.pool)
            .await
            .expect("the record");
    assert_eq!(targets, ["http://127.0.0.1:9/\u{2026}"; 2]);
}
