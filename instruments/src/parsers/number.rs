//! Numbers as devices write them.

/// What devices write when they have no value, in lower case.
const NO_VALUE: [&str; 14] = [
    "", "nan", "inf", "+inf", "-inf", "infinity", "n/a", "na", "null", "ovrflw", "overflow", "over",
    "undrflw", "?????",
];

/// A field that should hold a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    /// Finite.
    Value(f64),
    /// The device says that it has none.
    NoValue,
    /// Neither.
    Garbage,
}

pub(super) fn number(text: &str) -> Number {
    let lower = text.to_ascii_lowercase();
    if NO_VALUE.contains(&lower.as_str()) || lower.starts_with('>') || lower.starts_with('<') {
        return Number::NoValue;
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Value(value),
        // Digits beyond what a double holds: an overflow in all but name.
        Ok(_) => Number::NoValue,
        Err(_) => Number::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_that_is_not_finite_passes() {
        for text in ["NaN", "OVRFLW", "", "-Inf", "1e999", ">65535", "Overflow"] {
            assert_eq!(number(text), Number::NoValue, "{text:?}");
        }
        for text in ["1,5", "12 RFU", "0x1F", "--", "1e"] {
            assert_eq!(number(text), Number::Garbage, "{text:?}");
        }
        assert_eq!(number("-1.5e3"), Number::Value(-1500.0));
    }
}
