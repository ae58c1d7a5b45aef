//! One example of each kind of work and of what it brings.

use chrono::{DateTime, Utc};
use jobs::work::learn::*;
use jobs::work::physical::*;
use jobs::work::screen::*;
use jobs::work::{Kind, Output, Work};
use jobs::{Context, Digest, Experiment, Perturbation};

pub fn instant() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().expect("a fixed instant")
}

fn experiment(key: &str) -> Experiment {
    Experiment {
        perturbation: key.parse::<Perturbation>().expect("a fixed key"),
        context: Context("K562".to_owned()),
    }
}

fn inputs() -> ModelInputs {
    ModelInputs {
        pool: Digest::of(b"pool"),
        data_cut: Some(Digest::of(b"cut")),
        features: vec![Digest::of(b"features")],
        priors: vec![],
        exclude_prior_groups: vec![],
        description: jobs::work::description::Description::default(),
        readouts: vec![],
        model: ModelSpec::default(),
        seed: 7,
    }
}

fn prediction() -> Prediction {
    Prediction { mean: -0.5, epistemic_sd: 0.2, aleatoric_sd: 0.1, hit_probability: 0.25 }
}

fn proposal(key: &str) -> Proposal {
    Proposal {
        experiment: experiment(key),
        prediction: prediction(),
        score: 1.5,
        reason: "least is known about it".to_owned(),
        readouts: vec![],
        feasibility: None,
    }
}

fn plate(barcode: &str) -> PlateRef {
    PlateRef { barcode: barcode.to_owned(), labware: "corning_384_wellplate_112ul_flat".to_owned() }
}

fn at(device: &str, slot: &str) -> Location {
    Location { device: device.to_owned(), slot: slot.to_owned() }
}

pub fn work(kind: Kind) -> Work {
    match kind {
        Kind::Train => Work::Train(Train { inputs: inputs(), warm_start: None, shadows: vec![] }),
        Kind::Propose => Work::Propose(Propose {
            inputs: inputs(),
            checkpoint: Some(Digest::of(b"checkpoint")),
            objective: Objective::Minimise,
            acquisition: Acquisition::Ucb { beta: 2.0 },
            diversity: 0.3,
            rounds_left: Some(3),
            batch_size: 2,
            runners_up: 1,
            pending: vec![experiment("CBLB")],
            excluded: vec![experiment("RASA2+CBLB")],
            excluded_genes: vec!["CD5".into()],
            repeats: None,
            prices: None,
            per_plate: None,
        }),
        Kind::Predict => Work::Predict(Predict {
            inputs: inputs(),
            checkpoint: Digest::of(b"checkpoint"),
            experiments: vec![experiment("CBLB")],
        }),
        Kind::Screen => Work::Screen(Screen {
            inputs: inputs(),
            checkpoint: Digest::of(b"checkpoint"),
            space: Space::Pairs {
                edits: vec!["CBLB".to_owned(), "RASA2".to_owned()],
                context: Context("K562".to_owned()),
            },
            rank_by: RankBy::UpperBound { beta: 2.0 },
            keep: 100,
        }),
        Kind::Dispense => Work::Dispense(Dispense {
            deck: vec![
                DeckPlate { slot: "1".to_owned(), plate: plate("P-1") },
                DeckPlate { slot: "2".to_owned(), plate: plate("LIB-1") },
            ],
            tip_rack_slots: vec!["10".to_owned()],
            transfers: vec![Transfer {
                source_barcode: "LIB-1".to_owned(),
                source_well: "A1".to_owned(),
                destination_barcode: "P-1".to_owned(),
                destination_well: "B2".to_owned(),
                volume_nl: 2500,
                liquid_class: "water".to_owned(),
            }],
        }),
        Kind::Move => Work::Move(Move {
            moves: vec![PlateMove {
                plate: plate("P-1"),
                from: at("storage", "P-1"),
                to: at("handler-1", "1"),
            }],
        }),
        Kind::Incubate => Work::Incubate(Incubate {
            plate: plate("P-1"),
            at: at("incubator-1", "7"),
            temperature_celsius: 37.0,
            co2_percent: 5.0,
            hours: 72.0,
        }),
        Kind::Read => Work::Read(Read {
            plate: plate("P-1"),
            at: at("reader-1", "1"),
            channels: vec!["signal".to_owned()],
        }),
        Kind::Manual => {
            Work::Manual(Manual { instruction: "Seal plate P-1".to_owned(), plates: vec![plate("P-1")] })
        }
    }
}

pub fn output(kind: Kind) -> Output {
    match kind {
        Kind::Train => Output::Train(TrainResult {
            checkpoint: Digest::of(b"checkpoint"),
            code_version: "0.1.0".to_owned(),
            metrics: ModelMetrics { training_rows: 10, ..ModelMetrics::default() },
            train_seconds: 1.5,
        }),
        Kind::Propose => Output::Propose(ProposeResult {
            proposals: vec![proposal("CBLB")],
            runners_up: vec![proposal("RASA2")],
            explanation: "All exploit.".to_owned(),
            posterior: Digest::of(b"posterior"),
            checkpoint: None,
            code_version: "0.1.0".to_owned(),
            select_seconds: 0.5,
        }),
        Kind::Predict => Output::Predict(PredictResult {
            predictions: vec![prediction()],
            readouts: vec![],
            grounds: vec![Grounds {
                unknown_edits: vec!["CBLB".to_owned()],
                own_rows: 1,
                related_rows: 2,
                context_rows: 3,
                same_size_rows: 4,
            }],
        }),
        Kind::Screen => Output::Screen(ScreenResult {
            ranking: Digest::of(b"ranking"),
            summary: SpaceSummary {
                experiments: 1,
                kept: 1,
                with_unknown_edits: 0,
                expected_hits: 0.25,
                mean_hit_probability: 0.25,
                hit_probability_quantiles: vec![Quantile { share: 0.5, value: 0.25 }],
                hit_probability_histogram: vec![0, 1],
                mean: -0.5,
                mean_sd: 0.0,
                lowest_mean: -0.5,
                highest_mean: -0.5,
            },
            code_version: "0.1.0".to_owned(),
            screen_seconds: 0.5,
        }),
        Kind::Dispense => Output::Dispense(DispenseResult {
            transfers: vec![TransferReport { index: 0, actual_nl: Some(2500), error: None }],
            device_run_id: "run-1".to_owned(),
            recovered_from_error: false,
            raw: Digest::of(b"raw"),
        }),
        Kind::Move => Output::Move(MoveResult {
            arrived: vec![Arrival { barcode: "P-1".to_owned(), at: at("handler-1", "1") }],
        }),
        Kind::Incubate => {
            Output::Incubate(IncubateResult { started_at: instant(), temperature_celsius: 37.1 })
        }
        Kind::Read => Output::Read(ReadResult {
            raw: Digest::of(b"raw"),
            format: "plate_csv".to_owned(),
            original: None,
        }),
        Kind::Manual => Output::Manual(ManualResult { note: "sealed".to_owned() }),
    }
}
