//! The automatic mode: which part of a batch exploits and which learns, by evidence, in words.
//!
//! Exploiting is the highest probability of a hit. Learning is what an experiment would teach of the readout
//! ([`information_gain`](super::information_gain)), spread by [`diversity`](super::diversity), among those candidates
//! that are at least [`LEAST_CHANCE`] as likely to be hits as the last one exploited: what is learnt is learnt where
//! hits are. Replicating is measuring again what noise leaves doubtful, up to the share that the campaign allows
//! ([`replicate`](super::replicate)); it is settled before, takes the places of the least likely hits, and is said here.
//!
//! The learning share is `1/2 x knowable x horizon`: `knowable` is the share of the predictive variance of the pool
//! that data can remove, `horizon` is `R / (R + 1)` with R rounds left in which to use it (1/2 where nobody says). It
//! is 0
//!
//! - where calibration failed, or was not measured, on held-out rows: then the number it rests on is not to be trusted;
//! - where the model of the readout foretells held-out values no better than their mean and spread: then it does not
//!   know what it does not know;
//! - in the last round.
//!
//! And whatever it is, the expected hits of the batch stay above `1 -` [`MOST_GIVEN_UP`] of what pure exploitation
//! expects (conservative exploration: Wu, Shariff, Lattimore & Szepesvari 2016, "Conservative bandits", eq. 1, a
//! round at a time). That expectation is as good as the calibration, which is why the first condition stands first.

mod evidence;

use super::{Candidates, Pick, information_gain};
use crate::Result;
pub use evidence::{Evidence, Verdict};
use std::collections::HashSet;

/// A candidate to learn from is at least this likely to be a hit, in parts of the last one exploited.
const LEAST_CHANCE: f64 = 0.5;
/// Of the expected hits of a batch.
const MOST_GIVEN_UP: f64 = 0.05;
/// How firmly the learning share is spread over the features.
pub const LEARNING_DIVERSITY: f64 = 0.5;

/// A batch, shared out.
pub struct Shared {
    /// The first so many exploit, the next so many learn; what comes after the batch exploits.
    pub picks: Vec<Pick>,
    pub exploit: usize,
    pub learn: usize,
    /// Shares and why, for people.
    pub explanation: String,
    /// Says the same of other shares.
    pub verdict: Verdict,
}

/// What of a batch is measured again.
pub struct Replicating {
    pub count: usize,
    /// How many, or that none, and why.
    pub words: String,
}

/// Chooses `batch` picks and runners-up up to `count`. `ranked`: all eligible, in the order in which to exploit them,
/// scored by probability of a hit. `spread` gives so many of its second list, in the order in which to take them,
/// where the first is taken already. `batch` is without what is `replicating`.
pub fn share_out(
    candidates: &Candidates,
    ranked: &[Pick],
    evidence: &Evidence,
    replicating: &Replicating,
    (batch, count): (usize, usize),
    spread: impl Fn(&[Pick], &[Pick], usize) -> Result<Vec<Pick>>,
) -> Result<Shared> {
    let batch = batch.min(ranked.len());
    let verdict = evidence.judge(candidates);
    let mut learn = (verdict.share * batch as f64).round() as usize;
    let expected = hits(&ranked[..batch]);
    loop {
        let exploit = batch - learn;
        let learners = learners(candidates, ranked, exploit, learn, &spread)?;
        let given_up = hits(&ranked[exploit..batch]) - hits(&learners);
        if learners.len() < learn {
            learn = learners.len();
        } else if learn > 0 && given_up > MOST_GIVEN_UP * expected {
            // What it gives up grows about as the share does.
            learn = ((learn as f64 * MOST_GIVEN_UP * expected / given_up) as usize).min(learn - 1);
        } else {
            let explanation = verdict.explain(exploit, learn, replicating, (given_up, expected));
            let picks = compose(ranked, exploit, learners, count);
            return Ok(Shared { picks, exploit, learn, explanation, verdict });
        }
    }
}

/// Expected hits.
fn hits(picks: &[Pick]) -> f64 {
    picks.iter().map(|pick| pick.score).sum()
}

/// Scores stay probabilities of a hit, whatever a pick is for.
fn learners(
    candidates: &Candidates,
    ranked: &[Pick],
    exploit: usize,
    learn: usize,
    spread: &impl Fn(&[Pick], &[Pick], usize) -> Result<Vec<Pick>>,
) -> Result<Vec<Pick>> {
    if learn == 0 {
        return Ok(Vec::new());
    }
    let (exploited, rest) = ranked.split_at(exploit);
    let exploited_or_next = if exploited.is_empty() { &rest[..1.min(rest.len())] } else { exploited };
    let last = exploited_or_next.iter().map(|pick| pick.score).fold(f64::INFINITY, f64::min);
    let likely = rest.iter().filter(|pick| pick.score >= LEAST_CHANCE * last);
    let gain = |pick: &Pick| candidates.predictions.get(pick.candidate).map_or(0.0, information_gain::gain);
    let mut informative: Vec<Pick> = likely.copied().collect();
    informative.sort_by(|a, b| gain(b).total_cmp(&gain(a)));
    informative.truncate(super::diversity::shortlist(learn));
    spread(exploited, &informative, learn)
}

fn compose(ranked: &[Pick], exploit: usize, learners: Vec<Pick>, count: usize) -> Vec<Pick> {
    let (exploited, rest) = ranked.split_at(exploit);
    let taken: HashSet<usize> = learners.iter().map(|pick| pick.candidate).collect();
    let next = rest.iter().filter(|pick| !taken.contains(&pick.candidate)).copied().collect::<Vec<_>>();
    exploited.iter().copied().chain(learners).chain(next).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Reliability;
    use jobs::work::learn::{ModelMetrics, Objective, Prediction};

    const TRUSTED: Option<Reliability> = Some(Reliability { by_chance: 0.04, sd: 0.01 });

    fn metrics() -> ModelMetrics {
        ModelMetrics {
            training_rows: 256,
            held_out_rows: 256,
            held_out_log_score: Some(-1.3),
            coverage_90: Some(0.9),
            hit_ece: Some(0.05),
            ..ModelMetrics::default()
        }
    }

    /// 400 candidates, less and less likely hits; every seventh is unknown, the others are not.
    fn predictions() -> Vec<Prediction> {
        let of = |i: usize| Prediction {
            mean: 0.0,
            epistemic_sd: if i.is_multiple_of(7) { 2.0 } else { 0.2 },
            aleatoric_sd: 1.0,
            hit_probability: 0.5 * 0.99f64.powi(i as i32),
        };
        (0..400).map(of).collect()
    }

    fn shared(evidence: &Evidence, predictions: &[Prediction]) -> Shared {
        let eligible: Vec<usize> = (0..predictions.len()).collect();
        let candidates = Candidates::of(predictions, &eligible, Objective::Maximise);
        let score = |&candidate: &usize| Pick { candidate, score: predictions[candidate].hit_probability };
        let ranked: Vec<Pick> = eligible.iter().map(score).collect();
        let first =
            |_: &[Pick], list: &[Pick], wanted: usize| Ok(list.iter().take(wanted).copied().collect());
        let none = Replicating { count: 0, words: "none replicates, since nothing may".to_owned() };
        share_out(&candidates, &ranked, evidence, &none, (100, 120), first).unwrap()
    }

    fn with(metrics: &ModelMetrics, rounds_left: Option<u32>, limit: Option<f64>) -> Shared {
        shared(&Evidence { metrics, reliability: TRUSTED, rounds_left, limit }, &predictions())
    }

    #[test]
    fn a_share_learns_where_little_is_known_and_hits_are_likely() {
        let shared = with(&metrics(), Some(3), None);
        assert_eq!((shared.exploit + shared.learn, shared.picks.len()), (100, 120));
        assert!(shared.learn >= 5, "{}", shared.explanation);
        let learners = &shared.picks[shared.exploit..100];
        let last = shared.picks[shared.exploit - 1].score;
        assert!(learners.iter().all(|pick| pick.score >= LEAST_CHANCE * last), "{learners:?}");
        let unknown = learners.iter().filter(|pick| pick.candidate.is_multiple_of(7)).count();
        assert!(2 * unknown > shared.learn && learners[0].candidate.is_multiple_of(7), "{learners:?}");
        let mut all: Vec<usize> = shared.picks.iter().map(|pick| pick.candidate).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 120, "nobody twice");
        assert!(shared.explanation.contains("none replicates"), "{}", shared.explanation);
    }

    #[test]
    fn what_learning_gives_up_is_bounded() {
        let predictions = predictions();
        let shared = with(&metrics(), Some(50), None);
        let expected: f64 = predictions[..100].iter().map(|p| p.hit_probability).sum();
        let kept: f64 = shared.picks[..100].iter().map(|pick| pick.score).sum();
        assert!(kept >= (1.0 - MOST_GIVEN_UP) * expected, "{kept} of {expected}");
    }

    #[test]
    fn pure_exploitation_is_the_answer_to_every_doubt_and_says_which() {
        let failed = ModelMetrics { hit_ece: Some(0.0601), ..metrics() };
        let narrow = ModelMetrics { coverage_90: Some(0.8), ..metrics() };
        let unskilled = ModelMetrics { held_out_log_score: Some(-1.42), ..metrics() };
        let few = ModelMetrics { held_out_rows: 39, ..metrics() };
        let cases = [
            (with(&failed, Some(3), None), "calibration failed: on held-out answers"),
            (with(&narrow, Some(3), None), "calibration failed: 90 % intervals"),
            (with(&unskilled, Some(3), None), "no better than by their mean"),
            (with(&few, Some(3), None), "39 held-out answers are too few"),
            (with(&metrics(), Some(0), None), "last round"),
            (with(&metrics(), Some(3), Some(0.0)), "allows no learning share"),
            (with(&ModelMetrics::default(), None, None), "too little is measured"),
        ];
        for (shared, words) in cases {
            assert!(shared.explanation.starts_with("All 100 experiments exploit"), "{}", shared.explanation);
            assert!(shared.explanation.contains(words), "{}", shared.explanation);
            let candidates: Vec<usize> = shared.picks.iter().map(|pick| pick.candidate).collect();
            assert_eq!((shared.learn, candidates), (0, (0..120).collect()), "{words}");
        }
        assert!(with(&metrics(), Some(3), None).learn > 0, "and without a doubt it learns");
    }

    #[test]
    fn what_is_measured_again_is_one_of_the_three_shares() {
        let eligible: Vec<usize> = (0..400).collect();
        let predictions = predictions();
        let candidates = Candidates::of(&predictions, &eligible, Objective::Maximise);
        let score = |&candidate: &usize| Pick { candidate, score: predictions[candidate].hit_probability };
        let ranked: Vec<Pick> = eligible.iter().map(score).collect();
        let first = |_: &[Pick], list: &[Pick], wanted: usize| Ok(list[..wanted].to_vec());
        let metrics = metrics();
        let evidence =
            |limit| Evidence { metrics: &metrics, reliability: TRUSTED, rounds_left: Some(3), limit };
        let six = Replicating { count: 6, words: "6 (6 %) replicate".to_owned() };
        let words = |limit| {
            let shared = share_out(&candidates, &ranked, &evidence(limit), &six, (94, 110), first).unwrap();
            assert_eq!(shared.exploit + shared.learn, 94);
            (shared.learn, shared.explanation)
        };
        let (learn, said) = words(None);
        assert!(
            learn > 0 && said.starts_with(&format!("Of 100 experiments {} exploit", 94 - learn)),
            "{said}"
        );
        assert!(said.contains(&format!("and {learn} (")) && said.contains("; 6 (6 %) replicate."), "{said}");
        let (_, said) = words(Some(0.0));
        assert!(
            said.starts_with("Of 100 experiments 94 exploit") && said.contains("none learns, 6 (6 %)"),
            "{said}"
        );
    }

    #[test]
    fn more_rounds_left_learn_more_and_a_limit_holds() {
        let learn = |rounds, limit| with(&metrics(), rounds, limit).learn;
        assert!(learn(Some(1), None) <= learn(Some(4), None));
        assert_eq!(learn(Some(4), Some(0.02)), 2);
    }
}
