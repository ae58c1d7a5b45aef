//! Plays a run, or only watches it, until it is over.

use super::super::timings::Watch;
use super::api::{ActionAnswer, Api};
use super::archive::History;
use super::model::{Run, RunStatus};
use super::outcome::Unplayed;
use crate::drivers::steps::{self, Step};
use jobs::worker::{Attempt, Halt};
use jobs::{Failure, FailureClass};
use serde_json::Value;
use tokio::time::Instant;

/// What is to become of a run that stands idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// Play it: it is the one that we have just begun.
    Play,
    /// End it: an earlier life of this process had not played it, and nobody knows whether it is still wanted.
    End,
}

/// What an idle run is given now.
enum Next {
    Play,
    /// Nothing: whether we still may is the server's to say, and it is not reached.
    Wait,
    End(Unplayed),
}

impl Idle {
    /// Looked at before each play: one that was not heard is asked for again, long after the beginning.
    fn next(self, attempt: &Attempt) -> Next {
        match (self, attempt.checkpoint()) {
            (Self::End, _) => Next::End(Unplayed::BeforeRestart),
            (Self::Play, Ok(())) => Next::Play,
            (Self::Play, Err(Halt::AuthorityUnconfirmed)) => Next::Wait,
            (Self::Play, Err(halt)) => Next::End(Unplayed::Halted(halt)),
        }
    }
}

/// How the watching ended.
pub(super) enum Ended {
    /// The run is over, or its record is lost (`ok: false`).
    /// `ended_unplayed`: it stood idle, and why we ended it so.
    Over { run: Box<Run>, raw: Value, history: History, ended_unplayed: Option<Unplayed> },
    /// We cannot see how it ended.
    OutOfSight(Failure),
}

/// Watches the run `id` of `transfers` transfers. A robot that does not answer goes on without us.
pub(super) async fn follow(api: &Api, attempt: &Attempt, id: &str, transfers: usize, idle: Idle) -> Ended {
    let mut watch = Watch::new(api.timings());
    let mut history = History::new(id);
    let mut done = Done::default();
    loop {
        if attempt.is_stop_requested() && !done.stop_sent {
            done.stop_sent = stop(api, id).await;
        }
        match api.run(id).await {
            Ok((run, raw)) if !run.ok || run.status.is_terminal() => {
                return Ended::Over { run: Box::new(run), raw, history, ended_unplayed: done.ended_unplayed };
            }
            Ok((run, _)) => {
                watch.answered();
                match run.status {
                    RunStatus::Idle if !done.stop_sent => done.with_idle(api, attempt, id, idle).await,
                    _ => done.refused = None,
                }
                if let Err(error) = history.advance(api).await {
                    tracing::warn!(%error, run = %id, "the commands are read later");
                }
                if run.status == RunStatus::Running {
                    steps::during(Step::Follow).await;
                }
                match done.refused {
                    Some((_, why)) => attempt.progress(format!("waiting for the robot: {why}"), None),
                    None => say_progress(attempt, &run, &history, transfers),
                }
            }
            Err(error) if error.status() == Some(404) => {
                return Ended::OutOfSight(out_of_sight(
                    "run_forgotten",
                    format!("The robot has no record of run {id}."),
                ));
            }
            Err(error) if watch.is_patience_over() => {
                return Ended::OutOfSight(out_of_sight(
                    "robot_lost",
                    format!("The robot was lost in the middle of run {id} and did not come back: {error}."),
                ));
            }
            Err(error) => {
                tracing::warn!(%error, run = %id, "looking again; the run goes on by itself");
                attempt.progress("the robot does not answer; waiting for it", None);
            }
        }
        if watch.is_overdue() {
            return Ended::OutOfSight(out_of_sight(
                "run_overdue",
                format!("Run {id} has not ended within the longest time it may take."),
            ));
        }
        tokio::select! {
            () = watch.pause() => {}
            () = attempt.stop_requested(), if !attempt.is_stop_requested() => {}
        }
    }
}

/// What we have done about a run.
#[derive(Default)]
struct Done {
    /// The robot has taken a stop.
    stop_sent: bool,
    ended_unplayed: Option<Unplayed>,
    /// Since when it is not to be played, and why.
    refused: Option<(Instant, &'static str)>,
}

impl Done {
    /// Plays it, waits, or ends it. Once it is to be ended it is not played any more, whether or not the stop was heard: how
    /// it has ended its own record says, for somebody may play it at the robot in the same moment.
    async fn with_idle(&mut self, api: &Api, attempt: &Attempt, id: &str, idle: Idle) {
        let next = self.ended_unplayed.map_or_else(|| idle.next(attempt), Next::End);
        let why = match next {
            Next::Wait => return,
            Next::End(why) => why,
            Next::Play => match play(api, id).await {
                Ok(()) => return self.refused = None,
                Err(why) => {
                    let (since, _) = self.refused.unwrap_or((Instant::now(), why));
                    self.refused = Some((since, why));
                    if since.elapsed() < api.timings().readiness {
                        return;
                    }
                    Unplayed::Refused(why)
                }
            },
        };
        self.ended_unplayed = Some(why);
        self.stop_sent = stop(api, id).await;
    }
}

/// Whether the robot took it. Again and again is harmless, and after the end it says 409.
async fn stop(api: &Api, id: &str) -> bool {
    match api.act(id, "stop").await {
        Ok(ActionAnswer::Taken | ActionAnswer::NotAllowed) => true,
        Err(error) => {
            tracing::warn!(%error, run = %id, "asking to stop again");
            false
        }
    }
}

/// `Ok`: the robot took it, or did not answer: playing a run that runs is harmless, so that asking again is. `Err`: why not.
/// Nobody's maintenance is ended by it.
async fn play(api: &Api, id: &str) -> Result<(), &'static str> {
    match api.maintenance_run().await {
        Ok(None) => {}
        Ok(Some(maintenance)) => {
            tracing::info!(maintenance, run = %id, "somebody is at work in the robot");
            return Err("somebody is at work in the robot (a maintenance run)");
        }
        Err(error) => {
            tracing::warn!(%error, run = %id, "not played yet");
            return if error.is_unreachable() {
                Ok(())
            } else {
                Err("it does not say whether somebody works in it")
            };
        }
    }
    steps::before(Step::Play).await;
    let asked = api.act(id, "play").await;
    steps::after(Step::Play).await;
    match asked {
        Ok(ActionAnswer::Taken) => Ok(()),
        Ok(ActionAnswer::NotAllowed) => Err("it refuses to play the run"),
        Err(error) => {
            tracing::warn!(%error, run = %id, "whether it plays, its status will say");
            if error.is_unreachable() { Ok(()) } else { Err("it breaks down over playing the run") }
        }
    }
}

fn say_progress(attempt: &Attempt, run: &Run, history: &History, transfers: usize) {
    let done = history.dispenses().min(transfers);
    let fraction = (transfers > 0).then(|| done as f64 / transfers as f64);
    let message = match run.status.waits_for() {
        Some(why) => format!("transfer {done} of {transfers}; {why}"),
        None => format!("transfer {done} of {transfers}"),
    };
    attempt.progress(message, fraction);
}

fn out_of_sight(what: &str, why: String) -> Failure {
    let message =
        format!("{why} What was dispensed is unknown. Look at the deck, then record what happened.");
    Failure::new(FailureClass::NeedsPerson, format!("opentrons.{what}"), message)
}
