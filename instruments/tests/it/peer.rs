//! Against the vendor's own software, where there is any.
//!
//! | variable | what |
//! |---|---|
//! | `OPENTRONS_URL` | a robot server, simulated or with nothing on its deck that matters |
//! | `OPENTRONS_PYTHON` | a Python that has `opentrons==8.8.2` installed (Python 3.10) |

use crate::bed::{dispense, lease, timings};
use instruments::drivers::opentrons::protocol_files;
use instruments::drivers::{DriverKind, Timings};
use instruments::transfers::{TransferList, opentrons_picklist};
use jobs::JobId;
use jobs::work::physical::Dispense;
use jobs::work::{Outcome, Work};
use jobs::worker::Attempt;
use std::time::Duration;

/// Runs the vendor's analyzer on what the driver would upload for `job`.
fn analyze(python: &str, job: &Dispense) -> serde_json::Value {
    let list = TransferList::check(JobId::fresh(), job).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut files = protocol_files(&list);
    files.push((
        "picklist.csv".to_owned(),
        opentrons_picklist(&list, &job.tip_rack_slots).unwrap(),
    ));
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let uploaded = files
        .iter()
        .map(|(name, _)| name)
        .filter(|name| *name != "picklist.csv");
    let done = std::process::Command::new(python)
        .current_dir(folder.path())
        .args([
            "-m",
            "opentrons.cli",
            "analyze",
            "--json-output",
            "out.json",
        ])
        .args(["--rtp-files", r#"{"picklist":"picklist.csv"}"#])
        .args(uploaded)
        .output()
        .unwrap();
    let out = std::fs::read(folder.path().join("out.json"));
    let out = out.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn the_vendors_analyzer_finds_our_transfers_in_the_vetted_protocol() {
    let Ok(python) = std::env::var("OPENTRONS_PYTHON") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_vendors_analyzer_finds_our_transfers_in_the_vetted_protocol: OPENTRONS_PYTHON is not set"
        );
        return;
    };
    for labware in instruments::labware::Labware::all() {
        let mut job = dispense();
        job.deck[0].plate.labware = labware.load_name.to_owned();
        job.transfers[3].destination_well = labware.format.wells().last().unwrap().to_string();
        // As many as there are tips.
        job.transfers = job.transfers.iter().cloned().cycle().take(192).collect();
        let analysis = analyze(&python, &job);
        assert_eq!(
            analysis["result"], "ok",
            "{}: {}",
            labware.load_name, analysis["errors"]
        );
        let commands = analysis["commands"].as_array().unwrap();
        let of = |kind: &str| {
            commands
                .iter()
                .filter(|c| c["commandType"] == kind)
                .collect::<Vec<_>>()
        };
        let dispensed = of("dispense");
        assert_eq!(
            (of("pickUpTip").len(), of("aspirate").len(), dispensed.len()),
            (192, 192, 192)
        );
        for (command, transfer) in dispensed.iter().zip(&job.transfers) {
            assert_eq!(command["params"]["wellName"], transfer.destination_well);
            assert_eq!(command["result"]["volume"], 2.5);
        }
    }
}

#[test]
fn the_vendors_analyzer_refuses_what_the_protocol_refuses() {
    let Ok(python) = std::env::var("OPENTRONS_PYTHON") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_vendors_analyzer_refuses_what_the_protocol_refuses: OPENTRONS_PYTHON is not set"
        );
        return;
    };
    let mut job = dispense();
    // A plate where a tip rack stands.
    job.deck[1].slot = "10".to_owned();
    let analysis = analyze(&python, &job);
    assert_eq!(analysis["result"], "not-ok");
}

/// `OPENTRONS_URL`: see above.
#[tokio::test]
async fn the_driver_runs_the_protocol_on_a_real_robot_server() {
    let Ok(url) = std::env::var("OPENTRONS_URL") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_driver_runs_the_protocol_on_a_real_robot_server: OPENTRONS_URL is not set"
        );
        return;
    };
    let patient = Timings {
        poll_limit: Duration::from_millis(500),
        analysis: Duration::from_secs(300),
        longest_work: Duration::from_secs(1800),
        ..timings()
    };
    let handler = DriverKind::Opentrons
        .connect(&url, "handler-1", patient)
        .unwrap();
    let spool = tempfile::tempdir().unwrap();
    let attempt = Attempt::rehearsal(lease(Work::Dispense(dispense())), spool.path()).unwrap();
    let outcome = handler.perform(&attempt).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}
