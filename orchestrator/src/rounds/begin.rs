//! How a campaign stands before its next round, and the beginning of that round. Whoever begins one holds the
//! campaign's row lock.

use crate::calendar::judge::{Situation, Training};
use crate::calendar::{Beat, Rule};
use crate::campaigns::schedule::Overlap;
use crate::ids::{ActorId, ModelVersionId, RoundId};
use crate::models::state::State as ModelState;
use crate::rounds::seed;
use crate::rounds::spent::{Bounds, Tally, spent};
use crate::store::campaigns::{Campaign, OnCalendar, Version};
use crate::store::chains;
use crate::store::rounds::{BegunBy, NewRound, Round};
use crate::store::ticks::{self, Judged};
use crate::store::{self, Error, Result};
use chrono::{DateTime, Utc};
use jobs::{Digest, Work};
use sqlx::PgConnection;
use std::sync::Arc;

/// What is known of a campaign when its calendar is consulted.
pub struct Standing {
    pub version: Arc<Version>,
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
        let version = store::campaigns::edition(conn, campaign.id, campaign.current_version).await?;
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
            spent: why_spent(conn, campaign, &version, &rounds).await?,
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
        let OnCalendar { since, last_tick, now } = store::campaigns::on_calendar(conn, campaign.id).await?;
        let everywhere = store::blackouts::everywhere(conn, last_tick.unwrap_or(since)).await?;
        Ok(Self { rule: Rule::of(&version.spec.schedule, &everywhere), last_tick, since, now })
    }
}

/// Why no further round can begin, if none can.
async fn why_spent(
    conn: &mut PgConnection,
    campaign: &Campaign,
    version: &Version,
    rounds: &[Round],
) -> Result<Option<String>> {
    let (budget, tally) = (&version.spec.budget, Tally::of(rounds));
    let bounds = Bounds::read(conn, &[(campaign.id, budget, &tally)]).await?;
    spent(conn, campaign.id, (budget, version.pool_size), &tally, &bounds).await
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
