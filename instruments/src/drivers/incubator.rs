//! Driver of the incubator: `POST /incubations`. The job ends when the incubation has begun; when it is
//! over is the next job's business.

use super::device::Device;
use super::operation::{Answer, Operation, Operations, Status};
use super::{SetupError, Timings};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jobs::FailureClass;
use jobs::work::physical::{Incubate, IncubateResult};
use jobs::work::{Outcome, Output, Work};
use jobs::worker::{Attempt, Begun, Handler};
use serde::{Deserialize, Serialize};

/// Begins incubations.
pub struct Incubator {
    device: Device,
    instrument: String,
}

#[derive(Serialize)]
struct Request<'a> {
    id: String,
    slot: &'a str,
    barcode: &'a str,
    temperature_celsius: f64,
    co2_percent: f64,
    hours: f64,
}

#[derive(Deserialize)]
struct Incubation {
    started_at: Option<DateTime<Utc>>,
    temperature_celsius: Option<f64>,
}

impl Answer for Incubation {
    /// It may call itself running for as long as the plate is in it: having begun is enough.
    fn is_enough(&self) -> bool {
        self.started_at.is_some() && self.temperature_celsius.is_some()
    }
}

impl Incubator {
    pub fn connect(url: &str, instrument: &str, timings: Timings) -> Result<Self, SetupError> {
        Ok(Self { device: Device::connect(url, timings)?, instrument: instrument.to_owned() })
    }

    fn operations(&self) -> Operations<'_> {
        Operations { device: &self.device, driver: "incubator", path: "/incubations" }
    }

    async fn carry_out(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let operations = self.operations();
        let Work::Incubate(job) = &attempt.lease().work else {
            return Err(operations.refuse("wrong_kind", "The incubator carries out incubate jobs only."));
        };
        self.check_job(job)?;
        operations.check_device(attempt, &self.instrument).await?;
        let body = Request {
            id: attempt.operation_id(),
            slot: &job.at.slot,
            barcode: &job.plate.barcode,
            temperature_celsius: job.temperature_celsius,
            co2_percent: job.co2_percent,
            hours: job.hours,
        };
        let operation = operations.carry_out(attempt, &body).await?;
        Ok(self.outcome(operation))
    }

    fn check_job(&self, job: &Incubate) -> Result<(), Outcome> {
        let refuse = |what, message: String| Err(self.operations().refuse(what, message));
        if job.at.device != self.instrument {
            return refuse(
                "wrong_device",
                format!("The plate stands in {}, this is {}.", job.at, self.instrument),
            );
        }
        if ![job.temperature_celsius, job.co2_percent, job.hours].iter().all(|number| number.is_finite()) {
            return refuse("not_a_number", "Temperature, CO2 and hours have to be numbers.".to_owned());
        }
        Ok(())
    }

    fn outcome(&self, operation: Operation<Incubation>) -> Outcome {
        let said = (operation.status, operation.more.started_at, operation.more.temperature_celsius);
        if let (Status::Succeeded | Status::Running, Some(started_at), Some(temperature_celsius)) = said {
            let result = IncubateResult { started_at, temperature_celsius };
            return Outcome::Succeeded { output: Box::new(Output::Incubate(result)) };
        }
        let extent = "The incubation has not begun.";
        self.operations().failed(FailureClass::NeedsPerson, operation.error, extent)
    }
}

#[async_trait]
impl Handler for Incubator {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.carry_out(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        Some(match self.operations().recover(begun).await {
            Ok(operation) => self.outcome(operation),
            Err(outcome) => outcome,
        })
    }
}
