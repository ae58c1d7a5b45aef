//! `[schedule]` of a campaign file: when rounds begin.

use crate::calendar::{Cron, Moment, Zone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Ticks between rounds when the file says nothing: a week.
const DEFAULT_EVERY_HOURS: f64 = 168.0;
const DEFAULT_WAIT_FOR_TRAINING_HOURS: f64 = 24.0;

/// When rounds begin, and what becomes of ticks that come at a bad moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    pub mode: Mode,
    /// `0 30 8 * * Mon`, by the clock on the wall of `zone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0 30 8 * * Mon")]
    pub cron: Option<Cron>,
    /// In place of `cron`: laboratory hours from one tick to the next; 168 when neither is given. 0 is
    /// `continuous`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<f64>,
    /// IANA name; rules `cron`, `starts`, `ends` and `blackouts`.
    #[schema(value_type = String, example = "Europe/Berlin")]
    pub zone: Zone,
    /// No tick before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2026-12-24")]
    pub starts: Option<Moment>,
    /// No tick after it (a date: to its end); the campaign is finished when its rounds are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2026-12-24")]
    pub ends: Option<Moment>,
    /// When no round may begin: holidays, moves. Those of the installation hold as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blackouts: Vec<Closed>,
    pub in_blackout: InBlackout,
    pub missed: Missed,
    pub overlap: Overlap,
    /// How long a tick waits for a training that runs; then its round uses the model there is.
    pub wait_for_training_hours: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            cron: None,
            every_hours: None,
            zone: Zone::UTC,
            starts: None,
            ends: None,
            blackouts: Vec::new(),
            in_blackout: InBlackout::default(),
            missed: Missed::default(),
            overlap: Overlap::default(),
            wait_for_training_hours: DEFAULT_WAIT_FOR_TRAINING_HOURS,
        }
    }
}

impl Schedule {
    /// Of a calendar without a cron expression.
    pub fn every_hours(&self) -> f64 {
        self.every_hours.unwrap_or(DEFAULT_EVERY_HOURS)
    }
}

/// What begins rounds. A person can begin one in every mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScheduleMode)]
pub enum Mode {
    /// The ticks of `cron` or `every_hours`.
    #[default]
    Calendar,
    /// The end of the round before, with its training.
    Continuous,
    /// Only people.
    Manual,
}

/// A tick inside a blackout ...
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InBlackout {
    /// ... happens at its end; several become one.
    #[default]
    Shift,
    /// ... does not happen.
    Skip,
}

/// Ticks that nobody could act on, because the service was down or the campaign paused ...
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MissedTicks)]
pub enum Missed {
    /// ... are made up for by one round.
    #[default]
    Once,
    /// ... are let go.
    Skip,
    /// ... are made up for by a round each.
    All,
}

/// A tick while a round of the campaign still runs ...
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// ... waits for its end; one waits, further ones are skipped.
    #[default]
    Wait,
    /// ... is skipped.
    Skip,
    /// ... begins a round beside it, which does not ask for what the others have asked for.
    Allow,
}

/// From when to when no round may begin, and why. Dates are meant from their first to their last moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScheduleBlackout)]
pub struct Closed {
    #[schema(value_type = String, example = "2026-12-24")]
    pub from: Moment,
    #[schema(value_type = String, example = "2026-12-24")]
    pub to: Moment,
    pub reason: String,
}
