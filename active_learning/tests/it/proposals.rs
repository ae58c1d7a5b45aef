//! What is proposed, what never is, and what is said of it.

use crate::synthetic::{self, FAMILIES, GENES, Screen, train};
use active_learning::data::{FeatureTable, Observation};
use active_learning::propose::{Proposed, Request, propose};
use active_learning::representation::Vocabulary;
use jobs::Experiment;
use jobs::work::learn::{Acquisition, Objective};

const RULES: [Acquisition; 10] = [
    Acquisition::HitProbability,
    Acquisition::Greedy,
    Acquisition::Ucb { beta: 1.0 },
    Acquisition::ExpectedImprovement,
    Acquisition::Thompson,
    Acquisition::TopTwo,
    Acquisition::InformationGain,
    Acquisition::Bald,
    Acquisition::MaxEpistemic,
    Acquisition::Random,
];

fn ask(
    screen: &Screen,
    vocabulary: &Vocabulary,
    cut: &[Observation],
    acquisition: Acquisition,
    (pending, excluded): (&[Experiment], &[Experiment]),
) -> Proposed {
    let cell = train(vocabulary, cut, FAMILIES[0], 2);
    let oracle = screen.oracle();
    let request = Request {
        pool: oracle.pool(),
        cut,
        pending,
        excluded,
        objective: Objective::Maximise,
        acquisition,
        batch_size: 20,
        runners_up: 10,
        seed: 7,
    };
    propose(vocabulary, &cell, &request).unwrap()
}

#[test]
fn what_is_pending_or_excluded_is_never_proposed() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(80));
    let pool = screen.oracle().pool().to_vec();
    for rule in RULES {
        for cut in [cut.as_slice(), &[]] {
            // All but 25 are barred: every one of the 25 must come, and nothing else.
            let (pending, excluded) = (&pool[..100], &pool[100..GENES - 25]);
            let proposed = ask(&screen, &vocabulary, cut, rule, (pending, excluded));
            let mut chosen: Vec<&Experiment> =
                proposed.proposals.iter().chain(&proposed.runners_up).map(|p| &p.experiment).collect();
            assert_eq!((proposed.proposals.len(), proposed.runners_up.len()), (20, 5), "{rule:?}");
            chosen.sort();
            let mut free: Vec<&Experiment> = pool[GENES - 25..].iter().collect();
            free.sort();
            assert_eq!(chosen, free, "{rule:?}");
        }
    }
}

#[test]
fn proposals_stand_best_first_and_say_why() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(80));
    let proposed = ask(&screen, &vocabulary, &cut, Acquisition::HitProbability, (&[], &[]));
    let all: Vec<_> = proposed.proposals.iter().chain(&proposed.runners_up).collect();
    assert!(all.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!(all.iter().all(|p| p.reason.starts_with("probability of hit ")), "{}", all[0].reason);
    assert!(all.iter().any(|p| p.reason.contains("nearest measured hits: G")), "{}", all[0].reason);
    assert_eq!(proposed.predictions.len(), GENES);
    assert_eq!(proposed.scores.len(), GENES);
}

#[test]
fn the_end_that_is_wanted_is_the_end_that_is_picked() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(120));
    let cell = train(&vocabulary, &cut, FAMILIES[1], 2);
    let oracle = screen.oracle();
    let mean_of = |objective| {
        let request = Request {
            pool: oracle.pool(),
            cut: &cut,
            pending: &[],
            excluded: &[],
            objective,
            acquisition: Acquisition::Greedy,
            batch_size: 10,
            runners_up: 0,
            seed: 7,
        };
        let proposed = propose(&vocabulary, &cell, &request).unwrap();
        proposed.proposals.iter().map(|p| p.prediction.mean).collect::<Vec<f64>>()
    };
    assert!(mean_of(Objective::Maximise).iter().all(|mean| *mean > 2.0));
    assert!(mean_of(Objective::Minimise).iter().all(|mean| *mean < -2.0));
    let both = mean_of(Objective::TwoSided);
    assert!(both.iter().any(|mean| *mean > 2.0) && both.iter().any(|mean| *mean < -2.0), "{both:?}");
}

#[test]
fn a_cold_start_with_features_spreads_and_says_so() {
    let screen = synthetic::screen();
    let proposed = ask(&screen, &screen.vocabulary(), &[], Acquisition::HitProbability, (&[], &[]));
    assert_eq!(proposed.proposals.len(), 20);
    assert!(proposed.proposals.iter().all(|p| p.reason.contains("nothing is measured yet")));
    assert!(proposed.proposals[0].reason.contains("spread"));
}

#[test]
fn a_cold_start_without_anything_is_random_and_says_so() {
    let screen = synthetic::screen();
    let nothing = Vocabulary::build(&FeatureTable::default(), None).unwrap();
    let first = ask(&screen, &nothing, &[], Acquisition::HitProbability, (&[], &[]));
    assert!(first.proposals.iter().all(|p| p.reason.contains("drawn at random")));
    let again = ask(&screen, &nothing, &[], Acquisition::HitProbability, (&[], &[]));
    assert_eq!(first.proposals, again.proposals, "random, but from the seed");
}

#[test]
fn a_model_without_features_still_answers_after_data_came() {
    let screen = synthetic::screen();
    let nothing = Vocabulary::build(&FeatureTable::default(), None).unwrap();
    for rule in RULES {
        let proposed = ask(&screen, &nothing, &screen.cut(80), rule, (&[], &[]));
        assert_eq!(proposed.proposals.len(), 20);
    }
}
