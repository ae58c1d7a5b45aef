//! Where plates can stand.

use serde::{Deserialize, Serialize};
use std::fmt;

pub const HANDLER: &str = "handler-1";
pub const INCUBATOR: &str = "incubator-1";
pub const READER: &str = "reader-1";
pub const MOVER: &str = "mover-1";
pub const STORAGE: &str = "storage";
pub const WASTE: &str = "waste";

/// Slots of the incubator, at most.
const INCUBATOR_SLOTS: u32 = 9_999;

/// A device (or `storage`, `waste`) and one of its slots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub device: String,
    pub slot: String,
}

impl Place {
    pub fn new(device: &str, slot: &str) -> Self {
        Self { device: device.to_owned(), slot: slot.to_owned() }
    }

    pub fn storage(barcode: &str) -> Self {
        Self::new(STORAGE, barcode)
    }

    /// Whether the plate with `barcode` can stand here at all.
    pub fn takes(&self, barcode: &str) -> bool {
        let number = self.slot.parse().ok().filter(|n: &u32| n.to_string() == self.slot);
        let numbered = |last: u32| number.is_some_and(|n| (1..=last).contains(&n));
        match self.device.as_str() {
            // Slots 10 and 11 hold tip racks, 12 is the trash.
            HANDLER => numbered(9),
            // Room for any campaign; how many of them there are is the installation's word.
            INCUBATOR => numbered(INCUBATOR_SLOTS),
            READER => self.slot == "1",
            STORAGE | WASTE => self.slot == barcode,
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.device, self.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_that_exist_take_a_plate() {
        let takes = |device, slot| Place::new(device, slot).takes("P1");
        assert!(
            takes(HANDLER, "9") && takes(INCUBATOR, "9999") && takes(READER, "1") && takes(STORAGE, "P1")
        );
        for (device, slot) in [
            (HANDLER, "10"),
            (HANDLER, "01"),
            (INCUBATOR, "10000"),
            (INCUBATOR, "0"),
            (INCUBATOR, "+1"),
            (READER, "2"),
            (STORAGE, "P2"),
            ("moon", "1"),
        ] {
            assert!(!takes(device, slot), "{device}/{slot}");
        }
    }
}
