//! When the work of a round is done: waits for people about quarantined plates, settles the fate of every
//! approved proposal, closes the round with its summary, and has the model trained on the new data cut.

use super::execute::{Again, latest, wanted_again};
use super::inputs::{model_inputs, train_key, train_seed, version_of};
use super::{Engine, nothing};
use crate::ids::{CampaignId, RoundId, SYSTEM};
use crate::models::State as Version;
use crate::plates::State as PlateState;
use crate::rounds::data_cut;
use crate::rounds::state::{Event, Stage, State};
use crate::rounds::summary::{Summary, coverage_90};
use crate::steps::{self, Step};
use crate::store::accounts::Standing;
use crate::store::campaigns::Campaign;
use crate::store::jobs::{Consequences, Created, Dependency, NewJob};
use crate::store::proposals::Fate;
use crate::store::rounds::Round;
use crate::store::{self, Error, Result};
use bytes::Bytes;
use jobs::work::learn::Train;
use jobs::work::shadow::Shadow;
use jobs::{Digest, Work};
use sqlx::PgConnection;

/// What an assessing round needs next.
enum Next {
    /// People look at quarantined plates.
    Wait,
    /// A plate is to be made again.
    Repeat,
    Close {
        /// Of all generations.
        plates: u32,
    },
}

/// One step of an assessing round. The data cut is stored before the transaction that names it.
pub(super) async fn step(engine: &Engine, id: RoundId) -> Result<bool> {
    let Some(cut) = store_data_cut(engine, id).await? else { return repeat(engine, id).await };
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut round) = store::rounds::lock(&mut tx, id).await? else { return nothing(tx).await };
    if round.state != State::In(Stage::Assessing) {
        return nothing(tx).await;
    }
    let Next::Close { plates } = next(&mut tx, &round).await? else { return nothing(tx).await };
    // One round of a campaign closes at a time: the trainings they ask for follow each other.
    let Some(campaign) = store::campaigns::lock(&mut tx, round.campaign_id).await? else {
        return nothing(tx).await;
    };
    if store::observations::number(&mut tx, round.campaign_id).await? != cut.observations {
        // Measured on in the meantime: the cut is written again next time.
        tx.rollback().await?;
        return Ok(true);
    }
    let mut out = Consequences::default();
    close(&mut tx, &campaign, &mut round, plates, cut.digest, &mut out).await?;
    steps::commit(tx, Step::Close).await?;
    engine.wakeups.after(&out);
    Ok(true)
}

/// A data cut that is stored.
struct DataCut {
    /// How many observations the campaign had when they were read, or a little before.
    observations: u64,
    /// `None` of none.
    digest: Option<Digest>,
}

/// `None` when the round is not to be closed.
async fn store_data_cut(engine: &Engine, id: RoundId) -> Result<Option<DataCut>> {
    let mut conn = engine.pool.acquire().await?;
    let Some(round) = store::rounds::by_id(&mut conn, id).await? else { return Ok(None) };
    if !matches!(next(&mut conn, &round).await?, Next::Close { .. }) {
        return Ok(None);
    }
    let number = store::observations::number(&mut conn, round.campaign_id).await?;
    let mut observations = store::observations::of_campaign(&mut conn, round.campaign_id, None).await?;
    observations.extend(store::further_observations::of_campaign(&mut conn, round.campaign_id).await?);
    let version = version_of(&mut conn, &round).await?;
    drop(conn);
    let labelled = version.spec.readouts.iter().filter(|readout| readout.is_labelled());
    let labelled = labelled.map(|readout| readout.name.as_str()).collect();
    let digest = match data_cut::to_csv(&observations, &version.spec.objective.hit, &labelled) {
        Some(csv) => {
            let csv = Bytes::from(csv);
            Some(engine.blobs.put_bytes(&engine.pool, csv, "text/csv", SYSTEM).await?)
        }
        None => None,
    };
    Ok(Some(DataCut { observations: number, digest }))
}

/// Back to executing, when a plate is to be made again.
async fn repeat(engine: &Engine, id: RoundId) -> Result<bool> {
    steps::before(Step::Repeat).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut round) = store::rounds::lock(&mut tx, id).await? else { return nothing(tx).await };
    if round.state != State::In(Stage::Assessing) || !matches!(next(&mut tx, &round).await?, Next::Repeat) {
        return nothing(tx).await;
    }
    store::rounds::apply(&mut tx, &mut round, Event::PlateRepeatOrdered, None, SYSTEM).await?.must()?;
    steps::commit(tx, Step::Repeat).await?;
    Ok(true)
}

async fn next(conn: &mut PgConnection, round: &Round) -> Result<Next> {
    let plates = store::plates::of_round(conn, round.id).await?;
    for plate in latest(&plates) {
        if !matches!(wanted_again(conn, plate).await?, Again::No) {
            return Ok(Next::Repeat);
        }
    }
    let waits = plates.iter().any(|plate| plate.state == PlateState::Quarantined);
    let number = u32::try_from(plates.len()).unwrap_or(u32::MAX);
    Ok(if waits { Next::Wait } else { Next::Close { plates: number } })
}

async fn close(
    conn: &mut PgConnection,
    campaign: &Campaign,
    round: &mut Round,
    plates: u32,
    cut: Option<Digest>,
    out: &mut Consequences,
) -> Result<()> {
    let batch = store::batches::live_of_round(conn, round.id).await?;
    let batch = batch.ok_or_else(|| Error::corrupt("assessed round without a batch", round.id))?;
    let standings = store::accounts::standings(conn, batch.id).await?;
    let fates: Vec<_> = standings.iter().map(fate).collect();
    store::proposals::set_fates(conn, &fates).await?;
    let summary = Summary { plates, ..summarise(conn, round, &fates).await? };
    let measured = summary.passed_qc > 0;
    let summary = serde_json::to_value(&summary).map_err(|error| Error::corrupt("summary", error))?;
    store::rounds::close(conn, round, summary, SYSTEM).await?.must()?;
    if measured { train(conn, campaign, round, cut, out).await } else { Ok(()) }
}

/// Measured, or given up with a reason.
fn fate(standing: &Standing) -> (crate::ids::ProposalId, Fate, Option<String>) {
    if standing.observations > 0 {
        return (standing.proposal_id, Fate::Measured, None);
    }
    let reason = match (&standing.last_plate, &standing.last_plate_reason) {
        (Some(plate), Some(reason)) => format!("plate {plate}: {reason}"),
        (Some(plate), None) => format!("no usable well on plate {plate}"),
        (None, _) => "it stood on no plate".to_owned(),
    };
    (standing.proposal_id, Fate::GivenUp, Some(reason))
}

/// But for its plates.
async fn summarise(
    conn: &mut PgConnection,
    round: &Round,
    fates: &[(crate::ids::ProposalId, Fate, Option<String>)],
) -> Result<Summary> {
    let counts = store::accounts::counts(conn, round.id).await?;
    let here = store::observations::of_campaign(conn, round.campaign_id, Some(round.id)).await?;
    let model = match round.model_version_id {
        Some(id) => store::models::by_id(conn, id).await?.map(|model| model.number),
        None => None,
    };
    let calls = store::observations::calls(conn, round).await?;
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let summary = Summary {
        proposed: counts.proposed,
        dispensed: counts.dispensed,
        measured: counts.measured,
        passed_qc: counts.passed_qc,
        measured_again: calls.measured_again,
        hits_found: calls.found,
        hits_withdrawn: calls.withdrawn,
        given_up: small(fates.iter().filter(|(_, fate, _)| *fate == Fate::GivenUp).count()),
        coverage_90: coverage_90(&here),
        model_version: model,
        ..Summary::default()
    };
    let real_now = store::clock::read(conn).await?.real_at;
    let stages = store::rounds::stages(conn, round.id).await?;
    Ok(summary.with_times(&stages, real_now, store::rounds::worker_seconds(conn, round.id).await?))
}

/// Versions that are scored beside the new one: the one in use, and the newest two that the gate turned down or that
/// were in use before.
const SHADOWS: usize = 3;

async fn shadows(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<Shadow>> {
    let mut versions = store::models::of_campaign(conn, campaign).await?;
    versions.sort_by_key(|version| (version.state == Version::Promoted, version.number));
    let newest = versions.into_iter().rev().take(SHADOWS);
    Ok(newest.map(|it| Shadow { checkpoint: it.checkpoint, data_cut: it.data_cut }).collect())
}

async fn train(
    conn: &mut PgConnection,
    campaign: &Campaign,
    round: &Round,
    cut: Option<Digest>,
    out: &mut Consequences,
) -> Result<()> {
    let version = version_of(conn, round).await?;
    let inputs = model_inputs(&version, cut, train_seed(campaign, round.number));
    let mut job = NewJob::new(Work::Train(Train {
        inputs,
        warm_start: None,
        shadows: shadows(conn, campaign.id).await?,
    }));
    job.campaign_id = Some(campaign.id);
    job.round_id = Some(round.id);
    job.unique_key = Some(train_key(campaign, round.number));
    // After the one before: the version of the newer data is judged last.
    let before = store::chains::last_training(conn, campaign.id).await?.filter(|training| !training.drawn);
    job.dependencies.extend(before.map(|training| Dependency::end(training.job_id)));
    if let Created::Created(_, consequences) = store::jobs::create(conn, &job).await? {
        out.absorb(consequences);
    }
    Ok(())
}
