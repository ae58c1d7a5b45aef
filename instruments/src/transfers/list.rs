//! The checked list.

use crate::labware::{Barcode, Labware, Nanolitres, Well};
use jobs::JobId;
use jobs::work::physical::{DeckPlate, Dispense, Transfer};

/// Transfers between wells that exist, on plates that are known.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferList {
    /// Whose transfers they are; written where a worklist has room for a comment.
    pub job_id: JobId,
    pub plates: Vec<ListedPlate>,
    pub transfers: Vec<ListedTransfer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListedPlate {
    pub barcode: Barcode,
    pub labware: &'static Labware,
    /// Where it stands on the deck.
    pub slot: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListedTransfer {
    /// Index into [`TransferList::plates`].
    source: usize,
    pub source_well: Well,
    destination: usize,
    pub destination_well: Well,
    pub volume: Nanolitres,
    pub liquid_class: String,
}

/// The list makes no sense. Says where: `transfers[3]`, `deck[0]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ListError {
    pub place: String,
    pub problem: ListProblem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    #[error("there are no transfers")]
    Empty,
    #[error("plate {0} is not on the deck")]
    PlateNotOnDeck(String),
    #[error("slot {0} or plate {1} is on the deck twice")]
    Twice(String, String),
    #[error("the volume is 0")]
    NoVolume,
    #[error("liquid class {0:?} is not 1 to 64 printable characters without ',', ';' or quotes")]
    LiquidClass(String),
    #[error(transparent)]
    Barcode(#[from] crate::labware::NotABarcode),
    #[error(transparent)]
    Labware(#[from] crate::labware::UnknownLabware),
    #[error(transparent)]
    Well(#[from] crate::labware::NotAWell),
    #[error(transparent)]
    Outside(#[from] crate::labware::WellOutsidePlate),
}

impl TransferList {
    /// Checks what a dispense job asks for.
    pub fn check(job_id: JobId, dispense: &Dispense) -> Result<Self, ListError> {
        let at = |place: &str, index: usize| format!("{place}[{index}]");
        if dispense.transfers.is_empty() {
            return Err(ListError { place: "transfers".to_owned(), problem: ListProblem::Empty });
        }
        let mut plates: Vec<ListedPlate> = Vec::with_capacity(dispense.deck.len());
        for (index, plate) in dispense.deck.iter().enumerate() {
            let plate = check_plate(plate, &plates)
                .map_err(|problem| ListError { place: at("deck", index), problem })?;
            plates.push(plate);
        }
        let transfers = dispense
            .transfers
            .iter()
            .enumerate()
            .map(|(index, transfer)| {
                check_transfer(transfer, &plates)
                    .map_err(|problem| ListError { place: at("transfers", index), problem })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { job_id, plates, transfers })
    }

    pub fn source(&self, transfer: &ListedTransfer) -> &ListedPlate {
        self.plate(transfer.source)
    }

    pub fn destination(&self, transfer: &ListedTransfer) -> &ListedPlate {
        self.plate(transfer.destination)
    }

    fn plate(&self, index: usize) -> &ListedPlate {
        self.plates.get(index).expect("`check` made the index from these plates")
    }
}

fn check_plate(plate: &DeckPlate, before: &[ListedPlate]) -> Result<ListedPlate, ListProblem> {
    let barcode: Barcode = plate.plate.barcode.parse()?;
    let labware = Labware::by_load_name(&plate.plate.labware)?;
    if before.iter().any(|other| other.barcode == barcode || other.slot == plate.slot) {
        return Err(ListProblem::Twice(plate.slot.clone(), plate.plate.barcode.clone()));
    }
    Ok(ListedPlate { barcode, labware, slot: plate.slot.clone() })
}

fn check_transfer(transfer: &Transfer, plates: &[ListedPlate]) -> Result<ListedTransfer, ListProblem> {
    let end = |barcode: &str, well: &str| -> Result<(usize, Well), ListProblem> {
        let (index, plate) = plates
            .iter()
            .enumerate()
            .find(|(_, plate)| plate.barcode.as_str() == barcode)
            .ok_or_else(|| ListProblem::PlateNotOnDeck(barcode.to_owned()))?;
        Ok((index, plate.labware.format.check(well.parse()?)?))
    };
    let (source, source_well) = end(&transfer.source_barcode, &transfer.source_well)?;
    let (destination, destination_well) = end(&transfer.destination_barcode, &transfer.destination_well)?;
    if transfer.volume_nl == 0 {
        return Err(ListProblem::NoVolume);
    }
    if !is_liquid_class(&transfer.liquid_class) {
        return Err(ListProblem::LiquidClass(transfer.liquid_class.clone()));
    }
    Ok(ListedTransfer {
        source,
        source_well,
        destination,
        destination_well,
        volume: Nanolitres(transfer.volume_nl),
        liquid_class: transfer.liquid_class.clone(),
    })
}

fn is_liquid_class(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !matches!(c, ',' | ';' | '"');
    (1..=64).contains(&name.len()) && name.trim() == name && name.chars().all(plain)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use jobs::work::physical::PlateRef;

    fn plate(slot: &str, barcode: &str, labware: &str) -> DeckPlate {
        let plate = PlateRef { barcode: barcode.to_owned(), labware: labware.to_owned() };
        DeckPlate { slot: slot.to_owned(), plate }
    }

    fn transfer(from: (&str, &str), to: (&str, &str), volume_nl: u32) -> Transfer {
        Transfer {
            source_barcode: from.0.to_owned(),
            source_well: from.1.to_owned(),
            destination_barcode: to.0.to_owned(),
            destination_well: to.1.to_owned(),
            volume_nl,
            liquid_class: "water".to_owned(),
        }
    }

    /// Two library plates (384 and 96 wells) into one 384-well plate.
    pub(in crate::transfers) fn example() -> Dispense {
        Dispense {
            deck: vec![
                plate("1", "P-1", "corning_384_wellplate_112ul_flat"),
                plate("2", "LIB-1", "corning_384_wellplate_112ul_flat"),
                plate("3", "LIB-2", "nest_96_wellplate_200ul_flat"),
            ],
            tip_rack_slots: vec!["10".to_owned(), "11".to_owned()],
            transfers: vec![
                transfer(("LIB-1", "A2"), ("P-1", "B2"), 2_500),
                transfer(("LIB-2", "H12"), ("P-1", "B02"), 1_000),
                transfer(("LIB-1", "P24"), ("P-1", "O23"), 10_050),
            ],
        }
    }

    pub(in crate::transfers) fn job() -> JobId {
        "0190d000-0000-7000-8000-000000000001".parse().unwrap()
    }

    pub(in crate::transfers) fn example_list() -> TransferList {
        TransferList::check(job(), &example()).unwrap()
    }

    #[test]
    fn an_error_says_where_and_what() {
        let broken = |change: fn(&mut Dispense)| {
            let mut dispense = example();
            change(&mut dispense);
            TransferList::check(job(), &dispense).unwrap_err().to_string()
        };
        insta::assert_snapshot!(broken(|d| d.transfers[1].source_well = "A13".into()), @"transfers[1]: a 96-well plate has no well A13");
        insta::assert_snapshot!(broken(|d| d.transfers[2].destination_well = "b".into()), @r#"transfers[2]: "b" is not a well: A1 to AF48"#);
        insta::assert_snapshot!(broken(|d| d.transfers[0].source_barcode = "LIB-9".into()), @"transfers[0]: plate LIB-9 is not on the deck");
        insta::assert_snapshot!(broken(|d| d.transfers[0].volume_nl = 0), @"transfers[0]: the volume is 0");
        insta::assert_snapshot!(broken(|d| d.transfers[0].liquid_class = "a;b".into()), @r#"transfers[0]: liquid class "a;b" is not 1 to 64 printable characters without ',', ';' or quotes"#);
        insta::assert_snapshot!(broken(|d| d.deck[2].slot = "2".into()), @"deck[2]: slot 2 or plate LIB-2 is on the deck twice");
        insta::assert_snapshot!(broken(|d| d.deck[1].plate.barcode = "L,1".into()), @r#"deck[1]: "L,1" is not a barcode: 1 to 64 letters, digits, '-', '_' or '.'"#);
        insta::assert_snapshot!(broken(|d| d.transfers.clear()), @"transfers: there are no transfers");
        assert!(broken(|d| d.deck[0].plate.labware = "x".into()).starts_with("deck[0]: unknown labware"));
    }
}
