//! Prometheus's text format, read strictly.

use std::collections::{BTreeMap, BTreeSet};

type Labels = Vec<(String, String)>;

/// A metric with everything that was said of it.
#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    /// Name, labels, value.
    pub samples: Vec<(String, Labels, f64)>,
}

impl Family {
    /// Of the sample that has the family's own name and exactly these labels.
    pub fn value(&self, labels: &[(&str, &str)]) -> Option<f64> {
        let name = self.samples.first()?.0.clone();
        if self.kind == "histogram" { None } else { self.part(&name, labels) }
    }

    /// Of a histogram's `_bucket`, `_sum`, `_count`.
    pub fn part(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let same = |found: &Labels| {
            found.len() == labels.len()
                && labels.iter().all(|(name, value)| found.iter().any(|(n, v)| n == name && v == value))
        };
        self.samples.iter().find(|(found, of, _)| found == name && same(of)).map(|(.., value)| *value)
    }
}

/// Panics on whatever Prometheus would not like.
pub fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(helped.contains(name), "{name} is described");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} twice");
            name.clone_into(&mut current);
        } else {
            let (name, labels, value) = sample(line);
            let family = families.get_mut(&current).unwrap_or_else(|| panic!("{line} before its type"));
            let expected: &[&str] =
                if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(
                expected.iter().any(|suffix| name == format!("{current}{suffix}")),
                "{line} stands under {current}"
            );
            assert!(seen.insert((name.clone(), labels.clone())), "{line} twice");
            family.samples.push((name, labels, value));
        }
    }
    for (name, family) in &families {
        assert!(!family.samples.is_empty(), "{name} has no sample");
        if family.kind == "histogram" {
            check_histogram(name, family);
        }
    }
    families
}

fn sample(line: &str) -> (String, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line} has no value"));
    let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line} has no number"));
    let Some((name, labels)) = series.split_once('{') else {
        assert_name(series);
        return (series.to_owned(), Vec::new(), value);
    };
    assert_name(name);
    let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line} is not closed"));
    let labels = labels.split("\",").filter(|pair| !pair.is_empty()).map(|pair| {
        let (label, word) = pair.split_once("=\"").unwrap_or_else(|| panic!("{line}: {pair}"));
        assert_name(label);
        (label.to_owned(), word.trim_end_matches('"').to_owned())
    });
    (name.to_owned(), labels.collect(), value)
}

fn assert_name(name: &str) {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    assert!(
        first && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
        "{name:?}"
    );
}

/// Buckets are cumulative, and the last holds all.
fn check_histogram(name: &str, family: &Family) {
    let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    let mut counts: BTreeMap<Labels, f64> = BTreeMap::new();
    for (part, labels, value) in &family.samples {
        let (bounds, others): (Labels, Labels) = labels.iter().cloned().partition(|(label, _)| label == "le");
        if part.ends_with("_bucket") {
            let bound = bounds.first().unwrap_or_else(|| panic!("{name} has a bucket without a bound"));
            let bound = if bound.1 == "+Inf" { f64::INFINITY } else { bound.1.parse().expect("a bound") };
            series.entry(others).or_default().push((bound, *value));
        } else if part.ends_with("_count") {
            counts.insert(others, *value);
        }
    }
    for (labels, buckets) in series {
        let rising = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        assert!(rising, "{name} {labels:?}: {buckets:?}");
        let last = buckets.last().copied().expect("a bucket");
        assert_eq!(Some(&last.1), counts.get(&labels), "{name} {labels:?}: all are in the last bucket");
        assert!(last.0.is_infinite(), "{name} {labels:?}");
    }
}
