//! The process: killed in the middle, started again, ended.

use crate::support::{Lab, load_deck, moves_body};
use bench::listen::Endpoints;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

struct Process {
    child: Child,
    /// Held open: the process ends with it.
    input: Option<ChildStdin>,
    lab: Lab,
}

impl Process {
    async fn start(dir: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_loopwright-bench"))
            .arg("--dir")
            .arg(dir)
            .args(["--genes", "40", "--assay-plates", "3", "--exit-with-stdin"])
            .args(options)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let answers = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("the bench answers") {
                    break;
                }
            }
        };
        within(answers).await;
        // The rest is of no interest, but the pipe has to be emptied.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let path = dir.join("endpoints.json");
        let endpoints: Endpoints = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self { input: child.stdin.take(), child, lab: Lab::new(endpoints) }
    }

    async fn is_dead(&mut self) {
        within(self.child.wait()).await.unwrap();
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

#[tokio::test]
async fn a_robot_killed_in_mid_run_shows_a_lost_run_and_the_world_remembers_what_moved() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = Process::start(dir.path(), &[]).await;
    load_deck(&killed.lab).await;
    killed.lab.post("control", "/faults", json!({ "kind": "crash", "after_transfers": 3 })).await;
    let rows: Vec<_> = ["C3", "C4", "C5", "C6", "C7"].map(|well| ("2", "A1", well, 1.0)).into();
    let run = killed.lab.new_run(&rows).await;
    killed.lab.act(&run, "play").await;
    killed.is_dead().await;

    let again = Process::start(dir.path(), &[]).await;
    assert_eq!(again.lab.endpoints, killed.lab.endpoints, "the same ports");
    let lost = again.lab.get("handler-1", &format!("/runs/{run}")).await;
    assert_eq!(lost.status, 200);
    assert_eq!(
        (&lost.data()["ok"], &lost.data()["status"], &lost.data()["current"]),
        (&json!(false), &json!("stopped"), &json!(false))
    );
    let commands = again.lab.get("handler-1", &format!("/runs/{run}/commands?cursor=0")).await;
    assert_eq!((commands.data(), &commands.body["meta"]["totalLength"]), (&json!([]), &json!(0)));
    assert_eq!(again.lab.truth("transferred").await.len(), 3);
    let wells = again.lab.get("control", "/plates/ASY-0001/wells").await.body;
    let dispensed = |well: &str| wells[well]["G0001"].as_f64().is_some();
    assert_eq!(["C3", "C5", "C6"].map(dispensed), [true, true, false]);
    // The robot works again.
    assert_eq!(again.lab.dispense(&[("2", "A1", "C6", 1.0)]).await["status"], "succeeded");
}

#[tokio::test]
async fn an_operation_killed_in_the_middle_is_unknown_and_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = Process::start(dir.path(), &[]).await;
    killed.lab.post("control", "/faults", json!({ "kind": "crash", "after_moves": 1 })).await;
    let moves = moves_body(
        "m1",
        &[
            ("ASY-0001", ("storage", "ASY-0001"), ("incubator-1", "1")),
            ("ASY-0002", ("storage", "ASY-0002"), ("incubator-1", "2")),
        ],
    );
    let url = killed.lab.url("mover-1", "/moves");
    let broken = reqwest::Client::new().post(url).json(&moves).send().await;
    assert!(broken.is_err(), "{broken:?}");
    killed.is_dead().await;

    let again = Process::start(dir.path(), &[]).await;
    let reposted = again.lab.post("mover-1", "/moves", moves).await;
    assert_eq!((reposted.status, &reposted.body["status"]), (200, &json!("unknown")));
    assert_eq!(
        reposted.body["arrived"],
        json!([{ "barcode": "ASY-0001", "at": { "device": "incubator-1", "slot": "1" } }])
    );
    let plates = again.lab.get("control", "/plates").await.body;
    let at = |barcode: &str| {
        plates
            .as_array()
            .unwrap()
            .iter()
            .find(|plate| plate["barcode"] == barcode)
            .map(|plate| plate["at"]["device"].clone())
    };
    assert_eq!((at("ASY-0001"), at("ASY-0002")), (Some(json!("incubator-1")), Some(json!("storage"))));
}

#[tokio::test]
async fn a_finished_run_and_a_read_file_outlive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = Process::start(dir.path(), &[]).await;
    load_deck(&killed.lab).await;
    let run = killed.lab.dispense(&[("2", "A1", "C3", 1.0)]).await;
    let run = run["id"].as_str().unwrap();
    killed.lab.bring("out", &[("ASY-0001", ("handler-1", "1"), ("reader-1", "1"))]).await;
    let first = killed.lab.read("r1", "ASY-0001").await;
    killed.child.kill().await.unwrap();

    let again = Process::start(dir.path(), &[]).await;
    let kept = again.lab.get("handler-1", &format!("/runs/{run}")).await;
    assert_eq!((&kept.data()["ok"], &kept.data()["status"]), (&json!(true), &json!("succeeded")));
    let commands = again.lab.get("handler-1", &format!("/runs/{run}/commands?cursor=0&pageLength=100")).await;
    assert!(
        commands
            .data()
            .as_array()
            .unwrap()
            .iter()
            .any(|command: &Value| command["commandType"] == "dispense")
    );
    assert_eq!(again.lab.read("r1", "ASY-0001").await, first, "posted again, the reading is the same file");
}

#[tokio::test]
async fn it_ends_when_its_input_closes_and_says_when_its_port_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Process::start(dir.path(), &[]).await;
    drop(first.input.take());
    let status = within(first.child.wait()).await.unwrap();
    assert!(status.success());

    let port = first.lab.endpoints["reader-1"].rsplit(':').next().unwrap().to_owned();
    let _squatter = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_loopwright-bench"))
        .arg("--dir")
        .arg(dir.path())
        .args(["--genes", "40", "--assay-plates", "3"])
        .kill_on_drop(true)
        .output();
    let refused = within(refused).await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains(&format!("port {port} of reader-1 is taken")),
        "{said}"
    );
}
