//! The specimen: what a well's contents do to its reading. The only biology outside the learner, and
//! the product never reads it.
//!
//! A [`Specimen`] answers in its own effect units (a screen's score). [`reading`] turns effects into
//! what a plate reader sees.

pub mod reading;
pub mod replay;
pub mod synthetic;
pub mod table;

use crate::assay::Hits;
use serde::Serialize;

/// One gene in a well, and how much of its full effect its dose has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dose {
    /// Index into [`Specimen::genes`].
    pub gene: usize,
    /// 0 to 1.
    pub fraction: f64,
}

/// What the specimen truly does, before any noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Response {
    /// In the specimen's own units.
    pub effect: f64,
    /// The specimen's own class of what is really there.
    pub hit: bool,
}

/// How effects become light, and how noisy that is. RFU are relative fluorescence units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optics {
    /// The effect of the negative control, and of cells left alone.
    pub null_effect: f64,
    /// The effect of the positive control.
    pub positive_effect: f64,
    /// What cells left alone read.
    pub null_rfu: f64,
    /// RFU for one unit of effect; above 0.
    pub rfu_per_unit: f64,
    /// Standard deviation between wells of one kind, in units of effect: biology.
    pub well_sd: f64,
    /// Coefficient of variation of one measurement: the instrument.
    pub technical_cv: f64,
    /// Standard deviation of a plate's own factor.
    pub plate_sd: f64,
    /// The fraction that a well at the edge loses.
    pub edge_loss: f64,
}

impl Optics {
    /// The same with the positive control where a hit of `threshold`, an effect above 0, is `at` of the way to it, and so
    /// little noise that a plate passes QC all the same (Z' of .6 to .7).
    /// `noise`: of one measurement, where somebody has asked for it.
    pub(crate) fn with_hits_at(self, at: f64, threshold: f64, noise: Option<f64>) -> Self {
        let way = threshold / at;
        if !(way > 0.0 && way.is_finite()) {
            return self;
        }
        Self {
            positive_effect: self.null_effect + way,
            null_rfu: NULL_RFU * at.max(1.0),
            rfu_per_unit: WINDOW_RFU / way,
            well_sd: self.well_sd.min(0.03 * way),
            technical_cv: noise.unwrap_or(LIGHT_NOISE / at.max(1.0)),
            ..self
        }
    }
}

/// What cells left alone read where the hits' place between the controls is given, and how far the positive control lies
/// above: there is room for what goes twice as far down, or as hits do.
const NULL_RFU: f64 = 20_000.0;
/// Coefficient of variation of one measurement there, unless it is asked for.
const LIGHT_NOISE: f64 = 0.01;
const WINDOW_RFU: f64 = 8_000.0;

/// What a campaign looks for, and among which sets of edits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    pub hits: Hits,
    /// As [`Assay::hit_at`](crate::assay::Assay::hit_at).
    pub hit_at: Option<f64>,
    pub singles: bool,
    pub pairs: bool,
}

impl Default for Aim {
    fn default() -> Self {
        Self { hits: Hits::default(), hit_at: None, singles: true, pairs: false }
    }
}

impl Aim {
    /// The design space over so many edits: singles, then pairs.
    fn pool(self, edits: usize) -> impl Iterator<Item = Vec<usize>> {
        let singles = (0..edits).filter(move |_| self.singles).map(|edit| vec![edit]);
        let pairs =
            (0..edits).filter(move |_| self.pairs).flat_map(move |a| (a + 1..edits).map(move |b| vec![a, b]));
        singles.chain(pairs)
    }
}

/// Whatever lives in the wells.
pub trait Specimen: Send + Sync {
    fn name(&self) -> &str;

    /// Sorted as the specimen has them; names are unique.
    fn genes(&self) -> &[String];

    /// Kinds of cells; at least one.
    fn contexts(&self) -> &[String];

    fn optics(&self) -> Optics;

    /// What `doses` do to cells of `context`, a number of genes at once; none: cells left alone.
    fn response(&self, doses: &[Dose], context: &str) -> Response;

    /// Cells alive, as a fraction of those of cells left alone.
    fn viability(&self, _doses: &[Dose], _context: &str) -> f64 {
        1.0
    }

    /// Every experiment that a campaign on this specimen may choose among, as sets of genes.
    fn pool(&self) -> Vec<Vec<usize>>;

    /// Columns that tell of the specimen's hidden structure, if it has any of its own.
    fn features(&self) -> Option<FeatureTable> {
        None
    }

    /// Of a replayed screen: how many of the [`pool`](Self::pool) it has measured.
    fn measured(&self) -> Option<usize> {
        None
    }

    fn gene_index(&self, name: &str) -> Option<usize>;
}

/// Numbers by gene, as the learner reads them: `gene`, then columns named `block_index`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureTable {
    /// Genes; of compounds their names without a dose.
    pub names: Vec<String>,
    pub columns: Vec<String>,
    /// One row a name; 0 where nothing is known.
    pub rows: Vec<Vec<f64>>,
}

/// A full dose of each of `genes`.
pub fn full_doses(genes: &[usize]) -> Vec<Dose> {
    genes.iter().map(|gene| Dose { gene: *gene, fraction: 1.0 }).collect()
}

pub(crate) fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// The standard deviation between wells that makes two replicates of a screen correlate by `r`, when
/// true effects have standard deviation `effect_sd`: r = s² / (s² + w²).
pub(crate) fn well_sd_for_replicate_r(effect_sd: f64, r: f64) -> f64 {
    effect_sd * ((1.0 - r) / r).max(0.0).sqrt()
}
