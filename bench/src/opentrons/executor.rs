//! Carries out one run, row by row, on a thread of its own.
//!
//! A row is five commands: `pickUpTip`, (`liquidProbe`,) `aspirate`, `dispense`, `dropTip`. Safe points
//! lie between rows: there a pause holds, and a stop ends.

use super::analysis;
use super::failure::{self, ErrorOccurrence};
use super::picklist::{Picklist, Row};
use super::policy::{Reaction, reaction};
use super::robot::Robot;
use super::run::{Command, CommandStatus, Run, Status};
use super::storage::Kind;
use crate::faults::{Counted, RunFailure};
use crate::random::stream;
use crate::volume::Volume;
use crate::world::place::HANDLER;
use crate::world::transfer::{self, Handling, Order, SlotWell};
use chrono::Utc;
use rand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

const TIP_RACK: &str = "opentrons_96_tiprack_20ul";
const PIPETTE: &str = "p20_single_gen2";

/// Begins to carry out the run `id`, which is `running`.
pub fn start(robot: Arc<Robot>, id: String) {
    std::thread::spawn(move || {
        let mut execution =
            Execution { robot: &robot, run: id, labware: BTreeMap::new(), pipette: String::new() };
        let end = execution.carry_out();
        execution.end(end);
    });
}

enum End {
    Stopped,
    Failed(Box<ErrorOccurrence>),
}

struct Execution<'a> {
    robot: &'a Robot,
    run: String,
    /// Ids of loaded labware by slot.
    labware: BTreeMap<String, String>,
    pipette: String,
}

impl Execution<'_> {
    fn carry_out(&mut self) -> Result<(), End> {
        let picklist = self.picklist().map_err(|why| fail(failure::of_protocol(&why, Utc::now())))?;
        let planned = self.robot.bench().faults.next_run().or_else(|| self.bad_luck());
        self.load(&picklist, planned.as_ref().filter(|failure| failure.after_transfers == 0))?;
        self.robot.bench().faults.happened(Counted::Run);
        for (row, index) in picklist.rows.iter().zip(0u32..) {
            if let Some(failure) =
                planned.as_ref().filter(|failure| index > 0 && failure.after_transfers == index)
            {
                let command = self.begin("pickUpTip", json!({ "pipetteId": self.pipette }));
                return Err(self.give_up(&command, break_down(failure)));
            }
            self.await_safe_point()?;
            self.transfer(&picklist, row, index)?;
        }
        self.await_safe_point()
    }

    /// The picklist of the run, as the protocol finds it when it is run.
    fn picklist(&self) -> Result<Picklist, String> {
        let desk = self.robot.desk();
        let lost = |_| "the run or its protocol was deleted".to_owned();
        let run = desk.run(&self.run).map_err(lost)?;
        let protocol = desk.protocol(&run.protocol_id).map_err(lost)?;
        analysis::picklist(protocol, &run.given, &desk.data_files)?
            .ok_or_else(|| "the CSV parameter was not given a file".to_owned())
    }

    fn bad_luck(&self) -> Option<RunFailure> {
        let bench = self.robot.bench();
        let mut numbers = stream(bench.laws.seed, &["run failure", &bench.world().next_seq().to_string()]);
        numbers
            .random_bool(bench.settings.run_failure_probability)
            .then(|| RunFailure { code: "3010".to_owned(), after_transfers: 0 })
    }

    fn load(&mut self, picklist: &Picklist, failure: Option<&RunFailure>) -> Result<(), End> {
        let racks = picklist.tip_racks.iter().map(|slot| (slot.clone(), TIP_RACK.to_owned(), String::new()));
        let plates =
            picklist.plates.iter().map(|(slot, (name, label))| (slot.clone(), name.clone(), label.clone()));
        for (slot, name, label) in racks.chain(plates).collect::<Vec<_>>() {
            let id = Uuid::now_v7().to_string();
            let params = json!({
                "location": { "slotName": slot }, "loadName": name, "namespace": "opentrons", "version": 1,
                "displayName": (!label.is_empty()).then_some(&label),
            });
            let command = self.begin("loadLabware", params);
            self.succeed(&command, json!({ "labwareId": id }));
            let loaded = json!({
                "id": id, "loadName": name, "definitionUri": format!("opentrons/{name}/1"),
                "location": { "slotName": slot }, "displayName": (!label.is_empty()).then_some(&label),
            });
            self.on_run(|run| run.labware.push(loaded));
            self.labware.insert(slot, id);
        }
        let command = self.begin("loadPipette", json!({ "pipetteName": PIPETTE, "mount": "left" }));
        if let Some(failure) = failure {
            return Err(self.give_up(&command, break_down(failure)));
        }
        self.pipette = Uuid::now_v7().to_string();
        self.succeed(&command, json!({ "pipetteId": self.pipette }));
        let loaded = json!({ "id": self.pipette, "pipetteName": PIPETTE, "mount": "left" });
        self.on_run(|run| run.pipettes.push(loaded));
        Ok(())
    }

    fn transfer(&self, picklist: &Picklist, row: &Row, index: u32) -> Result<(), End> {
        let bench = self.robot.bench();
        let tip = self.begin("pickUpTip", self.tip_params(picklist, index));
        self.succeed(&tip, json!({ "tipVolume": 20.0 }));
        if bench.settings.speed > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(bench.settings.speed));
        }
        let miss = bench.faults.next_transfer().map(|miss| miss.reported);
        let mut handling = Handling {
            seed: bench.laws.seed,
            dispense_cv: bench.laws.dispense_cv,
            senses_liquid: !bench.settings.no_liquid_sensing,
            misses: miss.is_some() || self.unlucky_miss(),
        };
        let probe =
            handling.senses_liquid.then(|| self.begin("liquidProbe", self.well_params(&row.source, None)));
        let mut outcome = self.move_liquid(row, index, handling);
        if let (Err(error @ transfer::Error::LiquidNotFound { .. }), Some(probe)) = (&outcome, &probe) {
            self.recover("liquidProbe", probe, failure::of_transfer(error, Utc::now()))?;
            // The step that failed is left out: the tip goes on, and draws what it can reach.
            handling.senses_liquid = false;
            outcome = self.move_liquid(row, index, handling);
        } else if let Some(probe) = &probe {
            self.succeed(probe, json!({ "z_position": 1.0 }));
        }
        let moved = match outcome {
            Ok(moved) => moved,
            Err(error) => {
                let command = self.begin("aspirate", self.well_params(&row.source, Some(row.volume)));
                return Err(self.give_up(&command, failure::of_transfer(&error, Utc::now())));
            }
        };
        // What does not feel liquid believes what it was told.
        let aspirated =
            if handling.senses_liquid || probe.is_some() { moved.aspirated_nl } else { row.volume };
        let dispensed = if miss == Some(true) { Volume::ZERO } else { aspirated };
        for (kind, at, volume) in
            [("aspirate", &row.source, aspirated), ("dispense", &row.destination, dispensed)]
        {
            let command = self.begin(kind, self.well_params(at, Some(row.volume)));
            self.succeed(
                &command,
                json!({ "volume": volume.microlitres(), "position": { "x": 0.0, "y": 0.0, "z": 0.0 } }),
            );
        }
        let drop = self.begin("dropTipInPlace", json!({ "pipetteId": self.pipette }));
        self.succeed(&drop, json!({}));
        Ok(())
    }

    fn move_liquid(
        &self,
        row: &Row,
        index: u32,
        handling: Handling,
    ) -> Result<crate::world::event::Transferred, transfer::Error> {
        let bench = self.robot.bench();
        let order = Order {
            run: self.run.clone(),
            index,
            device: HANDLER.to_owned(),
            source: row.source.clone(),
            destination: row.destination.clone(),
            volume: row.volume,
        };
        let moved = transfer::carry_out(&mut bench.world(), &order, handling)?;
        bench.faults.happened(Counted::Transfer);
        Ok(moved)
    }

    fn unlucky_miss(&self) -> bool {
        let bench = self.robot.bench();
        let seq = bench.world().next_seq().to_string();
        stream(bench.laws.seed, &["miss", &seq]).random_bool(bench.settings.miss_probability)
    }

    /// Does with `error` of `command` what the rules say: ends the run, waits for a person, or goes on.
    fn recover(&self, kind: &str, command: &str, error: ErrorOccurrence) -> Result<(), End> {
        let mut wanted = Reaction::FailRun;
        self.on_run(|run| wanted = reaction(&run.rules, kind, &error));
        if wanted == Reaction::FailRun {
            return Err(self.give_up(command, error));
        }
        self.fail_command(command, error);
        if wanted == Reaction::WaitForRecovery {
            self.on_run(|run| {
                run.has_ever_entered_error_recovery = true;
                // A stop that came meanwhile stays a stop.
                if matches!(run.status, Status::Running | Status::Paused) {
                    run.status = Status::AwaitingRecovery;
                }
            });
            return self.await_safe_point();
        }
        Ok(())
    }

    /// Waits while the run is paused or waits for a person; ends it when it is to stop.
    fn await_safe_point(&self) -> Result<(), End> {
        let mut desk = self.robot.desk();
        loop {
            match desk.run(&self.run).map(|run| run.status) {
                Ok(Status::Paused | Status::AwaitingRecovery) => desk = self.robot.wait(desk),
                Ok(Status::StopRequested) | Err(_) => return Err(End::Stopped),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn end(&self, end: Result<(), End>) {
        if end.is_ok() {
            self.on_run(|run| run.status = Status::Finishing);
        }
        if let Err(error) = self.robot.bench().world().sync() {
            tracing::error!(error = &error as &dyn std::error::Error, "the truth log cannot be synced");
        }
        // Before anybody can see the end: who sees it may unload the deck at once.
        self.robot.bench().handler_busy.store(false, Ordering::SeqCst);
        self.on_run(|run| {
            run.completed_at = Some(Utc::now());
            run.status = match end {
                Ok(()) => Status::Succeeded,
                Err(End::Stopped) => Status::Stopped,
                Err(End::Failed(error)) => {
                    run.errors = vec![*error];
                    Status::Failed
                }
            };
            if let Err(error) = self.robot.storage().save(Kind::Run, &run.id, run) {
                tracing::error!(error = &error as &dyn std::error::Error, "the robot cannot keep its run");
            }
        });
    }

    fn begin(&self, kind: &str, params: Value) -> String {
        let now = Utc::now();
        let id = Uuid::now_v7().to_string();
        let command = Command {
            id: id.clone(),
            key: Uuid::now_v7().to_string(),
            command_type: kind.to_owned(),
            created_at: now,
            started_at: now,
            completed_at: None,
            status: CommandStatus::Running,
            params,
            result: None,
            error: None,
            intent: "protocol".to_owned(),
        };
        self.on_run(|run| run.commands.push(command));
        id
    }

    fn succeed(&self, command: &str, result: Value) {
        self.on_command(command, |command| {
            command.status = CommandStatus::Succeeded;
            command.result = Some(result);
        });
    }

    fn fail_command(&self, command: &str, error: ErrorOccurrence) {
        let shown = error.clone();
        self.on_run(|run| run.command_errors.push(shown));
        self.on_command(command, |command| {
            command.status = CommandStatus::Failed;
            command.error = Some(error);
        });
    }

    fn give_up(&self, command: &str, error: ErrorOccurrence) -> End {
        self.fail_command(command, error.clone());
        fail(failure::of_run(error))
    }

    fn on_command(&self, id: &str, change: impl FnOnce(&mut Command)) {
        self.on_run(|run| {
            // The one that is going on is at the end.
            if let Some(command) = run.commands.iter_mut().rev().find(|command| command.id == id) {
                command.completed_at = Some(Utc::now());
                change(command);
            }
        });
    }

    /// Nothing when the run was deleted meanwhile.
    fn on_run(&self, change: impl FnOnce(&mut Run)) {
        if let Ok(run) = self.robot.desk().run_mut(&self.run) {
            change(run);
        }
    }

    fn tip_params(&self, picklist: &Picklist, index: u32) -> Value {
        let slot = usize::try_from(index / 96).ok().and_then(|rack| picklist.tip_racks.get(rack));
        let rack = slot.and_then(|slot| self.labware.get(slot));
        // Column by column, as a robot takes them.
        let (row, column) = (index % 8, index % 96 / 8 + 1);
        let letter = char::from(b'A' + u8::try_from(row).unwrap_or(0));
        json!({ "pipetteId": self.pipette, "labwareId": rack, "wellName": format!("{letter}{column}") })
    }

    fn well_params(&self, at: &SlotWell, volume: Option<Volume>) -> Value {
        let mut params = json!({
            "pipetteId": self.pipette,
            "labwareId": self.labware.get(&at.slot),
            "wellName": at.well.to_string(),
            "wellLocation": { "origin": "bottom", "offset": { "x": 0, "y": 0, "z": 1.0 } },
        });
        if let (Some(volume), Some(fields)) = (volume, params.as_object_mut()) {
            fields.insert("volume".to_owned(), json!(volume.microlitres()));
            fields.insert("flowRate".to_owned(), json!(7.56));
        }
        params
    }
}

fn fail(error: ErrorOccurrence) -> End {
    End::Failed(Box::new(error))
}

fn break_down(failure: &RunFailure) -> ErrorOccurrence {
    let (kind, detail) = match failure.code.as_str() {
        "3010" => ("PipetteNotAttachedError", "No pipette on left mount matches p20_single_gen2"),
        _ => ("RobotError", "a fault on request"),
    };
    ErrorOccurrence::new(kind, &failure.code, detail, Utc::now())
}
