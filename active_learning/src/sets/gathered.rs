//! What [`cross`](super::cross) computes, as tensors: what a GPU does with many sets. On a processor the loops there are
//! faster, and say the same of a set wherever it stands.

use crate::representation::Encoded;
use crate::sets::cross::{cells_of_slots, different_contexts};
use crate::sets::kernel::{Geometry, pairs};
use crate::sets::process::Scaled;
use crate::{Result, tensor};
use tch::{Kind, Tensor};

/// M new rows beside N trained ones, all on one device.
pub struct Gathered {
    /// Per slot of the trained rows `[U, N]`: `k` of an edit of the new rows with the edit there; 0 where there is none.
    cells: Vec<Tensor>,
    /// `[M, slots]` each.
    edits: Tensor,
    there: Tensor,
    /// `[different contexts, N]`
    contexts: Tensor,
    /// `[M]`
    context_of: Tensor,
    /// `[M, blocks]`
    likeness: Tensor,
    /// `[blocks, N]`
    trained_likeness: Tensor,
}

impl Gathered {
    /// As [`Cross::new`](super::cross::Cross::new).
    pub fn new(
        geometry: &Geometry,
        new: &Encoded,
        trained: &Encoded,
        likeness: &Tensor,
        trained_likeness: &Tensor,
    ) -> Result<Self> {
        let (first, context_of) = different_contexts(new)?;
        let context_of: Vec<i64> = context_of.into_iter().map(|place| place as i64).collect();
        Ok(Self {
            cells: cells_of_slots(geometry, new, trained)?,
            edits: new.edits.shallow_clone(),
            there: new.there.shallow_clone(),
            contexts: geometry.contexts(&new.select(&first)?, trained)?,
            context_of: tensor::indices(&context_of, &new.edits)?,
            likeness: likeness.shallow_clone(),
            trained_likeness: trained_likeness.f_transpose(0, 1)?,
        })
    }

    /// `[count, N]` each: covariances of `count` new rows from `first` on, by each of `processes`.
    pub fn weighted(&self, first: i64, count: i64, processes: [&Scaled; 2]) -> Result<[Tensor; 2]> {
        let of_slots = self.of_slots(first, count)?;
        let shape = [count, self.trained_likeness.size2()?.1];
        let mut additive = Tensor::f_zeros(shape, (Kind::Float, self.likeness.device()))?;
        let mut product = additive.f_zeros_like()?;
        for cell in of_slots.iter().flatten() {
            additive = additive.f_add(cell)?;
        }
        for (s, more) in pairs(of_slots.len() as i64) {
            let (one, other) = (&of_slots[s as usize], &of_slots[more as usize]);
            for (t, next) in pairs(self.cells.len() as i64) {
                let (t, next) = (t as usize, next as usize);
                let straight = one[t].f_mul(&other[next])?;
                product = product.f_add(&straight)?.f_add(&one[next].f_mul(&other[t])?)?;
            }
        }
        let context = self.contexts.f_index_select(0, &self.context_of.f_narrow(0, first, count)?)?;
        let likeness = self.likeness.f_narrow(0, first, count)?.f_matmul(&self.trained_likeness)?;
        let by = |scaled: &Scaled| -> Result<Tensor> {
            let [of_additive, by_context, of_product, product_by_context, of_context, of_likeness] =
                scaled.process.weights;
            let amplitudes = |of_rows: &[f32], shape: [i64; 2]| -> Result<Tensor> {
                Ok(tensor::from_f32(of_rows, &shape)?.f_to_device(self.likeness.device())?)
            };
            let new = amplitudes(&scaled.new[first as usize..(first + count) as usize], [-1, 1])?;
            let trained = amplitudes(&scaled.trained, [1, -1])?;
            let scaled =
                |by_context: f64, weight: f64| context.f_mul_scalar(by_context)?.f_add_scalar(weight);
            let sum = scaled(by_context, of_additive)?.f_mul(&additive)?;
            let sum = sum.f_add(&scaled(product_by_context, of_product)?.f_mul(&product)?)?;
            let sum = sum.f_mul(&new)?.f_mul(&trained)?.f_add(&context.f_mul_scalar(of_context)?)?;
            Ok(sum.f_add(&likeness.f_mul_scalar(of_likeness)?)?)
        };
        Ok([by(processes[0])?, by(processes[1])?])
    }

    /// Per slot of the new rows and slot of the trained ones, `[count, N]`; 0 where there is no edit in either.
    fn of_slots(&self, first: i64, count: i64) -> Result<Vec<Vec<Tensor>>> {
        let slot = |slot: i64| -> Result<Vec<Tensor>> {
            let at = self.edits.f_narrow(0, first, count)?.f_select(1, slot)?;
            let there = self.there.f_narrow(0, first, count)?.f_narrow(1, slot, 1)?;
            self.cells.iter().map(|cells| Ok(cells.f_index_select(0, &at)?.f_mul(&there)?)).collect()
        };
        (0..self.edits.size2()?.1).map(slot).collect()
    }
}
