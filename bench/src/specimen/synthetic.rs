//! A specimen that ships with the code: pathways, donors, epistasis, sparse hits, noise.
//!
//! Genes belong to pathways with a strength. A few pathways are active, and each donor runs them
//! somewhat differently; a gene's effect is strength times activity, plus something of its own. Within
//! one pathway a second knock-out adds little (buffering); between partner pathways two add more than
//! their sum (synergy). The best [`HIT_FRACTION`] of a donor's true effects are its hits: one-sided,
//! larger is stronger, unless an [assay](crate::assay) wants them otherwise. A tenth of the pathways, whatever they do
//! to the readout, are essential: without their genes cells die. A compound acts as a gene does, by Hill's equation
//! (coefficient 1) of its dose. The feature table shows pathways and strengths through noise and gaps.

use super::{Aim, Dose, FeatureTable, Optics, Response, Specimen, mean_and_sd, well_sd_for_replicate_r};
use crate::assay::{Edit, Hits};
use crate::random::stream;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, Gamma, StandardNormal};
use std::collections::HashMap;

pub const HIT_FRACTION: f64 = 0.05;
const GENES_A_PATHWAY: usize = 40;
const EXPRESSION_COLUMNS: usize = 16;
const NULL_RFU: f64 = 10_000.0;
/// One standard deviation of true effects reads as much.
const RFU_A_SD: f64 = 1_000.0;
const CLASS_DOSE: f64 = 0.5;
/// Edits whose pairs say what a hit is among pairs.
const LOOKED_AT: usize = 200;

/// The settings of a synthetic specimen.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub seed: u64,
    /// At least 1, each once.
    pub edits: Vec<Edit>,
    pub aim: Aim,
    /// At least one donor.
    pub contexts: Vec<String>,
    /// How well two wells of the same kind agree over all genes, 0 to 1 (real screens: 0.25 to 0.9).
    pub replicate_r: f64,
    /// Coefficient of variation of one measurement; `None`: 1 %, or less where the hits' place needs it.
    pub technical_cv: Option<f64>,
}

/// The edits `G0001` and up.
pub fn numbered(genes: usize) -> Vec<Edit> {
    (1..=genes).map(|number| Edit { name: format!("G{number:04}"), dose: None }).collect()
}

struct Gene {
    pathway: usize,
    /// A weaker second membership.
    second: Option<usize>,
    strength: f64,
    own: f64,
}

pub struct Synthetic {
    name: String,
    contexts: Vec<String>,
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    /// By edit, as what follows.
    pathways: Vec<usize>,
    /// How much a full dose harms, 0 or more.
    harms: Vec<f64>,
    partners: Vec<(usize, usize)>,
    /// By context, by edit; what is looked for is up.
    effects: Vec<Vec<f64>>,
    aim: Aim,
    /// By context: an effect that is wanted so much is a hit.
    thresholds: Vec<f64>,
    features: FeatureTable,
    optics: Optics,
}

impl Synthetic {
    pub fn new(recipe: &Recipe) -> Self {
        let substances = Substances::of(recipe);
        let count = substances.names.len();
        let pathway_count = (count / GENES_A_PATHWAY).max(4);
        let genes = grow_genes(recipe, count, pathway_count);
        let activity = pathway_activity(recipe, pathway_count);
        let strong: Vec<Vec<f64>> = activity
            .iter()
            .map(|of_donor| genes.iter().map(|gene| single_effect(gene, of_donor)).collect())
            .collect();
        let effects: Vec<Vec<f64>> = strong.iter().map(|of_donor| substances.spread(of_donor)).collect();
        let names: Vec<String> = recipe.edits.iter().map(|edit| edit.name.clone()).collect();
        let (_, sd) = mean_and_sd(effects.first().map(Vec::as_slice).unwrap_or_default());
        let sd = if sd > 0.0 { sd } else { 1.0 };
        let well_sd = well_sd_for_replicate_r(sd, recipe.replicate_r);
        let mut specimen = Self {
            name: format!("synthetic-{}-{}", recipe.edits.len(), recipe.seed),
            contexts: recipe.contexts.clone(),
            by_name: names.iter().cloned().enumerate().map(|(index, name)| (name, index)).collect(),
            features: feature_table(recipe, &genes, &substances.names, pathway_count),
            harms: substances.spread(&harms(recipe, &genes, pathway_count)),
            pathways: substances
                .member
                .iter()
                .filter_map(|of| genes.get(*of))
                .map(|gene| gene.pathway)
                .collect(),
            partners: partner_pathways(recipe, pathway_count),
            aim: recipe.aim,
            thresholds: Vec::new(),
            names,
            effects,
            optics: Optics {
                null_effect: 0.0,
                // Far enough for a Z' of about 0.7 at any noise.
                positive_effect: (8.0 * sd).max(20.0 * well_sd),
                null_rfu: NULL_RFU,
                rfu_per_unit: RFU_A_SD / sd,
                well_sd,
                technical_cv: recipe.technical_cv.unwrap_or(0.01),
                plate_sd: 0.05,
                edge_loss: 0.03,
            },
        };
        specimen.thresholds =
            (0..recipe.contexts.len()).map(|context| specimen.hit_threshold(context)).collect();
        if let (Some(at), Some(threshold)) = (recipe.aim.hit_at, specimen.thresholds.first().copied()) {
            // One rule for all cells: what is a hit in each lies equally far.
            let stretches =
                specimen.thresholds.iter().map(|own| if *own > 0.0 { threshold / own } else { 1.0 });
            let stretches: Vec<f64> = stretches.collect();
            for (effects, stretch) in specimen.effects.iter_mut().zip(&stretches) {
                effects.iter_mut().for_each(|effect| *effect *= stretch);
            }
            specimen.thresholds =
                (0..recipe.contexts.len()).map(|context| specimen.hit_threshold(context)).collect();
            specimen.optics = specimen.optics.with_hits_at(at, threshold, recipe.technical_cv);
        }
        specimen
    }

    /// How much of what is looked for `effect` is.
    fn wanted(&self, effect: f64) -> f64 {
        if self.aim.hits == Hits::Both { effect.abs() } else { effect }
    }

    /// What the best [`HIT_FRACTION`] of the pool have at least; of a large pool of pairs, of those of its first edits.
    fn hit_threshold(&self, context: usize) -> f64 {
        let sets = self.aim.pool(self.names.len().min(if self.aim.pairs { LOOKED_AT } else { usize::MAX }));
        let effects: Vec<f64> =
            sets.map(|edits| self.wanted(self.effect(&super::full_doses(&edits), context))).collect();
        hit_threshold(&effects)
    }

    fn single(&self, context: usize, gene: usize) -> f64 {
        self.effects.get(context).and_then(|effects| effects.get(gene)).copied().unwrap_or(0.0)
    }

    fn effect(&self, doses: &[Dose], context: usize) -> f64 {
        let mut effect: f64 = doses.iter().map(|dose| dose.fraction * self.single(context, dose.gene)).sum();
        for (index, a) in doses.iter().enumerate() {
            for b in doses.iter().skip(index + 1) {
                effect += a.fraction * b.fraction * self.epistasis(context, a.gene, b.gene);
            }
        }
        effect
    }

    /// What two genes do together beyond the sum of each.
    fn epistasis(&self, context: usize, a: usize, b: usize) -> f64 {
        let (Some(&of_a), Some(&of_b)) = (self.pathways.get(a), self.pathways.get(b)) else { return 0.0 };
        let (effect_a, effect_b) = (self.single(context, a), self.single(context, b));
        let smaller = if effect_a.abs() < effect_b.abs() { effect_a } else { effect_b };
        if of_a == of_b {
            -0.6 * smaller
        } else if self.partners.contains(&(of_a.min(of_b), of_a.max(of_b))) {
            0.8 * smaller.abs()
        } else {
            0.0
        }
    }
}

impl Specimen for Synthetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn genes(&self) -> &[String] {
        &self.names
    }

    fn contexts(&self) -> &[String] {
        &self.contexts
    }

    fn optics(&self) -> Optics {
        self.optics
    }

    fn response(&self, doses: &[Dose], context: &str) -> Response {
        let Some(context) = self.contexts.iter().position(|known| known == context) else {
            return Response { effect: self.optics.null_effect, hit: false };
        };
        let effect = self.effect(doses, context);
        // The class is that of the full dose: a well dosed at 90 % with a hit still holds a hit.
        let dosed = !doses.is_empty() && doses.iter().all(|dose| dose.fraction >= CLASS_DOSE);
        let whole: Vec<Dose> = doses.iter().map(|dose| Dose { fraction: 1.0, ..*dose }).collect();
        let threshold = self.thresholds.get(context).copied().unwrap_or(f64::INFINITY);
        let hit = dosed && self.wanted(self.effect(&whole, context)) >= threshold;
        let away = self.aim.hits == Hits::AwayFromPositive;
        Response { effect: if away { -effect } else { effect }, hit }
    }

    fn viability(&self, doses: &[Dose], _context: &str) -> f64 {
        let harm = |dose: &Dose| dose.fraction * self.harms.get(dose.gene).copied().unwrap_or(0.0);
        (-doses.iter().map(harm).sum::<f64>()).exp()
    }

    fn pool(&self) -> Vec<Vec<usize>> {
        self.aim.pool(self.names.len()).collect()
    }

    fn features(&self) -> Option<FeatureTable> {
        Some(self.features.clone())
    }

    fn gene_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

/// Edits without their doses.
struct Substances {
    names: Vec<String>,
    /// By edit: which of `names`.
    member: Vec<usize>,
    /// By edit: the part of its substance's full effect that its dose has, 0 to 1.
    potency: Vec<f64>,
}

impl Substances {
    fn of(recipe: &Recipe) -> Self {
        let logs = || recipe.edits.iter().filter_map(|edit| edit.dose.as_ref()).map(|dose| dose.log10_molar);
        let (lowest, highest) =
            (logs().fold(f64::INFINITY, f64::min), logs().fold(f64::NEG_INFINITY, f64::max));
        let mut names: Vec<String> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        let (mut member, mut potency) = (Vec::new(), Vec::new());
        for edit in &recipe.edits {
            let substance = edit.substance();
            let index = *known.entry(substance).or_insert_with(|| {
                names.push(substance.to_owned());
                names.len() - 1
            });
            member.push(index);
            potency.push(edit.dose.as_ref().map_or(1.0, |dose| {
                let mut numbers = stream(recipe.seed, &["synthetic", "half maximal", substance]);
                let half = lowest + (highest - lowest) * numbers.random_range(0.0..1.0);
                1.0 / (1.0 + 10f64.powf(half - dose.log10_molar))
            }));
        }
        Self { names, member, potency }
    }

    /// By edit, of what is said `by_substance`.
    fn spread(&self, by_substance: &[f64]) -> Vec<f64> {
        let of =
            |(index, potency): (&usize, &f64)| by_substance.get(*index).copied().unwrap_or(0.0) * potency;
        self.member.iter().zip(&self.potency).map(of).collect()
    }
}

fn grow_genes(recipe: &Recipe, count: usize, pathway_count: usize) -> Vec<Gene> {
    let mut numbers = stream(recipe.seed, &["synthetic", "genes"]);
    let mut pathways: Vec<usize> = (0..count).map(|index| index % pathway_count).collect();
    pathways.shuffle(&mut numbers);
    // Mean 1, mostly small, some strong.
    let strengths = Gamma::new(1.5, 1.0 / 1.5).expect("shape and scale are above zero");
    pathways
        .into_iter()
        .map(|pathway| Gene {
            pathway,
            second: numbers.random_bool(0.2).then(|| numbers.random_range(0..pathway_count)),
            strength: strengths.sample(&mut numbers),
            own: numbers.sample::<f64, _>(StandardNormal) * 0.15,
        })
        .collect()
}

/// By context, by pathway. A tenth of the pathways raise the readout, half as many lower it a little; where both are
/// looked for, as many lower it as much.
fn pathway_activity(recipe: &Recipe, pathway_count: usize) -> Vec<Vec<f64>> {
    let mut numbers = stream(recipe.seed, &["synthetic", "activity"]);
    let mut order: Vec<usize> = (0..pathway_count).collect();
    order.shuffle(&mut numbers);
    let raising = (pathway_count / 10).max(1);
    let both = recipe.aim.hits == Hits::Both;
    let (lowering, less) = if both { (raising, 1.0) } else { (raising.div_ceil(2), 0.5) };
    let mut base = vec![0.0; pathway_count];
    for (rank, pathway) in order.into_iter().enumerate().take(raising + lowering) {
        let size: f64 = numbers.random_range(0.8..1.6);
        if let Some(activity) = base.get_mut(pathway) {
            *activity = if rank < raising { size } else { -less * size };
        }
    }
    recipe
        .contexts
        .iter()
        .map(|context| {
            let mut of_donor = stream(recipe.seed, &["synthetic", "donor", context]);
            base.iter()
                .map(|activity| activity * (0.35 * of_donor.sample::<f64, _>(StandardNormal)).exp())
                .collect()
        })
        .collect()
}

fn single_effect(gene: &Gene, activity: &[f64]) -> f64 {
    let of = |pathway: usize| activity.get(pathway).copied().unwrap_or(0.0);
    gene.strength * (of(gene.pathway) + 0.5 * gene.second.map_or(0.0, of)) + gene.own
}

/// A tenth of the pathways, drawn without regard to what they do to the readout: their genes harm by their strength.
fn harms(recipe: &Recipe, genes: &[Gene], pathway_count: usize) -> Vec<f64> {
    let mut numbers = stream(recipe.seed, &["synthetic", "essential"]);
    let mut order: Vec<usize> = (0..pathway_count).collect();
    order.shuffle(&mut numbers);
    order.truncate((pathway_count / 10).max(1));
    let of = |gene: &Gene| if order.contains(&gene.pathway) { 0.8 * gene.strength } else { 0.0 };
    genes.iter().map(of).collect()
}

fn partner_pathways(recipe: &Recipe, pathway_count: usize) -> Vec<(usize, usize)> {
    let mut numbers = stream(recipe.seed, &["synthetic", "partners"]);
    let mut order: Vec<usize> = (0..pathway_count).collect();
    order.shuffle(&mut numbers);
    order
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [a, b] => Some((*a.min(b), *a.max(b))),
            _ => None,
        })
        .collect()
}

fn hit_threshold(effects: &[f64]) -> f64 {
    let mut sorted = effects.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // Rounded, at least one; `as` on a small positive number.
    let hits = ((effects.len() as f64 * HIT_FRACTION).round() as usize).max(1);
    sorted.get(hits - 1).copied().unwrap_or(f64::INFINITY)
}

fn feature_table(recipe: &Recipe, genes: &[Gene], names: &[String], pathway_count: usize) -> FeatureTable {
    let mut numbers = stream(recipe.seed, &["synthetic", "features"]);
    let mut normal = |sd: f64| numbers.sample::<f64, _>(StandardNormal) * sd;
    let loadings: Vec<Vec<f64>> =
        (0..pathway_count).map(|_| (0..EXPRESSION_COLUMNS).map(|_| normal(1.0)).collect()).collect();
    let mut gaps = stream(recipe.seed, &["synthetic", "gaps"]);
    let rows = genes
        .iter()
        .map(|gene| {
            let annotated = gaps.random_bool(0.8);
            let expressed = gaps.random_bool(0.95);
            let astray = gaps.random_bool(0.1).then(|| gaps.random_range(0..pathway_count));
            let member = |pathway: usize| {
                let known = annotated && (gene.pathway == pathway || gene.second == Some(pathway));
                f64::from(u8::from(known || astray == Some(pathway)))
            };
            let mut row: Vec<f64> = (0..pathway_count).map(member).collect();
            let loading = loadings.get(gene.pathway).map(Vec::as_slice).unwrap_or_default();
            row.extend(loading.iter().map(|load| if expressed { load + normal(0.7) } else { 0.0 }));
            row.extend([gene.strength + normal(0.4), normal(1.0), normal(1.0)]);
            row
        })
        .collect();
    let block = |name: &'static str, width: usize| (0..width).map(move |index| format!("{name}_{index}"));
    let columns = block("pathway", pathway_count)
        .chain(block("expression", EXPRESSION_COLUMNS))
        .chain(block("scalar", 3))
        .collect();
    FeatureTable { names: names.to_vec(), columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen::full_doses;

    fn specimen(seed: u64) -> Synthetic {
        Synthetic::new(&Recipe {
            seed,
            edits: numbered(2_000),
            aim: Aim::default(),
            contexts: vec!["D1".into(), "D2".into()],
            replicate_r: 0.7,
            technical_cv: Some(0.02),
        })
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_and_sd(a), mean_and_sd(b));
        a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum::<f64>()
            / (a.len() as f64 * sd_a * sd_b)
    }

    #[test]
    fn one_gene_in_twenty_is_a_hit() {
        for seed in 1..=5 {
            let specimen = specimen(seed);
            for donor in ["D1", "D2"] {
                let hits = specimen
                    .pool()
                    .iter()
                    .filter(|genes| specimen.response(&full_doses(genes), donor).hit)
                    .count();
                assert_eq!(hits, 100, "seed {seed}, {donor}");
            }
        }
    }

    #[test]
    fn donors_agree_but_not_entirely() {
        let specimen = specimen(1);
        let r = correlation(&specimen.effects[0], &specimen.effects[1]);
        assert!((0.5..0.99).contains(&r), "{r}");
    }

    #[test]
    fn the_features_tell_hits_from_the_rest_in_part() {
        let specimen = specimen(1);
        let rows = specimen.features().unwrap().rows;
        // The best single pathway column already sets hits apart, and none does so entirely.
        let best = (0..50)
            .map(|column| {
                correlation(&rows.iter().map(|row| row[column]).collect::<Vec<_>>(), &specimen.effects[0])
            })
            .fold(0.0, f64::max);
        assert!((0.15..0.9).contains(&best), "{best}");
    }

    #[test]
    fn pairs_are_more_than_sums_between_partners_and_less_within_a_pathway() {
        let specimen = specimen(1);
        let together = |a, b| {
            specimen.response(&full_doses(&[a, b]), "D1").effect
                - specimen.single(0, a)
                - specimen.single(0, b)
        };
        let (mut buffered, mut synergistic) = (0, 0);
        for a in 0..300 {
            for b in (a + 1)..300 {
                let smaller = specimen.single(0, a).abs().min(specimen.single(0, b).abs());
                let beyond = together(a, b);
                assert!(beyond.abs() <= smaller + 1e-12);
                buffered += usize::from(specimen.pathways[a] == specimen.pathways[b] && beyond != 0.0);
                synergistic += usize::from(specimen.pathways[a] != specimen.pathways[b] && beyond > 0.0);
            }
        }
        assert!(buffered > 100 && synergistic > 100, "{buffered}, {synergistic}");
    }
}
