//! From where an act came. Whoever takes a request (the door, a command) sets it around the work; [`super::append`]
//! reads it, so that no command of the store needs a parameter for it. The service's own loops have none.

use crate::ids::{SessionId, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::future::Future;
use utoipa::ToSchema;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// From where somebody asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EventOrigin)]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum Origin {
    /// A request.
    Http {
        /// The client's IP address; behind a proxy what the proxy says. Absent when it is not known.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// The `x-request-id` of the answer and of the log's lines.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// Cut to 200 characters.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_agent: Option<String>,
        /// The name of the token, not its secret.
        #[serde(skip_serializing_if = "Option::is_none")]
        token_id: Option<TokenId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        session_id: Option<SessionId>,
    },
    /// A command that changed the database by itself, as the operating system knows who gave it.
    Cli { user: String, host: String },
}

impl Origin {
    /// Of this process: its user by name (as the environment says) and number (as the kernel says), and the host.
    pub fn of_this_process() -> Self {
        let name = ["USER", "LOGNAME"].iter().find_map(|key| std::env::var(key).ok()).unwrap_or_default();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Origin::Cli { user: format!("{} (uid {})", cut(&name, 100), uid()), host: cut(host.trim(), 100) }
    }
}

/// What the work inside adds to the record came from `origin`.
pub async fn from<F: Future>(origin: Origin, work: F) -> F::Output {
    ORIGIN.scope(origin, work).await
}

/// Of the work at hand; `None`: the service's own.
pub fn origin() -> Option<Origin> {
    ORIGIN.try_with(Origin::clone).ok()
}

/// [`origin`], as it is recorded.
pub(super) fn current() -> Option<Value> {
    ORIGIN.try_with(|origin| serde_json::to_value(origin).ok()).ok().flatten()
}

/// The first `limit` characters.
pub fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

fn uid() -> String {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |of| of.uid().to_string())
}
