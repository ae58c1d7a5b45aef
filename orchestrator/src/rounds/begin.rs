//! How a campaign stands before its next round, and the beginning of that round. Whoever begins one holds the
//! campaign's row lock.

use crate::calendar::judge::{Situation, Training};
use crate::calendar::{Beat, Rule};
use crate::campaigns::schedule::Overlap;
use crate::ids::{ActorId, ModelVersionId, RoundId};
use crate::models::state::State as ModelState;
use crate::rounds::seed;
use crate::rounds::state::State;
use crate::rounds::summary::Summary;
use crate::store::campaigns::{Campaign, Version};
use crate::store::chains;
use crate::store::rounds::{BegunBy, NewRound, Round};
use crate::store::ticks::{self, Judged};
use crate::store::{self, Error, Result};
use chrono::{DateTime, Utc};
use jobs::{Digest, Work};
use sqlx::PgConnection;

/// What is known of a campaign when its calendar is consulted.
pub struct Standing {
    pub version: Version,
    pub rule: Rule,
    pub situation: Situation,
    /// First to last.
    pub rounds: Vec<Round>,
    /// Ticks that wait, first to last.
    pub waiting: Vec<Judged>,
    /// The newest training; `None`: nobody asked for the first one yet.
    pub training: Option<chains::Training>,
    /// The last tick that was judged.
    pub last_tick: Option<DateTime<Utc>>,
    pub since: DateTime<Utc>,
}

impl Standing {
    pub async fn read(conn: &mut PgConnection, campaign: &Campaign) -> Result<Self> {
        let version = store::campaigns::version(conn, campaign.id, campaign.current_version).await?;
        let version = version.ok_or_else(|| Error::corrupt("current campaign version", campaign.id))?;
        let rounds = store::rounds::of_campaign(conn, campaign.id).await?;
        let training = chains::last_training(conn, campaign.id).await?;
        let waiting = ticks::waiting(conn, campaign.id).await?;
        let Timing { rule, last_tick, since, now } = Timing::read(conn, campaign, &version).await?;
        let live =
            rounds.iter().filter(|round| !round.state.is_terminal()).map(|round| round.number).collect();
        let situation = Situation {
            now,
            live,
            one_waits: !waiting.is_empty(),
            training: match &training {
                Some(training) if training.drawn => Training::Done,
                _ if rounds.is_empty() => Training::First,
                _ => Training::Running {
                    since: store::rounds::last_closed(conn, campaign.id).await?.unwrap_or(since),
                },
            },
            spent: spent(conn, campaign, &version, &rounds).await?,
        };
        Ok(Self { version, rule, situation, rounds, waiting, training, last_tick, since })
    }

    /// Why the campaign is finished, if it is: no round is live, and none will be.
    pub fn finished(&self) -> Option<String> {
        if !self.situation.live.is_empty() {
            return None;
        }
        let ended = self.rule.ends.filter(|ends| *ends <= self.situation.now);
        self.situation.spent.clone().or_else(|| ended.map(|ends| format!("its calendar ended at {ends}")))
    }
}

/// What ticks follow from.
pub struct Timing {
    pub rule: Rule,
    /// The last tick that was judged.
    pub last_tick: Option<DateTime<Utc>>,
    pub since: DateTime<Utc>,
    pub now: DateTime<Utc>,
}

impl Timing {
    pub async fn read(conn: &mut PgConnection, campaign: &Campaign, version: &Version) -> Result<Self> {
        let last_tick = ticks::last(conn, campaign.id).await?;
        let since = store::campaigns::calendar_since(conn, campaign.id).await?;
        let everywhere = store::blackouts::everywhere(conn, last_tick.unwrap_or(since)).await?;
        let now = store::clock::lab_now(conn).await?;
        Ok(Self { rule: Rule::of(&version.spec.schedule, &everywhere), last_tick, since, now })
    }
}

/// Why no further round can begin, if none can.
async fn spent(
    conn: &mut PgConnection,
    campaign: &Campaign,
    version: &Version,
    rounds: &[Round],
) -> Result<Option<String>> {
    let budget = &version.spec.budget;
    let count = |of: fn(&Round) -> bool| rounds.iter().filter(|round| of(round)).count();
    let closed = count(|round| round.state == State::Closed);
    let live = count(|round| !round.state.is_terminal());
    if u32::try_from(closed + live).unwrap_or(u32::MAX) >= budget.rounds {
        let done = if live == 0 { "done" } else { "done or running" };
        return Ok(Some(format!("all {} rounds of the budget are {done}", budget.rounds)));
    }
    if let Some(wanted) = budget.stop_after_hits {
        let hits = hits(conn, rounds, wanted).await?;
        if hits >= wanted {
            return Ok(Some(format!("{hits} hits found, {wanted} were wanted")));
        }
    }
    let at_most = if live == 0 { 0 } else { store::proposals::in_live_batches(conn, campaign.id).await? };
    if answered_at_most(rounds).is_some_and(|answered| answered + at_most < version.pool_size) {
        // Far from it: what is asked twice need not be told apart.
        return Ok(None);
    }
    let answered = store::proposals::answered(conn, campaign.id).await?;
    let asked = if live == 0 { 0 } else { store::proposals::asked_for(conn, campaign.id).await? };
    if answered + asked >= version.pool_size {
        let or_asked = if live == 0 { "" } else { " or asked for" };
        let all = version.pool_size.min(answered + asked);
        return Ok(Some(format!("all {all} experiments of the design space are answered{or_asked}")));
    }
    Ok(None)
}

/// Hits that the rounds have found so far, each in the first round that called it one; fewer than `wanted` when there
/// are fewer, without those of rounds that have not closed.
async fn hits(conn: &mut PgConnection, rounds: &[Round], wanted: u32) -> Result<u32> {
    let mut hits: u32 = rounds.iter().filter_map(summary).map(|summary| summary.hits_found).sum();
    let open: Vec<&Round> = rounds.iter().filter(|round| summary(round).is_none()).collect();
    let ids: Vec<RoundId> = open.iter().map(|round| round.id).collect();
    if hits + store::observations::called_hits(conn, &ids).await? < wanted {
        return Ok(hits);
    }
    for round in open {
        hits += store::observations::new_hits(conn, round).await?;
    }
    Ok(hits)
}

/// Answers of closed rounds, repeated ones among them; `None` when one of them does not say how many.
fn answered_at_most(rounds: &[Round]) -> Option<u64> {
    let closed = rounds.iter().filter(|round| round.state == State::Closed);
    closed.map(|round| summary(round).map(|summary| u64::from(summary.proposed))).sum()
}

fn summary(round: &Round) -> Option<Summary> {
    serde_json::from_value(round.summary.clone()?).ok()
}

/// Begins the next round. `None`: another one is there meanwhile.
pub async fn begin(
    conn: &mut PgConnection,
    campaign: &Campaign,
    standing: &Standing,
    begun_by: BegunBy,
    due_lab_at: DateTime<Utc>,
    actor: ActorId,
) -> Result<Option<RoundId>> {
    let number = standing.rounds.last().map_or(1, |round| round.number + 1);
    let (model_version_id, model_because) = model(conn, campaign, standing).await?;
    let round = NewRound {
        id: RoundId::fresh(),
        campaign_id: campaign.id,
        campaign_version: campaign.current_version,
        number,
        seed: seed::derive(campaign.seed, "round", &[number]),
        data_cut: data_cut(conn, standing).await?,
        model_version_id,
        model_because,
        begun_by,
        may_overlap: standing.rule.overlap == Overlap::Allow,
        due_lab_at,
    };
    let inserted = store::rounds::insert(conn, &round, actor).await?;
    if inserted && matches!(standing.rule.beat, Beat::Continuous | Beat::Manual) {
        // Nothing to look for until it is over.
        store::campaigns::look_again(conn, campaign.id, None).await?;
    }
    Ok(inserted.then_some(round.id))
}

/// What the newest training was given: everything that was measured.
async fn data_cut(conn: &mut PgConnection, standing: &Standing) -> Result<Option<Digest>> {
    let Some(training) = standing.training else { return Ok(None) };
    match chains::work_of(conn, training.job_id).await? {
        Some(Work::Train(train)) => Ok(train.inputs.data_cut),
        _ => Ok(None),
    }
}

/// The version that proposes, and why that one.
async fn model(
    conn: &mut PgConnection,
    campaign: &Campaign,
    standing: &Standing,
) -> Result<(Option<ModelVersionId>, String)> {
    let in_use = store::models::promoted(conn, campaign.id).await?;
    let named =
        in_use.as_ref().map_or("no version".to_owned(), |version| format!("version {}", version.number));
    let newest = match standing.training {
        Some(training) => store::models::of_training(conn, training.job_id).await?,
        None => None,
    };
    let because = match (standing.situation.training, &newest) {
        (Training::Running { .. } | Training::First, _) => format!(
            "{named} is in use: the newest training was not done when the round began (a tick waits {} h for it)",
            standing.version.spec.schedule.wait_for_training_hours
        ),
        (Training::Done, Some(newest)) => {
            let decided = newest.decided_because.as_deref().unwrap_or("not judged");
            match newest.state {
                ModelState::Promoted => format!("{named} is the newest: {decided}"),
                _ => format!("{named} stays in use: version {} was not promoted ({decided})", newest.number),
            }
        }
        (Training::Done, None) => format!("{named} stays in use: the newest training failed"),
    };
    Ok((in_use.map(|version| version.id), because))
}
