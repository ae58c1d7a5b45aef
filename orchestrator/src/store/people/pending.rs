//! Browsers that were sent to the provider and are expected back. Real time.

use crate::store::error::Result;
use crate::store::tokens::{fresh_secret, secret_digest};
use sqlx::PgConnection;
use std::time::Duration;

/// Whoever comes back later begins again.
pub const LONGEST: Duration = Duration::from_secs(10 * 60);
/// From one address; people behind one address of their institute sign in together on a Monday morning.
const MOST_BY_ADDRESS: i64 = 200;
/// Of all: the oldest go first, so that nobody who begins is kept out by those who never come back.
const MOST: i64 = 10_000;

/// How [`begin`] ended.
#[derive(Clone, PartialEq, Eq)]
pub enum Begun {
    /// `secret` is for the browser's cookie.
    Kept { secret: String },
    /// Too many from this address are on their way.
    TooMany,
}

/// Expects a browser back that is given the secret. `address`: empty when it is not known.
pub async fn begin(conn: &mut PgConnection, return_to: &str, address: &str) -> Result<Begun> {
    let secret = fresh_secret("lwo_")?;
    let address: String = address.chars().take(100).collect();
    sqlx::query!(
        "delete from sign_on_pending
         where begun_at < now() - make_interval(secs => $1)
            or secret_sha256 in (
                select secret_sha256 from sign_on_pending order by begun_at desc offset $2)",
        LONGEST.as_secs_f64(),
        MOST - 1
    )
    .execute(&mut *conn)
    .await?;
    let kept = sqlx::query!(
        "insert into sign_on_pending (secret_sha256, return_to, address)
         select $1, $2, $3
         where $3 = '' or (select count(*) from sign_on_pending where address = $3) < $4",
        &secret_digest(&secret),
        return_to,
        address,
        MOST_BY_ADDRESS
    )
    .execute(conn)
    .await?;
    Ok(if kept.rows_affected() == 0 { Begun::TooMany } else { Begun::Kept { secret } })
}

/// The browser that has `secret` is back, for the only time: where it wanted to go. `None` when it is not expected, was
/// back already, or took too long.
pub async fn take(conn: &mut PgConnection, secret: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "delete from sign_on_pending
         where secret_sha256 = $1 and begun_at > now() - make_interval(secs => $2)
         returning return_to",
        &secret_digest(secret),
        LONGEST.as_secs_f64()
    )
    .fetch_optional(conn)
    .await?)
}
