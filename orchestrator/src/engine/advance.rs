//! One pass over everything that may be moved on.

use super::{Engine, Stepped, assess, draft, draw, execute, hold, nothing, plan, propose, start};
use crate::ids::{CampaignId, RoundId};
use crate::rounds::state::{Stage, State};
use crate::store::jobs::Consequences;
use crate::store::{self, Error, Result};
use jobs::FailureClass;

/// Settlements looked at in one pass.
const SETTLEMENTS: i64 = 200;
/// Passes after which something is taken to go in circles.
const PASSES: u32 = 10_000;

impl Engine {
    /// Moves everything on until nothing moves. Answers how many passes moved something, and the first error
    /// (what failed is left as it was; the rest went on).
    pub async fn settle_down(&self) -> (u32, Option<Error>) {
        let mut failed = None;
        for pass in 0..PASSES {
            let (moved, error) = self.advance().await;
            failed = failed.or(error);
            if !moved {
                return (pass, failed);
            }
        }
        tracing::error!(passes = PASSES, "the engine goes in circles; it looks again later");
        (PASSES, failed)
    }

    /// One pass. Answers whether anything moved, and the first error.
    pub async fn advance(&self) -> (bool, Option<Error>) {
        let mut pass = Pass::default();
        match self.work().await {
            Err(error) => pass.failed(error, "looking for work"),
            Ok(work) => {
                for job in work.settlements {
                    pass.did(draw::draw(self, job).await, "drawing the consequences of a job");
                }
                for round in work.rounds {
                    pass.did(self.step_round(round).await, "moving a round on");
                }
                for campaign in work.campaigns {
                    pass.did(self.step_campaign(campaign).await, "starting a round");
                }
            }
        }
        (pass.moved, pass.error)
    }

    async fn work(&self) -> Result<Work> {
        let mut conn = self.pool.acquire().await?;
        Ok(Work {
            settlements: store::settlements::pending(&mut conn, SETTLEMENTS).await?,
            rounds: store::rounds::moving(&mut conn).await?,
            campaigns: store::campaigns::to_look_at(&mut conn).await?,
        })
    }

    /// Moves one round on by one step, if there is one. A round whose step can never succeed is held.
    async fn step_round(&self, id: RoundId) -> Result<bool> {
        match self.try_step_round(id).await {
            Err(error) if matches!(error.class(), FailureClass::Permanent | FailureClass::Bug) => {
                tracing::error!(round = %id, error = &error as &dyn std::error::Error, code = error.code(), "a round cannot be moved on and is held");
                hold::for_error(self, id, &error).await?;
                Err(error)
            }
            other => other,
        }
    }

    async fn try_step_round(&self, id: RoundId) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        let Some(mut round) = store::rounds::lock(&mut tx, id).await? else { return nothing(tx).await };
        let mut out = Consequences::default();
        let stepped = match round.state {
            State::In(Stage::Proposing) => propose::step(&mut tx, &mut round, &mut out).await?,
            State::In(Stage::AwaitingApproval) => draft::step(&mut tx, &mut round).await?,
            State::In(Stage::Planning) => plan::step(&mut tx, &mut round, &mut out).await?,
            State::In(Stage::Executing) => execute::step(&mut tx, &mut round, &mut out).await?,
            State::In(Stage::Assessing) => {
                tx.rollback().await?;
                return assess::step(self, id).await;
            }
            State::Held(_) | State::Closed | State::Cancelled | State::Failed => Stepped::Nothing,
        };
        if stepped != Stepped::Moved {
            return nothing(tx).await;
        }
        tx.commit().await?;
        self.wakeups.after(&out);
        Ok(true)
    }

    async fn step_campaign(&self, id: CampaignId) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        let Some(mut campaign) = store::campaigns::lock(&mut tx, id).await? else { return nothing(tx).await };
        let mut out = Consequences::default();
        if start::step(&mut tx, &mut campaign, &mut out).await? != Stepped::Moved {
            return nothing(tx).await;
        }
        tx.commit().await?;
        self.wakeups.after(&out);
        Ok(true)
    }
}

struct Work {
    settlements: Vec<jobs::JobId>,
    rounds: Vec<RoundId>,
    campaigns: Vec<CampaignId>,
}

#[derive(Default)]
struct Pass {
    moved: bool,
    error: Option<Error>,
}

impl Pass {
    fn did(&mut self, step: Result<bool>, doing: &'static str) {
        match step {
            Ok(moved) => self.moved |= moved,
            Err(error) => self.failed(error, doing),
        }
    }

    fn failed(&mut self, error: Error, doing: &'static str) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            code = error.code(),
            doing,
            "an engine step failed; it is tried again"
        );
        self.error.get_or_insert(error);
    }
}
