//! Devices that succeed at once.

use super::world::World;
use async_trait::async_trait;
use chrono::Utc;
use jobs::spool;
use jobs::work::physical::{Arrival, DispenseResult, IncubateResult, MoveResult, ReadResult, TransferReport};
use jobs::work::{Outcome, Output};
use jobs::worker::{Attempt, Begun, Handler};
use jobs::{Failure, FailureClass, Work};
use std::sync::Arc;
use std::time::Duration;

/// Any device of a bench.
pub struct Device {
    pub world: Arc<World>,
    /// How long each of its jobs takes.
    pub takes: Duration,
}

#[async_trait]
impl Handler for Device {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        if let Err(not_begun) = attempt.begin("at once").await {
            return not_begun.into();
        }
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        outcome(self.carry_out(attempt).await)
    }

    async fn recover(&self, _begun: &Begun) -> Option<Outcome> {
        None
    }
}

impl Device {
    async fn carry_out(&self, attempt: &Attempt) -> Result<Output, spool::Error> {
        Ok(match &attempt.lease().work {
            Work::Dispense(job) => {
                self.world.dispense(job);
                let done =
                    |(index, volume_nl)| TransferReport { index, actual_nl: Some(volume_nl), error: None };
                Output::Dispense(DispenseResult {
                    transfers: (0..).zip(job.transfers.iter().map(|it| it.volume_nl)).map(done).collect(),
                    device_run_id: attempt.operation_id(),
                    recovered_from_error: false,
                    raw: attempt.put_blob(format!("run {}", attempt.operation_id())).await?,
                })
            }
            Work::Move(job) => {
                let arrived = job
                    .moves
                    .iter()
                    .map(|it| Arrival { barcode: it.plate.barcode.clone(), at: it.to.clone() });
                Output::Move(MoveResult { arrived: arrived.collect() })
            }
            Work::Incubate(job) => Output::Incubate(IncubateResult {
                started_at: Utc::now(),
                temperature_celsius: job.temperature_celsius,
            }),
            Work::Read(job) => {
                let raw = attempt.put_blob(self.world.read(&job.plate.barcode)).await?;
                Output::Read(ReadResult { raw, format: "plate_csv".to_owned(), original: None })
            }
            other => unreachable!("a device is given {}", other.kind()),
        })
    }
}

/// What a handler says of its work.
pub(super) fn outcome(done: Result<Output, impl std::fmt::Display>) -> Outcome {
    match done {
        Ok(output) => Outcome::Succeeded { output: Box::new(output) },
        Err(error) => {
            let failure = Failure::new(FailureClass::Permanent, "bench.failed", error.to_string());
            Outcome::Failed { failure }
        }
    }
}
