//! PostgreSQL's own programs, and how they are told where the database is.

use crate::store::addresses::Addresses;
use anyhow::{Context, bail};
use sqlx::postgres::PgConnectOptions;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::process::Command;

/// The program `name`, of major version `at_least` or newer, and its version: the oldest that will do, so that what
/// it writes is understood by the server.
pub(super) async fn find(name: &str, at_least: u32) -> anyhow::Result<(PathBuf, u32)> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for folder in folders() {
        let path = folder.join(name);
        if path.exists()
            && let Some(major) = major(&path).await
        {
            found.push((major, path));
        }
    }
    found.sort();
    let seen: Vec<String> =
        found.iter().map(|(major, path)| format!("{} ({major})", path.display())).collect();
    if let Some((major, path)) = found.into_iter().find(|(major, _)| *major >= at_least) {
        return Ok((path, major));
    }
    let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
    bail!(
        "{name} of PostgreSQL {at_least} or newer is needed here, found: {seen}. Install postgresql-client-{at_least}, or \
         name its folder in LOOPWRIGHT_PG_BIN"
    )
}

fn folders() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os("LOOPWRIGHT_PG_BIN") {
        return vec![PathBuf::from(named)];
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    std::env::split_paths(&path).chain(installed.map(|entry| entry.path().join("bin"))).collect()
}

/// `pg_dump (PostgreSQL) 15.18 (Debian ..)`.
async fn major(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").output().await.ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

fn parse_major(version: &str) -> Option<u32> {
    let number = version.split(')').nth(1)?.trim_start();
    number.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// The server of `url` that takes writes, for us and for the programs alike.
pub(super) async fn primary(url: &str) -> anyhow::Result<PgConnectOptions> {
    Addresses::parse(url)?.primary().await.context("cannot reach the database")
}

/// `program` with the database of `url` on `server`, which is the one of its hosts that was chosen; the password goes
/// by the environment, where `ps` does not show it.
pub(super) fn on_database(program: &Path, url: &str, server: &PgConnectOptions) -> anyhow::Result<Command> {
    let (url, password) = without_password(url).context("the database's URL has no postgres:// in it")?;
    let url = as_libpq_has_it(&on_one_host(&url, server));
    let mut command = Command::new(program);
    command.arg("--dbname").arg(url).kill_on_drop(true);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

/// The URL without its password, and that, decoded.
fn without_password(url: &str) -> Option<(String, Option<String>)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority_ends = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_ends);
    let Some((login, hosts)) = authority.rsplit_once('@') else { return Some((url.to_owned(), None)) };
    match login.split_once(':') {
        None => Some((url.to_owned(), None)),
        Some((user, password)) => Some((format!("{scheme}://{user}@{hosts}{path}"), Some(decoded(password)))),
    }
}

/// The URL with `server` in place of a list of hosts: of a list libpq takes the first that answers, which after a
/// failover is a standby, and our snapshot is the primary's.
fn on_one_host(url: &str, server: &PgConnectOptions) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    let mut of_each = hosts.split(',').map(|host| format!("{scheme}://{login}{host}{path}"));
    let is_it = |one: &String| PgConnectOptions::from_str(one).is_ok_and(|it| place(&it) == place(server));
    of_each.find(is_it).unwrap_or_else(|| url.to_owned())
}

fn place(server: &PgConnectOptions) -> (&str, u16, Option<&PathBuf>) {
    (server.get_host(), server.get_port(), server.get_socket())
}

/// Our driver's own options are none of libpq's: `ssl-mode` is `sslmode` there, and it caches no statements.
fn as_libpq_has_it(url: &str) -> String {
    let Some((address, options)) = url.split_once('?') else { return url.to_owned() };
    let options: Vec<String> = options
        .split('&')
        .filter(|option| !option.starts_with("statement-cache-capacity"))
        .map(|option| match option.split_once('=') {
            Some((name, value)) => format!("{}={value}", name.replace('-', "")),
            None => option.to_owned(),
        })
        .collect();
    if options.is_empty() { address.to_owned() } else { format!("{address}?{}", options.join("&")) }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        match escaped.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_debian_and_others_write_it() {
        assert_eq!(parse_major("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_major("psql (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(parse_major("something else"), None);
    }

    #[test]
    fn of_several_hosts_the_programs_are_told_the_one_that_was_chosen() {
        let several = "postgres://me@h1:5432,h2:5433,%2Frun%2Fpg/db?sslmode=require";
        let on = |server: &str| on_one_host(several, &PgConnectOptions::from_str(server).expect("a URL"));
        assert_eq!(on("postgres://me:p@h2:5433/db"), "postgres://me@h2:5433/db?sslmode=require");
        assert_eq!(on("postgres://me@%2Frun%2Fpg/db"), "postgres://me@%2Frun%2Fpg/db?sslmode=require");
        for one in ["postgres://me@h1/db", "postgres:///db?host=/run/a,b"] {
            assert_eq!(on_one_host(one, &PgConnectOptions::from_str(one).expect("a URL")), one);
        }
    }

    #[test]
    fn the_password_leaves_the_url() {
        let of = |url: &str| without_password(url).expect("a URL");
        assert_eq!(
            of("postgres://me:p%40ss@h1:5432,h2/db?sslmode=require"),
            ("postgres://me@h1:5432,h2/db?sslmode=require".to_owned(), Some("p@ss".to_owned()))
        );
        assert_eq!(
            as_libpq_has_it("postgres://h/db?ssl-mode=require&statement-cache-capacity=100"),
            "postgres://h/db?sslmode=require"
        );
        assert_eq!(of("postgres://me@h/db").1, None);
        assert_eq!(of("postgres:///db?host=/run/x@y:z").1, None);
    }
}
