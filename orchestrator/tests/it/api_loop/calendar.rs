//! Blackouts, the ticks to come, a round by hand, and the view of the week.

use super::{Talk, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::http::StatusCode;
use jobs::work::Kind;
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Laboratory time begins on Monday, 5 January 2026, 8:00 UTC.
async fn weekly(options: PgPoolOptions, login: PgConnectOptions) -> Laboratory {
    let schedule = "cron = \"30 8 * * Mon\"\nzone = \"Europe/Berlin\"";
    Laboratory::new(options, login, Settings { schedule, ..Settings::default() }).await
}

/// Kind, title, times, and what does not fit, a line each: the times of the view matter.
fn lines(view: &Value) -> Vec<String> {
    let items = view["items"].as_array().expect("items").iter();
    items
        .map(|item| {
            let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
            let sure = if item["certain"] == true { "certain" } else { "forecast" };
            format!(
                "{} .. {} {} {sure} {} [{}] {}",
                text("from_lab_at"),
                text("to_lab_at"),
                text("kind"),
                text("title"),
                text("instrument"),
                text("why_not")
            )
        })
        .collect()
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn blackouts_come_and_go_and_move_the_ticks_to_come(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = weekly(options, login).await;
    let mut talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let token = talk.app.token(&[Scope::InstrumentWrite]).await;
    let path = "/api/v1/calendar/blackouts";
    let holiday =
        json!({"from": "2026-01-12", "to": "2026-01-13", "reason": "stocktaking", "zone": "Europe/Berlin"});
    talk.post("who may only read", &reader, path, &holiday).await;
    let (_, added) = talk.say("a holiday", keyed(request("POST", &token, path, Some(&holiday)))).await;
    let (_, again) = talk.app.send(keyed(request("POST", &token, path, Some(&holiday)))).await;
    assert_eq!(added, again, "the first answer");
    assert_eq!(added["to_lab_at"], "2026-01-13T23:00:00Z", "to the end of its last day");
    talk.post("backwards", &token, path, &json!({"from": "2026-01-13", "to": "2026-01-12", "reason": "x"}))
        .await;
    talk.post(
        "without a reason",
        &token,
        path,
        &json!({"from": "2026-01-13", "to": "2026-01-14", "reason": " "}),
    )
    .await;
    let nowhere = json!({"from": "2026-01-13", "to": "2026-01-14", "reason": "x", "zone": "Berlin"});
    talk.post("in no zone", &token, path, &nowhere).await;
    let nobody = json!({"from": "2026-01-13", "to": "2026-01-14", "reason": "x", "instrument": "reader-9"});
    talk.post("of no instrument", &token, path, &nobody).await;
    let lamp = json!({"from": "2026-01-15T10:00", "to": "2026-01-15T12:00", "reason": "lamp", "instrument": "reader-1"});
    talk.post("maintenance", &token, path, &lamp).await;
    talk.say("the list", request("GET", &reader, path, None)).await;

    let ticks = format!("/api/v1/campaigns/{}/next-ticks?n=2", laboratory.campaign);
    let (_, next) = talk.say("the ticks to come", request("GET", &reader, &ticks, None)).await;
    assert_eq!(
        next,
        json!([
            {"at": "2026-01-13T23:00:00Z", "local": "2026-01-14T00:00:00", "zone": "Europe/Berlin",
             "note": "falls in blackout \"stocktaking\": moved to 2026-01-14 00:00"},
            {"at": "2026-01-19T07:30:00Z", "local": "2026-01-19T08:30:00", "zone": "Europe/Berlin", "note": null},
        ])
    );
    let one = format!("{path}/{}", added["id"].as_str().expect("an id"));
    talk.say("who may only read removes", request("DELETE", &reader, &one, None)).await;
    let (status, _) = talk.say("removed", request("DELETE", &token, &one, None)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    talk.say("removed again", request("DELETE", &token, &one, None)).await;
    let (_, next) = talk.app.get(&reader, &ticks).await;
    assert_eq!(next[0]["at"], "2026-01-12T07:30:00Z");
    let kinds = laboratory.event_kinds().await;
    let told: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("Blackout")).collect();
    assert_eq!(told, ["BlackoutAdded", "BlackoutAdded", "BlackoutRemoved"]);
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_is_begun_by_hand_once(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = weekly(options, login).await;
    let mut talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let path = format!("/api/v1/campaigns/{}/start-round", laboratory.campaign);
    talk.post("who may only read", &reader, &path, &json!({})).await;
    laboratory.settle().await;
    talk.post("before there is a model", &token, &path, &json!({})).await;
    assert!(laboratory.work().await, "the first training");
    laboratory.settle().await;
    let bench = talk.app.token(&[Scope::InstrumentWrite]).await;
    let today = json!({"from": "2026-01-05", "to": "2026-01-05", "reason": "fire drill"});
    talk.app.post(&bench, "/api/v1/calendar/blackouts", &today).await;
    talk.post("in a blackout", &token, &path, &json!({})).await;
    let despite = json!({"despite_blackout": true});
    let (status, round) =
        talk.say("in spite of it", keyed(request("POST", &token, &path, Some(&despite)))).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, again) = talk.app.send(keyed(request("POST", &token, &path, Some(&despite)))).await;
    assert_eq!(round, again, "the first answer");
    talk.post("while it runs", &token, &path, &despite).await;
    talk.post("with a word that is none", &token, &path, &json!({"now": true})).await;
    let nobody = "/api/v1/campaigns/01890000-0000-7000-8000-000000000000/start-round";
    talk.post("nobody's", &token, nobody, &json!({})).await;
    assert_eq!(laboratory.rounds().await.len(), 1);
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_week_shows_facts_and_forecasts(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = weekly(options, login).await;
    let talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = "/api/v1/calendar?from=2026-01-12&to=2026-01-25&zone=Europe/Berlin";
    let (status, before) = talk.app.get(&reader, path).await;
    assert_eq!(status, StatusCode::OK, "{before}");
    insta::assert_snapshot!("the_week_before_anything_began", lines(&before).join("\n"));
    // Until the first plate stands in the incubator.
    let lease = laboratory.work_until(Kind::Incubate).await;
    laboratory.start(&lease).await;
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.settle().await;
    let (_, during) = talk.app.get(&reader, path).await;
    insta::assert_snapshot!("the_week_with_a_plate_in_the_incubator", lines(&during).join("\n"));
    assert_eq!(during["load"][0]["instrument"], "incubator-1", "{}", during["load"]);
    assert_eq!(during["load"][0]["capacity_hours"], 24.0 * 44.0);

    for wrong in
        ["from=2026-01-12&to=2026-06-12", "from=2026-01-12&to=2026-01-11", "from=soon", "zone=Berlin"]
    {
        let (status, body) = talk.app.get(&reader, &format!("/api/v1/calendar?{wrong}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {body}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_calendar_without_a_tick_to_come_is_refused_with_its_line(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let laboratory = weekly(options, login).await;
    let talk = Talk::at(&laboratory);
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let toml = include_str!("../../../src/campaigns/template.toml");
    let over = toml.replace("zone = \"UTC\"", "zone = \"UTC\"\nends = \"2025-12-31\"");
    let (status, body) =
        talk.app.post(&token, "/api/v1/campaigns", &json!({"toml": over, "files": {}})).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("campaign.invalid")));
    assert_eq!(body["errors"][0]["path"], "schedule.ends");
    let line = body["errors"][0]["line"].as_u64().expect("a line");
    assert_eq!(over.lines().nth(line as usize - 1), Some("ends = \"2025-12-31\""));
}
