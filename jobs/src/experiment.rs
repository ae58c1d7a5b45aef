//! What is asked of nature: a perturbation in a context. Names only; no wells, no features.

use crate::dose::{self, NotADose};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// A set of edits carried out together: one gene, a pair, or more. Order does not matter: the names
/// are kept sorted and without repeats, and joined by `+` where a single key is needed (`CBLB+RASA2`).
///
/// A compound may carry its dose in its name ([`dose`](crate::dose)): `TAXOL@10uM`. Two doses of one compound in a set are
/// two edits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, example = "CBLB+RASA2")]
pub struct Perturbation(Vec<String>);

/// A text that names no perturbation.
#[derive(Debug, thiserror::Error)]
pub enum NotAPerturbation {
    #[error("a perturbation needs at least one edit")]
    Empty,
    #[error("{0:?} is not the name of an edit: names are printable, without '+', ',' or surrounding blanks")]
    Name(String),
    #[error(transparent)]
    Dose(#[from] NotADose),
}

impl Perturbation {
    /// The set of `edits`, sorted, repeats dropped.
    pub fn new<S: Into<String>>(edits: impl IntoIterator<Item = S>) -> Result<Self, NotAPerturbation> {
        let mut edits: Vec<String> = edits.into_iter().map(Into::into).collect();
        if let Some(bad) = edits.iter().find(|name| !is_edit_name(name)) {
            return Err(NotAPerturbation::Name(bad.clone()));
        }
        for edit in &edits {
            dose::parse(edit)?;
        }
        edits.sort();
        edits.dedup();
        if edits.is_empty() {
            return Err(NotAPerturbation::Empty);
        }
        Ok(Self(edits))
    }

    /// The edits, sorted.
    pub fn edits(&self) -> &[String] {
        &self.0
    }
}

fn is_edit_name(name: &str) -> bool {
    !name.is_empty()
        && name.trim() == name
        && name.len() <= 200
        && !name.chars().any(|c| c.is_control() || c == '+' || c == ',')
}

impl fmt::Display for Perturbation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("+"))
    }
}

impl FromStr for Perturbation {
    type Err = NotAPerturbation;
    fn from_str(key: &str) -> Result<Self, NotAPerturbation> {
        Self::new(key.split('+'))
    }
}

impl Serialize for Perturbation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Perturbation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The cells and conditions a perturbation meets (cell line, donor, assay), by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Context(pub String);

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One point of the design space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Experiment {
    pub perturbation: Perturbation,
    pub context: Context,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_edits_does_not_matter() {
        let ab: Perturbation = "B+A".parse().unwrap();
        assert_eq!(ab, Perturbation::new(["A", "B", "A"]).unwrap());
        assert_eq!(ab.to_string(), "A+B");
    }

    #[test]
    fn a_dose_is_part_of_the_name() {
        let both: Perturbation = "TAXOL@10uM+CBLB+TAXOL@1uM".parse().unwrap();
        assert_eq!(both.edits(), ["CBLB", "TAXOL@10uM", "TAXOL@1uM"]);
        let slip = "CBLB+TAXOL@10".parse::<Perturbation>().unwrap_err().to_string();
        assert!(slip.contains("TAXOL@10") && slip.contains("nM, uM or mM"), "{slip}");
    }

    #[test]
    fn names_that_would_break_a_key_are_refused() {
        for bad in ["", "A+", " A", "A,B", "A\n"] {
            assert!(bad.parse::<Perturbation>().is_err(), "{bad:?}");
        }
    }
}
