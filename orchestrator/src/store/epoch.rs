//! Which life of the database this is: it changes when the database is restored or fails over, and tells
//! workers to offer their kept reports again.

use super::error::Result;
use sqlx::PgConnection;

/// System identifier and timeline of the cluster.
pub async fn read(conn: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar!(
        r#"select system_identifier::text || '-' || timeline_id::text as "epoch!"
         from pg_control_system(), pg_control_checkpoint()"#
    )
    .fetch_one(conn)
    .await?)
}
