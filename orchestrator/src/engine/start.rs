//! Starts rounds as the calendar says, trains the first model, and finishes campaigns.

use super::Stepped;
use super::consult::{Next, consult, started};
use super::inputs::{current_version, model_inputs, train_key, train_seed};
use crate::calendar::judge::{Judgement, Reason};
use crate::calendar::state::Event as TickEvent;
use crate::calendar::{Beat, Tick, Zone};
use crate::campaigns::state::{Event, State as CampaignState};
use crate::ids::{RoundId, SYSTEM};
use crate::rounds::begin::{Standing, begin};
use crate::store::campaigns::Campaign;
use crate::store::jobs::{Consequences, Created, NewJob};
use crate::store::rounds::BegunBy;
use crate::store::ticks::{Judged, NewTick};
use crate::store::{self, Result};
use chrono::{DateTime, Utc};
use jobs::Work;
use jobs::work::learn::Train;
use sqlx::PgConnection;

/// Starts, trains, judges a tick, or finishes, as the calendar says. The caller holds the campaign's lock.
pub(super) async fn step(
    conn: &mut PgConnection,
    campaign: &mut Campaign,
    out: &mut Consequences,
) -> Result<Stepped> {
    if campaign.state != CampaignState::Active {
        // Another replica finished it since it was listed.
        return Ok(Stepped::Nothing);
    }
    let standing = Standing::read(conn, campaign).await?;
    match consult(&standing) {
        Next::Nothing { at, .. } => {
            // While a round runs and no tick waits, only time brings anything: until then nobody needs to look.
            if standing.situation.live.is_empty() || standing.situation.one_waits {
                return Ok(Stepped::Nothing);
            }
            store::campaigns::look_again(conn, campaign.id, at).await?;
            Ok(Stepped::Noted)
        }
        Next::FirstTraining => first_training(conn, campaign, out).await,
        Next::Finish { because } => {
            store::ticks::skip_waiting(conn, campaign.id, &because).await?;
            store::campaigns::apply(conn, campaign, Event::Finished, &because, SYSTEM).await?.must()?;
            Ok(Stepped::Moved)
        }
        Next::Continue => {
            let now = standing.situation.now;
            let round = begin(conn, campaign, &standing, BegunBy::Continuous, now, SYSTEM).await?;
            Ok(if round.is_some() { Stepped::Moved } else { Stepped::Abandoned })
        }
        Next::Judge { tick, judgement, look_again_at } => {
            store::campaigns::look_again(conn, campaign.id, look_again_at).await?;
            enter(conn, campaign, &standing, &tick, judgement).await
        }
        Next::Resolve { tick, judgement } => resolve(conn, campaign, &standing, tick, judgement).await,
    }
}

/// Enters a tick with its first judgement.
async fn enter(
    conn: &mut PgConnection,
    campaign: &Campaign,
    standing: &Standing,
    tick: &Tick,
    judgement: Judgement,
) -> Result<Stepped> {
    let Some((event, why, round_id)) = carry_out(conn, campaign, standing, tick.due, judgement).await? else {
        return Ok(Stepped::Abandoned);
    };
    let zone = if matches!(standing.rule.beat, Beat::Every(_)) { Zone::UTC } else { standing.rule.zone };
    let new = NewTick {
        campaign_id: campaign.id,
        nominal: tick.nominal,
        zone: zone.to_string(),
        due_lab_at: tick.due,
        event,
        why,
        round_id,
    };
    Ok(if store::ticks::insert(conn, &new).await? { Stepped::Moved } else { Stepped::Abandoned })
}

/// Moves a waiting tick on.
async fn resolve(
    conn: &mut PgConnection,
    campaign: &Campaign,
    standing: &Standing,
    mut tick: Judged,
    judgement: Judgement,
) -> Result<Stepped> {
    let due = tick.due_lab_at;
    let Some((event, why, round)) = carry_out(conn, campaign, standing, due, judgement).await? else {
        return Ok(Stepped::Abandoned);
    };
    store::ticks::apply(conn, &mut tick, event, &why, round).await?.must()?;
    Ok(Stepped::Moved)
}

/// Begins the round of a tick that is to start one. `None`: another round is there meanwhile.
async fn carry_out(
    conn: &mut PgConnection,
    campaign: &Campaign,
    standing: &Standing,
    due: DateTime<Utc>,
    judgement: Judgement,
) -> Result<Option<(TickEvent, Reason, Option<RoundId>)>> {
    Ok(match judgement {
        Judgement::Wait { why, .. } => Some((TickEvent::Waited, why, None)),
        Judgement::Skip { why } => Some((TickEvent::Skipped, why, None)),
        Judgement::Start => begin(conn, campaign, standing, BegunBy::Tick, due, SYSTEM)
            .await?
            .map(|round| (TickEvent::Started, started(), Some(round))),
    })
}

/// Version 1 of the model is trained from the priors alone.
async fn first_training(
    conn: &mut PgConnection,
    campaign: &Campaign,
    out: &mut Consequences,
) -> Result<Stepped> {
    let version = current_version(conn, campaign).await?;
    let inputs = model_inputs(&version, None, train_seed(campaign, 0));
    let mut job = NewJob::new(Work::Train(Train { inputs, warm_start: None, shadows: Vec::new() }));
    job.campaign_id = Some(campaign.id);
    job.unique_key = Some(train_key(campaign, 0));
    match store::jobs::create(conn, &job).await? {
        Created::Created(_, consequences) => {
            out.absorb(consequences);
            Ok(Stepped::Moved)
        }
        Created::Existing(_) => Ok(Stepped::Nothing),
    }
}

/// What the calendars of all active campaigns say of the time to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NextDue {
    /// The earliest instant that time may jump to for its own sake.
    pub drives: Option<DateTime<Utc>>,
    /// The earliest one that must not be passed over: a tick while a round of its campaign runs.
    pub stops: Option<DateTime<Utc>>,
}

/// `None`: one of them has something to do now.
pub(super) async fn next_due(conn: &mut PgConnection) -> Result<Option<NextDue>> {
    let mut due = NextDue::default();
    for id in store::campaigns::in_state(conn, CampaignState::Active).await? {
        let Some(campaign) = store::campaigns::by_id(conn, id).await? else { continue };
        let standing = Standing::read(conn, &campaign).await?;
        let Next::Nothing { at, drives } = consult(&standing) else { return Ok(None) };
        let which = if drives { &mut due.drives } else { &mut due.stops };
        *which = (*which).into_iter().chain(at).min();
    }
    Ok(Some(due))
}
