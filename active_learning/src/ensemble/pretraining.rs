//! What the encoders learn before anything is measured here: from the features of all edits, and from the labels of other
//! screens. The screen at hand has no part in it: all that comes in is the vocabulary.
//!
//! Blocks are hidden at random, and of the blocks left over also a share of the other studies; from the embedding of what
//! is shown two linear readouts foretell what is hidden. A hidden block's columns, squared error (masked autoencoding:
//! Vincent et al. 2010, He et al. 2022; whole modalities, as a missing one is met later: Wu & Goodman 2018), and whether
//! the edit was a hit in each hidden screen (one low-rank head a screen: Argyriou et al. 2008), where it was measured. A
//! screen counts as much as it is independent of the others ([`prior`](crate::prior::evidence)), so a study counts once.
//! Foretelling the screens of a hidden study from the features and from the other studies is what the cell is asked to do
//! next.
//!
//! The encoders are a function of the vocabulary alone (randomness from its fingerprint, not from a job's seed), so they
//! are learnt once and kept with it.

use crate::ensemble::adam::Adam;
use crate::ensemble::encoder::{self, EMBEDDING, Encoder};
use crate::ensemble::layout::{Layout, Piece};
use crate::ensemble::network;
use crate::model::Stop;
use crate::prior::calls::Calls;
use crate::representation::Vocabulary;
use crate::representation::vocabulary::SCREENS;
use crate::seed::{self, Purpose};
use crate::{Error, Result, device, metrics, tensor};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

/// Rows a step.
const BATCH: usize = 256;
const STEPS: usize = 600;
/// A small vocabulary is passed over so often at most.
const MOST_PASSES: usize = 60;
/// Fewer edits than this say nothing of edits in general.
const FEWEST_ROWS: usize = 64;
const RATE: f64 = 0.01;
/// Of blocks, and of studies within the block of the screens.
const HIDDEN: f64 = 0.4;

/// `[1, parameters of the encoder]`, and what to make of their embedding.
#[derive(Debug)]
pub struct Pretrained {
    pub encoder: Tensor,
    /// Mean square of an embedding's coordinates.
    pub energy: f64,
}

/// `None` where there is too little to learn from.
pub(super) fn encoders<'a>(vocabulary: &'a Vocabulary, stop: &Stop) -> Result<Option<&'a Pretrained>> {
    let rows = vocabulary.known_rows();
    if rows.len() < FEWEST_ROWS || vocabulary.blocks.len() + usize::from(vocabulary.calls.is_some()) < 2 {
        return Ok(None);
    }
    if let Some(known) = vocabulary.encoders.get() {
        return Ok(Some(known));
    }
    let learnt = Run::of(vocabulary, rows)?.learn(stop)?;
    Ok(Some(vocabulary.encoders.get_or_init(|| learnt)))
}

struct Run<'a> {
    vocabulary: &'a Vocabulary,
    rows: Vec<i64>,
    layout: Layout,
    /// `[width, blocks]`
    owner: Tensor,
    device: Device,
}

/// A step's rows, with what is shown of them and what is to be foretold.
struct Riddle {
    /// `[n, width]`: 0 where hidden.
    shown: Tensor,
    /// `[n, blocks]`
    shown_blocks: Tensor,
    /// `[n, width]`
    whole: Tensor,
    /// `[n, width]`: what an error in each column counts; 0 where it is shown, or not known.
    weights: Tensor,
    /// `[n, screens]` each: calls, and what each counts. None without other screens.
    calls: Option<(Tensor, Tensor)>,
}

impl<'a> Run<'a> {
    fn of(vocabulary: &'a Vocabulary, rows: Vec<i64>) -> Result<Self> {
        let device = device::heavy();
        Ok(Self {
            vocabulary,
            rows,
            layout: Layout { pieces: pieces(vocabulary) },
            owner: network::owner(&vocabulary.blocks)?.f_to_device(device)?,
            device,
        })
    }

    fn learn(&self, stop: &Stop) -> Result<Pretrained> {
        let parameters = self.parameters(stop)?;
        let energy = tch::no_grad(|| self.energy(&parameters))?;
        let pieces = encoder::pieces(&self.vocabulary.blocks);
        let width = pieces.iter().map(|piece| piece.rows * piece.columns).sum();
        let encoder = parameters.f_narrow(1, 0, width)?.f_to_device(device::HOST)?.copy();
        if !tensor::to_f32(&encoder)?.iter().all(|value| value.is_finite()) {
            return Err(Error::NotFinite("a pre-trained encoder"));
        }
        Ok(Pretrained { encoder, energy })
    }

    /// Of encoder and readouts, learnt.
    fn parameters(&self, stop: &Stop) -> Result<Tensor> {
        let mut rng = seed::stream(seed_of(&self.vocabulary.fingerprint), Purpose::Pretrain);
        let start = self.layout.start(1, &mut rng);
        let start = tensor::from_f32(&start, &[1, self.layout.width()])?.f_to_device(self.device)?;
        let precision = Tensor::f_from_slice(&self.layout.precisions())?.f_to_device(self.device)?;
        let precision = precision.f_div_scalar(self.rows.len() as f64)?;
        let mut parameters = start.copy().f_set_requires_grad(true)?;
        let per_pass = self.rows.len().div_ceil(BATCH);
        let steps = STEPS.min(MOST_PASSES * per_pass);
        let mut adam = Adam::new(&parameters, RATE, steps as u32)?;
        let mut order = self.rows.clone();
        for step in 0..steps {
            stop.check()?;
            if step % per_pass == 0 {
                order.shuffle(&mut rng);
            }
            let first = step % per_pass * BATCH;
            let chunk = &order[first..(first + BATCH).min(order.len())];
            let loss = self.loss(&parameters, &self.riddle(chunk, &mut rng)?)?;
            let gradient = Tensor::f_run_backward(&[&loss], &[&parameters], false, false)?;
            let pull = parameters.f_detach()?.f_mul(&precision)?;
            if let Some(gradient) = gradient.first() {
                adam.step(&mut parameters, &gradient.f_add(&pull)?)?;
            }
        }
        Ok(parameters.f_detach()?)
    }

    /// What to hide of `rows`, and what was behind it.
    fn riddle(&self, rows: &[i64], rng: &mut ChaCha8Rng) -> Result<Riddle> {
        let at = Tensor::f_from_slice(rows)?;
        let whole = self.vocabulary.x.f_index_select(0, &at)?.f_to_device(self.device)?;
        let known = self.vocabulary.mask.f_index_select(0, &at)?.f_to_device(self.device)?;
        let blocks = &self.vocabulary.blocks;
        let shows = self.draw(rows.len() * blocks.len(), rng)?.f_reshape([-1, blocks.len() as i64])?;
        let shown_blocks = known.f_mul(&shows)?;
        let of_columns = |of_blocks: &Tensor| of_blocks.f_matmul(&self.owner.f_transpose(0, 1)?);
        let column_shown = of_columns(&shown_blocks)?;
        let mut column_known = of_columns(&known)?;
        let mut calls = None;
        let screens = blocks.iter().position(|block| block.name == SCREENS);
        if let (Some(place), Some(known)) = (screens, &self.vocabulary.calls) {
            let shows_studies =
                self.draw(rows.len() * known.studies, rng)?.f_reshape([-1, known.studies as i64])?;
            let seen = shows_studies.f_index_select(1, &known.study.f_to_device(self.device)?)?;
            let (called, measured) = known.of_rows(&at, self.device)?;
            let block_shown = shown_blocks.f_narrow(1, place as i64, 1)?;
            let hidden = seen.f_mul(&block_shown)?.f_neg()?.f_add_scalar(1.0)?;
            let counted = measured.f_mul(&hidden)?.f_mul(&known.weights.f_to_device(self.device)?)?;
            calls = Some((called, counted));
            // Both views of a screen, the value and its size, are hidden together.
            let both = |of_screens: &Tensor| Tensor::f_cat(&[of_screens, of_screens], 1);
            let (start, width) = (blocks[place].start as i64, blocks[place].width as i64);
            // The rest stands for all of it.
            let seen = both(&seen)?.f_mul_scalar(1.0 / (1.0 - HIDDEN))?;
            let _ = column_shown.f_narrow(1, start, width)?.f_mul_(&seen)?;
            let _ = column_known.f_narrow(1, start, width)?.f_mul_(&both(&measured)?)?;
        }
        let shown = whole.f_mul(&column_shown)?;
        let hidden = column_shown.f_eq(0.0)?.f_to_kind(Kind::Float)?;
        let weights = column_known.f_mul_(&hidden)?.f_mul(&self.column_weights()?)?;
        Ok(Riddle { shown, shown_blocks, whole, weights, calls })
    }

    /// `count` of 1 and 0: 0 hides.
    fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> Result<Tensor> {
        let draws: Vec<f32> = (0..count).map(|_| f32::from(u8::from(!rng.random_bool(HIDDEN)))).collect();
        Ok(Tensor::f_from_slice(&draws)?.f_to_device(self.device)?)
    }

    /// `[1, width]`: each block counts as much as one column.
    fn column_weights(&self) -> Result<Tensor> {
        let width = self.owner.f_sum_dim_intlist([0i64].as_slice(), true, Kind::Float)?;
        Ok(self.owner.f_matmul(&width.f_reciprocal()?.f_transpose(0, 1)?)?.f_transpose(0, 1)?)
    }

    /// A row's mean, in nats.
    fn loss(&self, parameters: &Tensor, riddle: &Riddle) -> Result<Tensor> {
        let pieces = self.layout.cut(parameters)?;
        let embedding = self.embed(&pieces, &riddle.shown, &riddle.shown_blocks)?;
        let [.., columns, heads, base] = pieces.as_slice() else {
            return Err(Error::Checkpoint("pieces are missing".into()));
        };
        let error = embedding.f_matmul(&columns.f_squeeze_dim(0)?)?.f_sub(&riddle.whole)?.f_square()?;
        let mut loss = error.f_mul(&riddle.weights)?.f_sum(Kind::Float)?.f_mul_scalar(0.5)?;
        if let Some((calls, counted)) = &riddle.calls {
            let log_odds = embedding.f_matmul(&heads.f_squeeze_dim(0)?)?.f_add(&base.f_squeeze_dim(0)?)?;
            let surprise = log_odds.f_softplus()?.f_sub(&log_odds.f_mul(calls)?)?;
            loss = loss.f_add(&surprise.f_mul(counted)?.f_sum(Kind::Float)?)?;
        }
        Ok(loss.f_div_scalar(riddle.whole.size2()?.0 as f64)?)
    }

    /// `[n, EMBEDDING]`
    fn embed(&self, pieces: &[Tensor], x: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let [weight, bias, log_precision, hidden_weight, hidden_bias, ..] = pieces else {
            return Err(Error::Checkpoint("pieces are missing".into()));
        };
        let encoder = Encoder { weight, bias, log_precision, hidden_weight, hidden_bias };
        Ok(encoder.embed(x, mask, &self.owner)?.f_squeeze_dim(0)?)
    }

    /// Of what is met later, nothing hidden.
    fn energy(&self, parameters: &Tensor) -> Result<f64> {
        let step = self.rows.len().div_ceil(2_048).max(1);
        let some: Vec<i64> = self.rows.iter().copied().step_by(step).collect();
        let at = Tensor::f_from_slice(&some)?;
        let x = self.vocabulary.x.f_index_select(0, &at)?.f_to_device(self.device)?;
        let mask = self.vocabulary.mask.f_index_select(0, &at)?.f_to_device(self.device)?;
        let embedding = self.embed(&self.layout.cut(parameters)?, &x, &mask)?;
        let energy = embedding.f_square()?.f_mean(Kind::Double)?;
        Ok(tensor::to_f64(&energy)?.first().copied().unwrap_or(1.0).max(1e-6))
    }
}

/// Those of the encoder, then the readouts.
fn pieces(vocabulary: &Vocabulary) -> Vec<Piece> {
    let (width, screens) = (vocabulary.width(), vocabulary.calls.as_ref().map_or(1, Calls::screens));
    let readout =
        |name, rows, columns, start, precision| Piece { name, rows, columns, spread: 0.0, start, precision };
    let mut pieces = encoder::pieces(&vocabulary.blocks).to_vec();
    pieces.push(readout("columns.weight", EMBEDDING, width, 0.0, 1.0));
    pieces.push(readout("calls.weight", EMBEDDING, screens, 0.0, 4.0));
    pieces.push(readout("calls.bias", 1, screens, metrics::logit(crate::prior::screens::HIT_SHARE), 0.0));
    pieces
}

/// The first 64 bits of a SHA-256 in hexadecimal.
fn seed_of(fingerprint: &str) -> u64 {
    fingerprint.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use crate::prior::PriorScreens;
    use rand::SeedableRng;
    use rand_distr::StandardNormal;
    use std::collections::HashSet;

    const EDITS: usize = 600;

    /// Two blocks that say the same in other words, and screens of two studies whose hits are those with much of it.
    fn vocabulary() -> Vocabulary {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut features, mut screens) =
            (String::from("gene,a_0,a_1,b_0,b_1\n"), String::from("screen_id,group,gene,score,hit\n"));
        for edit in 0..EDITS {
            let latent: [f64; 2] = std::array::from_fn(|_| rng.sample(StandardNormal));
            let noisy = |value: f64, noise: f64| value + 0.2 * noise;
            let x: [f64; 4] = std::array::from_fn(|_| rng.sample(StandardNormal));
            let a = [noisy(latent[0], x[0]), noisy(latent[1], x[1])];
            let b = [noisy(latent[0] - latent[1], x[2]), noisy(latent[0] + latent[1], x[3])];
            features.push_str(&format!("G{edit},{},{},{},{}\n", a[0], a[1], b[0], b[1]));
            for screen in 0..6 {
                let score = latent[0] + 0.3 * rng.sample::<f64, _>(StandardNormal);
                let hit = u8::from(score > 1.5);
                screens.push_str(&format!("s{screen},g{},G{edit},{score},{hit}\n", screen % 2));
            }
        }
        let features = FeatureTable::read(features.as_bytes()).unwrap();
        let screens = PriorScreens::read("p", screens.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
        Vocabulary::build(&features, Some(&screens)).unwrap()
    }

    #[test]
    fn what_is_hidden_is_foretold_from_what_is_shown() {
        tch::set_num_threads(1);
        let vocabulary = vocabulary();
        let run = Run::of(&vocabulary, vocabulary.known_rows()).unwrap();
        let pieces = run.layout.cut(&run.parameters(&Stop::default()).unwrap()).unwrap();
        let x = vocabulary.x.narrow(0, 0, EDITS as i64);
        // Block `a` alone: columns 0 and 1, then `b`, then the screens.
        let shown = Tensor::cat(&[x.narrow(1, 0, 2), x.narrow(1, 2, vocabulary.width() - 2).zeros_like()], 1);
        let mask = tensor::from_f32(&[1.0, 0.0, 0.0], &[1, 3]).unwrap().repeat([EDITS as i64, 1]);
        let embedding = run.embed(&pieces, &shown, &mask).unwrap();
        let [.., columns, heads, base] = pieces.as_slice() else { panic!("pieces") };
        let foretold = embedding.matmul(&columns.squeeze_dim(0)).narrow(1, 2, 2);
        let error = (foretold - x.narrow(1, 2, 2)).square().mean(Kind::Float).double_value(&[]);
        // Of a variance of 1; the noise of both blocks leaves .06.
        assert!(error < 0.25, "{error}");
        let log_odds = embedding.matmul(&heads.squeeze_dim(0)) + base.squeeze_dim(0);
        let calls = vocabulary.calls.as_ref().unwrap();
        let rows = Tensor::arange(EDITS as i64, (Kind::Int64, Device::Cpu));
        let (hits, measured) = calls.of_rows(&rows, Device::Cpu).unwrap();
        assert_eq!(measured.sum(Kind::Float).double_value(&[]), 6.0 * EDITS as f64);
        let mean = |which: &Tensor| (&log_odds * which).sum(Kind::Float) / which.sum(Kind::Float);
        let apart = (mean(&hits) - mean(&(1.0 - &hits))).double_value(&[]);
        assert!(apart > 1.0, "hits of the screens stand out by {apart} in log-odds");
    }

    #[test]
    fn the_encoders_of_a_vocabulary_are_the_same_bits_whenever_they_are_learnt() {
        tch::set_num_threads(1);
        let (one, other) = (vocabulary(), vocabulary());
        let learn =
            |vocabulary| tensor::to_f32(&encoders(vocabulary, &Stop::default()).unwrap().unwrap().encoder);
        let (first, second) = (learn(&one).unwrap(), learn(&other).unwrap());
        assert_eq!(first, second);
        let before: *const Pretrained = one.encoders.get().unwrap();
        let again: *const Pretrained = encoders(&one, &Stop::default()).unwrap().unwrap();
        assert_eq!(before, again, "they are learnt once");
    }
}
