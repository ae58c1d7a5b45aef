//! The three plate formats.

use super::{Nanolitres, Well};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many wells a plate has, and how they lie. In JSON and TOML the number itself: `384`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum PlateFormat {
    /// 8 rows x 12 columns, 9 mm apart.
    Wells96,
    /// 16 rows x 24 columns, 4.5 mm apart.
    Wells384,
    /// 32 rows x 48 columns, 2.25 mm apart.
    Wells1536,
}

/// A number of wells that no format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no plate with {0} wells: 96, 384 or 1536")]
pub struct UnknownFormat(pub u32);

/// A well that this plate does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {format}-well plate has no well {well}")]
pub struct WellOutsidePlate {
    pub well: Well,
    pub format: PlateFormat,
}

impl PlateFormat {
    pub const ALL: [Self; 3] = [Self::Wells96, Self::Wells384, Self::Wells1536];

    pub const fn rows(self) -> u8 {
        match self {
            Self::Wells96 => 8,
            Self::Wells384 => 16,
            Self::Wells1536 => 32,
        }
    }

    pub const fn columns(self) -> u8 {
        match self {
            Self::Wells96 => 12,
            Self::Wells384 => 24,
            Self::Wells1536 => 48,
        }
    }

    /// 96, 384 or 1536.
    pub const fn well_count(self) -> u32 {
        self.rows() as u32 * self.columns() as u32
    }

    /// What a well of our labware of this format holds at most.
    pub const fn capacity(self) -> Nanolitres {
        Nanolitres(match self {
            Self::Wells96 => 200_000,
            Self::Wells384 => 112_000,
            Self::Wells1536 => 12_000,
        })
    }

    /// What cannot be drawn out of a well with a tip; to be left in a source well.
    pub const fn dead_volume(self) -> Nanolitres {
        Nanolitres(match self {
            Self::Wells96 => 20_000,
            Self::Wells384 => 10_000,
            Self::Wells1536 => 2_000,
        })
    }

    pub const fn contains(self, well: Well) -> bool {
        well.row() < self.rows() && well.column() < self.columns()
    }

    /// In the outermost row or column, where evaporation and temperature differ. `false` for a well
    /// that the plate does not have.
    pub const fn is_edge(self, well: Well) -> bool {
        self.contains(well)
            && (well.row() == 0
                || well.column() == 0
                || well.row() + 1 == self.rows()
                || well.column() + 1 == self.columns())
    }

    /// Every well, row by row: A1, A2, .., B1.
    pub fn wells(self) -> impl Iterator<Item = Well> + Clone {
        (0..self.rows())
            .flat_map(move |row| (0..self.columns()).filter_map(move |column| Well::new(row, column)))
    }

    /// Every well, column by column: A1, B1, .., A2.
    pub fn wells_by_column(self) -> impl Iterator<Item = Well> + Clone {
        (0..self.columns())
            .flat_map(move |column| (0..self.rows()).filter_map(move |row| Well::new(row, column)))
    }

    /// Position of `well` counted column by column from 0 (96: A1=0, B1=1, A2=8).
    pub fn column_major_index(self, well: Well) -> Result<u32, WellOutsidePlate> {
        self.check(well)?;
        Ok(u32::from(well.column()) * u32::from(self.rows()) + u32::from(well.row()))
    }

    /// Position of `well` counted row by row from 0 (96: A1=0, A2=1, B1=12).
    pub fn row_major_index(self, well: Well) -> Result<u32, WellOutsidePlate> {
        self.check(well)?;
        Ok(u32::from(well.row()) * u32::from(self.columns()) + u32::from(well.column()))
    }

    /// `well` when the plate has it.
    pub fn check(self, well: Well) -> Result<Well, WellOutsidePlate> {
        if self.contains(well) { Ok(well) } else { Err(WellOutsidePlate { well, format: self }) }
    }
}

impl fmt::Display for PlateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.well_count())
    }
}

impl TryFrom<u32> for PlateFormat {
    type Error = UnknownFormat;
    fn try_from(wells: u32) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.well_count() == wells).ok_or(UnknownFormat(wells))
    }
}

impl From<PlateFormat> for u32 {
    fn from(format: PlateFormat) -> Self {
        format.well_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(name: &str) -> Well {
        name.parse().unwrap()
    }

    #[test]
    fn each_format_has_the_wells_of_its_name() {
        for format in PlateFormat::ALL {
            let wells: Vec<Well> = format.wells().collect();
            assert_eq!(wells.len() as u32, u32::from(format));
            assert!(wells.iter().enumerate().all(|(i, w)| format.row_major_index(*w) == Ok(i as u32)));
            assert!(
                format
                    .wells_by_column()
                    .enumerate()
                    .all(|(i, w)| format.column_major_index(w) == Ok(i as u32))
            );
        }
        assert_eq!(PlateFormat::Wells1536.wells().last(), Some(well("AF48")));
    }

    #[test]
    fn column_major_positions_are_the_ones_worklists_use() {
        // Positions of a worklist count from 1.
        let position = |format: PlateFormat, name| format.column_major_index(well(name)).unwrap() + 1;
        assert_eq!(position(PlateFormat::Wells96, "B1"), 2);
        assert_eq!(position(PlateFormat::Wells96, "A2"), 9);
        assert_eq!(position(PlateFormat::Wells384, "C1"), 3);
        assert_eq!(position(PlateFormat::Wells384, "A2"), 17);
    }

    #[test]
    fn a_well_that_the_plate_does_not_have_is_refused() {
        assert!(PlateFormat::Wells96.check(well("A13")).is_err());
        assert!(!PlateFormat::Wells96.is_edge(well("A13")));
        assert!(PlateFormat::Wells384.check(well("P24")).is_ok());
        let error = PlateFormat::Wells384.check(well("Q1")).unwrap_err();
        assert_eq!(error.to_string(), "a 384-well plate has no well Q1");
    }

    #[test]
    fn edge_wells_are_the_outer_ring() {
        let edges = |format: PlateFormat| format.wells().filter(|w| format.is_edge(*w)).count();
        assert_eq!(edges(PlateFormat::Wells96), 36);
        assert_eq!(edges(PlateFormat::Wells384), 76);
        assert_eq!(edges(PlateFormat::Wells1536), 156);
    }

    #[test]
    fn a_format_is_its_number_in_json() {
        assert_eq!(serde_json::to_string(&PlateFormat::Wells384).unwrap(), "384");
        assert!(serde_json::from_str::<PlateFormat>("6").is_err());
    }
}
