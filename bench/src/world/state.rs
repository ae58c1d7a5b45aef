//! What the world is like now: a pure fold over the truth log.

use super::event::{Entry, Event, OperationError, PlateCreated, PlateWell, Transferred};
use super::{Place, Plate};
use crate::liquid::Mixture;
use chrono::{DateTime, Utc};
use instruments::labware::Labware;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

#[derive(Default)]
pub struct State {
    laws: Option<serde_json::Value>,
    plates: BTreeMap<String, Plate>,
    places: HashMap<Place, String>,
    operations: HashMap<(String, String), Operation>,
    spilt: Mixture,
}

/// Something that a mover, incubator or reader was asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub request: serde_json::Value,
    pub status: OperationStatus,
    pub started_at: DateTime<Utc>,
    /// Of a mover: what has arrived so far.
    pub arrived: Vec<(String, Place)>,
    pub error: Option<OperationError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    Running,
    Succeeded,
    Failed,
    /// It was running when the process was killed: nobody can say how far it came.
    Unknown,
}

impl State {
    /// The laws that the world was created with.
    pub fn laws(&self) -> Option<&serde_json::Value> {
        self.laws.as_ref()
    }

    pub fn plate(&self, barcode: &str) -> Option<&Plate> {
        self.plates.get(barcode)
    }

    /// By barcode.
    pub fn plates(&self) -> impl Iterator<Item = &Plate> {
        self.plates.values()
    }

    pub fn plate_at(&self, place: &Place) -> Option<&Plate> {
        self.places.get(place).and_then(|barcode| self.plates.get(barcode))
    }

    pub fn operation(&self, device: &str, id: &str) -> Option<&Operation> {
        self.operations.get(&(device.to_owned(), id.to_owned()))
    }

    /// Everything that left a source well and reached no other: on the deck, or in the trash.
    pub fn lost(&self) -> &Mixture {
        &self.spilt
    }

    /// Why `event` cannot happen now.
    pub fn check(&self, event: &Event) -> Result<(), String> {
        match event {
            Event::PlateCreated(plate) => self.check_created(plate),
            Event::PlateMoved { barcode, from, to, .. } => self.check_moved(barcode, from, to),
            Event::Transferred(transfer) => self.check_transferred(transfer),
            Event::PlateAffected { barcode, .. } => self.known(barcode).map(drop),
            _ => Ok(()),
        }
    }

    pub(super) fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        self.check(&entry.event)?;
        match &entry.event {
            Event::WorldCreated { laws } => self.laws = Some(laws.clone()),
            Event::Restarted => self.lose_sight_of_operations(),
            Event::PlateCreated(plate) => self.create(plate)?,
            Event::OperationStarted { device, id, request } => self.start(device, id, request, entry.at),
            Event::OperationFinished { device, id, error } => self.finish(device, id, error),
            Event::PlateMoved { operation, barcode, from, to } => {
                self.move_plate(operation, barcode, from, to)
            }
            Event::Transferred(transfer) => self.transfer(transfer),
            Event::PlateAffected { barcode, reading_factor, reading_extra_cv } => {
                if let Some(plate) = self.plates.get_mut(barcode) {
                    plate.reading_factor = *reading_factor;
                    plate.reading_extra_cv = *reading_extra_cv;
                }
            }
            // They change nothing that a later step could meet; the log keeps them.
            Event::Incubated { .. } | Event::PlateRead { .. } => {}
        }
        Ok(())
    }

    fn known(&self, barcode: &str) -> Result<&Plate, String> {
        self.plate(barcode).ok_or_else(|| format!("there is no plate {barcode}"))
    }

    fn check_created(&self, plate: &PlateCreated) -> Result<(), String> {
        if self.plates.contains_key(&plate.barcode) {
            return Err(format!("plate {} exists", plate.barcode));
        }
        let labware = Labware::by_load_name(&plate.labware).map_err(|error| error.to_string())?;
        for well in plate.wells.keys() {
            labware.format.check(*well).map_err(|error| error.to_string())?;
        }
        self.check_free(&plate.barcode, &plate.to)
    }

    fn check_moved(&self, barcode: &str, from: &Place, to: &Place) -> Result<(), String> {
        if self.known(barcode)?.at != *from {
            return Err(format!("plate {barcode} does not stand in {from}"));
        }
        self.check_free(barcode, to)
    }

    fn check_free(&self, barcode: &str, to: &Place) -> Result<(), String> {
        match self.places.get(to) {
            Some(other) => Err(format!("{to} holds plate {other}")),
            None if to.takes(barcode) => Ok(()),
            None => Err(format!("{to} is no place for plate {barcode}")),
        }
    }

    fn check_transferred(&self, transfer: &Transferred) -> Result<(), String> {
        for PlateWell { barcode, well } in [&transfer.source, &transfer.destination].into_iter().flatten() {
            self.known(barcode)?.labware.format.check(*well).map_err(|error| error.to_string())?;
        }
        let there = transfer
            .source
            .as_ref()
            .and_then(|source| self.plate(&source.barcode).map(|plate| plate.contents(source.well)))
            .unwrap_or_default();
        match transfer.drawn.iter().find(|(content, volume)| there.volume_of(content) < *volume) {
            Some((content, _)) => Err(format!("the source does not hold so much {content}")),
            None => Ok(()),
        }
    }

    fn create(&mut self, plate: &PlateCreated) -> Result<(), String> {
        let labware = Labware::by_load_name(&plate.labware).map_err(|error| error.to_string())?;
        self.places.insert(plate.to.clone(), plate.barcode.clone());
        let made = Plate {
            barcode: plate.barcode.clone(),
            labware,
            role: plate.role.clone(),
            at: plate.to.clone(),
            fill: plate.fill.clone(),
            wells: plate.wells.clone(),
            touched: false,
            reading_factor: 1.0,
            reading_extra_cv: 0.0,
        };
        self.plates.insert(plate.barcode.clone(), made);
        Ok(())
    }

    fn start(&mut self, device: &str, id: &str, request: &serde_json::Value, started_at: DateTime<Utc>) {
        let operation = Operation {
            request: request.clone(),
            status: OperationStatus::Running,
            started_at,
            arrived: Vec::new(),
            error: None,
        };
        self.operations.insert((device.to_owned(), id.to_owned()), operation);
    }

    fn finish(&mut self, device: &str, id: &str, error: &Option<OperationError>) {
        if let Some(operation) = self.operations.get_mut(&(device.to_owned(), id.to_owned())) {
            operation.status =
                if error.is_some() { OperationStatus::Failed } else { OperationStatus::Succeeded };
            operation.error = error.clone();
        }
    }

    fn lose_sight_of_operations(&mut self) {
        for operation in self.operations.values_mut() {
            if operation.status == OperationStatus::Running {
                operation.status = OperationStatus::Unknown;
            }
        }
    }

    fn move_plate(&mut self, operation: &str, barcode: &str, from: &Place, to: &Place) {
        self.places.remove(from);
        self.places.insert(to.clone(), barcode.to_owned());
        if let Some(plate) = self.plates.get_mut(barcode) {
            plate.at = to.clone();
        }
        let key = (super::place::MOVER.to_owned(), operation.to_owned());
        if let Some(operation) = self.operations.get_mut(&key) {
            operation.arrived.push((barcode.to_owned(), to.clone()));
        }
    }

    fn transfer(&mut self, transfer: &Transferred) {
        if let Some(source) = &transfer.source
            && let Some(plate) = self.plates.get_mut(&source.barcode)
        {
            plate.contents_mut(source.well).remove(&transfer.drawn);
        }
        let mut lost = transfer.drawn.clone();
        if let Some(destination) = &transfer.destination
            && let Some(plate) = self.plates.get_mut(&destination.barcode)
        {
            plate.contents_mut(destination.well).add(&transfer.delivered);
            plate.touched = true;
            lost.remove(&transfer.delivered);
        }
        self.spilt.add(&lost);
    }
}
