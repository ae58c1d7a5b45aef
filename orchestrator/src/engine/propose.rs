//! A proposing round asks a learner for its batch, once per generation.

use super::inputs::{model_inputs, version_of};
use super::{Stepped, hold};
use crate::campaigns::design::pool_size;
use crate::planning::whole_plates;
use crate::rounds::seed;
use crate::store::campaigns::Version;
use crate::store::jobs::{Consequences, Created, NewJob};
use crate::store::rounds::{Round, Why};
use crate::store::{self, Result};
use jobs::work::learn::{Propose, Repeats};
use jobs::{Experiment, Work};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Creates the `propose` job of the next generation, unless one is on its way.
pub(super) async fn step(
    conn: &mut PgConnection,
    round: &mut Round,
    out: &mut Consequences,
) -> Result<Stepped> {
    if store::rounds::open_jobs(conn, round.id).await? > 0 {
        return Ok(Stepped::Nothing);
    }
    // One round of a campaign at a time chooses: what the others ask for is then known, and not asked for twice.
    let Some(_) = store::campaigns::lock(conn, round.campaign_id).await? else { return Ok(Stepped::Nothing) };
    if store::chains::others_propose(conn, round.campaign_id, round.id).await? {
        return Ok(Stepped::Nothing);
    }
    let version = version_of(conn, round).await?;
    let excluded = store::proposals::excluded(conn, round.campaign_id, round.id).await?;
    let pending = store::proposals::pending(conn, round.campaign_id, round.id).await?;
    let excluded_genes = store::exclusions::genes(conn, round.id).await?;
    let taken: BTreeSet<&Experiment> = excluded.iter().chain(&pending).collect();
    let left = left(conn, round, &version, &excluded_genes, taken.into_iter()).await?;
    let batch_size = u32::try_from(left).unwrap_or(u32::MAX).min(version.spec.budget.batch);
    if batch_size == 0 {
        let why = Why::new(
            "round.pool_exhausted",
            "Every experiment of the design space is answered or excluded. Cancel the round.",
        );
        hold::hold(conn, round, why).await?;
        return Ok(Stepped::Moved);
    }
    let checkpoint = match round.model_version_id {
        Some(id) => store::models::by_id(conn, id).await?.map(|model| model.checkpoint),
        None => None,
    };
    let generation = store::rounds::proposals_asked(conn, round.id).await? + 1;
    // A round that was cancelled gives its place in the budget back.
    let begun = store::rounds::counted_up_to(conn, round).await?;
    let mut job = NewJob::new(Work::Propose(Propose {
        inputs: model_inputs(&version, round.data_cut, seed::derive(round.seed, "propose", &[generation])),
        checkpoint,
        objective: version.spec.objective.direction,
        acquisition: version.spec.acquisition.rule,
        diversity: version.spec.diversity(),
        rounds_left: Some(version.spec.budget.rounds.saturating_sub(begun)),
        batch_size,
        runners_up: version.spec.budget.runners_up,
        pending,
        excluded,
        repeats: repeats(conn, round, &version, batch_size, &excluded_genes).await?,
        prices: version.spec.prices(),
        per_plate: whole_plates(&version.spec),
        excluded_genes,
    }));
    job.campaign_id = Some(round.campaign_id);
    job.round_id = Some(round.id);
    job.unique_key = Some(format!("propose:{}:{generation}", round.id));
    match store::jobs::create(conn, &job).await? {
        Created::Created(_, consequences) => {
            out.absorb(consequences);
            Ok(Stepped::Moved)
        }
        Created::Existing(_) => Ok(Stepped::Nothing),
    }
}

/// What may be measured again; `None` when nothing may.
async fn repeats(
    conn: &mut PgConnection,
    round: &Round,
    version: &Version,
    batch_size: u32,
    excluded_genes: &[String],
) -> Result<Option<Repeats>> {
    let acquisition = &version.spec.acquisition;
    let at_most = acquisition.repeats_of(batch_size);
    if at_most == 0 {
        return Ok(None);
    }
    let most = acquisition.most_measurements();
    let mut experiments = store::proposals::repeatable(conn, round.campaign_id, round.id, most).await?;
    experiments.retain(|it| it.perturbation.edits().iter().all(|edit| !excluded_genes.contains(edit)));
    let threshold = version.spec.objective.hit.threshold();
    let replicates = version.spec.assay.replicates;
    let repeats = Repeats { at_most, replicates, threshold, experiments };
    Ok((!repeats.experiments.is_empty()).then_some(repeats))
}

/// How many experiments may still be proposed: those of the design space without the excluded genes, less those
/// `taken` that are not among the excluded anyway.
async fn left<'a>(
    conn: &mut PgConnection,
    round: &Round,
    version: &Version,
    excluded_genes: &[String],
    taken: impl Iterator<Item = &'a Experiment>,
) -> Result<u64> {
    let free = if excluded_genes.is_empty() {
        version.pool_size
    } else {
        let genes = store::genes::number(conn, round.campaign_id, round.campaign_version).await?;
        let genes = usize::try_from(genes).unwrap_or(usize::MAX).saturating_sub(excluded_genes.len());
        let design = &version.spec.design;
        pool_size(genes, design.combinations, design.contexts.len())
    };
    let is_counted =
        |it: &&Experiment| it.perturbation.edits().iter().all(|edit| !excluded_genes.contains(edit));
    Ok(free.saturating_sub(u64::try_from(taken.filter(is_counted).count()).unwrap_or(u64::MAX)))
}
