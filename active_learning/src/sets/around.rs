//! What is foretold of a set apart from what its edits do: of all sets in its context, and of all as alike as its own edits.
//!
//! Both parts of the kernel are sums over few columns (contexts, blocks of features), so taking them out of a forecast and
//! of its variance costs no second solve for each row.

use crate::representation::Encoded;
use crate::sets::cross::different_contexts;
use crate::sets::kernel::{Geometry, Within};
use crate::sets::process::{Process, solve};
use crate::{Result, tensor};
use tch::Tensor;

/// M new rows beside N trained ones, on one device.
pub(super) struct Around {
    contexts: Columns,
    /// `[M]`
    context_of: Vec<i64>,
    of_likeness: Columns,
    /// `[M, blocks]`
    likeness: Tensor,
}

/// Some covariances with the trained rows.
struct Columns {
    /// `[columns, N]`: times the inverse root of the trained rows' covariance.
    solved: Tensor,
    /// `[columns]`: what the process foretells by them. Summed in the order of the trained rows, which a matrix product
    /// does not promise: a cell read back says the same to the bit.
    means: Vec<f64>,
}

/// Of some new rows.
pub(super) struct Surroundings {
    /// `[count]`
    pub means: Vec<f64>,
    /// `[count, N]`
    pub solved: Tensor,
}

impl Around {
    /// `likeness`: of the trained rows, `[N, blocks]`; `root`: lower Cholesky factor of their covariance, single precision.
    pub fn of(
        geometry: &Geometry,
        process: &Process,
        (new, within): (&Encoded, &Within),
        (trained, likeness, root): (&Encoded, &Tensor, &Tensor),
    ) -> Result<Self> {
        let [.., of_context, of_likeness] = process.weights;
        let (first, context_of) = different_contexts(new)?;
        let contexts = geometry.contexts(&new.select(&first)?, trained)?.f_mul_scalar(of_context)?;
        let alike = likeness.f_transpose(0, 1)?.f_mul_scalar(of_likeness)?.f_contiguous()?;
        Ok(Self {
            contexts: Columns::of(process, &contexts, root)?,
            context_of: context_of.into_iter().map(|place| place as i64).collect(),
            of_likeness: Columns::of(process, &alike, root)?,
            likeness: within.likeness.shallow_clone(),
        })
    }

    /// Of `count` new rows from `first` on.
    pub fn at(&self, first: i64, count: i64) -> Result<Surroundings> {
        let context_of = &self.context_of[first as usize..(first + count) as usize];
        let likeness = self.likeness.f_narrow(0, first, count)?;
        let alike = tensor::to_f64(&likeness)?;
        let blocks = alike.len() / context_of.len().max(1);
        let rows = context_of.iter().zip(alike.chunks(blocks.max(1)));
        let means = rows.map(|(context, alike)| {
            self.contexts.means[*context as usize] + dot(alike, &self.of_likeness.means)
        });
        let contexts = self.contexts.solved.f_index_select(0, &tensor::indices(context_of, &likeness)?)?;
        let solved = contexts.f_add(&likeness.f_matmul(&self.of_likeness.solved)?)?;
        Ok(Surroundings { means: means.collect(), solved })
    }
}

impl Columns {
    fn of(process: &Process, covariances: &Tensor, root: &Tensor) -> Result<Self> {
        let alpha = tensor::to_f64(&process.alpha)?;
        let columns = tensor::to_f64(covariances)?;
        Ok(Self {
            solved: solve(covariances, root)?,
            means: columns.chunks(alpha.len().max(1)).map(|column| dot(column, &alpha)).collect(),
        })
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
