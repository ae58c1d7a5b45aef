//! `POST /batches/{id}/reject`

use super::refusal;
use super::view::BatchRecord;
use crate::api::access::Caller;
use crate::api::etag::IfMatch;
use crate::api::extract::{Json, Path};
use crate::api::once::IdempotencyKey;
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::api::write::{Asking, Write, given};
use crate::batches::State as BatchState;
use crate::batches::reject::{self, Exclude, Rejected};
use crate::ids::{BatchId, ProposalId};
use crate::store::jobs::Consequences;
use crate::store::proposals::{Proposal, Status};
use crate::store::{batches, proposals};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jobs::{Experiment, Perturbation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A no.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    pub reason: String,
    /// Experiments of the batch not to be proposed again in this round, as `PERTURBATION` (in every context) or
    /// `PERTURBATION@CONTEXT`. Nothing named here nor below: all that are selected.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Genes: no experiment with one of them in it is proposed again in this round.
    #[serde(default)]
    pub exclude_genes: Vec<String>,
    /// The same for every gene with one of these tags (column `tags` of the genes file).
    #[serde(default)]
    pub exclude_tags: Vec<String>,
}

/// Rejects a batch; the round proposes anew.
///
/// `If-Match` is its revision.
#[utoipa::path(post, path = "/batches/{id}/reject", tag = "batches", request_body = Reject,
    params(("id" = BatchId, Path), ("if-match" = String, Header), ("idempotency-key" = Option<String>, Header)),
    responses((status = 200, body = BatchRecord), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`batch.not_awaiting_approval`, `batch.verdict_given`, `round.held`"),
        (status = 412, body = Problem),
        (status = 422, body = Problem, description = "`batch.exclude_invalid`, `batch.exclude_unknown`"),
        (status = 428, body = Problem)))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    seen: IfMatch,
    Path(id): Path<BatchId>,
    Json(request): Json<Reject>,
) -> Result<Response, Problem> {
    let reason = given(&request.reason)?;
    let asked = (id, seen.0, &request);
    let mut write = match Write::begin(&state, &caller, key, "POST /batches/{id}/reject", &asked).await? {
        Asking::Replay(answer) => return Ok(answer),
        Asking::Fresh(write) => write,
    };
    let exclude = Exclude {
        proposals: excluded(&proposals::of_batch(write.conn(), id).await?, &request.exclude)?,
        genes: request.exclude_genes.clone(),
        tags: request.exclude_tags.clone(),
    };
    let actor = write.actor();
    let rejected = reject::reject(write.conn(), id, seen.revision(), reason, &exclude, actor).await?;
    let batch = batches::by_id(write.conn(), id).await?.ok_or_else(|| Problem::not_found("batch", id))?;
    match rejected {
        Rejected::Done => {}
        Rejected::AlreadyDone if batch.state == BatchState::Rejected => {}
        Rejected::AlreadyDone => {
            let detail =
                "You approved this revision before; somebody else has to reject it, or edit it first.";
            return Err(Problem::conflict("batch.verdict_given", detail));
        }
        Rejected::NotFound => return Err(Problem::not_found("batch", id)),
        Rejected::RevisionChanged { now } => return Err(seen.outdated(now)),
        Rejected::NotAwaiting { state } => return Err(refusal::not_awaiting(state)),
        Rejected::RoundHeld => return Err(refusal::round_held()),
        Rejected::Unknown { genes, tags } => return Err(unknown(&genes, &tags)),
    }
    let record = super::record::record(write.conn(), batch, &caller).await?;
    write.finish(StatusCode::OK, &record, &Consequences::default()).await
}

fn unknown(genes: &[String], tags: &[String]) -> Problem {
    let named = |field: &str, what: &str, names: &[String]| {
        let list = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("`{field}` names {list}: {what}."))
    };
    let sentences = [
        named("exclude_genes", "no gene of the design space", genes),
        named("exclude_tags", "no gene of the design space has such a tag", tags),
    ];
    let detail = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Problem::unprocessable("batch.exclude_unknown", detail)
}

/// `PERTURBATION` or `PERTURBATION@CONTEXT`, edits in any order. A dose has an `@` of its own (`TAXOL@10uM@K562`), so each
/// place where the context may begin is tried.
fn names(term: &str, experiment: &Experiment) -> bool {
    let is = |name: &str| name.parse::<Perturbation>().is_ok_and(|it| it == experiment.perturbation);
    let in_context = |(at, _): (usize, &str)| {
        let (name, context) = term.split_at(at);
        is(name) && context.strip_prefix('@') == Some(experiment.context.0.as_str())
    };
    is(term) || term.match_indices('@').any(in_context)
}

/// The selected proposals that `terms` name; a term that names none is refused.
fn excluded(proposals: &[Proposal], terms: &[String]) -> Result<Vec<ProposalId>, Problem> {
    let mut found = Vec::new();
    for term in terms {
        let before = found.len();
        let named = proposals
            .iter()
            .filter(|proposal| proposal.status == Status::Selected && names(term, &proposal.experiment));
        found.extend(named.map(|proposal| proposal.id));
        if found.len() == before {
            if let Err(wrong) = term.split('@').next().unwrap_or_default().parse::<Perturbation>() {
                let detail = format!("`exclude` has {term:?}: {wrong}.");
                return Err(Problem::unprocessable("batch.exclude_invalid", detail));
            }
            let detail = format!("`exclude` has {term:?}, which is not selected in this batch.");
            return Err(Problem::unprocessable("batch.exclude_unknown", detail));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Context;

    #[test]
    fn a_dose_is_no_context() {
        let of = |perturbation: &str, context: &str| Experiment {
            perturbation: perturbation.parse().unwrap(),
            context: Context(context.into()),
        };
        let taxol = of("TAXOL@10uM", "K562");
        for term in ["TAXOL@10uM", "TAXOL@10uM@K562"] {
            assert!(names(term, &taxol), "{term}");
        }
        for term in ["TAXOL", "TAXOL@K562", "TAXOL@10uM@A549", "TAXOL@1uM@K562", "@K562", ""] {
            assert!(!names(term, &taxol), "{term}");
        }
        assert!(names("B@5uM+A@10uM@K562", &of("A@10uM+B@5uM", "K562")));
        assert!(names("IGH@@D1", &of("IGH@", "D1")) && names("CBLB@donor@2", &of("CBLB", "donor@2")));
    }
}
