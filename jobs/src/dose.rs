//! Doses in the names of edits: `NAME@10uM` is the compound NAME at ten micromolar.
//!
//! The name with its dose is the edit's name everywhere (design space, library wells, plates, results); only who learns
//! takes it apart. `NAME@10uM` and `NAME@10000nM` are the same dose and two names: a laboratory writes each in one way.
//! A name that ends in `@` has no dose: old symbols of gene clusters do (`IGH@`).

/// Amounts of substance per volume that a dose may be given in, longest first: name and molar.
const UNITS: [(&str, f64); 5] =
    [("\u{b5}M", 1e-6), ("\u{3bc}M", 1e-6), ("uM", 1e-6), ("nM", 1e-9), ("mM", 1e-3)];
/// Digits and point of an amount; more are a slip.
const LONGEST_AMOUNT: usize = 12;

/// A concentration above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dose {
    molar: f64,
}

/// What follows the `@` of a name is no dose.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error(
    "{name:?} does not say a dose: after '@' comes an amount above 0 in nM, uM or mM, as in NAME@10uM or NAME@0.5nM"
)]
pub struct NotADose {
    name: String,
}

impl Dose {
    /// log10 of the dose in mol/l.
    pub fn log10_molar(self) -> f64 {
        self.molar.log10()
    }
}

/// The name without its dose, and the dose, if it has one.
pub fn parse(edit: &str) -> Result<(&str, Option<Dose>), NotADose> {
    let Some((name, dose)) = edit.split_once('@').filter(|(_, dose)| !dose.is_empty()) else {
        return Ok((edit, None));
    };
    match amount(dose).filter(|_| !name.is_empty()) {
        Some(molar) => Ok((name, Some(Dose { molar }))),
        None => Err(NotADose { name: edit.to_owned() }),
    }
}

/// The same of an edit of a [`Perturbation`](crate::Perturbation), whose names were checked.
pub fn split(edit: &str) -> (&str, Option<Dose>) {
    parse(edit).unwrap_or((edit, None))
}

fn amount(dose: &str) -> Option<f64> {
    let (digits, unit) = UNITS.iter().find_map(|(unit, molar)| Some((dose.strip_suffix(unit)?, molar)))?;
    let plain = digits.len() <= LONGEST_AMOUNT
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let amount: f64 = digits.parse().ok().filter(|_| plain)?;
    (amount > 0.0).then_some(amount * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dose_is_read_in_each_unit() {
        let said = |edit| parse(edit).map(|(name, dose)| (name, dose.map(Dose::log10_molar))).unwrap();
        let near = |edit, name, log: f64| {
            let (found, dose) = said(edit);
            assert_eq!(found, name);
            // A product and a logarithm in double precision.
            assert!((dose.unwrap() - log).abs() < 1e-12, "{edit}: {dose:?}");
        };
        near("TAXOL@10uM", "TAXOL", -5.0);
        near("TAXOL@10\u{b5}M", "TAXOL", -5.0);
        near("TAXOL@10\u{3bc}M", "TAXOL", -5.0);
        near("5-FU@0.1nM", "5-FU", -10.0);
        near("5-FU@1000nM", "5-FU", -6.0);
        near("DMSO@1mM", "DMSO", -3.0);
        assert_eq!(said("CBLB"), ("CBLB", None));
        assert_eq!(said("IGH@"), ("IGH@", None));
    }

    #[test]
    fn nonsense_is_no_dose_and_the_error_says_what_is() {
        for bad in [
            "A@10",
            "A@uM",
            "A@-1uM",
            "A@0uM",
            "A@0.0nM",
            "A@1e3nM",
            "A@1.nM",
            "A@.5nM",
            "A@1.2.3nM",
            "A@10 uM",
            "A@10UM",
            "A@10M",
            "A@infuM",
            "A@NaNuM",
            "@1uM",
            "A@1uM@2uM",
            "A@B@1uM",
            "A@1234567890123nM",
            "A@1uM ",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        let said = parse("A@10").unwrap_err().to_string();
        assert!(said.starts_with("\"A@10\" does not say a dose") && said.contains("NAME@10uM"), "{said}");
    }
}
