//! Names of files: what a request is called, and which results are of a job.

use std::collections::BTreeMap;

/// What stands in braces may be any of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(pub BTreeMap<&'static str, String>);

/// `{plate}-{nobody}.csv`: no such word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("{{{word}}} means nothing here; there are {known}")]
    UnknownWord { word: String, known: String },
    #[error("a '{{' is not closed")]
    Open,
}

impl Words {
    pub fn of<const N: usize>(words: [(&'static str, String); N]) -> Self {
        Self(words.into())
    }

    /// `template` with every `{word}` replaced.
    pub fn fill(&self, template: &str) -> Result<String, TemplateError> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, beyond) = after.split_once('}').ok_or(TemplateError::Open)?;
            let value = self.0.get(word).ok_or_else(|| TemplateError::UnknownWord {
                word: word.to_owned(),
                known: self.0.keys().map(|key| format!("{{{key}}}")).collect::<Vec<_>>().join(", "),
            })?;
            text.push_str(before);
            text.push_str(value);
            rest = beyond;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// Which names are of a plate.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// With stars.
    text: String,
    /// Stands by itself in the name: `P-1` is not in `P-12.csv`, nor in `P-1-2.csv`.
    barcode: Option<String>,
    /// It names the plate or the attempt.
    is_narrow: bool,
}

impl Pattern {
    /// `template`: with stars and words.
    pub fn of(template: &str, words: &Words) -> Result<Self, TemplateError> {
        let barcode = words.0.get("barcode").filter(|_| template.contains("{barcode}")).cloned();
        let is_narrow = barcode.is_some() || template.contains("{id}");
        Ok(Self { text: words.fill(template)?, barcode, is_narrow })
    }

    /// Of every plate: `words` are stars.
    pub fn of_all(template: &str, words: &Words) -> Result<Self, TemplateError> {
        Ok(Self { text: words.fill(template)?, barcode: None, is_narrow: false })
    }

    /// Whether a fitting name alone says that a file is this job's.
    pub fn is_narrow(&self) -> bool {
        self.is_narrow
    }

    pub fn fits(&self, name: &str) -> bool {
        let alone = |barcode: &String| {
            let beside = |c: char| c.is_alphanumeric() || c == '-';
            name.match_indices(barcode.as_str()).any(|(at, _)| {
                let (before, after) = (&name[..at], &name[at + barcode.len()..]);
                // `P-1.2.csv` is of a plate `P-1.2`.
                let goes_on = after
                    .strip_prefix('.')
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('.'));
                !before.ends_with(beside) && !after.starts_with(beside) && !goes_on
            })
        };
        matches(&self.text, name) && self.barcode.as_ref().is_none_or(alone)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `name` is `pattern`, in which each `*` stands for any text, also none. Case counts.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("P-1.csv", "P-1.csv", true),
            ("P-1.csv", "P-1.csv.tmp", false),
            ("*P-1*.csv", "2026-11-30_P-1_read.csv", true),
            ("*P-1*.csv", "P-1.csv", true),
            ("*P-1*.csv", "P-2.csv", false),
            ("P-1_*.csv", "P-12_1.csv", false),
            ("*.csv", ".csv", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("*ab*b", "ab", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_barcode_stands_by_itself() {
        let words = Words::of([("barcode", "P-1".to_owned()), ("id", "7".to_owned())]);
        let pattern = Pattern::of("*{barcode}*.csv", &words).unwrap();
        for (name, expected) in [
            ("P-1.csv", true),
            ("2026_P-1_0.csv", true),
            ("P-12.csv", false),
            ("XP-1.csv", false),
            ("P-12_P-1.csv", true),
            ("P-1-2.csv", false),
            ("LIB-P-1.csv", false),
            ("P-1.2.csv", false),
            ("P-1.old.csv", true),
            ("2026 P-1.csv", true),
        ] {
            assert_eq!(pattern.fits(name), expected, "{name}");
        }
        assert!(Pattern::of("*.csv", &words).unwrap().fits("P-12.csv"));
    }

    #[test]
    fn words_in_braces_are_filled_in_and_others_refused() {
        let words = Words::of([("barcode", "P-1".to_owned()), ("id", "7-1".to_owned())]);
        assert_eq!(words.fill("{barcode}_{id}.gwl").unwrap(), "P-1_7-1.gwl");
        assert_eq!(words.fill("plain").unwrap(), "plain");
        let error = words.fill("{plate}").unwrap_err().to_string();
        assert_eq!(error, "{plate} means nothing here; there are {barcode}, {id}");
        assert_eq!(words.fill("{barcode").unwrap_err(), TemplateError::Open);
    }
}
