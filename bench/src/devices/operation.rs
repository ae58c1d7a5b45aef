//! One operation of a small device, from request to answer.
//!
//! ```text
//!   posted -> running -> succeeded | failed
//!                running -(process killed)-> unknown
//! ```

use super::answer::Refusal;
use crate::bench::Bench;
use crate::world::event::OperationError;
use crate::world::{self, Event, Operation};
use axum::http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// What one device does under one id.
pub struct Posted {
    pub device: &'static str,
    pub id: String,
    pub request: serde_json::Value,
}

/// Why an operation ended early.
pub enum Stop {
    /// The device says no.
    Failed(OperationError),
    /// The truth cannot be written: the world stands still.
    World(world::Error),
}

impl From<world::Error> for Stop {
    fn from(error: world::Error) -> Self {
        Self::World(error)
    }
}

impl From<OperationError> for Stop {
    fn from(error: OperationError) -> Self {
        Self::Failed(error)
    }
}

/// Carries out `work` under the posted id, once. 201 for a new operation, 200 for a known one; with
/// `device_seconds` set, the answer does not wait for the end.
pub async fn perform<W>(
    bench: Arc<Bench>,
    posted: Posted,
    work: W,
) -> Result<(StatusCode, Operation), Refusal>
where
    W: FnOnce(&Bench) -> Result<(), Stop> + Send + 'static,
{
    check_id(&posted.id)?;
    let (device, id) = (posted.device, posted.id.clone());
    let in_background = bench.settings.device_seconds > 0.0;
    let begun = {
        let bench = bench.clone();
        blocking(move || begin(&bench, &posted)).await??
    };
    if begun == Begun::Known {
        return Ok((StatusCode::OK, find(&bench, device, &id)?));
    }
    let task = {
        let (bench, id) = (bench.clone(), id.clone());
        tokio::task::spawn_blocking(move || finish(&bench, device, &id, work))
    };
    if !in_background {
        task.await.map_err(|error| broken(&error))??;
    }
    Ok((StatusCode::CREATED, find(&bench, device, &id)?))
}

/// The operation as it stands.
pub fn find(bench: &Bench, device: &str, id: &str) -> Result<Operation, Refusal> {
    bench
        .world()
        .state()
        .operation(device, id)
        .cloned()
        .ok_or_else(|| Refusal::not_found("unknown_operation", format!("{device} knows no operation {id}")))
}

/// Runs `step`, which writes to disk, where it may block.
pub async fn blocking<T: Send + 'static>(step: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(step).await.map_err(|error| broken(&error))
}

/// The time that one physical step takes here.
pub fn take_time(bench: &Bench) {
    let seconds = bench.settings.device_seconds;
    if seconds > 0.0 {
        std::thread::sleep(Duration::from_secs_f64(seconds));
    }
}

#[derive(PartialEq, Eq)]
enum Begun {
    New,
    Known,
}

fn begin(bench: &Bench, posted: &Posted) -> Result<Begun, Refusal> {
    let mut world = bench.world();
    if let Some(known) = world.state().operation(posted.device, &posted.id) {
        return if known.request == posted.request {
            Ok(Begun::Known)
        } else {
            Err(Refusal::conflict(
                "id_conflict",
                format!("operation {} was posted with another content", posted.id),
            ))
        };
    }
    world.record(Event::OperationStarted {
        device: posted.device.to_owned(),
        id: posted.id.clone(),
        request: posted.request.clone(),
    })?;
    Ok(Begun::New)
}

fn finish(
    bench: &Bench,
    device: &str,
    id: &str,
    work: impl FnOnce(&Bench) -> Result<(), Stop>,
) -> Result<(), Refusal> {
    let error = match work(bench) {
        Ok(()) => None,
        Err(Stop::Failed(error)) => Some(error),
        Err(Stop::World(error)) => return Err(error.into()),
    };
    let mut world = bench.world();
    world.record(Event::OperationFinished { device: device.to_owned(), id: id.to_owned(), error })?;
    Ok(world.sync()?)
}

fn check_id(id: &str) -> Result<(), Refusal> {
    if (1..=200).contains(&id.len()) && !id.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::invalid("bad_id", "an operation's id has 1 to 200 printable characters"))
    }
}

fn broken(error: &tokio::task::JoinError) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "step_broken", error.to_string())
}
