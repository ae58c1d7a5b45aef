//! Spaces, gone through lazily and in a fixed order.

use crate::data::pool;
use crate::representation::Vocabulary;
use crate::{Error, Result};
use jobs::work::screen::{MOST_EDITS, MOST_ROWS, Space};
use jobs::{Context, Experiment, Perturbation};
use std::collections::BTreeSet;

/// Edits on a side of a tile of pairs: a tile is what a model takes at once.
const TILE: usize = 128;

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

/// Tile by tile, so that a chunk has pairs of few edits: what a model computes for each edit of a chunk, and for each
/// two of them, it computes for 256 and not for all.
fn of_pairs<'a>(edits: Vec<&'a str>, context: &'a Context) -> Spanned<'a> {
    let count = edits.len();
    let size = (count * count.saturating_sub(1) / 2) as u64;
    let tiles = count.div_ceil(TILE);
    let of_tile = move |(row, column): (usize, usize)| {
        let ones = row * TILE..count.min((row + 1) * TILE);
        let end = count.min((column + 1) * TILE);
        ones.flat_map(move |one| ((column * TILE).max(one + 1)..end).map(move |other| (one, other)))
    };
    let places =
        (0..tiles).flat_map(move |row| (row..tiles).map(move |column| (row, column))).flat_map(of_tile);
    let pair = move |(one, other): (usize, usize)| experiment([edits[one], edits[other]], context);
    Spanned { size, experiments: Box::new(places.map(pair)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_comes_once_whatever_the_tiles() {
        let context = Context("c".to_owned());
        for count in [2, TILE - 1, TILE, TILE + 1, 2 * TILE + 44] {
            let names: Vec<String> = (0..count).map(|place| format!("G{place:04}")).collect();
            let spanned = of_pairs(names.iter().map(String::as_str).collect(), &context);
            assert_eq!(spanned.size as usize, count * (count - 1) / 2);
            let seen: BTreeSet<String> = spanned.experiments.map(|it| it.perturbation.to_string()).collect();
            let expected: BTreeSet<String> = (0..count)
                .flat_map(|one| (one + 1..count).map(move |other| (one, other)))
                .map(|(one, other)| format!("{}+{}", names[one], names[other]))
                .collect();
            assert_eq!(seen, expected, "{count}");
        }
    }

    #[test]
    fn a_chunk_has_pairs_of_few_edits() {
        let context = Context("c".to_owned());
        let names: Vec<String> = (0..20 * TILE).map(|place| format!("G{place:04}")).collect();
        let spanned = of_pairs(names.iter().map(String::as_str).collect(), &context);
        let chunk = spanned.experiments.skip(3 * TILE * TILE).take(TILE * TILE);
        let edits: BTreeSet<String> = chunk.flat_map(|it| it.perturbation.edits().to_vec()).collect();
        // A chunk that falls across two tiles of one row.
        assert!(edits.len() <= 3 * TILE, "{}", edits.len());
    }
}
