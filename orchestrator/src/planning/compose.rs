//! The one entry: input to plan.

use super::allocation::{Share, allocate};
use super::chain::{self, Drop, Scene, Subject, Tails};
use super::fitness;
use super::impossible::Impossible;
use super::input::{BlankPlate, PlanInput};
use super::layout::{Demand, Layout, lay_out};
use super::outcome::{Draw, Plan, PlannedPlate, PlannedWell, Role, Step};
use super::sourcing::{Needs, Pick, Stock, known_labware};
use super::summary;
use crate::campaigns::Spec;
use instruments::labware::{Labware, Well};
use jobs::work::physical::PlateRef;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};

/// Plates, transfers and steps for a batch; pure and deterministic, whatever the order of the experiments.
///
/// Each edit of a perturbation is one transfer of `assay.transfer_volume_nl` into its well: a pair gets twice
/// the volume of a single. A control well gets one transfer.
pub fn plan(input: &PlanInput) -> Result<Plan, Impossible> {
    fitness::check(input)?;
    let labware = known_labware(&input.spec.assay.labware, || "the assay plates".to_owned())?;
    let demand = demand(input.spec, labware);
    check_experiments(input, labware, &demand)?;

    // Which plates there are depends on what the stock holds, and what the stock must hold on how many
    // plates carry controls; so the samples come first.
    let samples = sample_needs(input);
    let everything =
        Needs::from_iter(samples.iter().map(|(c, n)| (*c, *n)).chain(controls(input).map(|(c, _)| (c, 0))));
    let mut stock = Stock::of(input.inventory, &everything, input.spec.assay.transfer_volume_nl)?;
    let shares = allocate(input.experiments, demand.experiments_per_plate(), &stock);
    stock.check(&with_controls(samples, input, shares.len()))?;
    let blanks = choose_blanks(input, &shares)?;
    check_incubator(input, shares.len())?;
    compose(input, &demand, &shares, &blanks, &mut stock)
}

fn compose<'a>(
    input: &'a PlanInput,
    demand: &Demand,
    shares: &[Share<'a>],
    blanks: &[&'a BlankPlate],
    stock: &mut Stock<'a>,
) -> Result<Plan, Impossible> {
    let source_labware = stock.labware();
    let scene = Scene {
        spec: input.spec,
        handler: input.handler,
        incubator: input.incubator,
        reader: input.reader,
        source_labware: &source_labware,
    };
    let mut steps: Vec<Step> = Vec::new();
    let mut plates = Vec::new();
    let mut tails = Tails::default();
    let mut deck_loads = 0;
    let ordinals = input.first_ordinal..;
    for (((ordinal, share), blank), slot) in ordinals.zip(shares).zip(blanks).zip(&input.incubator.slots) {
        let layout = lay_out(demand, share.experiments.len(), &mut chance(input, ordinal))
            .ok_or_else(|| does_not_fit(input, demand))?;
        let wells = fill_wells(input, share, &layout);
        let needs = needs_of(&wells, input, share);
        // Checked in sum above: what is left is always enough.
        let picks = stock.draw(&needs).ok_or_else(|| not_enough(stock, &needs))?;
        let subject = Subject {
            ordinal,
            plate: PlateRef { barcode: blank.barcode.clone(), labware: blank.labware.clone() },
            incubator_slot: slot,
            drops: drops(&wells, &picks),
        };
        let (now, loads) = chain::append(&scene, &subject, tails, &mut steps);
        tails = now;
        deck_loads += loads;
        plates.push(PlannedPlate {
            ordinal,
            barcode: blank.barcode.clone(),
            labware: blank.labware.clone(),
            context: share.context.to_owned(),
            wells,
            draws: draws(&picks, input.spec.assay.transfer_volume_nl),
        });
    }
    let summary = summary::summarise(input, &plates, &steps, deck_loads);
    Ok(Plan { generation: input.generation, plates, steps, summary })
}

/// Experiments that one plate takes beside its controls, where a batch is to fill whole ones; `None` where contexts are
/// mixed as the rule likes or there is one alone, and where none fits.
pub fn whole_plates(spec: &Spec) -> Option<u32> {
    if !spec.acquisition.whole_plates || spec.design.contexts.len() < 2 {
        return None;
    }
    experiments_per_plate(spec)
}

/// Experiments that one plate takes beside its controls; `None` where none fits.
pub fn experiments_per_plate(spec: &Spec) -> Option<u32> {
    let labware = known_labware(&spec.assay.labware, String::new).ok()?;
    u32::try_from(demand(spec, labware).experiments_per_plate()).ok().filter(|experiments| *experiments > 0)
}

fn demand(spec: &Spec, labware: &Labware) -> Demand {
    let [negative, positive] = [&spec.controls.negative, &spec.controls.positive].map(|c| size(c.wells));
    Demand {
        format: labware.format,
        leave_edge_empty: spec.assay.leave_edge_empty,
        negative,
        positive,
        replicates: size(spec.assay.replicates),
    }
}

fn check_experiments(input: &PlanInput, labware: &Labware, demand: &Demand) -> Result<(), Impossible> {
    if input.experiments.is_empty() {
        return Err(Impossible::EmptyBatch);
    }
    if demand.replicates == 0 || demand.experiments_per_plate() == 0 {
        return Err(does_not_fit(input, demand));
    }
    for planned in input.experiments {
        let experiment = &planned.experiment;
        if !input.spec.design.contexts.contains(&experiment.context.0) {
            return Err(Impossible::UnknownContext { context: experiment.context.0.clone() });
        }
        let edits = long(experiment.perturbation.edits().len());
        let volume_nl = edits.saturating_mul(u64::from(input.spec.assay.transfer_volume_nl));
        let capacity_nl = u64::from(labware.capacity().0);
        if volume_nl > capacity_nl {
            return Err(Impossible::WellOverflows {
                perturbation: experiment.perturbation.to_string(),
                labware: labware.load_name.to_owned(),
                volume_nl,
                capacity_nl,
            });
        }
    }
    Ok(())
}

fn does_not_fit(input: &PlanInput, demand: &Demand) -> Impossible {
    let controls = long(demand.negative.saturating_add(demand.positive));
    Impossible::ExperimentDoesNotFit {
        labware: input.spec.assay.labware.clone(),
        replicates: input.spec.assay.replicates,
        controls: u32::try_from(controls).unwrap_or(u32::MAX),
        needed: controls.saturating_add(u64::from(input.spec.assay.replicates)),
        usable: count(demand.usable().len()),
    }
}

/// Content and wells a plate, of both controls.
fn controls<'a>(input: &PlanInput<'a>) -> impl Iterator<Item = (&'a str, u64)> {
    let controls = &input.spec.controls;
    [&controls.negative, &controls.positive].into_iter().map(|c| (c.content.as_str(), u64::from(c.wells)))
}

fn sample_needs<'a>(input: &PlanInput<'a>) -> Needs<'a> {
    let mut needs = Needs::new();
    for edit in input.experiments.iter().flat_map(|planned| planned.experiment.perturbation.edits()) {
        *needs.entry(edit).or_default() += u64::from(input.spec.assay.replicates);
    }
    needs
}

fn with_controls<'a>(mut needs: Needs<'a>, input: &PlanInput<'a>, plates: usize) -> Needs<'a> {
    for (content, wells) in controls(input) {
        *needs.entry(content).or_default() += wells.saturating_mul(long(plates));
    }
    needs.retain(|_, needed| *needed > 0);
    needs
}

/// The blank plate of each share: by barcode, of its context and the assay's labware.
fn choose_blanks<'a>(input: &PlanInput<'a>, shares: &[Share]) -> Result<Vec<&'a BlankPlate>, Impossible> {
    let labware = &input.spec.assay.labware;
    let mut there: BTreeMap<&str, VecDeque<&BlankPlate>> = BTreeMap::new();
    let mut blanks: Vec<&BlankPlate> =
        input.inventory.blanks.iter().filter(|b| b.labware == *labware).collect();
    blanks.sort_by_key(|blank| &blank.barcode);
    blanks.dedup_by_key(|blank| &blank.barcode);
    for blank in blanks {
        there.entry(&blank.context).or_default().push_back(blank);
    }
    let available: BTreeMap<&str, usize> =
        there.iter().map(|(context, blanks)| (*context, blanks.len())).collect();
    let choose = |share: &Share| {
        there.get_mut(share.context).and_then(VecDeque::pop_front).ok_or_else(|| Impossible::NoBlankPlate {
            context: share.context.to_owned(),
            labware: labware.clone(),
            needed: count(shares.iter().filter(|other| other.context == share.context).count()),
            available: count(available.get(share.context).copied().unwrap_or(0)),
        })
    };
    shares.iter().map(choose).collect()
}

fn check_incubator(input: &PlanInput, plates: usize) -> Result<(), Impossible> {
    let free = input.incubator.slots.len();
    if plates > free {
        let incubator = input.spec.bench.incubator.clone();
        return Err(Impossible::NoIncubatorSlot { incubator, needed: count(plates), available: count(free) });
    }
    Ok(())
}

/// Chance of its own for each plate, so that one plate's layout does not hang on another's size.
fn chance(input: &PlanInput, ordinal: u32) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(b"loopwright layout 1");
    hash.update(input.layout_seed.to_le_bytes());
    hash.update(input.generation.to_le_bytes());
    hash.update(ordinal.to_le_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// The plate map, row by row.
fn fill_wells(input: &PlanInput, share: &Share, layout: &Layout) -> Vec<PlannedWell> {
    let controls = &input.spec.controls;
    let roles = [
        (Role::NegativeControl, &controls.negative.content, &layout.negative),
        (Role::PositiveControl, &controls.positive.content, &layout.positive),
    ];
    let mut wells = Vec::new();
    for (role, content, places) in roles {
        for (well, replicate) in places.iter().zip(1..) {
            wells.push(PlannedWell {
                well: *well,
                role,
                proposal: None,
                replicate,
                contents: vec![content.clone()],
            });
        }
    }
    for (block, replicate) in layout.samples.iter().zip(1..) {
        for (well, planned) in block.iter().zip(&share.experiments) {
            let contents = planned.experiment.perturbation.edits().to_vec();
            let proposal = Some(planned.proposal);
            wells.push(PlannedWell { well: *well, role: Role::Sample, proposal, replicate, contents });
        }
    }
    wells.sort_by_key(|planned| planned.well);
    wells
}

fn needs_of<'a>(wells: &[PlannedWell], input: &PlanInput<'a>, share: &Share<'a>) -> Needs<'a> {
    let edits = share.experiments.iter().flat_map(|planned| planned.experiment.perturbation.edits());
    let names = edits.map(String::as_str).chain(controls(input).map(|(content, _)| content));
    let mut needs: Needs = names.map(|name| (name, 0)).collect();
    for content in wells.iter().flat_map(|planned| &planned.contents) {
        if let Some(needed) = needs.get_mut(content.as_str()) {
            *needed += 1;
        }
    }
    needs.retain(|_, needed| *needed > 0);
    needs
}

fn not_enough(stock: &Stock, needs: &Needs) -> Impossible {
    stock.check(needs).err().unwrap_or(Impossible::NotEnoughVolume { shortages: Vec::new() })
}

/// Each content's wells take, in the order of the map, from its picks, in theirs.
fn drops<'a>(wells: &[PlannedWell], picks: &BTreeMap<&'a str, Vec<Pick<'a>>>) -> Vec<Drop<'a>> {
    let mut destinations: BTreeMap<&str, Vec<Well>> = BTreeMap::new();
    for planned in wells {
        for content in &planned.contents {
            destinations.entry(content).or_default().push(planned.well);
        }
    }
    let mut drops = Vec::new();
    for (content, from) in picks {
        let sources = from.iter().flat_map(|pick| (0..pick.transfers).map(move |_| pick.source));
        let wells = destinations.get(content).map_or(&[][..], Vec::as_slice);
        drops.extend(wells.iter().zip(sources).map(|(well, source)| Drop {
            source_barcode: &source.barcode,
            source_well: source.well,
            destination_well: *well,
        }));
    }
    drops.sort();
    drops
}

fn draws(picks: &BTreeMap<&str, Vec<Pick>>, transfer_nl: u32) -> Vec<Draw> {
    let draw = |pick: &Pick| Draw {
        source_barcode: pick.source.barcode.clone(),
        source_well: pick.source.well,
        volume_nl: pick.transfers.saturating_mul(u64::from(transfer_nl)),
    };
    let mut draws: Vec<Draw> = picks.values().flatten().map(draw).collect();
    draws.sort_by(|a, b| (&a.source_barcode, a.source_well).cmp(&(&b.source_barcode, b.source_well)));
    draws
}

pub(super) fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

fn long(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
