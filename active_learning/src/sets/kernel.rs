//! How alike two perturbations in their contexts are.
//!
//! | part | formula | what it can learn |
//! |---|---|---|
//! | additive | `S = sum of k(i, j)` over edits i, j of both | an edit's own effect: the additive null |
//! | product | `P = sum of k(i, j) k(i', j') + k(i, j') k(i', j)` over pairs of edits of both | an effect of two edits together |
//! | context | `c` | a cell line that answers more than others |
//! | `S c`, `P c` | | the same effects in contexts like this one |
//! | likeness | `l l'` | that edits alike each other (one complex, one pathway) interact more, or less |
//!
//! `k` is half identity, half the mean over feature blocks of `(r + r^2) / 2`, r the cosine; `c` is half
//! identity, half cosine. Of edits with doses `k` is also multiplied by `exp(-d^2 / 2)`, d the decades between the doses; an
//! edit without a dose counts as one at 1 uM. An edit that nothing is known of has its identity alone, by its name. Products and sums of kernels are kernels (Rasmussen & Williams 2006, section 4.2);
//! every part sums over edits, so their order cannot matter.

use crate::representation::{Encoded, Vocabulary};
use crate::{Result, tensor};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Parts of the kernel.
pub const PARTS: usize = 6;
/// Share of an edit's (a context's) variance that is its own.
const OWN: f64 = 0.5;
/// Narrower blocks say how much, not of which kind; they are left out where there are wider ones.
const NARROW: usize = 16;
/// Decades of dose in which an edit's effect becomes another one.
const DOSE_LENGTH: f64 = 1.0;
/// Edits whose likeness says what likeness is common.
const SAMPLE: usize = 256;

/// Mean and sd, per block, of cosines among a sample of all edits: what likeness is measured against.
#[derive(Clone, Debug, Default)]
pub struct Common {
    means: Vec<f64>,
    sds: Vec<f64>,
}

pub struct Geometry<'a> {
    vocabulary: &'a Vocabulary,
    /// First column and width of each block used.
    blocks: Vec<(i64, i64)>,
    pub common: Common,
}

/// Parts `[N, M]` each, single precision: additive, additive by context, product, product by context,
/// context, likeness.
pub struct Parts(pub [Tensor; PARTS]);

/// Unit directions of each block `[U, width]`, and the inverse root of how many blocks each row has `[U, 1]`.
pub(super) struct Directions {
    blocks: Vec<Tensor>,
    share: Tensor,
}

/// Edits, by what is known of them and their doses.
pub(super) struct Edits {
    /// `[U]`: rows of the vocabulary.
    pub rows: Tensor,
    /// `[U]`: what makes them one and the same at whatever dose.
    pub identities: Tensor,
    /// `[U]`
    pub decades: Tensor,
}

/// What the edits in two slots are to each other, `[N]` each.
struct Between {
    /// 1 where both are there.
    there: Tensor,
    /// Per block.
    cosines: Vec<Tensor>,
    /// `k`; 0 where one is missing.
    covariance: Tensor,
}

/// What the edits of each perturbation are to each other.
pub(super) struct Within {
    /// `[N, blocks]`: how much more alike than common they are, in sd.
    pub likeness: Tensor,
    /// `[N]` each: the parts of every row with itself.
    pub own: Parts,
}

impl<'a> Geometry<'a> {
    pub fn new(vocabulary: &'a Vocabulary) -> Result<Self> {
        let mut geometry = Self::with(vocabulary, Common::default());
        geometry.common = geometry.look_around()?;
        Ok(geometry)
    }

    /// With what an earlier one found common in the same vocabulary.
    pub fn with(vocabulary: &'a Vocabulary, common: Common) -> Self {
        let wide = vocabulary.blocks.iter().any(|block| block.width >= NARROW);
        let used = vocabulary.blocks.iter().filter(|block| !wide || block.width >= NARROW);
        let blocks = used.map(|block| (block.start as i64, block.width as i64)).collect();
        Self { vocabulary, blocks, common }
    }

    fn look_around(&self) -> Result<Common> {
        let known = self.vocabulary.some_known(SAMPLE);
        let rows: Vec<i64> = known.iter().map(|name| self.vocabulary.row(name)).collect();
        if rows.len() < 2 {
            let count = self.blocks.len();
            return Ok(Common { means: vec![0.0; count], sds: vec![1.0; count] });
        }
        let mut common = Common::default();
        for block in &self.directions(&Tensor::f_from_slice(&rows)?)?.blocks {
            let cosines = tensor::to_f64(&block.f_matmul(&block.f_transpose(0, 1)?)?)?;
            let count = rows.len();
            let apart = cosines.iter().enumerate().filter(|(place, _)| place / count < place % count);
            let apart: Vec<f64> = apart.map(|(_, cosine)| *cosine).collect();
            common.means.push(crate::metrics::mean(apart.iter().copied()).unwrap_or(0.0));
            common.sds.push(crate::metrics::sd(&apart).filter(|sd| *sd > 1e-6).unwrap_or(1.0));
        }
        Ok(common)
    }

    pub(super) fn directions(&self, rows: &Tensor) -> Result<Directions> {
        let [x, _] = self.vocabulary.on(rows.device())?;
        let x = x.f_index_select(0, rows)?;
        let mut blocks = Vec::new();
        let mut count = Tensor::f_zeros([rows.size1()?, 1], (Kind::Float, rows.device()))?;
        for &(start, width) in &self.blocks {
            let block = x.f_narrow(1, start, width)?;
            let length =
                block.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?.f_sqrt()?;
            count = count.f_add(&length.f_gt(0.0)?.f_to_kind(Kind::Float)?)?;
            blocks.push(block.f_div(&length.f_clamp_min(1e-9)?)?);
        }
        Ok(Directions { blocks, share: count.f_clamp_min(1.0)?.f_rsqrt()? })
    }

    /// `[U, U']`: `k` between edits.
    pub(super) fn edits(&self, one: &Edits, other: &Edits) -> Result<Tensor> {
        let apart = one.decades.f_unsqueeze(1)?.f_sub(&other.decades.f_unsqueeze(0)?)?;
        let identities = (&one.identities, &other.identities);
        Ok(self.alike(&one.rows, &other.rows, identities, sharpen)?.f_mul(&doses_alike(&apart)?)?)
    }

    /// `[U]`: `k` of rows of the vocabulary with themselves; less than 1 where nothing is known of one but its name.
    pub(super) fn own_edits(&self, rows: &Tensor) -> Result<Tensor> {
        let directions = self.directions(rows)?;
        let mut sum = directions.share.f_zeros_like()?;
        for block in &directions.blocks {
            let square = block.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?;
            sum = sum.f_add(&sharpen(&square)?)?;
        }
        let mean = sum.f_mul(&directions.share.f_square()?)?.f_squeeze_dim(1)?;
        Ok(mean.f_mul_scalar(1.0 - OWN)?.f_add_scalar(OWN)?)
    }

    /// Between rows of the vocabulary; half of it identity.
    fn alike(
        &self,
        one: &Tensor,
        other: &Tensor,
        (identity, other_identity): (&Tensor, &Tensor),
        bend: impl Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let same = identity.f_unsqueeze(1)?.f_eq_tensor(&other_identity.f_unsqueeze(0)?)?;
        let same = same.f_to_kind(Kind::Float)?;
        let (left, right) = (self.directions(one)?, self.directions(other)?);
        let mut sum = same.f_zeros_like()?;
        for (a, b) in left.blocks.iter().zip(&right.blocks) {
            sum = sum.f_add(&bend(&a.f_matmul(&b.f_transpose(0, 1)?)?)?)?;
        }
        let mean = sum.f_mul(&left.share)?.f_mul(&right.share.f_transpose(0, 1)?)?;
        Ok(same.f_mul_scalar(OWN)?.f_add(&mean.f_mul_scalar(1.0 - OWN)?)?)
    }

    /// `[R, R']`: mean cosines over the blocks that both rows have; 0 where nothing is known.
    pub(crate) fn cosines(&self, one: &Tensor, other: &Tensor) -> Result<Tensor> {
        let likeness = self.alike(one, other, (one, other), |cosine| Ok(cosine.shallow_clone()))?;
        let same = one.f_unsqueeze(1)?.f_eq_tensor(&other.f_unsqueeze(0)?)?.f_to_kind(Kind::Float)?;
        Ok(likeness.f_sub(&same.f_mul_scalar(OWN)?)?.f_div_scalar(1.0 - OWN)?)
    }

    /// `[N, M]`: `c`. Two contexts that no model knows are not the same one.
    pub(super) fn contexts(&self, one: &Encoded, other: &Encoded) -> Result<Tensor> {
        let (rows, places) = distinct(&one.context_rows)?;
        let (other_rows, other_places) = distinct(&other.context_rows)?;
        let by_row = (&rows, &other_rows);
        let likeness = self.alike(&rows, &other_rows, by_row, |cosine| Ok(cosine.shallow_clone()))?;
        // Rows of unknown names are one row: take back their identity, and give it by name.
        let same_row =
            rows.f_unsqueeze(1)?.f_eq_tensor(&other_rows.f_unsqueeze(0)?)?.f_to_kind(Kind::Float)?;
        let likeness = likeness.f_sub(&same_row.f_mul_scalar(OWN)?)?;
        let spread = likeness.f_index_select(0, &places)?.f_index_select(1, &other_places)?;
        let same = one.contexts.f_unsqueeze(1)?.f_eq_tensor(&other.contexts.f_unsqueeze(0)?)?;
        Ok(spread.f_add(&same.f_to_kind(Kind::Float)?.f_mul_scalar(OWN)?)?)
    }

    /// `[N]`: `c` of each row's context with itself; less than 1 where nothing is known of it but its name.
    fn own_contexts(&self, encoded: &Encoded) -> Result<Tensor> {
        let (rows, places) = distinct(&encoded.context_rows)?;
        let directions = self.directions(&rows)?;
        let mut sum = directions.share.f_zeros_like()?;
        for block in &directions.blocks {
            sum = sum.f_add(&block.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?)?;
        }
        let likeness = sum.f_mul(&directions.share.f_square()?)?.f_squeeze_dim(1)?;
        Ok(likeness.f_mul_scalar(1.0 - OWN)?.f_add_scalar(OWN)?.f_index_select(0, &places)?)
    }

    /// How alike the edits of each perturbation are, and its covariance with itself.
    pub(super) fn within(&self, encoded: &Encoded) -> Result<Within> {
        let directions = self.directions(&encoded.rows)?;
        let slots = encoded.edits.size2()?.1;
        let zero = Tensor::f_zeros([encoded.count], (Kind::Float, encoded.device()))?;
        let mut likeness: Vec<Tensor> = self.blocks.iter().map(|_| zero.shallow_clone()).collect();
        let mut cells: Vec<Tensor> = Vec::new();
        for (s, t) in (0..slots).flat_map(|s| (0..slots).map(move |t| (s, t))) {
            if t < s {
                cells.push(cells[(t * slots + s) as usize].shallow_clone());
                continue;
            }
            let between = self.between(encoded, &directions, (s, t))?;
            cells.push(between.covariance);
            let scales = self.common.means.iter().zip(&self.common.sds);
            for ((sum, cosine), (mean, sd)) in likeness.iter_mut().zip(&between.cosines).zip(scales) {
                if s < t {
                    let beyond = cosine.f_sub_scalar(*mean)?.f_div_scalar(*sd)?;
                    *sum = sum.f_add(&beyond.f_mul(&between.there)?)?;
                }
            }
        }
        let likeness = match likeness.len() {
            0 => zero.f_unsqueeze(1)?,
            blocks => Tensor::f_stack(&likeness, 1)?.f_mul_scalar((blocks as f64).sqrt().recip())?,
        };
        let own = own(slots, &cells, &likeness, self.own_contexts(encoded)?)?;
        Ok(Within { likeness, own })
    }

    /// What the edits in two slots of each perturbation are to each other.
    fn between(&self, encoded: &Encoded, directions: &Directions, (s, t): (i64, i64)) -> Result<Between> {
        let (one, other) = (encoded.edits.f_select(1, s)?, encoded.edits.f_select(1, t)?);
        let product = |values: &Tensor| -> Result<Tensor> {
            Ok(values.f_index_select(0, &one)?.f_mul(&values.f_index_select(0, &other)?)?)
        };
        let there = encoded.there.f_select(1, s)?.f_mul(&encoded.there.f_select(1, t)?)?;
        let mut sum = there.f_zeros_like()?;
        let mut cosines = Vec::new();
        for block in &directions.blocks {
            let cosine = product(block)?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
            sum = sum.f_add(&sharpen(&cosine)?)?;
            cosines.push(cosine);
        }
        let mean = sum.f_mul(&product(&directions.share)?.f_squeeze_dim(1)?)?.f_mul_scalar(1.0 - OWN)?;
        let identity = |places: &Tensor| encoded.identities.f_index_select(0, places);
        let same = identity(&one)?.f_eq_tensor(&identity(&other)?)?;
        let same = same.f_to_kind(Kind::Float)?.f_mul_scalar(OWN)?;
        let apart =
            encoded.decades.f_index_select(0, &one)?.f_sub(&encoded.decades.f_index_select(0, &other)?)?;
        let covariance = same.f_add(&mean)?.f_mul(&there)?.f_mul(&doses_alike(&apart)?)?;
        Ok(Between { covariance, there, cosines })
    }

    pub(super) fn likeness(&self, encoded: &Encoded) -> Result<Tensor> {
        Ok(self.within(encoded)?.likeness)
    }

    /// Mean over blocks of [`likeness`](Self::likeness): edits that are of one kind stand high.
    pub fn mean_likeness(&self, encoded: &Encoded) -> Result<Vec<f64>> {
        tensor::to_f64(&self.likeness(encoded)?.f_mean_dim([1i64].as_slice(), false, Kind::Float)?)
    }

    /// All parts between `one` and `other`.
    pub fn parts(&self, one: &Encoded, other: &Encoded) -> Result<Parts> {
        let table = self.edits(&Edits::of(one), &Edits::of(other))?;
        let (slots, other_slots) = (one.edits.size2()?.1, other.edits.size2()?.1);
        let mut cells = Vec::new();
        for s in 0..slots {
            let rows = table.f_index_select(0, &one.edits.f_select(1, s)?)?;
            let there = one.there.f_select(1, s)?.f_unsqueeze(1)?;
            for t in 0..other_slots {
                let cell = rows.f_index_select(1, &other.edits.f_select(1, t)?)?;
                let other_there = other.there.f_select(1, t)?.f_unsqueeze(0)?;
                cells.push(cell.f_mul(&there)?.f_mul(&other_there)?);
            }
        }
        let at = |s: i64, t: i64| &cells[(s * other_slots + t) as usize];
        let (additive, product) = combine(slots, other_slots, at)?;
        let context = self.contexts(one, other)?;
        let likeness = self.likeness(one)?.f_matmul(&self.likeness(other)?.f_transpose(0, 1)?)?;
        let (by_context, product_by_context) = (additive.f_mul(&context)?, product.f_mul(&context)?);
        Ok(Parts([additive, by_context, product, product_by_context, context, likeness]))
    }
}

/// From cells `[slots * slots]` of `[N]`.
fn own(slots: i64, cells: &[Tensor], likeness: &Tensor, context: Tensor) -> Result<Parts> {
    let (additive, product) = combine(slots, slots, |s, t| &cells[(s * slots + t) as usize])?;
    let likeness = likeness.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
    let (by_context, product_by_context) = (additive.f_mul(&context)?, product.f_mul(&context)?);
    Ok(Parts([additive, by_context, product, product_by_context, context, likeness]))
}

/// `exp(-d^2 / 2)`, d in decades over [`DOSE_LENGTH`].
fn doses_alike(apart: &Tensor) -> Result<Tensor> {
    Ok(apart.f_div_scalar(DOSE_LENGTH)?.f_square()?.f_mul_scalar(-0.5)?.f_exp()?)
}

impl Edits {
    pub fn of(encoded: &Encoded) -> Self {
        Self {
            rows: encoded.rows.shallow_clone(),
            identities: encoded.identities.shallow_clone(),
            decades: encoded.decades.shallow_clone(),
        }
    }

    /// Those at `places`.
    pub fn select(&self, places: &[i64]) -> Result<Self> {
        let at = tensor::indices(places, &self.rows)?;
        Ok(Self {
            rows: self.rows.f_index_select(0, &at)?,
            identities: self.identities.f_index_select(0, &at)?,
            decades: self.decades.f_index_select(0, &at)?,
        })
    }
}

/// `(r + r^2) / 2`
fn sharpen(cosine: &Tensor) -> Result<Tensor> {
    Ok(cosine.f_add(&cosine.f_square()?)?.f_mul_scalar(0.5)?)
}

impl Parts {
    /// The sum weighted by `weights`.
    pub fn weighted(&self, weights: &[f64; PARTS]) -> Result<Tensor> {
        let mut sum = self.0[0].f_mul_scalar(weights[0])?;
        for (part, weight) in self.0.iter().zip(weights).skip(1) {
            sum = sum.f_add(&part.f_mul_scalar(*weight)?)?;
        }
        Ok(sum)
    }

    /// With what edits do `by` times as large; `by` `[N, M]`, or `[N]` of rows with themselves.
    pub fn scaled(&self, by: &Tensor) -> Result<Self> {
        let [additive, by_context, product, product_by_context, context, likeness] = &self.0;
        let scaled = |part: &Tensor| part.f_mul(by);
        Ok(Self([
            scaled(additive)?,
            scaled(by_context)?,
            scaled(product)?,
            scaled(product_by_context)?,
            context.shallow_clone(),
            likeness.shallow_clone(),
        ]))
    }

    /// The rows and columns `rows` of square parts.
    pub fn subset(&self, rows: &Tensor) -> Result<Self> {
        let mut kept = Vec::new();
        for part in &self.0 {
            kept.push(part.f_index_select(0, rows)?.f_index_select(1, rows)?);
        }
        kept.try_into().map(Self).map_err(|_| crate::Error::NotFinite("a kernel"))
    }
}

/// Sum of all cells, and of products of cells over pairs of slots on both sides.
fn combine<'c>(
    slots: i64,
    other_slots: i64,
    at: impl Fn(i64, i64) -> &'c Tensor,
) -> Result<(Tensor, Tensor)> {
    let mut additive = at(0, 0).f_zeros_like()?;
    let mut product = additive.f_zeros_like()?;
    for s in 0..slots {
        for t in 0..other_slots {
            additive = additive.f_add(at(s, t))?;
        }
    }
    for (s, more) in pairs(slots) {
        for (t, other_more) in pairs(other_slots) {
            let straight = at(s, t).f_mul(at(more, other_more))?;
            let crossed = at(s, other_more).f_mul(at(more, t))?;
            product = product.f_add(&straight)?.f_add(&crossed)?;
        }
    }
    Ok((additive, product))
}

pub(super) fn pairs(slots: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..slots).flat_map(move |s| (s + 1..slots).map(move |t| (s, t)))
}

/// The different numbers in `values`, and the position of each value among them.
pub(crate) fn distinct(values: &Tensor) -> Result<(Tensor, Tensor)> {
    let like = values;
    let values = tensor::to_i64(values)?;
    let mut known: HashMap<i64, i64> = HashMap::new();
    let mut found = Vec::new();
    let mut places = Vec::with_capacity(values.len());
    for value in values {
        places.push(*known.entry(value).or_insert_with(|| {
            found.push(value);
            found.len() as i64 - 1
        }));
    }
    Ok((tensor::indices(&found, like)?, tensor::indices(&places, like)?))
}
