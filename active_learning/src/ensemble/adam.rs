//! Adam (Kingma & Ba 2015) on one parameter tensor, its rate falling to nothing along a cosine.

use crate::Result;
use tch::Tensor;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;

pub struct Adam {
    rate: f64,
    steps: u32,
    step: u32,
    first: Tensor,
    second: Tensor,
}

impl Adam {
    /// `rate` at the first of `steps` steps.
    pub fn new(parameters: &Tensor, rate: f64, steps: u32) -> Result<Self> {
        Ok(Self {
            rate,
            steps: steps.max(1),
            step: 0,
            first: parameters.f_zeros_like()?.f_detach()?,
            second: parameters.f_zeros_like()?.f_detach()?,
        })
    }

    /// Moves `parameters` against `gradient`.
    pub fn step(&mut self, parameters: &mut Tensor, gradient: &Tensor) -> Result<()> {
        self.step += 1;
        let t = f64::from(self.step);
        // In place; the returned handles are the same tensors.
        let _ = self.first.f_lerp_(gradient, 1.0 - BETA_1)?;
        let _ = self.second.f_lerp_(&gradient.f_square()?, 1.0 - BETA_2)?;
        let done = (t - 1.0) / f64::from(self.steps);
        let rate = 0.5 * self.rate * (1.0 + (std::f64::consts::PI * done).cos());
        let (first, second) = (rate / (1.0 - BETA_1.powf(t)), (1.0 - BETA_2.powf(t)).sqrt().recip());
        let size = self.second.f_sqrt()?.f_mul_scalar_(second)?.f_add_scalar_(1e-8)?;
        let change = self.first.f_div(&size)?.f_mul_scalar_(first)?;
        let _ = tch::no_grad(|| parameters.f_sub_(&change))?;
        Ok(())
    }
}
