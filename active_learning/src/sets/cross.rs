//! Covariances between many new rows and those trained on: [`kernel`](super::kernel)'s parts weighted and added up
//! without ever being there.
//!
//! All that an edit has to do with a trained row is computed once for each edit and not for each set that it is in; what
//! is left for a set is a few multiplications a trained row, which stay in the processor's cache.

use crate::representation::Encoded;
use crate::sets::kernel::{Edits, Geometry, PARTS, pairs};
use crate::sets::process::Scaled;
use crate::{Result, tensor, threads};
use std::collections::HashMap;
use tch::Tensor;

/// Rows that a thread takes at once.
const BLOCK: usize = 32;

/// M new rows beside N trained ones.
pub struct Cross {
    trained: usize,
    /// Per slot of the trained rows `[U, N]`: `k` of an edit of the new rows with the edit there; 0 where there is none.
    cells: Vec<Vec<f32>>,
    /// Per new row: the edits that are there, as rows of `cells`.
    edits: Vec<Vec<usize>>,
    /// `[different contexts, N]`
    contexts: Vec<f32>,
    /// Per new row: its context.
    context_of: Vec<usize>,
    /// `[M, blocks]`
    likeness: Vec<f32>,
    /// `[blocks, N]`
    trained_likeness: Vec<f32>,
    blocks: usize,
}

/// Sums over edits, `[N]` each.
struct Sums {
    additive: Vec<f32>,
    product: Vec<f32>,
    likeness: Vec<f32>,
}

/// For each slot of the rows trained on, `[edits used by the new, N]`: how alike each of them and the edit in that slot are,
/// zero where there is none.
pub(super) fn cells_of_slots(geometry: &Geometry, new: &Encoded, trained: &Encoded) -> Result<Vec<Tensor>> {
    let table = geometry.edits(&Edits::of(new), &Edits::of(trained))?;
    let slots = 0..trained.edits.size2()?.1;
    slots
        .map(|slot| {
            let cells = table.f_index_select(1, &trained.edits.f_select(1, slot)?)?;
            Ok(cells.f_mul(&trained.there.f_select(1, slot)?)?)
        })
        .collect()
}

impl Cross {
    /// `likeness` `[M, blocks]`, `trained_likeness` `[N, blocks]`: [`Within::likeness`](super::kernel::Within::likeness).
    pub fn new(
        geometry: &Geometry,
        new: &Encoded,
        trained: &Encoded,
        likeness: &Tensor,
        trained_likeness: &Tensor,
    ) -> Result<Self> {
        let cells = cells_of_slots(geometry, new, trained)?;
        let (first, context_of) = different_contexts(new)?;
        Ok(Self {
            trained: trained.count as usize,
            cells: cells.iter().map(tensor::to_f32).collect::<Result<_>>()?,
            edits: edits_there(new)?,
            contexts: tensor::to_f32(&geometry.contexts(&new.select(&first)?, trained)?)?,
            context_of,
            likeness: tensor::to_f32(likeness)?,
            trained_likeness: tensor::to_f32(&trained_likeness.f_transpose(0, 1)?)?,
            blocks: likeness.size2()?.1 as usize,
        })
    }

    /// Of `count` new rows from `first` on, `[count, N + 2]`: covariances by the first process's weights, then what each
    /// of the two processes adds to its centre.
    ///
    /// A row's sums are in the order of the trained rows, wherever it stands: the same set said twice is the same to the
    /// bit, which a matrix product does not promise.
    pub fn weighted(&self, first: usize, count: usize, processes: [&Scaled; 2]) -> Result<Vec<f32>> {
        let width = self.trained + 2;
        let weights = processes.map(|scaled| scaled.process.weights.map(|weight| weight as f32));
        let amplitudes = processes.map(|scaled| (scaled.new.as_slice(), scaled.trained.as_slice()));
        let alpha = |place: usize| tensor::to_f64(&processes[place].process.alpha);
        let alphas = [alpha(0)?, alpha(1)?];
        let mut values = vec![0.0; count * width];
        threads::over(&mut values, BLOCK * width, |place, values| {
            let mut sums = Sums::new(self.trained);
            let mut other = vec![0.0; self.trained];
            for (row, values) in values.chunks_exact_mut(width).enumerate() {
                let row = first + place / width + row;
                let (covariances, means) = values.split_at_mut(self.trained);
                self.add_up(row, &mut sums);
                self.weigh(row, &sums, (&weights[0], amplitudes[0].0, amplitudes[0].1), covariances);
                self.weigh(row, &sums, (&weights[1], amplitudes[1].0, amplitudes[1].1), &mut other);
                means[0] = dot(covariances, &alphas[0]) as f32;
                means[1] = dot(&other, &alphas[1]) as f32;
            }
        });
        Ok(values)
    }

    fn cells(&self, slot: usize, edit: usize) -> &[f32] {
        &self.cells[slot][edit * self.trained..(edit + 1) * self.trained]
    }

    fn add_up(&self, row: usize, sums: &mut Sums) {
        let edits = &self.edits[row];
        sums.additive.fill(0.0);
        for (&edit, slot) in edits.iter().flat_map(|edit| (0..self.cells.len()).map(move |slot| (edit, slot)))
        {
            sums.additive.iter_mut().zip(self.cells(slot, edit)).for_each(|(sum, cell)| *sum += cell);
        }
        sums.product.fill(0.0);
        for (s, more) in pairs(edits.len() as i64) {
            let (one, other) = (edits[s as usize], edits[more as usize]);
            for (t, next) in pairs(self.cells.len() as i64) {
                let (t, next) = (t as usize, next as usize);
                let straight = self.cells(t, one).iter().zip(self.cells(next, other));
                let crossed = self.cells(next, one).iter().zip(self.cells(t, other));
                for ((sum, (a, b)), (c, d)) in sums.product.iter_mut().zip(straight).zip(crossed) {
                    *sum += a * b + c * d;
                }
            }
        }
        sums.likeness.fill(0.0);
        let own = &self.likeness[row * self.blocks..(row + 1) * self.blocks];
        for (own, trained) in own.iter().zip(self.trained_likeness.chunks_exact(self.trained)) {
            sums.likeness.iter_mut().zip(trained).for_each(|(sum, trained)| *sum += own * trained);
        }
    }

    fn weigh(
        &self,
        row: usize,
        sums: &Sums,
        (weights, new, trained): (&[f32; PARTS], &[f32], &[f32]),
        values: &mut [f32],
    ) {
        let own = new[row];
        let [additive, by_context, product, product_by_context, context, likeness] = *weights;
        let from = self.context_of[row] * self.trained;
        let contexts = &self.contexts[from..from + self.trained];
        let sums = sums.additive.iter().zip(&sums.product).zip(&sums.likeness);
        let known = contexts.iter().zip(trained);
        for ((value, (same, trained)), ((add, both), alike)) in values.iter_mut().zip(known).zip(sums) {
            let of_edits =
                (additive + by_context * same) * add + (product + product_by_context * same) * both;
            *value = own * trained * of_edits + context * same + likeness * alike;
        }
    }
}

impl Sums {
    fn new(count: usize) -> Self {
        Self { additive: vec![0.0; count], product: vec![0.0; count], likeness: vec![0.0; count] }
    }
}

/// In four sums beside each other, each in order.
fn dot(one: &[f32], other: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    for (a, b) in one.chunks(4).zip(other.chunks(4)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f64::from(*a) * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Per row: the edits that are there.
pub(super) fn edits_there(encoded: &Encoded) -> Result<Vec<Vec<usize>>> {
    let slots = encoded.edits.size2()?.1.max(1) as usize;
    let edits = tensor::to_i64(&encoded.edits)?;
    let there = tensor::to_f32(&encoded.there)?;
    let of = |(edits, there): (&[i64], &[f32])| {
        let present = edits.iter().zip(there).filter(|(_, there)| **there > 0.0);
        present.map(|(edit, _)| *edit as usize).collect()
    };
    Ok(edits.chunks(slots).zip(there.chunks(slots)).map(of).collect())
}

/// The first row in each different context, and for each row which context that is.
pub(super) fn different_contexts(encoded: &Encoded) -> Result<(Vec<i64>, Vec<usize>)> {
    let names = tensor::to_i64(&encoded.contexts)?;
    let rows = tensor::to_i64(&encoded.context_rows)?;
    let mut known: HashMap<(i64, i64), usize> = HashMap::new();
    let mut first = Vec::new();
    let places = names.into_iter().zip(rows).zip(0..).map(|(context, row)| {
        *known.entry(context).or_insert_with(|| {
            first.push(row);
            first.len() - 1
        })
    });
    let places = places.collect();
    Ok((first, places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use crate::representation::Vocabulary;
    use crate::sets::amplitude::Amplitudes;
    use crate::sets::process::Process;
    use jobs::{Context, Experiment};

    fn experiment((key, context): (&str, &str)) -> Experiment {
        Experiment { perturbation: key.parse().unwrap(), context: Context(context.into()) }
    }

    /// Twelve edits; every third lacks a block.
    fn vocabulary() -> Vocabulary {
        let mut text = String::from("gene,a_0,a_1,a_2,b_0,b_1\n");
        for edit in 0..12 {
            let x = |k: i32| f64::from((edit * 7 + k * 5) % 11) - 5.0;
            let b = if edit % 3 == 0 { "0,0".to_owned() } else { format!("{},{}", x(3), x(4)) };
            text.push_str(&format!("E{edit},{},{},{},{b}\n", x(0), x(1), x(2)));
        }
        Vocabulary::build(&FeatureTable::read(text.as_bytes()).unwrap(), None).unwrap()
    }

    #[test]
    fn sums_over_edits_are_the_weighted_parts() {
        let vocabulary = vocabulary();
        let geometry = Geometry::new(&vocabulary).unwrap();
        let contexts = ["line".to_owned(), "other".to_owned()];
        let encoded = |rows: &[(&str, &str)]| {
            let experiments: Vec<Experiment> = rows.iter().copied().map(experiment).collect();
            Encoded::of(&experiments, &vocabulary, &contexts).unwrap()
        };
        let trained = encoded(&[("E1+E2", "line"), ("E3+E4+E5", "other"), ("E0", "line"), ("E9+X", "line")]);
        // Single edits, sets of four, what was trained on, edits and contexts nobody knows.
        let new = encoded(&[
            ("E1+E2", "line"),
            ("E6", "other"),
            ("E1+E3+E7+E8", "line"),
            ("X+Y", "third"),
            ("E2+E9", "other"),
        ]);
        let weights = [[0.3, 0.2, 0.5, 0.4, 0.1, 0.6], [0.7, 0.1, 0.9, 0.2, 0.3, 0.05]];
        let within = geometry.within(&new).unwrap();
        let likeness = geometry.likeness(&trained).unwrap();
        let cross = Cross::new(&geometry, &new, &trained, &within.likeness, &likeness).unwrap();
        let alpha = [0.5, -1.0, 2.0, 0.25];
        let amplitudes = Amplitudes {
            edits: [(1, 0.4), (3, -0.3), (9, 0.2)].into_iter().collect(),
            contexts: [(0, 0.3), (1, -0.2)].into_iter().collect(),
        };
        let process = |weights: &[f64; PARTS]| Process {
            weights: *weights,
            noise: 1.0,
            centre: 0.0,
            amplitudes: amplitudes.clone(),
            alpha: tensor::from_f64(&alpha, &[4, 1]).unwrap(),
        };
        let processes = weights.map(|weights| process(&weights));
        let scaled = processes.each_ref().map(|process| Scaled::of(process, &new, &trained).unwrap());
        let said = cross.weighted(1, 4, [&scaled[0], &scaled[1]]).unwrap();
        let by = scaled[0].of_new(&new).unwrap().unsqueeze(1)
            * tensor::from_f32(&scaled[0].trained, &[1, -1]).unwrap();
        let parts = geometry.parts(&new, &trained).unwrap().scaled(&by).unwrap();
        let expected = weights.map(|weights| tensor::to_f32(&parts.weighted(&weights).unwrap()).unwrap());
        // Single precision, sums in another order.
        let near = |one: f32, other: f32| (one - other).abs() < 1e-5 * (1.0 + other.abs());
        for row in 1..5 {
            let said = &said[(row - 1) * 6..row * 6];
            let of_row = expected.each_ref().map(|expected| &expected[row * 4..(row + 1) * 4]);
            assert!(said.iter().zip(of_row[0]).all(|(one, other)| near(*one, *other)), "{said:?} {of_row:?}");
            for (mean, expected) in said[4..].iter().zip(of_row) {
                let sum: f32 = expected.iter().zip(alpha).map(|(k, alpha)| k * alpha as f32).sum();
                assert!(near(*mean, sum), "{mean} {sum}");
            }
        }
    }

    #[test]
    fn what_a_set_has_to_do_with_itself_is_the_diagonal() {
        let vocabulary = vocabulary();
        let geometry = Geometry::new(&vocabulary).unwrap();
        let rows = [
            ("E1+E2", "line"),
            ("E6", "line"),
            ("E1+E3+E7+E8", "other"),
            ("X+Y", "line"),
            ("E0+X", "E4"),
            // One compound at two doses, known or not.
            ("E1@1uM+E1@10uM", "line"),
            ("X@1uM+X@3uM+E2", "other"),
        ];
        let experiments: Vec<Experiment> = rows.into_iter().map(experiment).collect();
        let encoded =
            Encoded::of(&experiments, &vocabulary, &["line", "other", "E4"].map(str::to_owned)).unwrap();
        // A context is known by its features (here an edit's), or by its name alone.
        let weights = [0.3, 0.7, 0.5, 0.2, 0.4, 0.6];
        let parts = geometry.parts(&encoded, &encoded).unwrap().weighted(&weights).unwrap();
        let expected = tensor::to_f32(&parts.diagonal(0, 0, 1)).unwrap();
        let own =
            tensor::to_f32(&geometry.within(&encoded).unwrap().own.weighted(&weights).unwrap()).unwrap();
        for (own, expected) in own.iter().zip(&expected) {
            assert!((own - expected).abs() < 1e-5 * (1.0 + own), "{own} {expected}");
        }
    }
}
