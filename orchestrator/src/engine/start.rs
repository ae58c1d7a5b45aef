//! Starts rounds when they are due, trains the first model, and finishes campaigns.

use super::Stepped;
use super::inputs::{current_version, model_inputs, train_key, train_seed};
use crate::campaigns::state::{Event, State as CampaignState};
use crate::ids::{CampaignId, RoundId, SYSTEM};
use crate::rounds::{seed, state::State};
use crate::store::campaigns::{Campaign, Version};
use crate::store::jobs::{Consequences, Created, NewJob};
use crate::store::rounds::{NewRound, Round};
use crate::store::{self, Result};
use chrono::{DateTime, Duration, Utc};
use jobs::work::learn::Train;
use jobs::{Digest, Work};
use sqlx::PgConnection;

/// What the calendar says of a campaign without a live round.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Due {
    /// The first model must be trained; nobody asked for it yet.
    FirstTraining,
    /// A learner trains, or a round is live.
    Waiting,
    /// A round is due since.
    Now {
        number: u32,
        due_lab_at: DateTime<Utc>,
        data_cut: Option<Digest>,
    },
    At(DateTime<Utc>),
    /// No further round: budget spent or goal reached.
    Finished {
        because: String,
    },
}

/// Reads the calendar.
pub(super) async fn due(conn: &mut PgConnection, campaign: &Campaign) -> Result<Due> {
    let version = current_version(conn, campaign).await?;
    let last = store::rounds::last_of_campaign(conn, campaign.id).await?;
    if last.as_ref().is_some_and(|round| !round.state.is_terminal()) {
        return Ok(Due::Waiting);
    }
    let number = last.as_ref().map_or(0, |round| round.number);
    let training = store::chains::by_unique_key(conn, &train_key(campaign, number)).await?;
    match (&training, &last) {
        (Some((_, false)), _) => return Ok(Due::Waiting),
        (None, None) => return Ok(Due::FirstTraining),
        _ => {}
    }
    if let Some(because) = finished(conn, campaign, &version).await? {
        return Ok(Due::Finished { because });
    }
    let lab_now = store::clock::lab_now(conn).await?;
    let due_lab_at = match &last {
        None => lab_now,
        Some(last) => last.due_lab_at + hours(version.spec.schedule.every_hours),
    };
    if due_lab_at > lab_now {
        return Ok(Due::At(due_lab_at));
    }
    let data_cut = data_cut(conn, training, last).await?;
    Ok(Due::Now { number: number + 1, due_lab_at: lab_now, data_cut })
}

/// What the last training was given; a round that measured nothing left the cut of its own beginning.
async fn data_cut(
    conn: &mut PgConnection,
    training: Option<(jobs::JobId, bool)>,
    last: Option<Round>,
) -> Result<Option<Digest>> {
    let Some((job, _)) = training else { return Ok(last.and_then(|round| round.data_cut)) };
    match store::chains::work_of(conn, job).await? {
        Some(Work::Train(train)) => Ok(train.inputs.data_cut),
        _ => Ok(None),
    }
}

/// Why no further round begins, if none does.
async fn finished(conn: &mut PgConnection, campaign: &Campaign, version: &Version) -> Result<Option<String>> {
    let budget = &version.spec.budget;
    let rounds = store::rounds::of_campaign(conn, campaign.id).await?;
    let closed = rounds.iter().filter(|round| round.state == State::Closed).count();
    if u32::try_from(closed).unwrap_or(u32::MAX) >= budget.rounds {
        return Ok(Some(format!("all {} rounds of the budget are done", budget.rounds)));
    }
    if let Some(wanted) = budget.stop_after_hits {
        let hits = store::observations::hits(conn, campaign.id).await?;
        if hits >= wanted {
            return Ok(Some(format!("{hits} hits found, {wanted} were wanted")));
        }
    }
    let answered = store::proposals::answered(conn, campaign.id).await?;
    if answered >= version.pool_size {
        return Ok(Some(format!("all {answered} experiments of the design space are answered")));
    }
    Ok(None)
}

/// Starts, trains, or finishes, as the calendar says. The caller holds the campaign's lock.
pub(super) async fn step(
    conn: &mut PgConnection,
    campaign: &mut Campaign,
    out: &mut Consequences,
) -> Result<Stepped> {
    if campaign.state != CampaignState::Active {
        // Another replica finished it since it was listed.
        return Ok(Stepped::Nothing);
    }
    match due(conn, campaign).await? {
        Due::Waiting | Due::At(_) => Ok(Stepped::Nothing),
        Due::FirstTraining => first_training(conn, campaign, out).await,
        Due::Finished { because } => {
            store::campaigns::apply(conn, campaign, Event::Finished, &because, SYSTEM).await?.must()?;
            Ok(Stepped::Moved)
        }
        Due::Now { number, due_lab_at, data_cut } => {
            let promoted = store::models::promoted(conn, campaign.id).await?;
            let round = NewRound {
                id: RoundId::fresh(),
                campaign_id: campaign.id,
                campaign_version: campaign.current_version,
                number,
                seed: seed::derive(campaign.seed, "round", &[number]),
                data_cut,
                model_version_id: promoted.map(|version| version.id),
                due_lab_at,
            };
            let started = store::rounds::insert(conn, &round, SYSTEM).await?;
            Ok(if started { Stepped::Moved } else { Stepped::Abandoned })
        }
    }
}

/// Version 1 of the model is trained from the priors alone.
async fn first_training(
    conn: &mut PgConnection,
    campaign: &Campaign,
    out: &mut Consequences,
) -> Result<Stepped> {
    let version = current_version(conn, campaign).await?;
    let inputs = model_inputs(&version, None, train_seed(campaign, 0));
    let mut job = NewJob::new(Work::Train(Train { inputs, warm_start: None }));
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

/// Laboratory hours; a schedule was checked to be finite and positive when its file was read.
fn hours(hours: f64) -> Duration {
    std::time::Duration::try_from_secs_f64(hours * 3600.0)
        .ok()
        .and_then(|duration| Duration::from_std(duration).ok())
        .unwrap_or(Duration::MAX)
}

/// The earliest instant at which a round of an active campaign is due; `Err` within: one is due already, or
/// something else is to be done first.
pub(super) async fn next_due(
    conn: &mut PgConnection,
) -> Result<std::result::Result<Option<DateTime<Utc>>, ()>> {
    let mut next: Option<DateTime<Utc>> = None;
    let campaigns: Vec<CampaignId> = store::campaigns::active_without_live_round(conn).await?;
    for id in campaigns {
        let Some(campaign) = store::campaigns::by_id(conn, id).await? else { continue };
        match due(conn, &campaign).await? {
            Due::At(at) => next = Some(next.map_or(at, |earlier| earlier.min(at))),
            Due::Waiting => {}
            Due::FirstTraining | Due::Now { .. } | Due::Finished { .. } => return Ok(Err(())),
        }
    }
    Ok(Ok(next))
}
