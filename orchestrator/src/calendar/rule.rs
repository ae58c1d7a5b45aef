//! The schedule of a campaign as a sequence of ticks.

use super::{Blackouts, Cron, Nominal, Tick, Window, Zone};
use crate::campaigns::schedule::{InBlackout, Missed, Mode, Overlap, Schedule};
use chrono::{DateTime, Duration, Utc};

/// What begins rounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Beat {
    Cron(Cron),
    /// Above zero.
    Every(Duration),
    Continuous,
    Manual,
}

/// A schedule with its dates as instants.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub beat: Beat,
    pub zone: Zone,
    pub starts: Option<DateTime<Utc>>,
    pub ends: Option<DateTime<Utc>>,
    pub in_blackout: InBlackout,
    pub missed: Missed,
    pub overlap: Overlap,
    pub wait_for_training: Duration,
    /// The campaign's own blackouts and those of the installation.
    pub blackouts: Blackouts,
}

/// Walls looked at for one that comes after the last tick: those of one gap or double hour at most, at one a
/// second.
const MOST_WALLS: usize = 90_000;

impl Rule {
    /// `everywhere`: the blackouts of the installation.
    pub fn of(schedule: &Schedule, everywhere: &[Window]) -> Self {
        let zone = schedule.zone;
        let own = schedule.blackouts.iter().map(|closed| Window {
            from: closed.from.begin(zone),
            to: closed.to.end(zone),
            reason: closed.reason.clone(),
        });
        Self {
            beat: beat(schedule),
            zone,
            starts: schedule.starts.map(|moment| moment.begin(zone)),
            ends: schedule.ends.map(|moment| moment.end(zone)),
            in_blackout: schedule.in_blackout,
            missed: schedule.missed,
            overlap: schedule.overlap,
            wait_for_training: hours(schedule.wait_for_training_hours),
            blackouts: Blackouts::new(own.chain(everywhere.iter().cloned()).collect()),
        }
    }

    /// The tick after `last`; the first one of a calendar that begins at `since` when there was none.
    pub fn next(&self, last: Option<DateTime<Utc>>, since: DateTime<Utc>) -> Option<Tick> {
        let begin = self.starts.map_or(since, |starts| starts.max(since));
        let nominal = match (&self.beat, last) {
            (Beat::Continuous | Beat::Manual, _) => return None,
            (Beat::Every(_), None) => in_utc(begin),
            (Beat::Every(step), Some(last)) => in_utc(last.checked_add_signed(*step)?.max(begin)),
            // What begins with a date begins with its first moment, which may be a tick.
            (Beat::Cron(cron), None) if self.starts == Some(begin) => {
                self.wall_after(cron, begin - Duration::nanoseconds(1))?
            }
            (Beat::Cron(cron), last) => self.wall_after(cron, last.map_or(begin, |last| last.max(begin)))?,
        };
        let tick = Tick::of(nominal, &self.blackouts, self.in_blackout);
        self.ends.is_none_or(|ends| tick.due < ends).then_some(tick)
    }

    /// The next `count` ticks that are due after `now`, dropped ones among them.
    pub fn upcoming(
        &self,
        last: Option<DateTime<Utc>>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
        count: usize,
    ) -> Vec<Tick> {
        self.after(last, since, now).take(count).collect()
    }

    /// Every tick that is due after `now`, dropped ones among them; a calendar may have no last one.
    pub fn after(
        &self,
        last: Option<DateTime<Utc>>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = Tick> {
        let first = self.next(self.long_past(last, since, now), since);
        let following = move |tick: &Tick| self.next(Some(tick.nominal.at), since);
        std::iter::successors(first, following).filter(move |tick| tick.due > now)
    }

    /// `last`, or a later instant up to which no tick of a cron expression is due after `now`: a campaign that was
    /// paused for a year is not counted through.
    fn long_past(
        &self,
        last: Option<DateTime<Utc>>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let begin = self.starts.map_or(since, |starts| starts.max(since));
        let past = self.blackouts.begin_of_chain(now) - Duration::nanoseconds(1);
        if matches!(self.beat, Beat::Cron(_)) && past > begin {
            Some(last.map_or(past, |last| last.max(past)))
        } else {
            last
        }
    }

    fn wall_after(&self, cron: &Cron, at: DateTime<Utc>) -> Option<Nominal> {
        let mut wall = self.zone.wall(at);
        for _ in 0..MOST_WALLS {
            wall = cron.after(wall)?;
            let placed = self.zone.place(wall);
            // In a double hour, the second time: the first one is over. After a gap: the same instant again.
            if placed.at > at {
                return Some(Nominal { wall, at: placed.at, shifted: placed.shifted });
            }
        }
        None
    }
}

fn in_utc(at: DateTime<Utc>) -> Nominal {
    Nominal { wall: at.naive_utc(), at, shifted: false }
}

fn beat(schedule: &Schedule) -> Beat {
    match (schedule.mode, &schedule.cron) {
        (Mode::Continuous, _) => Beat::Continuous,
        (Mode::Manual, _) => Beat::Manual,
        (Mode::Calendar, Some(cron)) => Beat::Cron(cron.clone()),
        (Mode::Calendar, None) => match hours(schedule.every_hours()) {
            step if step <= Duration::zero() => Beat::Continuous,
            step => Beat::Every(step),
        },
    }
}

/// Hours of a file, which were checked to be finite and not negative when it was read.
fn hours(hours: f64) -> Duration {
    std::time::Duration::try_from_secs_f64(hours * 3600.0)
        .ok()
        .and_then(|duration| Duration::from_std(duration).ok())
        .unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::tick::Fate;
    use crate::campaigns::schedule::Closed;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(cron: &str, zone: &str) -> Schedule {
        Schedule { cron: Some(cron.parse().unwrap()), zone: zone.parse().unwrap(), ..Schedule::default() }
    }

    /// Wall time, instant and whether it was shifted, of the ticks after `after`.
    fn ticks(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
        let rule = Rule::of(schedule, &[]);
        rule.upcoming(None, at(after), at(after), count)
            .iter()
            .map(|tick| {
                let shifted = if tick.nominal.shifted { " shifted" } else { "" };
                format!("{} = {}{shifted}", tick.nominal.wall.format("%d %H:%M"), tick.due.format("%d %H:%M"))
            })
            .collect()
    }

    #[test]
    fn a_weekly_tick_keeps_its_wall_time_over_the_change_of_clocks() {
        let monday = schedule("30 8 * * Mon", "Europe/Berlin");
        assert_eq!(ticks(&monday, "2026-03-20T00:00:00Z", 2), ["23 08:30 = 23 07:30", "30 08:30 = 30 06:30"]);
        assert_eq!(ticks(&monday, "2026-10-15T00:00:00Z", 2), ["19 08:30 = 19 06:30", "26 08:30 = 26 07:30"]);
    }

    #[test]
    fn in_spring_what_the_clocks_skip_comes_once_at_their_change() {
        let sunday = schedule("30 2 * * Sun", "Europe/Berlin");
        assert_eq!(
            ticks(&sunday, "2026-03-25T00:00:00Z", 2),
            ["29 02:30 = 29 01:00 shifted", "05 02:30 = 05 00:30"]
        );
        let often = schedule("*/20 * * * *", "Europe/Berlin");
        assert_eq!(
            ticks(&often, "2026-03-29T00:30:00Z", 3),
            ["29 01:40 = 29 00:40", "29 02:00 = 29 01:00 shifted", "29 03:20 = 29 01:20"],
            "02:20, 02:40 and 03:00 are the same instant"
        );
        let lord_howe = schedule("*/15 * * * *", "Australia/Lord_Howe");
        assert_eq!(
            ticks(&lord_howe, "2026-10-03T15:14:00Z", 3),
            ["04 01:45 = 03 15:15", "04 02:00 = 03 15:30 shifted", "04 02:45 = 03 15:45"]
        );
    }

    #[test]
    fn in_autumn_the_double_hour_comes_once_the_first_time() {
        let sunday = schedule("30 2 * * Sun", "Europe/Berlin");
        assert_eq!(ticks(&sunday, "2026-10-20T00:00:00Z", 2), ["25 02:30 = 25 00:30", "01 02:30 = 01 01:30"]);
        let hourly = schedule("0 * * * *", "Europe/Berlin");
        assert_eq!(
            ticks(&hourly, "2026-10-24T23:30:00Z", 3),
            ["25 02:00 = 25 00:00", "25 03:00 = 25 02:00", "25 04:00 = 25 03:00"]
        );
        assert_eq!(
            ticks(&hourly, "2026-10-25T01:10:00Z", 1),
            ["25 03:00 = 25 02:00"],
            "begun in the second pass, what the first had is not repeated"
        );
        let lord_howe = schedule("45 1 * * *", "Australia/Lord_Howe");
        assert_eq!(
            ticks(&lord_howe, "2026-04-04T00:00:00Z", 2),
            ["05 01:45 = 04 14:45", "06 01:45 = 05 15:15"]
        );
    }

    #[test]
    fn hours_pass_without_regard_to_clocks_and_begin_at_once() {
        let daily = Schedule {
            every_hours: Some(24.0),
            zone: "Europe/Berlin".parse().unwrap(),
            ..Schedule::default()
        };
        let rule = Rule::of(&daily, &[]);
        let first = rule.next(None, at("2026-03-28T08:00:00Z")).unwrap();
        assert_eq!(first.due, at("2026-03-28T08:00:00Z"));
        let second = rule.next(Some(first.nominal.at), at("2026-03-28T08:00:00Z")).unwrap();
        assert_eq!(second.due, at("2026-03-29T08:00:00Z"));
        assert_eq!(Rule::of(&Schedule { every_hours: Some(0.0), ..daily }, &[]).beat, Beat::Continuous);
    }

    #[test]
    fn no_tick_comes_before_the_start_or_after_the_end() {
        let mut weekly = schedule("0 8 * * Mon", "Europe/Berlin");
        weekly.starts = Some("2026-12-07".parse().unwrap());
        weekly.ends = Some("2026-12-14".parse().unwrap());
        assert_eq!(
            ticks(&weekly, "2026-11-01T00:00:00Z", 9),
            ["07 08:00 = 07 07:00", "14 08:00 = 14 07:00"],
            "the last day is in it"
        );
        weekly.starts = Some("2026-12-07T08:00".parse().unwrap());
        assert_eq!(ticks(&weekly, "2026-11-01T00:00:00Z", 1), ["07 08:00 = 07 07:00"]);
        weekly.ends = Some("2026-12-07T08:00".parse().unwrap());
        assert_eq!(ticks(&weekly, "2026-11-01T00:00:00Z", 9), Vec::<String>::new());
    }

    #[test]
    fn a_blackout_shifts_or_drops_and_says_so() {
        let mut weekly = schedule("0 8 * * Mon", "Europe/Berlin");
        let closed = |from: &str, to: &str, reason: &str| Closed {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            reason: reason.into(),
        };
        weekly.blackouts = vec![
            closed("2026-12-21", "2026-12-31", "Christmas"),
            closed("2027-01-01", "2027-01-01", "New Year"),
        ];
        let since = at("2026-12-15T00:00:00Z");
        let notes = |schedule: &Schedule| -> Vec<Option<String>> {
            let rule = Rule::of(schedule, &[]);
            rule.upcoming(None, since, since, 3).iter().map(|tick| tick.note(rule.zone)).collect()
        };
        let moved = "falls in blackout \"Christmas\": moved to 2027-01-02 00:00".to_owned();
        assert_eq!(notes(&weekly), [Some(moved.clone()), Some(moved), None]);
        weekly.in_blackout = InBlackout::Skip;
        assert_eq!(notes(&weekly)[0].as_deref(), Some("falls in blackout \"Christmas\": skipped"));
        let rule = Rule::of(&weekly, &[]);
        assert!(matches!(rule.next(None, since).unwrap().fate, Fate::Dropped { .. }));
        // One of the installation holds as well.
        let move_day = Window {
            from: at("2027-01-04T00:00:00Z"),
            to: at("2027-01-05T00:00:00Z"),
            reason: "the move".into(),
        };
        let rule = Rule::of(&schedule("0 8 * * Mon", "UTC"), &[move_day]);
        assert_eq!(rule.next(None, at("2027-01-01T00:00:00Z")).unwrap().due, at("2027-01-05T00:00:00Z"));
    }

    #[test]
    fn what_was_paused_for_years_is_not_counted_through() {
        let often = schedule("* * * * * *", "Europe/Berlin");
        let rule = Rule::of(&often, &[]);
        let (since, now) = (at("1990-01-01T00:00:00Z"), at("2026-11-28T12:00:00Z"));
        let begun = std::time::Instant::now();
        let next: Vec<_> = rule.upcoming(None, since, now, 2).iter().map(|tick| tick.due).collect();
        assert_eq!(next, [at("2026-11-28T12:00:01Z"), at("2026-11-28T12:00:02Z")]);
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "a billion ticks take longer");
    }

    const ZONES: [&str; 7] = [
        "UTC",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/St_Johns",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/New_York",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Leaving out what is past changes nothing, also around changes of clocks and blackouts.
        #[test]
        fn upcoming_ticks_are_those_of_counting_through(
            cron in proptest::sample::select(&["*/20 * * * *", "0 * * * *", "30 2 * * *", "15,45 1-3 * * Sun"][..]),
            zone in proptest::sample::select(&ZONES[..]),
            start in 1_767_225_600i64..1_830_000_000,
            later in 0i64..40,
            seconds in 0i64..3600,
            closed in prop::collection::vec((0i64..40, 1i64..20), 0..4),
            skip in any::<bool>(),
        ) {
            let since = DateTime::from_timestamp(start, 0).unwrap();
            let hour = |hours: i64| since + Duration::hours(hours);
            let windows: Vec<Window> = closed
                .into_iter()
                .map(|(from, length)| Window { from: hour(from), to: hour(from + length), reason: "x".into() })
                .collect();
            let in_blackout = if skip { InBlackout::Skip } else { InBlackout::Shift };
            let rule = Rule::of(&Schedule { in_blackout, ..schedule(cron, zone) }, &windows);
            let now = hour(later) + Duration::seconds(seconds);
            let mut counted = Vec::new();
            let mut tick = rule.next(None, since);
            while let Some(this) = tick && counted.len() < 20 {
                tick = rule.next(Some(this.nominal.at), since);
                if this.due > now {
                    counted.push(this);
                }
            }
            prop_assert_eq!(rule.upcoming(None, since, now, 20), counted);
        }

        #[test]
        fn ticks_are_strictly_increasing_without_duplicates_and_walls_too(
            minute in prop_oneof![Just("*/7".to_owned()), (0u32..60).prop_map(|m| m.to_string()), Just("0,30".to_owned())],
            hour in prop_oneof![Just("*".to_owned()), Just("0-4".to_owned()), (0u32..24).prop_map(|h| h.to_string())],
            day in prop_oneof![Just("*"), Just("Sun"), Just("Sat,Sun")],
            zone in proptest::sample::select(&ZONES[..]),
            start in 1_767_225_600i64..1_830_000_000,
        ) {
            let rule = Rule::of(&schedule(&format!("{minute} {hour} * * {day}"), zone), &[]);
            let since = DateTime::from_timestamp(start, 0).unwrap();
            let mut last: Option<Tick> = None;
            for _ in 0..300 {
                let next = rule.next(last.as_ref().map(|tick| tick.nominal.at), since).expect("it goes on");
                prop_assert!(next.nominal.at > since);
                if let Some(last) = &last {
                    prop_assert!(next.nominal.at > last.nominal.at, "{:?} then {:?}", last, next);
                    prop_assert!(next.nominal.wall > last.nominal.wall, "{:?} then {:?}", last, next);
                }
                // What stands on the wall then is what was asked for, but where the clocks skipped it.
                prop_assert!(next.nominal.shifted || rule.zone.wall(next.nominal.at) == next.nominal.wall);
                last = Some(next);
            }
        }
    }
}
