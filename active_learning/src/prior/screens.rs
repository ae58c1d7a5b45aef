//! Other screens as one matrix of genes by screens.

use crate::data::table::{Column, ColumnKind, Table, Words};
use crate::{Error, Result, metrics};
use jobs::work::description::Description;
use jobs::work::learn::names_of_screen;
use std::collections::{HashMap, HashSet};

/// The share of a screen called hits where the file does not say: the strongest five in a hundred, the
/// convention of the replayed benchmarks.
pub const HIT_SHARE: f64 = 0.05;

/// Robust z-scores are cut here: beyond it, a screen's scale says more than its biology.
const Z_LIMIT: f32 = 8.0;

/// Screens of other readouts, laboratories and cells.
#[derive(Clone, Debug, Default)]
pub struct PriorScreens {
    pub screens: Vec<String>,
    /// Screens of the files that were left out as siblings of the one at hand.
    pub left_out: Vec<String>,
    pub genes: Vec<String>,
    pub index: HashMap<String, usize>,
    /// The study of each screen; empty where nobody said.
    pub groups: Vec<String>,
    /// Of each screen; empty where nobody said.
    pub descriptions: Vec<Description>,
    /// Of the screen at hand, which is not among these; empty: all count alike.
    pub at_hand: Description,
    /// `[genes, screens]`: robust z-score, NaN where not measured.
    pub z: Vec<f32>,
    /// `[genes, screens]`: 1 hit, 0 not, NaN where not measured.
    pub hit: Vec<f32>,
}

/// Whether a screen is named in `siblings`, by any of its [names](names_of_screen).
pub fn is_sibling(id: &str, group: &str, siblings: &HashSet<String>) -> bool {
    names_of_screen(id, group).any(|name| siblings.contains(name))
}

/// A screen as read: scores by gene.
struct Screen {
    name: String,
    /// The study; empty where the file does not say.
    group: String,
    description: Description,
    rows: Vec<(u32, f32, f32)>,
    one_sided: bool,
}

impl PriorScreens {
    /// Parses one file: a single screen (`gene,score,hit`) or many (`screen_id,gene,score[,fdr][,hit]`).
    /// `name` names a single screen. Siblings of the screen at hand are left out: see [`is_sibling`].
    /// Those in `one_sided`, or whose `sided` column says `high`, have hits at the high end only, all
    /// others at both. All screens left out is not an error: see [`is_empty`](Self::is_empty).
    pub fn read(
        name: &str,
        bytes: &[u8],
        siblings: &HashSet<String>,
        one_sided: &HashSet<String>,
    ) -> Result<Self> {
        let table = Table::read("prior", bytes, |column| match column {
            "screen_id" | "gene" | "group" | "sided" => Some(ColumnKind::Text),
            column if Description::ATTRIBUTES.contains(&column) => Some(ColumnKind::Text),
            "score" | "hit" => Some(ColumnKind::Number),
            _ => None,
        })?;
        let genes = table.text("gene")?;
        let mut screens = split(name, &table, genes)?;
        let mut left_out = Vec::new();
        screens.retain(|screen| {
            let sibling = is_sibling(&screen.name, &screen.group, siblings);
            left_out.extend(sibling.then(|| screen.name.clone()));
            !sibling
        });
        screens.iter_mut().for_each(|screen| screen.one_sided |= one_sided.contains(&screen.name));
        let words = measured(&genes.words, &mut screens);
        Ok(Self { left_out, ..Self::assemble(&words, screens) })
    }

    fn assemble(words: &[String], screens: Vec<Screen>) -> Self {
        let (count, width) = (words.len(), screens.len());
        let mut z = vec![f32::NAN; count * width];
        let mut hit = vec![f32::NAN; count * width];
        for (column, screen) in screens.iter().enumerate() {
            let scaled = robust_z(screen);
            let called = call_hits(screen, &scaled);
            for ((&(gene, ..), value), call) in screen.rows.iter().zip(&scaled).zip(called) {
                let cell = gene as usize * width + column;
                z[cell] = *value;
                hit[cell] = call;
            }
        }
        let index = words.iter().enumerate().map(|(row, word)| (word.clone(), row)).collect();
        let groups = screens.iter().map(|screen| screen.group.clone()).collect();
        let (screens, descriptions) =
            screens.into_iter().map(|screen| (screen.name, screen.description)).unzip();
        let genes = words.to_vec();
        Self { screens, groups, descriptions, genes, index, z, hit, ..Self::default() }
    }

    /// Screens of several files together. A gene keeps the further names that any of them has for it.
    pub fn join(parts: Vec<Self>) -> Self {
        let mut genes: Vec<String> = Vec::new();
        let mut index = HashMap::new();
        for gene in parts.iter().flat_map(|part| &part.genes) {
            index.entry(gene.clone()).or_insert_with(|| {
                genes.push(gene.clone());
                genes.len() - 1
            });
        }
        let mut joined = Self { genes, index, ..Self::default() };
        for gene in &joined.genes {
            for part in &parts {
                let width = part.screens.len();
                match part.index.get(gene) {
                    Some(&row) => {
                        joined.z.extend_from_slice(&part.z[row * width..(row + 1) * width]);
                        joined.hit.extend_from_slice(&part.hit[row * width..(row + 1) * width]);
                    }
                    None => {
                        joined.z.extend(std::iter::repeat_n(f32::NAN, width));
                        joined.hit.extend(std::iter::repeat_n(f32::NAN, width));
                    }
                }
            }
        }
        for part in &parts {
            for (name, &row) in &part.index {
                let own = part.genes.get(row).and_then(|gene| joined.index.get(gene)).copied();
                if let Some(own) = own {
                    joined.index.entry(name.clone()).or_insert(own);
                }
            }
        }
        joined.groups = parts.iter().flat_map(|part| part.groups.clone()).collect();
        joined.descriptions = parts.iter().flat_map(|part| part.descriptions.clone()).collect();
        joined.left_out = parts.iter().flat_map(|part| part.left_out.clone()).collect();
        joined.screens = parts.into_iter().flat_map(|part| part.screens).collect();
        joined
    }

    /// Makes genes known under further names: `aliases` maps a name used elsewhere to the one used here.
    pub fn add_aliases(&mut self, aliases: &HashMap<String, String>) {
        for (alias, gene) in aliases {
            if let Some(&row) = self.index.get(gene) {
                self.index.entry(alias.clone()).or_insert(row);
            }
        }
    }

    /// Takes groups (studies) and descriptions of screens by their names, where the file said nothing of them.
    pub fn describe(&mut self, by_name: &HashMap<String, (String, Description)>) {
        let own = self.groups.iter_mut().zip(&mut self.descriptions);
        for (name, (group, description)) in self.screens.iter().zip(own) {
            let Some((its_group, said)) = by_name.get(name) else { continue };
            if group.is_empty() {
                group.clone_from(its_group);
            }
            if description.is_empty() {
                description.clone_from(said);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.screens.is_empty() || self.genes.is_empty()
    }
}

fn split(name: &str, table: &Table, genes: &Words) -> Result<Vec<Screen>> {
    let scores = table.number("score")?;
    let hits = table.number("hit").unwrap_or_default();
    let (single, nothing) = (Words::same(name, table.rows), Words::same("", table.rows));
    let ids = table.text("screen_id").unwrap_or(&single);
    let groups = table.text("group").unwrap_or(&nothing);
    let sides = table.text("sided").unwrap_or(&nothing);
    let blank = |name: &String| Screen {
        name: name.clone(),
        group: String::new(),
        description: Description::default(),
        rows: Vec::new(),
        one_sided: false,
    };
    let mut screens: Vec<Screen> = ids.words.iter().map(blank).collect();
    for ((&screen, group), side) in ids.codes.iter().zip(groups.iter()).zip(sides.iter()) {
        let screen = &mut screens[screen as usize];
        if screen.group.is_empty() {
            screen.group.push_str(group);
        }
        screen.one_sided |= side == "high";
    }
    describe(&mut screens, table, ids);
    let mut seen = HashSet::new();
    for (row, ((&screen, &gene), &score)) in ids.codes.iter().zip(&genes.codes).zip(scores).enumerate() {
        if score.is_finite() && seen.insert((screen, gene)) {
            let call = hits.get(row).copied().unwrap_or(f32::NAN);
            screens[screen as usize].rows.push((gene, score, call));
        }
    }
    screens.retain(|screen| screen.rows.len() >= 3);
    if screens.is_empty() {
        let reason = "no screen with three measured genes".to_owned();
        return Err(Error::Table { table: "prior", reason });
    }
    Ok(screens)
}

/// By what the first row of each screen that says anything says.
fn describe(screens: &mut [Screen], table: &Table, ids: &Words) {
    for name in Description::ATTRIBUTES {
        let Ok(words) = table.text(name) else { continue };
        for (&screen, word) in ids.codes.iter().zip(words.iter()) {
            if let Some(said) = screens[screen as usize].description.attribute_mut(name)
                && said.is_empty()
            {
                said.push_str(word);
            }
        }
    }
}

/// The genes of `screens`, in the order of `words`: what only a screen that was left out knows does not show.
fn measured(words: &[String], screens: &mut [Screen]) -> Vec<String> {
    let mut place = vec![None; words.len()];
    for row in screens.iter().flat_map(|screen| &screen.rows) {
        place[row.0 as usize] = Some(0);
    }
    let mut kept = Vec::new();
    for (place, word) in place.iter_mut().zip(words) {
        if let Some(place) = place {
            *place = kept.len() as u32;
            kept.push(word.clone());
        }
    }
    for row in screens.iter_mut().flat_map(|screen| &mut screen.rows) {
        row.0 = place[row.0 as usize].unwrap_or_default();
    }
    kept
}

/// (score - median) / (1.4826 MAD), cut at [`Z_LIMIT`]; by the sd where most scores are the same.
fn robust_z(screen: &Screen) -> Vec<f32> {
    let mut sorted: Vec<f32> = screen.rows.iter().map(|row| row.1).collect();
    let median = median(&mut sorted);
    let mut deviations: Vec<f32> = screen.rows.iter().map(|row| (row.1 - median).abs()).collect();
    let robust = 1.4826 * self::median(&mut deviations);
    let sd = || metrics::sd(&screen.rows.iter().map(|row| f64::from(row.1)).collect::<Vec<_>>());
    let scale = if robust > 0.0 { robust } else { sd().unwrap_or(0.0) as f32 }.max(1e-6);
    screen.rows.iter().map(|row| ((row.1 - median) / scale).clamp(-Z_LIMIT, Z_LIMIT)).collect()
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// The file's own calls, or the strongest [`HIT_SHARE`].
fn call_hits(screen: &Screen, z: &[f32]) -> Vec<f32> {
    if screen.rows.iter().any(|row| !row.2.is_nan()) {
        return screen.rows.iter().map(|row| row.2).collect();
    }
    let strength = |z: &f32| if screen.one_sided { *z } else { z.abs() };
    let mut sorted: Vec<f32> = z.iter().map(strength).collect();
    let rank = ((1.0 - HIT_SHARE) * sorted.len() as f64) as usize;
    let rank = rank.min(sorted.len().saturating_sub(1));
    let threshold = *sorted.select_nth_unstable_by(rank, f32::total_cmp).1;
    // Where nearly all scores are the same (0 for what is not significant), those are no hits.
    z.iter().map(|z| f32::from(u8::from(strength(z) >= threshold && strength(z) > 0.0))).collect()
}

/// Reads a two-column CSV `symbol,hgnc` of other names for genes.
pub fn read_aliases(bytes: &[u8]) -> Result<HashMap<String, String>> {
    let table = Table::read("alias table", bytes, |_| Some(ColumnKind::Text))?;
    let [(_, Column::Text(names)), (_, Column::Text(genes)), ..] = table.columns.as_slice() else {
        return Err(Error::MissingColumn { table: "alias table", column: "hgnc".into() });
    };
    let pairs = names.iter().zip(genes.iter()).filter(|(_, gene)| !gene.is_empty());
    Ok(pairs.map(|(name, gene)| (name.to_owned(), gene.to_owned())).collect())
}
