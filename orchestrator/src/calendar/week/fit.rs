//! What does not fit: against stock, maintenance, places, and hours of a day. The first reason found is kept.

use super::{Kind, Load, Needs, Outlook, Step, Stock};
use std::collections::BTreeMap;

/// Judges every step in order of time; `load`: all of it.
pub(super) fn judge(steps: &mut [Step], load: &[Load], outlook: &Outlook) {
    let crowded = crowded(steps, outlook);
    let mut stock = outlook.stock.clone();
    for (step, crowded) in steps.iter_mut().zip(crowded) {
        let lacking = step.needs.as_ref().and_then(|needs| draw(&mut stock, needs));
        let why_not = lacking
            .or_else(|| out_of_service(step, outlook))
            .or_else(|| in_maintenance(step, outlook))
            .or(crowded)
            .or_else(|| too_much(step, load, outlook));
        if let (true, Some(why)) = (step.item.fits, why_not) {
            step.item.fits = false;
            step.item.why_not = Some(why);
        }
    }
}

/// `2 blank plates (nest_96.., donor-1); NEG 24 µL, POS 24 µL; 48 reagents of 4 µL each`
pub(super) fn words(needs: &Needs) -> String {
    let blanks = needs.blanks.iter().map(|((labware, context), count)| {
        format!("{count} blank plate{} ({labware}, {context})", if *count == 1 { "" } else { "s" })
    });
    let listed: Vec<String> = match needs.volume_nl_by_content.len() {
        0 => Vec::new(),
        1..=6 => needs
            .volume_nl_by_content
            .iter()
            .map(|(content, nl)| format!("{content} {}", volume(*nl)))
            .collect(),
        many => {
            let sum = needs.volume_nl_by_content.values().sum();
            vec![format!("{} of {many} reagents", volume(sum))]
        }
    };
    let any = needs.any.map(|(count, nl)| format!("{count} reagents of {} each", volume(nl)));
    blanks.chain((!listed.is_empty()).then(|| listed.join(", "))).chain(any).collect::<Vec<_>>().join("; ")
}

fn volume(nl: u64) -> String {
    // Volumes of plates: exact in a double.
    format!("{} µL", nl as f64 / 1000.0)
}

/// Takes from the stock, and says what is lacking.
fn draw(stock: &mut Stock, needs: &Needs) -> Option<String> {
    let mut lacking = None;
    for ((labware, context), wanted) in &needs.blanks {
        let there = stock.blanks.entry((labware.clone(), context.clone())).or_default();
        if *there < *wanted {
            let why =
                format!("{wanted} blank plates of {context} ({labware}) are needed, {there} will be left");
            lacking.get_or_insert(why);
        }
        *there = there.saturating_sub(*wanted);
    }
    for (content, wanted) in &needs.volume_nl_by_content {
        let there = stock.volume_nl_by_content.entry(content.clone()).or_default();
        if *there < *wanted {
            let why = format!("{} of {content} are needed, {} will be left", volume(*wanted), volume(*there));
            lacking.get_or_insert(why);
        }
        *there = there.saturating_sub(*wanted);
    }
    if let Some((count, each)) = needs.any {
        let enough = stock.volume_nl_by_content.values().filter(|there| **there >= each).count();
        if enough < count as usize {
            lacking.get_or_insert(format!(
                "{count} reagents of {} each are needed, {enough} are there",
                volume(each)
            ));
        }
    }
    lacking
}

fn out_of_service(step: &Step, outlook: &Outlook) -> Option<String> {
    let name = step.item.instrument.as_ref()?;
    match outlook.devices.get(name) {
        None => Some(format!("no instrument {name} is registered")),
        Some(device) if !device.in_service => Some(format!("{name} is not in service")),
        Some(_) => None,
    }
}

fn in_maintenance(step: &Step, outlook: &Outlook) -> Option<String> {
    let name = step.item.instrument.as_ref()?;
    let (from, to) = (step.item.from_lab_at, step.item.to_lab_at);
    let closed = outlook.blackouts.iter().find(|blackout| {
        blackout.instrument.as_ref() == Some(name)
            && blackout.from_lab_at < to.max(from)
            && from < blackout.to_lab_at
    })?;
    let wall = |at| outlook.zone.wall(at).format("%m-%d %H:%M").to_string();
    Some(format!(
        "{name} is in maintenance from {} to {} ({})",
        wall(closed.from_lab_at),
        wall(closed.to_lab_at),
        closed.reason
    ))
}

/// For each step that puts plates into an incubator, why they find no slot.
fn crowded(steps: &[Step], outlook: &Outlook) -> Vec<Option<String>> {
    steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            if step.item.kind != Kind::Incubate {
                return None;
            }
            let name = step.item.instrument.as_ref()?;
            let places = outlook.devices.get(name)?.places;
            let at = step.item.from_lab_at;
            // Steps are in order of time: those before it that are still there, and itself.
            let there: u32 = steps
                .iter()
                .take(index + 1)
                .filter(|other| {
                    other.item.kind == Kind::Incubate
                        && other.item.instrument.as_ref() == Some(name)
                        && other.item.from_lab_at <= at
                        && at < other.item.to_lab_at
                })
                .map(|other| other.plates)
                .sum();
            (there > places).then(|| format!("{name} has {places} slots, {there} plates would be in it"))
        })
        .collect()
}

/// More hours on the day it begins than the day holds.
fn too_much(step: &Step, load: &[Load], outlook: &Outlook) -> Option<String> {
    let name = step.item.instrument.as_ref()?;
    if step.hours <= 0.0 || step.item.kind == Kind::Incubate {
        return None;
    }
    let day = outlook.zone.wall(step.item.from_lab_at).date();
    let by_day: BTreeMap<_, _> =
        load.iter().filter(|load| load.instrument == *name).map(|l| (l.day, l)).collect();
    let load = by_day.get(&day)?;
    (load.hours > load.capacity_hours)
        .then(|| format!("{name} is needed {} h on {day}, and has {} h", load.hours, load.capacity_hours))
}
