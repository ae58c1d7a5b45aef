//! All four drivers, one plate's way through the simulated laboratory. `BENCH_ENDPOINTS`: the
//! `endpoints.json` of a running bench, fresh.

use crate::bed::{at, lease, timings};
use instruments::drivers::{DriverKind, Reached};
use instruments::parsers::parse_readings;
use jobs::work::physical::{
    DeckPlate, Dispense, Incubate, Location, Move, PlateMove, PlateRef, Read, Transfer,
};
use jobs::work::{Outcome, Output, Work};
use jobs::worker::Attempt;
use serde::Deserialize;
use std::collections::HashMap;

struct Bench {
    endpoints: HashMap<String, String>,
}

/// Performs `work` as its device's agent would; what it brought, and the attempt that keeps its blobs.
impl Bench {
    async fn does(&self, kind: DriverKind, work: Work) -> (Output, Attempt, tempfile::TempDir) {
        let instrument = crate::bed::instrument(kind);
        let handler =
            kind.connect(Reached::ByUrl(&self.endpoints[instrument]), instrument, timings()).unwrap();
        let spool = tempfile::tempdir().unwrap();
        let attempt = Attempt::rehearsal(lease(work), spool.path()).unwrap();
        match handler.perform(&attempt).await {
            Outcome::Succeeded { output } => (*output, attempt, spool),
            other => panic!("{kind:?}: {other:?}"),
        }
    }

    async fn moves(&self, moves: &[(&PlateRef, Location, Location)]) {
        let moves = moves
            .iter()
            .map(|(plate, from, to)| PlateMove {
                plate: (*plate).clone(),
                from: from.clone(),
                to: to.clone(),
            })
            .collect();
        self.does(DriverKind::Mover, Work::Move(Move { moves })).await;
    }

    async fn table<T: serde::de::DeserializeOwned>(&self, path: &str) -> Vec<T> {
        let url = format!("{}{path}", self.endpoints["control"]);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.unwrap()).collect()
    }
}

#[derive(Deserialize)]
struct Filled {
    barcode: String,
    labware: String,
    well: String,
}

#[derive(Deserialize)]
struct Blank {
    barcode: String,
    labware: String,
}

#[tokio::test]
async fn a_plate_goes_its_way_through_the_simulated_laboratory() {
    let Ok(path) = std::env::var("BENCH_ENDPOINTS") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: a_plate_goes_its_way_through_the_simulated_laboratory: BENCH_ENDPOINTS is not set"
        );
        return;
    };
    let bench = Bench { endpoints: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let library: Vec<Filled> = bench.table("/library.csv").await;
    let blanks: Vec<Blank> = bench.table("/assay-plates.csv").await;
    let source = PlateRef { barcode: library[0].barcode.clone(), labware: library[0].labware.clone() };
    let assay = PlateRef { barcode: blanks[0].barcode.clone(), labware: blanks[0].labware.clone() };
    let shelf = |plate: &PlateRef| at("storage", &plate.barcode);

    bench
        .moves(&[
            (&assay, shelf(&assay), at("handler-1", "1")),
            (&source, shelf(&source), at("handler-1", "2")),
        ])
        .await;
    let wells = ["C3", "D4", "E5"];
    let transfers: Vec<Transfer> = library
        .iter()
        .filter(|well| well.barcode == source.barcode)
        .zip(wells)
        .map(|(from, to)| Transfer {
            source_barcode: source.barcode.clone(),
            source_well: from.well.clone(),
            destination_barcode: assay.barcode.clone(),
            destination_well: to.to_owned(),
            volume_nl: 1_000,
            liquid_class: "water".to_owned(),
        })
        .collect();
    let dispense = Dispense {
        deck: vec![
            DeckPlate { slot: "1".to_owned(), plate: assay.clone() },
            DeckPlate { slot: "2".to_owned(), plate: source.clone() },
        ],
        tip_rack_slots: vec!["10".to_owned(), "11".to_owned()],
        transfers,
    };
    let (output, _, _spool) = bench.does(DriverKind::Opentrons, Work::Dispense(dispense)).await;
    let Output::Dispense(done) = output else { panic!("{output:?}") };
    for report in &done.transfers {
        let actual = f64::from(report.actual_nl.expect("the bench says what it moved"));
        assert!((actual - 1_000.0).abs() < 200.0, "{report:?}");
    }

    bench
        .moves(&[
            (&assay, at("handler-1", "1"), at("incubator-1", "7")),
            (&source, at("handler-1", "2"), shelf(&source)),
        ])
        .await;
    let incubate = Incubate {
        plate: assay.clone(),
        at: at("incubator-1", "7"),
        temperature_celsius: 37.0,
        co2_percent: 5.0,
        hours: 72.0,
    };
    bench.does(DriverKind::Incubator, Work::Incubate(incubate)).await;
    bench.moves(&[(&assay, at("incubator-1", "7"), at("reader-1", "1"))]).await;
    let channels = ["signal", "call"].map(str::to_owned).to_vec();
    let read = Read { plate: assay.clone(), at: at("reader-1", "1"), channels };
    let (output, attempt, _spool) = bench.does(DriverKind::Reader, Work::Read(read)).await;
    let Output::Read(result) = output else { panic!("{output:?}") };

    let file = parse_readings(&result.format, &attempt.get_blob(result.raw).await.unwrap()).unwrap();
    assert_eq!(file.plate.as_deref(), Some(assay.barcode.as_str()));
    for well in wells {
        let well = well.parse().unwrap();
        for channel in ["signal", "call"] {
            assert!(
                file.readings.iter().any(|r| r.well == well && r.channel == channel),
                "{well:?} {channel}"
            );
        }
    }
}
