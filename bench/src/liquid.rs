//! What is in a well: liquids by content name, always well mixed.
//!
//! Content names: a gene symbol (its guide), [`NEGATIVE`], [`POSITIVE`], `cells:<context>`.

use crate::volume::Volume;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The negative control: a guide that edits nothing.
pub const NEGATIVE: &str = "NEG";
/// The positive control: a guide whose effect is known to be strong.
pub const POSITIVE: &str = "POS";

/// The content name of the cells of `context`.
pub fn cells_of(context: &str) -> String {
    format!("cells:{context}")
}

/// The context whose cells `content` is, if it is cells.
pub fn context_of_cells(content: &str) -> Option<&str> {
    content.strip_prefix("cells:")
}

/// Volumes by content; no entry is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mixture(BTreeMap<String, Volume>);

impl Mixture {
    pub fn pure(content: impl Into<String>, volume: Volume) -> Self {
        let mut mixture = Self::default();
        mixture.pour(content.into(), volume);
        mixture
    }

    pub fn total(&self) -> Volume {
        self.0.values().copied().sum()
    }

    pub fn volume_of(&self, content: &str) -> Volume {
        self.0.get(content).copied().unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Volume)> {
        self.0.iter().map(|(content, volume)| (content.as_str(), *volume))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, other: &Mixture) {
        for (content, volume) in other.iter() {
            self.pour(content.to_owned(), volume);
        }
    }

    /// Takes `other` out; of what is not there, nothing is taken.
    pub fn remove(&mut self, other: &Mixture) {
        for (content, volume) in other.iter() {
            if let Some(left) = self.0.get_mut(content) {
                *left = left.minus(volume);
            }
        }
        self.0.retain(|_, volume| !volume.is_zero());
    }

    /// What a draw of `volume` would take: every content in proportion, `volume` in all (or all there
    /// is, when that is less), to the picolitre.
    pub fn sample(&self, volume: Volume) -> Mixture {
        let total = self.total();
        let wanted = volume.min(total);
        let mut drawn = Mixture::default();
        let mut left = wanted;
        for (content, there) in self.iter() {
            let share = wanted.share(there, total);
            left = left.minus(share);
            drawn.pour(content.to_owned(), share);
        }
        // Rounding down leaves less than one picolitre a content: it comes from whatever still has it.
        for (content, there) in self.iter() {
            let more = left.min(there.minus(drawn.volume_of(content)));
            left = left.minus(more);
            drawn.pour(content.to_owned(), more);
        }
        drawn
    }

    fn pour(&mut self, content: String, volume: Volume) {
        if !volume.is_zero() {
            let there = self.0.entry(content).or_default();
            *there = there.plus(volume);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mixture() -> impl Strategy<Value = Mixture> {
        proptest::collection::btree_map(
            "[A-Z]{1,3}",
            (1u64..1_000_000).prop_map(Volume::from_picolitres),
            0..6,
        )
        .prop_map(Mixture)
    }

    proptest! {
        #[test]
        fn drawing_loses_and_makes_nothing(well in mixture(), wanted in 0u64..4_000_000) {
            let wanted = Volume::from_picolitres(wanted);
            let drawn = well.sample(wanted);
            prop_assert_eq!(drawn.total(), wanted.min(well.total()));
            let mut rest = well.clone();
            rest.remove(&drawn);
            rest.add(&drawn);
            prop_assert_eq!(rest, well);
        }

        #[test]
        fn a_draw_has_the_proportions_of_the_well(well in mixture(), wanted in 0u64..1_000_000) {
            let wanted = Volume::from_picolitres(wanted).min(well.total());
            let drawn = well.sample(wanted);
            for (content, there) in well.iter() {
                let exact = wanted.share(there, well.total()).picolitres();
                let got = drawn.volume_of(content).picolitres();
                prop_assert!(got >= exact && got <= exact + 6, "{content}: {got} for {exact}");
            }
        }
    }
}
