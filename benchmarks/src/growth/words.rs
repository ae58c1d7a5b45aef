//! What the stored jobs, campaigns and devices say: words that the service can read.

use anyhow::Context;
use jobs::work::Output;
use jobs::work::learn::{Acquisition, ModelInputs, ModelMetrics, ModelSpec, Objective, Propose, Train};
use jobs::work::physical::{
    Arrival, Dispense, DispenseResult, Incubate, Location, Move, MoveResult, PlateMove, PlateRef, Read,
    ReadResult, Transfer, TransferReport,
};
use jobs::{Digest, Work};
use orchestrator::campaigns::Spec;
use serde_json::{Value, json};

/// The campaign of the measurements, as its file says it.
const CAMPAIGN: &str = include_str!("campaign.toml");

/// Transfers of a dispense.
const TRANSFERS: u32 = 96;

/// A setting of `laboratory.sql`, and its words.
pub type Word = (&'static str, String);

/// The campaign file with `labware` in it, and the specification that it stands for.
pub fn campaign(labware: &str, replicates: u32) -> anyhow::Result<[Word; 2]> {
    let toml = CAMPAIGN.replace("LABWARE", labware).replace("REPLICATES", &replicates.to_string());
    let spec = Spec::parse(&toml).map_err(|wrong| anyhow::anyhow!("the campaign file is wrong: {wrong}"))?;
    Ok([("spec", serde_json::to_string(&spec)?), ("toml", toml)])
}

/// Everything else.
pub fn all() -> anyhow::Result<Vec<Word>> {
    let slots = |range: std::ops::RangeInclusive<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    let handler = json!({"destination_slot": "1", "source_slots": slots(2..=9), "tip_rack_slots": ["10", "11"],
        "tips_per_rack": 96});
    Ok(vec![
        ("propose", payload(Work::Propose(propose()))?),
        ("train", payload(Work::Train(Train { inputs: inputs(), warm_start: None, shadows: vec![] }))?),
        ("dispense", payload(Work::Dispense(dispense()))?),
        ("move", payload(Work::Move(Move { moves: vec![plate_move()] }))?),
        ("incubate", payload(Work::Incubate(incubate()))?),
        ("read", payload(Work::Read(read()))?),
        ("dispense_output", output(Output::Dispense(dispensed()))?),
        ("move_output", output(Output::Move(MoveResult { arrived: vec![arrival()] }))?),
        ("incubate_output", incubated()),
        ("read_output", output(Output::Read(read_result(Digest::of(b"raw"))))?),
        ("metrics", serde_json::to_string(&metrics())?),
        ("handler", handler.to_string()),
        ("incubator", json!({"slots": slots(1..=200)}).to_string()),
        ("reader", json!({"slots": ["1"]}).to_string()),
    ])
}

pub fn read_result(raw: Digest) -> ReadResult {
    ReadResult { raw, format: "plate_csv".to_owned(), original: None }
}

pub fn output(output: Output) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&output)?)
}

fn payload(work: Work) -> anyhow::Result<String> {
    let mut words: Value = serde_json::to_value(work)?;
    Ok(words.get_mut("payload").context("work without a payload")?.take().to_string())
}

fn plate() -> PlateRef {
    PlateRef { barcode: "USED-1".to_owned(), labware: "corning_384_wellplate_112ul_flat".to_owned() }
}

fn at() -> Location {
    Location { device: "reader-1".to_owned(), slot: "1".to_owned() }
}

fn plate_move() -> PlateMove {
    let from = Location { device: "storage".to_owned(), slot: "USED-1".to_owned() };
    PlateMove { plate: plate(), from, to: at() }
}

fn arrival() -> Arrival {
    Arrival { barcode: "USED-1".to_owned(), at: at() }
}

fn read() -> Read {
    Read { plate: plate(), at: at(), channels: vec!["signal".to_owned()] }
}

fn incubate() -> Incubate {
    Incubate { plate: plate(), at: at(), temperature_celsius: 37.0, co2_percent: 5.0, hours: 72.0 }
}

fn incubated() -> String {
    json!({"kind": "incubate", "result": {"started_at": "2023-11-14T22:13:20Z", "temperature_celsius": 37.0}})
        .to_string()
}

fn dispense() -> Dispense {
    let transfer = |_| Transfer {
        source_barcode: "LIB-1".to_owned(),
        source_well: "A1".to_owned(),
        destination_barcode: "USED-1".to_owned(),
        destination_well: "A1".to_owned(),
        volume_nl: 1000,
        liquid_class: "default".to_owned(),
    };
    Dispense {
        deck: Vec::new(),
        tip_rack_slots: Vec::new(),
        transfers: (0..TRANSFERS).map(transfer).collect(),
    }
}

fn dispensed() -> DispenseResult {
    let report = |index| TransferReport { index, actual_nl: Some(1000), error: None };
    DispenseResult {
        transfers: (0..TRANSFERS).map(report).collect(),
        device_run_id: "run".to_owned(),
        recovered_from_error: false,
        raw: Digest::of(b"raw"),
    }
}

fn inputs() -> ModelInputs {
    ModelInputs {
        pool: Digest::of(b"pool"),
        data_cut: Some(Digest::of(b"cut")),
        features: Vec::new(),
        priors: Vec::new(),
        exclude_prior_groups: Vec::new(),
        description: jobs::work::description::Description::default(),
        readouts: vec![],
        model: ModelSpec::default(),
        seed: 1,
    }
}

fn propose() -> Propose {
    Propose {
        inputs: inputs(),
        checkpoint: Some(Digest::of(b"checkpoint")),
        objective: Objective::Maximise,
        acquisition: Acquisition::Ucb { beta: 1.0 },
        diversity: 0.0,
        rounds_left: None,
        batch_size: 100,
        runners_up: 0,
        pending: Vec::new(),
        excluded: Vec::new(),
        excluded_genes: Vec::new(),
        repeats: None,
        prices: None,
        per_plate: None,
    }
}

fn metrics() -> ModelMetrics {
    ModelMetrics {
        training_rows: 1000,
        held_out_rows: 100,
        held_out_log_score: Some(-1.0),
        held_out_crps: Some(0.5),
        coverage_50: Some(0.5),
        coverage_80: Some(0.8),
        coverage_90: Some(0.9),
        hit_ece: Some(0.01),
        readouts: vec![],
        shadows: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_campaign_and_every_word_can_be_made() {
        assert!(campaign("corning_384_wellplate_112ul_flat", 1).is_ok());
        assert!(campaign("corning_1536_wellplate_12ul_flat", 2).is_ok());
        assert_eq!(all().expect("words").len(), 14);
    }

    #[test]
    fn what_an_incubator_answered_can_be_read() {
        serde_json::from_str::<Output>(&incubated()).expect("an output");
    }
}
