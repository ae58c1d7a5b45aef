//! Says what a laboratory that was hurt has lost, repeated or broken.
//!
//! What really happened is what the bench's truth log says; what the service says of it must agree, and must
//! lead back to it. The campaign has finished, and the service still answers.

mod physical;
mod record;

use crate::api::Api;
use crate::laboratory::Laboratory;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was found, each in a sentence.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Approved and not accounted for; reported and not kept; recorded and gone.
    pub lost: Vec<String>,
    /// Done or recorded twice.
    pub repeated: Vec<String>,
    /// Anything else that does not agree: lineage, audit, plates that are not as planned, things left over.
    pub broken: Vec<String>,
    /// Jobs that were in doubt at some time, and those of them that a person settled.
    pub in_doubt: u64,
    pub resolved: u64,
    /// By round: what was chosen, and what it measured (normalised).
    pub measured: BTreeMap<u64, BTreeMap<String, f64>>,
    /// By round: which version proposed it, and why that one.
    pub proposed_by: BTreeMap<u64, String>,
}

impl Verdict {
    pub fn is_sound(&self) -> bool {
        self.lost.is_empty() && self.repeated.is_empty() && self.broken.is_empty()
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, found) in [("lost", &self.lost), ("repeated", &self.repeated), ("broken", &self.broken)] {
            for sentence in found {
                writeln!(f, "{what}: {sentence}")?;
            }
        }
        Ok(())
    }
}

/// Judges the only campaign of a demo.
pub fn judge(laboratory: &Laboratory, api: &Api) -> anyhow::Result<Verdict> {
    let truth = laboratory.truth();
    let mut verdict = Verdict::default();
    physical::judge(laboratory, &truth, &mut verdict)?;
    record::judge(laboratory, api, &truth, &mut verdict)?;
    Ok(verdict)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
