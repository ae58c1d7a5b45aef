//! A tick: a time on the wall, the instant it stands for, and the instant it is due.

use super::{Blackouts, Zone};
use crate::campaigns::schedule::InBlackout;
use chrono::{DateTime, NaiveDateTime, Utc};

/// What the schedule names, before blackouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nominal {
    /// With the campaign what a tick is known by. Of `every_hours` in UTC: hours that pass know no zone.
    pub wall: NaiveDateTime,
    pub at: DateTime<Utc>,
    /// The clocks skip this wall time.
    pub shifted: bool,
}

/// One tick with what blackouts make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    pub nominal: Nominal,
    /// When it is acted on: the end of the blackout that it is shifted out of, else `nominal.at`.
    pub due: DateTime<Utc>,
    pub fate: Fate,
}

/// What a blackout does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Kept,
    /// It is shifted out of one, for this reason.
    Moved { reason: String },
    /// It does not happen, for this reason.
    Dropped { reason: String },
}

impl Tick {
    pub fn of(nominal: Nominal, blackouts: &Blackouts, policy: InBlackout) -> Self {
        let Some(window) = blackouts.covering(nominal.at) else {
            return Self { nominal, due: nominal.at, fate: Fate::Kept };
        };
        let reason = window.reason.clone();
        match policy {
            InBlackout::Shift => {
                Self { nominal, due: blackouts.first_free(nominal.at), fate: Fate::Moved { reason } }
            }
            InBlackout::Skip => Self { nominal, due: nominal.at, fate: Fate::Dropped { reason } },
        }
    }

    /// What a person should know before it happens.
    pub fn note(&self, zone: Zone) -> Option<String> {
        let shifted =
            self.nominal.shifted.then(|| "shifted by daylight saving: the clocks skip this time".to_owned());
        let blackout = match &self.fate {
            Fate::Kept => None,
            Fate::Moved { reason } => Some(format!(
                "falls in blackout {reason:?}: moved to {}",
                zone.wall(self.due).format("%Y-%m-%d %H:%M")
            )),
            Fate::Dropped { reason } => Some(format!("falls in blackout {reason:?}: skipped")),
        };
        let notes: Vec<String> = shifted.into_iter().chain(blackout).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
