//! `POST /campaigns`

use super::view::CampaignRecord;
use crate::api::access::Caller;
use crate::api::extract::Json;
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write};
use crate::campaigns::check::{WantedFile, no_tick_to_come};
use crate::campaigns::create::{self, CreateCampaign, Created};
use crate::campaigns::{DesignError, Pool, Spec, prior_screens};
use crate::ids::{DEFAULT_PROJECT, ProjectId};
use crate::store::blobs::describe;
use crate::store::campaigns;
use crate::store::clock;
use crate::store::jobs::Consequences;
use crate::store::people::projects;
use crate::store::tokens::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jobs::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Whole numbers up to here survive every JSON reader.
const LARGEST_SEED: u64 = (1 << 53) - 1;

/// A campaign file, and where the files that it names are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCampaign {
    /// The campaign file as it was written (TOML).
    pub toml: String,
    /// The blob of each file that it names, by that name.
    pub files: BTreeMap<String, Digest>,
    /// The project it belongs to; the default one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// All randomness of the campaign derives from it; at most 2^53 - 1. Absent: a random one.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// Creates a campaign from its file.
///
/// The files that it names are uploaded before, with `PUT /blobs/{sha256}`. Its first round begins when the
/// schedule says so. Everything that is wrong with the file is named at once, with its line.
#[utoipa::path(post, path = "/campaigns", tag = "campaigns", request_body = NewCampaign,
    params(("idempotency-key" = Option<String>, Header, description = "a repeat under the same key gets the first answer")),
    responses(
        (status = 201, body = CampaignRecord),
        (status = 409, body = Problem, description = "`campaign.name_taken`"),
        (status = 422, body = Problem, description = "`campaign.invalid`, `campaign.files_missing`, `campaign.prior_group_unknown`, `design.*`"),
    ))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Json(request): Json<NewCampaign>,
) -> Result<Response, Problem> {
    let project = request.project_id.unwrap_or(DEFAULT_PROJECT);
    caller.require_in(project, Scope::CampaignWrite)?;
    if !projects::all_exist(&mut *state.pool.acquire().await?, &[project.0]).await? {
        return Err(Problem::not_found("project", project));
    }
    let spec = Spec::parse(&request.toml).map_err(|wrong| {
        Problem::unprocessable("campaign.invalid", wrong.to_string()).with_errors(wrong.problems)
    })?;
    something_to_come(&state, &spec, &request.toml).await?;
    let seed = seed(request.seed)?;
    let named = Named::of(&spec, &request.files);
    named.all_stored(&state).await?;
    let pool = span(&state, &spec, named.digest(&spec.design.genes_file)?).await?;
    let priors = named.digests(&spec.model.priors)?;
    groups_exist(&state, &spec, &priors).await?;
    let (pool_size, genes) = (pool.size(), pool.tagged_genes());
    let csv = spawn(move || pool.to_csv()).await?;
    let pool = state.blobs.put_bytes(&state.pool, csv.into(), "text/csv", caller.id()).await?;
    let new = CreateCampaign {
        project,
        pool,
        pool_size,
        genes,
        features: named.digests(&spec.model.features)?,
        priors,
        toml: request.toml.clone(),
        seed,
        spec,
    };
    let mut write = match Write::begin(&state, &caller, key, "POST /campaigns", &request).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let record = enter(&mut write, new).await?;
    write.finish(StatusCode::CREATED, &record, &Consequences::default()).await
}

/// Refuses a calendar that has no tick any more, by the laboratory's clock.
async fn something_to_come(state: &AppState, spec: &Spec, toml: &str) -> Result<(), Problem> {
    let mut conn = state.pool.acquire().await?;
    let now = clock::lab_now(&mut conn).await?;
    match no_tick_to_come(spec, toml, now) {
        None => Ok(()),
        Some(wrong) => {
            Err(Problem::unprocessable("campaign.invalid", wrong.to_string()).with_errors(vec![wrong]))
        }
    }
}

async fn enter(write: &mut Write, new: CreateCampaign) -> Result<CampaignRecord, Problem> {
    let name = new.spec.name.clone();
    let actor = write.actor();
    let id = match create::create(write.conn(), new, actor).await? {
        Created::Created(id) => id,
        Created::NameTaken(by) => {
            let detail = format!("There is a campaign {name:?} already: {by}. Give this one another name.");
            return Err(Problem::conflict("campaign.name_taken", detail));
        }
    };
    let missing = || Problem::not_found("campaign", id);
    let campaign = campaigns::by_id(write.conn(), id).await?.ok_or_else(missing)?;
    let version =
        campaigns::version(write.conn(), id, campaign.current_version).await?.ok_or_else(missing)?;
    Ok(CampaignRecord::of(campaign, version, None))
}

fn seed(asked: Option<u64>) -> Result<u64, Problem> {
    match asked {
        Some(seed) if seed > LARGEST_SEED => {
            let detail = format!("`seed` is {seed}; it is at most {LARGEST_SEED} (2^53 - 1).");
            Err(Problem::unprocessable("campaign.seed_too_large", detail))
        }
        Some(seed) => Ok(seed),
        None => Ok(rand::random::<u64>() & LARGEST_SEED),
    }
}

/// The files that a campaign names, and those that came with it.
struct Named<'a> {
    wanted: Vec<WantedFile>,
    given: &'a BTreeMap<String, Digest>,
}

impl<'a> Named<'a> {
    fn of(spec: &Spec, given: &'a BTreeMap<String, Digest>) -> Self {
        Self { wanted: spec.wanted_files(), given }
    }

    fn digest(&self, name: &str) -> Result<Digest, Problem> {
        self.given.get(name).copied().ok_or_else(|| missing(format!("`files` does not have {name:?}")))
    }

    fn digests(&self, names: &[String]) -> Result<Vec<Digest>, Problem> {
        names.iter().map(|name| self.digest(name)).collect()
    }

    /// Refuses, naming every file that is not there, and every one that nobody asked for.
    async fn all_stored(&self, state: &AppState) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        let mut conn = state.pool.acquire().await?;
        for WantedFile { field, name } in &self.wanted {
            match self.given.get(name) {
                None => {
                    wrong.push(format!("{field} names {name:?}, and `files` does not say which blob it is"))
                }
                Some(digest) if describe(&mut conn, *digest).await?.is_none() => {
                    wrong.push(format!("{field} names {name:?}, whose blob {digest} was not uploaded"));
                }
                Some(_) => {}
            }
        }
        let wanted: BTreeSet<&str> = self.wanted.iter().map(|file| file.name.as_str()).collect();
        let strangers = self.given.keys().filter(|name| !wanted.contains(name.as_str()));
        wrong.extend(
            strangers.map(|name| format!("`files` has {name:?}, which the campaign file does not name")),
        );
        if wrong.is_empty() { Ok(()) } else { Err(missing(wrong.join("\n"))) }
    }
}

fn missing(detail: String) -> Problem {
    Problem::unprocessable("campaign.files_missing", detail)
}

/// The design space over the genes of a stored file.
async fn span(state: &AppState, spec: &Spec, genes: Digest) -> Result<Pool, Problem> {
    let bytes = state.blobs.read(genes).await?;
    let text = String::from_utf8(bytes.to_vec())
        .map_err(|_| Problem::unprocessable("design.not_csv", "The genes file is not text in UTF-8."))?;
    let design = spec.design.clone();
    spawn(move || Pool::expand(&design, &text)).await?.map_err(|wrong| refused(&wrong))
}

/// A study that is to be left out of the priors is in one of them: a misspelt one would be learnt from unseen.
async fn groups_exist(state: &AppState, spec: &Spec, priors: &[Digest]) -> Result<(), Problem> {
    let groups = spec.model.exclude_prior_groups.clone();
    if groups.is_empty() {
        return Ok(());
    }
    let mut files = Vec::with_capacity(priors.len());
    for prior in priors {
        files.push(state.blobs.read(*prior).await?);
    }
    let checked = spawn(move || prior_screens::require_groups(&groups, &files)).await?;
    checked.map_err(|wrong| {
        Problem::unprocessable(wrong.code(), format!("model.exclude_prior_groups: {wrong}."))
    })
}

fn refused(wrong: &DesignError) -> Problem {
    Problem::unprocessable(wrong.code(), format!("{wrong}."))
}

/// Millions of experiments take their time: not on a thread that answers others.
async fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::bug(&error))
}
