//! Time zones by their IANA name, and the one mapping from wall time to an instant.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A time zone by its IANA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// It is no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone: take an IANA name, such as \"Europe/Berlin\" or \"UTC\"")]
pub struct UnknownZone(String);

/// Where a wall time falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub at: DateTime<Utc>,
    /// The clocks skip this wall time: `at` is the instant at which they changed.
    pub shifted: bool,
}

impl Zone {
    pub const UTC: Zone = Zone(Tz::UTC);

    /// What a clock on the wall shows at `at`.
    pub fn wall(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// The instant of `wall`: of two the first; of none (the clocks skip it) the one when they have changed.
    /// Never decreasing in `wall`.
    pub fn place(self, wall: NaiveDateTime) -> Placed {
        match self.0.from_local_datetime(&wall) {
            LocalResult::Single(at) => Placed { at: at.to_utc(), shifted: false },
            LocalResult::Ambiguous(first, second) => {
                Placed { at: first.min(second).to_utc(), shifted: false }
            }
            LocalResult::None => Placed { at: self.end_of_gap(wall), shifted: true },
        }
    }

    /// `place`, when only the instant matters.
    pub fn instant(self, wall: NaiveDateTime) -> DateTime<Utc> {
        self.place(wall).at
    }

    /// The first instant whose wall time is after `wall`, which the clocks skip: by bisection, to the second
    /// (changes of clocks happen at whole seconds).
    fn end_of_gap(self, wall: NaiveDateTime) -> DateTime<Utc> {
        // Zones are within a day of UTC, so the change lies between these.
        let (mut before, mut after) =
            (wall.and_utc() - Duration::days(2), wall.and_utc() + Duration::days(2));
        while after - before > Duration::seconds(1) {
            let middle =
                DateTime::from_timestamp((before.timestamp() + after.timestamp()) / 2, 0).unwrap_or(after);
            if self.wall(middle) > wall {
                after = middle;
            } else {
                before = middle;
            }
        }
        DateTime::from_timestamp(after.timestamp(), 0).unwrap_or(after)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Zone::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        name.parse().map(Zone).map_err(|_| UnknownZone(name.to_owned()))
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;
    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(zone: &str, wall: &str) -> (String, bool) {
        let placed = zone.parse::<Zone>().unwrap().place(wall.parse().unwrap());
        (placed.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), placed.shifted)
    }

    #[test]
    fn a_wall_time_that_the_clocks_skip_happens_when_they_have_changed() {
        let berlin = |wall| placed("Europe/Berlin", wall);
        assert_eq!(berlin("2026-03-29T01:59:59"), ("2026-03-29T00:59:59Z".into(), false));
        assert_eq!(berlin("2026-03-29T02:00:00"), ("2026-03-29T01:00:00Z".into(), true));
        assert_eq!(berlin("2026-03-29T02:30:00"), ("2026-03-29T01:00:00Z".into(), true));
        assert_eq!(berlin("2026-03-29T02:59:59.5"), ("2026-03-29T01:00:00Z".into(), true));
        assert_eq!(berlin("2026-03-29T03:00:00"), ("2026-03-29T01:00:00Z".into(), false));
        // Half an hour, on the first Sunday of October.
        let lord_howe = |wall| placed("Australia/Lord_Howe", wall);
        assert_eq!(lord_howe("2026-10-04T02:15:00"), ("2026-10-03T15:30:00Z".into(), true));
        assert_eq!(lord_howe("2026-10-04T02:30:00"), ("2026-10-03T15:30:00Z".into(), false));
    }

    #[test]
    fn a_wall_time_that_comes_twice_is_the_first() {
        assert_eq!(placed("Europe/Berlin", "2026-10-25T02:30:00"), ("2026-10-25T00:30:00Z".into(), false));
        assert_eq!(
            placed("Australia/Lord_Howe", "2026-04-05T01:45:00"),
            ("2026-04-04T14:45:00Z".into(), false)
        );
    }

    #[test]
    fn what_is_no_zone_is_refused_with_what_would_be() {
        let error = "Berlin".parse::<Zone>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"Berlin\" is no time zone: take an IANA name, such as \"Europe/Berlin\" or \"UTC\""
        );
    }
}
