//! A small made-up screen: 300 genes, two feature blocks, a score that depends on them.

use active_learning::data::{FeatureTable, Observation};
use active_learning::model::Stop;
use active_learning::replay::Oracle;
use active_learning::representation::Vocabulary;
use active_learning::train::Cell;
use jobs::work::learn::{ModelFamily, ModelSpec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

pub const GENES: usize = 300;

pub struct Screen {
    pub features: Vec<u8>,
    pub rows: Vec<(String, f64, bool)>,
}

/// Block `a` carries the signal; `b` is missing for every fifth gene, and one gene has no row at all.
pub fn screen() -> Screen {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut features = String::from("gene,a_0,a_1,a_2,a_3,b_0,b_1,b_2\n");
    let mut scores = Vec::new();
    for gene in 0..GENES {
        let x: Vec<f64> = (0..7).map(|_| rng.sample(StandardNormal)).collect();
        let noise: f64 = rng.sample(StandardNormal);
        scores.push((format!("G{gene}"), 2.0 * x[0] - 1.5 * x[1] + 0.4 * noise));
        if gene == GENES - 1 {
            continue;
        }
        let b = if gene % 5 == 0 { "0,0,0".to_owned() } else { format!("{},{},{}", x[4], x[5], x[6]) };
        features.push_str(&format!("G{gene},{},{},{},{},{b}\n", x[0], x[1], x[2], x[3]));
    }
    let mut sorted: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
    sorted.sort_by(f64::total_cmp);
    let threshold = sorted[GENES - GENES / 10];
    let rows = scores.into_iter().map(|(gene, score)| (gene, score, score >= threshold)).collect();
    Screen { features: features.into_bytes(), rows }
}

impl Screen {
    pub fn vocabulary(&self) -> Vocabulary {
        Vocabulary::build(&FeatureTable::read(&self.features).unwrap(), None).unwrap()
    }

    pub fn oracle(&self) -> Oracle {
        Oracle::of(self.rows.clone()).unwrap()
    }

    /// The first `count` genes, measured.
    pub fn cut(&self, count: usize) -> Vec<Observation> {
        let oracle = self.oracle();
        oracle.pool().iter().take(count).map(|experiment| oracle.ask(experiment).unwrap()).collect()
    }
}

pub fn spec(family: ModelFamily) -> ModelSpec {
    ModelSpec { family, members: 4, epochs: 20, ..ModelSpec::default() }
}

pub const FAMILIES: [ModelFamily; 2] = [ModelFamily::Ensemble, ModelFamily::BayesianLinear];

pub fn train(vocabulary: &Vocabulary, cut: &[Observation], family: ModelFamily, seed: u64) -> Cell {
    tch::set_num_threads(1);
    Cell::train(vocabulary, cut, &spec(family), seed, &Stop::default()).unwrap()
}
