//! Spaces, gone through lazily and in a fixed order.

use crate::data::pool;
use crate::representation::Vocabulary;
use crate::{Error, Result};
use jobs::work::screen::{MOST_EDITS, MOST_ROWS, Space};
use jobs::{Context, Experiment, Perturbation};
use std::collections::BTreeSet;

/// A space, one experiment after the other.
pub struct Spanned<'a> {
    pub size: u64,
    pub experiments: Box<dyn Iterator<Item = Experiment> + 'a>,
}

impl<'a> Spanned<'a> {
    /// `table`: the bytes of [`Space::Table`]'s table. `contexts`: names that are contexts and no edits, where the
    /// features hold both.
    ///
    /// Edits are taken once, by name; a table's experiments once, in its order; what is known in the vocabulary's.
    pub fn of(
        space: &'a Space,
        table: Option<&[u8]>,
        vocabulary: &'a Vocabulary,
        contexts: &'a [String],
    ) -> Result<Self> {
        let spanned = match space {
            Space::Table { .. } => of_table(table.unwrap_or_default())?,
            Space::Known { context } => of_known(vocabulary, contexts, context),
            Space::Singles { edits, context } => of_singles(named(edits)?, context),
            Space::Pairs { edits, context } => of_pairs(named(edits)?, context),
        };
        if spanned.size == 0 {
            return Err(Error::Settings("the space to be screened has no experiment".to_owned()));
        }
        Ok(spanned)
    }
}

fn of_table<'a>(bytes: &[u8]) -> Result<Spanned<'a>> {
    let rows = pool::read(bytes)?;
    if rows.len() > MOST_ROWS {
        let words = format!("the table has {} experiments; a screen takes {MOST_ROWS}", rows.len());
        return Err(Error::Settings(words));
    }
    Ok(Spanned { size: rows.len() as u64, experiments: Box::new(rows.into_iter()) })
}

fn of_known<'a>(vocabulary: &'a Vocabulary, contexts: &'a [String], context: &'a Context) -> Spanned<'a> {
    let is_edit = |name: &&str| *name != context.0 && !contexts.iter().any(|known| known == name);
    let names = vocabulary.some_known(usize::MAX).into_iter().filter(is_edit);
    // A name that no perturbation can have cannot be asked for.
    let edits: Vec<Perturbation> = names.filter_map(|name| Perturbation::new([name]).ok()).collect();
    let in_context = |perturbation| Experiment { perturbation, context: context.clone() };
    Spanned { size: edits.len() as u64, experiments: Box::new(edits.into_iter().map(in_context)) }
}

/// Each once, sorted, so that a pair of them is sorted too.
fn named(edits: &[String]) -> Result<Vec<&str>> {
    if edits.len() > MOST_EDITS {
        let words = format!("the space names {} edits; a screen takes {MOST_EDITS}", edits.len());
        return Err(Error::Settings(words));
    }
    if let Some(error) = edits.iter().find_map(|edit| Perturbation::new([edit.as_str()]).err()) {
        return Err(Error::Settings(error.to_string()));
    }
    let once: BTreeSet<&str> = edits.iter().map(String::as_str).collect();
    Ok(once.into_iter().collect())
}

fn experiment<const N: usize>(edits: [&str; N], context: &Context) -> Experiment {
    let perturbation = Perturbation::new(edits).expect("the edits were checked");
    Experiment { perturbation, context: context.clone() }
}

fn of_singles<'a>(edits: Vec<&'a str>, context: &'a Context) -> Spanned<'a> {
    let size = edits.len() as u64;
    Spanned { size, experiments: Box::new(edits.into_iter().map(|edit| experiment([edit], context))) }
}

fn of_pairs<'a>(edits: Vec<&'a str>, context: &'a Context) -> Spanned<'a> {
    let count = edits.len();
    let size = (count * count.saturating_sub(1) / 2) as u64;
    let places = (0..count).flat_map(move |one| (one + 1..count).map(move |other| (one, other)));
    let pair = move |(one, other): (usize, usize)| experiment([edits[one], edits[other]], context);
    Spanned { size, experiments: Box::new(places.map(pair)) }
}
