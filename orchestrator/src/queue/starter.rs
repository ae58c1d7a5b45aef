//! Who is about to begin: written down for everybody who begins at the same time, in one statement
//! ([`super::together`]). Whoever may not begin, or has no lease, is answered one by one.

use super::together::{Act, Together};
use crate::store;
use crate::store::jobs::{self, Authority};
use ::jobs::wire::HeartbeatAnswer;
use ::jobs::{JobId, LeaseToken};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;

/// Cheap to clone; clones share who waits.
#[derive(Clone, Debug)]
pub struct Starter {
    pool: PgPool,
    duration: Duration,
    together: Arc<Together<Starts>>,
}

impl Starter {
    /// A start renews the lease for `duration` of real time.
    pub fn new(pool: PgPool, duration: Duration) -> Self {
        let together = Arc::new(Together::new(Starts { pool: pool.clone(), duration }));
        Self { pool, duration, together }
    }

    /// The worker is about to begin: see [`jobs::start`].
    ///
    /// # Errors
    /// When the database cannot take it now: a repeat is safe.
    pub async fn start(&self, job: JobId, token: LeaseToken) -> store::Result<Authority<HeartbeatAnswer>> {
        if let Some(answer) = self.together.ask((job, token)).await {
            return Ok(Authority::Held(answer));
        }
        let mut conn = self.pool.acquire().await?;
        jobs::start(&mut conn, job, token, self.duration).await
    }
}

#[derive(Debug)]
struct Starts {
    pool: PgPool,
    duration: Duration,
}

impl Act for Starts {
    type Asked = (JobId, LeaseToken);
    type Answer = HeartbeatAnswer;

    async fn act(&self, asked: &[(JobId, LeaseToken)]) -> store::Result<Vec<Option<HeartbeatAnswer>>> {
        let mut conn = self.pool.acquire().await?;
        jobs::start_all(&mut conn, asked, self.duration).await
    }
}
