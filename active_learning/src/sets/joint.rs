//! Joint draws of a process over sets, by pathwise conditioning (Matheron's rule; Wilson et al. 2020, "Efficiently
//! sampling functions from Gaussian process posteriors", eq. 11):
//!
//! `f(x) | y = f(x) + k(x, X) (K + noise)^-1 (y - f(X) - e)`, `f` a draw of the prior, `e` of the noise.
//!
//! A draw of the prior costs no covariance of rows, since every part of the kernel is a sum over edits:
//!
//! | part | draw |
//! |---|---|
//! | additive | the sum of `u` over the row's edits, `u ~ N(0, k)` over the different edits |
//! | product | the sum of `(A + A') / sqrt 2` over the row's pairs of edits, `A = F Z F'`, `F F' = k`, Z standard normal |
//! | either, by context | one such draw a column of a root of `weight + weight by context * c`, weighted by it |
//! | all of these | times the row's amplitude |
//! | context, likeness | a root of `c`, the likeness itself, times standard normals |
//!
//! `F` is a Cholesky factor as long as the edits are no more than [`MOST_EDITS`]. Beyond that it is Nystrom's, from some
//! edits, those trained on first, and what it leaves out of an edit's own variance is added as the edit's own (as in FITC:
//! Quinonero-Candela & Rasmussen 2005): each edit keeps its variance, and what is not exact is the covariance of two
//! edits that are both not among those some.

use crate::representation::Encoded;
use crate::sets::cross::{different_contexts, edits_there};
use crate::sets::kernel::{Edits, Geometry, pairs};
use crate::sets::process::Process;
use crate::{Result, seed, tensor, threads};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Different edits (in one context) up to which a draw is exact; its cost is their cube.
pub(super) const MOST_EDITS: usize = 2_000;
/// Edits that stand for all, beyond that; at most.
const LANDMARKS: usize = 512;
/// Added to the diagonal before a Cholesky factor is taken: single precision.
const JITTER: f64 = 1e-6;
/// Rows that a thread takes at once.
const BLOCK: usize = 1_024;

/// A root of the covariance of the different edits: `F F' + diag(own^2)`.
pub(super) struct Root {
    /// F, `[U, R]`, single precision.
    pub shared: Tensor,
    /// `[U]`; `None`: all 0.
    pub own: Option<Vec<f32>>,
}

/// Rows as places in what is drawn.
pub(super) struct Prior<'a> {
    process: &'a Process,
    root: Root,
    /// Per row: its edits.
    edits: Vec<Vec<usize>>,
    context_of: Vec<usize>,
    /// `[contexts, columns]` each: roots of what additive and product are weighted by in two contexts, and of the context's
    /// own part.
    contexts: [Vec<f32>; 3],
    columns: usize,
    /// Per row: its amplitude.
    amplitudes: Vec<f64>,
    /// Different pairs of different edits, where these have something of their own to draw.
    pairs: HashMap<(usize, usize), usize>,
}

/// What the edits do together in one draw.
enum Together<'a> {
    /// `[U, U]`
    Table { values: Vec<f32>, count: usize },
    /// `[U, R]` each, so wide; and what each pair of edits has of its own.
    Products { left: Vec<f32>, right: Vec<f32>, width: usize, own: OwnOfPairs<'a> },
}

struct OwnOfPairs<'a> {
    /// `[U]`
    sds: &'a [f32],
    pairs: &'a HashMap<(usize, usize), usize>,
    /// One a pair.
    normals: Vec<f32>,
}

impl Root {
    /// Of `edits`, those that matter most first; `most`: the largest exact one.
    pub fn of(geometry: &Geometry, edits: &Edits, most: usize) -> Result<Self> {
        let count = edits.rows.size1()? as usize;
        let landmarks = if count <= most { count } else { most.min(LANDMARKS) };
        let chosen = edits.select(&(0..landmarks as i64).collect::<Vec<_>>())?;
        let gram = geometry.edits(&chosen, &chosen)?.f_to_kind(Kind::Double)?;
        let eye = Tensor::f_eye(landmarks as i64, (Kind::Double, gram.device()))?;
        let factor = gram.f_add(&eye.f_mul_scalar(JITTER)?)?.f_linalg_cholesky(false)?;
        if landmarks == count {
            return Ok(Self { shared: factor.f_to_kind(Kind::Float)?, own: None });
        }
        let cross = geometry.edits(edits, &chosen)?.f_to_kind(Kind::Double)?;
        let shared = factor.f_transpose(0, 1)?.f_linalg_solve_triangular(&cross, true, false, false)?;
        let held = shared.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
        let own = geometry
            .own_edits(&edits.rows)?
            .f_to_kind(Kind::Double)?
            .f_sub(&held)?
            .f_clamp_min(0.0)?
            .f_sqrt()?;
        Ok(Self { shared: shared.f_to_kind(Kind::Float)?, own: Some(tensor::to_f32(&own)?) })
    }
}

impl<'a> Prior<'a> {
    /// `most`: edits up to which it is exact, see [`MOST_EDITS`].
    pub fn new(geometry: &Geometry, process: &'a Process, encoded: &Encoded, most: usize) -> Result<Self> {
        let (different, places) = different_edits(encoded)?;
        let mut edits = edits_there(encoded)?;
        edits.iter_mut().flatten().for_each(|edit| *edit = places[*edit]);
        let (first, context_of) = different_contexts(encoded)?;
        let columns = first.len();
        let most = (most as f64 / (columns.max(1) as f64).cbrt()).max(1.0) as usize;
        let root = Root::of(geometry, &different, most)?;
        let some = encoded.select(&first)?;
        let alike = geometry.contexts(&some, &some)?.f_to_kind(Kind::Double)?;
        let [additive, by_context, product, product_by_context, context, _] = process.weights;
        let of =
            |weight: f64, by_context: f64| eigen_root(&alike.f_mul_scalar(by_context)?.f_add_scalar(weight)?);
        let contexts = [of(additive, by_context)?, of(product, product_by_context)?, of(0.0, context)?];
        let mut pairs = HashMap::new();
        if root.own.is_some() {
            for pair in edits.iter().flat_map(|edits| pairs_of(edits)) {
                let next = pairs.len();
                pairs.entry(pair).or_insert(next);
            }
        }
        let amplitudes = process.amplitudes.of(encoded)?;
        Ok(Self { process, root, edits, context_of, contexts, columns, amplitudes, pairs })
    }

    /// `[rows]`: one draw of all parts but likeness.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Result<Vec<f64>> {
        let mut values = vec![0.0; self.edits.len()];
        let [additive, product, context] = &self.contexts;
        for column in 0..self.columns {
            let alone = self.alone(rng)?;
            let together = self.together(rng)?;
            let of_context = f64::from(seed::normals(rng, 1)[0]);
            let (edits, context_of, columns) = (&self.edits, &self.context_of, self.columns);
            let amplitudes = &self.amplitudes;
            threads::over(&mut values, BLOCK, |first, values| {
                for (value, row) in values.iter_mut().zip(first..) {
                    let at = |root: &[f32]| f64::from(root[context_of[row] * columns + column]);
                    let sum: f64 = edits[row].iter().map(|&edit| f64::from(alone[edit])).sum();
                    let both: f64 = pairs_of(&edits[row]).map(|pair| together.of(pair)).sum();
                    let of_edits = at(additive) * sum + at(product) * both;
                    *value += amplitudes[row] * of_edits + at(context) * of_context;
                }
            });
        }
        Ok(values)
    }

    /// `[U]`: what each edit does by itself.
    fn alone(&self, rng: &mut ChaCha8Rng) -> Result<Vec<f32>> {
        let (count, rank) = self.root.shared.size2()?;
        let normal = tensor::from_f32(&seed::normals(rng, rank as usize), &[rank, 1])?;
        let normal = normal.f_to_device(self.root.shared.device())?;
        let mut values = tensor::to_f32(&self.root.shared.f_matmul(&normal)?)?;
        if let Some(own) = &self.root.own {
            let normals = seed::normals(rng, count as usize);
            values.iter_mut().zip(own).zip(normals).for_each(|((value, own), normal)| *value += own * normal);
        }
        Ok(values)
    }

    /// With roots `[F, diag(own)]` on both sides, `A + A'` over sqrt 2 is `L F' + F L'`, L = `F Z / sqrt 2 + own B`, and
    /// what a pair of edits has of its own.
    fn together(&self, rng: &mut ChaCha8Rng) -> Result<Together<'_>> {
        let shared = &self.root.shared;
        let (count, rank) = shared.size2()?;
        let device = shared.device();
        let normal = tensor::from_f32(&seed::normals(rng, (rank * rank) as usize), &[rank, rank])?;
        let normal = normal.f_to_device(device)?;
        let left = shared.f_matmul(&normal)?.f_mul_scalar(0.5f64.sqrt())?;
        let Some(own) = &self.root.own else {
            let half = left.f_matmul(&shared.f_transpose(0, 1)?)?;
            let values = tensor::to_f32(&half.f_add(&half.f_transpose(0, 1)?)?)?;
            return Ok(Together::Table { values, count: count as usize });
        };
        let of_edits = tensor::from_f32(&seed::normals(rng, (count * rank) as usize), &[count, rank])?;
        let of_edits = of_edits.f_mul(&tensor::from_f32(own, &[count, 1])?)?.f_to_device(device)?;
        let left = left.f_add(&of_edits)?;
        let own = OwnOfPairs { sds: own, pairs: &self.pairs, normals: seed::normals(rng, self.pairs.len()) };
        let (left, right) = (tensor::to_f32(&left)?, tensor::to_f32(shared)?);
        Ok(Together::Products { left, right, width: rank as usize, own })
    }
}

impl Together<'_> {
    fn of(&self, (one, other): (usize, usize)) -> f64 {
        match self {
            Self::Table { values, count } => f64::from(values[one * count + other]),
            Self::Products { left, right, width, own } => {
                let row = |edit: usize| edit * width..(edit + 1) * width;
                let dot = |one, other| -> f32 {
                    left[row(one)].iter().zip(&right[row(other)]).map(|(l, r)| l * r).sum()
                };
                f64::from(dot(one, other) + dot(other, one) + own.of((one, other)))
            }
        }
    }
}

impl OwnOfPairs<'_> {
    fn of(&self, (one, other): (usize, usize)) -> f32 {
        let normal = self.pairs.get(&(one, other)).and_then(|&place| self.normals.get(place));
        let twice = if one == other { std::f32::consts::SQRT_2 } else { 1.0 };
        twice * self.sds[one] * self.sds[other] * normal.copied().unwrap_or(0.0)
    }
}

/// Draws of the posterior, but for what is added chunk by chunk: [`Draws::finish`].
pub(crate) struct Draws {
    /// `[samples][M]`: of the prior, likeness left out.
    prior: Vec<Vec<f64>>,
    /// `[blocks, samples]`: the draw of the likeness's part.
    likeness: Tensor,
    /// `[N, samples]`: `(K + noise)^-1 (f(X) + e)`.
    pulls: Tensor,
}

impl Draws {
    /// Of the rows after the first `trained`, which those are conditioned on. `likeness` `[trained, blocks]`, `root` the
    /// Cholesky factor of `K + noise`.
    pub(super) fn new(
        prior: &Prior,
        (likeness, root): (&Tensor, &Tensor),
        samples: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let (trained, blocks) = likeness.size2()?;
        let weight = prior.process.weights[5].sqrt();
        let normals = seed::normals(rng, blocks as usize * samples);
        let of_likeness = tensor::from_f32(&normals, &[blocks, samples as i64])?.f_mul_scalar(weight)?;
        let of_likeness = of_likeness.f_to_device(likeness.device())?;
        let noise = prior.process.noise.sqrt();
        let (mut drawn, mut measured) = (Vec::with_capacity(samples), Vec::new());
        for _ in 0..samples {
            let mut values = prior.draw(rng)?;
            let rest = values.split_off(trained as usize);
            let noises = seed::normals(rng, trained as usize);
            measured.extend(values.iter().zip(noises).map(|(value, z)| value + noise * f64::from(z)));
            drawn.push(rest);
        }
        let measured = tensor::from_f64(&measured, &[samples as i64, trained])?.f_transpose(0, 1)?;
        let measured = measured.f_to_device(likeness.device())?;
        let measured = measured.f_add(&likeness.f_matmul(&of_likeness)?.f_to_kind(Kind::Double)?)?;
        let pulls = measured.f_cholesky_solve(&root.f_to_kind(Kind::Double)?, false)?;
        Ok(Self { prior: drawn, likeness: of_likeness, pulls: pulls.f_to_kind(Kind::Float)? })
    }

    /// Adds to the rows from `first` on what they have to do with those measured: `mean` and how much `wider` than the
    /// process `[count]`, `cross` `[count, N]`, `likeness` `[count, blocks]`.
    pub fn finish(
        &mut self,
        first: usize,
        (mean, wider): (&[f64], &[f64]),
        cross: &Tensor,
        likeness: &Tensor,
    ) -> Result<()> {
        let moved = likeness.f_matmul(&self.likeness)?.f_sub(&cross.f_matmul(&self.pulls)?)?;
        let moved = tensor::to_f32(&moved.f_transpose(0, 1)?)?;
        for (draw, moved) in self.prior.iter_mut().zip(moved.chunks(mean.len().max(1))) {
            let rows = draw[first..].iter_mut().zip(mean.iter().zip(wider)).zip(moved);
            for ((value, (mean, wider)), moved) in rows {
                *value = mean + wider * (*value + f64::from(*moved));
            }
        }
        Ok(())
    }

    /// `[samples][M]`
    pub fn into_samples(self) -> Vec<Vec<f64>> {
        self.prior
    }
}

/// Each once, in order, and the place of each among them.
fn different_edits(encoded: &Encoded) -> Result<(Edits, Vec<usize>)> {
    let identities = tensor::to_i64(&encoded.identities)?;
    let decades = tensor::to_f32(&encoded.decades)?;
    let mut known: HashMap<(i64, u32), usize> = HashMap::new();
    let mut first = Vec::new();
    let places = identities.into_iter().zip(decades).zip(0..).map(|((identity, decades), place)| {
        *known.entry((identity, decades.to_bits())).or_insert_with(|| {
            first.push(place);
            first.len() - 1
        })
    });
    let places = places.collect();
    Ok((Edits::of(encoded).select(&first)?, places))
}

/// Of a covariance that may be singular, row by row.
fn eigen_root(covariance: &Tensor) -> Result<Vec<f32>> {
    let (values, vectors) = covariance.f_linalg_eigh("L")?;
    tensor::to_f32(&vectors.f_mul(&values.f_clamp_min(0.0)?.f_sqrt()?.f_unsqueeze(0)?)?)
}

/// Of `edits`, the smaller place first.
fn pairs_of(edits: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    pairs(edits.len() as i64).map(|(s, t)| {
        let (one, other) = (edits[s as usize], edits[t as usize]);
        (one.min(other), one.max(other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use crate::representation::Vocabulary;
    use crate::seed::Purpose;
    use crate::sets::amplitude::Amplitudes;
    use crate::sets::kernel::PARTS;
    use jobs::{Context, Experiment};

    const SAMPLES: usize = 6_000;

    fn vocabulary() -> Vocabulary {
        let mut text = String::from("gene,a_0,a_1,a_2,b_0,b_1\n");
        for edit in 0..9 {
            let x = |k: i32| f64::from((edit * 7 + k * 5) % 11) - 5.0;
            let b = if edit % 3 == 0 { "0,0".to_owned() } else { format!("{},{}", x(3), x(4)) };
            text.push_str(&format!("E{edit},{},{},{},{b}\n", x(0), x(1), x(2)));
        }
        Vocabulary::build(&FeatureTable::read(text.as_bytes()).unwrap(), None).unwrap()
    }

    fn encoded(vocabulary: &Vocabulary, rows: &[(&str, &str)]) -> Encoded {
        let contexts = ["line".to_owned(), "E4".to_owned()];
        let experiment = |(key, context): &(&str, &str)| Experiment {
            perturbation: key.parse().unwrap(),
            context: Context((*context).into()),
        };
        let experiments: Vec<Experiment> = rows.iter().map(experiment).collect();
        Encoded::of(&experiments, vocabulary, &contexts).unwrap()
    }

    /// Contexts by name, by features and never seen; single edits, three, an edit nobody knows.
    fn trained(vocabulary: &Vocabulary) -> Encoded {
        encoded(vocabulary, &[("E1+E2", "line"), ("E3+E4+E5", "E4"), ("E0@10uM", "line"), ("E7+X", "line")])
    }

    fn asked(vocabulary: &Vocabulary) -> Encoded {
        let rows =
            [("E1+E2", "line"), ("E1+E2", "E4"), ("E6+E7", "other"), ("E0@2uM+E1+E8", "line"), ("X+Y", "E4")];
        encoded(vocabulary, &rows)
    }

    fn process(noise: f64) -> Process {
        let weights: [f64; PARTS] = [0.3, 0.2, 0.5, 0.4, 0.1, 0.2];
        Process {
            weights,
            noise,
            centre: 0.0,
            amplitudes: Amplitudes {
                edits: [(1, 0.4), (3, -0.3), (7, 0.2)].into_iter().collect(),
                contexts: [(0, 0.3), (1, -0.2)].into_iter().collect(),
            },
            alpha: Tensor::zeros([4, 1], (Kind::Double, tch::Device::Cpu)),
        }
    }

    /// `[rows, rows]` of draws `[samples][rows]`, about 0.
    fn covariance(draws: &[Vec<f64>]) -> Vec<f64> {
        let count = draws[0].len();
        let cell =
            |cell: usize| draws.iter().map(|draw| draw[cell / count] * draw[cell % count]).sum::<f64>();
        (0..count * count).map(|place| cell(place) / draws.len() as f64).collect()
    }

    /// Five standard errors of a covariance of Gaussians: sqrt((c_ii c_jj + c_ij^2) / samples).
    fn assert_near(said: &[f64], expected: &[f64]) {
        let count = expected.len().isqrt();
        for (place, (said, cell)) in said.iter().zip(expected).enumerate() {
            let own = |row: usize| expected[row * count + row];
            let error = ((own(place / count) * own(place % count) + cell * cell) / SAMPLES as f64).sqrt();
            assert!((said - cell).abs() < 5.0 * error, "{place}: {said} for {cell} +- {error}");
        }
    }

    #[test]
    fn draws_have_the_closed_form_covariance_of_the_posterior() {
        let vocabulary = vocabulary();
        let geometry = Geometry::new(&vocabulary).unwrap();
        let (trained, asked, process) = (trained(&vocabulary), asked(&vocabulary), process(0.2));
        let parts = |one: &Encoded, other: &Encoded| {
            let of = |encoded: &Encoded, shape: [i64; 2]| {
                let amplitudes = process.amplitudes.of(encoded).unwrap();
                tensor::from_f64(&amplitudes, &shape).unwrap().to_kind(Kind::Float)
            };
            let by = of(one, [-1, 1]) * of(other, [1, -1]);
            let parts = geometry.parts(one, other).unwrap().scaled(&by).unwrap();
            parts.weighted(&process.weights).unwrap().to_kind(Kind::Double)
        };
        let noisy =
            parts(&trained, &trained) + Tensor::eye(4, (Kind::Double, tch::Device::Cpu)) * process.noise;
        let (root, cross) = (noisy.linalg_cholesky(false), parts(&asked, &trained));
        let known = cross.matmul(&cross.transpose(0, 1).cholesky_solve(&root, false));
        // Each row as much wider as it is said to be.
        let wider = [1.0, 0.5, 2.0, 1.0, 1.5];
        let scale = tensor::from_f64(&wider, &[5, 1]).unwrap();
        let expected = (parts(&asked, &asked) - known) * scale.matmul(&scale.transpose(0, 1));
        let expected = tensor::to_f64(&expected).unwrap();

        let likeness = geometry.likeness(&trained).unwrap();
        let all = trained.join(&asked).unwrap();
        let prior = Prior::new(&geometry, &process, &all, MOST_EDITS).unwrap();
        let mut rng = seed::stream(1, Purpose::Sample);
        let mut draws = Draws::new(&prior, (&likeness, &root), SAMPLES, &mut rng).unwrap();
        let cross = cross.to_kind(Kind::Float);
        let likeness = geometry.likeness(&asked).unwrap();
        // In two chunks, as a pool is.
        for (first, count) in [(0, 2), (2, 3)] {
            let of = |all: &Tensor| all.narrow(0, first, count);
            let rows = first as usize..(first + count) as usize;
            let mean = vec![0.0; rows.len()];
            let said = (mean.as_slice(), &wider[rows.clone()]);
            draws.finish(rows.start, said, &of(&cross), &of(&likeness)).unwrap();
        }
        assert_near(&covariance(&draws.into_samples()), &expected);
    }

    #[test]
    fn too_many_edits_keep_their_own_variances() {
        let vocabulary = vocabulary();
        let geometry = Geometry::new(&vocabulary).unwrap();
        let process = Process {
            weights: [0.3, 0.2, 0.5, 0.4, 0.1, 0.0],
            amplitudes: Amplitudes::default(),
            ..process(0.2)
        };
        // In one context: with more of them fewer edits stand for all.
        let asked = encoded(
            &vocabulary,
            &[("E1+E2", "line"), ("E2+E7", "line"), ("E6+X", "line"), ("E8", "line"), ("X+Y", "line")],
        );
        let prior = Prior::new(&geometry, &process, &asked, 3).unwrap();
        let root = &prior.root;
        let (different, _) = different_edits(&asked).unwrap();
        let own = root.own.as_ref().expect("six edits are more than three");
        assert!(
            own.iter().take(3).all(|own| *own < 0.01) && own.iter().skip(3).all(|own| *own > 0.5),
            "{own:?}"
        );
        let own = tensor::from_f32(own, &[-1]).unwrap().square().diag_embed(0, 0, 1);
        let table = root.shared.matmul(&root.shared.transpose(0, 1)) + own;
        let exact = geometry.edits(&different, &different).unwrap();
        let k = |one: usize, other: usize| table.double_value(&[one as i64, other as i64]);
        for edit in 0..different.rows.size()[0] {
            assert!((table.double_value(&[edit, edit]) - exact.double_value(&[edit, edit])).abs() < 1e-5);
        }
        let [additive, by_context, product, product_by_context, context, _] = process.weights;
        // A context known by name alone: c is a half.
        let cell = |one: &[usize], other: &[usize]| {
            let add: f64 = one.iter().flat_map(|&i| other.iter().map(move |&j| k(i, j))).sum();
            let both = pairs_of(one)
                .flat_map(|(i, m)| pairs_of(other).map(move |(j, n)| k(i, j) * k(m, n) + k(i, n) * k(m, j)));
            let both: f64 = both.sum();
            (additive + 0.5 * by_context) * add + (product + 0.5 * product_by_context) * both + 0.5 * context
        };
        let expected: Vec<f64> = prior
            .edits
            .iter()
            .flat_map(|one| prior.edits.iter().map(move |other| cell(one, other)))
            .collect();
        let mut rng = seed::stream(2, Purpose::Sample);
        let draws: Vec<Vec<f64>> = (0..SAMPLES).map(|_| prior.draw(&mut rng).unwrap()).collect();
        assert_near(&covariance(&draws), &expected);
    }
}
