//! Seeds: all randomness of a campaign derives from its one seed, by what it is for.

use sha2::{Digest as _, Sha256};

/// Whole numbers up to here survive every JSON reader (2^53).
const LARGEST: u64 = (1 << 53) - 1;

/// The seed for one purpose: same campaign seed, purpose and numbers, same seed. At most 2^53 - 1.
pub fn derive(campaign_seed: u64, purpose: &str, numbers: &[u32]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(campaign_seed.to_be_bytes());
    hash.update(purpose.as_bytes());
    for number in numbers {
        hash.update([0]);
        hash.update(number.to_be_bytes());
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let first = bytes.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    first & LARGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_round_and_generation_has_its_own_seed() {
        let seeds = [
            derive(1, "propose", &[1, 1]),
            derive(1, "propose", &[1, 2]),
            derive(1, "propose", &[2, 1]),
            derive(1, "layout", &[1, 1]),
            derive(2, "propose", &[1, 1]),
        ];
        let distinct: std::collections::BTreeSet<u64> = seeds.into_iter().collect();
        assert_eq!(distinct.len(), seeds.len());
        assert!(seeds.iter().all(|seed| *seed <= LARGEST));
        assert_eq!(derive(1, "propose", &[1, 1]), seeds[0]);
    }
}
