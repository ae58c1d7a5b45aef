//! Randomness by name: each random number follows from the seed and from what it is for, so that a
//! restart neither repeats nor reorders any.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The stream of numbers for `purpose` (its parts in order).
pub fn stream(seed: u64, purpose: &[&str]) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for part in purpose {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn each_purpose_has_its_own_numbers_and_keeps_them() {
        let draw = |seed, purpose: &[&str]| stream(seed, purpose).random::<u64>();
        assert_eq!(draw(1, &["a", "b"]), draw(1, &["a", "b"]));
        assert_ne!(draw(1, &["a", "b"]), draw(1, &["ab"]));
        assert_ne!(draw(1, &["a"]), draw(2, &["a"]));
    }
}
