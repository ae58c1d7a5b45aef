//! A cron expression that means one thing: five or six fields, week days by name, with a next tick.

use chrono::{DateTime, NaiveDateTime};
use cron::Schedule;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Seconds (optional), minutes, hours, day of month, month, day of week.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    /// As it was written.
    text: String,
    schedule: Schedule,
}

/// Why it is refused, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "{fields} fields: write five (minutes, hours, day of month, month, day of week) or six (seconds first), such as \"30 8 * * Mon\""
    )]
    Fields { fields: usize },
    #[error(
        "{field:?} names week days by number, and systems disagree which one 1 is (here Sunday, elsewhere Monday): write Mon, Tue, Wed, Thu, Fri, Sat, Sun"
    )]
    WeekDayNumber { field: String },
    #[error("{field:?} is no {name}: {range}, ranges (a-b), lists (a,b), steps (*/n) or *")]
    Field { field: String, name: &'static str, range: &'static str },
    #[error("it never comes: no day of the next decades has this month, day and week day together")]
    Never,
}

const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31"),
    ("month", "1 to 12 or Jan to Dec"),
    ("day of the week", "Mon to Sun"),
];

impl Cron {
    /// The first wall time strictly after `wall` that it names; `None`: no more before the year 2100.
    pub fn after(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        // UTC stands for local time: it has no changes of clocks.
        self.schedule.after(&wall.and_utc()).next().map(|next| next.naive_utc())
    }

    /// Whether day of month and day of week both say something: then both must hold, where classic cron
    /// takes either.
    pub fn names_both_days(&self) -> bool {
        let fields: Vec<&str> = self.text.split_whitespace().rev().collect();
        let any = |field: Option<&&str>| matches!(field, None | Some(&"*" | &"?"));
        !any(fields.first()) && !any(fields.get(2))
    }
}

impl FromStr for Cron {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        match fields.len() {
            5 => fields.insert(0, "0"),
            6 => {}
            fields => return Err(Refused::Fields { fields }),
        }
        if let Some(days) = fields.last().filter(|field| field.contains(|c: char| c.is_ascii_digit())) {
            return Err(Refused::WeekDayNumber { field: (*days).to_owned() });
        }
        let schedule = parse(&fields)?;
        let cron = Self { text: text.to_owned(), schedule };
        match cron.after(DateTime::UNIX_EPOCH.naive_utc()) {
            Some(_) => Ok(cron),
            None => Err(Refused::Never),
        }
    }
}

/// The crate's own message points into its grammar; which field is wrong says more.
fn parse(fields: &[&str]) -> Result<Schedule, Refused> {
    for (index, (field, (name, range))) in fields.iter().zip(FIELDS).enumerate() {
        let mut alone = ["*"; 6];
        alone[index] = field;
        if Schedule::from_str(&alone.join(" ")).is_err() {
            return Err(Refused::Field { field: (*field).to_owned(), name, range });
        }
    }
    Schedule::from_str(&fields.join(" ")).map_err(|_| Refused::Never)
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Cron {
    type Error = Refused;
    fn try_from(text: String) -> Result<Self, Refused> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> String {
        cron.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str, after: &str) -> String {
        let cron: Cron = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        cron.after(after.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn five_fields_are_six_with_second_zero() {
        assert_eq!(next("30 8 * * Mon", "2026-11-28T12:00:00"), "2026-11-30 08:30:00");
        assert_eq!(next("0 30 8 * * Mon", "2026-11-30T08:30:00"), "2026-12-07 08:30:00");
        assert_eq!(next("0 8 1 */3 *", "2026-11-30T08:30:00"), "2027-01-01 08:00:00");
        assert_eq!(next("0 8 * * mon-fri", "2026-11-28T12:00:00"), "2026-11-30 08:00:00");
    }

    #[test]
    fn what_means_several_things_or_nothing_is_refused_with_the_reason() {
        let cases = [
            ("0 30 8 * * 1", "\"1\" names week days by number"),
            ("30 8 * * 0-4", "\"0-4\" names week days by number"),
            ("@weekly", "1 fields: write five"),
            ("0 0 30 8 * * Mon 2026", "8 fields"),
            ("", "0 fields"),
            ("61 8 * * Mon", "\"61\" is no minute: 0 to 59"),
            ("0 25 * * *", "\"25\" is no hour"),
            ("0 8 32 * *", "\"32\" is no day of the month"),
            ("0 8 * Foo *", "\"Foo\" is no month"),
            ("0 8 * * Mo", "\"Mo\" is no day of the week"),
            ("*/0 8 * * *", "\"*/0\" is no minute"),
            ("0 8 30 Feb *", "it never comes"),
            ("0 8 31 4 *", "it never comes"),
        ];
        for (text, why) in cases {
            let error = text.parse::<Cron>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn both_days_named_is_noticed() {
        let both = |text: &str| text.parse::<Cron>().unwrap().names_both_days();
        assert!(both("0 8 1 * Mon"));
        assert!(!both("0 8 1 * *") && !both("0 8 * * Mon") && !both("0 8 ? * Mon"));
    }
}
