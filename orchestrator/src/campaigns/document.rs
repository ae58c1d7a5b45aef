//! A TOML text with the place of each of its fields, so that every problem can name a line.

use super::problem::Problem;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A parsed text. Spans are byte offsets into `text`.
pub(super) struct Document<'a> {
    text: &'a str,
    pub root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Everything that is no TOML is named at once.
    pub fn parse(text: &'a str) -> Result<Self, Vec<Problem>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Document { text, root: root.into_inner() };
        let problem = |error: &toml::de::Error| {
            document.problem_at(error.span(), "", format!("this is not TOML: {}", error.message()))
        };
        let problems: Vec<Problem> = errors.iter().map(problem).collect();
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }

    /// A problem with the field `path` (`controls.negative.wells`, `design.contexts[1]`): at its key, or, when
    /// it is not in the text, at the table that it belongs in.
    pub fn problem(&self, path: &str, reason: impl Into<String>) -> Problem {
        self.problem_at(self.span(path), path, reason.into())
    }

    pub fn problem_at(&self, span: Option<Range<usize>>, path: &str, reason: String) -> Problem {
        let (line, column) = self.position(span.map_or(0, |span| span.start));
        Problem { path: path.to_owned(), line, column, reason }
    }

    /// Whether the text itself gives `path` a value.
    pub fn has(&self, path: &str) -> bool {
        let mut value: Option<&DeValue> = None;
        for segment in segments(path) {
            match step(&self.root, value, segment) {
                Some((_, next)) => value = Some(next),
                None => return false,
            }
        }
        true
    }

    /// Names of the fields that the text gives the table `name`.
    pub fn fields(&self, name: &str) -> Vec<String> {
        let table = self.root.get(name).and_then(|value| value.get_ref().as_table());
        table.into_iter().flatten().map(|(field, _)| field.get_ref().to_string()).collect()
    }

    fn span(&self, path: &str) -> Option<Range<usize>> {
        let mut value: Option<&DeValue> = None;
        let mut span = None;
        for segment in segments(path) {
            let Some((place, next)) = step(&self.root, value, segment) else { break };
            span = Some(place);
            value = Some(next);
        }
        span
    }

    /// Line and column, both from 1, the column in characters.
    fn position(&self, offset: usize) -> (u32, u32) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
        (number(line), number(column))
    }
}

#[derive(Clone, Copy)]
enum Segment<'p> {
    Key(&'p str),
    Index(usize),
}

/// `a.b[2]` -> a, b, 2.
fn segments(path: &str) -> impl Iterator<Item = Segment<'_>> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| match part.strip_suffix(']') {
        Some(index) => index.parse().map_or(Segment::Key(part), Segment::Index),
        None => Segment::Key(part),
    })
}

/// One step down from `value` (from `root` at first): where the key (or the element) stands, and its value.
fn step<'v, 'a>(
    root: &'v DeTable<'a>,
    value: Option<&'v DeValue<'a>>,
    segment: Segment,
) -> Option<(Range<usize>, &'v DeValue<'a>)> {
    match segment {
        Segment::Key(key) => {
            let table = value.map_or(Some(root), DeValue::as_table)?;
            let (name, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
            Some((name.span(), value.get_ref()))
        }
        Segment::Index(index) => {
            let element = value?.as_array()?.get(index)?;
            Some((element.span(), element.get_ref()))
        }
    }
}
