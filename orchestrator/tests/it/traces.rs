//! One trace leads from the proposal to the observation, told to a collector by OTLP.

use crate::laboratory::{Laboratory, Settings as Campaign};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use orchestrator::store::events;
use orchestrator::traces::{Exporter, Settings};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A collector in the test's hand.
#[derive(Clone, Default)]
struct Collector {
    bodies: Arc<Mutex<Vec<Value>>>,
    /// It answers so many requests with an error first.
    refuses: Arc<Mutex<usize>>,
}

impl Collector {
    async fn listen(&self) -> reqwest::Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}/v1/traces").parse().expect("a URL")
    }

    fn spans(&self) -> Vec<Value> {
        let bodies = self.bodies.lock().expect("bodies");
        let of = |body: &Value| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned();
        bodies.iter().filter_map(of).flatten().collect()
    }
}

async fn take(State(collector): State<Collector>, Json(body): Json<Value>) -> StatusCode {
    let mut refuses = collector.refuses.lock().expect("a number");
    if *refuses > 0 {
        *refuses -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    assert_eq!(body["resourceSpans"][0]["resource"]["attributes"][0]["key"], "service.name");
    collector.bodies.lock().expect("bodies").push(body);
    StatusCode::OK
}

fn attribute<'a>(span: &'a Value, name: &str) -> Option<&'a str> {
    let found = span["attributes"].as_array()?.iter().find(|it| it["key"] == name)?;
    found["value"]["stringValue"].as_str().or(found["value"]["intValue"].as_str())
}

fn word<'a>(span: &'a Value, member: &str) -> &'a str {
    span[member].as_str().unwrap_or_default()
}

/// Seals everything, and tells it.
async fn told(laboratory: &Laboratory, exporter: &Exporter) {
    let sealed = async {
        let all = "select count(*) - (select position from event_sealer) from event";
        while laboratory.count(all).await > 0 {
            let mut conn = laboratory.pool.acquire().await.expect("a connection");
            events::seal_batch(&mut conn, 500).await.expect("sealed");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), sealed).await.expect("the horizon moves on");
    while exporter.turn().await.expect("told") > 0 {}
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn one_trace_leads_from_the_proposal_to_the_observation(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let collector = Collector::default();
    let url = collector.listen().await;
    let campaign = Campaign { rounds: 1, batch: 4, ..Campaign::default() };
    let mut laboratory = Laboratory::new(options, login, campaign).await;
    let exporter = Exporter::new(laboratory.pool.clone(), Settings::new(url)).expect("an exporter");
    assert_eq!(exporter.turn().await.expect("told"), 0, "it begins at the head");
    laboratory.run().await;
    // A collector that is down is told later, by whichever replica.
    *collector.refuses.lock().expect("a number") = 1;
    let seal = async {
        while laboratory.count("select position from event_sealer").await == 0 {
            let mut conn = laboratory.pool.acquire().await.expect("a connection");
            events::seal_batch(&mut conn, 500).await.expect("sealed");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seal).await.expect("the horizon moves on");
    assert!(exporter.turn().await.is_err(), "the collector is down");
    told(&laboratory, &exporter).await;

    let round = laboratory.last_round().await.id.0;
    let trace = hex::encode(round.as_bytes());
    let spans: BTreeMap<String, Value> = collector
        .spans()
        .into_iter()
        .filter(|span| span["traceId"] == trace)
        .map(|span| (word(&span, "spanId").to_owned(), span))
        .collect();
    let roots: Vec<&Value> = spans.values().filter(|span| span.get("parentSpanId").is_none()).collect();
    assert_eq!(roots.len(), 1);
    assert_eq!((word(roots[0], "name"), attribute(roots[0], "loopwright.state")), ("round", Some("closed")));
    assert_eq!(attribute(roots[0], "loopwright.observations"), Some("4"));
    for span in spans.values() {
        let (start, end) = (word(span, "startTimeUnixNano"), word(span, "endTimeUnixNano"));
        assert!(start.parse::<u64>().expect("a time") <= end.parse::<u64>().expect("a time"), "{span}");
        assert!(span.get("status").is_none(), "nothing failed: {span}");
    }
    // Names on the way up from each span to the root.
    let way = |from: &Value| {
        let mut names = vec![word(from, "name").to_owned()];
        let mut at = from;
        while let Some(parent) = at.get("parentSpanId") {
            at = spans.get(parent.as_str().expect("hex")).unwrap_or_else(|| panic!("{at} hangs in the air"));
            names.push(word(at, "name").to_owned());
        }
        names.join(" < ")
    };
    let ways: BTreeSet<String> = spans.values().map(way).collect();
    insta::assert_snapshot!(ways.into_iter().collect::<Vec<_>>().join("\n"));
    let plate = spans.values().find(|span| span["name"] == "plate").expect("a plate");
    assert_eq!(attribute(plate, "loopwright.observations"), Some("4"));
    assert_eq!(attribute(plate, "loopwright.barcode"), Some("P-001"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_two_replicas_tell_is_told_under_the_same_ids(options: PgPoolOptions, login: PgConnectOptions) {
    let collectors = [Collector::default(), Collector::default()];
    let mut laboratory =
        Laboratory::new(options, login, Campaign { rounds: 1, batch: 4, ..Campaign::default() }).await;
    let mut exporters = Vec::new();
    for collector in &collectors {
        let settings = Settings::new(collector.listen().await);
        exporters.push(Exporter::new(laboratory.pool.clone(), settings).expect("an exporter"));
    }
    exporters[0].turn().await.expect("told");
    laboratory.run().await;
    told(&laboratory, &exporters[0]).await;
    sqlx::query("update trace_cursor set position = 0").execute(&laboratory.pool).await.expect("set back");
    told(&laboratory, &exporters[1]).await;
    let ids = |collector: &Collector| -> BTreeSet<(String, String)> {
        let spans = collector.spans();
        spans
            .iter()
            .map(|span| (word(span, "spanId").to_owned(), word(span, "endTimeUnixNano").to_owned()))
            .collect()
    };
    let first = ids(&collectors[0]);
    assert!(first.len() > 10 && first.is_subset(&ids(&collectors[1])));
}
