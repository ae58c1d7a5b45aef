//! From the state of a perturbed cell to readouts: mean, log-variance of the noise, log-odds of a hit.
//!
//! Each is linear in the embedding, plus a wide path straight from the features (Cheng et al. 2016, wide &
//! deep): with the deep part at its start the network *is* the ridge-penalised linear model, which few
//! labels do not beat. The log-odds that other screens give enter every head; in that of the hit with
//! weight one, so that a network without data says what they say.

use crate::Result;
use crate::ensemble::encoder::EMBEDDING;
use crate::ensemble::layout::{Piece, times_each};
use crate::ensemble::manipulator::gather_sum;
use tch::Tensor;

/// Outputs of all heads: mean, log-variance, log-odds.
pub const OUTPUTS: i64 = 3;

pub(super) fn pieces(features: i64, contexts: i64) -> [Piece; 8] {
    let fixed =
        |name, rows, columns, start, precision| Piece { name, rows, columns, spread: 0.0, start, precision };
    [
        fixed("context.shift", contexts + 1, EMBEDDING, 0.0, 4.0),
        fixed("context.scale", contexts + 1, EMBEDDING, 0.0, 4.0),
        fixed("context.output", contexts + 1, OUTPUTS, 0.0, 4.0),
        fixed("head.weight", EMBEDDING, OUTPUTS, 0.0, 2.0 * EMBEDDING as f64),
        fixed("head.bias", 1, OUTPUTS, 0.0, 1.0),
        fixed("wide.weight", features, OUTPUTS, 0.0, 200.0),
        // Odds, about what is usual, enter the hit head at weight 1, the others at 0.
        fixed("prior.hit", 1, 1, 1.0, 1.0),
        fixed("prior.value", 1, 2, 0.0, 10.0),
    ]
}

pub(super) struct Heads<'a> {
    pub shift: &'a Tensor,
    pub scale: &'a Tensor,
    pub output: &'a Tensor,
    pub weight: &'a Tensor,
    pub bias: &'a Tensor,
    pub wide: &'a Tensor,
    pub prior_hit: &'a Tensor,
    pub prior_value: &'a Tensor,
}

/// Experiments as the heads need them, beside the state.
pub(super) struct Asked<'a> {
    /// `[U, features]`
    pub rows: &'a Tensor,
    /// `[N, K]`
    pub edits: &'a Tensor,
    /// `[N, K]`
    pub there: &'a Tensor,
    /// `[N]`
    pub contexts: &'a Tensor,
    /// `[N]`
    pub log_odds: &'a Tensor,
}

impl Heads<'_> {
    /// `state`: `[members, N, E]`. Returns `[members, N, OUTPUTS]`.
    pub fn read(&self, state: &Tensor, asked: &Asked) -> Result<Tensor> {
        let shift = self.shift.f_index_select(1, asked.contexts)?;
        let scale = self.scale.f_index_select(1, asked.contexts)?.f_add_scalar(1.0)?;
        let placed = state.f_mul(&scale)?.f_add(&shift)?;
        let deep = placed.f_matmul(self.weight)?.f_add(self.bias)?;
        let wide = gather_sum(&times_each(asked.rows, self.wide)?, asked.edits, asked.there)?;
        let context = self.output.f_index_select(1, asked.contexts)?;
        let odds = asked.log_odds.f_reshape([1, -1, 1])?;
        let centred = odds.f_sub_scalar(average_log_odds())?;
        let hit = centred.f_mul(self.prior_hit)?.f_add_scalar(average_log_odds())?;
        let prior = Tensor::f_cat(&[centred.f_mul(self.prior_value)?, hit], 2)?;
        Ok(deep.f_add(&wide)?.f_add(&context)?.f_add(&prior)?)
    }
}

/// Of a gene of which nothing is known; the value's heads see the odds relative to it.
fn average_log_odds() -> f64 {
    crate::metrics::logit(crate::prior::screens::HIT_SHARE)
}
