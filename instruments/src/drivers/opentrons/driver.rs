//! The handler: from a leased dispense job to its outcome.

use super::super::{SetupError, Timings};
use super::analysis::{Analysed, analyse};
use super::api::Api;
use super::archive::archive;
use super::follow::{Ended, Idle, follow};
use super::model::Run;
use super::outcome::{Over, outcome};
use super::reconcile::reconcile;
use super::{free, health, run};
use crate::drivers::ready::{NotReady, until_ready};
use crate::drivers::steps::{self, Step};
use crate::transfers::{TransferList, opentrons_picklist};
use async_trait::async_trait;
use jobs::work::{Outcome, Work};
use jobs::worker::{Attempt, Begun, Handler};
use jobs::{Failure, FailureClass};

/// Dispenses with an OT-2.
pub struct Opentrons {
    api: Api,
    instrument: String,
    /// Name or serial number that the robot has to have.
    robot: Option<String>,
}

/// A job in the robot's words.
struct Plan {
    list: TransferList,
    picklist: String,
}

/// Why a job cannot be put into them.
struct NoPlan {
    what: &'static str,
    why: String,
}

impl Opentrons {
    /// `url`: e.g. `http://ot2.lab:31950`. `instrument`: the device's name in locations.
    pub fn connect(url: &str, instrument: &str, timings: Timings) -> Result<Self, SetupError> {
        Ok(Self { api: Api::connect(url, timings)?, instrument: instrument.to_owned(), robot: None })
    }

    /// Works with no robot but the one of this name or serial number.
    pub fn that_is(self, robot: &str) -> Self {
        Self { robot: Some(robot.to_owned()), ..self }
    }

    async fn carry_out(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let plan = plan(attempt).map_err(NoPlan::refused)?;
        let run = until_ready(attempt, self.api.timings(), || self.idle_run(attempt, &plan)).await?;
        if let Err(not_begun) = attempt.begin(run.id.clone()).await {
            run::give_up(&self.api, &run.id).await;
            return Err(not_begun.into());
        }
        Ok(self.to_the_end(attempt, &run.id, &plan, Idle::Play).await)
    }

    /// A run of ours, readied, on a robot that nobody else uses. One that an earlier try has left is replaced.
    async fn idle_run(&self, attempt: &Attempt, plan: &Plan) -> Result<Run, NotReady> {
        let analysed = self.ready(plan).await?;
        steps::before(Step::CreateRun).await;
        let run = run::create(&self.api, &analysed, attempt, &self.instrument).await?;
        steps::after(Step::CreateRun).await;
        Ok(run)
    }

    /// Everything that can be refused without touching a run.
    async fn ready(&self, plan: &Plan) -> Result<Analysed, NotReady> {
        let said = self.api.health().await.map_err(|error| error.before_begin("opentrons"))?;
        health::check(&said, self.robot.as_deref())?;
        let analysed = analyse(&self.api, &plan.list, &plan.picklist).await?;
        free::check(&self.api, &analysed.protocol_id).await?;
        Ok(analysed)
    }

    async fn to_the_end(&self, attempt: &Attempt, run_id: &str, plan: &Plan, idle: Idle) -> Outcome {
        let transfers = plan.list.transfers.len();
        let ended = follow(&self.api, attempt, run_id, transfers, idle).await;
        let (run, raw, history, ended_unplayed) = match ended {
            Ended::Over { run, raw, history, ended_unplayed } => (run, raw, history, ended_unplayed),
            Ended::OutOfSight(failure) => return Outcome::Unknown { failure },
        };
        steps::before(Step::Archive).await;
        let record = archive(&self.api, &run, raw, history, &plan.picklist).await;
        let digest = match attempt.put_blob(&record.raw).await {
            Ok(digest) => digest,
            Err(error) => {
                let message = format!(
                    "Run {} ended as {:?}, but its record could not be kept on this disk: {error}. Look at the deck, then record what happened.",
                    run.id, run.status
                );
                let failure = Failure::new(FailureClass::NeedsPerson, "opentrons.spool_unusable", message);
                return Outcome::Unknown { failure };
            }
        };
        steps::after(Step::Archive).await;
        outcome(Over {
            reconciled: reconcile(&plan.list, &record.commands, &run.labware),
            run: &run,
            raw: digest,
            missing: record.missing.as_deref(),
            stop_requested: attempt.is_stop_requested(),
            ended_unplayed,
        })
    }

    /// A run that was begun for a job that does not check any more, as after an update of this program: that says nothing of
    /// what the robot did. It is brought to its end like any other, and a person judges it.
    async fn to_an_end_that_nobody_can_judge(
        &self,
        attempt: &Attempt,
        run_id: &str,
        why: &NoPlan,
    ) -> Outcome {
        let (run, raw, history) = match follow(&self.api, attempt, run_id, 0, Idle::End).await {
            Ended::Over { run, raw, history, .. } => (run, raw, history),
            Ended::OutOfSight(failure) => return Outcome::Unknown { failure },
        };
        let record = archive(&self.api, &run, raw, history, "").await;
        let kept = match attempt.put_blob(&record.raw).await {
            Ok(digest) => format!("Its record is {digest}."),
            Err(error) => format!("Its record could not be kept on this disk: {error}."),
        };
        let message = format!(
            "Run {} ended as {:?}, and what it was to do cannot be read any more: {}. {kept} Look at the deck, then record what happened.",
            run.id, run.status, why.why
        );
        let failure = Failure::new(FailureClass::NeedsPerson, "opentrons.not_understood", message);
        Outcome::Unknown { failure }
    }
}

impl NoPlan {
    /// Of work that has not begun.
    fn refused(self) -> Outcome {
        let message = format!("Nothing was begun: {}.", self.why);
        let failure = Failure::new(FailureClass::Permanent, format!("opentrons.{}", self.what), message);
        Outcome::Failed { failure }
    }
}

fn plan(attempt: &Attempt) -> Result<Plan, NoPlan> {
    let refuse = |what, why: String| NoPlan { what, why };
    let Work::Dispense(job) = &attempt.lease().work else {
        return Err(refuse("wrong_kind", "the liquid handler carries out dispense jobs only".to_owned()));
    };
    let list = TransferList::check(attempt.lease().job_id, job)
        .map_err(|error| refuse("transfers", format!("the list of transfers is wrong: {error}")))?;
    let picklist = opentrons_picklist(&list, &job.tip_rack_slots)
        .map_err(|error| refuse("picklist", error.to_string()))?;
    Ok(Plan { list, picklist })
}

#[async_trait]
impl Handler for Opentrons {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.carry_out(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    /// The run went on without us: it is followed to its end. One that was not played is ended.
    async fn recover(&self, begun: &Begun) -> Option<Outcome> {
        let (attempt, run) = (begun.attempt(), begun.device_ref());
        Some(match plan(attempt) {
            Ok(plan) => self.to_the_end(attempt, run, &plan, Idle::End).await,
            Err(why) => self.to_an_end_that_nobody_can_judge(attempt, run, &why).await,
        })
    }
}
