//! From a campaign file's text to a [`Spec`], or to everything that is wrong with it.
//!
//! Three passes: is it TOML; has every field its type ([`read_fields`] goes on after a bad one, with a right one in
//! its stead); does what it says make sense ([`validate`], for the sections whose fields could be read).

use super::document::Document;
use super::problem::{Problem, SpecError};
use super::spec::Spec;
use super::validate::{COMMON_SETTINGS, validate};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// Longer texts are refused unread: a campaign is written by hand.
const LARGEST_TEXT_BYTES: usize = 1024 * 1024;

/// Bad fields named in one pass; beyond that the file is something else altogether.
const MOST_BAD_FIELDS: usize = 50;

const TEMPLATE: &str = include_str!("template.toml");

impl Spec {
    /// Reads and validates a campaign file.
    pub fn parse(toml_text: &str) -> Result<Spec, SpecError> {
        Self::parse_with_warnings(toml_text).map(|(spec, _)| spec)
    }

    /// Also says what is allowed and yet doubtful, in order of line.
    pub fn parse_with_warnings(toml_text: &str) -> Result<(Spec, Vec<Problem>), SpecError> {
        if toml_text.len() > LARGEST_TEXT_BYTES {
            let reason =
                format!("the file has {} bytes; at most {LARGEST_TEXT_BYTES} are read", toml_text.len());
            let whole = Problem { path: String::new(), line: 1, column: 1, reason };
            return Err(SpecError { problems: vec![whole] });
        }
        let document = Document::parse(toml_text).map_err(in_order)?;
        let fields = read_fields(&document);
        let mut problems = fields.problems;
        let mut warnings = Vec::new();
        if let Some(spec) = &fields.spec {
            let found = validate(spec, &document, &fields.unread);
            problems.extend(found.problems);
            warnings = found.warnings;
        }
        match fields.spec {
            Some(spec) if problems.is_empty() => {
                warnings.sort_by_key(|warning| (warning.line, warning.column));
                Ok((spec, warnings))
            }
            _ => Err(in_order(problems)),
        }
    }
}

/// A problem of a file that parses, found by who knows more than the file (the clock).
pub fn problem_in(toml_text: &str, path: &str, reason: &str) -> Problem {
    match Document::parse(toml_text) {
        Ok(document) => document.problem(path, reason),
        Err(_) => Problem { path: path.to_owned(), line: 1, column: 1, reason: reason.to_owned() },
    }
}

fn in_order(mut problems: Vec<Problem>) -> SpecError {
    problems.sort_by(|a, b| (a.line, a.column, &a.path).cmp(&(b.line, b.column, &b.path)));
    problems.dedup();
    SpecError { problems }
}

struct Fields {
    /// With the template's values where the text has bad ones; `None` when even that did not help.
    spec: Option<Spec>,
    problems: Vec<Problem>,
    /// Sections (top-level names) that are not wholly the user's own.
    unread: BTreeSet<String>,
}

fn read_fields(document: &Document) -> Fields {
    let template = DeTable::parse(TEMPLATE).map(Spanned::into_inner).unwrap_or_default();
    let mut root = document.root.clone();
    let mut fields = Fields { spec: None, problems: Vec::new(), unread: BTreeSet::new() };
    while fields.problems.len() < MOST_BAD_FIELDS {
        let error = match Spec::deserialize(Deserializer::from(Spanned::new(0..0, root.clone()))) {
            Ok(spec) => {
                fields.spec = Some(spec);
                break;
            }
            Err(error) => error,
        };
        let bad = BadField::of(&error);
        let path = bad.path.join(".");
        fields.problems.push(match bad.kind {
            // The error's own place is the table's, which may be nowhere for the root.
            Kind::Missing => document.problem(&path, error.message()),
            Kind::Unknown => document.problem_at(error.span(), &path, bad.in_words(error.message())),
            Kind::Value => document.problem_at(error.span(), &path, expected_in_words(error.message())),
        });
        fields.unread.extend(bad.path.first().cloned());
        if !bad.mend(&mut root, &template) {
            break;
        }
    }
    fields
}

/// What belongs where something else stands, as serde calls it and as people do.
const EXPECTED: [(&str, &str); 8] = [
    ("u8", "a whole number, 0 or more"),
    ("u32", "a whole number, 0 or more"),
    ("u64", "a whole number, 0 or more"),
    ("usize", "a whole number, 0 or more"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("a boolean", "true or false"),
    ("a sequence", "a list, in square brackets"),
];

fn expected_in_words(message: &str) -> String {
    let told = |(serde, people): &(&str, &str)| {
        let found = message.strip_suffix(serde)?.strip_suffix(", expected ")?;
        Some(format!("{found}, expected {people}"))
    };
    EXPECTED.iter().find_map(told).unwrap_or_else(|| message.to_owned())
}

/// Where reading stopped.
struct BadField {
    path: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unknown,
    Missing,
    Value,
}

impl BadField {
    /// The library tells place and sort of an error only in its text; the tests hold the forms relied on here.
    fn of(error: &toml::de::Error) -> Self {
        let text = error.to_string();
        let within = text.lines().rev().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
        let mut path: Vec<String> =
            within.map(|keys| keys.split('.').map(str::to_owned).collect()).unwrap_or_default();
        let named = |prefix: &str| error.message().strip_prefix(prefix)?.split('`').next();
        let kind = if let Some(field) = named("unknown field `") {
            path.push(field.to_owned());
            Kind::Unknown
        } else if let Some(field) = named("missing field `") {
            path.push(field.to_owned());
            Kind::Missing
        } else {
            Kind::Value
        };
        Self { path, kind }
    }

    /// A rule knows its own settings, and serde nothing of those that every rule takes.
    fn in_words(&self, message: &str) -> String {
        match self.path.as_slice() {
            [section, _] if section == "acquisition" => {
                format!("{message}; every rule takes `{}`", COMMON_SETTINGS.join("`, `"))
            }
            _ => message.to_owned(),
        }
    }

    /// Takes the bad field out of `root` and, unless nobody knows it, puts the template's in; whether that
    /// changed anything.
    fn mend(&self, root: &mut DeTable, template: &DeTable<'static>) -> bool {
        let Some((field, tables)) = self.path.split_last() else { return false };
        let mut table = root;
        let mut right = Some(template);
        for name in tables {
            right = right.and_then(|table| table.get(name.as_str())?.get_ref().as_table());
            let Some(DeValue::Table(inner)) = table.get_mut(name.as_str()).map(Spanned::get_mut) else {
                return false;
            };
            table = inner;
        }
        let had = table.remove(field.as_str()).is_some();
        match right.and_then(|table| table.get(field.as_str())) {
            Some(value) if self.kind != Kind::Unknown => {
                let key = std::borrow::Cow::Owned(field.clone());
                table.insert(Spanned::new(0..0, key), value.clone());
                true
            }
            _ => had,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The problems of the template with `from` replaced by `to`, as `path: reason` with the text of their line.
    fn problems(edits: &[(&str, &str)]) -> Vec<String> {
        let mut text = TEMPLATE.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from:?}");
            text = text.replacen(from, to, 1);
        }
        let Err(error) = Spec::parse(&text) else { return Vec::new() };
        let shown = |p: &Problem| {
            let line = text.lines().nth(p.line as usize - 1).unwrap_or_default();
            format!("{} | {}: {}", line.trim(), p.path, p.reason)
        };
        error.problems.iter().map(shown).collect()
    }

    #[test]
    fn the_template_is_right_in_every_field() {
        assert_eq!(problems(&[]), Vec::<String>::new());
    }

    fn with_readouts(readouts: &str) -> Vec<String> {
        problems(&[("[model]", &format!("{readouts}\n[model]"))])
    }

    #[test]
    fn further_readouts_are_a_few_lines_and_what_is_wrong_with_them_is_said() {
        let right = r#"
[[readouts]]
name = "viability"
constraint = { at_least = 0.7 }
[[readouts]]
name = "stress"
kind = "ordinal"
labels = ["none", "some", "much"]
constraint = { one_of = ["none", "some"] }
[[readouts]]
name = "paint"
kind = "vector"
components = ["area", "red"]
scale = "raw"
"#;
        assert_eq!(with_readouts(right), Vec::<String>::new());
        let wrong = r#"
[[readouts]]
name = "signal"
[[readouts]]
name = "stress"
kind = "class"
labels = ["calm"]
constraint = { one_of = ["wild"] }
[[readouts]]
name = "paint"
kind = "vector"
constraint = { at_most = 1 }
[[readouts]]
name = "alive"
constraint = { at_least = 1, at_most = 0.5 }
"#;
        assert_eq!(
            with_readouts(wrong),
            [
                "name = \"signal\" | readouts[0].name: \"signal\" is a readout already; each has a name of its own",
                "labels = [\"calm\"] | readouts[1].labels: 1 labels are out of range: 2 to 16, in the order of the channel's \
                 values 0, 1, …",
                "constraint = { one_of = [\"wild\"] } | readouts[1].constraint: \"wild\" is no label of it",
                "[[readouts]] | readouts[2].components: 0 components are out of range: 1 to 512; each is a channel of the \
                 reader",
                "constraint = { at_most = 1 } | readouts[2].constraint: a vector has no constraint: make what must hold a \
                 readout of its own",
                "constraint = { at_least = 1, at_most = 0.5 } | readouts[3].constraint: `at_least` is not below `at_most`",
            ]
        );
        assert_eq!(
            with_readouts("[[readouts]]\nname = \"x\"\nscale = \"loud\"\n").len(),
            1,
            "a word that cannot be read is one problem"
        );
    }

    #[test]
    fn every_bad_field_is_named_in_one_pass_with_its_line() {
        let found = problems(&[
            ("genes_file = \"genes.csv\"", "genes_flie = \"genes.csv\""),
            ("direction = \"maximise\"", "direction = \"maximize\""),
            ("replicates = 2", "replicates = -2"),
            ("temperature_celsius = 37.0\n", ""),
            ("wells = 16", "wells = \"many\""),
            ("rounds = 1", "rounds = 1\ncolour = 3"),
            ("handler = \"handler-1\"\n", ""),
        ]);
        assert_eq!(
            found,
            [
                "[design] | design.genes_file: missing field `genes_file`",
                "genes_flie = \"genes.csv\" | design.genes_flie: unknown field `genes_flie`, expected one of `genes_file`, \
                 `combinations`, `contexts`, `exclude`",
                "direction = \"maximize\" | objective.direction: unknown variant `maximize`, expected one of `maximise`, \
                 `minimise`, `two_sided`",
                "[assay] | assay.temperature_celsius: missing field `temperature_celsius`",
                "replicates = -2 | assay.replicates: invalid value: integer `-2`, expected a whole number, 0 or more",
                "wells = \"many\" | controls.negative.wells: invalid type: string \"many\", expected a whole number, 0 or more",
                "colour = 3 | budget.colour: unknown field `colour`, expected one of `rounds`, `batch`, \
                 `batch_cost`, `stop_after_hits`, `runners_up`",
                "[bench] | bench.handler: missing field `handler`",
            ]
        );
    }

    #[test]
    fn what_is_no_toml_is_named_with_every_place() {
        let error = Spec::parse("name = \"x\"\n[design\ncontexts = = 3\n").unwrap_err();
        assert!(error.problems.len() >= 2, "{error}");
        assert_eq!(error.problems[0].line, 2);
        assert!(error.problems.iter().all(|p| p.reason.starts_with("this is not TOML")), "{error}");
    }

    #[test]
    fn an_empty_file_lists_what_a_campaign_needs() {
        let error = Spec::parse("").unwrap_err();
        let missing: Vec<&str> = error.problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(
            missing,
            ["acquisition", "assay", "bench", "budget", "controls", "design", "name", "objective"]
        );
    }

    #[test]
    fn a_hit_rule_that_is_none_is_refused_where_it_stands() {
        let found = problems(&[("hit = { at_least = 0.5 }", "hit = { atleast = 0.5 }")]);
        let [only] = &found[..] else { panic!("{found:?}") };
        assert!(
            only.starts_with("hit = { atleast = 0.5 } | objective.hit: unknown variant `atleast`"),
            "{only}"
        );
        let found = problems(&[("hit = { at_least = 0.5 }", "hit = { at_least = 0.5, at_most = 0.1 }")]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn sense_is_checked_beside_fields_that_could_not_be_read() {
        let found = problems(&[("rounds = 1", "rounds = \"five\""), ("wells = 16", "wells = 1")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("controls.negative.wells"), "{found:?}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = Spec::parse(&text);
        }

        #[test]
        fn no_broken_campaign_panics_and_each_says_where(cut in 0usize..1_200, length in 0usize..40, put in "[a-z0-9=\\.\\[\\]\"\n ]{0,12}") {
            let start = (cut..TEMPLATE.len()).find(|i| TEMPLATE.is_char_boundary(*i)).unwrap_or(TEMPLATE.len());
            let end = (start + length).min(TEMPLATE.len());
            let end = (end..=TEMPLATE.len()).find(|i| TEMPLATE.is_char_boundary(*i)).unwrap_or(TEMPLATE.len());
            let text = format!("{}{put}{}", &TEMPLATE[..start], &TEMPLATE[end..]);
            if let Err(error) = Spec::parse(&text) {
                let lines = text.split('\n').count();
                prop_assert!(!error.problems.is_empty());
                prop_assert!(error.problems.iter().all(|p| (1..=lines).contains(&(p.line as usize)) && !p.reason.is_empty()));
            }
        }
    }
}
