//! Where each transfer is drawn from: few library plates, several wells where one is not enough, and never
//! below a well's dead volume and what is kept beside it for pipettes that take more than they are asked for.

use super::impossible::{Impossible, Shortage};
use super::input::{Inventory, SourceWell};
use instruments::labware::Labware;
use std::collections::{BTreeMap, BTreeSet};

/// Transfers wanted, by content.
pub(super) type Needs<'a> = BTreeMap<&'a str, u64>;

/// What is left to draw from, counted in whole transfers.
#[derive(Clone, Debug)]
pub(super) struct Stock<'a> {
    transfer_nl: u64,
    /// By content, each ordered by barcode and well.
    wells: BTreeMap<&'a str, Vec<Supply<'a>>>,
}

#[derive(Clone, Debug)]
struct Supply<'a> {
    source: &'a SourceWell,
    transfers: u64,
}

/// So many transfers from one well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pick<'a> {
    pub source: &'a SourceWell,
    pub transfers: u64,
}

impl<'a> Stock<'a> {
    /// Of `contents` only.
    pub fn of(inventory: &'a Inventory, contents: &Needs<'a>, transfer_nl: u32) -> Result<Self, Impossible> {
        let transfer_nl = u64::from(transfer_nl.max(1));
        let mut wells = BTreeMap::new();
        for content in contents.keys().copied() {
            let Some(sources) = inventory.sources.get(content) else { continue };
            let mut supplies =
                sources.iter().map(|s| Supply::of(s, transfer_nl)).collect::<Result<Vec<_>, _>>()?;
            supplies
                .sort_by(|a, b| (&a.source.barcode, a.source.well).cmp(&(&b.source.barcode, b.source.well)));
            // The same well named twice is one well.
            supplies
                .dedup_by(|a, b| (&a.source.barcode, a.source.well) == (&b.source.barcode, b.source.well));
            wells.insert(content, supplies);
        }
        Ok(Self { transfer_nl, wells })
    }

    /// Refuses what there is none, or too little, of; names all of it.
    pub fn check(&self, needs: &Needs) -> Result<(), Impossible> {
        let unknown = |content: &str| self.wells.get(content).is_none_or(Vec::is_empty);
        let contents: Vec<String> = needs.keys().filter(|c| unknown(c)).map(ToString::to_string).collect();
        if !contents.is_empty() {
            return Err(Impossible::UnknownContent { contents });
        }
        let short = |(content, needed): (&&str, &u64)| {
            let there = self.supplies(content).iter().map(|s| s.transfers).sum::<u64>();
            let nl = |transfers: u64| transfers.saturating_mul(self.transfer_nl);
            (there < *needed).then(|| Shortage {
                content: (*content).to_owned(),
                needed_nl: nl(*needed),
                available_nl: nl(there),
            })
        };
        let shortages: Vec<Shortage> = needs.iter().filter_map(short).collect();
        if shortages.is_empty() { Ok(()) } else { Err(Impossible::NotEnoughVolume { shortages }) }
    }

    /// Labware of every library plate that may be drawn from, by barcode.
    pub fn labware(&self) -> BTreeMap<&'a str, &'a str> {
        let supplies = self.wells.values().flatten();
        supplies.map(|s| (s.source.barcode.as_str(), s.source.labware.as_str())).collect()
    }

    /// The library plate that `content` comes from first; experiments are grouped by it.
    pub fn home(&self, content: &str) -> Option<&'a str> {
        self.supplies(content).iter().find(|s| s.transfers > 0).map(|s| s.source.barcode.as_str())
    }

    /// Draws `needs`, from few plates, and leaves the rest; `None` when there is too little.
    pub fn draw(&mut self, needs: &Needs<'a>) -> Option<BTreeMap<&'a str, Vec<Pick<'a>>>> {
        let plates = self.choose_plates(needs)?;
        let mut picks = BTreeMap::new();
        for (content, needed) in needs {
            let mut missing = *needed;
            let mut from = Vec::new();
            for supply in self.wells.get_mut(content)?.iter_mut() {
                let transfers = supply.transfers.min(missing);
                if transfers > 0 && plates.contains(supply.source.barcode.as_str()) {
                    supply.transfers -= transfers;
                    missing -= transfers;
                    from.push(Pick { source: supply.source, transfers });
                }
            }
            if missing > 0 {
                return None;
            }
            picks.insert(*content, from);
        }
        Some(picks)
    }

    /// A small set of plates that covers `needs`: those without an alternative first, then greedily the one
    /// that covers most of what is still missing (set cover; ties by barcode).
    fn choose_plates(&self, needs: &Needs) -> Option<BTreeSet<&'a str>> {
        let mut chosen: BTreeSet<&'a str> = BTreeSet::new();
        loop {
            let missing: Vec<(&str, u64)> = needs
                .iter()
                .map(|(content, needed)| {
                    let covered = self.transfers_on(content, |barcode| chosen.contains(barcode));
                    (*content, needed.saturating_sub(covered))
                })
                .filter(|(_, missing)| *missing > 0)
                .collect();
            if missing.is_empty() {
                return Some(chosen);
            }
            let forced = missing.iter().find_map(|(content, _)| self.only_plate(content, &chosen));
            chosen.insert(forced.or_else(|| self.best_plate(&missing, &chosen))?);
        }
    }

    /// The one plate outside `chosen` that holds `content`, if it is one.
    fn only_plate(&self, content: &str, chosen: &BTreeSet<&str>) -> Option<&'a str> {
        let mut candidates = self.open_plates(content, chosen);
        let only = candidates.next()?;
        candidates.all(|other| other == only).then_some(only)
    }

    fn best_plate(&self, missing: &[(&str, u64)], chosen: &BTreeSet<&str>) -> Option<&'a str> {
        let candidates: BTreeSet<&'a str> =
            missing.iter().flat_map(|(content, _)| self.open_plates(content, chosen)).collect();
        let gain = |plate: &str| -> u64 {
            missing
                .iter()
                .map(|(content, wanted)| self.transfers_on(content, |b| b == plate).min(*wanted))
                .sum()
        };
        // max_by_key takes the last of equals: reversed, the first barcode wins.
        candidates.into_iter().rev().max_by_key(|plate| gain(plate))
    }

    fn open_plates<'s>(
        &'s self,
        content: &str,
        chosen: &'s BTreeSet<&str>,
    ) -> impl Iterator<Item = &'a str> + 's {
        let open = |s: &&Supply| s.transfers > 0 && !chosen.contains(s.source.barcode.as_str());
        self.supplies(content).iter().filter(open).map(|s| s.source.barcode.as_str())
    }

    fn transfers_on(&self, content: &str, on: impl Fn(&str) -> bool) -> u64 {
        self.supplies(content).iter().filter(|s| on(&s.source.barcode)).map(|s| s.transfers).sum()
    }

    fn supplies(&self, content: &str) -> &[Supply<'a>] {
        self.wells.get(content).map_or(&[], Vec::as_slice)
    }
}

impl<'a> Supply<'a> {
    fn of(source: &'a SourceWell, transfer_nl: u64) -> Result<Self, Impossible> {
        let labware = known_labware(&source.labware, || format!("library plate {}", source.barcode))?;
        Ok(Self { source, transfers: labware.drawable_nl(source.available_nl) / transfer_nl })
    }
}

/// The labware by its load name, or the refusal that names whose it is.
pub(super) fn known_labware(
    load_name: &str,
    of: impl FnOnce() -> String,
) -> Result<&'static Labware, Impossible> {
    Labware::by_load_name(load_name).map_err(|_| Impossible::UnknownLabware {
        labware: load_name.to_owned(),
        what: of(),
        known: Labware::all().iter().map(|l| l.load_name).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 384-well library plates keep 10,000 nL, and 1,120 nL in reserve.
    fn source(barcode: &str, well: &str, drawable_nl: u64) -> SourceWell {
        SourceWell {
            barcode: barcode.into(),
            labware: "corning_384_wellplate_112ul_flat".into(),
            well: well.parse().unwrap(),
            available_nl: 11_120 + drawable_nl,
        }
    }

    fn inventory(sources: &[(&str, SourceWell)]) -> Inventory {
        let mut inventory = Inventory::default();
        for (content, source) in sources {
            inventory.sources.entry((*content).into()).or_default().push(source.clone());
        }
        inventory
    }

    #[test]
    fn dead_volume_and_reserve_stay_and_a_second_well_makes_up() {
        let inventory = inventory(&[("A", source("L1", "A2", 1_999)), ("A", source("L1", "A1", 3_000))]);
        let needs = Needs::from([("A", 4)]);
        let mut stock = Stock::of(&inventory, &needs, 1_000).unwrap();
        stock.check(&needs).unwrap();
        let picks = stock.draw(&needs).unwrap();
        let drawn: Vec<(String, u64)> =
            picks["A"].iter().map(|p| (p.source.well.to_string(), p.transfers)).collect();
        assert_eq!(drawn, [("A1".to_owned(), 3), ("A2".to_owned(), 1)]);
        assert!(stock.draw(&Needs::from([("A", 1)])).is_none());
    }

    #[test]
    fn every_shortage_is_named_at_once() {
        let inventory = inventory(&[("A", source("L1", "A1", 2_000)), ("B", source("L1", "A2", 999))]);
        let needs = Needs::from([("A", 3), ("B", 1)]);
        let refused = Stock::of(&inventory, &needs, 1_000).unwrap().check(&needs).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "not enough volume of A (needs 3000 nL, has 2000 nL), B (needs 1000 nL, has 0 nL) beyond what wells keep; \
             remove experiments, or register fresh library plates"
        );
        let needs = Needs::from([("A", 1), ("X", 1)]);
        let refused = Stock::of(&inventory, &needs, 1_000).unwrap().check(&needs).unwrap_err();
        assert_eq!(refused, Impossible::UnknownContent { contents: vec!["X".into()] });
    }

    #[test]
    fn contents_that_stand_on_many_plates_come_from_those_used_anyhow() {
        let inventory = inventory(&[
            ("A", source("L2", "A1", 5_000)),
            ("NEG", source("L1", "P1", 5_000)),
            ("NEG", source("L2", "P1", 5_000)),
            ("NEG", source("L3", "P1", 5_000)),
        ]);
        let needs = Needs::from([("A", 1), ("NEG", 5)]);
        let picks = Stock::of(&inventory, &needs, 1_000).unwrap().draw(&needs).unwrap();
        assert!(picks.values().flatten().all(|pick| pick.source.barcode == "L2"));
    }
}
