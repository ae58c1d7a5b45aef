//! A local date or date-time, as people write it: in a campaign file, at the command line.

use super::Zone;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// `2026-12-24` or `2026-12-24T18:00`, by the clock on the wall of some zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Date(NaiveDate),
    At(NaiveDateTime),
}

/// It is neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no local date or time: write \"2026-12-24\" or \"2026-12-24T18:00\", without an offset (the zone says it)"
)]
pub struct NoMoment(String);

impl Moment {
    /// Where something begins: a date from its first moment on.
    pub fn begin(self, zone: Zone) -> DateTime<Utc> {
        zone.instant(match self {
            Moment::Date(date) => date.and_time(NaiveTime::MIN),
            Moment::At(wall) => wall,
        })
    }

    /// Where something ends: a date is in it to its last moment.
    pub fn end(self, zone: Zone) -> DateTime<Utc> {
        zone.instant(match self {
            Moment::Date(date) => {
                date.checked_add_days(Days::new(1)).unwrap_or(date).and_time(NaiveTime::MIN)
            }
            Moment::At(wall) => wall,
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Date(date) => write!(f, "{date}"),
            Moment::At(wall) => write!(f, "{}", wall.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

impl FromStr for Moment {
    type Err = NoMoment;
    fn from_str(text: &str) -> Result<Self, NoMoment> {
        if let Ok(date) = text.parse() {
            return Ok(Moment::Date(date));
        }
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(Moment::At)
            .ok_or_else(|| NoMoment(text.to_owned()))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsWritten)
    }
}

/// A string, or TOML's own date, which arrives as a map with one value.
struct AsWritten;

impl<'de> Visitor<'de> for AsWritten {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a local date or time, such as \"2026-12-24\" or \"2026-12-24T18:00\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Moment, A::Error> {
        match map.next_entry::<String, String>()? {
            Some((_, text)) => text.parse().map_err(de::Error::custom),
            None => Err(de::Error::custom("an empty table is no date")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        at: Moment,
    }

    #[test]
    fn dates_and_times_are_read_quoted_or_as_toml_has_them() {
        let read = |text: &str| toml::from_str::<Holder>(&format!("at = {text}")).map(|it| it.at.to_string());
        assert_eq!(read("\"2026-12-24\"").unwrap(), "2026-12-24");
        assert_eq!(read("2026-12-24").unwrap(), "2026-12-24");
        assert_eq!(read("\"2026-12-24T18:00\"").unwrap(), "2026-12-24T18:00:00");
        assert_eq!(read("2026-12-24T18:00:00").unwrap(), "2026-12-24T18:00:00");
        assert!(read("2026-12-24T18:00:00Z").is_err(), "an offset contradicts the zone");
        assert!(read("\"24.12.2026\"").is_err() && read("7").is_err());
    }

    #[test]
    fn a_date_ends_with_its_day() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let day: Moment = "2026-12-24".parse().unwrap();
        assert_eq!(day.begin(zone).to_rfc3339(), "2026-12-23T23:00:00+00:00");
        assert_eq!(day.end(zone).to_rfc3339(), "2026-12-24T23:00:00+00:00");
        let at: Moment = "2026-12-24T18:00".parse().unwrap();
        assert_eq!(at.begin(zone), at.end(zone));
    }
}
