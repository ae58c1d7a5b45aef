//! One well by its name.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Rows A..=AF: the most that any plate has (1536 wells).
const MAX_ROWS: u8 = 32;
const MAX_COLUMNS: u8 = 48;

/// A well by row and column, both counted from 0. Written unpadded (`A1`, `AF48`); read padded or
/// not, in either case (`a01`). Whether a plate has it is for [`PlateFormat`](super::PlateFormat).
///
/// Ordered row by row: A1, A2, .., B1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Well {
    row: u8,
    column: u8,
}

/// A text that names no well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a well: A1 to AF48")]
pub struct NotAWell(String);

impl Well {
    /// `row` 0..32, `column` 0..48, both from 0; `None` outside.
    pub const fn new(row: u8, column: u8) -> Option<Self> {
        if row < MAX_ROWS && column < MAX_COLUMNS { Some(Self { row, column }) } else { None }
    }

    /// From 0: `A` is 0, `AF` is 31.
    pub const fn row(self) -> u8 {
        self.row
    }

    /// From 0: column `1` is 0.
    pub const fn column(self) -> u8 {
        self.column
    }

    /// `A`, `B`, .., `Z`, `AA`, .., `AF`.
    pub fn row_name(self) -> String {
        let letter = |index: u8| char::from(b'A' + index);
        match self.row.checked_sub(26) {
            None => letter(self.row).to_string(),
            Some(second) => format!("A{}", letter(second)),
        }
    }
}

impl fmt::Display for Well {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.row_name(), self.column + 1)
    }
}

impl FromStr for Well {
    type Err = NotAWell;
    fn from_str(text: &str) -> Result<Self, NotAWell> {
        parse(text).ok_or_else(|| NotAWell(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Well> {
    let digits_at = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = text.split_at(digits_at);
    let row = match letters.as_bytes() {
        [one] => letter_index(*one)?,
        [b'A' | b'a', second] => letter_index(*second)?.checked_add(26)?,
        _ => return None,
    };
    // At most one leading zero: `A01` is a habit of devices, `A0001` is a mistake.
    if digits.len() > 2 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let column: u8 = digits.parse().ok()?;
    Well::new(row, column.checked_sub(1)?)
}

fn letter_index(letter: u8) -> Option<u8> {
    letter.is_ascii_alphabetic().then(|| letter.to_ascii_uppercase() - b'A')
}

impl TryFrom<String> for Well {
    type Error = NotAWell;
    fn try_from(text: String) -> Result<Self, NotAWell> {
        text.parse()
    }
}

impl From<Well> for String {
    fn from(well: Well) -> Self {
        well.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padded_and_lower_case_names_are_read_and_written_plainly() {
        for (text, plain) in
            [("A1", "A1"), ("A01", "A1"), ("h12", "H12"), ("af48", "AF48"), ("Z9", "Z9"), ("AA1", "AA1")]
        {
            assert_eq!(text.parse::<Well>().unwrap().to_string(), plain);
        }
    }

    #[test]
    fn what_names_no_well_is_refused() {
        for bad in [
            "", "A", "1", "A0", "A00", "A001", "A49", "AG1", "BA1", "A1 ", " A1", "A-1", "A1B", "Ä1", "1A",
            "A+1",
        ] {
            assert!(bad.parse::<Well>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,8}") {
            let _ = text.parse::<Well>();
        }

        #[test]
        fn every_well_reads_back_as_itself(row in 0u8..32, column in 0u8..48) {
            let well = Well::new(row, column).unwrap();
            prop_assert_eq!(well.to_string().parse::<Well>().unwrap(), well);
        }
    }
}
