//! Connections of the application: its role, its timeouts, never to a standby, and no start on a schema it does not
//! know.

use super::addresses::{self, Addresses};
use super::editions;
use super::error::{Error, Result};
use super::migrate;
use super::transaction;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::time::Duration;

/// How the application connects. Every wait is bounded.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    pub max_connections: u32,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
    pub statement_timeout: Duration,
    pub lock_timeout: Duration,
    /// A transaction left open starves vacuum and with it the queue.
    pub idle_in_transaction_timeout: Duration,
    /// Each statement is planned once, for any values, and not anew for those at hand.
    pub plans_once: bool,
    /// A table is read by an index wherever one serves, however small the table seems.
    pub by_index: bool,
}

impl ConnectOptions {
    /// For the tasks that lease, settle and start for everybody ([`crate::queue`]): a connection for each of them,
    /// and statements that are planned once. They take arrays of any length, and PostgreSQL takes a plan for the
    /// very length to be cheaper each time: planning a lease took longer than the lease. What is kept was planned over
    /// tables that were nearly empty, and would read them from one end to the other until they are analysed again.
    pub fn of_the_queue() -> Self {
        Self { max_connections: 8, plans_once: true, by_index: true, ..Self::default() }
    }

    /// For what moves campaigns on. It has most of the statements, and each connection parses and plans each of them for
    /// itself, several times until PostgreSQL keeps a plan: on connections of their own, fewer, a campaign is soon at
    /// its speed. Not with plans for any values: what is asked of a whole campaign takes another way for ten rounds than
    /// for one. More connections than its lanes hold at once.
    pub fn of_the_engine() -> Self {
        Self { max_connections: 8, ..Self::default() }
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            max_connections: 12,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(60),
            plans_once: false,
            by_index: false,
        }
    }
}

/// A connection that does not answer within this is given up.
const ALIVE: Duration = Duration::from_secs(2);

/// A connection that has just answered somebody is not asked whether it does.
const FRESH: Duration = Duration::from_secs(1);

/// Statements that a connection keeps prepared: as many as there are ways of asking. With fewer, those of a round would
/// push each other out, and each would be parsed and planned again every time.
const STATEMENTS: usize = 1000;

/// Longer than any step of ours, which are a few statements each.
const HOST_GONE: Duration = Duration::from_secs(90);

/// A pool that acts as the role `loopwright_app`, on a schema of exactly this binary's version.
pub async fn connect(url: &str, options: &ConnectOptions) -> Result<PgPool> {
    let addresses = Addresses::parse(url)?;
    let login = addresses.primary().await?;
    let pool = pool_options(options).connect_with(with_timeouts(login, options)).await?;
    if addresses.are_several() {
        let options = options.clone();
        let dress = move |login| with_timeouts(login, &options);
        tokio::spawn(addresses::follow(pool.clone(), addresses, dress));
    }
    let mut conn = pool.acquire().await?;
    migrate::check(&mut conn).await?;
    drop(conn);
    Ok(pool)
}

/// Options of a pool that takes the application's role on each new connection.
pub fn pool_options(options: &ConnectOptions) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .after_connect(|conn, _| {
            Box::pin(async move {
                if !addresses::takes_writes(conn).await? {
                    return Err(sqlx::Error::Io(std::io::Error::other("the server is a standby")));
                }
                sqlx::query("set role loopwright_app").execute(conn).await?;
                editions::forget();
                Ok(())
            })
        })
        .after_release(|conn, _| {
            Box::pin(async move { transaction::end_what_was_left(conn).await.map(|()| true) })
        })
        // Instead of the pool's own test, which waits for a host that is gone for as long as anybody waits.
        .test_before_acquire(false)
        .before_acquire(|conn, of| {
            Box::pin(async move {
                if of.idle_for < FRESH {
                    return Ok(true);
                }
                Ok(tokio::time::timeout(ALIVE, conn.ping()).await.is_ok_and(|pinged| pinged.is_ok()))
            })
        })
}

/// What `work` brings, if it ends within [`HOST_GONE`]: the server cuts statements off long before, so what takes
/// longer waits for a server that is not there any more, and would wait for ever.
pub async fn bounded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let gone = || Err(Error::Unavailable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
    tokio::time::timeout(HOST_GONE, work).await.unwrap_or_else(|_| gone())
}

/// `login` with the session's timeouts, and without compiling statements: ours are short, and where PostgreSQL takes one
/// for long, compiling it takes longer than the statement.
pub fn with_timeouts(login: PgConnectOptions, options: &ConnectOptions) -> PgConnectOptions {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    login.application_name("loopwright").statement_cache_capacity(STATEMENTS).options([
        ("statement_timeout", milliseconds(options.statement_timeout)),
        ("lock_timeout", milliseconds(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(options.idle_in_transaction_timeout)),
        ("jit", "off".to_owned()),
        ("enable_seqscan", if options.by_index { "off" } else { "on" }.to_owned()),
        ("plan_cache_mode", if options.plans_once { "force_generic_plan" } else { "auto" }.to_owned()),
    ])
}
