//! One pass over everything that may be moved on: campaigns beside each other, what belongs to one in its order.

use super::{Engine, Stepped, assess, draft, drain, draw, execute, hold, nothing, plan, propose, start};
use crate::ids::{CampaignId, RoundId};
use crate::metrics::counted;
use crate::rounds::state::{Stage, State};
use crate::steps::{self, Step};
use crate::store::at_hand::AtHand;
use crate::store::jobs::Consequences;
use crate::store::{self, Error, Result};
use futures::{StreamExt, stream};
use jobs::{FailureClass, JobId};
use std::collections::BTreeMap;
use std::time::Instant;

/// Lanes that are moved on at once; each uses a connection or two.
const AT_ONCE: usize = 4;
/// Steps that a round takes at most in one pass.
const STEPS: u32 = 4;
/// Passes after which something is taken to go in circles.
const PASSES: u32 = 10_000;

/// Nothing moves any more.
#[derive(Debug)]
pub struct Settled {
    /// That moved something.
    pub passes: u32,
    /// The first one.
    pub error: Option<Error>,
    /// Laboratory time moves by jumps.
    pub jumps: bool,
}

impl Engine {
    /// Moves everything on until nothing moves. (What failed is left as it was; the rest went on.)
    pub async fn settle_down(&self) -> Settled {
        let mut error = None;
        for passes in 0..PASSES {
            let pass = self.pass().await;
            error = error.or(pass.error);
            if !pass.moved {
                return Settled { passes, error, jumps: pass.jumps };
            }
        }
        tracing::error!(passes = PASSES, "the engine goes in circles; it looks again later");
        Settled { passes: PASSES, error, jumps: false }
    }

    /// One pass. Answers whether anything moved, and the first error.
    pub async fn advance(&self) -> (bool, Option<Error>) {
        let pass = self.pass().await;
        (pass.moved, pass.error)
    }

    async fn pass(&self) -> Pass {
        let began = Instant::now();
        let mut pass = Pass::default();
        match store::bounded(self.at_hand()).await {
            Err(error) => pass.failed(error, "looking for work"),
            Ok(at_hand) => {
                pass.jumps = at_hand.jumps;
                let drains = at_hand.drains;
                let moving = lanes(at_hand).into_values().map(|lane| self.move_on(lane));
                let mut moving = stream::iter(moving).buffer_unordered(AT_ONCE);
                while let Some(lane) = moving.next().await {
                    pass.absorb(lane);
                }
                if drains {
                    pass.did(store::bounded(drain::step(self)).await, "bringing what drains to stand");
                }
            }
        }
        counted().engine_pass(began.elapsed());
        pass
    }

    async fn at_hand(&self) -> Result<AtHand> {
        store::at_hand::read(&mut *self.pool.acquire().await?).await
    }

    async fn move_on(&self, lane: Lane) -> Pass {
        let mut pass = Pass::default();
        for job in lane.settlements {
            pass.did(store::bounded(draw::draw(self, job)).await, "drawing the consequences of a job");
        }
        for round in lane.rounds {
            for _ in 0..STEPS {
                let stepped = store::bounded(self.step_round(round)).await;
                let goes_on = matches!(stepped, Ok(Moved::GoesOn));
                pass.did(stepped.map(|moved| moved != Moved::No), "moving a round on");
                if !goes_on {
                    break;
                }
            }
        }
        if let Some(campaign) = lane.campaign {
            pass.did(store::bounded(self.step_campaign(campaign)).await, "starting a round");
        }
        pass
    }

    /// Moves one round on by one step, if there is one. A round whose step can never succeed is held.
    async fn step_round(&self, id: RoundId) -> Result<Moved> {
        match self.try_step_round(id).await {
            Err(error) if matches!(error.class(), FailureClass::Permanent | FailureClass::Bug) => {
                tracing::error!(round = %id, error = &error as &dyn std::error::Error, code = error.code(), "a round cannot be moved on and is held");
                hold::for_error(self, id, &error).await?;
                Err(error)
            }
            other => other,
        }
    }

    async fn try_step_round(&self, id: RoundId) -> Result<Moved> {
        let mut tx = store::begin_on(&self.pool).await?;
        let Some(mut round) = store::rounds::lock_to_move(&mut tx, id).await? else {
            return nothing(tx).await.map(Moved::from);
        };
        let State::In(stage) = round.state else { return nothing(tx).await.map(Moved::from) };
        let step = Step::of_stage(stage);
        steps::before(step).await;
        let mut out = Consequences::default();
        let stepped = match stage {
            Stage::Proposing => propose::step(&mut tx, &mut round, &mut out).await?,
            Stage::AwaitingApproval => draft::step(&mut tx, &mut round).await?,
            Stage::Planning => plan::step(&mut tx, &mut round, &mut out).await?,
            Stage::Executing => execute::step(&mut tx, &mut round, &mut out).await?,
            Stage::Assessing => {
                tx.rollback().await?;
                return assess::step(self, id).await.map(Moved::from);
            }
        };
        // It may have been ordered to drain while it was being locked: then nothing new is entered.
        let enters = matches!(stage, Stage::Proposing | Stage::Planning | Stage::Executing);
        if stepped != Stepped::Moved || (enters && store::drains::is_draining(&mut tx, id.0).await?) {
            return nothing(tx).await.map(Moved::from);
        }
        steps::commit(tx, step).await?;
        self.wakeups.after(&out);
        // A batch that its policy approves, and a round whose work is done, wait for nobody.
        let goes_on = stage == Stage::AwaitingApproval || round.state == State::In(Stage::Assessing);
        Ok(if goes_on { Moved::GoesOn } else { Moved::Yes })
    }

    async fn step_campaign(&self, id: CampaignId) -> Result<bool> {
        steps::before(Step::Start).await;
        let mut tx = store::begin_on(&self.pool).await?;
        let Some(mut campaign) = store::campaigns::lock(&mut tx, id).await? else { return nothing(tx).await };
        let mut out = Consequences::default();
        let stepped = start::step(&mut tx, &mut campaign, &mut out).await?;
        if !matches!(stepped, Stepped::Moved | Stepped::Noted) {
            return nothing(tx).await;
        }
        steps::commit(tx, Step::Start).await?;
        self.wakeups.after(&out);
        Ok(stepped == Stepped::Moved)
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    No,
    Yes,
    /// It moved, and the next step may be taken at once.
    GoesOn,
}

impl From<bool> for Moved {
    fn from(moved: bool) -> Self {
        if moved { Moved::Yes } else { Moved::No }
    }
}

fn lanes(at_hand: AtHand) -> Lanes {
    let mut lanes = Lanes::new();
    for (job, campaign) in at_hand.settlements {
        lanes.entry(campaign).or_default().settlements.push(job);
    }
    for (round, campaign) in at_hand.rounds {
        lanes.entry(Some(campaign)).or_default().rounds.push(round);
    }
    for campaign in at_hand.campaigns {
        lanes.entry(Some(campaign)).or_default().campaign = Some(campaign);
    }
    lanes
}

/// By campaign: two lanes never want the lock of the same round, and one is never skipped for the other. What belongs
/// to no campaign is a lane too.
type Lanes = BTreeMap<Option<CampaignId>, Lane>;

/// What may be moved on of one campaign, in this order.
#[derive(Default)]
struct Lane {
    settlements: Vec<JobId>,
    rounds: Vec<RoundId>,
    campaign: Option<CampaignId>,
}

#[derive(Default)]
struct Pass {
    moved: bool,
    /// Laboratory time moves by jumps.
    jumps: bool,
    error: Option<Error>,
}

impl Pass {
    fn did(&mut self, step: Result<bool>, doing: &'static str) {
        match step {
            Ok(moved) => self.moved |= moved,
            Err(error) => self.failed(error, doing),
        }
    }

    fn absorb(&mut self, other: Pass) {
        self.moved |= other.moved;
        self.error = self.error.take().or(other.error);
    }

    fn failed(&mut self, error: Error, doing: &'static str) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            code = error.code(),
            doing,
            "an engine step failed; it is tried again"
        );
        counted().engine_error(doing, error.code());
        self.error.get_or_insert(error);
    }
}
