//! Central intervals of a prediction. Pure.

use jobs::work::learn::Prediction;
use serde::Serialize;
use utoipa::ToSchema;

/// Quantiles of the standard normal that leave 25, 10 and 5 % above.
const Z_50: f64 = 0.674_489_750_196_081_7;
const Z_80: f64 = 1.281_551_565_544_600_4;
const Z_90: f64 = 1.644_853_626_951_472_7;

/// Where a new value of the readout is foretold to lie, lower and upper end: both kinds of doubt are in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Intervals {
    pub of_50: [f64; 2],
    pub of_80: [f64; 2],
    pub of_90: [f64; 2],
}

impl Intervals {
    /// Of a Gaussian, as the learner's calibration takes it.
    pub fn of(said: &Prediction) -> Self {
        let sd = said.epistemic_sd.hypot(said.aleatoric_sd);
        let within = |z: f64| [said.mean - z * sd, said.mean + z * sd];
        Self { of_50: within(Z_50), of_80: within(Z_80), of_90: within(Z_90) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_doubt_are_in_the_interval() {
        let said = Prediction { mean: 1.0, epistemic_sd: 3.0, aleatoric_sd: 4.0, hit_probability: 0.5 };
        let Intervals { of_50, of_80, of_90 } = Intervals::of(&said);
        for (interval, half) in [(of_50, 3.372_45), (of_80, 6.407_76), (of_90, 8.224_27)] {
            assert!((interval[1] - 1.0 - half).abs() < 1e-5, "{interval:?}");
            assert!((1.0 - interval[0] - half).abs() < 1e-5, "{interval:?}");
        }
    }
}
