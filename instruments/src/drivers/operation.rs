//! What mover, incubator and reader have in common: operations that are idempotent by an id we choose.
//!
//! ```text
//! POST /<things> {"id", ..}   again and again until answered: the device never repeats an id
//! GET  /<things>/<id>         running -> succeeded | failed | unknown
//! ```
//!
//! - These devices cannot be stopped in the middle: a stop that comes too late lets the operation end, and
//!   its result is told as it is.
//! - An asking without an answer may have begun the work. After it neither a stop nor a refusal says that nothing
//!   was begun: the device is looked at. It answers an id that it knows before it looks at anything else, so
//!   that one which it refuses and does not know was never begun.

use super::device::{Device, DeviceError};
use super::ready::until_ready;
use super::steps::{self, Step};
use super::timings::Watch;
use jobs::work::Outcome;
use jobs::worker::{Attempt, Begun, Halt, NotBegun};
use jobs::{Failure, FailureClass};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the small protocol that we speak.
const API_VERSION: &str = "1.0";

/// Note in the begun-record: the device has answered our asking.
const ACCEPTED: &str = "accepted";

/// How often a device may break down over our asking before we only look what it has made of it.
const BREAKDOWNS: u32 = 5;

/// For how many of the longest pauses a device has to say that it does not know an operation: an asking
/// without an answer may still be on its way.
const LATE: u32 = 3;

/// A family of operations of one device.
pub(super) struct Operations<'a> {
    pub device: &'a Device,
    /// For codes: `mover`.
    pub driver: &'static str,
    /// `/moves`
    pub path: &'static str,
}

/// How an operation stands, with what its family adds.
#[derive(Debug, Deserialize)]
pub(super) struct Operation<T> {
    pub status: Status,
    pub error: Option<Fault>,
    #[serde(flatten)]
    pub more: T,
}

/// What a family of operations adds to the common answer.
pub(super) trait Answer: DeserializeOwned {
    /// The job is done although the operation still runs.
    fn is_enough(&self) -> bool {
        false
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Running,
    Succeeded,
    Failed,
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    pub code: String,
    pub detail: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

#[derive(Deserialize)]
struct Health {
    name: String,
    api_version: String,
}

/// What came of our asking, as far as we know.
enum Asked {
    /// The device has answered that it does it.
    Accepted,
    /// There was no answer, and an earlier life of this process may have been the last to ask.
    Unsure,
    /// There was no answer, and we may not ask again.
    Halted(Halt),
    /// There was no answer, and when asked again the device refused.
    Refused(Failure),
}

impl Operations<'_> {
    /// The device answers, speaks our version, and is the one we were told: before anything begins. One that is
    /// out of reach is waited for.
    pub async fn check_device(&self, attempt: &Attempt, instrument: &str) -> Result<(), Outcome> {
        until_ready(attempt, self.device.timings(), || self.is_the_one(instrument)).await
    }

    async fn is_the_one(&self, instrument: &str) -> Result<(), Failure> {
        let health: Health = self
            .device
            .get("ask for its health", "/health")
            .await
            .map_err(|error| error.before_begin(self.driver))?;
        let wrong = if health.api_version != API_VERSION {
            format!("it speaks version {} of its protocol, we speak {API_VERSION}", health.api_version)
        } else if health.name != instrument {
            format!("it calls itself {}, not {instrument}: check the agent's address", health.name)
        } else {
            return Ok(());
        };
        let message = format!("Nothing was begun: this is not the device that was meant; {wrong}.");
        Err(Failure::new(FailureClass::NeedsPerson, format!("{}.wrong_device", self.driver), message))
    }

    /// Asks for an operation and follows it to its end. `Err` is the outcome when there is none to see.
    pub async fn carry_out<T: Answer>(
        &self,
        attempt: &Attempt,
        body: &(impl Serialize + Sync),
    ) -> Result<Operation<T>, Outcome> {
        let id = attempt.operation_id();
        attempt.begin(id.clone()).await?;
        let mut watch = Watch::new(self.device.timings());
        let (mut is_unsure, mut breakdowns) = (false, 0);
        loop {
            match attempt.checkpoint() {
                Ok(()) => {}
                // The server may come back and confirm it; or say that it is lost.
                Err(Halt::AuthorityUnconfirmed) if !watch.is_overdue() => {
                    watch.pause().await;
                    continue;
                }
                Err(halt) if is_unsure => return self.follow(attempt, &id, Asked::Halted(halt)).await,
                Err(halt) => return Err(NotBegun::from(halt).into()),
            }
            steps::before(Step::Ask).await;
            let asked: Result<Value, DeviceError> =
                self.device.send_json("ask for the operation", Method::POST, self.path, body).await;
            steps::after(Step::Ask).await;
            match asked {
                Ok(_) | Err(DeviceError::Garbled { .. }) => break,
                // It may have heard us: asking again does not repeat anything.
                Err(error) if error.is_unreachable() => {
                    if watch.is_patience_over() {
                        return Err(self.in_the_dark(attempt.lease().repeatable, &error));
                    }
                    is_unsure = true;
                    tracing::warn!(%error, operation = %id, "asking again");
                }
                Err(error) if error.status().is_some_and(|status| status >= 500) => {
                    (is_unsure, breakdowns) = (true, breakdowns + 1);
                    if breakdowns >= BREAKDOWNS {
                        return self.follow(attempt, &id, Asked::Unsure).await;
                    }
                    tracing::warn!(%error, operation = %id, "asking again");
                }
                Err(error) if is_unsure => {
                    tracing::warn!(%error, operation = %id, "refused; whether it was begun before, it will say");
                    let refused = Asked::Refused(error.before_begin(self.driver));
                    return self.follow(attempt, &id, refused).await;
                }
                Err(error) => {
                    return Err(Outcome::Failed { failure: error.before_begin(self.driver) });
                }
            }
            watch.pause().await;
        }
        if let Err(error) = attempt.note(ACCEPTED, "yes") {
            tracing::warn!(%error, operation = %id, "not written down; a restart will ask the device");
        }
        self.follow(attempt, &id, Asked::Accepted).await
    }

    /// Follows an operation that an earlier life of this process had asked for.
    pub async fn recover<T: Answer>(&self, begun: &Begun) -> Result<Operation<T>, Outcome> {
        let asked = if begun.note(ACCEPTED).is_some() { Asked::Accepted } else { Asked::Unsure };
        self.follow(begun.attempt(), begun.device_ref(), asked).await
    }

    async fn follow<T: Answer>(
        &self,
        attempt: &Attempt,
        id: &str,
        mut asked: Asked,
    ) -> Result<Operation<T>, Outcome> {
        steps::before(Step::FollowOperation).await;
        let repeatable = attempt.lease().repeatable;
        let path = format!("{}/{id}", self.path);
        let mut watch = Watch::new(self.device.timings());
        // Since when the device says that it does not know it.
        let mut unheard: Option<Watch> = None;
        loop {
            let seen = self.device.get::<Operation<T>>("look at the operation", &path).await;
            steps::during(Step::FollowOperation).await;
            match seen {
                Ok(operation) if operation.status == Status::Running && !operation.more.is_enough() => {
                    watch.answered();
                    // Whatever its answer would have been: it has heard us.
                    asked = Asked::Accepted;
                    attempt.progress(format!("{}: under way", self.driver), None);
                }
                Ok(operation) if operation.status == Status::Unknown => {
                    let said =
                        operation.error.map_or_else(String::new, |fault| format!(" It says: {fault}."));
                    let message = format!(
                        "The device does not know how operation {id} ended.{said} Look at the plate and the device, then record what happened."
                    );
                    return Err(self.unknown(repeatable, "outcome_unknown", message));
                }
                Ok(operation) => return Ok(operation),
                Err(error) if error.status() == Some(404) && matches!(asked, Asked::Accepted) => {
                    let message = format!(
                        "The device had accepted operation {id} and has forgotten it. Look at the plate and the device, then record what happened."
                    );
                    return Err(self.unknown(repeatable, "forgotten", message));
                }
                Err(error) if error.status() == Some(404) => {
                    watch.answered();
                    let timings = self.device.timings();
                    let since = unheard.get_or_insert_with(|| Watch::new(timings));
                    if since.has_run(timings.poll_limit * LATE) {
                        return Err(self.never_heard(id, asked));
                    }
                }
                Err(error) if watch.is_patience_over() => {
                    return Err(self.in_the_dark(repeatable, &error));
                }
                Err(error) => {
                    tracing::warn!(%error, operation = %id, "looking again");
                    attempt.progress(
                        format!("{}: the device does not answer; waiting for it", self.driver),
                        None,
                    );
                }
            }
            if watch.is_overdue() {
                let message = format!(
                    "Operation {id} has not ended within the longest time it may take. Look at the device."
                );
                return Err(self.unknown(repeatable, "overdue", message));
            }
            watch.pause().await;
        }
    }

    /// The device does not know the operation, and will not: nothing was begun.
    fn never_heard(&self, id: &str, asked: Asked) -> Outcome {
        match asked {
            Asked::Halted(halt) => NotBegun::from(halt).into(),
            Asked::Refused(failure) => Outcome::Failed { failure },
            Asked::Accepted | Asked::Unsure => {
                let message = format!("The device has never heard of operation {id}: nothing was begun.");
                let code = format!("{}.never_asked", self.driver);
                Outcome::Failed { failure: Failure::new(FailureClass::Transient, code, message) }
            }
        }
    }

    fn in_the_dark(&self, repeatable: bool, error: &DeviceError) -> Outcome {
        let message = format!(
            "The device was lost in the middle of its work and did not come back: {error}. Look at the plate and the device, then record what happened."
        );
        self.unknown(repeatable, "lost", message)
    }

    /// Work that may be repeated is tried again; of work that may not be, a person says what happened.
    fn unknown(&self, repeatable: bool, what: &str, message: String) -> Outcome {
        let code = format!("{}.{what}", self.driver);
        if repeatable {
            return Outcome::Failed { failure: Failure::new(FailureClass::Transient, code, message) };
        }
        Outcome::Unknown { failure: Failure::new(FailureClass::NeedsPerson, code, message) }
    }

    /// The job does not fit this driver: a mistake in the plan or in the agent's configuration.
    pub fn refuse(&self, what: &str, message: impl Into<String>) -> Outcome {
        let code = format!("{}.{what}", self.driver);
        Outcome::Failed { failure: Failure::new(FailureClass::Permanent, code, message) }
    }

    /// The device said that it did not do it.
    pub fn failed(&self, class: FailureClass, fault: Option<Fault>, extent: &str) -> Outcome {
        let (code, detail) = match fault {
            Some(fault) => (format!("{}.{}", self.driver, fault.code), fault.detail),
            None => (format!("{}.failed", self.driver), "it gives no reason".to_owned()),
        };
        let message = format!("The device failed: {detail}. {extent}");
        Outcome::Failed { failure: Failure::new(class, code, message) }
    }
}
