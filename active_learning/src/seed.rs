//! One seed a job, one independent stream of randomness for each purpose.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// What randomness is for. The numbers are part of the reproducibility promise: never renumber.
#[derive(Clone, Copy)]
pub enum Purpose {
    Initialise = 1,
    Resample = 2,
    Shuffle = 3,
    Folds = 4,
    Select = 5,
    Sample = 6,
    Novelty = 7,
    Trees = 8,
    Permute = 9,
    TopTwo = 10,
    Pretrain = 11,
    Ties = 12,
}

pub fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// `count` draws of the standard normal.
pub fn normals(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.sample(StandardNormal)).collect()
}
