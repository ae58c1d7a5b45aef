//! Edits of what others may edit too: `ETag` says which revision was seen, `If-Match` that it still is.

use super::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};

/// The `ETag` of a revision.
pub fn etag(revision: i32) -> (header::HeaderName, HeaderValue) {
    let value =
        HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"0\""));
    (header::ETAG, value)
}

/// The revision that the caller has seen; an extractor that refuses requests without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub i32);

impl IfMatch {
    /// As a batch counts them, from 1; 0 is none.
    pub fn revision(self) -> u32 {
        u32::try_from(self.0).unwrap_or(0)
    }

    /// 412: somebody changed it since; it is at revision `now`.
    pub fn outdated(self, now: u32) -> Problem {
        let detail = format!(
            "You saw revision {}; it was changed meanwhile (now revision {now}). Read it again, then repeat the change.",
            self.0
        );
        Problem::new(StatusCode::PRECONDITION_FAILED, "request.revision_outdated", detail)
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let detail = "Send the ETag that you read as `If-Match`, so that nobody's change is lost.";
        let missing = || Problem::new(StatusCode::PRECONDITION_REQUIRED, "request.if_match_missing", detail);
        let value = parts.headers.get(header::IF_MATCH).ok_or_else(missing)?;
        let revision = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
        revision.map(IfMatch).ok_or_else(missing)
    }
}
