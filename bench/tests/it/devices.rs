//! Mover, incubator, reader and control over HTTP.

use crate::support::{TestBench, moves_body};
use serde_json::{Value, json};

#[tokio::test]
async fn a_move_posted_again_is_not_repeated() {
    let bench = TestBench::replay(&[]).await;
    let body = moves_body("m1", &[("ASY-0001", ("storage", "ASY-0001"), ("incubator-1", "3"))]);
    let first = bench.lab.post("mover-1", "/moves", body.clone()).await;
    let again = bench.lab.post("mover-1", "/moves", body).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(first.body["arrived"][0]["at"], json!({ "device": "incubator-1", "slot": "3" }));
    assert_eq!(bench.lab.truth("plate_moved").await.len(), 1);
    let other = moves_body("m1", &[("ASY-0002", ("storage", "ASY-0002"), ("incubator-1", "4"))]);
    let refused = bench.lab.post("mover-1", "/moves", other).await;
    assert_eq!((refused.status, &refused.body["error"]["code"]), (409, &json!("id_conflict")));
    assert_eq!(bench.lab.get("mover-1", "/moves/m2").await.status, 404);
}

#[tokio::test]
async fn a_mover_says_what_arrived_before_it_failed() {
    let bench = TestBench::replay(&[]).await;
    let storage = |barcode| ("storage", barcode);
    for (second, code) in [
        (("ASY-0002", ("incubator-1", "1"), ("incubator-1", "2")), "other_plate"),
        (("ASY-0002", storage("ASY-0009"), ("incubator-1", "2")), "no_plate"),
        (("ASY-0002", storage("ASY-0002"), ("incubator-1", "1")), "occupied"),
        (("ASY-0002", storage("ASY-0002"), ("handler-1", "10")), "no_such_place"),
    ] {
        let there = ("ASY-0001", storage("ASY-0001"), ("incubator-1", "1"));
        let answer = bench.lab.post("mover-1", "/moves", moves_body(code, &[there, second])).await;
        assert_eq!(answer.body["status"], "failed");
        assert_eq!(answer.body["error"]["code"], code);
        assert_eq!(answer.body["arrived"].as_array().unwrap().len(), 1);
        bench
            .lab
            .bring(&format!("back-{code}"), &[("ASY-0001", ("incubator-1", "1"), storage("ASY-0001"))])
            .await;
    }
}

#[tokio::test]
async fn incubator_and_reader_look_at_what_stands_in_them() {
    let bench = TestBench::replay(&[]).await;
    let incubation = |id: &str, barcode: &str| json!({ "id": id, "slot": "1", "barcode": barcode, "temperature_celsius": 37.0, "co2_percent": 5.0, "hours": 72.0 });
    let read = |id: &str, channel: &str| json!({ "id": id, "slot": "1", "barcode": "ASY-0001", "channels": [channel] });
    let lab = &bench.lab;
    assert_eq!(
        lab.post("incubator-1", "/incubations", incubation("i1", "ASY-0001")).await.body["error"]["code"],
        "no_plate"
    );
    assert_eq!(lab.post("reader-1", "/reads", read("r1", "signal")).await.body["error"]["code"], "no_plate");
    assert_eq!(lab.post("reader-1", "/reads", read("r2", "colour")).await.status, 422);
    lab.bring("in", &[("ASY-0001", ("storage", "ASY-0001"), ("incubator-1", "1"))]).await;
    assert_eq!(
        lab.post("incubator-1", "/incubations", incubation("i2", "ASY-0002")).await.body["error"]["code"],
        "other_plate"
    );
    let begun = lab.post("incubator-1", "/incubations", incubation("i3", "ASY-0001")).await;
    assert_eq!(
        (&begun.body["status"], &begun.body["temperature_celsius"]),
        (&json!("succeeded"), &json!(37.0))
    );
    assert_eq!(lab.truth("incubated").await[0]["hours"], 72.0);
    assert_eq!(lab.get("reader-1", "/reads/r1/file").await.status, 409);
}

#[tokio::test]
async fn a_reading_is_a_file_with_a_row_for_each_well_and_channel() {
    let bench = TestBench::replay(&[]).await;
    bench.lab.bring("in", &[("ASY-0001", ("storage", "ASY-0001"), ("reader-1", "1"))]).await;
    let body = json!({ "id": "r/1", "slot": "1", "barcode": "ASY-0001", "channels": ["signal", "call"] });
    assert_eq!(bench.lab.post("reader-1", "/reads", body).await.body["status"], "succeeded");
    let text = bench.lab.text("reader-1", "/reads/r%2F1/file").await;
    let head: Vec<&str> = text.lines().take(4).collect();
    assert_eq!(
        head,
        ["# Plate: ASY-0001", "# Instrument: reader-1", "# Read: r/1", "Well,Channel,Value,Unit"]
    );
    assert_eq!(text.lines().count(), 4 + 2 * 384);
    assert!(text.lines().nth(4).unwrap().starts_with("A1,signal,"));
    assert_eq!(text.lines().last().unwrap(), "P24,call,0,call");
}

#[tokio::test]
async fn the_control_port_tells_what_stands_where() {
    let bench = TestBench::replay(&["--contexts", "D1,D2"]).await;
    let lab = &bench.lab;
    let specimen = lab.get("control", "/specimen").await.body;
    assert_eq!(
        (&specimen["genes"], &specimen["hits_total"], &specimen["pool_size"]),
        (&json!(7), &json!(2), &json!(14))
    );
    assert_eq!(lab.text("control", "/genes.csv").await, "gene\nAAA\nBBB\nCCC\nDDD\nEEE\nFFF\nGGG\n");
    assert_eq!(
        lab.text("control", "/assay-plates.csv").await,
        format!(
            "barcode,labware,context\nASY-0001,{0},D1\nASY-0002,{0},D2\nASY-0003,{0},D1\n",
            crate::support::PLATE
        )
    );
    let library = lab.library().await;
    assert_eq!(library["AAA"], ("LIB-0001".to_owned(), "A1".to_owned()));
    assert_eq!(library["POS"].0, "CTRL-0001");
    assert_eq!(lab.get("control", "/features.csv").await.status, 404);
    assert!(lab.text("control", "/answers.csv").await.contains("\nDDD,D1,6,1\n"));
}

#[tokio::test]
async fn stock_arrives_once_for_each_barcode() {
    let bench = TestBench::start(&["--genes", "50"]).await;
    let order = json!({
        "assay": [{ "barcode": "NEW-1", "context": "D1", "format": 96 }],
        "copies": [{ "barcode": "LIB-0001-B", "of": "LIB-0001" }],
    });
    let first = bench.lab.post("control", "/stock", order.clone()).await.body;
    let again = bench.lab.post("control", "/stock", order).await.body;
    assert_eq!(first, json!({ "created": ["NEW-1", "LIB-0001-B"], "existing": [] }));
    assert_eq!(again, json!({ "created": [], "existing": ["NEW-1", "LIB-0001-B"] }));
    let refused = bench
        .lab
        .post("control", "/stock", json!({ "copies": [{ "barcode": "X", "of": "ASY-0001" }] }))
        .await;
    assert_eq!(refused.status, 422);
    let plates: Vec<Value> = bench.lab.get("control", "/plates").await.body.as_array().unwrap().clone();
    assert!(
        plates
            .iter()
            .any(|plate| plate["barcode"] == "NEW-1" && plate["labware"] == "nest_96_wellplate_200ul_flat")
    );
}

#[tokio::test]
async fn features_of_a_synthetic_specimen_are_a_table_of_blocks() {
    let bench = TestBench::start(&["--genes", "50"]).await;
    let text = bench.lab.text("control", "/features.csv").await;
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header = rows.headers().unwrap().clone();
    assert_eq!(&header[0], "gene");
    assert!(
        header
            .iter()
            .skip(1)
            .all(|name| name.rsplit_once('_').is_some_and(|(_, index)| index.parse::<u32>().is_ok()))
    );
    let records: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 50);
    assert!(records.iter().all(|record| record.iter().skip(1).all(|value| value.parse::<f64>().is_ok())));
}
