//! Hours of work by instrument and day, against what a day holds.

use super::{Load, Outlook, Step};
use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use std::collections::BTreeMap;

/// Longer spans are not spread further: beyond any view.
const MOST_DAYS: usize = 800;

/// Of every day on which something is to be done, whether in the view or not.
pub(super) fn days(steps: &[Step], outlook: &Outlook) -> Vec<Load> {
    let mut hours: BTreeMap<(&str, NaiveDate), f64> = BTreeMap::new();
    for step in steps {
        let Some(instrument) = step.item.instrument.as_deref() else { continue };
        let places = f64::from(if step.item.kind == super::Kind::Incubate { step.plates } else { 1 });
        let end = step.item.from_lab_at + Duration::milliseconds((step.hours * 3_600_000.0) as i64);
        for (day, from, to) in split(step.item.from_lab_at, end, outlook) {
            *hours.entry((instrument, day)).or_default() += between(from, to) * places;
        }
    }
    let load = hours.into_iter().map(|((instrument, day), hours)| Load {
        instrument: instrument.to_owned(),
        day,
        hours: rounded(hours),
        capacity_hours: rounded(capacity(instrument, day, outlook)),
    });
    load.collect()
}

/// Those of the view.
pub(super) fn within(load: Vec<Load>, outlook: &Outlook) -> Vec<Load> {
    let first = outlook.zone.wall(outlook.from).date();
    let last = outlook.zone.wall(outlook.to - Duration::nanoseconds(1)).date();
    load.into_iter().filter(|load| (first..=last).contains(&load.day)).collect()
}

/// 24 hours a place (23 or 25 when the clocks change), less maintenance and blackouts of the instrument.
fn capacity(instrument: &str, day: NaiveDate, outlook: &Outlook) -> f64 {
    let Some(device) = outlook.devices.get(instrument).filter(|device| device.in_service) else { return 0.0 };
    let (begin, end) = bounds(day, outlook);
    let mut closed: Vec<_> = outlook
        .blackouts
        .iter()
        .filter(|blackout| blackout.instrument.as_deref() == Some(instrument))
        .map(|blackout| (blackout.from_lab_at.max(begin), blackout.to_lab_at.min(end)))
        .filter(|(from, to)| from < to)
        .collect();
    closed.sort();
    let (mut free, mut at) = (0.0, begin);
    for (from, to) in closed {
        free += between(at, from.max(at));
        at = at.max(to);
    }
    (free + between(at, end.max(at))) * f64::from(device.places)
}

/// The parts of a span, day by day.
fn split(
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    outlook: &Outlook,
) -> Vec<(NaiveDate, DateTime<Utc>, DateTime<Utc>)> {
    let mut parts = Vec::new();
    let mut at = from;
    while at < to && parts.len() < MOST_DAYS {
        let day = outlook.zone.wall(at).date();
        let end = bounds(day, outlook).1.min(to);
        if end <= at {
            break;
        }
        parts.push((day, at, end));
        at = end;
    }
    parts
}

fn bounds(day: NaiveDate, outlook: &Outlook) -> (DateTime<Utc>, DateTime<Utc>) {
    let midnight = |day: NaiveDate| outlook.zone.instant(day.and_time(NaiveTime::MIN));
    (midnight(day), midnight(day.checked_add_days(Days::new(1)).unwrap_or(day)))
}

fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64() / 3600.0
}

fn rounded(hours: f64) -> f64 {
    (hours * 100.0).round() / 100.0
}
