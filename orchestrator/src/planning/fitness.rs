//! Whether the campaign's instruments can carry it out at all.

use super::impossible::Impossible;
use super::input::PlanInput;
use std::collections::BTreeSet;

/// Refuses profiles that no plan could be made for.
pub(super) fn check(input: &PlanInput) -> Result<(), Impossible> {
    check_handler(input)?;
    let bench = &input.spec.bench;
    if input.reader.slots.is_empty() {
        return Err(unfit(&bench.reader, "it has no slot"));
    }
    if has_repeats(&input.incubator.slots) {
        return Err(unfit(&bench.incubator, "it names a slot twice"));
    }
    Ok(())
}

fn check_handler(input: &PlanInput) -> Result<(), Impossible> {
    let handler = input.handler;
    let volume = input.spec.assay.transfer_volume_nl;
    let slots = std::iter::once(&handler.destination_slot)
        .chain(&handler.source_slots)
        .chain(&handler.tip_rack_slots);
    let why = if handler.source_slots.is_empty() {
        "it has no slot for library plates".to_owned()
    } else if handler.tips_per_run() == 0 {
        "it has no tips".to_owned()
    } else if has_repeats(slots) {
        "it uses a slot for two things".to_owned()
    } else if let Some(least) = handler.minimum_transfer_nl.filter(|least| volume < *least) {
        format!("it draws {least} nL at least, and assay.transfer_volume_nl is {volume}")
    } else if let Some(most) = handler.maximum_transfer_nl.filter(|most| volume > *most) {
        format!("a tip holds {most} nL, and assay.transfer_volume_nl is {volume}")
    } else {
        return Ok(());
    };
    Err(unfit(&input.spec.bench.handler, why))
}

fn unfit(instrument: &str, why: impl Into<String>) -> Impossible {
    Impossible::UnfitInstrument { instrument: instrument.to_owned(), why: why.into() }
}

fn has_repeats<'a>(names: impl IntoIterator<Item = &'a String>) -> bool {
    let mut seen = BTreeSet::new();
    names.into_iter().any(|name| !seen.insert(name))
}
