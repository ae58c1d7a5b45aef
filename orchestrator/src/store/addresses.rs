//! Where PostgreSQL is: one server, or several of which one is the primary
//! (`postgres://user@h1:5432,h2:5432/database`, as libpq writes it).
//!
//! The driver knows one server. Here the primary is found among several, and a pool follows it when another server
//! takes over. Every look is bounded: nothing waits for a host that is gone.

use super::error::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions as _, Connection};
use std::str::FromStr;
use std::time::Duration;

/// A look at one server.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Servers of one database, in the order of the URL.
#[derive(Clone, Debug)]
pub struct Addresses {
    servers: Vec<PgConnectOptions>,
}

impl Addresses {
    /// Reads a URL that names one host or several.
    pub fn parse(url: &str) -> Result<Self> {
        let servers = each(url).into_iter().map(|url| Ok(PgConnectOptions::from_str(&url)?));
        Ok(Self { servers: servers.collect::<Result<_>>()? })
    }

    pub fn are_several(&self) -> bool {
        self.servers.len() > 1
    }

    /// The server that takes writes. With one server that one, whatever it is: connecting says what is wrong.
    pub async fn primary(&self) -> Result<PgConnectOptions> {
        if let [only] = &self.servers[..] {
            return Ok(only.clone());
        }
        let looks = self.servers.iter().map(|server| async move { (server, is_primary(server).await) });
        let mut failed = None;
        for (server, seen) in futures::future::join_all(looks).await {
            match seen {
                Ok(true) => return Ok(server.clone()),
                Ok(false) => {}
                Err(error) => failed = Some(error),
            }
        }
        let all_are_standbys = || sqlx::Error::Io(std::io::Error::other("every server is a standby"));
        Err(Error::Unavailable(failed.unwrap_or_else(all_are_standbys)))
    }
}

/// One URL a host.
fn each(url: &str) -> Vec<String> {
    let whole = || vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return whole() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    if !hosts.contains(',') {
        return whole();
    }
    hosts.split(',').map(|host| format!("{scheme}://{login}{host}{path}")).collect()
}

async fn is_primary(server: &PgConnectOptions) -> std::result::Result<bool, sqlx::Error> {
    let look = async {
        let mut conn: PgConnection = server.connect().await?;
        let primary = takes_writes(&mut conn).await?;
        conn.close().await?;
        Ok(primary)
    };
    bounded(look).await
}

async fn bounded<T>(
    look: impl Future<Output = std::result::Result<T, sqlx::Error>>,
) -> std::result::Result<T, sqlx::Error> {
    let silent = || Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(LOOK, look).await.unwrap_or_else(|_| silent())
}

/// Whether the server behind `conn` is no standby.
pub(super) async fn takes_writes(conn: &mut PgConnection) -> std::result::Result<bool, sqlx::Error> {
    sqlx::query_scalar("select not pg_is_in_recovery()").fetch_one(conn).await
}

/// A connection to the primary, as whoever the URL says; for commands that are not the service.
pub async fn connect_once(url: &str) -> Result<PgConnection> {
    Ok(Addresses::parse(url)?.primary().await?.connect().await?)
}

/// Keeps the pool's new connections pointed at the primary, until the pool is closed. `dress` adds the session's
/// settings.
pub(super) async fn follow(
    pool: PgPool,
    addresses: Addresses,
    dress: impl Fn(PgConnectOptions) -> PgConnectOptions,
) {
    let mut watching: Option<PgConnection> = None;
    while !pool.is_closed() {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Some(conn) = &mut watching
            && matches!(bounded(takes_writes(conn)).await, Ok(true))
        {
            continue;
        }
        watching = None;
        match addresses.primary().await {
            Ok(primary) => {
                let known = pool.connect_options();
                if (known.get_host(), known.get_port()) != (primary.get_host(), primary.get_port()) {
                    let (host, port) = (primary.get_host(), primary.get_port());
                    tracing::warn!(host, port, "another PostgreSQL server took over");
                    pool.set_connect_options(dress(primary.clone()));
                }
                watching = bounded(primary.connect()).await.ok();
            }
            Err(error) => tracing::warn!(
                error = error.with_sources(),
                "no PostgreSQL server takes writes; looking again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn a_url_with_several_hosts_stands_for_one_each() {
        assert_eq!(
            each("postgres://me:secret@h1:5432,h2:5433/db?sslmode=require"),
            [
                "postgres://me:secret@h1:5432/db?sslmode=require",
                "postgres://me:secret@h2:5433/db?sslmode=require"
            ]
        );
        assert_eq!(each("postgres://h1,h2/db"), ["postgres://h1/db", "postgres://h2/db"]);
        for one in ["postgres://me@h1/db", "postgres://me@localhost/db?host=/run/a,b"] {
            assert_eq!(each(one), [one]);
        }
    }
}
