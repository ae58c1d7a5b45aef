//! What the members say together.

use crate::ensemble::network::{self, Batch, Ensemble};
use crate::metrics;
use crate::model::Posterior;
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::{Result, device, tensor};
use tch::{Kind, Tensor};

impl Ensemble {
    /// The mixture of all members. Samples are joint Gaussian draws with the members' own covariance over
    /// candidates: `mean + sum_m g_m (mean_m - mean) / sqrt(M - 1)`, g standard normal.
    pub(crate) fn predict(
        &self,
        vocabulary: &Vocabulary,
        encoded: &Encoded,
        samples: usize,
        seed: u64,
    ) -> Result<Posterior> {
        tch::no_grad(|| self.predict_without_gradient(vocabulary, encoded, samples, seed))
    }

    fn predict_without_gradient(
        &self,
        vocabulary: &Vocabulary,
        encoded: &Encoded,
        samples: usize,
        seed: u64,
    ) -> Result<Posterior> {
        let device = device::heavy();
        let batch = Batch::of(vocabulary, encoded, device)?;
        let owner = network::owner(&self.shape.blocks)?.f_to_device(device)?;
        let parameters = self.parameters.f_to_device(device)?;
        let outputs = network::forward(&self.shape.layout(), &parameters, &batch, &owner)?;
        let over = |tensor: &Tensor| tensor.f_mean_dim([0i64].as_slice(), false, Kind::Float);
        let mean = over(&outputs.mean)?;
        let members = self.parameters.size2()?.0;
        let deviations = outputs.mean.f_sub(&mean)?;
        let freedom = (members - 1).max(1) as f64;
        let variance = over(&deviations.f_square()?)?.f_mul_scalar(members as f64 / freedom)?;
        let noise = over(&outputs.log_variance.f_exp()?)?;
        let opinions = outputs.hit_log_odds.f_sigmoid()?;
        let hit = over(&opinions)?;
        let information = entropy(&hit)?.f_sub(&over(&entropy(&opinions)?)?)?;
        let probabilities = tensor::to_f64(&hit)?;
        Ok(Posterior {
            samples: sample(&mean, &deviations, samples, seed)?,
            mean: tensor::to_f64(&mean)?,
            epistemic_sd: tensor::to_f64(&variance.f_sqrt()?)?,
            aleatoric_sd: tensor::to_f64(&noise.f_sqrt()?)?,
            hit_log_odds: probabilities.into_iter().map(metrics::logit).collect(),
            // One network holds one opinion.
            hit_information: if members > 1 { tensor::to_f64(&information)? } else { Vec::new() },
        })
    }
}

/// Of calls that come true with these probabilities, in nats.
fn entropy(probabilities: &Tensor) -> Result<Tensor> {
    let of = |p: &Tensor| -> Result<Tensor> { Ok(p.f_xlogy(p)?.f_neg()?) };
    Ok(of(probabilities)?.f_add(&of(&probabilities.f_neg()?.f_add_scalar(1.0)?)?)?)
}

fn sample(mean: &Tensor, deviations: &Tensor, samples: usize, seed: u64) -> Result<Vec<Vec<f64>>> {
    if samples == 0 {
        return Ok(Vec::new());
    }
    let (members, count) = deviations.size2()?;
    let noise = seed::normals(&mut seed::stream(seed, Purpose::Sample), samples * members as usize);
    let noise = tensor::from_f32(&noise, &[samples as i64, members])?.f_to_device(mean.device())?;
    let spread = noise.f_matmul(deviations)?.f_mul_scalar(1.0 / ((members - 1).max(1) as f64).sqrt())?;
    let flat = tensor::to_f64(&spread.f_add(mean)?)?;
    Ok(flat.chunks(count.max(1) as usize).map(<[f64]>::to_vec).collect())
}
