//! The labware we know, by load name.

use super::{Nanolitres, PlateFormat};

/// A model of plate. Load names are the vendor's of the liquid handler's labware library, so that
/// the same word stands in our plan and in its protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Labware {
    pub load_name: &'static str,
    pub display_name: &'static str,
    pub format: PlateFormat,
    /// Whether the liquid handler's own labware library has it; if not, its definition has to be
    /// uploaded along with the protocol.
    pub in_vendor_library: bool,
}

/// A load name that we have no definition for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown labware {0:?}; known are {known}", known = known_load_names())]
pub struct UnknownLabware(pub String);

static CATALOGUE: [Labware; 3] = [
    Labware {
        load_name: "nest_96_wellplate_200ul_flat",
        display_name: "NEST 96 well plate 200 µL flat",
        format: PlateFormat::Wells96,
        in_vendor_library: true,
    },
    Labware {
        load_name: "corning_384_wellplate_112ul_flat",
        display_name: "Corning 384 well plate 112 µL flat",
        format: PlateFormat::Wells384,
        in_vendor_library: true,
    },
    Labware {
        load_name: "corning_1536_wellplate_12ul_flat",
        display_name: "Corning 1536 well plate 12 µL flat",
        format: PlateFormat::Wells1536,
        in_vendor_library: false,
    },
];

impl Labware {
    /// All that is known, from few wells to many.
    pub fn all() -> &'static [Labware] {
        &CATALOGUE
    }

    pub fn by_load_name(load_name: &str) -> Result<&'static Labware, UnknownLabware> {
        CATALOGUE
            .iter()
            .find(|labware| labware.load_name == load_name)
            .ok_or_else(|| UnknownLabware(load_name.to_owned()))
    }

    /// The labware we use for plates of `format`.
    pub fn of_format(format: PlateFormat) -> &'static Labware {
        let [small, middle, large] = &CATALOGUE;
        match format {
            PlateFormat::Wells96 => small,
            PlateFormat::Wells384 => middle,
            PlateFormat::Wells1536 => large,
        }
    }

    /// What one well holds at most.
    pub fn capacity(&self) -> Nanolitres {
        self.format.capacity()
    }

    /// What has to stay in a source well.
    pub fn dead_volume(&self) -> Nanolitres {
        self.format.dead_volume()
    }

    /// What a plan may draw from a source well that holds `volume_nl` by the books: what is above its dead volume, less a
    /// hundredth of what a well holds. Pipettes are off by a percent or so; after many draws there is less than the books say.
    pub fn drawable_nl(&self, volume_nl: u64) -> u64 {
        volume_nl.saturating_sub(self.stays_nl())
    }

    /// What a plan leaves in a source well.
    pub fn stays_nl(&self) -> u64 {
        u64::from(self.dead_volume().0) + u64::from(self.capacity().0) / 100
    }
}

fn known_load_names() -> String {
    CATALOGUE.each_ref().map(|labware| labware.load_name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_a_labware_of_that_format() {
        for format in PlateFormat::ALL {
            let labware = Labware::of_format(format);
            assert_eq!(labware.format, format);
            assert_eq!(Labware::by_load_name(labware.load_name), Ok(labware));
            assert!(labware.dead_volume() < labware.capacity());
        }
    }

    #[test]
    fn an_unknown_load_name_is_answered_with_the_known_ones() {
        let error = Labware::by_load_name("corning_96").unwrap_err().to_string();
        assert!(error.contains("corning_96") && error.contains("nest_96_wellplate_200ul_flat"), "{error}");
    }
}
