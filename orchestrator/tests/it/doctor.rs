//! `loopwright doctor` on the database itself.

use crate::support::as_application;
use crate::work::{Lab, dispense, read, seal};
use bytes::Bytes;
use clap::Parser;
use orchestrator::cli::Arguments;
use orchestrator::ids::SYSTEM;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::checkup;
use orchestrator::store::instruments::{self, Registration};
use orchestrator::store::jobs::NewJob;
use serde_json::json;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::path::Path;

/// What is broken, in words; of a test's database its durability is.
async fn broken(login: &PgConnectOptions, data_dir: &Path) -> String {
    let (url, folder) = (login.to_url_lossy().to_string(), data_dir.display().to_string());
    let asked = ["loopwright", "doctor", "--json", "--database-url", &url, "--data-dir", &folder];
    Arguments::parse_from(asked).run().await.err().map(|error| error.to_string()).unwrap_or_default()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn blobs_that_are_gone_are_found_without_a_server(options: PgPoolOptions, login: PgConnectOptions) {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    let pool = as_application(options, login.clone()).await;
    let store = Blobs::local(&data_dir, 1 << 20).expect("a blob store");
    store.put_bytes(&pool, Bytes::from_static(b"bytes"), "text/plain", SYSTEM).await.expect("a blob");
    let whole = broken(&login, &data_dir).await;
    assert!(!whole.contains("blobs"), "{whole}");

    std::fs::remove_dir_all(&data_dir).expect("gone");
    let gone = broken(&login, &data_dir).await;
    assert!(gone.contains("blobs"), "{gone}");
    assert!(!data_dir.exists(), "doctor changes nothing");
    std::fs::create_dir(&data_dir).expect("an empty folder");
    let empty = broken(&login, &data_dir).await;
    assert!(empty.contains("blobs"), "{empty}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_no_worker_could_take_has_not_waited_for_one(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let oldest = async || checkup::vitals(&mut *lab.conn().await).await.expect("vitals").oldest_ready_seconds;
    let execute = async |statement: &'static str| {
        sqlx::query(statement).execute(&lab.pool).await.expect("done");
    };
    lab.create(NewJob::new(seal())).await;
    assert_eq!(oldest().await, None, "people come when they come");

    let registration =
        Registration { capabilities: vec!["read.plate".to_owned()], profile: json!({}), state: None };
    instruments::register(&mut *lab.conn().await, "reader-1", &registration).await.expect("an instrument");
    lab.create(NewJob { instrument: Some("reader-1".to_owned()), ..NewJob::new(read()) }).await;
    assert!(oldest().await.is_some());
    execute("update instrument set state = 'maintenance'").await;
    assert_eq!(oldest().await, None, "its instrument is out of service");
    lab.create(NewJob::new(dispense())).await;
    assert!(oldest().await.is_some());
    execute(
        "insert into laboratory_stop (id, reason, ordered_by)
         values (gen_random_uuid(), 'smoke', '00000000-0000-7000-8000-000000000001')",
    )
    .await;
    assert_eq!(oldest().await, None, "nothing is given to devices");
}
