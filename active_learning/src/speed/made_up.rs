//! What is measured on: made up from a seed, or the data folder's.

use active_learning::data::{Block, FeatureTable, Observation};
use active_learning::prior::PriorScreens;
use active_learning::prior::screens::read_aliases;
use active_learning::replay::Oracle;
use anyhow::Context as _;
use jobs::{Context, Experiment, Perturbation};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::collections::{HashMap, HashSet};
use std::path::Path;

pub const MEASURED: usize = 640;
const CANDIDATES: usize = 100_000;
const WIDTH: usize = 64;
/// As many as in the measured screen of pairs.
const EDITS_OF_PAIRS: usize = 449;
const HITS: f64 = 0.1;
const SEED: u64 = 1;

/// Everything that a campaign's second round has.
pub struct Material {
    pub features: FeatureTable,
    pub priors: Option<PriorScreens>,
    pub pool: Vec<Experiment>,
    pub cut: Vec<Observation>,
}

/// Names, features and values of made-up edits. Four features matter: two by themselves, two together.
struct Edits {
    names: Vec<String>,
    /// `[edits, WIDTH]`
    features: Vec<f32>,
}

impl Edits {
    fn new(count: usize, rng: &mut ChaCha8Rng) -> Self {
        let features = (0..count * WIDTH).map(|_| rng.sample(StandardNormal)).collect();
        Self { names: (0..count).map(|edit| format!("E{edit:06}")).collect(), features }
    }

    fn effect(&self, edit: usize) -> f64 {
        let x = |column: usize| f64::from(self.features[edit * WIDTH + column]);
        2.0 * x(0) - 1.5 * x(1) + x(2) * x(3)
    }

    fn table(self) -> FeatureTable {
        let count = self.names.len();
        FeatureTable {
            index: self.names.iter().cloned().zip(0..).collect::<HashMap<_, _>>(),
            genes: self.names,
            blocks: vec![Block { name: "x".into(), start: 0, width: WIDTH }],
            values: self.features,
            present: vec![true; count],
        }
    }
}

/// Single edits; each is a candidate.
pub fn genes() -> anyhow::Result<Material> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let edits = Edits::new(CANDIDATES, &mut rng);
    let pool = edits.names.iter().map(|name| experiment(&[name])).collect::<anyhow::Result<Vec<_>>>()?;
    let effects: Vec<f64> = (0..CANDIDATES).map(|edit| edits.effect(edit)).collect();
    let cut = measure(&pool, &effects, &mut rng);
    Ok(Material { features: edits.table(), priors: None, pool, cut })
}

/// Pairs; two edits of one kind do more together.
pub fn pairs() -> anyhow::Result<Material> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let edits = Edits::new(EDITS_OF_PAIRS, &mut rng);
    let (mut pool, mut effects) = (Vec::new(), Vec::new());
    let all = (0..EDITS_OF_PAIRS).flat_map(|one| (one + 1..EDITS_OF_PAIRS).map(move |other| (one, other)));
    for (one, other) in all.take(CANDIDATES) {
        pool.push(experiment(&[&edits.names[one], &edits.names[other]])?);
        let kind = |edit: usize| edits.features[edit * WIDTH + 4];
        effects.push(edits.effect(one) + edits.effect(other) + 2.0 * f64::from(kind(one) * kind(other)));
    }
    let cut = measure(&pool, &effects, &mut rng);
    Ok(Material { features: edits.table(), priors: None, pool, cut })
}

fn experiment(edits: &[&str]) -> anyhow::Result<Experiment> {
    let perturbation = Perturbation::new(edits.iter().copied())?;
    Ok(Experiment { perturbation, context: Context("made up".into()) })
}

/// Some of the pool with noise; the highest are hits.
fn measure(pool: &[Experiment], effects: &[f64], rng: &mut ChaCha8Rng) -> Vec<Observation> {
    let mut places: Vec<usize> = (0..pool.len()).collect();
    places.shuffle(rng);
    places.truncate(MEASURED);
    let noisy = |place: usize, noise: f64| (place, effects[place] + 0.4 * noise);
    let values: Vec<(usize, f64)> =
        places.into_iter().map(|place| noisy(place, rng.sample(StandardNormal))).collect();
    let mut sorted: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let threshold = sorted[(HITS * MEASURED as f64) as usize];
    let observed = |(place, value): (usize, f64)| {
        Observation::single(pool[place].clone(), value, Some(value > threshold))
    };
    values.into_iter().map(observed).collect()
}

const FULL: [&str; 3] =
    ["crispr/ifng.parquet", "features/gene_features.parquet", "prior/screens_long.parquet"];

pub fn has_full(data: &Path) -> bool {
    FULL.iter().all(|file| data.join(file).exists())
}

/// A measured screen of which 640 genes were drawn at random, all features, all other screens.
pub fn full(data: &Path) -> anyhow::Result<Material> {
    let read = |file: &str| {
        std::fs::read(data.join(file)).with_context(|| format!("cannot read {file} of the data folder"))
    };
    let [screen, features, priors] = FULL;
    let oracle = Oracle::read(&read(screen)?)?;
    let mut priors = PriorScreens::read("prior", &read(priors)?, &HashSet::new(), &HashSet::new())?;
    priors.add_aliases(&read_aliases(&read("prior/bda_symbol_to_hgnc.csv")?)?);
    let mut pool = oracle.pool().to_vec();
    pool.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    let cut = pool.iter().take(MEASURED).filter_map(|experiment| oracle.ask(experiment)).collect();
    Ok(Material {
        features: FeatureTable::read(&read(features)?)?,
        priors: Some(priors),
        pool: oracle.pool().to_vec(),
        cut,
    })
}

/// Writes what the reference is given: `features.f32`, `measured.i64` (places in it), `values.f64`.
pub fn write(material: &Material, folder: &Path) -> anyhow::Result<()> {
    let bytes = |values: &mut dyn Iterator<Item = [u8; 8]>| values.flatten().collect::<Vec<u8>>();
    let place = |row: &Observation| material.features.index.get(&row.experiment.perturbation.to_string());
    let places: Option<Vec<usize>> = material.cut.iter().map(|row| place(row).copied()).collect();
    let places = places.context("what was measured has no features")?;
    let features: Vec<u8> = material.features.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(folder.join("features.f32"), features)?;
    std::fs::write(
        folder.join("measured.i64"),
        bytes(&mut places.iter().map(|place| (*place as i64).to_le_bytes())),
    )?;
    std::fs::write(
        folder.join("values.f64"),
        bytes(&mut material.cut.iter().map(|row| row.value.to_le_bytes())),
    )?;
    Ok(())
}
