//! Whether the calendar makes sense.

use super::Check;
use crate::calendar::{Beat, Rule};
use crate::campaigns::schedule::{Missed, Mode, Overlap, Schedule};
use crate::campaigns::spec::Spec;
use chrono::{DateTime, Utc};

const MOST_HOURS: f64 = 24.0 * 365.0;
/// Each tick is a row and a judgement: closer ones than a minute would be most of what the server does.
const LEAST_HOURS: f64 = 60.0 / 3600.0;
const MOST_BLACKOUTS: usize = 1_000;
/// Ticks of a cron expression whose distances are looked at.
const LOOKED_AT: usize = 60;

impl Check<'_> {
    pub(super) fn schedule(&mut self, spec: &Spec) {
        let schedule = &spec.schedule;
        self.within("schedule.every_hours", schedule.every_hours(), 0.0, MOST_HOURS, " hours");
        let wait = schedule.wait_for_training_hours;
        self.within("schedule.wait_for_training_hours", wait, 0.0, MOST_HOURS, " hours");
        self.one_beat(schedule);
        self.blackouts(schedule);
        if self.found.problems.is_empty() {
            self.dates(schedule);
            self.distances(spec);
        }
        if schedule.missed == Missed::All && schedule.overlap == Overlap::Skip {
            self.doubtful(
                "schedule.missed",
                "overlap = \"skip\": while the round of the first missed tick runs, the others are skipped",
            );
        }
    }

    fn one_beat(&mut self, schedule: &Schedule) {
        let given = [
            ("schedule.cron", schedule.cron.is_some()),
            ("schedule.every_hours", schedule.every_hours.is_some()),
        ];
        if schedule.mode == Mode::Calendar {
            let both = given.iter().all(|(_, given)| *given);
            self.require(!both, "schedule.every_hours", || {
                "`cron` says when already: take one of both".to_owned()
            });
        } else {
            for (path, _) in given.into_iter().filter(|(_, given)| *given) {
                self.wrong(path, "in modes \"continuous\" and \"manual\" there are no ticks: leave it out");
            }
        }
        let continuous = schedule.mode == Mode::Continuous || schedule.every_hours == Some(0.0);
        self.require(!(continuous && schedule.overlap == Overlap::Allow), "schedule.overlap", || {
            "a continuous round begins when the one before is closed: they never overlap".to_owned()
        });
        if schedule.cron.as_ref().is_some_and(|cron| cron.names_both_days()) {
            self.doubtful(
                "schedule.cron",
                "day of month and day of week must both hold (classic cron takes either): use * for one of them",
            );
        }
    }

    fn blackouts(&mut self, schedule: &Schedule) {
        let count = schedule.blackouts.len();
        self.require(count <= MOST_BLACKOUTS, "schedule.blackouts", || {
            format!("{count} are too many: at most {MOST_BLACKOUTS}; make one `to` of several days")
        });
        for (index, closed) in schedule.blackouts.iter().enumerate() {
            let path = |field: &str| format!("schedule.blackouts[{index}].{field}");
            let lasts = closed.from.begin(schedule.zone) < closed.to.end(schedule.zone);
            self.require(lasts, &path("to"), || "it is not after `from`".to_owned());
            self.word(&path("reason"), &closed.reason);
        }
    }

    fn dates(&mut self, schedule: &Schedule) {
        let rule = Rule::of(schedule, &[]);
        let (starts, ends) = (rule.starts, rule.ends);
        if let (Some(starts), Some(ends)) = (starts, ends)
            && starts >= ends
        {
            self.wrong("schedule.ends", "it is not after `starts`");
            return;
        }
        let ticks = matches!(rule.beat, Beat::Cron(_) | Beat::Every(_));
        if let (true, Some(starts), Some(_)) = (ticks, starts, ends) {
            let any = rule.next(None, starts).is_some();
            self.require(any, "schedule.ends", || "there is no tick between `starts` and it".to_owned());
        }
    }

    /// Do the ticks leave time for a round?
    fn distances(&mut self, spec: &Spec) {
        let schedule = &spec.schedule;
        let Some((path, least)) = least_distance(schedule) else { return };
        self.require(least >= LEAST_HOURS, path, || "ticks are at least a minute apart".to_owned());
        if !self.read(&["assay"]) || schedule.overlap == Overlap::Allow {
            return;
        }
        let incubate = spec.assay.incubate_hours;
        if least < incubate {
            self.doubtful(
                path,
                format!("plates incubate for {incubate} h: rounds cannot follow each {} h", rounded(least)),
            );
        }
    }
}

/// What says when, and the shortest time between two ticks, in hours; `None` without ticks.
fn least_distance(schedule: &Schedule) -> Option<(&'static str, f64)> {
    let rule = Rule::of(schedule, &[]);
    match &rule.beat {
        Beat::Every(_) => Some(("schedule.every_hours", schedule.every_hours())),
        Beat::Cron(_) => {
            let since = rule.starts.unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
            let ticks = rule.upcoming(None, since, since, LOOKED_AT);
            let hours =
                ticks.windows(2).map(|two| (two[1].nominal.at - two[0].nominal.at).as_seconds_f64() / 3600.0);
            Some(("schedule.cron", hours.fold(f64::INFINITY, f64::min)))
        }
        Beat::Continuous | Beat::Manual => None,
    }
}

fn rounded(hours: f64) -> f64 {
    (hours * 100.0).round() / 100.0
}
