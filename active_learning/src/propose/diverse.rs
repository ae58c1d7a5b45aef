//! Diversity between experiments of the pool. What is pending, or taken already, counts as chosen.

use super::{Request, directions};
use crate::acquisition::{Pick, diversity};
use crate::representation::Vocabulary;
use crate::{Error, Result};
use jobs::Experiment;

pub(super) struct Diverse<'a> {
    pub vocabulary: &'a Vocabulary,
    pub request: &'a Request<'a>,
}

impl Diverse<'_> {
    /// Places in `ranked`, the rule's best in its order, in the order in which to take `count` of them; `scale`: the
    /// batch that ranks are measured in. Where no features are known there is nothing to be diverse in, and the rule's
    /// order stays.
    pub fn order(
        &self,
        taken: &[Pick],
        ranked: &[Pick],
        strength: f64,
        (scale, count): (usize, usize),
    ) -> Result<Vec<usize>> {
        if strength <= 0.0 || !self.vocabulary.knows_features() || ranked.is_empty() {
            return Ok((0..ranked.len().min(count)).collect());
        }
        let mut experiments: Vec<&Experiment> = self.request.pending.iter().collect();
        for pick in taken.iter().chain(ranked) {
            let outside = || Error::Settings("a candidate outside the pool was picked".into());
            experiments.push(self.request.pool.get(pick.candidate).ok_or_else(outside)?);
        }
        let rows = directions::of_experiments(self.vocabulary, &experiments)?;
        let chosen = experiments.len() - ranked.len();
        diversity::spread(&rows, chosen, strength, (scale, count))
    }
}
