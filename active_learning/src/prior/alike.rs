//! How much each other screen counts, by how alike its description is to that of the screen at hand.
//!
//! A screen counts `prod over attributes of r^(a - mean a)` times as much, scaled so that all together count as before: `a`
//! is 1 for the same organism, library or selection and 0 for another, and the cosine of the words of readouts and of cells
//! (rare words count more: Sparck Jones 1972). `r`, how many times as much a screen of the same kind counts, is learnt from
//! the other screens themselves: each is foretold by those unrelated to it (as in [`transfer`](super::transfer)), and `r`
//! goes up or down as long as more of them gain by it than by chance. Without evidence it stays 1.
//!
//! Nothing is here without a description of the screen at hand, and of the others.

use crate::prior::PriorScreens;
use crate::prior::transfer::RELATED;
use crate::{Result, tensor};
use jobs::work::description::Description;
use std::collections::{BTreeMap, BTreeSet};
use tch::{Kind, Tensor};

/// Attributes, in the order of [`Description::ATTRIBUTES`].
const COUNT: usize = Description::ATTRIBUTES.len();
/// Those whose words are compared; the others are the same or not.
const IN_WORDS: [bool; COUNT] = [false, true, false, true, false];
/// Every so many genes are looked at.
const GENE_STEP: usize = 8;
/// Factors tried, one sweep each.
const FACTORS: [f64; 4] = [2.0, 2.0, 2.0, 1.4];
/// Largest `r`, and 1 / the smallest.
const LIMIT: f64 = 16.0;
/// Genes that one independent gene is worth: hits come in pathways.
const GENES_AS_ONE: f64 = 10.0;
/// Sd of the natural logarithm of `r` about 0.
const SPREAD: f64 = 1.0;
/// A step is taken where the targets gain so many standard errors of their gains.
const SURE: f64 = 1.0;

/// Foretelling each screen by the others.
pub(super) struct Targets<'a> {
    /// `[screens, screens]`
    pub related: &'a [f64],
    /// One a screen.
    pub weights: &'a [f64],
    /// The study of each; empty where nobody said.
    pub groups: &'a [String],
    /// Per gene of the screens: the share of hits that its features foretell.
    pub expected: &'a [f64],
    /// What that is worth, in screens.
    pub worth: f64,
}

impl Targets<'_> {
    fn of_one_study(&self, one: usize, other: usize) -> bool {
        self.groups[one] == self.groups[other] && !self.groups[one].is_empty()
    }
}

/// Likenesses between descriptions, and how much they matter.
pub(super) struct Alike {
    likeness: Likeness,
    /// Of each screen; empty where nobody said.
    groups: Vec<String>,
    /// Natural logarithms of `r`.
    learnt: [f64; COUNT],
}

impl Alike {
    /// `None` without descriptions.
    pub fn learn(screens: &PriorScreens, targets: &Targets) -> Result<Option<Self>> {
        let described = screens.descriptions.iter().any(|description| !description.is_empty());
        if screens.at_hand.is_empty() || !described {
            return Ok(None);
        }
        let likeness = Likeness::of(&screens.descriptions, &screens.at_hand);
        let learnt = Foretelling::of(screens, targets)?.climb(&likeness)?;
        Ok(Some(Self { likeness, groups: screens.groups.clone(), learnt }))
    }

    /// `weights`, for foretelling screen `target` by the others, those of its own study left out: the last, one past them,
    /// is the screen at hand.
    pub fn weigh(&self, target: usize, weights: &[f64]) -> Vec<f64> {
        let group = self.groups.get(target).filter(|group| !group.is_empty());
        let of = |((factor, weight), own): ((f64, &f64), &String)| {
            if group == Some(own) { 0.0 } else { factor * weight }
        };
        let factors = self.likeness.factors(target, &self.learnt, weights);
        factors.into_iter().zip(weights).zip(&self.groups).map(of).collect()
    }

    /// How many times as much a screen of the same kind counts, by attribute.
    pub fn times(&self) -> [(&'static str, f64); COUNT] {
        std::array::from_fn(|place| (Description::ATTRIBUTES[place], self.learnt[place].exp()))
    }
}

/// `[screens + 1][attributes][screens]`: of each target, the last being the screen at hand, to each other screen, less its
/// mean over them; 0 where either does not say.
struct Likeness(Vec<[Vec<f64>; COUNT]>);

impl Likeness {
    fn of(others: &[Description], at_hand: &Description) -> Self {
        let all: Vec<[&str; COUNT]> = others.iter().chain([at_hand]).map(Description::values).collect();
        let rarity: [BTreeMap<String, f64>; COUNT] =
            std::array::from_fn(|place| rarity(others.iter().map(|description| description.values()[place])));
        let of = |target: &[&str; COUNT]| {
            std::array::from_fn(|place| {
                let raw = all[..others.len()].iter().map(|other| {
                    alike(target[place], other[place], IN_WORDS[place].then_some(&rarity[place]))
                });
                let raw: Vec<Option<f64>> = raw.collect();
                let mean = crate::metrics::mean(raw.iter().copied().flatten()).unwrap_or(0.0);
                raw.into_iter().map(|a| a.map_or(0.0, |a| a - mean)).collect()
            })
        };
        Self(all.iter().map(of).collect())
    }

    /// One a screen; times `weights` they add up to what `weights` add up to.
    fn factors(&self, target: usize, learnt: &[f64; COUNT], weights: &[f64]) -> Vec<f64> {
        let of =
            |other: usize| self.0[target].iter().zip(learnt).map(|(a, r)| a[other] * r).sum::<f64>().exp();
        let factors: Vec<f64> = (0..weights.len()).map(of).collect();
        let sum: f64 = factors.iter().zip(weights).map(|(factor, weight)| factor * weight).sum();
        let scale = weights.iter().sum::<f64>() / sum.max(1e-12);
        factors.into_iter().map(|factor| factor * scale).collect()
    }
}

/// `None`: one of them does not say. `rarity`: of words; without it the whole is the same or not.
fn alike(one: &str, other: &str, rarity: Option<&BTreeMap<String, f64>>) -> Option<f64> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let Some(rarity) = rarity else {
        return Some(f64::from(u8::from(one.trim().eq_ignore_ascii_case(other.trim()))));
    };
    let (one, other) = (words(one), words(other));
    let weight = |word: &String| rarity.get(word).copied().unwrap_or(0.0).powi(2);
    let size = |words: &BTreeSet<String>| words.iter().map(weight).sum::<f64>().sqrt();
    let shared: f64 = one.intersection(&other).map(weight).sum();
    Some(shared / (size(&one) * size(&other)).max(1e-12))
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Of each word: the logarithm of how few of `texts` have it.
fn rarity<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<String, f64> {
    let mut seen: BTreeMap<String, f64> = BTreeMap::new();
    let mut count = 0.0;
    for text in texts.filter(|text| !text.is_empty()) {
        count += 1.0;
        words(text).into_iter().for_each(|word| *seen.entry(word).or_default() += 1.0);
    }
    seen.into_iter().map(|(word, times)| (word, (1.0 + count / times).ln())).collect()
}

/// Some genes of all screens, `[G, S]` each, double precision.
struct Foretelling<'a> {
    /// 1 a hit; 0 also where not measured.
    hits: Tensor,
    measured: Tensor,
    /// `[G, 1]`
    expected: Tensor,
    targets: &'a Targets<'a>,
}

impl<'a> Foretelling<'a> {
    fn of(screens: &PriorScreens, targets: &'a Targets) -> Result<Self> {
        let width = screens.screens.len();
        let rows = || screens.hit.chunks_exact(width).step_by(GENE_STEP);
        let calls: Vec<f64> = rows().flatten().map(|call| f64::from(*call)).collect();
        let expected: Vec<f64> = targets.expected.iter().step_by(GENE_STEP).copied().collect();
        let calls = tensor::from_f64(&calls, &[-1, width as i64])?;
        Ok(Self {
            measured: calls.f_isnan()?.f_logical_not()?.f_to_kind(Kind::Double)?,
            hits: calls.f_nan_to_num(0.0, 0.0, 0.0)?,
            expected: tensor::from_f64(&expected, &[-1, 1])?,
            targets,
        })
    }

    /// Coordinate ascent.
    fn climb(&self, likeness: &Likeness) -> Result<[f64; COUNT]> {
        let mut best = [0.0; COUNT];
        let mut score = self.scores(likeness, &best)?;
        for factor in FACTORS {
            for place in 0..COUNT {
                for step in [factor.ln(), -factor.ln()] {
                    let mut tried = best;
                    tried[place] += step;
                    if tried[place].abs() > LIMIT.ln() + 1e-9 {
                        continue;
                    }
                    let new = self.scores(likeness, &tried)?;
                    let gains: Vec<f64> = new.iter().zip(&score).map(|(new, old)| new - old).collect();
                    let held = |learnt: &[f64; COUNT]| {
                        0.5 * learnt.iter().map(|r| (r / SPREAD).powi(2)).sum::<f64>()
                    };
                    let gain = gains.iter().sum::<f64>() + held(&best) - held(&tried);
                    if gain > SURE * gains.iter().map(|gain| gain * gain).sum::<f64>().sqrt() {
                        (best, score) = (tried, new);
                        break;
                    }
                }
            }
        }
        Ok(best)
    }

    /// Per target: the log-likelihood of its hit calls, each screen by its weight, with level and slope of all targets'
    /// log-odds fitted anew.
    fn scores(&self, likeness: &Likeness, learnt: &[f64; COUNT]) -> Result<Vec<f64>> {
        let Targets { related, weights, worth, .. } = self.targets;
        let count = weights.len();
        // `[others, targets]`
        let mut counted = vec![0.0; count * count];
        for target in 0..count {
            let factors = likeness.factors(target, learnt, weights);
            for other in
                (0..count).filter(|&other| other != target && !self.targets.of_one_study(target, other))
            {
                if related[target * count + other] < RELATED {
                    counted[other * count + target] = factors[other] * weights[other];
                }
            }
        }
        let counted = tensor::from_f64(&counted, &[count as i64, count as i64])?;
        let hits = self.hits.f_matmul(&counted)?.f_add(&self.expected.f_mul_scalar(*worth)?)?;
        let seen = self.measured.f_matmul(&counted)?.f_add_scalar(*worth)?;
        let log_odds = hits.f_div(&seen)?.f_clamp(1e-6, 1.0 - 1e-6)?.f_logit(None)?;
        let weights = self.measured.f_mul(&tensor::from_f64(weights, &[1, count as i64])?)?;
        let bent = bend(&log_odds, &self.hits, &weights)?;
        // ln p of a hit, ln (1 - p) of none.
        let signed = bent.f_mul(&self.hits.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?)?;
        let scores = signed.f_log_sigmoid()?.f_mul(&weights)?;
        let scores = scores.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        tensor::to_f64(&scores.f_mul_scalar(GENE_STEP as f64 / GENES_AS_ONE)?)
    }
}

/// Logistic regression on the log-odds by Newton steps; the log-odds as it bends them.
fn bend(log_odds: &Tensor, hits: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let (mut slope, mut shift) = (1.0, 0.0);
    let sum = |values: &Tensor| -> Result<f64> { Ok(values.f_sum(Kind::Double)?.f_double_value(&[])?) };
    for _ in 0..6 {
        let p = log_odds.f_mul_scalar(slope)?.f_add_scalar(shift)?.f_sigmoid()?;
        let error = p.f_sub(hits)?.f_mul(weights)?;
        let curvature = p.f_mul(&p.f_mul_scalar(-1.0)?.f_add_scalar(1.0)?)?.f_mul(weights)?;
        let along = curvature.f_mul(log_odds)?;
        let (h11, h01, h00) = (sum(&curvature)? + 1e-6, sum(&along)?, sum(&along.f_mul(log_odds)?)? + 1e-6);
        let (g1, g0) = (sum(&error)?, sum(&error.f_mul(log_odds)?)?);
        let determinant = h00 * h11 - h01 * h01;
        slope -= ((h11 * g0 - h01 * g1) / determinant).clamp(-1.0, 1.0);
        shift -= ((h00 * g1 - h01 * g0) / determinant).clamp(-1.0, 1.0);
    }
    Ok(log_odds.f_mul_scalar(slope)?.f_add_scalar(shift)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::evidence::{independence, related};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    const GENES: usize = 2_000;
    const SCREENS: usize = 24;

    /// Every second screen is a knock-out and hits a tenth of the genes more often, the others are activations and hit
    /// another tenth; all are of studies of their own. The organism has nothing to do with it.
    fn screens(at_hand: Description) -> PriorScreens {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut text = String::from("screen_id,group,gene,score,hit,library,organism,cell\n");
        for screen in 0..SCREENS {
            let (library, organism) = (["KO", "a"][screen % 2], ["human", "mouse"][screen / 2 % 2]);
            for gene in 0..GENES {
                let chance = if gene % 10 == screen % 2 { 0.25 } else { 0.03 };
                let hit = rng.random::<f64>() < chance;
                let rest = format!("{},{library},{organism},line {screen}", u8::from(hit));
                text.push_str(&format!("s{screen},g{screen},G{gene},{},{rest}\n", rng.random::<f64>()));
            }
        }
        let read = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
        PriorScreens { at_hand, ..read }
    }

    fn learn(screens: &PriorScreens) -> Option<Alike> {
        let related = related(screens).unwrap();
        let weights = independence(&related, SCREENS);
        let expected = vec![0.05; GENES];
        let (groups, worth) = (screens.groups.as_slice(), 10.0);
        let targets = Targets { related: &related, weights: &weights, groups, expected: &expected, worth };
        Alike::learn(screens, &targets).unwrap()
    }

    fn activation() -> Description {
        Description { library: "A".into(), organism: "human".into(), ..Description::default() }
    }

    #[test]
    fn what_foretells_other_screens_counts_and_what_does_not_stays_at_one() {
        let screens = screens(activation());
        let alike = learn(&screens).expect("all are described");
        let times: BTreeMap<&str, f64> = alike.times().into_iter().collect();
        assert!(times["library"] >= 4.0, "{times:?}");
        assert!((0.5..=2.0).contains(&times["organism"]), "{times:?}");
        assert_eq!((times["readout"], times["selection"]), (1.0, 1.0), "nobody said");
        let weights = vec![0.5; SCREENS];
        let weighed = alike.weigh(SCREENS, &weights);
        assert!(weighed[1] > 3.0 * weighed[0], "{weighed:?}");
        // As much together as before.
        assert!((weighed.iter().sum::<f64>() - 0.5 * SCREENS as f64).abs() < 1e-9);
        assert_eq!(alike.weigh(3, &weights)[3], 0.0, "a screen does not foretell its own study");
    }

    #[test]
    fn without_a_description_nothing_is_weighed() {
        assert!(learn(&screens(Description::default())).is_none());
        let mut bare = screens(activation());
        bare.descriptions.iter_mut().for_each(|description| *description = Description::default());
        assert!(learn(&bare).is_none());
    }

    #[test]
    fn rare_words_say_more_and_silence_nothing() {
        let texts = ["IFNG production", "TNF production", "IL2 production", "fitness"];
        let rarity = rarity(texts.into_iter());
        let of = |one: &str, other: &str| alike(one, other, Some(&rarity));
        assert_eq!(of("", "fitness"), None);
        // Rounding.
        assert!((of("Fitness", "fitness").unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(of("IFNG production", "fitness"), Some(0.0));
        let shared = of("IFNG production", "TNF production").unwrap();
        // By hand: ln(1 + 4/3)^2 / (ln(1 + 4/3)^2 + ln(5)^2) = .718 / (.718 + 2.590).
        assert!((shared - 0.2170).abs() < 5e-4, "{shared}");
        assert_eq!(alike("KO", "ko", None), Some(1.0));
    }
}
