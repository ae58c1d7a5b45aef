//! Spans of a round's records, with ids that follow from the records'.

use crate::store::traces::{Attempt, Job, Plate, Round, Stage};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Eight bytes, as OpenTelemetry has it.
pub(super) type SpanId = [u8; 8];

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Text(String),
    Number(i64),
}

/// Something that took time and has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    /// Of the round.
    pub trace: Uuid,
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub name: String,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub attributes: Vec<(&'static str, Word)>,
    /// Why it did not succeed.
    pub failed: Option<String>,
}

fn id(kind: &str, of: Uuid, part: i32) -> SpanId {
    let digest = Sha256::new()
        .chain_update(kind)
        .chain_update(of.as_bytes())
        .chain_update(part.to_be_bytes())
        .finalize();
    let mut id = SpanId::default();
    for (byte, of_digest) in id.iter_mut().zip(digest) {
        *byte = of_digest;
    }
    id
}

fn round_id(round: Uuid) -> SpanId {
    id("round", round, 0)
}

/// The stage that something began in; what began after the last one hangs on the round itself.
fn parent(round: Uuid, stage: Option<i32>) -> SpanId {
    stage.map_or_else(|| round_id(round), |entry| id("stage", round, entry))
}

fn text(value: impl ToString) -> Word {
    Word::Text(value.to_string())
}

impl From<Round> for Span {
    fn from(of: Round) -> Self {
        Span {
            trace: of.id,
            id: round_id(of.id),
            parent: None,
            name: "round".to_owned(),
            start: of.began_at,
            end: of.ended_at,
            attributes: vec![
                ("loopwright.campaign", text(&of.campaign)),
                ("loopwright.round", Word::Number(of.number.into())),
                ("loopwright.round_id", text(of.id)),
                ("loopwright.state", text(&of.state)),
                ("loopwright.observations", Word::Number(of.observations)),
            ],
            failed: (of.state == "failed").then_some(of.reason).flatten(),
        }
    }
}

impl From<Stage> for Span {
    fn from(of: Stage) -> Self {
        Span {
            trace: of.round_id,
            id: id("stage", of.round_id, of.entry),
            parent: Some(round_id(of.round_id)),
            name: of.stage,
            start: of.entered_at,
            end: of.left_at,
            attributes: vec![("loopwright.round_id", text(of.round_id))],
            failed: None,
        }
    }
}

impl From<Plate> for Span {
    fn from(of: Plate) -> Self {
        Span {
            trace: of.round_id,
            id: id("plate", of.id, 0),
            parent: Some(parent(of.round_id, of.stage)),
            name: "plate".to_owned(),
            start: of.began_at,
            end: of.ended_at,
            attributes: vec![
                ("loopwright.plate_id", text(of.id)),
                ("loopwright.barcode", text(&of.barcode)),
                ("loopwright.generation", Word::Number(of.generation.into())),
                ("loopwright.state", text(&of.state)),
                ("loopwright.observations", Word::Number(of.observations)),
            ],
            failed: matches!(of.state.as_str(), "rejected" | "lost").then_some(of.reason).flatten(),
        }
    }
}

/// A job, and each attempt at it.
pub(super) fn of_job(of: Job) -> Vec<Span> {
    let own = id("job", of.id, 0);
    let above = match of.plate_id {
        Some(plate) => id("plate", plate, 0),
        None => parent(of.round_id, of.stage),
    };
    let attempts = of.attempts.into_iter().map(|attempt| of_attempt(of.round_id, of.id, own, attempt));
    let mut spans: Vec<Span> = attempts.collect();
    spans.push(Span {
        trace: of.round_id,
        id: own,
        parent: Some(above),
        name: of.kind,
        start: of.began_at,
        end: of.ended_at,
        attributes: vec![("loopwright.job_id", text(of.id)), ("loopwright.state", text(&of.state))],
        failed: (of.state != "succeeded").then(|| of.failure.unwrap_or(of.state)),
    });
    spans
}

fn of_attempt(round: Uuid, job: Uuid, above: SpanId, of: Attempt) -> Span {
    let mut attributes = vec![
        ("loopwright.job_id", text(job)),
        ("loopwright.attempt", Word::Number(of.number.into())),
        ("loopwright.worker", text(&of.worker)),
        ("loopwright.ending", text(&of.ending)),
    ];
    if let Some(started_at) = of.started_at {
        attributes.push(("loopwright.started_at", text(started_at.to_rfc3339())));
    }
    Span {
        trace: round,
        id: id("attempt", job, of.number),
        parent: Some(above),
        name: "attempt".to_owned(),
        start: of.leased_at,
        end: of.ended_at,
        attributes,
        failed: (of.ending != "succeeded").then_some(of.ending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_records_and_differ() {
        let round = Uuid::from_u128(7);
        assert_eq!(id("job", round, 0), id("job", round, 0));
        let all = [round_id(round), parent(round, Some(1)), parent(round, Some(2)), id("plate", round, 0)];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one));
        }
        assert_eq!(parent(round, None), round_id(round));
    }
}
