//! `POST /campaigns`, its progress, and pause, resume, cancel.

use super::{Talk, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::{App, request};
use axum::http::StatusCode;
use jobs::Digest;
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const TOML: &str = r#"
name = "by hand"
goal = "To be created by a test."

[design]
genes_file = "genes.csv"
contexts = ["donor-1", "donor-2"]

[objective]
readout = "signal"
channel = "signal"
direction = "maximise"
hit = { channel = "call" }

[model]
features = ["features.csv"]

[acquisition]
name = "greedy"

[assay]
labware = "nest_96_wellplate_200ul_flat"
replicates = 2
transfer_volume_nl = 2000
incubate_hours = 72.0
read_window_hours = 4.0
temperature_celsius = 37.0
co2_percent = 5.0

[controls]
negative = { content = "NEG", wells = 6 }
positive = { content = "POS", wells = 6 }

[budget]
rounds = 2
batch = 2

[bench]
handler = "handler-1"
incubator = "incubator-1"
reader = "reader-1"
mover = "mover-1"
"#;
pub const GENES: &[u8] = b"gene\nCBLB\nRASA2\nTCEB2\n";
const PRIOR: &[u8] = b"screen_id,group,gene,score\na_1,siblings,CBLB,1\nb_1,others,CBLB,2\n";
pub const FEATURES: &[u8] = b"gene,block_0\nCBLB,1.0\nRASA2,2.0\nTCEB2,3.0\n";

pub fn body() -> Value {
    let files = json!({"genes.csv": Digest::of(GENES), "features.csv": Digest::of(FEATURES)});
    json!({"toml": TOML, "files": files, "seed": 7})
}

pub async fn upload(talk: &Talk, token: &str, bytes: &'static [u8]) {
    let path = format!("/api/v1/blobs/{}", Digest::of(bytes));
    let mut put = request("PUT", token, &path, None);
    *put.body_mut() = bytes.into();
    assert_eq!(talk.app.send(put).await.0, StatusCode::CREATED);
}

async fn count(talk: &Talk, table: &'static str) -> i64 {
    let sql = match table {
        "campaign" => "select count(*) from campaign",
        _ => "select count(*) from event where kind like 'Campaign%'",
    };
    sqlx::query_scalar(sql).fetch_one(&talk.app.state.pool).await.expect("a count")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_is_created_once_from_a_file_that_is_right(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut talk = Talk::with(App::new(options, login).await);
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = "/api/v1/campaigns";
    talk.post("who may only read", &reader, path, &body()).await;
    let wrong = TOML.replace("replicates = 2", "replicates = \"two\"").replace("rounds = 2", "round = 2");
    talk.post("a file with two mistakes", &token, path, &json!({"toml": wrong, "files": {}})).await;
    let files = json!({"genes.csv": Digest::of(GENES), "gones.csv": Digest::of(GENES)});
    talk.post("before the upload", &token, path, &json!({"toml": TOML, "files": files})).await;
    upload(&talk, &token, GENES).await;
    upload(&talk, &token, FEATURES).await;
    let large = json!({"toml": TOML, "files": body()["files"], "seed": 1_u64 << 53});
    talk.post("a seed too large", &token, path, &large).await;
    let excluding = TOML.replace("genes_file", "exclude = [\"NOBODY\"]\ngenes_file");
    let request_ = json!({"toml": excluding, "files": body()["files"]});
    talk.post("a design space that cannot be spanned", &token, path, &request_).await;
    upload(&talk, &token, PRIOR).await;
    let sibling = TOML.replace(
        "features = [\"features.csv\"]",
        "features = [\"features.csv\"]\npriors = [\"prior.csv\"]\nexclude_prior_groups = [\"sibling\"]",
    );
    let mut files = body()["files"].clone();
    files["prior.csv"] = json!(Digest::of(PRIOR));
    talk.post("a misspelt group to leave out", &token, path, &json!({"toml": sibling, "files": files})).await;
    assert_eq!(count(&talk, "campaign").await, 0, "nothing of all that left a trace");

    let (status, created) = talk.say("right", keyed(request("POST", &token, path, Some(&body())))).await;
    assert_eq!((status, created["pool_size"].as_u64()), (StatusCode::CREATED, Some(6)));
    let (status, again) = talk.app.send(keyed(request("POST", &token, path, Some(&body())))).await;
    assert_eq!((status, &again), (StatusCode::CREATED, &created), "the first answer");
    let other = json!({"toml": TOML, "files": body()["files"], "seed": 8});
    talk.say("the key again, for something else", keyed(request("POST", &token, path, Some(&other)))).await;
    talk.post("the name again", &token, path, &body()).await;
    assert_eq!((count(&talk, "campaign").await, count(&talk, "event").await), (1, 1));
    let id = created["id"].as_str().expect("an id");
    talk.say("progress", request("GET", &reader, &format!("{path}/{id}/progress"), None)).await;
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_file_is_checked_before_anything_is_made_of_it(options: PgPoolOptions, login: PgConnectOptions) {
    let mut talk = Talk::with(App::new(options, login).await);
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = "/api/v1/campaigns/check";
    talk.post("who may only read", &reader, path, &json!({"toml": TOML})).await;
    talk.post("nothing yet", &token, path, &json!({"toml": ""})).await;
    let wrong = TOML.replace("replicates = 2", "replicates = \"two\"").replace("rounds = 2", "round = 2");
    talk.post("two mistakes", &token, path, &json!({"toml": wrong})).await;
    let over =
        format!("{TOML}\n[schedule]\nevery_hours = 168.0\nends = 2001-01-01T00:00:00\nzone = \"UTC\"\n");
    talk.post("a calendar that is over", &token, path, &json!({"toml": over})).await;

    let far = format!("{TOML}\n[schedule]\ncron = \"0 9 30 2 *\"\nzone = \"UTC\"\n");
    talk.post("a day that never comes", &token, path, &json!({"toml": far})).await;

    let weekly = format!("{TOML}\n[schedule]\ncron = \"0 9 * * Mon\"\nzone = \"Europe/Vienna\"\n");
    let (status, right) = talk.app.post(&token, path, &json!({"toml": weekly})).await;
    assert_eq!(status, StatusCode::OK, "{right:#}");
    assert_eq!((&right["problems"], &right["spec"]["name"]), (&json!([]), &json!("by hand")));
    let files = json!([{"field": "design.genes_file", "name": "genes.csv"},
        {"field": "model.features[0]", "name": "features.csv"}]);
    assert_eq!(right["files"], files);
    // 96 wells less 12 of controls, in duplicate.
    let round = json!({"experiments": 2, "experiments_per_plate": 42, "plates_at_least": 1});
    assert_eq!(right["round"], round);
    let ticks = right["ticks"].as_array().expect("ticks");
    let is_due = |tick: &Value| {
        let local = tick["local"].as_str().expect("a time");
        let local: chrono::NaiveDateTime = local.parse().expect("a time");
        tick["zone"] == "Europe/Vienna" && local.format("%a %H:%M").to_string() == "Mon 09:00"
    };
    assert!(ticks.len() == 5 && ticks.iter().all(is_due), "{ticks:#?}");

    upload(&talk, &token, GENES).await;
    upload(&talk, &token, FEATURES).await;
    assert_eq!(count(&talk, "campaign").await, 0, "nothing was made");
    let (status, _) = talk.app.post(&token, "/api/v1/campaigns", &body()).await;
    assert_eq!(status, StatusCode::CREATED);
    talk.post("its name again", &token, path, &json!({"toml": TOML})).await;
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_is_paused_resumed_and_cancelled(options: PgPoolOptions, login: PgConnectOptions) {
    let mut talk = Talk::with(App::new(options, login).await);
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let reader = talk.app.token(&[Scope::Read]).await;
    upload(&talk, &token, GENES).await;
    upload(&talk, &token, FEATURES).await;
    let (_, created) = talk.app.post(&token, "/api/v1/campaigns", &body()).await;
    let id = created["id"].as_str().expect("an id").to_owned();
    let path = |verb: &str| format!("/api/v1/campaigns/{id}/{verb}");
    talk.post("who may only read", &reader, &path("pause"), &json!({})).await;
    talk.post("pause", &token, &path("pause"), &json!({"reason": "the incubator is being cleaned"})).await;
    talk.post("pause again", &token, &path("pause"), &json!({})).await;
    talk.post("resume", &token, &path("resume"), &json!({})).await;
    talk.post("resume again", &token, &path("resume"), &json!({})).await;
    talk.post("cancel without a reason", &token, &path("cancel"), &json!({"reason": " "})).await;
    talk.post("cancel without a body that fits", &token, &path("cancel"), &json!({"why": "so"})).await;
    let cancel = json!({"reason": "another screen answers it"});
    let (_, cancelled) =
        talk.say("cancel", keyed(request("POST", &token, &path("cancel"), Some(&cancel)))).await;
    let (_, again) = talk.app.send(keyed(request("POST", &token, &path("cancel"), Some(&cancel)))).await;
    assert_eq!(again, cancelled, "the first answer");
    talk.post("cancel again", &token, &path("cancel"), &json!({"reason": "to be sure"})).await;
    talk.post("resume what is over", &token, &path("resume"), &json!({})).await;
    let nobody = "/api/v1/campaigns/01890000-0000-7000-8000-000000000000/pause";
    talk.post("nobody's", &token, nobody, &json!({})).await;
    talk.post("no id at all", &token, "/api/v1/campaigns/x/pause", &json!({})).await;
    assert_eq!(count(&talk, "event").await, 4, "created, paused, resumed, cancelled");
    insta::assert_snapshot!(talk.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn results_in_json_are_the_rows_of_the_csv(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = |ending: &str| format!("/api/v1/campaigns/{}/results.{ending}", laboratory.campaign);
    let (_, csv) = talk.app.get(&reader, &path("csv")).await;
    let (status, rows) = talk.app.get(&reader, &path("json")).await;
    assert_eq!(status, StatusCode::OK);
    let mut table = csv::Reader::from_reader(csv.as_str().expect("text").as_bytes());
    let headings = table.headers().expect("a heading").clone();
    let records: Vec<csv::StringRecord> = table.records().map(|record| record.expect("a record")).collect();
    let rows = rows.as_array().expect("an array").clone();
    assert_eq!((records.len(), rows.len()), (4, 4));
    for (record, row) in records.iter().zip(&rows) {
        assert_eq!(row.as_object().expect("a row").len(), headings.len());
        for (heading, cell) in headings.iter().zip(record) {
            let value = match &row[heading] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Number(number) => {
                    // The last bit differs between readers of decimal numbers.
                    let (cell, number) = (cell.parse::<f64>().expect("a number"), number.as_f64());
                    let number = number.expect("a double");
                    assert!((cell - number).abs() <= 1e-12 * number.abs(), "{heading}: {cell}, {number}");
                    continue;
                }
                other => other.to_string(),
            };
            assert_eq!(cell, value, "{heading}");
        }
    }
}
