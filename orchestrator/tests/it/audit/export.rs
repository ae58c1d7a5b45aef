//! The export over HTTP, and the verifier that the documentation gives to anybody.

use crate::events_seal::{happen, seal_all};
use crate::support::App;
use axum::http::StatusCode;
use clap::Parser;
use orchestrator::cli::Arguments;
use orchestrator::store::events::{Exported, Head, Walk};
use orchestrator::store::tokens::Scope;
use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::io::Write;
use std::process::{Command, Stdio};

const DOCUMENT: &str = include_str!("../../../../docs/audit.md");

async fn lines(app: &App, token: &str) -> (Head, Vec<Exported>) {
    let (status, head) = app.get(token, "/api/v1/audit/head").await;
    assert_eq!(status, StatusCode::OK, "{head}");
    let mut exported: Vec<Exported> = Vec::new();
    loop {
        let after = exported.last().map_or(0, |last| last.position);
        let path = format!("/api/v1/audit/export?after={after}&limit=3");
        let piece: Vec<Exported> = serde_json::from_value(app.get(token, &path).await.1).expect("pieces");
        if piece.is_empty() {
            return (serde_json::from_value(head).expect("a head"), exported);
        }
        exported.extend(piece);
    }
}

async fn recorded(app: &App) {
    for number in 0..8 {
        happen(&mut app.state.pool.acquire().await.expect("a connection"), &number.to_string()).await;
    }
    seal_all(&app.state.pool, 8).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_exported_leads_to_the_head(options: PgPoolOptions, login: PgConnectOptions) {
    let app = App::new(options, login).await;
    recorded(&app).await;
    let token = app.token(&[Scope::Read]).await;
    let (head, exported) = lines(&app, &token).await;
    let mut walk = Walk::from(&Head::origin(), None).expect("a head");
    walk.take(&exported).expect("sound");
    assert_eq!(walk.end(&head), Ok(head.clone()));
    let (_, checkup) = app.get(&token, "/api/v1/checkup").await;
    assert_eq!(checkup["audit_head"], serde_json::json!(head));
}

/// The Python code of the document.
fn verifier() -> &'static str {
    let (_, rest) = DOCUMENT.split_once("```python\n").expect("the document has the verifier");
    rest.split_once("```").expect("its end").0
}

fn verify(python: &std::path::Path, lines: &[Exported], head: &str) -> (bool, String) {
    let mut child = Command::new("python3")
        .arg(python)
        .arg(head)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut input = child.stdin.take().expect("its input");
    for line in lines {
        writeln!(input, "{}", serde_json::to_string(line).expect("JSON")).expect("it reads");
    }
    drop(input);
    let done = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_documented_verifier_accepts_a_real_export_and_refuses_a_forged_one(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    if Command::new("python3").arg("--version").output().is_err() {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_documented_verifier_accepts_a_real_export_and_refuses_a_forged_one: no python3"
        );
        return;
    }
    let app = App::new(options, login).await;
    recorded(&app).await;
    let token = app.token(&[Scope::Read]).await;
    let (head, exported) = lines(&app, &token).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), verifier()).expect("written");
    let (sound, said) = verify(file.path(), &exported, &head.to_string());
    assert!(sound && said.contains("sound: 8 events"), "{said}");

    let mut forged = exported.clone();
    let mut event: Value = serde_json::from_str(&forged[4].event).expect("JSON");
    event["kind"] = "Forged".into();
    forged[4].event = event.to_string();
    let (sound, said) = verify(file.path(), &forged, &head.to_string());
    assert!(!sound && said.contains("position 5"), "{said}");
    let (sound, said) = verify(file.path(), &exported[..6], &head.to_string());
    assert!(!sound && said.contains("head"), "{said}");
}

/// The command as it is typed; its error in words.
async fn audit(arguments: &[&str]) -> Result<(), String> {
    let typed = ["loopwright", "audit"].iter().chain(arguments);
    let arguments = Arguments::try_parse_from(typed).map_err(|error| error.to_string())?;
    arguments.run().await.map_err(|error| format!("{error:#}"))
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_command_finds_a_forgery_over_http_and_on_the_database(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let url = login.to_url_lossy();
    let app = App::new(options, login).await;
    recorded(&app).await;
    let token = app.token(&[Scope::Read]).await;
    let (head, _) = lines(&app, &token).await;
    let noted = head.to_string();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &token).expect("written");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = ["--server", &server, "--token-file", file.path().to_str().expect("a path")];
    let database = ["--database-url", url.as_str()];
    for source in [&http[..], &database[..]] {
        let with = |words: &[&'static str]| [words, source].concat();
        audit(&with(&["verify"])).await.expect("sound");
        audit(&[&["verify", "--head", &noted], source].concat()).await.expect("the head is on the chain");
        audit(&with(&["head"])).await.expect("a head");
        audit(&with(&["export", "--from", "2", "--to", "3"])).await.expect("lines");
        assert!(
            audit(&with(&["verify", "--head", "x"])).await.is_err_and(|says| says.contains("POSITION:HASH"))
        );
    }
    sqlx::query("update event set body = '{}' where subject_id = '4'").execute(&owner).await.expect("forged");
    for source in [&http[..], &database[..]] {
        let says = audit(&[&["verify"], source].concat()).await.expect_err("a forgery");
        assert!(says.contains("position 5 was changed") && says.contains("TestHappened"), "{says}");
    }
}
