//! Perturbations of several edits: a Gaussian process over sets of edits in contexts ([`kernel`]).
//!
//! Two processes share the kernel's parts and weigh them each for itself ([`process`]): one of the value, and
//! one of how like a hit a row is (the value's size on the side where hits lie, and the call itself). A
//! logistic regression on what both say of rows left out (the value's: how likely it reaches [`tails`] where hits lie)
//! turns them into log-odds. Exact up to some thousand rows: the cost is the cube of the rows trained on, and linear in
//! those predicted.

pub mod amplitude;
mod around;
mod beside;
pub mod cross;
mod evidence;
mod gathered;
mod joint;
pub mod kernel;
pub mod process;
pub mod student;
mod tails;

use crate::calibration::HeldOut;
use crate::device::HOST;
use crate::linear::logistic::Logistic;
use crate::metrics::Forecast;
use crate::model::{Posterior, Stop, TrainingSet};
use crate::representation::{Encoded, Vocabulary};
use crate::seed::{self, Purpose};
use crate::{Error, Result, tensor};
use amplitude::{Amplitudes, Members};
use around::Around;
use beside::{Beside, Weighted};
pub(crate) use joint::Draws;
use joint::Prior;
use kernel::{Common, Geometry, PARTS};
use process::{Doubt, Process, Scaled};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use student::{Student, boldness};
use tails::Tails;
use tch::{Device, Kind, Tensor};

/// A value further out is taken for one this far: outliers bend everything.
const VALUE_LIMIT: f64 = 5.0;
const SIZE_LIMIT: f64 = 3.0;
/// Weights of the log-odds of a hit, of 1, likeness to a hit (variance 1, about the mean of what was measured) and log-odds
/// of reaching into the tails: before any data, and how firmly.
const CENTRE: [f64; 3] = [0.0, 1.5, 0.5];
const PRECISION: [f64; 3] = [4.0, 4.0, 4.0];

#[derive(Debug)]
pub struct SetProcess {
    /// What it was trained on.
    pub rows: Encoded,
    pub value: Process,
    /// How much less sure than the process the value is.
    pub student: Student,
    pub hit: Process,
    /// Where the hits are.
    pub tails: Tails,
    /// Base rate, likeness to a hit, reach into the tails.
    pub odds: Logistic,
    /// Of the vocabulary that it was trained with, which is the only one that it can predict with.
    prepared: OnceCell<Prepared>,
    /// The same where a GPU has it, once it was asked for many.
    moved: OnceCell<Prepared>,
}

/// What every prediction needs and no checkpoint keeps, since it follows from the rest.
#[derive(Debug)]
struct Prepared {
    common: Common,
    /// Those trained on, where the rest is.
    rows: Encoded,
    /// Lower Cholesky factor of the covariance of the values trained on, `[N, N]`, single precision.
    root: Tensor,
    /// `[N, blocks]`
    likeness: Tensor,
}

/// What is said of some of the rows asked for.
struct Chunk {
    posterior: Posterior,
    /// `[count]`: factors on what the process itself is unsure of.
    wider: Vec<f64>,
    /// `[count, N]`: the value's, with the rows trained on.
    covariances: Tensor,
}

/// Whether the perturbations are sets: then this model is for them.
pub fn has_sets(encoded: &Encoded) -> bool {
    encoded.edits.size().get(1).is_some_and(|slots| *slots > 1)
}

pub(crate) fn fit(
    vocabulary: &Vocabulary,
    set: TrainingSet,
    stop: &Stop,
) -> Result<(SetProcess, Vec<HeldOut>)> {
    stop.check()?;
    let parts = Geometry::new(vocabulary)?.parts(&set.encoded, &set.encoded)?;
    let members = Members::of(&set.encoded)?;
    let values: Vec<f64> = set.values.iter().map(|value| value.clamp(-VALUE_LIMIT, VALUE_LIMIT)).collect();
    // Of the values that the process knows: a threshold further out than those could not be reached.
    let tails = Tails::find(&values, &set.hits);
    let (value, value_left) = Process::fit(&parts, &values, &members)?;
    let scaled = parts.scaled(&value.amplitudes.between(&set.encoded)?)?;
    let bold = student::left_out(&value, &scaled, &value_left.inverse)?;
    let rows: Vec<(f64, f64)> = bold.iter().copied().zip(value_left.squares(&values)).collect();
    let student = Student::fit(&rows);
    stop.check()?;
    let (hit, hit_left) = Process::fit(&parts, &likeness_to_hits(&set, tails.side()), &members)?;
    let reach = value_left.mean.iter().zip(&value_left.sd).map(|(mean, sd)| tails.log_odds(*mean, *sd));
    let columns = odds_columns(&hit_left.mean, reach)?;
    let odds = Logistic::fit(&columns, &tensor::from_f64(&set.hits, &[-1, 1])?, &CENTRE, &PRECISION)?;
    let log_odds = odds.log_odds(&columns)?;
    let held_out = (0..if set.fold_count == 0 { 0 } else { set.len() }).map(|row| {
        let wider = student.factor(bold[row]);
        let sd = wider * value_left.sd[row];
        HeldOut {
            row,
            fold: set.folds[row],
            forecast: Forecast { mean: value_left.mean[row], sd, observed: set.values[row] },
            aleatoric_sd: wider * value.noise.sqrt(),
            hit_log_odds: log_odds[row],
            hit: set.hits[row] > 0.5,
        }
    });
    let held_out = held_out.collect();
    Ok((
        SetProcess {
            rows: set.encoded,
            value,
            student,
            hit,
            tails,
            odds,
            prepared: OnceCell::new(),
            moved: OnceCell::new(),
        },
        held_out,
    ))
}

fn on_side(value: f64, side: f64) -> f64 {
    if side == 0.0 { value.abs() } else { side * value }
}

/// The value's size and the hit call, each of variance 1, averaged.
fn likeness_to_hits(set: &TrainingSet, side: f64) -> Vec<f64> {
    let sizes: Vec<f64> = set.values.iter().map(|value| on_side(*value, side)).collect();
    let standardised = |values: &[f64]| -> Vec<f64> {
        let mean = crate::metrics::mean(values.iter().copied()).unwrap_or(0.0);
        let sd = crate::metrics::sd(values).filter(|sd| *sd > 1e-9).unwrap_or(1.0);
        values.iter().map(|value| (value - mean) / sd).collect()
    };
    let calls = standardised(&set.hits);
    let both = standardised(&sizes).into_iter().zip(calls);
    // Two variables of variance 1 that go together have a sum of sd 1.8 or so.
    both.map(|(size, call)| (size.clamp(-SIZE_LIMIT, SIZE_LIMIT) + call) / 1.8).collect()
}

/// `[N, 3]`: 1, likeness to a hit, how far the value reaches into the tails.
fn odds_columns(hit: &[f64], reach: impl Iterator<Item = f64>) -> Result<Tensor> {
    let columns: Vec<f64> = hit.iter().zip(reach).flat_map(|(hit, reach)| [1.0, *hit, reach]).collect();
    tensor::from_f64(&columns, &[-1, 3])
}

impl SetProcess {
    /// Joint draws over all of `encoded`; [`predict`](Self::predict) finishes them chunk by chunk.
    pub(crate) fn draws(
        &self,
        vocabulary: &Vocabulary,
        encoded: &Encoded,
        samples: usize,
        seed: u64,
    ) -> Result<Draws> {
        let encoded = &self.told_apart(vocabulary, encoded)?;
        let prepared = self.prepared(vocabulary, encoded.device())?;
        let geometry = Geometry::with(vocabulary, prepared.common.clone());
        let all = prepared.rows.join(encoded)?;
        let prior = Prior::new(&geometry, &self.value, &all, joint::MOST_EDITS)?;
        let mut rng = seed::stream(seed, Purpose::Sample);
        Draws::new(&prior, (&prepared.likeness, &prepared.root), samples, &mut rng)
    }

    /// `draws`: those of all rows asked for, and the place of the first of `encoded` among them.
    pub(crate) fn predict(
        &self,
        vocabulary: &Vocabulary,
        encoded: &Encoded,
        mut draws: Option<(&mut Draws, usize)>,
    ) -> Result<Posterior> {
        let encoded = &self.told_apart(vocabulary, encoded)?;
        let prepared = self.prepared(vocabulary, encoded.device())?;
        let geometry = Geometry::with(vocabulary, prepared.common.clone());
        let within = geometry.within(encoded)?;
        let beside = Beside::of(&geometry, (encoded, &within), (&prepared.rows, &prepared.likeness))?;
        let around = Around::of(
            &geometry,
            &self.value,
            (encoded, &within),
            (&prepared.rows, &prepared.likeness, &prepared.root),
        )?;
        let at_once = beside.rows_at_once();
        let scaled = |process| Scaled::of(process, encoded, &prepared.rows);
        let scaled = [scaled(&self.value)?, scaled(&self.hit)?];
        let amplitudes = scaled[0].of_new(encoded)?;
        let own = within.own.scaled(&amplitudes.f_square()?)?.weighted(&self.value.weights)?;
        let mut posterior = Posterior::default();
        for first in (0..encoded.count).step_by(at_once as usize) {
            let count = (encoded.count - first).min(at_once);
            let own = own.f_narrow(0, first, count)?;
            let Chunk { posterior: of_chunk, wider, covariances } =
                self.predict_chunk((&beside, &around, &scaled), first, &own, &prepared.root)?;
            if let Some((draws, place)) = &mut draws {
                let likeness = within.likeness.f_narrow(0, first, count)?;
                let place = *place + first as usize;
                draws.finish(place, (&of_chunk.mean, &wider), &covariances, &likeness)?;
            }
            posterior.append(of_chunk);
        }
        Ok(posterior)
    }

    /// `own` `[count]`: the value's prior variance of the rows from `first` on.
    ///
    /// Of the hit the process itself speaks: how far it reaches into the tails is told from rows left out, bold and not.
    fn predict_chunk(
        &self,
        (beside, around, [value, hit]): (&Beside, &Around, &[Scaled; 2]),
        first: i64,
        own: &Tensor,
        root: &Tensor,
    ) -> Result<Chunk> {
        let count = own.size1()?;
        let Weighted { covariances, means } = beside.weighted(first, count, [value, hit])?;
        let about = |centre: f64, means: Vec<f64>| -> Vec<f64> {
            means.into_iter().map(|mean| centre + mean).collect()
        };
        let [mean, hit] = means;
        let (mean, hit) = (about(self.value.centre, mean), about(self.hit.centre, hit));
        let around = around.at(first, count)?;
        let Doubt { sd, foretold } = process::doubt(own, &covariances, root, &around)?;
        let noise = self.value.noise.sqrt();
        let reach = mean.iter().zip(&sd).map(|(mean, sd)| self.tails.log_odds(*mean, sd.hypot(noise)));
        let hit_log_odds = self.odds.log_odds(&odds_columns(&hit, reach)?)?;
        let of_edits = mean.iter().zip(&around.means).map(|(mean, around)| mean - self.value.centre - around);
        let wider =
            of_edits.zip(&foretold).map(|(away, foretold)| self.student.factor(boldness(away, *foretold)));
        let wider: Vec<f64> = wider.collect();
        let posterior = Posterior {
            epistemic_sd: sd.iter().zip(&wider).map(|(sd, wider)| sd * wider).collect(),
            aleatoric_sd: wider.iter().map(|wider| noise * wider).collect(),
            hit_log_odds,
            mean,
            hit_information: Vec::new(),
            samples: Vec::new(),
        };
        Ok(Chunk { posterior, wider, covariances })
    }

    /// What the edits trained on are told apart by.
    pub(crate) fn identities(&self) -> Result<Vec<i64>> {
        tensor::to_i64(&self.rows.identities)
    }

    /// A cell of before that was trained on edits of which nothing is known took all of them for one, and still does.
    fn told_apart(&self, vocabulary: &Vocabulary, encoded: &Encoded) -> Result<Encoded> {
        if self.identities()?.contains(&vocabulary.names.unknown()) {
            return encoded.with_one_unknown();
        }
        encoded.narrow(0, encoded.count)
    }

    /// What every prediction on `device` needs, made by the first.
    fn prepared(&self, vocabulary: &Vocabulary, device: Device) -> Result<&Prepared> {
        let known = if device == HOST { &self.prepared } else { &self.moved };
        if let Some(prepared) = known.get() {
            return Ok(prepared);
        }
        let geometry = Geometry::new(vocabulary)?;
        let rows = self.rows.on(device)?;
        let parts = geometry.parts(&rows, &rows)?.scaled(&self.value.amplitudes.between(&rows)?)?;
        let prepared = Prepared {
            root: self.value.root(&parts)?.f_to_kind(Kind::Float)?,
            likeness: geometry.likeness(&rows)?,
            rows,
            common: geometry.common,
        };
        Ok(known.get_or_init(|| prepared))
    }

    pub fn to_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let whole = |values: &Tensor| -> Result<Tensor> { Ok(values.f_to_kind(Kind::Double)?) };
        let mut tensors = BTreeMap::from([
            ("sets.rows".to_owned(), whole(&self.rows.rows)?),
            ("sets.edits".to_owned(), whole(&self.rows.edits)?),
            ("sets.there".to_owned(), whole(&self.rows.there)?),
            ("sets.contexts".to_owned(), whole(&self.rows.contexts)?),
            ("sets.context_rows".to_owned(), whole(&self.rows.context_rows)?),
            ("sets.log_odds".to_owned(), whole(&self.rows.log_odds)?),
            ("sets.odds".to_owned(), self.odds.weights.shallow_clone()),
            ("sets.tails".to_owned(), tensor::from_f64(&[self.tails.low, self.tails.high], &[2])?),
        ]);
        if tensor::to_f32(&self.rows.decades)?.iter().any(|decades| *decades != 0.0) {
            tensors.insert("sets.decades".to_owned(), whole(&self.rows.decades)?);
        }
        if self.identities()? != tensor::to_i64(&self.rows.rows)? {
            tensors.insert("sets.identities".to_owned(), whole(&self.rows.identities)?);
        }
        if self.student != Student::GAUSSIAN {
            let numbers = [self.student.freedom, self.student.scale];
            tensors.insert("sets.student".to_owned(), tensor::from_f64(&numbers, &[2])?);
        }
        for (name, process) in [("value", &self.value), ("hit", &self.hit)] {
            let mut numbers = process.weights.to_vec();
            numbers.extend([process.noise, process.centre]);
            tensors.insert(format!("sets.{name}"), tensor::from_f64(&numbers, &[PARTS as i64 + 2])?);
            tensors.insert(format!("sets.{name}.alpha"), process.alpha.shallow_clone());
            if process.amplitudes != Amplitudes::default() {
                tensors.insert(format!("sets.{name}.amplitudes"), process.amplitudes.to_tensor()?);
            }
        }
        Ok(tensors)
    }

    pub fn from_tensors(tensor_of: impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let whole = |name: &str| -> Result<Tensor> { Ok(tensor_of(name)?.f_to_kind(Kind::Int64)?) };
        let single = |name: &str| -> Result<Tensor> { Ok(tensor_of(name)?.f_to_kind(Kind::Float)?) };
        let process = |name: &str| -> Result<Process> {
            let numbers = tensor::to_f64(&tensor_of(&format!("sets.{name}"))?)?;
            let broken = || Error::Checkpoint("a process lacks numbers".into());
            let (weights, rest) = numbers.split_first_chunk::<PARTS>().ok_or_else(broken)?;
            let [noise, centre] = rest else { return Err(broken()) };
            let alpha = tensor_of(&format!("sets.{name}.alpha"))?;
            // Not there in those of before.
            let amplitudes = match tensor_of(&format!("sets.{name}.amplitudes")) {
                Ok(table) => Amplitudes::from_tensor(&table)?,
                Err(_) => Amplitudes::default(),
            };
            Ok(Process { weights: *weights, noise: *noise, centre: *centre, amplitudes, alpha })
        };
        let edits = whole("sets.edits")?;
        let rows = whole("sets.rows")?;
        // Not there where something is known of every edit, and in those of before.
        let identities = match tensor_of("sets.identities") {
            Ok(identities) => identities.f_to_kind(Kind::Int64)?,
            Err(_) => rows.shallow_clone(),
        };
        // Not there where no edit has a dose.
        let decades = match tensor_of("sets.decades") {
            Ok(decades) => decades.f_to_kind(Kind::Float)?,
            Err(_) => rows.f_zeros_like()?.f_to_kind(Kind::Float)?,
        };
        let rows = Encoded {
            dosed: tensor::to_f32(&decades)?.iter().any(|decades| *decades != 0.0),
            count: edits.size2()?.0,
            rows,
            identities,
            decades,
            edits,
            there: single("sets.there")?,
            contexts: whole("sets.contexts")?,
            context_rows: whole("sets.context_rows")?,
            log_odds: single("sets.log_odds")?,
        };
        let [low, high] = tensor::to_f64(&tensor_of("sets.tails")?)?[..] else {
            return Err(Error::Checkpoint("its tails are not two".into()));
        };
        // Not there in those of before, and where there were few rows.
        let student = match tensor_of("sets.student") {
            Ok(numbers) => match tensor::to_f64(&numbers)?[..] {
                [freedom, scale] => Student { freedom, scale },
                _ => return Err(Error::Checkpoint("its degrees of freedom are not two numbers".into())),
            },
            Err(_) => Student::GAUSSIAN,
        };
        let odds = Logistic { weights: tensor_of("sets.odds")? };
        Ok(Self {
            student,
            tails: Tails { low, high },
            rows,
            value: process("value")?,
            hit: process("hit")?,
            odds,
            prepared: OnceCell::new(),
            moved: OnceCell::new(),
        })
    }
}
