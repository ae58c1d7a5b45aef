//! Which life of the database this is: it changes when the database is restored or fails over, and tells
//! workers to offer their kept reports again.

use super::error::Result;
use sqlx::PgConnection;

/// System identifier and timeline of the cluster, and the token of this life (`migrations/0013_lives.sql`).
pub async fn read(conn: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar!(r#"select database_epoch() as "epoch!""#).fetch_one(conn).await?)
}

/// Begins another life, as the owner: what is here came from elsewhere, or lost something.
pub async fn begin(owner: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar!(
        r#"with life as (
             update database_life
             set token = gen_random_uuid(), began_at = now(), began_because = 'restored'
             returning token
         )
         select regexp_replace(database_epoch(), '^(\d+-\d+)-.*$', '\1-') || token::text as "epoch!"
         from life"#
    )
    .fetch_one(owner)
    .await?)
}
