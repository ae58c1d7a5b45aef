//! Intended against done: which dispense command was which transfer. Pure.

use super::model::{Command, LoadedLabware};
use crate::labware::{Nanolitres, Well};
use crate::transfers::TransferList;
use jobs::work::physical::TransferReport;
use serde_json::Value;
use std::collections::HashMap;

/// What the robot's commands say of a list of transfers.
#[derive(Debug, PartialEq)]
pub(super) struct Reconciled {
    /// One per intended transfer, in its order.
    pub reports: Vec<TransferReport>,
    /// Transfers whose dispense succeeded.
    pub dispensed: usize,
    /// Some liquid may have moved, if only into a tip.
    pub liquid_touched: bool,
    /// A dispense that was not intended: the robot ran something else. In words.
    pub unintended: Option<String>,
}

impl Reconciled {
    pub fn is_complete(&self) -> bool {
        self.unintended.is_none() && self.reports.iter().all(|report| report.error.is_none())
    }
}

/// Dispenses are matched in order, each with the aspiration before it: the vetted protocol makes exactly
/// one of both per transfer. A dispense that repeats the last one (error recovery) takes its place.
pub(super) fn reconcile(list: &TransferList, commands: &[Command], labware: &[LoadedLabware]) -> Reconciled {
    let slots = slots(commands, labware);
    let mut done: Vec<Option<&Command>> = vec![None; list.transfers.len()];
    let mut next = 0;
    let mut unintended = None;
    let mut aspirated: Option<&Command> = None;
    for command in commands.iter().filter(|command| command.is_final()) {
        if command.is_aspirate() {
            aspirated = Some(command);
        }
        if !command.is_dispense() {
            continue;
        }
        let fits = |index: usize| {
            list.transfers.get(index).is_some_and(|transfer| {
                let source = End { slot: &list.source(transfer).slot, well: transfer.source_well };
                let slot = &list.destination(transfer).slot;
                let destination = End { slot, well: transfer.destination_well };
                destination.is_of(command, transfer.volume, &slots)
                    && aspirated.is_none_or(|from| source.is_of(from, transfer.volume, &slots))
            })
        };
        let repeats = next > 0 && fits(next - 1) && done.get(next - 1).is_some_and(|last| has_failed(*last));
        let index = if repeats {
            next - 1
        } else if fits(next) {
            next += 1;
            next - 1
        } else {
            unintended.get_or_insert_with(|| in_words(command, aspirated, &slots, next));
            continue;
        };
        if let Some(place) = done.get_mut(index) {
            *place = Some(command);
        }
    }
    let reports: Vec<TransferReport> =
        done.iter().enumerate().map(|(index, command)| report(index, *command)).collect();
    Reconciled {
        dispensed: reports.iter().filter(|report| report.error.is_none()).count(),
        reports,
        liquid_touched: commands.iter().any(Command::has_touched_liquid),
        unintended,
    }
}

fn has_failed(command: Option<&Command>) -> bool {
    command.is_some_and(|command| command.status == "failed")
}

fn report(index: usize, command: Option<&Command>) -> TransferReport {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let Some(command) = command else {
        return TransferReport { index, actual_nl: None, error: Some("not dispensed".to_owned()) };
    };
    if command.status != "succeeded" {
        let error =
            command.error.as_ref().map_or_else(|| "failed".to_owned(), |error| error.innermost().to_string());
        return TransferReport { index, actual_nl: None, error: Some(error) };
    }
    let volume = command.result.as_ref().and_then(|result| result.volume);
    let actual = volume.and_then(|volume| Nanolitres::try_from_microlitres_f64(volume).ok());
    TransferReport { index, actual_nl: actual.map(|volume| volume.0), error: None }
}

/// Where each loaded labware stands, by the robot's id for it.
fn slots(commands: &[Command], labware: &[LoadedLabware]) -> HashMap<String, String> {
    let loaded = labware.iter().map(|labware| (Some(labware.id.clone()), &labware.location));
    let commanded = commands.iter().filter(|command| command.command_type == "loadLabware").map(|command| {
        (command.result.as_ref().and_then(|result| result.labware_id.clone()), &command.params.location)
    });
    loaded.chain(commanded).filter_map(|(id, location)| Some((id?, slot_in(location)?))).collect()
}

fn slot_in(location: &Value) -> Option<String> {
    ["slotName", "addressableAreaName"].iter().find_map(|key| location.get(key)?.as_str()).map(str::to_owned)
}

/// One end of an intended transfer.
struct End<'a> {
    slot: &'a str,
    well: Well,
}

impl End<'_> {
    /// `command` went to this well of this slot with this volume.
    fn is_of(&self, command: &Command, volume: Nanolitres, slots: &HashMap<String, String>) -> bool {
        let well: Option<Well> = command.params.well_name.as_deref().and_then(|name| name.parse().ok());
        // A hundredth of a nanolitre: what is lost between our text and the robot's number.
        let same_volume =
            command.params.volume.is_some_and(|said| (said - volume.as_microlitres()).abs() < 1e-5);
        well == Some(self.well) && slot_of(command, slots) == Some(self.slot) && same_volume
    }
}

fn slot_of<'a>(command: &Command, slots: &'a HashMap<String, String>) -> Option<&'a str> {
    slots.get(command.params.labware_id.as_ref()?).map(String::as_str)
}

fn in_words(
    command: &Command,
    aspirated: Option<&Command>,
    slots: &HashMap<String, String>,
    next: usize,
) -> String {
    let place = |command: &Command| {
        let well = command.params.well_name.as_deref().unwrap_or("?");
        format!("well {well} of slot {}", slot_of(command, slots).unwrap_or("?"))
    };
    format!(
        "the robot dispensed {} uL from {} into {} where transfer {next} was to come",
        command.params.volume.unwrap_or(f64::NAN),
        aspirated.map_or_else(|| "somewhere".to_owned(), place),
        place(command),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::JobId;
    use jobs::work::physical::{DeckPlate, Dispense, PlateRef, Transfer};
    use serde_json::json;

    /// Three transfers of 2.5 µL from wells A1, A2, A3 of slot 2 into B1, B1, B2 of slot 1.
    fn list() -> TransferList {
        let plate = |slot: &str, barcode: &str| DeckPlate {
            slot: slot.to_owned(),
            plate: PlateRef {
                barcode: barcode.to_owned(),
                labware: "nest_96_wellplate_200ul_flat".to_owned(),
            },
        };
        let transfer = |(from, to): (&str, &str)| Transfer {
            source_barcode: "LIB-1".to_owned(),
            source_well: from.to_owned(),
            destination_barcode: "P-1".to_owned(),
            destination_well: to.to_owned(),
            volume_nl: 2_500,
            liquid_class: "water".to_owned(),
        };
        let job = Dispense {
            deck: vec![plate("1", "P-1"), plate("2", "LIB-1")],
            tip_rack_slots: vec!["10".to_owned()],
            transfers: [("A1", "B1"), ("A2", "B1"), ("A3", "B2")].map(transfer).into(),
        };
        TransferList::check(JobId::fresh(), &job).unwrap()
    }

    fn command(kind: &str, slot: &str, well: &str, status: &str) -> Command {
        let error = (status == "failed")
            .then(|| json!({"detail": "blocked", "errorCode": "3006", "errorType": "overpressure"}));
        serde_json::from_value(json!({
            "id": "c", "commandType": kind, "status": status, "error": error,
            "params": {"labwareId": format!("in-{slot}"), "wellName": well, "volume": 2.5},
            "result": {"volume": 2.4},
        }))
        .unwrap()
    }

    /// Aspirate from slot 2, dispense into slot 1, as `(from, to, status of the dispense)`.
    fn reconciled(steps: &[(&str, &str, &str)]) -> Reconciled {
        let labware: Vec<LoadedLabware> = ["1", "2"]
            .map(|slot| {
                serde_json::from_value(json!({"id": format!("in-{slot}"), "location": {"slotName": slot}}))
                    .unwrap()
            })
            .into();
        let commands: Vec<Command> = steps
            .iter()
            .flat_map(|(from, to, status)| {
                [command("aspirate", "2", from, "succeeded"), command("dispense", "1", to, status)]
            })
            .collect();
        reconcile(&list(), &commands, &labware)
    }

    const DONE: &str = "succeeded";

    #[test]
    fn two_transfers_into_one_well_are_told_apart_by_their_sources() {
        let all = reconciled(&[("A1", "B1", DONE), ("A2", "B1", DONE), ("A3", "B2", DONE)]);
        assert!(all.is_complete() && all.dispensed == 3);
        assert!(all.reports.iter().all(|report| report.actual_nl == Some(2_400)));
        let swapped = reconciled(&[("A2", "B1", DONE), ("A1", "B1", DONE), ("A3", "B2", DONE)]);
        assert!(swapped.unintended.is_some_and(|words| words.contains("from well A2 of slot 2")));
    }

    #[test]
    fn what_was_not_reached_is_said() {
        let part = reconciled(&[("A1", "B1", DONE), ("A2", "B1", "failed")]);
        assert_eq!((part.dispensed, part.is_complete(), part.unintended), (1, false, None));
        let errors: Vec<_> = part.reports.iter().map(|report| report.error.as_deref()).collect();
        assert_eq!(errors, [None, Some("blocked (3006 overpressure)"), Some("not dispensed")]);
    }

    #[test]
    fn a_dispense_repeated_by_error_recovery_takes_the_place_of_the_failed_one() {
        let steps = [("A1", "B1", "failed"), ("A1", "B1", DONE), ("A2", "B1", DONE), ("A3", "B2", DONE)];
        assert!(reconciled(&steps).is_complete());
    }

    #[test]
    fn a_dispense_too_many_is_not_intended() {
        let steps = [("A1", "B1", DONE), ("A2", "B1", DONE), ("A3", "B2", DONE), ("A3", "B2", DONE)];
        let more = reconciled(&steps);
        assert!(!more.is_complete() && more.dispensed == 3);
    }

    #[test]
    fn a_robot_that_did_nothing_touched_nothing() {
        let nothing = reconcile(&list(), &[], &[]);
        assert_eq!((nothing.dispensed, nothing.liquid_touched), (0, false));
    }
}
