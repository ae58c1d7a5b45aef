//! A campaign as an RO-Crate: whole, closed in itself, and never half a file taken for a whole one.

use crate::api_loop::Talk;
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use jobs::Digest;
use orchestrator::store::tokens::Scope;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use tower::ServiceExt;

type Files = BTreeMap<String, Vec<u8>>;

fn unpacked(bytes: Vec<u8>) -> Files {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
    let mut files = Files::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("a file");
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("its content, with its checksum");
        assert!(files.insert(file.name().expect("a name").to_string(), content).is_none(), "twice");
    }
    files
}

fn metadata(files: &Files) -> Value {
    serde_json::from_slice(&files["ro-crate-metadata.json"]).expect("JSON")
}

fn rows(files: &Files, path: &str) -> Vec<BTreeMap<String, String>> {
    let mut table = csv::Reader::from_reader(files[path].as_slice());
    table.deserialize().map(|row| row.expect("a row")).collect()
}

/// Every id that something points to.
fn pointed_to(value: &Value, is_entity: bool, ids: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| pointed_to(item, is_entity, ids)),
        Value::Object(members) => {
            if let (false, Some(id)) = (is_entity, members.get("@id")) {
                ids.insert(id.as_str().expect("an id").to_owned());
            }
            members.values().for_each(|member| pointed_to(member, false, ids));
        }
        _ => {}
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_crate_holds_the_whole_campaign_and_describes_it(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 2, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = format!("/api/v1/campaigns/{}/crate.zip", laboratory.campaign);
    let licence = "https://creativecommons.org/licenses/by/4.0/";
    let asked = request("GET", &reader, &format!("{path}?licence={licence}"), None);
    let answer = talk.app.router.clone().oneshot(asked).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/zip");
    let named = "attachment; filename*=UTF-8''scripted.crate.zip";
    assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], named);
    let files = unpacked(to_bytes(answer.into_body(), 16 << 20).await.expect("a whole body").to_vec());

    // What is described is there, what is there is described, and nothing points nowhere.
    let described = metadata(&files);
    let graph = described["@graph"].as_array().expect("a graph");
    let ids: BTreeSet<String> =
        graph.iter().map(|entity| entity["@id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids.len(), graph.len(), "each entity once");
    let mut wanted = BTreeSet::new();
    pointed_to(&described["@graph"], true, &mut wanted);
    wanted.remove("https://w3id.org/ro/crate/1.1");
    wanted.retain(|id| !id.starts_with("http://schema.org/"));
    assert_eq!(wanted.difference(&ids).collect::<Vec<_>>(), Vec::<&String>::new());
    let root = graph.iter().find(|entity| entity["@id"] == "./").expect("a root");
    let mut parts = BTreeSet::new();
    pointed_to(&root["hasPart"], false, &mut parts);
    parts.insert("ro-crate-metadata.json".to_owned());
    assert_eq!(parts, files.keys().cloned().collect());
    assert_eq!(root["license"]["@id"], licence);
    let action = graph.iter().find(|entity| entity["@id"] == "#round-2").expect("the second round");
    assert_eq!(action["actionStatus"]["@id"], "http://schema.org/CompletedActionStatus");
    assert!(parts.contains(action["result"]["@id"].as_str().expect("its raw file")));

    // The tables say what the database says.
    let (_, csv) = talk.app.get(&reader, &path.replace("crate.zip", "results.csv")).await;
    assert_eq!(files["results.csv"], csv.as_str().expect("text").as_bytes());
    assert_eq!(rows(&files, "results.csv").len(), 8);
    assert!(files["results.parquet"].starts_with(b"PAR1"));
    let count = |sql| laboratory.count(sql);
    assert_eq!(rows(&files, "wells.csv").len() as i64, count("select count(*) from well").await);
    assert_eq!(rows(&files, "readings.csv").len() as i64, count("select count(*) from reading").await);
    assert_eq!(rows(&files, "proposals.csv").len() as i64, count("select count(*) from proposal").await);
    assert_eq!(rows(&files, "approvals.csv").len() as i64, count("select count(*) from approval").await);
    let models: Vec<Value> = serde_json::from_slice(&files["models.json"]).expect("JSON");
    assert_eq!(models.len() as i64, count("select count(*) from model_version").await);
    let rounds: Vec<Value> = serde_json::from_slice(&files["rounds.json"]).expect("JSON");
    assert_eq!(rounds.len(), 2);

    // Raw files are the reader's, byte for byte, and the readings lead to them.
    let raw: BTreeSet<String> =
        files.keys().filter_map(|path| path.strip_prefix("raw/")).map(|name| name[..64].to_owned()).collect();
    assert_eq!(raw.len(), 2);
    for (path, content) in files.iter().filter(|(path, _)| path.starts_with("raw/")) {
        assert!(path.contains(&Digest::of(content).to_string()), "{path}");
    }
    let led_to: BTreeSet<String> =
        rows(&files, "readings.csv").iter().map(|row| row["raw_sha256"].clone()).collect();
    assert_eq!(led_to, raw);

    let exported =
        "select count(*) from event where kind = 'ResultsExported' and body ->> 'format' = 'crate'";
    assert_eq!(laboratory.count(exported).await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_crate_says_what_is_wrong_and_breaks_off_rather_than_lie(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 1, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    let talk = Talk::at(&laboratory);
    let reader = talk.app.token(&[Scope::Read]).await;
    let path = format!("/api/v1/campaigns/{}/crate.zip", laboratory.campaign);

    // Before anything was measured: nothing is missing, and no licence is made up.
    let answer =
        talk.app.router.clone().oneshot(request("GET", &reader, &path, None)).await.expect("an answer");
    let files = unpacked(to_bytes(answer.into_body(), 16 << 20).await.expect("a whole body").to_vec());
    let described = metadata(&files);
    let graph = described["@graph"].as_array().expect("a graph");
    let licence =
        graph.iter().find(|entity| entity["@id"] == "#no-licence").expect("what stands for a licence");
    assert_eq!(licence["name"], "No licence stated");
    assert!(files["readings.csv"].is_empty());

    for wrong in ["CC-BY", "javascript:alert(1)", &format!("https://x/{}", "a".repeat(400))] {
        let (status, problem) = talk.app.get(&reader, &format!("{path}?licence={wrong}")).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &"crate.licence_invalid".into())
        );
    }
    let unknown = path.replace(&laboratory.campaign.to_string(), "01890000-0000-7000-8000-000000000000");
    assert_eq!(talk.app.get(&reader, &unknown).await.0, StatusCode::NOT_FOUND);

    // Others are being sent.
    let places = talk.app.state.crate_places.clone();
    let taken = places.try_acquire_many(2).expect("nobody else is sent anything");
    let (status, problem) = talk.app.get(&reader, &path).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"crate.busy".into()));
    drop(taken);

    // A raw file that the store has lost.
    laboratory.run().await;
    let lost = "update job_outcome set output = jsonb_set(output, '{result,raw}', to_jsonb(repeat('ab', 32)))
                where output -> 'result' ->> 'format' is not null";
    sqlx::query(
        "insert into blob (sha256, size_bytes, media_type, created_by)
                 select decode(repeat('ab', 32), 'hex'), 1, 'text/csv', id from actor limit 1",
    )
    .execute(&laboratory.pool)
    .await
    .expect("a row without bytes");
    assert_eq!(sqlx::query(lost).execute(&laboratory.pool).await.expect("pointed there").rows_affected(), 1);
    let answer =
        talk.app.router.clone().oneshot(request("GET", &reader, &path, None)).await.expect("an answer");
    assert!(to_bytes(answer.into_body(), 16 << 20).await.is_err(), "half a crate is no crate");
}
