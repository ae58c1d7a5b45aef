//! Against the vendor's own software, where there is any.
//!
//! | variable | what |
//! |---|---|
//! | `OPENTRONS_URL` | a robot server, simulated or with nothing on its deck that matters |
//! | `OPENTRONS_PYTHON` | a Python that has `opentrons==8.8.2` installed (Python 3.10) |
//! | `WORKLIST_PYTHON` | a Python that has `robotools==1.16.0` and `kithairon==0.4.1` installed |
//!
//! Those of the last row are called as separate processes only, for their licences.

use crate::bed::{dispense, lease, timings};
use instruments::drivers::opentrons::protocol_files;
use instruments::drivers::{DriverKind, Reached, Timings};
use instruments::labware::PlateFormat;
use instruments::transfers::{
    EchoModel, EchoPlateTypes, PlateTypes, TransferList, echo_csv, opentrons_picklist, tecan_gwl,
};
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
    files.push(("picklist.csv".to_owned(), opentrons_picklist(&list, &job.tip_rack_slots).unwrap()));
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let uploaded = files.iter().map(|(name, _)| name).filter(|name| *name != "picklist.csv");
    let done = std::process::Command::new(python)
        .current_dir(folder.path())
        .args(["-m", "opentrons.cli", "analyze", "--json-output", "out.json"])
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
        assert_eq!(analysis["result"], "ok", "{}: {}", labware.load_name, analysis["errors"]);
        let commands = analysis["commands"].as_array().unwrap();
        let of = |kind: &str| commands.iter().filter(|c| c["commandType"] == kind).collect::<Vec<_>>();
        let dispensed = of("dispense");
        assert_eq!((of("pickUpTip").len(), of("aspirate").len(), dispensed.len()), (192, 192, 192));
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
    let handler = DriverKind::Opentrons.connect(Reached::ByUrl(&url), "handler-1", patient).unwrap();
    let spool = tempfile::tempdir().unwrap();
    let attempt = Attempt::rehearsal(lease(Work::Dispense(dispense())), spool.path()).unwrap();
    let outcome = handler.perform(&attempt).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}

/// Runs `script` with `file` as its argument under `WORKLIST_PYTHON`; what it prints. `None`: skipped.
fn worklist_python(test: &str, script: &str, file: &str) -> Option<String> {
    let Ok(python) = std::env::var("WORKLIST_PYTHON") else {
        println!("LOOPWRIGHT-TEST-SKIPPED: {test}: WORKLIST_PYTHON is not set");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worklist");
    std::fs::write(&path, file).unwrap();
    let done = std::process::Command::new(python).arg("-c").arg(script).arg(&path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).unwrap())
}

#[test]
fn robotools_writes_the_same_gwl() {
    let job = dispense();
    let list = TransferList::check(JobId::fresh(), &job).unwrap();
    let ours = tecan_gwl(&list, &PlateTypes::new()).unwrap();
    let script = "
import sys, robotools
rows = [line.split(';') for line in open(sys.argv[1], newline='').read().split('\\r\\n') if line]
wl = robotools.EvoWorklist()
for row in rows:
    if row[0] == 'C':
        wl.comment(row[1])
    elif row[0] == 'W1':
        wl.wash()
    else:
        step = wl.aspirate_well if row[0] == 'A' else wl.dispense_well
        step(row[1], int(row[4]), float(row[6]), liquid_class=row[7], rack_id=row[2], rack_type=row[3])
sys.stdout.write('\\n'.join(wl))
";
    let Some(theirs) = worklist_python("robotools_writes_the_same_gwl", script, &ours) else {
        return;
    };
    assert_eq!(theirs, ours.trim_end().replace("\r\n", "\n"));
}

#[test]
fn robotools_counts_positions_as_we_do() {
    let script = "
import robotools
from robotools.evotools.utils import get_well_position
for rows, columns in ((8, 12), (16, 24)):
    plate = robotools.Labware('x', rows, columns, min_volume=0, max_volume=1)
    print(*(f'{well}={get_well_position(plate, well)}' for well in plate.wells.flatten()))
";
    let Some(theirs) = worklist_python("robotools_counts_positions_as_we_do", script, "") else {
        return;
    };
    for (format, line) in [PlateFormat::Wells96, PlateFormat::Wells384].into_iter().zip(theirs.lines()) {
        let mut seen = 0;
        for (well, position) in line.split_whitespace().filter_map(|pair| pair.split_once('=')) {
            let well = well.parse().unwrap();
            assert_eq!(format.column_major_index(well).unwrap() + 1, position.parse::<u32>().unwrap());
            seen += 1;
        }
        assert_eq!(seen, format.well_count());
    }
}

#[test]
fn kithairon_reads_our_echo_picklist() {
    let job = dispense();
    let list = TransferList::check(JobId::fresh(), &job).unwrap();
    let types =
        |name: &str| PlateTypes::from([("corning_384_wellplate_112ul_flat".to_owned(), name.to_owned())]);
    let types = EchoPlateTypes { source: types("384PP_AQ_BP"), destination: types("Corning_384_3577") };
    let ours = echo_csv(&list, EchoModel::Echo65x, &types).unwrap();
    let script = "
import sys, kithairon
for row in kithairon.PickList.read_csv_native(sys.argv[1]).data.iter_rows(named=True):
    print(row['Source Plate Name'], row['Source Well'], row['Destination Plate Name'], row['Destination Well'], row['Transfer Volume'])
";
    let Some(theirs) = worklist_python("kithairon_reads_our_echo_picklist", script, &ours) else {
        return;
    };
    let expected: Vec<String> = job
        .transfers
        .iter()
        .map(|t| {
            format!(
                "{} {} {} {} {}.0",
                t.source_barcode, t.source_well, t.destination_barcode, t.destination_well, t.volume_nl
            )
        })
        .collect();
    assert_eq!(theirs.lines().collect::<Vec<_>>(), expected);
}
