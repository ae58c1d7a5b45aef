//! A page asks as many statements whether it shows one thing or many.

use crate::laboratory::{Laboratory, Settings};
use crate::stop::orders::app;
use crate::support::{App, request};
use crate::work::{Lab, read};
use orchestrator::store::jobs::NewJob;
use orchestrator::store::tokens::Scope;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

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

/// From the first call on every thread hears of statements, and where nobody counts them they go nowhere. Otherwise a test
/// beside this one, which listens to nothing, can have them not told at all.
fn listen_everywhere() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let statements = Targets::new().with_target("sqlx::query", tracing::Level::DEBUG);
        let nowhere = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(statements);
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(nowhere));
    });
}

/// How many statements answer such a request, and the answer: the median of seven. Now and then one opens a connection or
/// writes down that a token was used.
async fn asked(app: &App, token: &str, path: &str) -> (usize, Value) {
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(once(app, token, path).await);
    }
    answers.sort_by_key(|(statements, _)| *statements);
    answers.swap_remove(3)
}

async fn once(app: &App, token: &str, path: &str) -> (usize, Value) {
    listen_everywhere();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .json()
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    // A thread that listens to nothing may have been the first to come by where statements are told.
    tracing::callsite::rebuild_interest_cache();
    let (status, answer) = app.get(token, path).await;
    drop(guard);
    assert!(status.is_success(), "{path}: {answer}");
    let lines = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    let statements = lines.lines().filter(|line| line.contains(r#""target":"sqlx::query""#)).count();
    assert!(statements > 0, "statements are told: {lines}");
    (statements, answer)
}

fn items(answer: &Value) -> usize {
    answer["items"].as_array().expect("items").len()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_page_of_batches_asks_no_more_than_a_batch(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 3, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read, Scope::BatchApprove]).await;
    let (one, page) = asked(&app, &token, "/api/v1/batches?state=planned&limit=1").await;
    assert_eq!(items(&page), 1);
    let (all, page) = asked(&app, &token, "/api/v1/batches?state=planned&limit=100").await;
    assert_eq!(items(&page), 3);
    assert_eq!(one, all);
    let round = laboratory.last_round().await.id;
    let (of_round, _) = asked(&app, &token, &format!("/api/v1/batches?round={round}")).await;
    assert!(of_round <= all + 2, "{of_round}, not {all}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_file_costs_a_known_worker_one_statement(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let worker = app.token(&[Scope::WorkBench]).await;
    let content = "Well,Channel,Value\n";
    let path = format!("/api/v1/blobs/{}", jobs::Digest::of(content.as_bytes()));
    let file = || {
        let put = request("PUT", &worker, &path, None).map(|_| axum::body::Body::from(content));
        app.send(put)
    };
    assert_eq!(file().await.0, axum::http::StatusCode::CREATED);
    let (first, _) = asked(&app, &worker, &path).await;
    assert_eq!(first, 1, "what is known of the file; who asks is known");
    let mut again = Vec::new();
    for _ in 0..7 {
        assert_eq!(file().await.0, axum::http::StatusCode::OK);
        again.push(once(&app, &worker, &path).await.0);
    }
    again.sort_unstable();
    // The median, as above: who was known is looked at again when a second has passed, and that can be now.
    assert_eq!(again[3], 1, "that somebody left a file changes nobody's powers: {again:?}");
}

/// With several ticks of a campaign.
const MONTH: &str = "/api/v1/calendar?from=2026-01-05&to=2026-02-02";

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_calendar_of_many_campaigns_asks_no_more_than_that_of_one(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    let (one, calendar) = asked(&app, &token, MONTH).await;
    let shown = items(&calendar);
    let mut tx = orchestrator::store::begin_on(&laboratory.pool).await.expect("a transaction");
    for copy in [
        "insert into campaign (id, project_id, name, current_version, seed, calendar_since_lab_at)
         select gen_random_uuid(), project_id, name || ' ' || copy, current_version, seed, calendar_since_lab_at
         from campaign, generate_series(1, 3) as copy",
        "insert into campaign_version (campaign_id, version, spec, toml, pool_sha256, pool_size, feature_sha256s,
             prior_sha256s, created_by)
         select campaign.id, version, spec, toml, pool_sha256, pool_size, feature_sha256s, prior_sha256s, created_by
         from campaign_version, campaign
         where campaign.id <> campaign_id",
    ] {
        sqlx::query(copy).execute(&mut *tx).await.expect("campaigns beside it");
    }
    tx.commit().await.expect("committed");
    let (many, calendar) = asked(&app, &token, MONTH).await;
    assert!(items(&calendar) > shown, "the others have rounds to come: {calendar}");
    assert_eq!(one, many);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn many_standstills_ask_no_more_than_one(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    let lab = Lab::new(app.state.pool.clone()).await;
    let token = app.token(&[Scope::Read]).await;
    let mut asked_for = Vec::new();
    for more in [1, 5] {
        for _ in 0..more {
            lab.create(NewJob::new(read())).await;
        }
        sqlx::query("update job_ready set since = now() - interval '11 minutes'")
            .execute(&lab.pool)
            .await
            .expect("they wait for long");
        asked_for.push(asked(&app, &token, "/api/v1/standstills").await);
    }
    let [(one, first), (many, second)] = asked_for.try_into().expect("two");
    assert_eq!((items(&first), items(&second)), (1, 6));
    assert_eq!(one, many);
}
