//! The record that stands in the database, checked from a trusted place to the sealer's head.

use super::chain::{Broken, Head, Noted, Walk};
use super::export::{export_after, nothing_slipped_in};
use super::read;
use crate::store::error::{Error, Result};
use sqlx::PgConnection;

/// More than the walk looks ahead for what changed places; memory stays bounded.
const BATCH: i64 = 2000;

/// Computes the chain again behind `from` up to the sealer's head, and looks for the head that was `noted`
/// elsewhere. Sealing goes on meanwhile: what comes later is not looked at.
pub async fn examine(
    conn: &mut PgConnection,
    from: &Head,
    noted: Option<Noted>,
) -> Result<std::result::Result<Head, Broken>> {
    let (position, chain_sha256) = read::head(conn).await?;
    let sealer = Head { position, chain_sha256 };
    let mut walk = Walk::from(from, noted).map_err(|error| Error::corrupt("head", error))?;
    while walk.at().position < sealer.position {
        let mut pieces = export_after(conn, walk.at().position, BATCH).await?;
        pieces.retain(|piece| piece.position <= sealer.position);
        if pieces.is_empty() {
            break;
        }
        if let Err(broken) = walk.take(&pieces) {
            return Ok(Err(broken));
        }
    }
    let slipped = nothing_slipped_in(conn).await?;
    Ok(walk.end(&sealer).and_then(|head| slipped.map(|()| head)))
}

/// Computes the chain again from the first event to the head. Answers how many events it covers; refused at
/// the first position that does not follow, or whose link differs.
pub async fn verify(conn: &mut PgConnection) -> Result<i64> {
    let examined = examine(conn, &Head::origin(), None).await?;
    examined.map(|head| head.position).map_err(|broken| Error::corrupt("event chain", broken))
}
