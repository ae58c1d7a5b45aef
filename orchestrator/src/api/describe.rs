//! What holds for every operation of the description: its name, and how refusals look.

use super::access::operations;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};

/// Completes the description that the handlers give.
pub(super) fn complete(description: &mut OpenApi) {
    for (path, item) in &mut description.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(name(method.as_str(), path));
            complete_responses(operation);
        }
    }
}

/// Unique and stable: `post_campaigns_id_pause`.
fn name(method: &str, path: &str) -> String {
    let words = path.trim_start_matches("/api/v1").split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{}_{}", method.to_lowercase(), words.join("_"))
}

/// Every refusal is a problem; what the gate refuses is said once, here.
fn complete_responses(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if !is_public(operation.security.as_deref()) {
        for (status, sentence) in
            [("401", "no token, or an unknown one"), ("403", "the token lacks the scope")]
        {
            responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(sentence)));
        }
    }
    responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(Response::new("any other refusal")));
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            response.description = sentence(status).to_owned();
        }
        if status == "default" || status.starts_with(['4', '5']) {
            refuse(response);
        }
    }
}

fn is_public(security: Option<&[utoipa::openapi::SecurityRequirement]>) -> bool {
    security.is_none_or(|all| all.iter().any(|one| *one == utoipa::openapi::SecurityRequirement::default()))
}

fn refuse(response: &mut Response) {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    response.content.clear();
    response.content.insert("application/problem+json".to_owned(), RefOr::T(problem));
}

fn sentence(status: &str) -> &'static str {
    match status {
        "200" => "as asked",
        "201" => "created",
        "204" => "done",
        "404" => "there is no such thing",
        "409" => "it does not fit the state of things",
        "412" => "somebody changed it since you read it",
        "413" => "larger than the limit",
        "415" => "another content type is needed",
        "422" => "understood, and cannot be; the detail says what and where",
        "426" => "the worker is too old for this server",
        "428" => "`If-Match` is missing",
        "503" => "not now; try again",
        _ => "refused",
    }
}
