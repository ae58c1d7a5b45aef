//! Replay of a measured screen: a well reads the score of the gene that is really in it.
//!
//! - One gene: its score. A pair that the screen measured: its score. Anything else: additive around
//!   the screen's median, and a hit if one of its genes is one.
//! - The negative control reads the median; the positive one lies far beyond the highest score.
//! - The same in every context: the file knows none.

use super::table::Row;
use super::{Aim, Dose, Optics, Response, Specimen, mean_and_sd, well_sd_for_replicate_r};
use crate::assay::Hits;
use std::collections::{BTreeSet, HashMap};

/// What cells left alone read.
const NULL_RFU: f64 = 20_000.0;
/// The lowest score of a screen reads this fraction of [`NULL_RFU`]: raw readings stay above zero.
const LOWEST: f64 = 0.1;
/// The technical noise at the null, as a fraction of the screen's own standard deviation, that a
/// replay does not exceed unless told to: keeps r > .99 also for screens with one far low outlier.
const NOISE_CEILING: f64 = 0.08;
/// A gene's class shows from this part of a full dose on.
const CLASS_DOSE: f64 = 0.5;

pub struct Replay {
    name: String,
    contexts: Vec<String>,
    genes: Vec<String>,
    by_name: HashMap<String, usize>,
    measured: HashMap<Vec<usize>, Response>,
    order: Vec<Vec<usize>>,
    optics: Optics,
}

/// The screen has measured none of the campaign's experiments.
#[derive(Debug, thiserror::Error)]
#[error("it has measured none of the campaign's edits: are the names the same in both files?")]
pub struct NothingMeasured;

/// How noisy the replay is.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// Coefficient of variation of one measurement; `None`: 1 %, or less where the screen needs it.
    pub technical_cv: Option<f64>,
    /// How well two wells of the same kind agree over the screen; 1 adds nothing.
    pub replicate_r: f64,
}

impl Replay {
    /// `rows` as [`table::read`](super::table::read) gives them: at least one, no repeats.
    pub fn new(name: &str, contexts: Vec<String>, rows: Vec<Row>, noise: Noise) -> Self {
        let genes: BTreeSet<String> = rows.iter().flat_map(|row| row.genes.iter().cloned()).collect();
        Self::of(name, contexts, genes.into_iter().collect(), rows, noise)
    }

    /// For a campaign of one's own over `edits`, each once: what the screen has not measured does nothing beyond what its
    /// parts do.
    ///
    /// Errors when the screen has measured nothing of the design space.
    pub fn for_campaign(
        name: &str,
        contexts: Vec<String>,
        edits: Vec<String>,
        aim: Aim,
        rows: Vec<Row>,
        noise: Noise,
    ) -> Result<Self, NothingMeasured> {
        let known: BTreeSet<&String> = edits.iter().collect();
        let rows: Vec<Row> =
            rows.into_iter().filter(|row| row.genes.iter().all(|gene| known.contains(gene))).collect();
        if rows.is_empty() {
            return Err(NothingMeasured);
        }
        let mut replay = Self::of(name, contexts, edits, rows, noise);
        replay.order = aim.pool(replay.genes.len()).collect();
        if let Some(at) = aim.hit_at {
            let weakest = replay.weakest_hit(aim.hits);
            replay.optics = replay.optics.with_hits_at(at, weakest, noise.technical_cv);
            // As many hits as the screen called, where the campaign's rule looks for them.
            let null = replay.optics.null_effect;
            for response in replay.measured.values_mut() {
                response.hit = weakest > 0.0 && aim.hits.toward(response.effect - null) >= weakest;
            }
        }
        Ok(replay)
    }

    /// As many of what was measured lie beyond it as were called hits, at least one; above 0 if any does.
    fn weakest_hit(&self, hits: Hits) -> f64 {
        let mut sizes: Vec<f64> =
            self.measured.values().map(|response| hits.toward(self.excess(response))).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        let called = self.measured.values().filter(|response| response.hit).count().max(1);
        sizes.get(called - 1).copied().unwrap_or(0.0)
    }

    fn of(name: &str, contexts: Vec<String>, genes: Vec<String>, rows: Vec<Row>, noise: Noise) -> Self {
        let by_name: HashMap<String, usize> =
            genes.iter().cloned().enumerate().map(|(index, gene)| (gene, index)).collect();
        let scores: Vec<f64> = rows.iter().map(|row| row.score).collect();
        let mut measured = HashMap::new();
        let mut order = Vec::new();
        for row in rows {
            let mut key: Vec<usize> =
                row.genes.iter().filter_map(|gene| by_name.get(gene).copied()).collect();
            key.sort_unstable();
            measured.insert(key.clone(), Response { effect: row.score, hit: row.hit });
            order.push(key);
        }
        let optics = optics_for(&scores, noise);
        Self { name: name.to_owned(), contexts, genes, by_name, measured, order, optics }
    }

    fn excess(&self, response: &Response) -> f64 {
        response.effect - self.optics.null_effect
    }
}

impl Specimen for Replay {
    fn name(&self) -> &str {
        &self.name
    }

    fn genes(&self) -> &[String] {
        &self.genes
    }

    fn contexts(&self) -> &[String] {
        &self.contexts
    }

    fn optics(&self) -> Optics {
        self.optics
    }

    fn response(&self, doses: &[Dose], _context: &str) -> Response {
        let mut key: Vec<usize> = doses.iter().map(|dose| dose.gene).collect();
        key.sort_unstable();
        let shows = |dose: &Dose| dose.fraction >= CLASS_DOSE;
        if let Some(known) = self.measured.get(&key) {
            let dose: f64 = doses.iter().map(|dose| dose.fraction).product();
            let effect = self.optics.null_effect + dose * self.excess(known);
            return Response { effect, hit: known.hit && doses.iter().all(shows) };
        }
        let singles =
            || doses.iter().filter_map(|dose| self.measured.get(&vec![dose.gene]).map(|known| (dose, known)));
        let excess: f64 = singles().map(|(dose, known)| dose.fraction * self.excess(known)).sum();
        let hit = singles().any(|(dose, known)| known.hit && shows(dose));
        Response { effect: self.optics.null_effect + excess, hit }
    }

    fn pool(&self) -> Vec<Vec<usize>> {
        self.order.clone()
    }

    fn measured(&self) -> Option<usize> {
        Some(self.order.iter().filter(|set| self.measured.contains_key(*set)).count())
    }

    fn gene_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

fn optics_for(scores: &[f64], noise: Noise) -> Optics {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let low = sorted.first().copied().unwrap_or(0.0);
    let high = sorted.last().copied().unwrap_or(0.0);
    let (_, sd) = mean_and_sd(scores);
    let down = (median - low).max(2.0 * sd);
    let rfu_per_unit = if down > 0.0 { (1.0 - LOWEST) * NULL_RFU / down } else { 1.0 };
    let ceiling = if sd > 0.0 { NOISE_CEILING * sd * rfu_per_unit / NULL_RFU } else { f64::INFINITY };
    let well_sd = well_sd_for_replicate_r(sd, noise.replicate_r);
    let far = (1.2 * (high - median)).max(2.0 * NULL_RFU / rfu_per_unit).max(20.0 * well_sd);
    Optics {
        null_effect: median,
        positive_effect: median + far,
        null_rfu: NULL_RFU,
        rfu_per_unit,
        well_sd,
        technical_cv: noise.technical_cv.unwrap_or(0.01_f64.min(ceiling)),
        plate_sd: 0.0,
        edge_loss: 0.0,
    }
}
