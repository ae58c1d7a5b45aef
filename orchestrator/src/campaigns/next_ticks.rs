//! The ticks of a campaign before they happen.

use crate::calendar::{Rule, Tick};
use crate::rounds::begin::Timing;
use crate::store::campaigns::Campaign;
use crate::store::{self, Error, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

/// A tick before it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextTick {
    /// Laboratory time.
    pub at: DateTime<Utc>,
    /// What the clock on the wall shows then.
    pub local: String,
    pub zone: String,
    /// What differs from the schedule's own time, and why.
    pub note: Option<String>,
}

/// The next `count` ticks; none where rounds begin by hand or one after the other.
pub async fn next_ticks(conn: &mut PgConnection, campaign: &Campaign, count: usize) -> Result<Vec<NextTick>> {
    let version = store::campaigns::version(conn, campaign.id, campaign.current_version).await?;
    let version = version.ok_or_else(|| Error::corrupt("current campaign version", campaign.id))?;
    let Timing { rule, last_tick, since, now } = Timing::read(conn, campaign, &version).await?;
    Ok(shown(&rule, &rule.upcoming(last_tick, since, now, count)))
}

/// Ticks of `rule` for people.
pub fn shown(rule: &Rule, ticks: &[Tick]) -> Vec<NextTick> {
    let shown = ticks.iter().map(|tick| NextTick {
        at: tick.due,
        local: rule.zone.wall(tick.due).format("%Y-%m-%dT%H:%M:%S").to_string(),
        zone: rule.zone.to_string(),
        note: tick.note(rule.zone),
    });
    shown.collect()
}
