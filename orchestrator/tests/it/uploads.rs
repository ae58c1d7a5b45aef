//! Large blobs over connections that break: what has arrived is not sent again.

use crate::support::{App, as_application, request};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jobs::Digest;
use jobs::client::{Client, PART_BYTES, Secret, Timeouts};
use orchestrator::api::{AppState, Config, router};
use orchestrator::queue::Wakeups;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::tokens::Scope;
use orchestrator::store::uploads;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn app(options: PgPoolOptions, login: PgConnectOptions) -> (App, TempDir) {
    let pool = as_application(options, login).await;
    let dir = tempfile::tempdir().expect("a folder for blobs");
    let blobs = Blobs::local(dir.path(), 64 << 20).expect("a blob store");
    (App::over(AppState::new(pool, blobs, Wakeups::default(), Config::default())), dir)
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// A wire that counts what goes to the server, and breaks after `limit` bytes of a connection, once.
struct Wire {
    address: String,
    sent: Arc<AtomicU64>,
}

async fn wire(server: std::net::SocketAddr, limit: u64) -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let sent = Arc::new(AtomicU64::new(0));
    let (counted, breaks) = (sent.clone(), Arc::new(AtomicU64::new(limit)));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, server, counted.clone(), breaks.clone()));
        }
    });
    Wire { address, sent }
}

async fn carry(
    client: TcpStream,
    server: std::net::SocketAddr,
    sent: Arc<AtomicU64>,
    breaks: Arc<AtomicU64>,
) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((mut from, mut back), (mut answers, mut to)) = (client.into_split(), server.into_split());
    let answering = tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count) = from.read(&mut buffer).await {
        let total = sent.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
        let limit = breaks.load(Ordering::SeqCst);
        if count == 0 || total > limit && breaks.swap(u64::MAX, Ordering::SeqCst) == limit {
            break;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    answering.abort();
}

async fn served(state: &AppState) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = router(state.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn objects(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { objects(&entry.path()) } else { 1 }).sum()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_broken_upload_goes_on_where_it_was_also_at_another_replica(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (app, dir) = app(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let file = bytes(3 * PART_BYTES + PART_BYTES / 2);
    let (size, part) = (file.len() as u64, PART_BYTES as u64);
    // It breaks in the middle of the third part.
    let first = wire(served(&app.state).await, 2 * part + part / 2).await;
    let client = |wire: &Wire| {
        Client::new(&wire.address, Secret::new(token.clone()), Timeouts::default()).expect("a client")
    };
    let broken = client(&first).put_blob(file.clone().into()).await;
    assert!(broken.is_err(), "the wire broke: {broken:?}");
    let kept: i64 = sqlx::query_scalar("select received_bytes from upload")
        .fetch_one(&app.state.pool)
        .await
        .expect("an open upload");
    assert_eq!(kept as u64, 2 * part, "two whole parts");

    let second = wire(served(&app.state).await, u64::MAX).await;
    let digest = client(&second).put_blob(file.clone().into()).await.expect("the rest arrives");
    assert_eq!(app.state.blobs.read(digest).await.expect("the blob"), file);
    let (before, after) = (first.sent.load(Ordering::SeqCst), second.sent.load(Ordering::SeqCst));
    let words = 64 << 10; // Requests and headers.
    assert!(after < size - 2 * part + words, "{after} bytes were sent for the last {}", size - 2 * part);
    assert!(
        before + after < size + part + words,
        "{before} and {after} of {size}: one part twice at the most"
    );
    assert_eq!(objects(&dir.path().join("uploads")), 0, "the parts are gone");
    let open: i64 =
        sqlx::query_scalar("select count(*) from upload").fetch_one(&app.state.pool).await.expect("a count");
    assert_eq!(open, 0);
    let sent = second.sent.load(Ordering::SeqCst);
    client(&second).put_blob(file.into()).await.expect("it is there");
    assert!(second.sent.load(Ordering::SeqCst) - sent < words, "nothing is sent again");
}

fn part(token: &str, path: &str, offset: Option<u64>, bytes: &[u8]) -> Request<Body> {
    let mut patch = request("PATCH", token, path, None);
    if let Some(offset) = offset {
        patch.headers_mut().insert("upload-offset", offset.into());
    }
    *patch.body_mut() = bytes.to_vec().into();
    patch
}

async fn begun(app: &App, token: &str, promised: &[u8]) -> String {
    let new = json!({"sha256": Digest::of(promised), "size_bytes": promised.len()});
    let (status, begun) = app.post(token, "/api/v1/uploads", &new).await;
    assert_eq!(status, StatusCode::CREATED, "{begun}");
    format!("/api/v1/uploads/{}", begun["id"].as_str().expect("an id"))
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_part_counts_once_and_only_where_the_upload_stands(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (app, _dir) = app(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let file = b"plate,well,value\n".as_slice();
    let path = begun(&app, &token, file).await;
    assert_eq!(begun(&app, &token, file).await, path, "the same upload");
    let answer = app.send(part(&token, &path, None, &file[..4])).await;
    assert_eq!(code(&answer), (422, "upload.offset_missing"));
    let (_, state) = app.send(part(&token, &path, Some(0), &file[..4])).await;
    assert_eq!((state["received_bytes"].as_u64(), state["stored"].as_bool()), (Some(4), Some(false)));
    let answer = app.send(part(&token, &path, Some(0), &file[..4])).await;
    assert_eq!(code(&answer), (412, "upload.offset_differs"));
    let answer = app.send(part(&token, &path, Some(4), &[b'x'; 40])).await;
    assert_eq!(code(&answer), (413, "upload.too_long"));
    let stranger =
        app.token_of("another", orchestrator::store::tokens::ActorKind::Agent, &[Scope::WorkBench]).await;
    let answer = app.send(part(&stranger, &path, Some(4), &file[4..])).await;
    assert_eq!(code(&answer), (404, "upload.not_found"));
    let (status, state) = app.send(part(&token, &path, Some(4), &file[4..])).await;
    assert_eq!((status, state["stored"].as_bool()), (StatusCode::OK, Some(true)));
    assert_eq!(app.state.blobs.read(Digest::of(file)).await.expect("the blob"), file);
    let again = json!({"sha256": Digest::of(file), "size_bytes": file.len()});
    let (status, state) = app.post(&token, "/api/v1/uploads", &again).await;
    assert_eq!((status, state["stored"].as_bool()), (StatusCode::OK, Some(true)));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_not_as_promised_and_what_is_too_much_is_refused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (app, dir) = app(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let path = begun(&app, &token, b"promised").await;
    let answer = app.send(part(&token, &path, Some(0), b"delivery")).await;
    assert_eq!(code(&answer), (422, "blob.content_mismatch"));
    assert_eq!(objects(dir.path()), 0, "nothing was kept");
    let answer = app.send(part(&token, &path, Some(0), b"promised")).await;
    assert_eq!(code(&answer), (404, "upload.not_found"));
    let large = json!({"sha256": Digest::of(b"large"), "size_bytes": 1_u64 << 40});
    assert_eq!(code(&app.post(&token, "/api/v1/uploads", &large).await), (413, "blob.too_large"));
    for number in 0..uploads::MOST_OPEN {
        begun(&app, &token, format!("file {number}").as_bytes()).await;
    }
    let one_more = json!({"sha256": Digest::of(b"one more"), "size_bytes": 8});
    assert_eq!(code(&app.post(&token, "/api/v1/uploads", &one_more).await), (429, "upload.too_many"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_nobody_goes_on_with_is_cleared_away(options: PgPoolOptions, login: PgConnectOptions) {
    let (app, dir) = app(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let (old, young) = (begun(&app, &token, b"abandoned").await, begun(&app, &token, b"under way").await);
    for path in [&old, &young] {
        assert_eq!(app.send(part(&token, path, Some(0), &b"abandoned"[..4])).await.0, StatusCode::OK);
    }
    sqlx::query("update upload set touched_at = now() - interval '25 hours' where sha256 = $1")
        .bind(Digest::of(b"abandoned").0.as_slice())
        .execute(&app.state.pool)
        .await
        .expect("it is old");
    assert_eq!(uploads::sweep(&app.state.pool, &app.state.blobs).await.expect("swept"), 1);
    assert_eq!(objects(dir.path()), 1, "the part of the other stays");
    assert_eq!(code(&app.send(part(&token, &old, Some(4), b"x")).await), (404, "upload.not_found"));
    assert_eq!(app.send(part(&token, &young, Some(4), b"x")).await.0, StatusCode::OK);
}

/// A whole request to store `content`, as it goes over a connection that is kept.
fn put_request(token: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "PUT /api/v1/blobs/{} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        Digest::of(content),
        content.len()
    );
    [head.as_bytes(), content].concat()
}

/// The head of the next answer on `stream`.
async fn answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.expect("the connection is kept");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("text")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_stored_already_does_not_cost_the_connection(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let token = app.token(&[Scope::WorkBench]).await;
    let mut stream = TcpStream::connect(served(&app.state).await).await.expect("connected");
    let content = vec![b'x'; 60 << 10];
    for expected in ["201", "200", "200"] {
        stream.write_all(&put_request(&token, &content)).await.expect("the connection is kept");
        let head = answer(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {expected}")), "{head}");
    }
}
