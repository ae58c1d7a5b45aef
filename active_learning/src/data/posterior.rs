//! The posterior over the whole pool as CSV, so that a prediction for an experiment added by hand is a look-up.

use crate::data::pool::quoted;
use jobs::Experiment;
use jobs::work::learn::Prediction;
use std::fmt::Write;

/// Writes `perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score`, in the pool's order.
pub fn write(pool: &[Experiment], predictions: &[Prediction], scores: &[f64]) -> Vec<u8> {
    let mut text =
        String::from("perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score\n");
    for ((experiment, prediction), score) in pool.iter().zip(predictions).zip(scores) {
        let Prediction { mean, epistemic_sd, aleatoric_sd, hit_probability } = prediction;
        let key = quoted(&experiment.perturbation.to_string());
        let context = quoted(&experiment.context.0);
        writeln!(text, "{key},{context},{mean},{epistemic_sd},{aleatoric_sd},{hit_probability},{score}")
            .expect("writing to a String cannot fail");
    }
    text.into_bytes()
}
