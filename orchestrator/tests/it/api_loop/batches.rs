//! `POST /batches/{id}/approve|reject|remove|add`

use super::{Talk, header, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::http::StatusCode;
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// A batch of four that waits for two people, and the door to it.
async fn waiting(options: PgPoolOptions, login: PgConnectOptions) -> (Laboratory, Talk, String) {
    let settings = Settings { rounds: 1, batch: 4, auto_approve: false, approvals: 2, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let (_, listed) = talk.app.get(&reader, "/api/v1/batches").await;
    let id = listed["items"][0]["id"].as_str().expect("one that waits").to_owned();
    (laboratory, talk, format!("/api/v1/batches/{id}"))
}

async fn person(talk: &Talk, name: &str, scope: Scope) -> String {
    talk.app.token_of(name, ActorKind::Person, &[scope]).await
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_batch_is_frozen_by_the_last_of_two_people(options: PgPoolOptions, login: PgConnectOptions) {
    let (laboratory, mut talk, batch) = waiting(options, login).await;
    let (ada, grace) =
        (person(&talk, "ada", Scope::BatchApprove).await, person(&talk, "grace", Scope::BatchApprove).await);
    let editor = person(&talk, "eve", Scope::BatchEdit).await;
    let approve = format!("{batch}/approve");
    talk.post_seen("who may only edit", &editor, &approve, 1, &json!({})).await;
    talk.post("without the revision", &ada, &approve, &json!({})).await;
    talk.post_seen("a remark that is no text", &ada, &approve, 1, &json!({"reason": 1})).await;
    let first = json!({"reason": "looks sensible"});
    let (_, recorded) = talk.post_seen("the first of two", &ada, &approve, 1, &first).await;
    assert_eq!(recorded["missing_approvals"], 1);
    talk.post_seen("the same person again", &ada, &approve, 1, &json!({})).await;
    assert_eq!(laboratory.count("select count(*) from batch where frozen_hash is not null").await, 0);

    let last = || header(keyed(request("POST", &grace, &approve, Some(&json!({})))), "if-match", "\"1\"");
    let (_, frozen) = talk.say("the last", last()).await;
    assert_eq!(frozen["missing_approvals"], 0);
    assert!(frozen["batch"]["frozen_hash"].is_string());
    assert_eq!(talk.app.send(last()).await.1, frozen, "the first answer");
    let (_, again) = talk.post_seen("once more", &grace, &approve, 1, &json!({})).await;
    assert_eq!(again["disposition"], "already_done");
    assert_eq!(laboratory.count("select count(*) from approval").await, 2);
    let nobody = "/api/v1/batches/01890000-0000-7000-8000-000000000000/approve";
    talk.post_seen("nobody's", &ada, nobody, 1, &json!({})).await;
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn approving_what_was_edited_meanwhile_changes_nothing(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (laboratory, mut talk, batch) = waiting(options, login).await;
    let ada = person(&talk, "ada", Scope::BatchApprove).await;
    let editor = person(&talk, "eve", Scope::BatchEdit).await;
    let reader = person(&talk, "rosa", Scope::Read).await;
    let add = json!({"perturbation": "G040", "context": "donor-1", "reason": "a positive control of ours"});
    talk.app
        .send(header(request("POST", &editor, &format!("{batch}/add"), Some(&add)), "if-match", "\"1\""))
        .await;
    let before = talk.app.get(&reader, &batch).await.1;
    assert_eq!(before["revision"], 2);
    let events = laboratory.event_kinds().await;
    let approve = format!("{batch}/approve");
    let (status, _) = talk.post_seen("what was seen before the edit", &ada, &approve, 1, &json!({})).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let (status, _) = talk.post_seen("before the plan is drafted anew", &ada, &approve, 2, &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(talk.app.get(&reader, &batch).await.1, before);
    assert_eq!(laboratory.event_kinds().await, events, "not a word of it in the record");
    assert_eq!(laboratory.count("select count(*) from approval").await, 0);
    laboratory.settle().await;
    let (status, _) =
        talk.app.send(header(request("POST", &ada, &approve, Some(&json!({}))), "if-match", "\"2\"")).await;
    assert_eq!(status, StatusCode::OK, "what is there now can be approved");
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn experiments_are_taken_out_and_put_in_by_hand(options: PgPoolOptions, login: PgConnectOptions) {
    let (_laboratory, mut talk, batch) = waiting(options, login).await;
    let ada = person(&talk, "ada", Scope::BatchApprove).await;
    let editor = person(&talk, "eve", Scope::BatchEdit).await;
    let reader = person(&talk, "rosa", Scope::Read).await;
    let selected = format!("{batch}/proposals?status=selected");
    let (_, before) = talk.app.get(&reader, &selected).await;
    let first = before["items"][0].clone();
    let remove = format!("{batch}/remove");
    let body = json!({"proposal_id": first["id"], "reason": "toxic"});
    talk.post_seen("who may only approve", &ada, &remove, 1, &body).await;
    talk.post("without the revision", &editor, &remove, &body).await;
    talk.post_seen(
        "without a reason",
        &editor,
        &remove,
        1,
        &json!({"proposal_id": first["id"], "reason": ""}),
    )
    .await;
    let nobody = json!({"proposal_id": "01890000-0000-7000-8000-000000000000", "reason": "toxic"});
    talk.post_seen("nobody's", &editor, &remove, 1, &nobody).await;
    let removal = || header(keyed(request("POST", &editor, &remove, Some(&body))), "if-match", "\"1\"");
    let (_, removed) = talk.say("remove", removal()).await;
    assert_eq!((&removed["revision"], removed["replacement"].is_object()), (&json!(2), true));
    assert_eq!(talk.app.send(removal()).await.1, removed, "the first answer");
    talk.post_seen("by who did not see that", &editor, &remove, 1, &body).await;
    talk.post_seen("remove again", &editor, &remove, 2, &body).await;

    let add = format!("{batch}/add");
    let experiment = |name: &str| json!({"perturbation": name, "context": "donor-1", "reason": "a hunch"});
    talk.post_seen("no perturbation", &editor, &add, 2, &experiment("A,B")).await;
    talk.post_seen("not of the pool", &editor, &add, 2, &experiment("XYZ")).await;
    talk.post_seen("add", &editor, &add, 2, &experiment("G040")).await;
    talk.post_seen("add again", &editor, &add, 3, &experiment("G040")).await;
    let (_, after) = talk.app.get(&reader, &selected).await;
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("a list");
        items.iter().map(|item| item["perturbation"].as_str().expect("a name").to_owned()).collect()
    };
    let (before, after) = (names(&before), names(&after));
    assert_eq!((before.len(), after.len()), (4, 5));
    assert!(!after.contains(&before[0]) && after.contains(&"G040".to_owned()), "{after:?}");
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_batch_is_rejected_without_what_must_not_come_again(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (mut laboratory, mut talk, batch) = waiting(options, login).await;
    let ada = person(&talk, "ada", Scope::BatchApprove).await;
    let reader = person(&talk, "rosa", Scope::Read).await;
    let reject = format!("{batch}/reject");
    let no = |exclude: &[&str]| json!({"reason": "too many kinases", "exclude": exclude});
    talk.post_seen("who may only read", &reader, &reject, 1, &no(&[])).await;
    talk.post("without the revision", &ada, &reject, &no(&[])).await;
    talk.post_seen("without a reason", &ada, &reject, 1, &json!({"reason": ""})).await;
    talk.post_seen("no perturbation", &ada, &reject, 1, &no(&["A,B"])).await;
    talk.post_seen("not in the batch", &ada, &reject, 1, &no(&["G000@donor-9"])).await;
    talk.post_seen("another revision", &ada, &reject, 9, &no(&[])).await;
    assert_eq!(laboratory.count("select count(*) from approval").await, 0);
    let (_, selected) = talk.app.get(&reader, &format!("{batch}/proposals?status=selected")).await;
    let unwanted = selected["items"][0]["perturbation"].as_str().expect("a name").to_owned();
    let body = no(&[&format!("{unwanted}@donor-1")]);
    let rejection = || header(keyed(request("POST", &ada, &reject, Some(&body))), "if-match", "\"1\"");
    let (_, rejected) = talk.say("reject", rejection()).await;
    assert_eq!(rejected["state"], "rejected");
    assert_eq!(talk.app.send(rejection()).await.1, rejected, "the first answer");
    talk.post_seen("approve what was rejected", &ada, &format!("{batch}/approve"), 1, &json!({})).await;
    laboratory.run().await;
    let (_, listed) = talk.app.get(&reader, "/api/v1/batches").await;
    assert_eq!(listed["items"][0]["generation"], 2, "a new one waits");
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let (_, anew) = talk.app.get(&reader, &format!("/api/v1/batches/{id}/proposals")).await;
    let items = anew["items"].as_array().expect("a list");
    assert!(items.iter().all(|item| item["perturbation"] != unwanted.as_str()), "{unwanted}");
    let (_, closed) = talk.app.get(&reader, "/api/v1/batches?state=rejected").await;
    assert_eq!(closed["items"].as_array().map(Vec::len), Some(1));
    insta::assert_snapshot!(talk.text);
}
