//! Whether anybody's powers have changed since somebody was looked up.

use super::error::Result;
use sqlx::PgConnection;

/// Whoever was looked up under one of these still has the powers that were found, while it is the same. (A token
/// expires without a change.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Which life of the database says so: another may have seen other changes.
    pub epoch: String,
    /// Counts changes of tokens, roles and accounts (`migrations/0025_access.sql`).
    pub version: i64,
}

/// As it is now. To be read before who is looked up.
pub async fn read(conn: &mut PgConnection) -> Result<Access> {
    Ok(sqlx::query_as!(Access, r#"select database_epoch() as "epoch!", version from access_version"#)
        .fetch_one(conn)
        .await?)
}
