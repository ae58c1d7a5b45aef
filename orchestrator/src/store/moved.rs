//! What a guarded update found, and the one way in which the loop's machines write their record.

use super::{Error, Result, events, outbox};
use crate::ids::{ActorId, CampaignId};
use jobs::Digest;
use serde_json::Value;
use sqlx::PgConnection;

/// Answer of a guarded update `.. where state = $old`.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved<R> {
    /// The row is in its new state; its record is in the same transaction.
    Done,
    /// The state machine refuses the event; nothing changed.
    Rejected(R),
    /// Somebody else moved the row since it was read; nothing changed.
    ChangedMeanwhile,
}

impl<R> Moved<R> {
    pub fn is_done(&self) -> bool {
        matches!(self, Moved::Done)
    }
}

impl<R: std::error::Error> Moved<R> {
    /// For callers that hold the row's lock and have checked the state: anything but `Done` is a defect.
    pub fn must(self) -> Result<()> {
        match self {
            Moved::Done => Ok(()),
            Moved::Rejected(rejected) => Err(corrupt(rejected)),
            Moved::ChangedMeanwhile => Err(corrupt("a row changed under its lock")),
        }
    }
}

/// A transition's record, to be written in the transition's own transaction.
pub(super) struct Record<'a> {
    pub kind: &'static str,
    pub subject: &'static str,
    pub subject_id: String,
    pub campaign: CampaignId,
    pub actor: ActorId,
    pub body: &'a Value,
}

/// Writes the event, and its outbox row where people may be told.
pub(super) async fn record(conn: &mut PgConnection, record: Record<'_>) -> Result<()> {
    let event = events::NewEvent {
        kind: record.kind,
        subject: record.subject,
        subject_id: record.subject_id,
        campaign_id: Some(record.campaign),
        actor: record.actor,
        body: record.body.clone(),
    };
    outbox::tell(conn, &event).await
}

/// A stored value that our own checks should have made impossible.
pub(super) fn corrupt(why: impl std::fmt::Display) -> Error {
    Error::corrupt("row of the loop", why)
}

/// A column's word as a state.
pub(super) fn word<T>(parsed: Option<T>, column: &'static str, word: &str) -> Result<T> {
    parsed.ok_or_else(|| Error::corrupt(column, word))
}

/// A `bytea` column as a digest.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest> {
    bytes.try_into().map(Digest).map_err(|_| corrupt("a digest has 32 bytes"))
}

/// As [`digest`], for a nullable column.
pub(super) fn digest_opt(bytes: Option<&[u8]>) -> Result<Option<Digest>> {
    bytes.map(digest).transpose()
}

/// A count or number that the schema keeps positive.
pub(super) fn count(number: i64) -> Result<u32> {
    u32::try_from(number).map_err(corrupt)
}
