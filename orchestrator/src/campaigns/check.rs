//! A campaign file looked at before anything is made of it: what is wrong with it, and what it would do.

use super::next_ticks::{NextTick, shown};
use super::{Problem, Spec, problem_in};
use crate::calendar::{Beat, Rule};
use crate::ids::ProjectId;
use crate::planning::experiments_per_plate;
use crate::store::{self, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

/// Of those that come.
const TICKS: usize = 5;

/// What a campaign file is worth; without problems the rest is filled in.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = CampaignCheck)]
pub struct Check {
    /// Everything that is wrong, in order of line; empty when it can be created once its files are there.
    #[schema(value_type = Vec<super::problem::Problem>)]
    pub problems: Vec<Problem>,
    /// Allowed and yet doubtful.
    #[schema(value_type = Vec<super::problem::Problem>)]
    pub warnings: Vec<Problem>,
    /// The files that it names, in its order.
    pub files: Vec<WantedFile>,
    pub round: Option<RoundSize>,
    /// The first ticks, were it created now; none where rounds begin by hand or one after the other.
    pub ticks: Vec<NextTick>,
    pub spec: Option<Spec>,
}

/// A file that a campaign names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WantedFile {
    /// `design.genes_file`, `model.features[0]`
    pub field: String,
    /// As the campaign file writes it.
    pub name: String,
}

/// How large a round is whose batch is full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoundSize {
    pub experiments: u32,
    /// Beside its controls.
    pub experiments_per_plate: u32,
    /// More where the batch is spread over contexts: a plate has cells of one.
    pub plates_at_least: u32,
}

impl Spec {
    /// The files that it names, in its order.
    pub fn wanted_files(&self) -> Vec<WantedFile> {
        let genes = ("design.genes_file".to_owned(), &self.design.genes_file);
        std::iter::once(genes)
            .chain(numbered("model.features", &self.model.features))
            .chain(numbered("model.priors", &self.model.priors))
            .map(|(field, name)| WantedFile { field, name: name.clone() })
            .collect()
    }
}

fn numbered<'a>(field: &'a str, names: &'a [String]) -> impl Iterator<Item = (String, &'a String)> {
    names.iter().enumerate().map(move |(index, name)| (format!("{field}[{index}]"), name))
}

/// Looks at a file for a campaign of `project`. Reads no other file: those are looked at when it is created.
pub async fn check(conn: &mut PgConnection, project: ProjectId, toml: &str) -> Result<Check> {
    let (spec, warnings) = match Spec::parse_with_warnings(toml) {
        Ok(read) => read,
        Err(wrong) => return Ok(Check { problems: wrong.problems, ..Check::default() }),
    };
    let now = store::clock::lab_now(conn).await?;
    let rule = Rule::of(&spec.schedule, &store::blackouts::everywhere(conn, now).await?);
    let mut problems: Vec<Problem> = no_tick_to_come(&spec, toml, now).into_iter().collect();
    if store::campaigns::by_name(conn, project, &spec.name).await?.is_some() {
        let reason = "the project has a campaign of this name: give this one another";
        problems.push(problem_in(toml, "name", reason));
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    if !problems.is_empty() {
        return Ok(Check { problems, warnings, ..Check::default() });
    }
    Ok(Check {
        problems,
        warnings,
        files: spec.wanted_files(),
        round: size(&spec),
        ticks: shown(&rule, &rule.upcoming(None, now, now, TICKS)),
        spec: Some(spec),
    })
}

/// A calendar that has no tick any more, by the laboratory's clock.
pub fn no_tick_to_come(spec: &Spec, toml: &str, now: DateTime<Utc>) -> Option<Problem> {
    let rule = Rule::of(&spec.schedule, &[]);
    let over = rule.ends.is_some_and(|ends| ends <= now);
    let ticks = matches!(rule.beat, Beat::Cron(_) | Beat::Every(_));
    if !over && (!ticks || rule.next(None, now).is_some()) {
        return None;
    }
    let (path, reason) = match rule.ends {
        Some(_) => ("schedule.ends", "there is no tick from now to it: no round would ever begin"),
        None => ("schedule", "it has no tick in the years to come: no round would ever begin"),
    };
    Some(problem_in(toml, path, reason))
}

fn size(spec: &Spec) -> Option<RoundSize> {
    let (experiments, experiments_per_plate) = (spec.budget.batch, experiments_per_plate(spec)?);
    let plates_at_least = experiments.div_ceil(experiments_per_plate);
    Some(RoundSize { experiments, experiments_per_plate, plates_at_least })
}
