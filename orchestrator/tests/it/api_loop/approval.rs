//! What the page of an approver stands on: standing, comments, plan, exclusions, and two people at once.

use super::{Talk, header, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::http::StatusCode;
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn waiting(
    options: PgPoolOptions,
    login: PgConnectOptions,
    settings: Settings,
) -> (Laboratory, Talk, String) {
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let talk = Talk::at(&laboratory);
    let path = newest(&laboratory).await;
    (laboratory, talk, path)
}

fn by_people() -> Settings {
    Settings {
        rounds: 1,
        batch: 4,
        auto_approve: false,
        tags: |gene| if gene % 2 == 0 { "even" } else { "" },
        ..Settings::default()
    }
}

async fn newest(laboratory: &Laboratory) -> String {
    let id: uuid::Uuid = sqlx::query_scalar("select id from batch order by id desc limit 1")
        .fetch_one(&laboratory.pool)
        .await
        .expect("a batch");
    format!("/api/v1/batches/{id}")
}

async fn token(talk: &Talk, name: &str, scopes: &[Scope]) -> String {
    talk.app.token_of(name, ActorKind::Person, scopes).await
}

const BOTH: [Scope; 3] = [Scope::Read, Scope::BatchEdit, Scope::BatchApprove];

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_approver_is_told_whether_they_may_and_why_not(options: PgPoolOptions, login: PgConnectOptions) {
    let settings =
        Settings { approvals: 2, policy: "roles = { engineer = 1 }\nexpires_hours = 24.0", ..by_people() };
    let (laboratory, talk, batch) = waiting(options, login, settings).await;
    let reader = token(&talk, "rosa", &[Scope::Read]).await;
    let (ada, eve) = (token(&talk, "ada-s", &BOTH).await, token(&talk, "eve", &BOTH).await);
    let standing = async |who: &str| talk.app.get(who, &batch).await.1["approval"].clone();
    let why = |standing: &Value| {
        assert_eq!(standing["may_approve"], standing["why_not"].is_null());
        standing["why_not"].as_str().unwrap_or("may").to_owned()
    };
    assert_eq!(
        why(&standing(&reader).await),
        "you may not approve batches of this project (batch:approve is missing)"
    );
    let fresh = standing(&ada).await;
    assert_eq!(why(&fresh), "may");
    assert_eq!(fresh["roles"], json!([{"role": "engineer", "needed": 1, "given": 0}]));
    assert_eq!((&fresh["needed"], &fresh["given"]), (&json!(2), &json!(0)));
    assert_eq!(fresh["missing"], "2 more people: 1 in the role engineer");
    assert_eq!(fresh["expires_lab_at"], "2026-01-06T08:00:00Z");

    let add = json!({"perturbation": "G040", "context": "donor-1", "reason": "a hunch"});
    let edit = header(request("POST", &eve, &format!("{batch}/add"), Some(&add)), "if-match", "\"1\"");
    assert_eq!(talk.app.send(edit).await.0, StatusCode::OK);
    assert_eq!(why(&standing(&ada).await), "its plan is still being computed; look again in a moment");
    laboratory.settle().await;
    let edited = standing(&eve).await;
    assert_eq!(edited["editors"], json!(["eve"]));
    assert_eq!(edited["missing"], "2 more people: 1 in the role engineer, 1 who did not edit it");
    assert_eq!(why(&edited), "may", "the first of two may have edited it");
    let approve = |who: &str| {
        header(request("POST", who, &format!("{batch}/approve"), Some(&json!({}))), "if-match", "\"2\"")
    };
    let (_, first) = talk.app.send(approve(&eve)).await;
    assert_eq!((&first["disposition"], &first["missing_approvals"]), (&json!("recorded"), &json!(1)));
    assert_eq!(why(&standing(&eve).await), "you approved this revision already");
    // Neither of them is an engineer, but Ada did not edit it: hers is of use.
    assert_eq!(why(&standing(&ada).await), "may");
    assert_eq!(talk.app.send(approve(&ada)).await.1["disposition"], "recorded");
    let third = token(&talk, "tom", &BOTH).await;
    let words =
        "what is missing is the word of people in another role: 1 more person: 1 in the role engineer";
    assert_eq!(why(&standing(&third).await), words);
    let (status, refused) = talk.app.send(approve(&third)).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("batch.role_missing")));
    assert_eq!(refused["detail"], format!("You cannot approve it: {words}."));
    let (_, listed) = talk.app.get(&third, "/api/v1/batches").await;
    assert_eq!(why(&listed["items"][0]["approval"]), words, "lists say the same");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn people_talk_of_a_batch(options: PgPoolOptions, login: PgConnectOptions) {
    let (laboratory, mut talk, batch) = waiting(options, login, by_people()).await;
    let rosa = token(&talk, "rosa", &[Scope::Read]).await;
    let worker = talk.app.token_of("robot", ActorKind::Agent, &[Scope::WorkBench, Scope::WorkLearn]).await;
    let path = format!("{batch}/comments");
    let text = |text: &str| json!({"text": text});
    talk.post("a worker", &worker, &path, &text("beep")).await;
    talk.post("nothing", &rosa, &path, &text("  ")).await;
    talk.post("too much", &rosa, &path, &text(&"é".repeat(4001))).await;
    talk.post(
        "of nobody's",
        &rosa,
        "/api/v1/batches/01890000-0000-7000-8000-000000000000/comments",
        &text("x"),
    )
    .await;
    let said = || keyed(request("POST", &rosa, &path, Some(&text(" why is G000 in it? "))));
    let (_, first) = talk.say("a question", said()).await;
    assert_eq!(talk.app.send(said()).await.1, first, "said once");
    talk.app.post(&rosa, &path, &text(&"é".repeat(4000))).await;
    let (_, page) = talk.app.get(&rosa, &format!("{path}?limit=1")).await;
    assert_eq!(page["items"], json!([first]));
    let next = page["next_cursor"].as_str().expect("a second page");
    let (_, last) = talk.app.get(&rosa, &format!("{path}?limit=2&cursor={next}")).await;
    assert_eq!(last["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(talk.app.get(&rosa, &batch).await.1["revision"], 1, "approvals stand");
    let recorded = laboratory.event_kinds().await.into_iter().filter(|kind| kind == "BatchCommented").count();
    assert_eq!(recorded, 2);
    for forged in
        ["update batch_comment set text = 'x'", "delete from batch_comment", "truncate batch_comment"]
    {
        sqlx::query(forged).execute(&laboratory.pool).await.expect_err(forged);
    }
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_plan_is_told_well_by_well_before_and_after(options: PgPoolOptions, login: PgConnectOptions) {
    // Five plates: 42 experiments twice a plate of 96 with 12 controls.
    let settings = Settings { genes: 200, batch: 170, ..by_people() };
    let (mut laboratory, talk, batch) = waiting(options, login, settings).await;
    let rosa = token(&talk, "rosa", &BOTH).await;
    let path = format!("{batch}/plan");
    let (_, record) = talk.app.get(&rosa, &batch).await;
    let (status, plan) = talk.app.get(&rosa, &path).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    assert_eq!((&plan["digest"], &plan["made"]), (&record["draft"]["digest"], &json!(false)));
    let plates = plan["plates"].as_array().expect("plates");
    assert_eq!(plates.len(), 5);
    assert_eq!((&plates[0]["rows"], &plates[0]["columns"]), (&json!(8), &json!(12)));
    let wells: Vec<&Value> = plates.iter().flat_map(|it| it["wells"].as_array().expect("wells")).collect();
    let summary = &record["draft"]["summary"];
    assert_eq!(json!(wells.len()), summary["wells_used"]);
    let samples: Vec<&&Value> = wells.iter().filter(|well| well["role"] == "sample").collect();
    assert_eq!(json!(samples.len()), summary["sample_wells"]);
    for well in &samples {
        assert_eq!(well["contents"], json!([well["perturbation"]]), "a single gene is its own content");
        assert!(well["proposal_id"].is_string());
    }
    let controls = wells.iter().filter(|well| well["role"] == "negative_control");
    assert!(
        controls.clone().count() == 30 && controls.clone().all(|well| well["contents"] == json!(["NEG"]))
    );
    // In parts, the same.
    let (_, start) = talk.app.get(&rosa, &format!("{path}?limit=3")).await;
    assert_eq!((start["plates"].as_array().map(Vec::len), &start["next_from"]), (Some(3), &json!(4)));
    let (_, rest) = talk.app.get(&rosa, &format!("{path}?from=4")).await;
    assert_eq!((&rest["plates"], &rest["next_from"]), (&json!(plates[3..]), &Value::Null));

    let approve = request("POST", &rosa, &format!("{batch}/approve"), Some(&json!({})));
    assert_eq!(talk.app.send(header(approve, "if-match", "\"1\"")).await.0, StatusCode::OK);
    laboratory.run().await;
    let (_, made) = talk.app.get(&rosa, &path).await;
    assert_eq!((&made["made"], &made["digest"]), (&json!(true), &plan["digest"]));
    assert_eq!(made["plates"], plan["plates"], "what was shown is what was made");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plan_that_cannot_be_says_what_the_draft_says(options: PgPoolOptions, login: PgConnectOptions) {
    let (_laboratory, mut talk, batch) = waiting(options, login, Settings { blanks: 0, ..by_people() }).await;
    let rosa = token(&talk, "rosa", &[Scope::Read]).await;
    talk.say("no blank plate", request("GET", &rosa, &format!("{batch}/plan"), None)).await;
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_rejection_names_genes_and_tags(options: PgPoolOptions, login: PgConnectOptions) {
    let (mut laboratory, mut talk, batch) = waiting(options, login, by_people()).await;
    let ada = token(&talk, "ada-s", &BOTH).await;
    let reject = format!("{batch}/reject");
    let no = |genes: &[&str], tags: &[&str]| json!({"reason": "seen before", "exclude_genes": genes, "exclude_tags": tags});
    talk.post_seen("unknown ones", &ada, &reject, 1, &no(&["G001", "MYC"], &["odd"])).await;
    assert_eq!(laboratory.count("select count(*) from approval").await, 0);
    let (status, _) = talk.post_seen("known ones", &ada, &reject, 1, &no(&["G001"], &["even"])).await;
    assert_eq!(status, StatusCode::OK);
    laboratory.run().await;
    let anew = newest(&laboratory).await;
    let (_, record) = talk.app.get(&ada, &anew).await;
    assert_eq!(
        record["excluded"],
        json!([
            "every experiment with G001 (ada-s, generation 1: seen before)",
            "every experiment with a gene tagged even (ada-s, generation 1: seen before)"
        ])
    );
    let (_, proposals) = talk.app.get(&ada, &format!("{anew}/proposals?status=selected")).await;
    let names: Vec<&Value> =
        proposals["items"].as_array().expect("a list").iter().map(|it| &it["perturbation"]).collect();
    assert_eq!(names, ["G003", "G005", "G007", "G009"]);
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn of_two_who_edit_at_once_one_wins_and_nothing_is_lost(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (laboratory, talk, batch) = waiting(options, login, by_people()).await;
    let (ada, eve) = (token(&talk, "ada-s", &BOTH).await, token(&talk, "eve", &BOTH).await);
    let mut revision = 1;
    for pair in 0..4 {
        let genes = [format!("G0{}", 40 + 2 * pair), format!("G0{}", 41 + 2 * pair)];
        let add = |who: &str, gene: &str| {
            let body = json!({"perturbation": gene, "context": "donor-1", "reason": "a hunch"});
            let seen = format!("\"{revision}\"");
            header(request("POST", who, &format!("{batch}/add"), Some(&body)), "if-match", &seen)
        };
        let (one, other) =
            tokio::join!(talk.app.send(add(&ada, &genes[0])), talk.app.send(add(&eve, &genes[1])));
        let answers = [(one, &genes[0]), (other, &genes[1])];
        let won: Vec<_> = answers.iter().filter(|((status, _), _)| *status == StatusCode::OK).collect();
        let lost: Vec<_> = answers.iter().filter(|((status, _), _)| *status != StatusCode::OK).collect();
        let ([won], [lost]) = (&won[..], &lost[..]) else { panic!("{answers:?}") };
        assert_eq!(lost.0.0, StatusCode::PRECONDITION_FAILED);
        assert_eq!(lost.0.1["code"], "request.revision_outdated");
        revision += 1;
        assert_eq!(won.0.1["revision"], revision);
        let (_, record) = talk.app.get(&ada, &batch).await;
        assert_eq!(record["revision"], revision, "one edit, one revision");
        let (_, all) = talk.app.get(&ada, &format!("{batch}/proposals")).await;
        let has =
            |gene: &str| all["items"].as_array().expect("a list").iter().any(|it| it["perturbation"] == gene);
        assert!(has(won.1) && !has(lost.1), "of the loser's edit nothing is there");
    }
    assert_eq!(laboratory.count("select count(*) from batch_edit").await, 4);
    assert_eq!(laboratory.count("select count(*) from proposal where origin = 'person'").await, 4);
}
