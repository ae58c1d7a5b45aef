//! A bench to talk to, and the few things that most tests do with it.

use bench::bench::Bench;
use bench::listen::{Endpoints, Listening};
use bench::settings::Settings;
use clap::Parser;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const PLATE: &str = "corning_384_wellplate_112ul_flat";
pub const PROTOCOL: &str = include_str!("../../../instruments/protocols/cherrypick.py");

/// A screen whose scores and hits are known to the tests.
pub const SCREEN: &str =
    "gene,score,hit\nAAA,0.0,0\nBBB,1.0,0\nCCC,-2.0,0\nDDD,6.0,1\nEEE,0.5,0\nFFF,-0.5,0\nGGG,0.0,0\n";

/// A bench that answers in this process.
pub struct TestBench {
    pub lab: Lab,
    pub bench: Arc<Bench>,
    pub dir: TempDir,
    shutdown: CancellationToken,
}

/// The HTTP side of a bench, wherever it runs.
#[derive(Clone)]
pub struct Lab {
    pub endpoints: Endpoints,
    client: Client,
}

impl TestBench {
    pub async fn start(options: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), options).await
    }

    /// With [`SCREEN`] for a specimen.
    pub async fn replay(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let screen = dir.path().join("screen.csv");
        std::fs::write(&screen, SCREEN).unwrap();
        let screen = screen.to_str().unwrap().to_owned();
        let options: Vec<&str> = ["--screen", &screen].into_iter().chain(options.iter().copied()).collect();
        Self::start_in(dir, &options).await
    }

    pub async fn start_in(dir: TempDir, options: &[&str]) -> Self {
        let bench = Bench::open(settings(dir.path(), options), || panic!("no crash was asked for")).unwrap();
        let listening = Listening::open(bench.clone()).await.unwrap();
        let lab = Lab::new(listening.endpoints.clone());
        let shutdown = CancellationToken::new();
        tokio::spawn(listening.serve(shutdown.clone()));
        Self { lab, bench, dir, shutdown }
    }
}

impl Drop for TestBench {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub fn settings(dir: &Path, options: &[&str]) -> Settings {
    let base = ["loopwright-bench", "--fsync", "batch", "--assay-plates", "3", "--dir"].map(str::to_owned);
    let arguments = base
        .into_iter()
        .chain([dir.to_str().unwrap().to_owned()])
        .chain(options.iter().map(|o| (*o).to_owned()));
    Settings::try_parse_from(arguments).unwrap()
}

/// An answer: its status and its JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn data(&self) -> &Value {
        &self.body["data"]
    }

    pub fn id(&self) -> String {
        self.data()["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// The id of the first error.
    pub fn error(&self) -> &str {
        self.body["errors"][0]["id"].as_str().unwrap_or_default()
    }
}

impl Lab {
    pub fn new(endpoints: Endpoints) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { endpoints, client }
    }

    pub fn url(&self, device: &str, path: &str) -> String {
        format!("{}{path}", self.endpoints[device])
    }

    pub fn request(&self, method: reqwest::Method, device: &str, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.url(device, path));
        if device == "handler-1" { request.header("Opentrons-Version", "4") } else { request }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn get(&self, device: &str, path: &str) -> Answer {
        self.send(self.request(reqwest::Method::GET, device, path)).await
    }

    pub async fn post(&self, device: &str, path: &str, body: Value) -> Answer {
        self.send(self.request(reqwest::Method::POST, device, path).json(&body)).await
    }

    pub async fn text(&self, device: &str, path: &str) -> String {
        match self.get(device, path).await.body {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Brings plates from storage or elsewhere; panics unless all arrive.
    pub async fn bring(&self, id: &str, moves: &[(&str, (&str, &str), (&str, &str))]) {
        let answer = self.post("mover-1", "/moves", moves_body(id, moves)).await;
        assert_eq!(answer.body["status"], "succeeded", "{answer:?}");
    }

    pub async fn upload_protocol(&self) -> Answer {
        let part = Part::text(PROTOCOL).file_name("cherrypick.py");
        self.send(
            self.request(reqwest::Method::POST, "handler-1", "/protocols")
                .multipart(Form::new().part("files", part)),
        )
        .await
    }

    pub async fn upload_picklist(&self, text: String) -> Answer {
        let part = Part::text(text).file_name("picklist.csv");
        self.send(
            self.request(reqwest::Method::POST, "handler-1", "/dataFiles")
                .multipart(Form::new().part("file", part)),
        )
        .await
    }

    /// An idle run of `rows` (source slot, source well, destination well, µL) into slot 1.
    pub async fn new_run(&self, rows: &[(&str, &str, &str, f64)]) -> String {
        let protocol = self.upload_protocol().await.id();
        let file = self.upload_picklist(picklist(rows)).await.id();
        let body =
            json!({ "data": { "protocolId": protocol, "runTimeParameterFiles": { "picklist": file } } });
        let run = self.post("handler-1", "/runs", body).await;
        assert_eq!(run.status, 201, "{run:?}");
        run.id()
    }

    pub async fn act(&self, run: &str, action: &str) -> Answer {
        self.post("handler-1", &format!("/runs/{run}/actions"), json!({ "data": { "actionType": action } }))
            .await
    }

    /// Asks until the run is in one of `statuses`.
    pub async fn await_status(&self, run: &str, statuses: &[&str]) -> Value {
        let seen = async {
            loop {
                let answer = self.get("handler-1", &format!("/runs/{run}")).await;
                if statuses.iter().any(|status| answer.data()["status"] == *status) {
                    return answer.data().clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen)
            .await
            .unwrap_or_else(|_| panic!("the run never was {statuses:?}"))
    }

    /// Runs `rows` to the end.
    pub async fn dispense(&self, rows: &[(&str, &str, &str, f64)]) -> Value {
        let run = self.new_run(rows).await;
        assert_eq!(self.act(&run, "play").await.status, 201);
        self.await_status(&run, &["succeeded", "failed", "stopped"]).await
    }

    /// Reads the plate in the reader: values by well and channel.
    pub async fn read(&self, id: &str, barcode: &str) -> HashMap<(String, String), f64> {
        let body = json!({ "id": id, "slot": "1", "barcode": barcode, "channels": ["signal", "call"] });
        let answer = self.post("reader-1", "/reads", body).await;
        assert_eq!(answer.body["status"], "succeeded", "{answer:?}");
        let text = self.text("reader-1", &format!("/reads/{id}/file")).await;
        let mut rows = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        rows.records()
            .map(|record| record.unwrap())
            .map(|record| ((record[0].to_owned(), record[1].to_owned()), record[2].parse().unwrap()))
            .collect()
    }

    /// The truth log's events of one kind.
    pub async fn truth(&self, event: &str) -> Vec<Value> {
        let text = self.client.get(self.url("control", "/truth")).send().await.unwrap().text().await.unwrap();
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["event"] == event).collect()
    }

    /// In which well of which source plate each content stands.
    pub async fn library(&self) -> BTreeMap<String, (String, String)> {
        let text = self.text("control", "/library.csv").await;
        let mut found = BTreeMap::new();
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            let record = record.unwrap();
            found.entry(record[3].to_owned()).or_insert((record[0].to_owned(), record[2].to_owned()));
        }
        found
    }
}

pub fn moves_body(id: &str, moves: &[(&str, (&str, &str), (&str, &str))]) -> Value {
    let place = |(device, slot): (&str, &str)| json!({ "device": device, "slot": slot });
    let moves: Vec<Value> = moves
        .iter()
        .map(|(barcode, from, to)| json!({ "barcode": barcode, "labware": PLATE, "from": place(*from), "to": place(*to) }))
        .collect();
    json!({ "id": id, "moves": moves })
}

/// A picklist into slot 1, everything in 384 wells.
pub fn picklist(rows: &[(&str, &str, &str, f64)]) -> String {
    let mut text =
        "source_slot,source_labware,source_barcode,source_well,destination_slot,destination_labware,\
                    destination_barcode,destination_well,volume_ul,liquid_class,tip_rack_slots\n"
            .to_owned();
    for (slot, source, destination, volume) in rows {
        text.push_str(&format!(
            "{slot},{PLATE},SOURCE-{slot},{source},1,{PLATE},TARGET,{destination},{volume},water,10 11\n"
        ));
    }
    text
}

/// The deck of most tests: ASY-0001 in slot 1, LIB-0001 in 2, CTRL-0001 in 3.
pub async fn load_deck(lab: &Lab) {
    let from = |barcode| ("storage", barcode);
    lab.bring(
        "load",
        &[
            ("ASY-0001", from("ASY-0001"), ("handler-1", "1")),
            ("LIB-0001", from("LIB-0001"), ("handler-1", "2")),
            ("CTRL-0001", from("CTRL-0001"), ("handler-1", "3")),
        ],
    )
    .await;
}

/// The folder of measured data, or why the test is skipped.
pub fn measured(test: &str, file: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("LOOPWRIGHT_DATA")
        .map(std::path::PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    println!("LOOPWRIGHT-TEST-SKIPPED: {test}: {file} is not in the data folder");
    None
}
