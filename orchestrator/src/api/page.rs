//! Lists that can grow are read page by page: a limit, and an opaque cursor that says where to go on.

use super::problem::Problem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: u32 = 100;
const LARGEST_LIMIT: u32 = 1000;

/// Which page is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items on a page, 1..=1000; 100 when absent.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Within its bounds.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT))
    }

    /// The key of the last item of the page before.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        let refused = || {
            Problem::unprocessable(
                "request.cursor_invalid",
                "Take the cursor from `next_cursor` of the page before.",
            )
        };
        self.cursor
            .as_deref()
            .map(|cursor| {
                let key = hex::decode(cursor).map_err(|_| refused())?;
                serde_json::from_slice(&key).map_err(|_| refused())
            })
            .transpose()
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Absent on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// `items` as they were read with `query`'s limit; `key` names the place of an item.
    pub fn new<K: Serialize>(items: Vec<T>, query: &PageQuery, key: impl Fn(&T) -> K) -> Self {
        let full = i64::try_from(items.len()).is_ok_and(|length| length >= query.limit());
        let last = items.last().filter(|_| full);
        let next_cursor = last.and_then(|item| serde_json::to_vec(&key(item)).ok()).map(hex::encode);
        Self { items, next_cursor }
    }
}
