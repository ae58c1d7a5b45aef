//! All edits that features or other screens know, one row each.

use crate::data::{Block, FeatureTable};
use crate::ensemble::pretraining::Pretrained;
use crate::prior::calls::Calls;
use crate::prior::evidence;
use crate::prior::profile::Profile;
use crate::prior::screens::HIT_SHARE;
use crate::prior::{HitEvidence, PriorScreens};
use crate::representation::spelling::{Spellings, meet};
use crate::representation::standardise::Standardised;
use crate::{Result, tensor};
use foldhash::fast::RandomState;
use jobs::work::description::Description;
use jobs::{Experiment, dose};
use sha2::{Digest, Sha256};
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use tch::{Device, Kind, Tensor};

/// Name of the block that holds what happened to an edit in other screens.
pub const SCREENS: &str = "screens";

/// Rows of known edits. An edit without a row is not an error: all its blocks are missing.
#[derive(Debug)]
pub struct Vocabulary {
    pub(crate) names: Names,
    pub blocks: Vec<Block>,
    /// `[edits + 1, width]`, standardised, 0 in missing blocks; the last row is the unknown edit.
    pub x: Tensor,
    /// `[edits + 1, blocks]`: 1 where the block is known, else 0.
    pub mask: Tensor,
    /// Per row: log-odds of being a hit in one more screen.
    pub log_odds: Vec<f32>,
    /// Per row: weighted share of other screens in which it is a hit, where there are any.
    pub frequency: Vec<Option<f32>>,
    /// What other screens called hits.
    pub calls: Option<Calls>,
    /// `x` and `mask` where a GPU has them, once it was asked for many.
    moved: OnceCell<[Tensor; 2]>,
    /// Learnt from all of this when first asked for.
    pub(crate) encoders: OnceCell<Pretrained>,
    /// How many times as much another screen of the same kind counts, by attribute of their descriptions; empty without a
    /// description of the screen at hand.
    pub times: Vec<(&'static str, f64)>,
    /// Other screens were given.
    pub has_prior: bool,
    /// Means and standard deviations of the feature columns (not of the `screens` block, which is unit).
    pub means: Vec<f32>,
    pub sds: Vec<f32>,
    /// SHA-256 over names, blocks and numbers: a model fits the vocabulary it was trained with only.
    pub fingerprint: String,
}

impl Vocabulary {
    /// Joins what is known. `priors` must not hold the screen at hand nor its siblings.
    pub fn build(features: &FeatureTable, priors: Option<&PriorScreens>) -> Result<Self> {
        let rows = Standardised::of(features);
        let priors = priors.filter(|screens| !screens.is_empty());
        let met = priors.map(|screens| meet(features, screens));
        let (features, priors) = match &met {
            Some((features, screens)) => (features.as_ref(), Some(screens.as_ref())),
            None => (features, None),
        };
        let known = match priors {
            Some(screens) => {
                let evidence = HitEvidence::weigh(screens, features, &rows)?;
                let weights = match &evidence.weights {
                    Some(weights) => weights.clone(),
                    None => evidence::independent(screens)?,
                };
                let profile = Profile::of(screens, Some(&weights))?;
                Some(Known { evidence, profile, screens, weights })
            }
            None => None,
        };
        let mut blocks = features.blocks.clone();
        if let Some(known) = &known {
            let name = SCREENS.to_owned();
            blocks.push(Block { name, start: features.width(), width: known.profile.width });
        }
        Assembly { features, rows, known, blocks }.assemble()
    }

    /// How many of the edits of `experiments` features and other screens know.
    pub fn coverage<'a>(&self, experiments: impl IntoIterator<Item = &'a Experiment>) -> Result<Coverage> {
        let edits = experiments.into_iter().flat_map(|experiment| experiment.perturbation.edits());
        let edits: HashSet<&str> = edits.map(|edit| dose::split(edit).0).collect();
        let blocks = self.blocks.len();
        let of_screens = if self.has_prior { blocks.saturating_sub(1) } else { blocks };
        let mask = tensor::to_f32(&self.mask)?;
        let mut coverage = Coverage { edits: edits.len(), by_features: 0, by_screens: 0 };
        for edit in edits {
            let from = self.row(edit) as usize * blocks;
            let (features, screens) = mask[from..from + blocks].split_at(of_screens);
            let any = |there: &[f32]| usize::from(there.iter().any(|there| *there > 0.0));
            coverage.by_features += any(features);
            coverage.by_screens += any(screens);
        }
        Ok(coverage)
    }

    /// The row of `edit`, at whatever dose; the last row stands for every edit that nothing is known of. A name that is in
    /// no table is found where one name, and only one, is the same but for case.
    pub fn row(&self, edit: &str) -> i64 {
        self.names.row(edit)
    }

    /// The row that says how often `edit` is a hit in other screens, at its dose where they have it.
    pub fn evidence(&self, edit: &str) -> i64 {
        self.names.evidence(edit)
    }

    /// Whether anything is known of `edit`.
    pub fn knows(&self, edit: &str) -> bool {
        self.names.knows(edit)
    }

    /// At most `most` of the edits that something is known of, evenly over the rows.
    pub fn some_known(&self, most: usize) -> Vec<&str> {
        let mut known: Vec<(i64, &str)> = self
            .names
            .index
            .iter()
            .filter(|(name, _)| self.knows(name))
            .map(|(name, row)| (*row, name.as_str()))
            .collect();
        known.sort_unstable();
        let step = known.len().div_ceil(most.max(1)).max(1);
        known.into_iter().step_by(step).map(|(_, name)| name).collect()
    }

    /// Rows of which any block is known.
    pub fn known_rows(&self) -> Vec<i64> {
        (0..).zip(&self.names.known).filter(|(_, known)| **known).map(|(row, _)| row).collect()
    }

    pub fn width(&self) -> i64 {
        self.blocks.iter().map(|block| block.width as i64).sum()
    }

    /// Per block: the mean squared length of the rows that have it.
    pub fn energies(&self) -> Result<Vec<f64>> {
        let squares = self.x.f_square()?;
        let known = self.mask.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        let known = tensor::to_f64(&known)?;
        let of = |(block, known): (&Block, f64)| {
            let total = squares.f_narrow(1, block.start as i64, block.width as i64)?.f_sum(Kind::Double)?;
            Ok(tensor::to_f64(&total)?.first().copied().unwrap_or(0.0) / known.max(1.0))
        };
        self.blocks.iter().zip(known).map(of).collect()
    }

    /// `x` and `mask` on `device`.
    pub(crate) fn on(&self, device: Device) -> Result<[Tensor; 2]> {
        if device == self.x.device() {
            return Ok([self.x.shallow_clone(), self.mask.shallow_clone()]);
        }
        // There is one other device at most.
        let known = match self.moved.get() {
            Some(known) => known,
            None => {
                let new = [self.x.f_to_device(device)?, self.mask.f_to_device(device)?];
                self.moved.get_or_init(|| new)
            }
        };
        Ok(known.each_ref().map(Tensor::shallow_clone))
    }

    /// Any block at all.
    pub fn knows_features(&self) -> bool {
        !self.blocks.is_empty()
    }
}

/// Different edits, at whatever dose, and how many of them are known from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub edits: usize,
    pub by_features: usize,
    pub by_screens: usize,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { edits, by_features, by_screens } = self;
        write!(f, "features know {by_features} of {edits} edits, other screens {by_screens}")
    }
}

/// Which row an edit has; any thread may ask.
#[derive(Debug)]
pub(crate) struct Names {
    index: HashMap<String, i64, RandomState>,
    spellings: Spellings,
    /// Per row: any block is known.
    known: Vec<bool>,
}

impl Names {
    pub fn row(&self, edit: &str) -> i64 {
        self.find(edit).unwrap_or_else(|| self.unknown())
    }

    /// The row of a context, by its exact name: `rest` is no gene `REST`.
    pub fn context(&self, context: &str) -> i64 {
        self.exact(context).unwrap_or_else(|| self.unknown())
    }

    /// The row of every edit that nothing is known of.
    pub fn unknown(&self) -> i64 {
        self.index.len() as i64
    }

    /// What `edit`, at whatever dose, is told from others by: its row, and where it has none a number after all rows that
    /// follows from its name alone, whatever else is in the pool. Two unknown edits share one about once in 10^14 pairs;
    /// exact in double precision, as which checkpoints keep it.
    pub fn identity(&self, edit: &str) -> i64 {
        self.find(edit).unwrap_or_else(|| self.unknown() + 1 + number_of(dose::split(edit).0))
    }

    /// The row that says how often `edit` is a hit in other screens: of that very dose where they have it.
    pub fn evidence(&self, edit: &str) -> i64 {
        self.index.get(edit).copied().unwrap_or_else(|| self.row(edit))
    }

    pub fn knows(&self, edit: &str) -> bool {
        self.find(edit).is_some_and(|row| self.known.get(row as usize) == Some(&true))
    }

    /// Whether anything is known of a context of exactly this name.
    pub fn knows_context(&self, context: &str) -> bool {
        self.known.get(self.context(context) as usize) == Some(&true)
    }

    /// What a table knows of one dose alone is taken where nobody knows the compound.
    fn exact(&self, edit: &str) -> Option<i64> {
        self.index.get(dose::split(edit).0).or_else(|| self.index.get(edit)).copied()
    }

    /// By case as written, else by the only name that is the same but for case.
    fn find(&self, edit: &str) -> Option<i64> {
        let spelt = |name: &str| self.spellings.row(name).map(|row| row as i64);
        self.exact(edit).or_else(|| spelt(dose::split(edit).0)).or_else(|| spelt(edit))
    }
}

/// FNV-1a (Fowler, Noll & Vo 1991; draft-eastlake-fnv), folded to 48 bits. Part of what checkpoints mean: never changed.
fn number_of(name: &str) -> i64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    ((hash ^ (hash >> 48)) & 0xffff_ffff_ffff) as i64
}

struct Known<'a> {
    screens: &'a PriorScreens,
    evidence: HitEvidence,
    profile: Profile,
    /// What each screen counts.
    weights: Vec<f64>,
}

struct Assembly<'a> {
    features: &'a FeatureTable,
    rows: Standardised,
    known: Option<Known<'a>>,
    blocks: Vec<Block>,
}

impl Assembly<'_> {
    fn assemble(self) -> Result<Vocabulary> {
        let width: usize = self.blocks.iter().map(|block| block.width).sum();
        let names = self.names();
        let mut x = Vec::with_capacity((names.len() + 1) * width);
        let mut mask = Vec::with_capacity((names.len() + 1) * self.blocks.len());
        let mut log_odds = Vec::with_capacity(names.len() + 1);
        let mut frequency = Vec::with_capacity(names.len() + 1);
        for name in names.iter().map(|name| Some(name.as_str())).chain([None]) {
            self.push_features(name, &mut x, &mut mask);
            let (odds, share) = self.push_profile(name, &mut x, &mut mask);
            log_odds.push(odds);
            frequency.push(share);
        }
        let count = names.len() as i64 + 1;
        let known = match self.blocks.len() {
            0 => vec![false; names.len() + 1],
            blocks => mask.chunks(blocks).map(|row| row.iter().any(|there| *there > 0.0)).collect(),
        };
        let fingerprint = fingerprint(self.features, self.known.as_ref().map(|known| known.screens));
        let calls = self.known.as_ref().map(|known| {
            let gene = |name: &String| known.screens.index.get(name).copied();
            let genes: Vec<Option<usize>> = names.iter().map(gene).chain([None]).collect();
            Calls::of(known.screens, &known.weights, &genes)
        });
        let spellings = Spellings::of(names.iter().enumerate().map(|(row, name)| (name.as_str(), row)));
        let index = names.into_iter().zip(0..).collect();
        Ok(Vocabulary {
            names: Names { index, spellings, known },
            x: tensor::from_f32(&x, &[count, width as i64])?,
            mask: tensor::from_f32(&mask, &[count, self.blocks.len() as i64])?,
            log_odds,
            frequency,
            calls: calls.transpose()?,
            moved: OnceCell::new(),
            encoders: OnceCell::new(),
            times: self.known.as_ref().map(|known| known.evidence.times.clone()).unwrap_or_default(),
            has_prior: self.known.is_some(),
            means: self.rows.means,
            sds: self.rows.sds,
            blocks: self.blocks,
            fingerprint,
        })
    }

    /// Feature genes in their order, then, sorted, what only the other screens know (aliases included).
    fn names(&self) -> Vec<String> {
        let mut names = self.features.genes.clone();
        if let Some(known) = &self.known {
            let more = known.screens.index.keys().filter(|gene| !self.features.index.contains_key(*gene));
            let mut more: Vec<String> = more.cloned().collect();
            more.sort();
            names.extend(more);
        }
        names
    }

    fn push_features(&self, name: Option<&str>, x: &mut Vec<f32>, mask: &mut Vec<f32>) {
        let width = self.features.width();
        match name.and_then(|name| self.features.index.get(name)) {
            Some(&row) => {
                x.extend_from_slice(&self.rows.values[row * width..(row + 1) * width]);
                mask.extend(self.features.presence(row).iter().map(|&there| f32::from(u8::from(there))));
            }
            None => {
                x.extend(std::iter::repeat_n(0.0, width));
                mask.extend(std::iter::repeat_n(0.0, self.features.blocks.len()));
            }
        }
    }

    fn push_profile(&self, name: Option<&str>, x: &mut Vec<f32>, mask: &mut Vec<f32>) -> (f32, Option<f32>) {
        let Some(known) = &self.known else {
            return ((HIT_SHARE / (1.0 - HIT_SHARE)).ln() as f32, None);
        };
        let of_features = || {
            let row = name.and_then(|name| self.features.index.get(name))?;
            known.evidence.of_features.get(*row)
        };
        match name.and_then(|name| known.screens.index.get(name)) {
            Some(&row) => {
                x.extend_from_slice(known.profile.row(row));
                mask.push(1.0);
                // An alias carries the feature row of its own name, which the screens do not know.
                let odds = of_features().copied().unwrap_or(known.evidence.of_screens[row]);
                (odds as f32, Some(known.evidence.frequency[row] as f32))
            }
            None => {
                x.extend(std::iter::repeat_n(0.0, known.profile.width));
                mask.push(0.0);
                (of_features().copied().unwrap_or(known.evidence.unknown) as f32, None)
            }
        }
    }
}

/// Over what was read, not over what was computed from it: last bits differ between machines.
fn fingerprint(features: &FeatureTable, priors: Option<&PriorScreens>) -> String {
    let mut hash = Sha256::new();
    let mut words = |words: &mut dyn Iterator<Item = &String>| {
        for word in words {
            hash.update(word.as_bytes());
            hash.update([0]);
        }
        hash.update([1]);
    };
    words(&mut features.genes.iter());
    words(&mut features.blocks.iter().map(|block| &block.name));
    if let Some(priors) = priors {
        words(&mut priors.screens.iter());
        words(&mut priors.genes.iter());
        let aliases: BTreeSet<&String> = priors.index.keys().collect();
        words(&mut aliases.into_iter());
        // Nothing more without a description, so that models of before still fit.
        if !priors.at_hand.is_empty() {
            words(&mut priors.groups.iter());
            let described = priors.descriptions.iter().chain([&priors.at_hand]);
            let said: Vec<String> = described.flat_map(Description::values).map(str::to_owned).collect();
            words(&mut said.iter());
        }
    }
    let prior_numbers = priors.map(|priors| [priors.z.as_slice(), priors.hit.as_slice()]);
    let numbers = [features.values.as_slice()].into_iter().chain(prior_numbers.into_iter().flatten());
    for value in numbers.flatten() {
        hash.update(value.to_le_bytes());
    }
    hex::encode(hash.finalize())
}
