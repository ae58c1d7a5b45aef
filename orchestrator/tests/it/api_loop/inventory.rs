//! `POST /inventory..`: registered from tables, counted, carried by people.

use super::{Talk, header, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::{App, request};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jobs::work::Kind;
use orchestrator::rounds::control;
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const LIBRARY: &str = "/api/v1/inventory/library";
const ASSAY: &str = "/api/v1/inventory/assay-plates";

fn table(token: &str, path: &str, csv: &str) -> Request<Body> {
    let mut request = header(request("POST", token, path, None), "content-type", "text/csv");
    *request.body_mut() = csv.to_owned().into();
    request
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_table_is_imported_whole_or_not_and_twice_is_once(options: PgPoolOptions, login: PgConnectOptions) {
    let mut talk = Talk::with(App::new(options, login).await);
    let token = talk.app.token(&[Scope::InventoryWrite]).await;
    let reader = talk.app.token(&[Scope::Read]).await;
    let header_ = "barcode,labware,well,content,volume_nl";
    let row = |well: &str, nl: u32| format!("LIB-1,corning_384_wellplate_112ul_flat,{well},CBLB,{nl}");
    let good = format!("{header_}\n{}\n{}\n", row("A1", 50_000), row("P24", 60_000));
    let bad = format!("{header_}\n{}\n{}\n", row("A1", 50_000), row("Q1", 60_000));

    talk.say("who may only read", table(&reader, LIBRARY, &good)).await;
    talk.say("as JSON", request("POST", &token, LIBRARY, Some(&serde_json::json!({})))).await;
    talk.say("a well that is none", table(&token, LIBRARY, &bad)).await;
    talk.say("a column that is missing", table(&token, LIBRARY, "barcode,well\nLIB-1,A1\n")).await;
    let (_, stock) = talk.app.get(&reader, "/api/v1/inventory/plates").await;
    assert_eq!(stock["items"].as_array().map(Vec::len), Some(0), "nothing of the bad ones");
    let (_, imported) = talk.say("right", keyed(table(&token, LIBRARY, &good))).await;
    assert_eq!(talk.app.send(keyed(table(&token, LIBRARY, &good))).await.1, imported, "the first answer");
    talk.say("the key again, for something else", keyed(table(&token, LIBRARY, &bad))).await;
    talk.say("the same table again", table(&token, LIBRARY, &good)).await;

    let blanks = "barcode,labware,context\nP-1,corning_384_wellplate_112ul_flat,donor-1\n";
    talk.say("blank plates without a context", table(&token, ASSAY, &blanks.replace("donor-1", ""))).await;
    talk.say("blank plates", table(&token, ASSAY, blanks)).await;
    talk.say("the same again", table(&token, ASSAY, blanks)).await;
    let (status, _) = talk
        .say("what is there", request("GET", &reader, "/api/v1/inventory/plates?role=library", None))
        .await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!(talk.text);
}

const VOLUMES: &str = "/api/v1/inventory/volumes?reason=weighed";

/// A door that may change the stock.
async fn door(laboratory: &Laboratory) -> (App, String) {
    let app = Talk::at(laboratory).app;
    let token = app.token(&[Scope::InventoryWrite, Scope::Read]).await;
    (app, token)
}

async fn plate(app: &App, token: &str, barcode: &str) -> Value {
    let (status, plate) = app.get(token, &format!("/api/v1/inventory/plates/{barcode}")).await;
    assert_eq!(status, StatusCode::OK, "{plate}");
    plate
}

async fn says(app: &App, token: &str, barcode: &str, verb: &str) -> (StatusCode, Value) {
    let path = format!("/api/v1/inventory/plates/{barcode}/{verb}");
    app.post(token, &path, &json!({"reason": "looked at it"})).await
}

fn well<'a>(plate: &'a Value, name: &str) -> &'a Value {
    let wells = plate["well_list"].as_array().expect("wells");
    wells.iter().find(|well| well["well"] == name).unwrap_or_else(|| panic!("no {name}: {plate}"))
}

/// A table that is refused whole: its line and what the reason has in it.
async fn refused(app: &App, token: &str, csv: &str, line: u64, says: &str) {
    let (status, problem) = app.send(table(token, VOLUMES, csv)).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("inventory.invalid_table"))
    );
    assert_eq!(problem["errors"][0]["line"], line, "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(says)), "{says}: {problem}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_count_sets_what_the_books_say_and_is_kept(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = Laboratory::new(options, login, Settings::default()).await;
    let (app, token) = door(&laboratory).await;
    let before = plate(&app, &token, "LIB-1").await;
    let (name, content) = ("A1", well(&before, "A1")["content"].as_str().expect("a content").to_owned());
    assert_eq!(well(&before, name)["volume_nl"], 60_000);
    let header = "barcode,well,volume_nl,content";
    refused(&app, &token, &format!("{header}\nLIB-1,A1,10,{content}\nLIB-9,A1,10,\n"), 3, "no plate LIB-9")
        .await;
    refused(&app, &token, &format!("{header}\nLIB-1,A1,10,other\n"), 2, "holds").await;
    refused(&app, &token, &format!("{header}\nLIB-1,A1,999999,\n"), 2, "do not fit").await;
    refused(&app, &token, &format!("{header}\nLIB-1,P24,10,\n"), 2, "say in `content`").await;
    refused(&app, &token, &format!("{header}\nP-001,A1,10,\n"), 2, "assay plate").await;
    refused(&app, &token, &format!("{header}\n"), 1, "no well").await;
    assert_eq!(plate(&app, &token, "LIB-1").await["well_list"], before["well_list"], "all or nothing");

    let csv = format!("{header}\nLIB-1,A1,40000,{content}\nLIB-1,A2,60000,\nLIB-1,P24,5000,NEW\n");
    let (status, counted) = app.send(keyed(table(&token, VOLUMES, &csv))).await;
    assert_eq!(status, StatusCode::OK, "{counted}");
    assert_eq!(counted, json!({"plates": 1, "changed": 1, "added": 1, "as_known": 1}));
    assert_eq!(app.send(keyed(table(&token, VOLUMES, &csv))).await.1, counted, "the first answer");
    let after = plate(&app, &token, "LIB-1").await;
    assert_eq!(
        (&well(&after, "A1")["volume_nl"], &well(&after, "P24")["content"]),
        (&json!(40_000), &json!("NEW"))
    );
    assert_eq!(
        after["changes"][0]["detail"]["wells"],
        json!([
            {"well": "A1", "content": content, "before_nl": 60_000, "after_nl": 40_000},
            {"well": "P24", "content": "NEW", "before_nl": null, "after_nl": 5_000},
        ])
    );
    assert_eq!(
        (&after["changes"][0]["change"], &after["changes"][0]["reason"]),
        (&json!("counted"), &json!("weighed"))
    );
    let (_, found) = app.get(&token, "/api/v1/inventory/contents?search=new").await;
    // 5 uL, less what has to stay in a well of that labware.
    let stays = after["stays_nl"].as_i64().expect("a volume");
    assert_eq!(found["items"][0]["drawable_nl"], (5_000 - stays).max(0), "{found}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_is_taken_away_that_a_plan_has_reserved(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Move).await;
    let (app, token) = door(&laboratory).await;
    let source = plate(&app, &token, "LIB-1").await;
    let reserved = source["well_list"].as_array().expect("wells").iter().find(|it| it["reserved_nl"] != 0);
    let reserved = reserved.expect("something is reserved")["well"].as_str().expect("a name").to_owned();
    let draw = &source["draws"][0];
    assert_eq!(
        (&draw["barcode"], &draw["state"], &draw["round"]),
        (&json!("P-001"), &json!("reserved"), &json!(1))
    );

    let (status, problem) = says(&app, &token, "LIB-1", "withdraw").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("inventory.reserved")), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("P-001 (round 1)")), "{problem}");
    let (status, problem) = says(&app, &token, "P-001", "withdraw").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("inventory.not_in_state")),
        "{problem}"
    );
    for barcode in ["LIB-1", "P-001"] {
        let (status, problem) = says(&app, &token, barcode, "found").await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::CONFLICT, &json!("inventory.plate_busy")),
            "{problem}"
        );
    }
    refused(&app, &token, &format!("barcode,well,volume_nl\nLIB-1,{reserved},1\n"), 2, "plates under way")
        .await;

    laboratory.start(&lease).await;
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.settle().await;
    assert!(plate(&app, &token, "LIB-1").await["at"].as_str().is_some_and(|at| at.starts_with("handler-1/")));
    refused(
        &app,
        &token,
        &format!("barcode,well,volume_nl\nLIB-1,{reserved},60000\n"),
        2,
        "stands in handler-1",
    )
    .await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");

    let (status, gone) = says(&app, &token, "LIB-1", "withdraw").await;
    assert_eq!(
        (status, &gone["state"], &gone["at"]),
        (StatusCode::OK, &json!("withdrawn"), &Value::Null),
        "{gone}"
    );
    assert_eq!(gone["draws"][0]["state"], "spent", "what was drawn from it stays known");
    refused(&app, &token, &format!("barcode,well,volume_nl\nLIB-1,{reserved},1\n"), 2, "put it back first")
        .await;
    let (status, back) = says(&app, &token, "LIB-1", "put-back").await;
    assert_eq!(
        (status, &back["state"], &back["at"]),
        (StatusCode::OK, &json!("available"), &json!("storage/LIB-1"))
    );
    let (status, problem) = says(&app, &token, "P-001", "put-back").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("inventory.not_in_state")),
        "{problem}"
    );
    let (status, _) = says(&app, &token, "nowhere", "found").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let kinds: Vec<String> = laboratory.event_kinds().await;
    let by_hand: Vec<&String> = kinds.iter().filter(|kind| kind.starts_with("Stock")).collect();
    assert_eq!(by_hand, ["StockWithdrawn", "StockPutBack"]);
}

/// A dispense that runs on has the source on its deck, also when its round was cancelled and nothing is reserved any more.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_source_that_stands_on_a_deck_at_work_is_not_off_it_by_a_word(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::cancel(&mut conn, round.id, "contaminated", laboratory.person).await.expect("cancelled");
    drop(conn);
    laboratory.settle().await;
    let (app, token) = door(&laboratory).await;
    let on_deck = |plate: &Value| plate["at"].as_str().is_some_and(|at| at.starts_with("handler-1/"));
    let (status, out) = says(&app, &token, "LIB-1", "withdraw").await;
    assert_eq!((status, &out["state"]), (StatusCode::OK, &json!("withdrawn")), "{out}");
    assert!(on_deck(&out), "nothing is planned with it, and it stands where it stands: {out}");
    let (status, problem) = says(&app, &token, "LIB-1", "put-back").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("inventory.plate_busy")),
        "{problem}"
    );
    let done = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, done).await;
    laboratory.settle().await;
    while laboratory.work().await {
        laboratory.settle().await;
    }
    assert!(laboratory.world.on("handler-1").is_empty(), "the deck is cleared of it, too");
    assert!(!on_deck(&plate(&app, &token, "LIB-1").await));
}

/// A round that has read the stock reserves nothing on a source that somebody takes away at that moment.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plate_that_is_withdrawn_is_planned_with_no_more(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let (app, token) = door(&laboratory).await;
    assert_eq!(says(&app, &token, "P-001", "withdraw").await.0, StatusCode::OK);
    assert_eq!(says(&app, &token, "P-001", "withdraw").await.0, StatusCode::OK, "twice is once");
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert_eq!(laboratory.plates(round.id).await[0].barcode, "P-002");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let plate = laboratory.plates(round.id).await[0].id;
    let draw = orchestrator::planning::Draw {
        source_barcode: "LIB-1".to_owned(),
        source_well: "A1".parse().expect("a well"),
        volume_nl: 1,
    };
    assert_eq!(says(&app, &token, "LIB-1", "withdraw").await.0, StatusCode::OK);
    let reserved =
        orchestrator::store::inventory::reserve(&mut conn, plate, "P-002", &[draw]).await.expect("asked");
    assert!(matches!(reserved, orchestrator::store::inventory::Reserved::Taken { .. }), "{reserved:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_runs_out_is_told_before_it_does(options: PgPoolOptions, login: PgConnectOptions) {
    // Three rounds of a plate each, and blanks for two.
    let settings = Settings { rounds: 3, blanks: 2, ..Settings::default() };
    let laboratory = Laboratory::new(options, login, settings).await;
    let (app, token) = door(&laboratory).await;
    laboratory.settle().await;
    let (status, supplies) = app.get(&token, "/api/v1/inventory/supplies").await;
    assert_eq!(status, StatusCode::OK, "{supplies}");
    let first = &supplies[0];
    assert_eq!((&first["kind"], &first["name"]), (&json!("blank_plates"), &json!("donor-1")), "{supplies}");
    assert_eq!((&first["there"], &first["wanted"], &first["rounds"]), (&json!(2), &json!(3), &json!(3)));
    assert_eq!(first["short_for"]["campaign"], "scripted");
    assert!(first["short_lab_at"].as_str().is_some_and(|at| at.starts_with("2026-01-19")), "{first}");
    let reagents: Vec<&Value> =
        supplies.as_array().expect("a list").iter().filter(|it| it["kind"] == "reagent").collect();
    assert_eq!(reagents.iter().map(|it| it["name"].as_str()).collect::<Vec<_>>(), [Some("NEG"), Some("POS")]);
    assert!(
        reagents.iter().all(|it| it["wanted"] == 3 * 6 * 2000 && it["short_lab_at"].is_null()),
        "{reagents:?}"
    );
    let (_, week) = app.get(&token, "/api/v1/inventory/supplies?days=7").await;
    assert_eq!((&week[0]["wanted"], &week[0]["short_lab_at"]), (&json!(1), &Value::Null), "{week}");
    let (_, blanks) = app.get(&token, "/api/v1/inventory/blanks").await;
    assert_eq!((&blanks[0]["available"], &blanks[0]["reserved"]), (&json!(2), &json!(0)), "{blanks}");
}
