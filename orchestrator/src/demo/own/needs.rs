//! What the bench must be for a campaign, and what it must have in stock.

use crate::campaigns::Spec;
use crate::campaigns::design::Pool;
use crate::campaigns::readout::{Kind, ReadoutSpec, Scale};
use crate::campaigns::spec::{Combinations, HitRule};
use anyhow::Context;
use instruments::labware::{Labware, PlateFormat};
use jobs::dose;
use jobs::work::learn::Objective;
use jobs::work::readout::Constraint;
use serde_json::{Value, json};

/// Plates of every kind beyond what the budget asks for: some are made again.
const IN_RESERVE: u64 = 2;
/// What wells of the bench's source and control plates (384 wells) hold, in nanolitres.
const SOURCE_WELL_NL: u64 = 60_000;
const CONTROL_WELL_NL: u64 = 110_000;
/// Wells of each control on its plate.
const CONTROL_WELLS: u64 = 192;
/// Wells of the whole library, with its copies: more would take minutes to register.
const MOST_LIBRARY_WELLS: u64 = 60_000;
/// Places of the demo's incubator, and of the bench's at most.
const FEWEST_SLOTS: u64 = 44;
const MOST_SLOTS: u64 = 9_999;
/// A guide has its full effect from this part of the transferred volume on: what is drawn scatters.
const SATURATION: f64 = 0.8;

/// Options and the assay of the bench.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    pub format: PlateFormat,
    /// Blank plates, over all contexts.
    pub assay_plates: u64,
    pub control_plates: u64,
    /// Of each library plate.
    pub library_copies: u64,
    /// Places of the incubator.
    pub incubator_slots: u64,
    pub saturating_dose_nl: u32,
    /// As `loopwright-bench --assay` reads it.
    pub assay: Value,
}

impl Needs {
    /// `spec`: the copy that runs; `pool`: its design space.
    pub fn of(spec: &Spec, pool: &Pool) -> anyhow::Result<Self> {
        let labware = Labware::by_load_name(&spec.assay.labware).context("assay.labware")?;
        let contexts = u64::try_from(spec.design.contexts.len())?;
        let plates_a_round = contexts * plates(spec, labware.format);
        let assay_plates = IN_RESERVE * (u64::from(spec.budget.rounds) * plates_a_round + contexts);
        let volume = u64::from(spec.assay.transfer_volume_nl);
        let controls = u64::from(spec.controls.negative.wells.max(spec.controls.positive.wells));
        let source = Labware::of_format(PlateFormat::Wells384);
        let transfers_a_well = |holds: u64| (source.drawable_nl(holds) / volume.max(1)).max(1);
        let edits = u64::try_from(pool.genes().len())?.max(1);
        let copies =
            (IN_RESERVE * transfers_of_an_edit(spec, edits)).div_ceil(transfers_a_well(SOURCE_WELL_NL));
        Ok(Self {
            format: labware.format,
            assay_plates,
            control_plates: (assay_plates * controls)
                .div_ceil(CONTROL_WELLS * transfers_a_well(CONTROL_WELL_NL))
                .max(1),
            library_copies: copies.clamp(1, (MOST_LIBRARY_WELLS / edits).max(1)),
            incubator_slots: (IN_RESERVE * plates_a_round).clamp(FEWEST_SLOTS, MOST_SLOTS),
            // Above zero and below the volume.
            saturating_dose_nl: (SATURATION * f64::from(spec.assay.transfer_volume_nl)) as u32,
            assay: assay(spec, pool),
        })
    }
}

/// Of the edit that is asked for most, at most: all that the budget has, or every experiment that it is part of.
fn transfers_of_an_edit(spec: &Spec, edits: u64) -> u64 {
    let sets = match spec.design.combinations {
        Combinations::Singles => 1,
        Combinations::Pairs => edits - 1,
        Combinations::SinglesAndPairs => edits,
    };
    let contexts = u64::try_from(spec.design.contexts.len()).unwrap_or(u64::MAX);
    let again =
        if spec.acquisition.replicate_share.is_some() { spec.acquisition.most_measurements() } else { 1 };
    let there = sets.saturating_mul(contexts).saturating_mul(again.into());
    let budget = u64::from(spec.budget.rounds) * u64::from(spec.budget.batch);
    budget.min(there).saturating_mul(u64::from(spec.assay.replicates))
}

/// For a round in one context.
fn plates(spec: &Spec, format: PlateFormat) -> u64 {
    let is_left_empty = |well| spec.assay.leave_edge_empty && format.is_edge(well);
    let wells = format.wells().filter(|well| !is_left_empty(*well)).count();
    let controls = spec.controls.negative.wells + spec.controls.positive.wells;
    let samples = u64::try_from(wells).unwrap_or(0).saturating_sub(u64::from(controls));
    let a_plate = (samples / u64::from(spec.assay.replicates.max(1))).max(1);
    u64::from(spec.budget.batch).div_ceil(a_plate)
}

fn assay(spec: &Spec, pool: &Pool) -> Value {
    let (hits, hit_at) = hits(spec);
    let edits: Vec<Value> = pool.genes().iter().map(|gene| edit(gene)).collect();
    json!({
        "edits": edits,
        "contexts": spec.design.contexts,
        "singles": spec.design.combinations != Combinations::Pairs,
        "pairs": spec.design.combinations != Combinations::Singles,
        "negative": spec.controls.negative.content,
        "positive": spec.controls.positive.content,
        "channels": channels(spec),
        "hits": hits,
        "hit_at": hit_at,
    })
}

fn edit(name: &str) -> Value {
    let (compound, dose) = dose::split(name);
    let dose = dose.map(|dose| json!({"compound": compound, "log10_molar": dose.log10_molar()}));
    json!({"name": name, "dose": dose})
}

/// Which way hits lie, and how far, where the file's rule says both and makes sense of an edit that does nothing.
fn hits(spec: &Spec) -> (&'static str, Option<f64>) {
    match spec.objective.hit {
        HitRule::AtLeast(threshold) if threshold > 0.0 => ("toward_positive", Some(threshold)),
        HitRule::AtMost(threshold) if threshold < 0.0 => ("away_from_positive", Some(-threshold)),
        HitRule::TwoSided(threshold) if threshold > 0.0 => ("both", Some(threshold)),
        _ => match spec.objective.direction {
            Objective::Maximise => ("toward_positive", None),
            Objective::Minimise => ("away_from_positive", None),
            Objective::TwoSided => ("both", None),
        },
    }
}

/// Each channel that the campaign reads, and what it shows. A constraint from below is on cells alive, one from above on
/// cells dead: those are what the bench knows beside the effect.
fn channels(spec: &Spec) -> Vec<Value> {
    let mut shown = vec![(spec.objective.channel.clone(), json!("signal"))];
    if let HitRule::Channel(call) = &spec.objective.hit {
        shown.push((call.clone(), json!("call")));
    }
    for readout in &spec.readouts {
        shown.extend(readout.channels().into_iter().map(|(channel, _)| (channel, shows(readout))));
    }
    let mut channels: Vec<Value> = Vec::new();
    for (name, shows) in shown {
        if channels.iter().all(|channel| channel["name"] != name.as_str()) {
            channels.push(json!({"name": name, "shows": shows}));
        }
    }
    channels
}

fn shows(readout: &ReadoutSpec) -> Value {
    match (readout.kind, &readout.constraint) {
        (Kind::Ordinal | Kind::Class, _) => json!({"level": {"labels": readout.labels.len()}}),
        // Between the controls the effect alone has a scale.
        (Kind::Continuous, Some(Constraint { at_least: Some(_), .. }))
            if readout.scale == Scale::BothControls =>
        {
            json!("signal")
        }
        (Kind::Continuous, Some(Constraint { at_least: Some(_), .. })) => json!("viability"),
        (Kind::Continuous, Some(Constraint { at_most: Some(_), .. })) => json!("death"),
        (Kind::Continuous | Kind::Vector, _) => json!("component"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(change: impl FnOnce(String) -> String, genes: &str) -> Needs {
        let text = change(include_str!("../../../../examples/pairs/campaign.toml").to_owned());
        let spec = Spec::parse_with_warnings(&text).unwrap().0;
        let pool = Pool::expand(&spec.design, genes).unwrap();
        Needs::of(&spec, &pool).unwrap()
    }

    fn genes(count: usize) -> String {
        std::iter::once("gene\n".to_owned()).chain((0..count).map(|n| format!("G{n}\n"))).collect()
    }

    #[test]
    fn there_is_more_in_stock_than_the_budget_asks_for() {
        let needs = needs(|text| text, &genes(32));
        assert_eq!(needs.format, PlateFormat::Wells96);
        // 60 wells without the edge, 12 of them controls, in duplicate: 24 experiments a plate, 4 plates for 96; as many
        // again for the other line, and twice all of it.
        assert_eq!(needs.assay_plates, 2 * (4 * 8 + 2));
        // An edit is in 32 sets in each of two lines, in duplicate; a well gives 24 transfers of 2 ul, and twice as much is
        // there.
        assert_eq!(needs.library_copies, (2 * 32 * 2 * 2_u64).div_ceil(24));
        assert_eq!((needs.control_plates, needs.saturating_dose_nl, needs.incubator_slots), (1, 1_600, 44));
    }

    #[test]
    fn the_incubator_holds_a_round_whose_plates_take_one_experiment_each() {
        let one_each = |text: String| text.replace("replicates = 2", "replicates = 40");
        assert_eq!(needs(one_each, &genes(32)).incubator_slots, 2 * 2 * 96);
    }

    #[test]
    fn the_bench_is_told_the_campaigns_words() {
        let change = |text: String| {
            let text = text.replace("hit = { at_least = 0.6 }", "hit = { at_most = -0.25 }");
            text.replace(
                "[model]",
                "[[readouts]]\nname = \"tox\"\nchannel = \"LDH\"\nconstraint = { at_most = 2.0 }\n\
                 [[readouts]]\nname = \"alive\"\nconstraint = { at_least = 0.5 }\n\
                 [[readouts]]\nname = \"shape\"\nkind = \"ordinal\"\nlabels = [\"round\", \"flat\"]\n\
                 [[readouts]]\nname = \"cytokines\"\nkind = \"vector\"\ncomponents = [\"IL2\", \"IL6\"]\n[model]",
            )
        };
        let assay = needs(change, "gene\nA@10nM\nB\n").assay;
        assert_eq!(assay["hits"], "away_from_positive");
        assert_eq!(assay["hit_at"], 0.25);
        assert_eq!(assay["edits"][0]["dose"]["compound"], "A");
        assert_eq!(assay["edits"][1], json!({"name": "B", "dose": null}));
        assert_eq!((&assay["singles"], &assay["pairs"]), (&json!(true), &json!(true)));
        let shown: Vec<String> = assay["channels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|channel| format!("{} {}", channel["name"].as_str().unwrap(), channel["shows"]))
            .collect();
        let expected = [
            "signal \"signal\"",
            "LDH \"death\"",
            "alive \"viability\"",
            "shape {\"level\":{\"labels\":2}}",
            "IL2 \"component\"",
            "IL6 \"component\"",
        ];
        assert_eq!(shown, expected);
    }
}
