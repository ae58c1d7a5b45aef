//! The bytes that the chain hashes: one JSON object per event, keys sorted at every depth, times in
//! microseconds of UTC, no blanks. Anybody can compute them again (docs/audit.md).

use crate::ids::{ActorId, CampaignId};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Which members of an event are hashed. Kept with each seal, because replicas of two versions seal side by side
/// during an upgrade; a forged form is found, since the other form has other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Without its origin: what was sealed before there was one.
    WithoutOrigin = 1,
    WithOrigin = 2,
}

impl Form {
    pub const NEWEST: Form = Form::WithOrigin;

    pub fn from_column(number: i16) -> Option<Self> {
        [Form::WithoutOrigin, Form::WithOrigin].into_iter().find(|form| *form as i16 == number)
    }
}

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded {
    pub id: i64,
    pub happened_at: DateTime<Utc>,
    pub lab_at: DateTime<Utc>,
    pub kind: String,
    pub subject: String,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
    pub actor: ActorId,
    pub body: Value,
    pub origin: Option<Value>,
}

impl Recorded {
    pub fn canonical(&self, form: Form) -> String {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut event = json!({
            "id": self.id,
            "happened_at": time(self.happened_at),
            "lab_at": time(self.lab_at),
            "kind": self.kind,
            "subject": self.subject,
            "subject_id": self.subject_id,
            "campaign_id": self.campaign_id,
            "actor_id": self.actor,
            "body": self.body,
        });
        if form == Form::WithOrigin {
            event["origin"] = json!(self.origin);
        }
        sorted(event).to_string()
    }
}

/// SHA-256 over the previous link and the event's canonical text.
pub(super) fn link(previous: &[u8], canonical: &str) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(canonical).finalize().into()
}

/// The same value with the keys of every object in byte order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
