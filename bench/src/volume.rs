//! Volumes of the physical world, finer than any device can ask for.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::iter::Sum;

/// A volume in whole picolitres, so that what leaves one well arrives exactly in another. In JSON a
/// number of nanolitres with up to three decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume(u64);

impl Volume {
    pub const ZERO: Self = Self(0);

    pub const fn from_picolitres(picolitres: u64) -> Self {
        Self(picolitres)
    }

    pub const fn from_nanolitres(nanolitres: u32) -> Self {
        Self(nanolitres as u64 * 1_000)
    }

    /// The nearest picolitre; nothing for what is negative or not a number, at most 9 litres.
    pub fn from_nanolitres_f64(nanolitres: f64) -> Self {
        // `as` saturates, and turns NaN into 0: both are what is wanted here.
        Self((nanolitres * 1_000.0).round().clamp(0.0, 9e12) as u64)
    }

    pub fn from_microlitres_f64(microlitres: f64) -> Self {
        Self::from_nanolitres_f64(microlitres * 1_000.0)
    }

    pub const fn picolitres(self) -> u64 {
        self.0
    }

    pub fn nanolitres(self) -> f64 {
        // Exact below 2^53 pL (nine litres).
        self.0 as f64 / 1_000.0
    }

    pub fn microlitres(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Nothing when `other` is more than there is.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self * part / whole`, rounded down; nothing when `whole` is nothing.
    pub fn share(self, part: Self, whole: Self) -> Self {
        let product = u128::from(self.0) * u128::from(part.0);
        let share = product.checked_div(u128::from(whole.0)).unwrap_or(0);
        Self(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

impl Sum for Volume {
    fn sum<I: Iterator<Item = Self>>(volumes: I) -> Self {
        volumes.fold(Self::ZERO, Self::plus)
    }
}

impl Serialize for Volume {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.nanolitres())
    }
}

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::from_nanolitres_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_volume_survives_the_log_exactly(picolitres in 0u64..9_000_000_000_000) {
            let volume = Volume::from_picolitres(picolitres);
            let line = serde_json::to_string(&volume).unwrap();
            prop_assert_eq!(serde_json::from_str::<Volume>(&line).unwrap(), volume);
        }
    }

    #[test]
    fn nonsense_is_no_volume() {
        assert_eq!(Volume::from_nanolitres_f64(f64::NAN), Volume::ZERO);
        assert_eq!(Volume::from_nanolitres_f64(-3.0), Volume::ZERO);
    }
}
