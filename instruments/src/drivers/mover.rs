//! Driver of the plate mover: `POST /moves`. It scans each plate where it takes it up.

use super::device::Device;
use super::operation::{Answer, Operation, Operations, Status};
use super::{SetupError, Timings};
use async_trait::async_trait;
use jobs::FailureClass;
use jobs::work::physical::{Arrival, MoveResult, PlateMove};
use jobs::work::{Outcome, Output, Work};
use jobs::worker::{Attempt, Begun, Handler};
use serde::{Deserialize, Serialize};

/// Moves plates between devices.
pub struct Mover {
    device: Device,
    instrument: String,
}

#[derive(Serialize)]
struct Request<'a> {
    id: String,
    moves: &'a [PlateMove],
}

#[derive(Deserialize)]
struct Moved {
    #[serde(default)]
    arrived: Vec<Arrival>,
}

impl Answer for Moved {}

impl Mover {
    pub fn connect(url: &str, instrument: &str, timings: Timings) -> Result<Self, SetupError> {
        Ok(Self { device: Device::connect(url, timings)?, instrument: instrument.to_owned() })
    }

    fn operations(&self) -> Operations<'_> {
        Operations { device: &self.device, driver: "mover", path: "/moves" }
    }

    async fn carry_out(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let operations = self.operations();
        let Work::Move(job) = &attempt.lease().work else {
            return Err(operations.refuse("wrong_kind", "The mover carries out move jobs only."));
        };
        operations.check_device(attempt, &self.instrument).await?;
        let body = Request { id: attempt.operation_id(), moves: &job.moves };
        let operation = operations.carry_out(attempt, &body).await?;
        Ok(self.outcome(&job.moves, operation))
    }

    fn outcome(&self, asked: &[PlateMove], operation: Operation<Moved>) -> Outcome {
        let arrived = operation.more.arrived;
        if operation.status == Status::Succeeded && all_arrived(asked, &arrived) {
            let output = Box::new(Output::Move(MoveResult { arrived }));
            return Outcome::Succeeded { output };
        }
        let places: Vec<String> =
            arrived.iter().map(|arrival| format!("{} at {}", arrival.barcode, arrival.at)).collect();
        let extent = format!(
            "{} of {} moves were carried out{}{}. Look at the plates before it is tried again.",
            arrived.len(),
            asked.len(),
            if places.is_empty() { "" } else { ": " },
            places.join(", ")
        );
        self.operations().failed(FailureClass::NeedsPerson, operation.error, &extent)
    }
}

/// A mover that says `succeeded` has to say where each plate stands, and that it is where it was to go.
fn all_arrived(asked: &[PlateMove], arrived: &[Arrival]) -> bool {
    asked.len() == arrived.len()
        && asked
            .iter()
            .zip(arrived)
            .all(|(asked, arrived)| asked.plate.barcode == arrived.barcode && asked.to == arrived.at)
}

#[async_trait]
impl Handler for Mover {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.carry_out(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        let Work::Move(job) = &begun.lease().work else {
            return None;
        };
        Some(match self.operations().recover(begun).await {
            Ok(operation) => self.outcome(&job.moves, operation),
            Err(outcome) => outcome,
        })
    }
}
