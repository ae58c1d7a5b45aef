//! The liquid handler's habits, as measured on the vendor's server.

use crate::support::{TestBench, load_deck, picklist};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

const ROW: (&str, &str, &str, f64) = ("2", "A1", "C3", 1.0);

#[tokio::test]
async fn every_route_asks_for_the_api_version() {
    let bench = TestBench::replay(&[]).await;
    let client = reqwest::Client::new();
    for path in ["/health", "/runs", "/protocols", "/dataFiles", "/nowhere"] {
        let url = bench.lab.url("handler-1", path);
        let ask = |version: Option<&'static str>| {
            let request = client.get(&url);
            version.map_or(client.get(&url), |version| request.header("Opentrons-Version", version)).send()
        };
        assert_eq!(ask(None).await.unwrap().status(), 422, "{path}");
        assert_eq!(ask(Some("one")).await.unwrap().status(), 422, "{path}");
        assert_eq!(ask(Some("1")).await.unwrap().status(), 400, "{path}");
        assert_eq!(ask(Some("*")).await.unwrap().headers()["opentrons-version"], "4", "{path}");
    }
    let health = bench.lab.get("handler-1", "/health").await.body;
    assert_eq!((&health["robot_model"], &health["api_version"]), (&json!("OT-2 Standard"), &json!("8.1.0")));
}

#[tokio::test]
async fn identical_files_are_one_protocol_and_one_data_file() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    let (first, again) = (lab.upload_protocol().await, lab.upload_protocol().await);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.id(), again.id());
    let (first, again) =
        (lab.upload_picklist(picklist(&[ROW])).await, lab.upload_picklist(picklist(&[ROW])).await);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.id(), again.id());
    assert_eq!(lab.upload_picklist(picklist(&[ROW, ROW])).await.status, 201);
}

#[tokio::test]
async fn files_that_are_no_protocol_of_this_robot_are_refused() {
    let bench = TestBench::replay(&[]).await;
    for (source, error) in [
        ("def run(protocol:\n", "ok"),
        ("print('no run here')", "ProtocolFilesInvalid"),
        ("requirements = {'robotType': 'Flex'}\ndef run(protocol): pass", "ProtocolRobotTypeMismatch"),
    ] {
        let form = Form::new().part("files", Part::text(source).file_name("p.py"));
        let answer =
            bench.lab.send(bench.lab.request(Method::POST, "handler-1", "/protocols").multipart(form)).await;
        if error == "ok" {
            assert_eq!(answer.status, 201);
        } else {
            assert_eq!((answer.status, answer.error()), (422, error));
        }
    }
}

async fn last_analysis(bench: &TestBench, protocol: &str) -> Value {
    loop {
        let answer = bench.lab.get("handler-1", &format!("/protocols/{protocol}/analyses")).await;
        let last = answer.data().as_array().unwrap().last().unwrap().clone();
        if last["status"] == "completed" {
            return last;
        }
        assert_eq!(last["status"], "pending");
    }
}

#[tokio::test]
async fn an_analysis_is_pending_then_says_which_picklist_it_needs_or_why_it_cannot() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    let uploaded = lab.upload_protocol().await;
    assert_eq!(uploaded.data()["analysisSummaries"][0]["status"], "pending");
    let protocol = uploaded.id();
    let analysis = last_analysis(&bench, &protocol).await;
    assert_eq!(analysis["result"], "parameter-value-required");
    let parameter = &analysis["runTimeParameters"][0];
    assert_eq!((&parameter["variableName"], &parameter["type"]), (&json!("picklist"), &json!("csv_file")));

    for (rows, result) in [
        (vec![ROW], "ok"),
        (vec![("2", "A1", "Z99", 1.0)], "not-ok"),
        (vec![("2", "A1", "C3", 0.2)], "not-ok"),
    ] {
        let file = lab.upload_picklist(picklist(&rows)).await.id();
        let body = json!({ "data": { "runTimeParameterFiles": { "picklist": file } } });
        let queued = lab.post("handler-1", &format!("/protocols/{protocol}/analyses"), body).await;
        assert_eq!(queued.status, 201, "{queued:?}");
        let analysis = last_analysis(&bench, &protocol).await;
        assert_eq!(analysis["result"], result, "{analysis}");
        assert_eq!(analysis["errors"].as_array().unwrap().is_empty(), result == "ok");
    }
}

#[tokio::test]
async fn the_last_analysis_is_of_the_last_picklist_and_old_ones_go() {
    let bench = TestBench::replay(&[]).await;
    let protocol = bench.lab.upload_protocol().await.id();
    for row in 1..=7 {
        let file = bench.lab.upload_picklist(picklist(&vec![ROW; row])).await.id();
        let parameters = json!({ "picklist": file }).to_string();
        let part = Part::text(crate::support::PROTOCOL).file_name("cherrypick.py");
        let form = Form::new().part("files", part).text("runTimeParameterFiles", parameters);
        let again =
            bench.lab.send(bench.lab.request(Method::POST, "handler-1", "/protocols").multipart(form)).await;
        assert_eq!((again.status, again.id()), (200, protocol.clone()));
        let last = last_analysis(&bench, &protocol).await;
        assert_eq!(
            (&last["result"], &last["runTimeParameters"][0]["file"]["id"]),
            (&json!("ok"), &json!(file))
        );
    }
    let kept = bench.lab.get("handler-1", &format!("/protocols/{protocol}/analyses")).await;
    assert_eq!(kept.data().as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn an_idle_run_is_silently_replaced_and_dead_afterwards() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    let first = lab.new_run(&[ROW]).await;
    let second = lab.new_run(&[ROW]).await;
    assert_ne!(first, second);
    let replaced = lab.get("handler-1", &format!("/runs/{first}")).await;
    assert_eq!(
        (&replaced.data()["status"], &replaced.data()["current"], &replaced.data()["ok"]),
        (&json!("stopped"), &json!(false), &json!(true))
    );
    let refused = lab.act(&first, "play").await;
    assert_eq!((refused.status, refused.error()), (409, "RunStopped"));
    let runs = lab.get("handler-1", "/runs").await;
    assert_eq!(runs.body["links"]["current"]["href"], format!("/runs/{second}"));
}

#[tokio::test]
async fn while_one_runs_no_other_is_made_and_the_deck_is_not_touched() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    // It waits for a person: that well is not in the library, and no rule says to fail.
    let run = lab.new_run(&[("2", "P24", "C3", 1.0), ROW]).await;
    lab.act(&run, "play").await;
    let waiting = lab.await_status(&run, &["awaiting-recovery"]).await;
    assert_eq!(waiting["hasEverEnteredErrorRecovery"], true);

    let body = json!({ "data": { "protocolId": lab.upload_protocol().await.id() } });
    let refused = lab.post("handler-1", "/runs", body).await;
    assert_eq!((refused.status, refused.error()), (409, "RunAlreadyActive"));
    let refused = lab.send(lab.request(Method::DELETE, "handler-1", &format!("/runs/{run}"))).await;
    assert_eq!((refused.status, refused.error()), (409, "RunNotIdle"));
    let moves =
        crate::support::moves_body("early", &[("ASY-0001", ("handler-1", "1"), ("storage", "ASY-0001"))]);
    let refused = lab.post("mover-1", "/moves", moves).await;
    assert_eq!(refused.body["error"]["code"], "device_busy");
    let refused = lab.act(&run, "play").await;
    assert_eq!((refused.status, refused.error()), (409, "RunActionNotAllowed"));

    assert_eq!(lab.act(&run, "resume-from-recovery").await.status, 201);
    let ended = lab.await_status(&run, &["succeeded", "failed"]).await;
    assert_eq!(
        (&ended["status"], &ended["hasEverEnteredErrorRecovery"]),
        (&json!("succeeded"), &json!(true))
    );
    let moved = lab.truth("transferred").await;
    assert_eq!(
        moved.iter().map(|event| event["dispensed_nl"].as_f64().unwrap() > 0.0).collect::<Vec<_>>(),
        [false, true]
    );
    // Stop after the end is accepted, play is not.
    assert_eq!(lab.act(&run, "stop").await.status, 201);
    let refused = lab.act(&run, "play").await;
    assert_eq!((refused.status, refused.error()), (409, "RunActionNotAllowed"));
}

#[tokio::test]
async fn an_unknown_parameter_is_a_500_and_poisons_the_next_run_only() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    let protocol = lab.upload_protocol().await.id();
    let good = json!({ "data": { "protocolId": protocol } });
    let bad = json!({ "data": { "protocolId": protocol, "runTimeParameterValues": { "cycles": 3 } } });
    let mut statuses = Vec::new();
    for body in [&bad, &good, &good] {
        statuses.push(lab.post("handler-1", "/runs", body.clone()).await.status);
    }
    assert_eq!(statuses, [500, 500, 201]);
}

#[tokio::test]
async fn a_run_lists_what_it_did_and_says_what_really_moved() {
    let bench = TestBench::replay(&["--dispense-cv", "0.1"]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    let rows: Vec<_> = (1..=12).map(|n| ("2", "A2", ["C3", "C4"][n % 2], 1.0)).collect();
    let run = lab.dispense(&rows).await;
    assert_eq!((&run["status"], &run["ok"]), (&json!("succeeded"), &json!(true)), "{run}");
    let id = run["id"].as_str().unwrap();
    let labware: Vec<_> =
        run["labware"].as_array().unwrap().iter().map(|one| one["location"]["slotName"].clone()).collect();
    assert_eq!(labware, [json!("10"), json!("11"), json!("1"), json!("2")]);

    // The window without a cursor misses the beginning; with one, nothing is missed.
    let window = lab.get("handler-1", &format!("/runs/{id}/commands?pageLength=5")).await.body;
    let total = window["meta"]["totalLength"].as_u64().unwrap();
    assert_eq!((total, window["meta"]["cursor"].as_u64().unwrap()), (5 + 12 * 5, total - 5));
    let beyond = lab.get("handler-1", &format!("/runs/{id}/commands?cursor={total}")).await.body;
    assert_eq!(beyond["meta"]["cursor"].as_u64(), Some(total - 1));
    let all = lab.get("handler-1", &format!("/runs/{id}/commands?cursor=0&pageLength={total}")).await;
    let kinds: Vec<_> =
        all.data().as_array().unwrap().iter().map(|one| one["commandType"].as_str().unwrap()).collect();
    assert_eq!(kinds[5..10], ["pickUpTip", "liquidProbe", "aspirate", "dispense", "dropTipInPlace"]);

    let whole = lab.get("handler-1", &format!("/runs/{id}/commandsAsPreSerializedList")).await;
    let reported: Vec<f64> = whole
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|text| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap())
        .filter(|command| command["commandType"] == "dispense")
        .map(|command| command["result"]["volume"].as_f64().unwrap())
        .collect();
    let truth: Vec<f64> = lab
        .truth("transferred")
        .await
        .iter()
        .map(|event| event["dispensed_nl"].as_f64().unwrap() / 1_000.0)
        .collect();
    assert_eq!(reported.len(), truth.len());
    // Both are whole picolitres; the division is not exact.
    assert!(reported.iter().zip(&truth).all(|(said, true_volume)| (said - true_volume).abs() < 1e-9));
    assert!(truth.iter().any(|volume| (volume - 1.0).abs() > 0.01));
    let one = &all.data()[7];
    let single = lab.get("handler-1", &format!("/runs/{id}/commands/{}", one["id"].as_str().unwrap())).await;
    assert_eq!(single.data()["params"], one["params"]);
    assert!(single.data()["result"]["volume"].is_number());
}

#[tokio::test]
async fn an_empty_source_fails_the_run_where_the_rule_says_so() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    for (reaction, status, moved) in [("failRun", "failed", 1), ("ignoreAndContinue", "succeeded", 4)] {
        let run = lab.new_run(&[ROW, ("2", "P24", "C4", 1.0), ROW]).await;
        let rules = json!({ "data": { "policyRules": [{
            "matchCriteria": { "command": { "commandType": "liquidProbe", "error": { "errorType": "liquidNotFound" } } },
            "ifMatch": reaction,
        }] } });
        let request = lab.request(Method::PUT, "handler-1", &format!("/runs/{run}/errorRecoveryPolicy"));
        assert_eq!(lab.send(request.json(&rules)).await.status, 200);
        lab.act(&run, "play").await;
        let ended = lab.await_status(&run, &["succeeded", "failed"]).await;
        assert_eq!(
            (&ended["status"], &ended["hasEverEnteredErrorRecovery"]),
            (&json!(status), &json!(false))
        );
        assert_eq!(lab.truth("transferred").await.len(), moved, "{reaction}");
        if reaction == "failRun" {
            assert_eq!(innermost(&ended["errors"][0])["errorCode"], "2017");
            let errors = lab.get("handler-1", &format!("/runs/{run}/commandErrors")).await;
            assert_eq!(errors.data()[0]["errorType"], "liquidNotFound");
        }
    }
}

fn innermost(error: &Value) -> &Value {
    match error["wrappedErrors"].get(0) {
        Some(inner) => innermost(inner),
        None => error,
    }
}

#[tokio::test]
async fn a_run_that_is_to_fail_fails_before_anything_moves_and_not_twice() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    lab.post("control", "/faults", json!({ "kind": "fail_next_run" })).await;
    let failed = lab.dispense(&[ROW]).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(innermost(&failed["errors"][0])["errorCode"], "3010");
    assert!(lab.truth("transferred").await.is_empty());
    lab.post("control", "/faults", json!({ "kind": "fail_next_run", "code": "2003", "after_transfers": 2 }))
        .await;
    assert_eq!(lab.dispense(&[ROW, ROW, ROW]).await["status"], "failed");
    assert_eq!(lab.truth("transferred").await.len(), 2);
    assert_eq!(lab.dispense(&[ROW]).await["status"], "succeeded");
}

#[tokio::test]
async fn a_picklist_that_was_not_ok_runs_nonetheless_and_fails() {
    let bench = TestBench::replay(&[]).await;
    let failed = bench.lab.dispense(&[("2", "A1", "Z99", 1.0)]).await;
    assert_eq!(failed["status"], "failed");
    assert!(failed["errors"][0]["detail"].as_str().unwrap().contains("line 2"), "{failed}");
}

#[tokio::test]
async fn twenty_runs_are_kept_and_one_can_be_deleted() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    let first = lab.new_run(&[ROW]).await;
    let mut last = String::new();
    for _ in 0..20 {
        last = lab.new_run(&[ROW]).await;
    }
    assert_eq!(lab.get("handler-1", &format!("/runs/{first}")).await.error(), "RunNotFound");
    assert_eq!(lab.get("handler-1", "/runs").await.data().as_array().unwrap().len(), 20);
    let delete = || lab.send(lab.request(Method::DELETE, "handler-1", &format!("/runs/{last}")));
    assert_eq!(delete().await.status, 200);
    assert_eq!(delete().await.status, 404);
}

#[tokio::test]
async fn a_paused_run_holds_until_it_is_played_or_stopped() {
    let bench = TestBench::replay(&["--speed", "0.01"]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    let rows: Vec<_> = std::iter::repeat_n(ROW, 40).collect();
    let run = lab.new_run(&rows).await;
    assert_eq!(lab.act(&run, "pause").await.status, 409);
    lab.act(&run, "play").await;
    assert_eq!(lab.act(&run, "play").await.status, 201);
    assert_eq!(lab.act(&run, "pause").await.status, 201);
    lab.await_status(&run, &["paused"]).await;
    assert_eq!(lab.act(&run, "stop").await.status, 201);
    let stopped = lab.await_status(&run, &["stopped"]).await;
    assert_eq!((&stopped["ok"], &stopped["errors"]), (&json!(true), &json!([])));
    let moved = lab.truth("transferred").await.len();
    assert!(moved < 40, "{moved}");
}

#[tokio::test]
async fn clients_leave_notes_for_each_other() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    assert_eq!(lab.get("handler-1", "/clientData/owner").await.status, 404);
    let put =
        lab.request(Method::PUT, "handler-1", "/clientData/owner").json(&json!({ "data": { "job": "7" } }));
    assert_eq!(lab.send(put).await.status, 200);
    assert_eq!(lab.get("handler-1", "/clientData/owner").await.data()["job"], "7");
}

#[tokio::test]
async fn a_maintenance_run_is_ended_by_a_play_and_not_by_a_run_that_is_made() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    let current = || lab.get("handler-1", "/maintenance_runs/current_run");
    let none = current().await;
    assert_eq!((none.status, none.error()), (404, "NoCurrentRunFound"));
    let made = lab.post("handler-1", "/maintenance_runs", json!({ "data": {} })).await;
    assert_eq!(made.status, 201);
    let run = lab.new_run(&[ROW]).await;
    assert_eq!(current().await.id(), made.id());
    assert_eq!(lab.act(&run, "play").await.status, 201);
    assert_eq!(current().await.status, 404);
    lab.await_status(&run, &["succeeded"]).await;
    let door = lab.get("handler-1", "/robot/door/status").await;
    assert_eq!(door.data()["status"], "closed");
}
