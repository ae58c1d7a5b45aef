//! A well reads what is really in it.

use crate::support::{Lab, TestBench, load_deck, measured, settings};
use bench::bench::Bench;
use bench::volume::Volume;
use bench::world::place::{HANDLER, READER};
use bench::world::transfer::{Handling, Order, SlotWell, carry_out};
use bench::world::{Event, Place};
use instruments::labware::Well;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

type Readings = HashMap<(String, String), f64>;

async fn read_assay_plate(lab: &Lab) -> Readings {
    lab.bring("to-reader", &[("ASY-0001", ("handler-1", "1"), ("reader-1", "1"))]).await;
    lab.read("look", "ASY-0001").await
}

fn signal(readings: &Readings, well: &str) -> f64 {
    readings[&(well.to_owned(), "signal".to_owned())]
}

fn call(readings: &Readings, well: &str) -> f64 {
    readings[&(well.to_owned(), "call".to_owned())]
}

/// The score that a reader of the plate works out: NEG is the median (0), one unit is worth what the
/// specimen says.
fn score(bench: &TestBench, readings: &Readings, well: &str, neg: &str) -> f64 {
    (signal(readings, well) - signal(readings, neg)) / bench.bench.specimen.optics().rfu_per_unit
}

#[tokio::test]
async fn a_plate_whose_picklist_is_wrong_gives_wrong_biology() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    let library = lab.library().await;
    let well_of = |gene: &str| library[gene].1.clone();
    // C3 is meant for DDD, the hit, and C4 for CCC. The second picklist has taken one for the other.
    let (hit, other, negative) = (well_of("DDD"), well_of("CCC"), well_of("NEG"));
    lab.dispense(&[
        ("2", &hit, "C3", 1.0),
        ("2", &other, "C4", 1.0),
        ("2", &other, "D3", 1.0),
        ("2", &hit, "D4", 1.0),
        ("3", &negative, "E3", 1.0),
    ])
    .await;
    let readings = read_assay_plate(lab).await;
    let scores = ["C3", "C4", "D3", "D4"].map(|well| score(&bench, &readings, well, "E3"));
    for (got, expected) in scores.into_iter().zip([6.0, -2.0, -2.0, 6.0]) {
        assert!((got - expected).abs() < 0.3, "{scores:?}");
    }
    assert_eq!(["C3", "C4", "D3", "D4"].map(|well| call(&readings, well)), [1.0, 0.0, 0.0, 1.0]);
}

#[tokio::test]
async fn the_plate_that_really_stands_in_the_slot_is_drawn_from() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    // The controls stand where the picklist believes the library.
    lab.bring(
        "load",
        &[
            ("ASY-0001", ("storage", "ASY-0001"), ("handler-1", "1")),
            ("CTRL-0001", ("storage", "CTRL-0001"), ("handler-1", "2")),
        ],
    )
    .await;
    assert_eq!(lab.dispense(&[("2", "A2", "C3", 1.0)]).await["status"], "succeeded");
    let truth = lab.truth("transferred").await;
    assert_eq!(truth[0]["source"], json!({ "barcode": "CTRL-0001", "well": "A2" }));
    let readings = read_assay_plate(lab).await;
    assert!(score(&bench, &readings, "C3", "E3") > 7.0, "it reads as the positive control");
    assert_eq!(call(&readings, "C3"), 0.0);
}

#[tokio::test]
async fn an_underdosed_well_shows_a_part_and_a_missed_one_nothing() {
    let bench = TestBench::replay(&["--saturating-dose-nl", "4000"]).await;
    let lab = &bench.lab;
    load_deck(lab).await;
    let hit = lab.library().await["DDD"].1.clone();
    lab.post(
        "control",
        "/faults",
        json!({ "kind": "miss_dispense", "after_transfers": 3, "reported": false }),
    )
    .await;
    let wells = ["C3", "C4", "C5", "C6"];
    let rows: Vec<_> = wells
        .into_iter()
        .zip([4.4, 2.0, 1.0, 4.4])
        .map(|(well, volume)| ("2", hit.as_str(), well, volume))
        .collect();
    assert_eq!(lab.dispense(&rows).await["status"], "succeeded");
    let readings = read_assay_plate(lab).await;
    for (well, expected) in wells.into_iter().zip([6.0, 3.0, 1.5, 0.0]) {
        let got = score(&bench, &readings, well, "E3");
        assert!((got - expected).abs() < 0.3, "{well}: {got} for {expected}");
    }
    assert_eq!(wells.map(|well| call(&readings, well)), [1.0, 1.0, 0.0, 0.0]);
}

#[tokio::test]
async fn bad_luck_follows_from_the_seed() {
    let mut missed = Vec::new();
    for seed in ["1", "1", "2"] {
        let bench = TestBench::replay(&["--miss-probability", "0.3", "--seed", seed]).await;
        load_deck(&bench.lab).await;
        bench.lab.dispense(&[("2", "A1", "C3", 1.0); 40]).await;
        let truth = bench.lab.truth("transferred").await;
        let of_one: Vec<bool> = truth.iter().map(|event| event["dispensed_nl"] == 0.0).collect();
        assert_eq!(of_one, truth.iter().map(|event| event["missed"] == true).collect::<Vec<_>>());
        missed.push(of_one);
    }
    let count = missed[0].iter().filter(|missed| **missed).count();
    assert!((4..=24).contains(&count), "{count} of 40");
    assert_eq!(missed[0], missed[1]);
    assert_ne!(missed[0], missed[2]);
    let unlucky = TestBench::replay(&["--run-failure-probability", "1"]).await;
    load_deck(&unlucky.lab).await;
    assert_eq!(unlucky.lab.dispense(&[("2", "A1", "C3", 1.0)]).await["status"], "failed");
}

#[tokio::test]
async fn a_bad_plate_reads_badly_and_the_next_one_does_not() {
    let bench = TestBench::replay(&[]).await;
    let lab = &bench.lab;
    let fault =
        json!({ "kind": "plate_effect", "barcode": "ASY-0001", "reading_factor": 0.5, "extra_cv": 0.3 });
    assert_eq!(lab.post("control", "/faults", fault).await.status, 201);
    let mut spreads = Vec::new();
    for barcode in ["ASY-0001", "ASY-0002"] {
        lab.bring(barcode, &[(barcode, ("storage", barcode), ("reader-1", "1"))]).await;
        let readings = lab.read(barcode, barcode).await;
        let signals: Vec<f64> = readings
            .iter()
            .filter(|((_, channel), _)| channel == "signal")
            .map(|(_, value)| *value)
            .collect();
        let mean = signals.iter().sum::<f64>() / signals.len() as f64;
        let sd =
            (signals.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / signals.len() as f64).sqrt();
        spreads.push((mean, sd / mean));
        lab.bring(&format!("{barcode}-away"), &[(barcode, ("reader-1", "1"), ("waste", barcode))]).await;
    }
    let (bad, good) = (spreads[0], spreads[1]);
    assert!((bad.0 / good.0 - 0.5).abs() < 0.05 && bad.1 > 0.25 && good.1 < 0.012, "{spreads:?}");
}

#[test]
fn a_replay_reproduces_every_score_and_hit_of_a_synthetic_table() {
    // Skewed, with one outlier far below: the worst that a linear reader meets.
    let dir = tempfile::tempdir().unwrap();
    let mut table = "gene,score,hit\n".to_owned();
    for index in 0..800 {
        let z = f64::from(index) / 100.0 - 4.0;
        let score = if index == 0 { -30.0 } else { z.powi(3) / 10.0 + 0.3 };
        table.push_str(&format!("GENE{index},{score},{}\n", u8::from(score > 4.0)));
    }
    let screen = dir.path().join("table.csv");
    std::fs::write(&screen, table).unwrap();
    let r = replay_correlation(&screen, dir.path());
    println!("r = {r:.5}");
    assert!(r > 0.99, "r = {r}");
}

#[test]
fn a_replay_reproduces_every_score_and_hit_of_the_ifng_screen() {
    let test = "a_replay_reproduces_every_score_and_hit_of_the_ifng_screen";
    let Some(screen) = measured(test, "crispr/ifng.parquet") else { return };
    let dir = tempfile::tempdir().unwrap();
    let r = replay_correlation(&screen, dir.path());
    println!("r = {r:.5}");
    assert!(r > 0.99, "r = {r}");
}

#[test]
fn a_replay_of_measured_pairs_reads_the_pair_and_not_its_genes() {
    let Some(screen) = measured(
        "a_replay_of_measured_pairs_reads_the_pair_and_not_its_genes",
        "pairs/horlbeck_k562_gi.parquet",
    ) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let screen = screen.to_str().unwrap();
    let (specimen, _) = settings(dir.path(), &["--screen", screen]).specimen().unwrap();
    assert_eq!((specimen.genes().len(), specimen.pool().len()), (449, 100_576));
    let response = |genes: &[usize]| specimen.response(&bench::specimen::full_doses(genes), "D1");
    let hits = specimen.pool().iter().filter(|genes| response(genes).hit).count();
    assert_eq!(hits, 9_959);
    let pair = &specimen.pool()[0];
    assert_eq!(response(pair), response(&[pair[1], pair[0]]));
    assert_eq!(response(&pair[..1]).effect, specimen.optics().null_effect);
}

/// Puts every gene into a well of its own through the world's physics, normalises each plate to its
/// controls as a reader of the files would, and compares with the file. Checks calls on the way.
fn replay_correlation(screen: &Path, dir: &Path) -> f64 {
    let bench =
        Bench::open(settings(dir, &["--screen", screen.to_str().unwrap(), "--assay-plates", "60"]), || ())
            .unwrap();
    let specimen = bench.specimen.clone();
    let library: Vec<String> = {
        let world = bench.world();
        world
            .state()
            .plates()
            .map(|plate| plate.barcode.clone())
            .filter(|barcode| barcode.starts_with("LIB-"))
            .collect()
    };
    let (mut expected, mut observed) = (Vec::new(), Vec::new());
    stand(&bench, "CTRL-0001", HANDLER, "3");
    for (number, source) in library.iter().enumerate() {
        let assay = format!("ASY-{:04}", number + 1);
        stand(&bench, source, HANDLER, "2");
        stand(&bench, &assay, HANDLER, "1");
        let genes = stamp(&bench, source);
        stand(&bench, source, "storage", source);
        stand(&bench, &assay, READER, "1");
        let world = bench.world();
        let readings: HashMap<Well, _> =
            bench.observer().read(world.state().plate(&assay).unwrap(), "look").into_iter().collect();
        drop(world);
        stand(&bench, &assay, "waste", &assay);
        let mean =
            |wells: &[Well]| wells.iter().map(|well| readings[well].signal).sum::<f64>() / wells.len() as f64;
        let (negative, positive) = (mean(&controls(0)), mean(&controls(1)));
        for (well, gene) in genes {
            let response = specimen.response(&bench::specimen::full_doses(&[gene]), "D1");
            assert!(readings[&well].signal > 0.0);
            assert_eq!(readings[&well].call, response.hit);
            expected.push(response.effect);
            observed.push((readings[&well].signal - negative) / (positive - negative));
        }
    }
    assert!(expected.len() as f64 > 0.9 * specimen.genes().len() as f64);
    correlation(&expected, &observed)
}

/// Wells of the last column: negative controls in even rows, positive ones in odd rows.
fn controls(parity: u8) -> Vec<Well> {
    (0..16).filter(|row| row % 2 == parity).map(|row| Well::new(row, 23).unwrap()).collect()
}

/// Each source well but those of the last column into the same well of the assay plate; controls there.
fn stamp(bench: &Arc<Bench>, source: &str) -> Vec<(Well, usize)> {
    let contents: Vec<(Well, String)> = {
        let world = bench.world();
        let plate = world.state().plate(source).unwrap();
        plate
            .all_contents()
            .filter_map(|(well, mixture)| mixture.iter().next().map(|(gene, _)| (well, gene.to_owned())))
            .collect()
    };
    let mut genes = Vec::new();
    for (well, gene) in contents.into_iter().filter(|(well, _)| well.column() < 23) {
        transfer(bench, "2", well, well);
        genes.push((well, bench.specimen.gene_index(&gene).unwrap()));
    }
    for parity in [0, 1] {
        for well in controls(parity) {
            // Odd columns of the control plate hold NEG, even ones POS.
            transfer(bench, "3", Well::new(well.row(), parity).unwrap(), well);
        }
    }
    genes
}

fn transfer(bench: &Arc<Bench>, slot: &str, from: Well, to: Well) {
    let end = |slot: &str, well| SlotWell {
        slot: slot.to_owned(),
        labware: crate::support::PLATE.to_owned(),
        well,
    };
    let order = Order {
        run: "test".to_owned(),
        index: 0,
        device: HANDLER.to_owned(),
        source: end(slot, from),
        destination: end("1", to),
        volume: Volume::from_nanolitres(1_000),
    };
    let handling = Handling {
        seed: bench.laws.seed,
        dispense_cv: bench.laws.dispense_cv,
        senses_liquid: true,
        misses: false,
    };
    carry_out(&mut bench.world(), &order, handling).unwrap();
}

fn stand(bench: &Arc<Bench>, barcode: &str, device: &str, slot: &str) {
    let mut world = bench.world();
    let from = world.state().plate(barcode).unwrap().at.clone();
    let event = Event::PlateMoved {
        operation: "test".to_owned(),
        barcode: barcode.to_owned(),
        from,
        to: Place::new(device, slot),
    };
    world.record(event).unwrap();
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let dot = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum()
    };
    dot(a, mean_a, b, mean_b) / (dot(a, mean_a, a, mean_a) * dot(b, mean_b, b, mean_b)).sqrt()
}
