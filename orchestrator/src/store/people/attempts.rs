//! Attempts to sign in, counted so that guessing is slow. Real time.
//!
//! An attempt counts as failed from its beginning, and is struck out when it succeeds: a hundred guesses sent at the
//! same moment see each other.

use crate::store::error::Result;
use sqlx::PgConnection;
use std::time::Duration;

/// Failures of one name, within [`WINDOW`], that still do not slow it down.
const FREE_BY_NAME: i64 = 5;
/// From so many on, a name waits long.
const MANY_BY_NAME: i64 = 10;
/// Failures from one address, within [`WINDOW`], from which on it waits long.
const MANY_BY_ADDRESS: i64 = 50;
const WINDOW: Duration = Duration::from_secs(15 * 60);
const SHORT_WAIT: Duration = Duration::from_secs(30);
const LONG_WAIT: Duration = Duration::from_secs(15 * 60);
/// What no account is called.
const UNNAMED: &str = "";

/// What the count says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Go on, and say so when it succeeds.
    Begun {
        id: i64,
    },
    Throttled {
        retry_after: Duration,
    },
}

/// Begins an attempt. Not within a transaction: others must see it before the password is looked at.
pub async fn begin(conn: &mut PgConnection, name: &str, address: &str) -> Result<Attempt> {
    let (name, address) = (cut(name, 200), cut(address, 100));
    let id = note(conn, &name, &address).await?;
    let others = sqlx::query!(
        r#"select
             (select count(*) from sign_in_failure
              where name = $1 and id <> $4 and happened_at > now() - make_interval(secs => $3)) as "by_name!",
             (select extract(epoch from now() - max(happened_at))::float8 from sign_in_failure
              where name = $1 and id <> $4) as since_name,
             (select count(*) from sign_in_failure
              where address = $2 and id <> $4 and happened_at > now() - make_interval(secs => $3)) as "by_address!""#,
        name,
        address,
        WINDOW.as_secs_f64(),
        id
    )
    .fetch_one(&mut *conn)
    .await?;
    let since = others.since_name.and_then(|since| Duration::try_from_secs_f64(since.max(0.0)).ok());
    let wait = wait(others.by_name, since, if address.is_empty() { 0 } else { others.by_address });
    judge(conn, id, wait).await
}

/// The same for a browser that comes back from the provider, whose name nobody knows yet: by its address alone.
pub async fn begin_unnamed(conn: &mut PgConnection, address: &str) -> Result<Attempt> {
    let address = cut(address, 100);
    let id = note(conn, UNNAMED, &address).await?;
    let others = sqlx::query_scalar!(
        r#"select count(*) as "by_address!" from sign_in_failure
           where address = $1 and id <> $2 and happened_at > now() - make_interval(secs => $3)"#,
        address,
        id,
        WINDOW.as_secs_f64()
    )
    .fetch_one(&mut *conn)
    .await?;
    let wait = wait(0, None, if address.is_empty() { 0 } else { others });
    judge(conn, id, wait).await
}

async fn note(conn: &mut PgConnection, name: &str, address: &str) -> Result<i64> {
    let id = sqlx::query_scalar!(
        "insert into sign_in_failure (name, address) values ($1, $2) returning id",
        name,
        address
    )
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// Asking again while waiting does not make the wait longer.
async fn judge(conn: &mut PgConnection, id: i64, wait: Duration) -> Result<Attempt> {
    if wait.is_zero() {
        return Ok(Attempt::Begun { id });
    }
    strike_out(conn, id).await?;
    Ok(Attempt::Throttled { retry_after: wait })
}

fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// How long to wait, after so many failures of a name (the last one `since` ago) and of an address.
fn wait(by_name: i64, since: Option<Duration>, by_address: i64) -> Duration {
    let slow = match by_name {
        MANY_BY_NAME.. => LONG_WAIT,
        FREE_BY_NAME.. => SHORT_WAIT,
        _ => Duration::ZERO,
    };
    let of_name = slow.saturating_sub(since.unwrap_or(Duration::MAX));
    let of_address = if by_address >= MANY_BY_ADDRESS { LONG_WAIT } else { Duration::ZERO };
    of_name.max(of_address)
}

/// It did not fail.
pub async fn strike_out(conn: &mut PgConnection, id: i64) -> Result<()> {
    sqlx::query!("delete from sign_in_failure where id = $1", id).execute(conn).await?;
    Ok(())
}

/// The password was right: this name's failures no longer count.
pub async fn succeeded(conn: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!("delete from sign_in_failure where name = $1", name).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_waits_longer_the_more_often_it_failed_and_an_address_in_the_end() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(wait(4, second, 0), Duration::ZERO);
        assert_eq!(wait(5, second, 0), Duration::from_secs(29));
        assert_eq!(wait(5, Some(SHORT_WAIT), 0), Duration::ZERO);
        assert_eq!(wait(10, second, 0), LONG_WAIT - Duration::from_secs(1));
        assert_eq!(wait(0, None, 49), Duration::ZERO);
        assert_eq!(wait(0, None, 50), LONG_WAIT);
    }
}
