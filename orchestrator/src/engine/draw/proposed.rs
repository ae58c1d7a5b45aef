//! A learner answered with a batch: proposals, runners-up and the whole posterior are kept, and the batch
//! waits for people. An answer that cannot be used holds the round.

use crate::batches::instead::Room;
use crate::campaigns::Spec;
use crate::engine::inputs::version_of;
use crate::engine::{Engine, hold, nothing};
use crate::ids::{BatchId, ProposalId, SYSTEM};
use crate::rounds::posterior;
use crate::rounds::seed;
use crate::rounds::state::{Event, Stage, State};
use crate::steps::{self, Step};
use crate::store::batches::NewBatch;
use crate::store::predictions::Predicted;
use crate::store::proposals::{Origin, Proposal, Status};
use crate::store::rounds::{Round, Why};
use crate::store::settlements::Settled;
use crate::store::{self, Error, Result};
use jobs::work::Output;
use jobs::work::learn::{Prices, Proposal as Proposed, Propose, ProposeResult};
use jobs::{Experiment, JobId, Work};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Of a budget: what sums of prices may be off by.
const ROUNDING: f64 = 1e-6;

pub(super) async fn draw(engine: &Engine, settled: Settled) -> Result<bool> {
    let Some(round) = settled.round_id else {
        return Err(Error::corrupt("proposal", "it belongs to no round"));
    };
    let answer = answer(engine, &settled).await?;
    steps::before(Step::DrawProposed).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut round) = store::rounds::lock(&mut tx, round).await? else { return nothing(tx).await };
    if matches!(round.state, State::Held(_)) {
        // Its answer waits with it; it is not at hand again before the round goes on.
        return nothing(tx).await;
    }
    if !store::settlements::take(&mut tx, settled.job_id).await? {
        return nothing(tx).await;
    }
    match answer {
        _ if round.state != State::In(Stage::Proposing) => {}
        Ok((result, predicted)) => keep(&mut tx, &mut round, settled.job_id, &result, &predicted).await?,
        Err(why) => hold::hold(&mut tx, &mut round, why).await?,
    }
    steps::commit(tx, Step::DrawProposed).await?;
    Ok(true)
}

/// The learner's answer with its posterior read, or why it cannot be used.
async fn answer(
    engine: &Engine,
    settled: &Settled,
) -> Result<std::result::Result<(ProposeResult, Vec<Predicted>), Why>> {
    let Some(Output::Propose(result)) = settled.output.clone() else {
        let why = settled.failure.as_ref().map_or("it was stopped", |failure| failure.message.as_str());
        return Ok(Err(Why::new("propose.failed", format!("No batch could be proposed: {why}."))));
    };
    let unusable = |why: String| {
        Ok(Err(Why::new("propose.unusable_answer", format!("The learner's answer cannot be used: {why}."))))
    };
    let chosen: BTreeSet<_> =
        result.proposals.iter().chain(&result.runners_up).map(|proposal| &proposal.experiment).collect();
    if result.proposals.is_empty() {
        return unusable("it proposes nothing".to_owned());
    }
    if chosen.len() != result.proposals.len() + result.runners_up.len() {
        return unusable("it proposes an experiment twice".to_owned());
    }
    if let Work::Propose(asked) = &settled.work {
        if let Some(Experiment { perturbation, context }) = barred(asked, &result) {
            return unusable(format!("{perturbation} in {} was not to be proposed", context.0));
        }
        let (again, at_most) = repeated(asked, &result);
        if again > at_most {
            return unusable(format!("it measures {again} experiments again, where {at_most} may be"));
        }
        if let Some((cost, prices)) = too_dear(asked, &result) {
            let (budget, currency) = (prices.budget, &prices.currency);
            return unusable(format!("its batch costs {cost:.2}, where {budget:.2} {currency} may be spent"));
        }
    }
    let bytes = match engine.blobs.read(result.posterior).await {
        Ok(bytes) => bytes,
        Err(Error::NotFound { .. }) => return unusable("its posterior was never stored".to_owned()),
        Err(error) => return Err(error),
    };
    match posterior::parse(&bytes) {
        Ok(predicted) => Ok(Ok((result, predicted))),
        Err(error) => unusable(error.to_string()),
    }
}

/// The first of those chosen that was not to be proposed. What may be measured again may be in the batch, and is no
/// runner-up: it would take the place of a new experiment.
fn barred<'a>(asked: &Propose, result: &'a ProposeResult) -> Option<&'a Experiment> {
    let pending: BTreeSet<&Experiment> = asked.pending.iter().collect();
    let excluded: BTreeSet<&Experiment> = asked.excluded.iter().collect();
    let again = repeats(asked);
    let is_new = |experiment: &Experiment| {
        !excluded.contains(experiment) && !pending.contains(experiment) && !asked.excludes_gene_of(experiment)
    };
    let may_repeat = |experiment: &Experiment| {
        again.contains(experiment) && !pending.contains(experiment) && !asked.excludes_gene_of(experiment)
    };
    let batch = result.proposals.iter().map(|it| &it.experiment).find(|it| !is_new(it) && !may_repeat(it));
    batch.or_else(|| result.runners_up.iter().map(|it| &it.experiment).find(|it| !is_new(it)))
}

fn repeats(asked: &Propose) -> BTreeSet<&Experiment> {
    asked.repeats.iter().flat_map(|repeats| &repeats.experiments).collect()
}

/// How many of the batch were measured before, and how many may be.
fn repeated(asked: &Propose, result: &ProposeResult) -> (usize, usize) {
    let again = repeats(asked);
    let count = result.proposals.iter().filter(|proposal| again.contains(&proposal.experiment)).count();
    (count, asked.repeats.as_ref().map_or(0, |repeats| repeats.at_most as usize))
}

/// What the batch costs, where it is more than it may.
fn too_dear<'a>(asked: &'a Propose, result: &ProposeResult) -> Option<(f64, &'a Prices)> {
    let prices = asked.prices.as_ref()?;
    let cost: f64 = result.proposals.iter().map(|it| prices.of(&it.experiment)).sum();
    (cost > prices.budget * (1.0 + ROUNDING)).then_some((cost, prices))
}

async fn keep(
    conn: &mut PgConnection,
    round: &mut Round,
    job: JobId,
    result: &ProposeResult,
    predicted: &[Predicted],
) -> Result<()> {
    let generation = store::rounds::proposals_asked(conn, round.id).await?;
    let version = version_of(conn, round).await?;
    let batch = NewBatch {
        id: BatchId::fresh(),
        round_id: round.id,
        campaign_id: round.campaign_id,
        generation,
        layout_seed: seed::derive(round.seed, "layout", &[generation]),
        propose_job_id: job,
        expires_hours: version.spec.policy.expires_hours,
    };
    // While this round was held, another of the campaign may have asked for the same.
    let taken: BTreeSet<_> =
        store::proposals::pending(conn, round.campaign_id, round.id).await?.into_iter().collect();
    let (chosen, rest) = free(&version.spec, result, taken);
    let ranked = chosen
        .into_iter()
        .map(|proposed| (proposed, Status::Selected))
        .chain(rest.into_iter().map(|proposed| (proposed, Status::RunnerUp)));
    let rows: Vec<Proposal> =
        (1..).zip(ranked).map(|(rank, (proposed, status))| row(batch.id, rank, proposed, status)).collect();
    let selected = rows.iter().filter(|proposal| proposal.status == Status::Selected).count();
    if selected == 0 {
        let why = Why::new("round.pool_exhausted", "Other rounds ask for everything that was proposed.");
        return hold::hold(conn, round, why).await;
    }
    store::batches::insert(conn, &batch, selected, SYSTEM).await?;
    store::proposals::insert(conn, &rows).await?;
    store::predictions::replace(conn, round.id, predicted).await?;
    store::predictions::keep_expected_hits(conn, round.campaign_id, round.id).await?;
    store::rounds::apply(conn, round, Event::BatchProposed, None, SYSTEM).await?.must()
}

/// The batch without what other rounds have taken, runners-up in the places that there is [`Room`] for; and the runners-up
/// that are left.
fn free<'a>(
    spec: &Spec,
    result: &'a ProposeResult,
    taken: BTreeSet<Experiment>,
) -> (Vec<&'a Proposed>, Vec<&'a Proposed>) {
    let (out, mut chosen): (Vec<&Proposed>, Vec<&Proposed>) =
        result.proposals.iter().partition(|proposed| taken.contains(&proposed.experiment));
    let mut room = Room::of(spec, chosen.iter().map(|proposed| &proposed.experiment), taken.clone());
    let mut rest: Vec<&Proposed> =
        result.runners_up.iter().filter(|proposed| !taken.contains(&proposed.experiment)).collect();
    for gone in out {
        if let Some(next) = rest.iter().position(|it| room.takes(&it.experiment, &gone.experiment)) {
            let next = rest.remove(next);
            room.put(&next.experiment);
            chosen.push(next);
        }
    }
    (chosen, rest)
}

fn row(batch: BatchId, rank: u32, proposed: &Proposed, status: Status) -> Proposal {
    Proposal {
        id: ProposalId::fresh(),
        batch_id: batch,
        rank,
        origin: Origin::Model,
        status,
        experiment: proposed.experiment.clone(),
        prediction: Some(proposed.prediction),
        score: Some(proposed.score),
        readouts: proposed.readouts.clone(),
        reason: proposed.reason.clone(),
        removed_reason: None,
        edited_by: None,
        fate: None,
        fate_reason: None,
    }
}
