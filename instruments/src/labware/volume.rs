//! Volumes of liquid.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A volume in whole nanolitres; the unit of every stored or transmitted volume. Up to 4.29 litres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanolitres(pub u32);

/// A number that is no volume.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} µL is not a volume between 0 and 4.29 litres")]
pub struct NotAVolume(f64);

impl Nanolitres {
    pub const ZERO: Self = Self(0);

    /// Whole microlitres; `None` beyond 4.29 litres.
    pub const fn from_microlitres(microlitres: u32) -> Option<Self> {
        match microlitres.checked_mul(1000) {
            Some(nanolitres) => Some(Self(nanolitres)),
            None => None,
        }
    }

    /// What a device reported in µL, rounded to the nearest nanolitre.
    pub fn try_from_microlitres_f64(microlitres: f64) -> Result<Self, NotAVolume> {
        let nanolitres = (microlitres * 1000.0).round();
        if nanolitres.is_finite() && (0.0..=f64::from(u32::MAX)).contains(&nanolitres) {
            // In range and whole by the line above.
            Ok(Self(nanolitres as u32))
        } else {
            Err(NotAVolume(microlitres))
        }
    }

    /// In µL, for devices that speak it.
    pub fn as_microlitres(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// In µL, exactly and without needless zeros: `2.5`, `20`, `0.025`.
    pub fn microlitres_text(self) -> String {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// `None` beyond 4.29 litres.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// `None` when `other` is more than there is.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// `None` beyond 4.29 litres.
    pub const fn checked_mul(self, times: u32) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(product) => Some(Self(product)),
            None => None,
        }
    }

    /// The sum of `volumes`; `None` beyond 4.29 litres.
    pub fn checked_sum(volumes: impl IntoIterator<Item = Self>) -> Option<Self> {
        volumes.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl fmt::Display for Nanolitres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} nL", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_cannot_report_a_volume_that_is_none() {
        for bad in [f64::NAN, f64::INFINITY, -0.1, 1e10] {
            assert!(Nanolitres::try_from_microlitres_f64(bad).is_err(), "{bad}");
        }
        assert_eq!(Nanolitres::try_from_microlitres_f64(2.4996), Ok(Nanolitres(2500)));
        assert_eq!(Nanolitres(2500).as_microlitres(), 2.5);
    }

    #[test]
    fn microlitres_are_written_exactly() {
        for (nanolitres, text) in
            [(2500, "2.5"), (20_000, "20"), (25, "0.025"), (0, "0"), (100_010, "100.01")]
        {
            assert_eq!(Nanolitres(nanolitres).microlitres_text(), text);
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Nanolitres(1).checked_sub(Nanolitres(2)), None);
        assert_eq!(Nanolitres(u32::MAX).checked_add(Nanolitres(1)), None);
        assert_eq!(Nanolitres(u32::MAX).checked_mul(2), None);
        assert_eq!(Nanolitres::from_microlitres(u32::MAX), None);
        assert_eq!(Nanolitres::checked_sum([Nanolitres(2), Nanolitres(3)]), Some(Nanolitres(5)));
    }
}
