//! Connections of the application: its role, its timeouts, and no start on a schema it does not know.

use super::error::Result;
use super::migrate;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::str::FromStr;
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
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(60),
        }
    }
}

/// A pool that acts as the role `loopwright_app`, on a schema of exactly this binary's version.
pub async fn connect(url: &str, options: &ConnectOptions) -> Result<PgPool> {
    let login = PgConnectOptions::from_str(url)?;
    let pool = pool_options(options).connect_with(with_timeouts(login, options)).await?;
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
                sqlx::query("set role loopwright_app").execute(conn).await?;
                Ok(())
            })
        })
}

/// `login` with the session's timeouts.
pub fn with_timeouts(login: PgConnectOptions, options: &ConnectOptions) -> PgConnectOptions {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    login.application_name("loopwright").options([
        ("statement_timeout", milliseconds(options.statement_timeout)),
        ("lock_timeout", milliseconds(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(options.idle_in_transaction_timeout)),
    ])
}
