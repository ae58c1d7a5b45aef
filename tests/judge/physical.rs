//! What was done to plates.

use super::{Verdict, text};
use crate::laboratory::Laboratory;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// From where to where: source plate, source well, destination plate, destination well.
type Transfer = (String, String, String, String);

pub(super) fn judge(laboratory: &Laboratory, truth: &[Value], verdict: &mut Verdict) -> anyhow::Result<()> {
    let done = transfers(truth);
    for (transfer, times) in &done {
        if *times > 1 {
            verdict.repeated.push(format!("{transfer:?} was dispensed {times} times"));
        }
    }
    for (barcode, times) in counted(truth, "incubated") {
        if times > 1 {
            verdict.repeated.push(format!("plate {barcode} was incubated {times} times"));
        }
    }
    let planned = planned(laboratory)?;
    let read: BTreeSet<&str> = events(truth, "plate_read").map(|event| text(event, "/barcode")).collect();
    for barcode in read {
        let into = |(transfer, _): &(&Transfer, &u32)| transfer.2 == barcode;
        let got: BTreeSet<&Transfer> = done.iter().filter(into).map(|(transfer, _)| transfer).collect();
        let asked: BTreeSet<&Transfer> = planned.iter().filter(|transfer| transfer.2 == barcode).collect();
        if asked.is_empty() {
            verdict.broken.push(format!("plate {barcode} was read, and no finished job had filled it"));
        }
        if got != asked {
            let (missing, more) = (asked.difference(&got).count(), got.difference(&asked).count());
            verdict.broken.push(format!("plate {barcode} lacks {missing} transfers and has {more} others"));
        }
    }
    Ok(())
}

fn events<'a>(truth: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    truth.iter().filter(move |event| event["event"] == kind)
}

fn transfers(truth: &[Value]) -> BTreeMap<Transfer, u32> {
    let mut times = BTreeMap::new();
    for event in events(truth, "transferred") {
        let at = |pointer: &str| text(event, pointer).to_owned();
        let transfer =
            (at("/source/barcode"), at("/source/well"), at("/destination/barcode"), at("/destination/well"));
        *times.entry(transfer).or_default() += 1;
    }
    times
}

fn counted(truth: &[Value], kind: &str) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for event in events(truth, kind) {
        *times.entry(text(event, "/barcode").to_owned()).or_default() += 1;
    }
    times
}

/// What finished dispenses had been asked to do.
fn planned(laboratory: &Laboratory) -> anyhow::Result<BTreeSet<Transfer>> {
    let asked = laboratory.database(
        "select job.payload -> 'transfers' as transfers
         from job join job_outcome on job_outcome.job_id = job.id
         where job.kind = 'dispense' and job_outcome.state = 'succeeded'",
    )?;
    let all = asked.iter().filter_map(|job| job["transfers"].as_array()).flatten();
    Ok(all
        .map(|transfer| {
            let at = |pointer: &str| text(transfer, pointer).to_owned();
            (at("/source_barcode"), at("/source_well"), at("/destination_barcode"), at("/destination_well"))
        })
        .collect())
}
