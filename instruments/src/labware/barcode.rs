//! What is printed on a plate.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The code printed on a plate: 1 to 64 letters, digits, `-`, `_` or `.`, so that it can stand in a
/// URL, a file name, a picklist and a worklist without being quoted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Barcode(String);

/// A text that cannot be a plate's barcode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a barcode: 1 to 64 letters, digits, '-', '_' or '.'")]
pub struct NotABarcode(String);

impl Barcode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Barcode {
    type Err = NotABarcode;
    fn from_str(text: &str) -> Result<Self, NotABarcode> {
        let printable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if (1..=64).contains(&text.len()) && text.chars().all(printable) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotABarcode(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Barcode {
    type Error = NotABarcode;
    fn try_from(text: String) -> Result<Self, NotABarcode> {
        text.parse()
    }
}

impl From<Barcode> for String {
    fn from(barcode: Barcode) -> Self {
        barcode.0
    }
}

impl fmt::Display for Barcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_worklist_is_refused() {
        for bad in ["", "P 1", "P;1", "P,1", "P/1", "P\"1", "Plåt", &"x".repeat(65)] {
            assert!(bad.parse::<Barcode>().is_err(), "{bad:?}");
        }
        assert_eq!("LIB-001_a.2".parse::<Barcode>().unwrap().as_str(), "LIB-001_a.2");
    }
}
