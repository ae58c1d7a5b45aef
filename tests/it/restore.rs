//! Everything is lost, and robots had worked since the backup: their results come back, their jobs are in doubt, and
//! nothing is repeated.

use crate::clusters::Cluster;
use crate::demo::{assert_accounted, assert_nothing_dispensed_twice};
use crate::kills::{Scene, TRANSFERS, assert_whole_plates_were_read, count, transfers_into, truth};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::time::Duration;
use system_tests::laboratory::{Laboratory, binary};

fn loopwright(arguments: &[&str]) -> Output {
    Command::new(binary("loopwright")).args(arguments).env_remove("DATABASE_URL").output().unwrap()
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn on(laboratory: &Laboratory, cluster: &Cluster, command: &[&str], more: &[&str]) -> Output {
    let (url, data) = (cluster.url(), laboratory.path().join("demo/blobs"));
    let place = ["--json", "--database-url", &url, "--data-dir", data.to_str().unwrap()];
    loopwright(&[command, &place, more].concat())
}

#[test]
fn everything_is_lost_and_what_robots_did_since_the_backup_is_not_done_again() {
    let laboratory = Laboratory::new(&[
        "--leave-doubts",
        "--rounds",
        "2",
        "--batch",
        "24",
        "--seed",
        "7",
        "--transfer-seconds",
        "0.02",
    ]);
    let backups = laboratory.path().join("backups");
    let backups = backups.to_str().unwrap().to_owned();
    let cluster = Cluster::new(&laboratory.path().join("pg-1"));
    let mut scene = Scene::on(with_database(laboratory, &cluster));

    // In the middle of the first round's dispense; then the robots go on into the second round.
    scene.until_truth("a dispense under way", |truth| count(truth, "transferred") >= 5);
    let taken = told(&on(&scene.laboratory, &cluster, &["backup"], &["--to", &backups]));
    let again = told(&on(&scene.laboratory, &cluster, &["backup"], &["--to", &backups, "--keep", "2"]));
    assert!(again["name"].as_str() > taken["name"].as_str(), "{again}");
    scene.until_truth("the second round's reading", |truth| count(truth, "plate_read") >= 2);

    let laboratory = scene.cut();
    cluster.lose();
    std::fs::remove_dir_all(laboratory.path().join("demo/blobs")).unwrap();
    assert!(loopwright(&["backup", "verify", &backups]).status.success());

    let cluster = Cluster::new(&laboratory.path().join("pg-2"));
    let restored = told(&on(&laboratory, &cluster, &["restore"], &["--from", &backups]));
    assert_eq!(restored["restored"]["name"], again["name"], "the newest");
    let refused = on(&laboratory, &cluster, &["restore"], &["--from", &backups]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("Nothing was changed"), "{why}");

    let mut scene = Scene::on(with_database(laboratory, &cluster));
    let standing = everybody_told(&mut scene);
    assert_eq!(standing["opened_because"], "restored", "{standing}");
    assert!(standing["orphan_reports"].as_i64().unwrap() > 0, "the second round is not known: {standing}");
    let refused =
        Scene::operator(&scene.laboratory, &["reconciliation", "excuse", "nobody", "--reason", "x"]);
    assert!(refused.is_none(), "only who is awaited can be excused");
    settle_doubts(&mut scene);
    let lost = withdrawn_plate(&cluster);
    bring_plates_home(&mut scene, &cluster);
    let dispensed = count(&truth(&scene.laboratory), "transferred");
    assert_eq!(dispensed, 2 * TRANSFERS, "nobody was given work before it was closed");
    Scene::operator(&scene.laboratory, &["reconciliation", "close", "--reason", "looked at every plate"])
        .expect("it can be closed");

    let (laboratory, report) = scene.finish();
    assert_accounted(&report, 2, 24);
    assert_nothing_dispensed_twice(&laboratory);
    // The first round's plate, the second's as it was in the lost life, and as it is in this one.
    assert_whole_plates_were_read(&laboratory, 3);
    assert_eq!(
        transfers_into(&truth(&laboratory), &json!(lost)),
        TRANSFERS,
        "the withdrawn plate is left alone"
    );
    assert_eq!(cluster.ask("select count(*) from job_in_doubt"), "0");
}

fn with_database(mut laboratory: Laboratory, cluster: &Cluster) -> Laboratory {
    laboratory
        .arguments
        .retain(|argument| argument != "--database-url" && !argument.starts_with("postgres://"));
    laboratory.arguments.extend(["--database-url".to_owned(), cluster.url()]);
    laboratory
}

/// Waits until every agent has told what it did.
fn everybody_told(scene: &mut Scene) -> Value {
    scene.until("every agent's word", |laboratory| {
        let standing = Scene::operator(laboratory, &["reconciliation", "show"])?;
        let parties = standing["instruments"].as_array()?;
        let all = parties.len() == 4 && parties.iter().all(|party| party["state"] == "reconciled");
        all.then_some(standing)
    })
}

/// Says what the truth log says, of each job in doubt, in the order of the work.
fn settle_doubts(scene: &mut Scene) {
    let mut resolved = 0;
    loop {
        let listed = Scene::operator(&scene.laboratory, &["job", "list", "--state", "in_doubt"]).unwrap();
        let jobs = listed["items"].as_array().unwrap().clone();
        if jobs.is_empty() {
            break;
        }
        let before = resolved;
        for job in jobs {
            let id = job["id"].as_str().unwrap();
            let job = Scene::operator(&scene.laboratory, &["job", "show", id]).unwrap();
            assert!(happened(&truth(&scene.laboratory), &job), "the bench knows nothing of {job}");
            let words = ["job", "resolve", id, "done", "--reason", "the truth log says so"];
            // Refused while what comes before it is in doubt.
            resolved += usize::from(Scene::operator(&scene.laboratory, &words).is_some());
        }
        assert!(resolved > before, "nothing can be resolved any more: {listed}");
    }
    assert!(resolved > 0, "robots had worked since the backup");
}

fn happened(truth: &[Value], job: &Value) -> bool {
    let payload = &job["payload"];
    let of = |event: &str, barcode: &Value| {
        truth.iter().any(|it| it["event"] == event && it["barcode"] == *barcode)
    };
    match job["kind"].as_str().unwrap() {
        "dispense" => transfers_into(truth, &payload["transfers"][0]["destination_barcode"]) == TRANSFERS,
        "move" => payload["moves"].as_array().unwrap().iter().all(|one| of("plate_moved", &one["barcode"])),
        "incubate" => of("incubated", &payload["barcode"]),
        "read" => of("plate_read", &payload["barcode"]),
        other => panic!("a job of kind {other} is in doubt"),
    }
}

fn withdrawn_plate(cluster: &Cluster) -> String {
    let withdrawn = cluster.ask("select string_agg(barcode, ',') from stock_plate where state = 'withdrawn'");
    assert!(!withdrawn.is_empty() && !withdrawn.contains(','), "one plate of the lost life: {withdrawn}");
    withdrawn
}

/// What the tasks ask for: every plate to where the inventory says that it stands.
fn bring_plates_home(scene: &mut Scene, cluster: &Cluster) {
    scene.until("the consequences of what was resolved", |_| {
        (cluster.ask("select count(*) from settlement") == "0").then_some(())
    });
    let mut carried = 0;
    loop {
        let places = cluster.ask(
            "select json_object_agg(barcode, json_build_object('device', device, 'slot', slot, 'labware', labware))
             from plate_location join stock_plate using (barcode)",
        );
        let places: BTreeMap<String, Value> = serde_json::from_str(&places).unwrap();
        let plates = bench(&scene.laboratory, "control", "/plates", None);
        let plates = plates.as_array().unwrap().clone();
        let occupied = |place: &Value| {
            plates
                .iter()
                .any(|plate| plate["at"]["device"] == place["device"] && plate["at"]["slot"] == place["slot"])
        };
        let away = plates.iter().find_map(|plate| {
            let place = places.get(plate["barcode"].as_str()?)?;
            let is_home = plate["at"]["device"] == place["device"] && plate["at"]["slot"] == place["slot"];
            (!is_home && !occupied(place)).then(|| (plate.clone(), place.clone()))
        });
        let Some((plate, place)) = away else { break };
        carried += 1;
        let id = format!("by-hand-{carried}");
        let one = json!({
            "barcode": plate["barcode"], "labware": place["labware"], "from": plate["at"],
            "to": {"device": place["device"], "slot": place["slot"]},
        });
        bench(&scene.laboratory, "mover-1", "/moves", Some(json!({"id": id, "moves": [one]})));
        scene.until("a plate by hand", |laboratory| {
            let plates = bench(laboratory, "control", "/plates", None);
            let there = plates.as_array()?.iter().find(|it| it["barcode"] == plate["barcode"])?["at"].clone();
            (there["device"] == place["device"] && there["slot"] == place["slot"]).then_some(())
        });
    }
}

/// Asks a device of the bench, or posts to it.
fn bench(laboratory: &Laboratory, device: &str, route: &str, body: Option<Value>) -> Value {
    let text = std::fs::read_to_string(laboratory.path().join("demo/bench/endpoints.json")).unwrap();
    let endpoints: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    let url = format!("{}{route}", endpoints[device]);
    let http = reqwest::Client::new();
    let request = match body {
        Some(body) => http.post(url).json(&body),
        None => http.get(url),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let answer = request.timeout(Duration::from_secs(10)).send().await.unwrap();
        let text = answer.error_for_status().unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    })
}
