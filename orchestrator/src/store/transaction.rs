//! Transactions, begun so that nobody leaves one open by being cancelled.
//!
//! sqlx (0.9.0) counts a transaction from PostgreSQL's answer to `begin` on. Whoever is cancelled before it (a request
//! whose client has died, a timeout) leaves a transaction open on a connection that the pool takes for idle. What the
//! next ones do there is seen by nobody, is never committed and keeps its locks: jobs were leased on such a connection,
//! which no worker could begin and nobody else was given (sqlx issue 4393; pull request 4394 mends it after 0.9.0).
//!
//! So whoever is cancelled here says so, and for a while every connection that comes back is rid of whatever is open on
//! it ([`end_what_was_left`]). `clippy.toml` lets nobody begin in another way.

use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres, Transaction};
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A connection comes back in the moment in which its holder is cancelled; a busy runtime may take a while to see to it.
const COMES_BACK: Duration = Duration::from_secs(10);

/// Until then, in milliseconds since [`START`], a connection may come back with a transaction open.
static MAY_BE_LEFT_UNTIL: AtomicU64 = AtomicU64::new(0);
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Begins a transaction; dropped without a commit, it is rolled back. Inside another one it is a savepoint.
///
/// # Errors
/// When the database cannot begin one now.
pub async fn begin(conn: &mut PgConnection) -> sqlx::Result<Transaction<'_, Postgres>> {
    let unanswered = Unanswered;
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let begun = conn.begin().await;
    unanswered.answered(begun)
}

/// The same on a connection of its own.
///
/// # Errors
/// When there is no connection, or the database cannot begin one now.
pub async fn begin_on(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let beginning = pin!(pool.begin());
    // Dropped before it, so that the connection comes back to those who know.
    let unanswered = Unanswered;
    let begun = beginning.await;
    unanswered.answered(begun)
}

/// Dropped when whoever began is cancelled before the answer.
struct Unanswered;

impl Unanswered {
    fn answered<T>(self, begun: sqlx::Result<T>) -> sqlx::Result<T> {
        // Without a connection nothing was begun.
        if matches!(begun, Ok(_) | Err(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)) {
            std::mem::forget(self);
        }
        begun
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        MAY_BE_LEFT_UNTIL.fetch_max(now() + milliseconds(COMES_BACK), Ordering::SeqCst);
    }
}

/// For every connection that comes back to a pool: ends the transaction that may be open on it.
///
/// # Errors
/// When it cannot be said that none is: the connection is to be closed.
pub(super) async fn end_what_was_left(conn: &mut PgConnection) -> sqlx::Result<()> {
    if now() >= MAY_BE_LEFT_UNTIL.load(Ordering::SeqCst) {
        return Ok(());
    }
    // Begun first: a rollback of nothing is a warning in PostgreSQL's log.
    conn.execute("begin; rollback").await.map(drop)
}

fn now() -> u64 {
    milliseconds(START.elapsed())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
