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

/// How often the robot may refuse to play an idle run before we give up.
const PLAY_REFUSALS: u32 = 20;

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
    /// It was never played, and never will be.
    NeverPlayed(Failure),
    /// We cannot see how it ended.
    OutOfSight(Failure),
}

/// Watches the run `id` of `transfers` transfers. A robot that does not answer goes on without us.
pub(super) async fn follow(api: &Api, attempt: &Attempt, id: &str, transfers: usize, idle: Idle) -> Ended {
    let mut watch = Watch::new(api.timings());
    let mut history = History::new(id);
    let (mut stop_sent, mut ended_unplayed, mut refusals) = (false, None, 0);
    loop {
        if attempt.is_stop_requested() && !stop_sent {
            stop_sent = stop(api, id).await;
        }
        match api.run(id).await {
            Ok((run, raw)) if !run.ok || run.status.is_terminal() => {
                return Ended::Over { run: Box::new(run), raw, history, ended_unplayed };
            }
            Ok((run, _)) => {
                watch.answered();
                if run.status == RunStatus::Idle && !stop_sent {
                    match idle.next(attempt) {
                        Next::End(why) => {
                            ended_unplayed = Some(why);
                            stop_sent = stop(api, id).await;
                        }
                        Next::Wait => {}
                        Next::Play if play(api, id).await => refusals = 0,
                        Next::Play => refusals += 1,
                    }
                    if refusals >= PLAY_REFUSALS {
                        stop(api, id).await;
                        return Ended::NeverPlayed(not_played(id));
                    }
                }
                if let Err(error) = history.advance(api).await {
                    tracing::warn!(%error, run = %id, "the commands are read later");
                }
                if run.status == RunStatus::Running {
                    steps::during(Step::Follow).await;
                }
                say_progress(attempt, &run, &history, transfers);
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

/// Whether the robot took it, or did not answer: playing a run that runs is harmless, so that asking again is.
async fn play(api: &Api, id: &str) -> bool {
    steps::before(Step::Play).await;
    let asked = api.act(id, "play").await;
    steps::after(Step::Play).await;
    match asked {
        Ok(ActionAnswer::Taken) => true,
        Ok(ActionAnswer::NotAllowed) => false,
        Err(error) => {
            tracing::warn!(%error, run = %id, "whether it plays, its status will say");
            error.is_unreachable()
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

fn not_played(id: &str) -> Failure {
    let message = format!(
        "The robot refused again and again to play run {id}; nothing was begun. Look at the robot (is its door open?)."
    );
    Failure::new(FailureClass::NeedsPerson, "opentrons.not_played", message)
}

fn out_of_sight(what: &str, why: String) -> Failure {
    let message =
        format!("{why} What was dispensed is unknown. Look at the deck, then record what happened.");
    Failure::new(FailureClass::NeedsPerson, format!("opentrons.{what}"), message)
}
