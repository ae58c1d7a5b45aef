//! POSTs that create answer a repeat with what they answered first, when the client sends an
//! `Idempotency-Key`.
//!
//! ```text
//! let mut tx = unfinished::Begun::on(&state.pool).await?;
//! let once = match Once::begin(&mut tx, &caller, key, "POST /campaigns", &request).await? {
//!     Begun::Replay(answer) => return Ok(answer),
//!     Begun::Fresh(once) => once,
//! };
//! let created = store::campaigns::create(&mut tx, ..).await?;
//! let answer = once.finish(&mut tx, StatusCode::CREATED, &created).await?;
//! tx.commit().await?;
//! Ok(answer)
//! ```

use super::access::Caller;
use super::problem::Problem;
use crate::ids::ActorId;
use crate::store::idempotency;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

/// The header, when it was sent.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().unwrap_or_default();
        if key.is_empty() || key.len() > 200 {
            let detail = "An Idempotency-Key is 1 to 200 visible ASCII characters.";
            return Err(Problem::unprocessable("request.idempotency_key_invalid", detail));
        }
        Ok(Self(Some(key.to_owned())))
    }
}

/// What a key says of this request.
pub enum Begun {
    Fresh(Once),
    /// Answered before, so.
    Replay(Response),
}

/// A creation under way, in the caller's transaction.
pub struct Once {
    actor: ActorId,
    key: Option<String>,
}

impl Once {
    /// `route` and `request` are what the key stands for: another request under the same key is refused.
    pub async fn begin(
        conn: &mut PgConnection,
        caller: &Caller,
        key: IdempotencyKey,
        route: &str,
        request: &impl Serialize,
    ) -> Result<Begun, Problem> {
        let once = Self { actor: caller.id(), key: key.0 };
        let Some(key) = &once.key else { return Ok(Begun::Fresh(once)) };
        let body = serde_json::to_vec(request).map_err(|error| Problem::bug(&error))?;
        let digest: [u8; 32] = Sha256::digest(body).into();
        match idempotency::begin(conn, once.actor, key, route, &digest).await? {
            idempotency::Begun::Fresh => Ok(Begun::Fresh(once)),
            idempotency::Begun::Replay { status, response } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                Ok(Begun::Replay((status, axum::Json(response)).into_response()))
            }
            idempotency::Begun::Mismatch => {
                let detail = "This Idempotency-Key was used for another request. Take a fresh one.";
                Err(Problem::unprocessable("request.idempotency_key_reused", detail))
            }
        }
    }

    /// Keeps the answer with the key. Send it after the commit.
    pub async fn finish(
        self,
        conn: &mut PgConnection,
        status: StatusCode,
        answer: &impl Serialize,
    ) -> Result<Response, Problem> {
        let answer = serde_json::to_value(answer).map_err(|error| Problem::bug(&error))?;
        if let Some(key) = &self.key {
            idempotency::finish(conn, self.actor, key, status.as_u16(), &answer).await?;
        }
        Ok((status, axum::Json(answer)).into_response())
    }
}
