//! The steps of a campaign's rounds: of live ones as the queue has them, of those to come as ticks and sizes
//! say.

use super::shape::Shape;
use super::{CampaignOutlook, Item, Kind, LiveRound, Outlook, Phase, Step};
use crate::calendar::tick::Fate;
use crate::calendar::{Beat, Tick};
use crate::campaigns::schedule::Overlap;
use chrono::{DateTime, Duration, Utc};

/// Ticks of one campaign that are looked at: a view of 92 days with one every two hours.
const MOST_TICKS: usize = 1_100;

pub(super) fn steps(campaign: &CampaignOutlook, outlook: &Outlook) -> Vec<Step> {
    let device = |name: &str| outlook.devices.get(name);
    let bench = &campaign.spec.bench;
    let shape = Shape::of(&campaign.spec, device(&bench.handler), device(&bench.reader));
    let ticks = ticks(campaign, outlook);
    let mut course = Course { campaign, outlook, shape, steps: Vec::new(), busy: Vec::new() };
    let next = ticks.iter().find(|tick| !matches!(tick.fate, Fate::Dropped { .. })).map(|tick| tick.due);
    for round in &campaign.live {
        course.live(round, next);
    }
    if campaign.begins_rounds {
        course.forecast(&ticks);
    }
    course.steps
}

/// Those of the view, and further ones up to the first that begins a round.
fn ticks(campaign: &CampaignOutlook, outlook: &Outlook) -> Vec<Tick> {
    let mut ticks = Vec::new();
    for tick in campaign.rule.after(campaign.last_tick, campaign.since, outlook.now).take(MOST_TICKS) {
        let is_last = tick.due >= outlook.to && !matches!(tick.fate, Fate::Dropped { .. });
        ticks.push(tick);
        if is_last {
            break;
        }
    }
    ticks
}

struct Course<'a> {
    campaign: &'a CampaignOutlook,
    outlook: &'a Outlook,
    shape: Shape,
    steps: Vec<Step>,
    /// When each round so far ends, live ones among them.
    busy: Vec<DateTime<Utc>>,
}

impl Course<'_> {
    fn live(&mut self, round: &LiveRound, next_tick: Option<DateTime<Utc>>) {
        let title = format!("round {}", round.number);
        let now = self.outlook.now;
        let end = match round.phase {
            Phase::Proposing => self.run(&title, now, next_tick, None),
            Phase::AwaitingApproval { since } => self.run(&title, since, next_tick, Some(round)),
            Phase::Working => self.work(&title, round),
            Phase::Ending => now,
        };
        self.busy.push(end);
    }

    /// A round whose batch is to be approved; `waiting`: it is there. Answers when it would end.
    fn run(
        &mut self,
        title: &str,
        proposed: DateTime<Utc>,
        next_tick: Option<DateTime<Utc>>,
        waiting: Option<&LiveRound>,
    ) -> DateTime<Utc> {
        let needs = waiting.and_then(|round| round.needs.clone()).unwrap_or_else(|| self.shape.needs.clone());
        let impossible = waiting.and_then(|round| round.impossible.clone());
        let expected = plus(proposed, self.campaign.approval_hours).max(self.outlook.now);
        let by_people = !self.campaign.spec.policy.auto_approve;
        if by_people {
            // Later, and the next tick finds the round still running.
            let latest = next_tick.map_or(expected, |next| plus(next, -self.shape.hours()));
            let late = latest < proposed.max(self.outlook.now);
            let why_not = impossible.clone().or_else(|| {
                late.then(|| {
                    format!(
                        "a round takes {:.0} h: it still runs when the next tick comes",
                        self.shape.hours()
                    )
                })
            });
            // After its time a batch is not approved any more, whatever the calendar would allow.
            let expires = self.campaign.spec.policy.expires_hours.map(|hours| plus(proposed, hours));
            let at = expires.map_or(latest, |expires| latest.min(expires)).max(proposed);
            let what = format!("{title}: approve the batch");
            let mut step = self.step(Kind::ApprovalNeededBy, what, (at, at), None, waiting.is_some());
            step.item.needs = Some(super::fit::words(&needs));
            step.item.fits = why_not.is_none();
            step.item.why_not = why_not;
            self.steps.push(step);
        }
        let begin = if by_people { expected } else { proposed.max(self.outlook.now) };
        self.plates(title, begin, Some(needs), impossible)
    }

    /// Dispense, incubate, read: a full batch, as a forecast. Answers when the last plate is read.
    fn plates(
        &mut self,
        title: &str,
        begin: DateTime<Utc>,
        needs: Option<super::Needs>,
        impossible: Option<String>,
    ) -> DateTime<Utc> {
        let shape = self.shape.clone();
        let bench = &self.campaign.spec.bench;
        let count = if shape.plates == 1 { "1 plate".to_owned() } else { format!("{} plates", shape.plates) };
        let dispensed = plus(begin, shape.dispense_hours);
        let what = format!("{title}: dispense {count}");
        let mut dispense =
            self.step(Kind::Dispense, what, (begin, dispensed), Some(bench.handler.clone()), false);
        dispense.hours = shape.dispense_hours;
        dispense.item.needs = needs.as_ref().map(super::fit::words);
        dispense.item.fits = impossible.is_none();
        dispense.item.why_not = impossible;
        dispense.needs = needs;

        let incubated = plus(dispensed, shape.incubate_hours);
        let what = format!("{title}: incubate {count}");
        let mut incubate =
            self.step(Kind::Incubate, what, (dispensed, incubated), Some(bench.incubator.clone()), false);
        incubate.hours = shape.incubate_hours;
        incubate.plates = shape.plates;

        let until = plus(incubated, shape.read_window_hours);
        let what = format!("{title}: read {count}");
        let mut read = self.step(Kind::Read, what, (incubated, until), Some(bench.reader.clone()), false);
        read.hours = shape.read_hours;
        read.plates = shape.plates;
        self.steps.extend([dispense, incubate, read]);
        plus(incubated, shape.read_hours)
    }

    /// A round whose plates are under way. Answers when the last would be read.
    fn work(&mut self, title: &str, round: &LiveRound) -> DateTime<Utc> {
        let bench = self.campaign.spec.bench.clone();
        let minutes = self.outlook.devices.get(&bench.reader).map_or(0.0, |reader| reader.minutes_per_plate);
        let mut end = self.outlook.now;
        for plate in &round.plates {
            let Some((since, from, to)) = plate.incubating else { continue };
            let what = format!("{title}: incubate {}", plate.barcode);
            let mut incubate =
                self.step(Kind::Incubate, what, (since, from), Some(bench.incubator.clone()), true);
            incubate.hours = hours(from - since);
            let what = format!("{title}: read {}", plate.barcode);
            let mut read = self.step(Kind::Read, what, (from, to), Some(bench.reader.clone()), true);
            read.hours = minutes / 60.0;
            self.steps.extend([incubate, read]);
            end = end.max(from);
        }
        let to_come = round.plates.iter().filter(|plate| plate.incubating.is_none() && !plate.read).count();
        if to_come > 0 {
            let whole = self.shape.clone();
            let share = to_come as f64 / f64::from(whole.plates.max(1));
            self.shape = Shape {
                plates: u32::try_from(to_come).unwrap_or(u32::MAX),
                dispense_hours: whole.dispense_hours * share,
                read_hours: whole.read_hours * share,
                ..whole.clone()
            };
            // Its volumes are reserved already.
            end = end.max(self.plates(title, self.outlook.now, None, None));
            self.shape = whole;
        }
        end
    }

    fn forecast(&mut self, ticks: &[Tick]) {
        let first = self.campaign.live.iter().map(|round| round.number).max();
        let title = |ahead: u32| match first {
            Some(live) => format!("round {}", live.saturating_add(ahead)),
            None if ahead == 1 => "next round".to_owned(),
            None => format!("next round but {}", ahead - 1),
        };
        match self.campaign.rule.beat {
            Beat::Manual => {}
            Beat::Continuous => self.forecast_continuous(&title),
            Beat::Cron(_) | Beat::Every(_) => self.forecast_ticks(ticks, &title),
        }
    }

    fn forecast_continuous(&mut self, title: &dyn Fn(u32) -> String) {
        for ahead in 1..=self.campaign.rounds_left {
            let rule = &self.campaign.rule;
            let free = self.free(self.outlook.now);
            let begin = rule.blackouts.first_free(free.max(rule.starts.unwrap_or(free)));
            if begin >= self.outlook.to || rule.ends.is_some_and(|ends| begin >= ends) || ahead > 500 {
                return;
            }
            let due = self.step(Kind::RoundDue, title(ahead), (begin, begin), None, false);
            self.steps.push(due);
            let end = self.run(&title(ahead), begin, None, None);
            // A round takes time, or this would not end.
            self.busy = vec![end.max(plus(begin, 0.5))];
        }
    }

    fn forecast_ticks(&mut self, ticks: &[Tick], title: &dyn Fn(u32) -> String) {
        let mut begun = 0;
        // When the round of the tick that waits would begin.
        let mut queued = None;
        if self.campaign.tick_waits && self.campaign.rounds_left > 0 {
            let begin = self.free(self.outlook.now);
            begun += 1;
            queued = Some(begin);
            let next = self.campaign.rule.after(self.campaign.last_tick, self.campaign.since, begin).next();
            let next = next.map(|tick| tick.due);
            let end = self.run(&title(begun), begin, next, None);
            self.busy.push(end);
        }
        let ticks: Vec<&Tick> = ticks.iter().take_while(|tick| tick.due < self.outlook.to).collect();
        for (index, tick) in ticks.iter().enumerate() {
            let next = ticks.get(index + 1).map(|next| next.due);
            if matches!(tick.fate, Fate::Dropped { .. }) || next == Some(tick.due) {
                continue;
            }
            if begun >= self.campaign.rounds_left {
                return;
            }
            let free = self.free(tick.due);
            let until = self.shown(free);
            let (begin, why_not) = match self.campaign.rule.overlap {
                _ if free == tick.due => (Some(free), None),
                Overlap::Allow => (Some(tick.due), None),
                Overlap::Skip => (None, Some(format!("the round before runs until {until}: skipped"))),
                Overlap::Wait if queued.is_some_and(|begin| begin > tick.due) => {
                    (None, Some("a round runs, and an earlier tick waits already: skipped".to_owned()))
                }
                Overlap::Wait => (Some(free), Some(format!("the round before runs until {until}: it waits"))),
            };
            let what = if begin.is_some() { title(begun + 1) } else { "tick without a round".to_owned() };
            let mut due = self.step(Kind::RoundDue, what.clone(), (tick.due, tick.due), None, false);
            due.item.fits = why_not.is_none();
            due.item.why_not = why_not;
            self.steps.push(due);
            if let Some(begin) = begin {
                begun += 1;
                queued = Some(begin);
                let end = self.run(&what, begin, next, None);
                self.busy.push(end);
            }
        }
    }

    /// The first instant from `at` on at which no round known so far runs.
    fn free(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.busy.iter().copied().max().map_or(at, |end| end.max(at))
    }

    fn shown(&self, at: DateTime<Utc>) -> String {
        self.outlook.zone.wall(at).format("%m-%d %H:%M").to_string()
    }

    fn step(
        &self,
        kind: Kind,
        title: String,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        instrument: Option<String>,
        certain: bool,
    ) -> Step {
        let item = Item {
            kind,
            campaign_id: Some(self.campaign.id),
            campaign: Some(self.campaign.name.clone()),
            title,
            from_lab_at: from,
            to_lab_at: to,
            instrument,
            certain,
            needs: None,
            fits: true,
            why_not: None,
        };
        Step { item, hours: 0.0, plates: 1, needs: None }
    }
}

/// `hours` later; what is beyond all calendars stays where it is.
fn plus(at: DateTime<Utc>, hours: f64) -> DateTime<Utc> {
    let seconds = (hours * 3600.0).round();
    // Hours of a campaign file and of profiles: years at most, far inside an i64.
    Duration::try_seconds(seconds as i64).and_then(|later| at.checked_add_signed(later)).unwrap_or(at)
}

fn hours(span: Duration) -> f64 {
    span.as_seconds_f64() / 3600.0
}
