//! Driver of the plate reader: `POST /reads`, then its file, kept as it came. Reading does no harm to a
//! plate: what goes wrong is tried again.

use super::device::Device;
use super::operation::{Answer, Operation, Operations, Status};
use super::timings::Watch;
use super::{SetupError, Timings};
use async_trait::async_trait;
use jobs::work::physical::ReadResult;
use jobs::work::{Outcome, Output, Work};
use jobs::worker::{Attempt, Begun, Handler};
use jobs::{Failure, FailureClass};
use serde::{Deserialize, Serialize};

/// How the reader's file is read later, by [`parsers`](crate::parsers).
const FORMAT: &str = "plate_csv";

/// Reads plates.
pub struct Reader {
    device: Device,
    instrument: String,
}

#[derive(Serialize)]
struct Request<'a> {
    id: String,
    slot: &'a str,
    barcode: &'a str,
    channels: &'a [String],
}

/// A read says no more than how it stands.
#[derive(Deserialize)]
struct Nothing {}

impl Answer for Nothing {}

impl Reader {
    pub fn connect(url: &str, instrument: &str, timings: Timings) -> Result<Self, SetupError> {
        Ok(Self { device: Device::connect(url, timings)?, instrument: instrument.to_owned() })
    }

    fn operations(&self) -> Operations<'_> {
        Operations { device: &self.device, driver: "reader", path: "/reads" }
    }

    async fn carry_out(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let operations = self.operations();
        let Work::Read(job) = &attempt.lease().work else {
            return Err(operations.refuse("wrong_kind", "The reader carries out read jobs only."));
        };
        if job.at.device != self.instrument {
            let message = format!("The plate stands in {}, this is {}.", job.at, self.instrument);
            return Err(operations.refuse("wrong_device", message));
        }
        operations.check_device(attempt, &self.instrument).await?;
        let body = Request {
            id: attempt.operation_id(),
            slot: &job.at.slot,
            barcode: &job.plate.barcode,
            channels: &job.channels,
        };
        let operation = operations.carry_out::<Nothing>(attempt, &body).await?;
        self.outcome(attempt, &attempt.operation_id(), operation).await
    }

    async fn outcome(
        &self,
        attempt: &Attempt,
        id: &str,
        operation: Operation<Nothing>,
    ) -> Result<Outcome, Outcome> {
        if operation.status != Status::Succeeded {
            let extent = "There are no readings.";
            return Err(self.operations().failed(FailureClass::Transient, operation.error, extent));
        }
        let bytes = self.download(id).await?;
        let raw = attempt.put_blob(&bytes).await.map_err(|error| {
            let message = format!("The readings could not be kept on this disk: {error}.");
            let failure = Failure::new(FailureClass::Transient, "reader.spool_unusable", message);
            Outcome::Failed { failure }
        })?;
        let result = ReadResult { raw, format: FORMAT.to_owned(), original: None };
        Ok(Outcome::Succeeded { output: Box::new(Output::Read(result)) })
    }

    async fn download(&self, id: &str) -> Result<Vec<u8>, Outcome> {
        let path = format!("/reads/{id}/file");
        let mut watch = Watch::new(self.device.timings());
        loop {
            match self.device.get_bytes("download the readings", &path).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.is_passing() && !watch.is_patience_over() => {
                    tracing::warn!(%error, operation = %id, "downloading again");
                    watch.pause().await;
                }
                Err(error) => {
                    let message = format!("The plate was read, its file was not got: {error}.");
                    let failure = Failure::new(FailureClass::Transient, "reader.no_file", message);
                    return Err(Outcome::Failed { failure });
                }
            }
        }
    }
}

#[async_trait]
impl Handler for Reader {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.carry_out(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        let outcome = match self.operations().recover(begun).await {
            Ok(operation) => self.outcome(begun.attempt(), begun.device_ref(), operation).await,
            Err(outcome) => Err(outcome),
        };
        Some(outcome.unwrap_or_else(|outcome| outcome))
    }
}
