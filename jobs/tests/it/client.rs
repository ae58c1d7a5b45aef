//! What the client makes of each answer.

use crate::server::{Fault, Route, Server};
use jobs::client::{Client, Error, LeaseAnswer, Secret, Timeouts};
use jobs::wire::{Heartbeat, LeaseRequest, OrdersSeen, Report};
use jobs::work::{Kind, Outcome};
use jobs::{Digest, FailureClass, JobId, LeaseToken};

fn request() -> LeaseRequest {
    LeaseRequest {
        contract_version: jobs::CONTRACT_VERSION,
        queue: "bench".to_owned(),
        capabilities: vec![Kind::Read.capability().to_owned()],
        instrument: None,
        wait_seconds: 0,
        epoch: None,
        hears_orders: false,
    }
}

#[tokio::test]
async fn an_empty_queue_is_none() {
    let server = Server::start();
    let empty = LeaseAnswer { lease: None, orders: OrdersSeen::Unknown };
    assert_eq!(server.client().lease(&request()).await, Ok(empty));
}

#[tokio::test]
async fn a_leased_job_can_be_started_kept_and_reported() {
    let server = Server::start();
    let job = server.add(Kind::Read);
    let client = server.client();
    let lease = client.lease(&request()).await.unwrap().lease.unwrap();
    assert_eq!((lease.job_id, lease.repeatable), (job, true));
    client.start(job, lease.lease_token).await.unwrap();
    let beat = Heartbeat { lease_token: lease.lease_token, progress: None };
    assert_eq!(client.heartbeat(job, &beat).await.unwrap().expires_in_seconds, 60);
    let outcome = Outcome::Stopped { note: String::new() };
    let report = Report { lease_token: lease.lease_token, outcome, lease: None };
    client.report(job, &report).await.unwrap();
}

#[tokio::test]
async fn a_stale_token_has_lost_its_authority() {
    let server = Server::start();
    let job = server.add(Kind::Read);
    let error = server.client().start(job, LeaseToken::fresh()).await.unwrap_err();
    assert!(matches!(&error, Error::AuthorityLost { detail } if detail == "Somebody else holds it."));
    assert_eq!(error.class(), FailureClass::Permanent);
}

#[tokio::test]
async fn not_being_reached_is_not_a_loss_of_authority() {
    let server = Server::start();
    let client = server.client();
    for fault in [Fault::Status(500), Fault::Status(503), Fault::LoseAnswer, Fault::HangBefore] {
        server.misbehave(Route::Lease, fault);
        let error = client.lease(&request()).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{fault:?}: {error:?}");
        assert_eq!(error.class(), FailureClass::Transient);
    }
    server.go_down();
    let closed = client.lease(&request()).await.unwrap_err();
    assert!(matches!(closed, Error::Unreachable { .. }), "{closed:?}");
}

#[tokio::test]
async fn a_proxys_page_is_not_taken_for_an_answer() {
    let server = Server::start();
    server.misbehave(Route::Lease, Fault::Garbage);
    let error = server.client().lease(&request()).await.unwrap_err();
    assert!(matches!(error, Error::Unintelligible { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_carries_the_servers_code() {
    let server = Server::start();
    let outcome = Outcome::Stopped { note: String::new() };
    let report = Report { lease_token: LeaseToken::fresh(), outcome, lease: None };
    let error = server.client().report(JobId::fresh(), &report).await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { status: 404, code, .. } if code == "job.not_found"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_revoked_token_needs_a_person() {
    let server = Server::start();
    let client = Client::new(&server.url(), Secret::new("other"), Timeouts::default()).unwrap();
    let error = client.lease(&request()).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { status: 401, .. }), "{error:?}");
    assert_eq!(error.class(), FailureClass::NeedsPerson);
}

#[tokio::test]
async fn an_old_worker_is_told_so_in_words() {
    let server = Server::start();
    let old = LeaseRequest { contract_version: 0, ..request() };
    let error = server.client().lease(&old).await.unwrap_err();
    assert_eq!(error, Error::ContractTooOld { detail: "Install a newer worker.".to_owned() });
}

#[tokio::test]
async fn a_blob_is_sent_once_and_comes_back_checked() {
    let server = Server::start();
    let client = server.client();
    let large = bytes::Bytes::from(vec![b'x'; 100 << 10]);
    let digest = client.put_blob(large.clone()).await.unwrap();
    client.put_blob(large.clone()).await.unwrap();
    let sent = || server.change(|world| world.calls.iter().filter(|r| **r == Route::PutBlob).count());
    assert_eq!(sent(), 1, "the second time the server has it already");
    assert_eq!(client.get_blob(digest).await.unwrap(), large);
    client.put_blob("raw".into()).await.unwrap();
    client.put_blob("raw".into()).await.unwrap();
    assert_eq!(sent(), 3, "what is small is sent unasked");
}

#[tokio::test]
async fn bytes_that_do_not_match_their_name_are_not_handed_on() {
    let server = Server::start();
    let digest = Digest::of(b"what was meant");
    server.change(|world| world.blobs.insert(digest, "something else".into()));
    assert_eq!(server.client().get_blob(digest).await, Err(Error::Corrupt { digest }));
}

#[test]
fn the_token_is_never_shown() {
    let client = Client::new("http://127.0.0.1:1", Secret::new("lw_abc"), Timeouts::default()).unwrap();
    assert!(!format!("{client:?}").contains("lw_abc"));
}

#[test]
fn a_base_that_is_no_http_url_is_refused_at_once() {
    for bad in ["", "localhost:8080", "ftp://example.org", "/api"] {
        let refused = Client::new(bad, Secret::new("lw_abc"), Timeouts::default());
        assert!(matches!(refused, Err(Error::Setup(_))), "{bad:?}");
    }
}
