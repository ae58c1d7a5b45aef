//! What is proposed, what never is, and what is said of it.

use crate::synthetic::{self, FAMILIES, GENES, Screen, train};
use active_learning::data::{FeatureTable, Observation};
use active_learning::model::Stop;
use active_learning::prior::PriorScreens;
use active_learning::propose::{Proposed, Request, propose};
use active_learning::representation::Vocabulary;
use active_learning::train::Cell;
use jobs::work::learn::{
    Acquisition, ModelFamily, ModelSpec, Objective, Prices, Proposal, Repeats, Threshold,
};
use jobs::{Context, Experiment};
use std::collections::HashSet;

const RULES: [Acquisition; 11] = [
    Acquisition::Auto { learning_share: None },
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

fn request<'a>(pool: &'a [Experiment], cut: &'a [Observation], acquisition: Acquisition) -> Request<'a> {
    Request {
        pool,
        cut,
        pending: &[],
        excluded: &[],
        repeats: None,
        prices: None,
        per_plate: None,
        objective: Objective::Maximise,
        acquisition,
        diversity: 0.0,
        rounds_left: None,
        batch_size: 20,
        runners_up: 10,
        seed: 7,
    }
}

fn ask(
    screen: &Screen,
    vocabulary: &Vocabulary,
    cut: &[Observation],
    acquisition: Acquisition,
    (pending, excluded): (&[Experiment], &[Experiment]),
) -> Proposed {
    let cell = train(vocabulary, cut, FAMILIES[0], 2);
    let oracle = screen.oracle();
    let request = Request { pending, excluded, ..request(oracle.pool(), cut, acquisition) };
    propose(vocabulary, &cell, &request).unwrap()
}

/// How many of the batch are in the context `others`, and how many are not.
fn by_context(proposed: &Proposed) -> [usize; 2] {
    let others = proposed.proposals.iter().filter(|it| it.experiment.context.0 == "others").count();
    [proposed.proposals.len() - others, others]
}

#[test]
fn on_whole_plates_every_rule_fills_a_batch_and_gives_one_plate_to_each_context_or_all_to_one() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), screen.cut(80));
    let measured: Vec<Experiment> = cut.iter().map(|row| row.experiment.clone()).collect();
    let cells = screen.oracle().pool().to_vec();
    let in_others = cells.iter().map(|it| Experiment { context: Context("others".into()), ..it.clone() });
    let pool: Vec<Experiment> = cells.iter().cloned().chain(in_others).collect();
    for rule in RULES {
        let family = if rule == Acquisition::Bald { FAMILIES[0] } else { FAMILIES[1] };
        let cell = train(&vocabulary, &cut, family, 2);
        let asked = Request { excluded: &measured, ..request(&pool, &cut, rule) };
        let mixed = propose(&vocabulary, &cell, &asked).unwrap();
        let filled = propose(&vocabulary, &cell, &Request { per_plate: Some(10), ..asked }).unwrap();
        assert_eq!(filled.proposals.len(), 20, "{rule:?}");
        let counts = by_context(&filled);
        assert!(
            [[10, 10], [20, 0], [0, 20]].contains(&counts),
            "{rule:?}: {counts:?}, {:?}",
            by_context(&mixed)
        );
        let fills =
            filled.proposals.iter().filter(|it| it.reason.contains("taken to fill a plate of")).count();
        assert_eq!(fills > 0, by_context(&mixed) != counts, "{rule:?}");
        assert_eq!(fills > 0, filled.explanation.contains("A plate takes 10 experiments"), "{rule:?}");
    }
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
        let asked = request(oracle.pool(), &cut, Acquisition::Greedy);
        let request = Request { objective, batch_size: 10, runners_up: 0, ..asked };
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
fn a_single_edit_among_pairs_does_not_make_their_cold_start_one_of_single_edits() {
    let (_, oracle) = crate::sets::screen();
    let mut pool = oracle.pool().to_vec();
    pool.push(Experiment { perturbation: "E1".parse().unwrap(), context: pool[0].context.clone() });
    let text = (0..40).fold(String::from("screen_id,gene,score\n"), |text, gene| {
        format!("{text}a,E{gene},{}\n", (gene * 7) % 40)
    });
    let prior = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
    let features = (0..40).fold(String::from("gene,a_0,a_1\n"), |text, gene| {
        format!("{text}E{gene},{},{}\n", gene % 7 - 3, gene % 5 - 2)
    });
    let features = FeatureTable::read(features.as_bytes()).unwrap();
    let vocabulary = Vocabulary::build(&features, Some(&prior)).unwrap();
    let cell = train(&vocabulary, &[], FAMILIES[1], 2);
    let first = propose(&vocabulary, &cell, &request(&pool, &[], Acquisition::HitProbability)).unwrap();
    assert!(first.proposals[0].reason.contains("nothing is measured yet"), "{}", first.proposals[0].reason);
    // Which edits are hits by themselves says nothing of which pairs are: all are as likely.
    for (experiment, said) in pool.iter().zip(&first.predictions) {
        let pair = experiment.perturbation.edits().len() > 1;
        let level = (said.hit_probability - 0.0975).abs() < 1e-9;
        assert_eq!(pair, level, "{experiment:?} {said:?}");
    }
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

#[test]
fn a_diverse_batch_is_unlike_itself_and_says_so() {
    let screen = synthetic::screen();
    let (vocabulary, cut, oracle) = (screen.vocabulary(), screen.cut(80), screen.oracle());
    let cell = train(&vocabulary, &cut, FAMILIES[1], 2);
    let asked = |diversity, pending: &[Experiment]| {
        let request = request(oracle.pool(), &cut, Acquisition::HitProbability);
        propose(&vocabulary, &cell, &Request { diversity, pending, ..request }).unwrap().proposals
    };
    let (plain, diverse) = (asked(0.0, &[]), asked(0.9, &[]));
    let by_the_rule =
        ask(&screen, &vocabulary, &cut, Acquisition::HitProbability, (&[], &[])).proposals.len();
    assert_eq!((plain.len(), diverse.len()), (by_the_rule, by_the_rule));
    assert!(plain.iter().all(|p| !p.reason.contains("unlike the others")));
    assert!(
        diverse.iter().any(|p| p.reason.contains("by the rule alone, taken for being unlike the others"))
    );
    let hits = |batch: &[Proposal]| batch.iter().map(|p| p.prediction.hit_probability).sum::<f64>();
    assert!(hits(&plain) > hits(&diverse), "spread has its price");
    // What is pending is never asked for, and moves what else is.
    let pending = [diverse[0].experiment.clone()];
    let beside = asked(0.9, &pending);
    assert!(beside.iter().all(|p| p.experiment != pending[0]));
}

#[test]
fn an_automatic_batch_says_what_it_is_for() {
    let screen = synthetic::screen();
    let (vocabulary, cut, oracle) = (screen.vocabulary(), screen.cut(120), screen.oracle());
    let cell = train(&vocabulary, &cut, FAMILIES[1], 2);
    let asked = |rounds_left, learning_share| {
        let request = request(oracle.pool(), &cut, Acquisition::Auto { learning_share });
        propose(&vocabulary, &cell, &Request { rounds_left, excluded: &oracle.pool()[..120], ..request })
            .unwrap()
    };
    let last = asked(Some(0), None);
    assert!(last.explanation.starts_with("All 20 experiments exploit"), "{}", last.explanation);
    assert!(last.proposals.iter().all(|p| p.reason.starts_with("probability of hit ")));
    assert!(last.proposals.iter().all(|p| p.reason.contains("is known of its like")));
    let earlier = asked(Some(4), None);
    let learners = earlier.proposals.iter().filter(|p| p.reason.starts_with("chosen to learn: ")).count();
    assert_eq!(learners, earlier.learning, "{}", earlier.explanation);
    let forbidden = asked(Some(4), Some(0.0));
    let names = |batch: &Proposed| batch.proposals.iter().map(|p| p.experiment.clone()).collect::<Vec<_>>();
    assert_eq!((forbidden.learning, names(&forbidden)), (0, names(&last)));
    let cold = ask(&screen, &vocabulary, &[], Acquisition::Auto { learning_share: None }, (&[], &[]));
    assert!(cold.explanation.starts_with("Nothing is measured yet: all experiments are spread"));
}

#[test]
fn an_automatic_batch_on_whole_plates_is_said_as_it_is() {
    let screen = synthetic::screen();
    let (vocabulary, cut) = (screen.vocabulary(), noisy(screen.cut(120), 0.4));
    let measured: Vec<Experiment> = cut.iter().map(|row| row.experiment.clone()).collect();
    let cells = screen.oracle().pool().to_vec();
    let in_others = cells.iter().map(|it| Experiment { context: Context("others".into()), ..it.clone() });
    let pool: Vec<Experiment> = cells.iter().cloned().chain(in_others).collect();
    let cell = train(&vocabulary, &cut, FAMILIES[1], 2);
    let allowed = repeats(&measured, Some(Threshold::AtLeast(2.0)));
    for (budget, batch_size) in [(None, 40), (None, 24), (Some(60.0), 40)] {
        let prices = budget.map(|budget| prices(budget, &pool));
        let asked = Request {
            batch_size,
            prices: prices.as_ref(),
            repeats: Some(&allowed),
            excluded: &measured,
            rounds_left: Some(4),
            per_plate: Some(batch_size),
            ..request(&pool, &cut, Acquisition::Auto { learning_share: None })
        };
        let said = propose(&vocabulary, &cell, &asked).unwrap();
        let starts = |words: &str| said.proposals.iter().filter(|it| it.reason.starts_with(words)).count();
        let (learn, again) = (starts("chosen to learn: "), starts("measured "));
        assert_eq!((said.learning, said.replicating), (learn, again), "{}", said.explanation);
        let exploit = said.proposals.len() - learn - again;
        let first = format!(" {} experiments ", said.proposals.len());
        assert!(said.explanation.contains(&first), "{budget:?} {first}: {}", said.explanation);
        let shares = [(exploit, "exploit"), (learn, "learn"), (again, "replicate")];
        for (count, does) in shares.into_iter().filter(|(count, _)| *count > 0 && learn + again > 0) {
            let (with, without) = (format!("{count} ("), format!("{count} {does}"));
            let found = said.explanation.contains(&without)
                || said.explanation.match_indices(&with).any(|(at, _)| said.explanation[at..].contains(does));
            assert!(found, "{budget:?} {count} {does}: {}", said.explanation);
        }
    }
}

/// Two wells of each, so far apart.
fn noisy(cut: Vec<Observation>, error: f64) -> Vec<Observation> {
    cut.into_iter().map(|row| Observation { replicates: 2.0, sem: Some(error), ..row }).collect()
}

fn repeats(experiments: &[Experiment], threshold: Option<Threshold>) -> Repeats {
    Repeats { at_most: 3, replicates: 2, threshold, experiments: experiments.to_vec() }
}

#[test]
fn what_noise_leaves_in_doubt_is_measured_again_up_to_the_share() {
    let screen = synthetic::screen();
    let (vocabulary, oracle) = (screen.vocabulary(), screen.oracle());
    let (measured, cut) = (&oracle.pool()[..120], noisy(screen.cut(120), 0.4));
    let cell = train(&vocabulary, &cut, FAMILIES[1], 2);
    let allowed = repeats(measured, Some(Threshold::AtLeast(2.0)));
    for rule in [Acquisition::Auto { learning_share: None }, Acquisition::Greedy] {
        let asked = |repeats, pending: &[Experiment]| {
            let request = request(oracle.pool(), &cut, rule);
            // So many that the last ones are hardly hits.
            let request = Request { batch_size: 40, repeats, pending, excluded: measured, ..request };
            propose(&vocabulary, &cell, &request).unwrap()
        };
        let without = asked(None, &[]);
        let with = asked(Some(&allowed), &[]);
        let again: Vec<&Proposal> =
            with.proposals.iter().filter(|p| measured.contains(&p.experiment)).collect();
        assert_eq!((with.replicating, again.len(), with.proposals.len()), (3, 3, 40), "{}", with.explanation);
        assert!(with.explanation.contains("3 (8 %) replicate"), "{}", with.explanation);
        for proposal in again {
            let row = cut.iter().find(|row| row.experiment == proposal.experiment).unwrap();
            assert!((row.value - 2.0).abs() < 0.4, "{} is not in doubt", row.value);
            let start = format!("measured {:.3} +- 0.400 (2 wells), the threshold is 2.000: one", row.value);
            assert!(proposal.reason.starts_with(&start), "{}", proposal.reason);
        }
        assert!(with.runners_up.iter().all(|p| !measured.contains(&p.experiment)));
        // What was new stays, less the last.
        assert_eq!(with.runners_up.len(), without.runners_up.len());
        assert_eq!((without.replicating, with.proposals[0].clone()), (0, without.proposals[0].clone()));
        // What is on its way to be measured again is not asked for a third time.
        let under_way = [with.proposals[39].experiment.clone()];
        assert!(asked(Some(&allowed), &under_way).proposals.iter().all(|p| p.experiment != under_way[0]));
    }
}

#[test]
fn without_noise_or_a_threshold_nothing_is_measured_again() {
    let screen = synthetic::screen();
    let (vocabulary, oracle) = (screen.vocabulary(), screen.oracle());
    let measured = &oracle.pool()[..120];
    let said = |cut: &[Observation], threshold| {
        let cell = train(&vocabulary, cut, FAMILIES[1], 2);
        let allowed = repeats(measured, threshold);
        let asked = request(oracle.pool(), cut, Acquisition::Auto { learning_share: None });
        let request = Request { batch_size: 40, repeats: Some(&allowed), excluded: measured, ..asked };
        let proposed = propose(&vocabulary, &cell, &request).unwrap();
        assert_eq!(proposed.replicating == 0, proposed.explanation.contains("none replicates"));
        (proposed.replicating, proposed.explanation)
    };
    let exact = noisy(screen.cut(120), 1e-6);
    let (count, words) = said(&exact, Some(Threshold::AtLeast(2.0)));
    assert!(count == 0 && words.contains("no hit call is so doubtful"), "{words}");
    // The calls of this screen follow its values: the threshold is read off them.
    let (count, _) = said(&noisy(screen.cut(120), 0.4), None);
    assert!(count > 0);
    let silent: Vec<Observation> =
        noisy(screen.cut(120), 0.4).into_iter().map(|row| Observation { hit: None, ..row }).collect();
    let (count, words) = said(&silent, None);
    assert!(count == 0 && words.contains("do not say from which value on"), "{words}");
}

/// Every third gene costs ten times as much as the others.
fn prices(budget: f64, pool: &[Experiment]) -> Prices {
    let dear = pool.iter().step_by(3).flat_map(|experiment| experiment.perturbation.edits().to_vec());
    let edits = dear.map(|edit| (edit, 9.0)).collect();
    Prices { budget, currency: "EUR".into(), per_experiment: 1.0, per_edit: 0.0, edits }
}

#[test]
fn a_batch_costs_no_more_than_it_may_whatever_the_rule() {
    let screen = synthetic::screen();
    let (vocabulary, oracle) = (screen.vocabulary(), screen.oracle());
    let (measured, cut) = (&oracle.pool()[..120], noisy(screen.cut(120), 0.4));
    let cell = train(&vocabulary, &cut, FAMILIES[0], 2);
    let (within, again) = (prices(60.0, oracle.pool()), repeats(measured, Some(Threshold::AtLeast(2.0))));
    let asked = |rule, prices, diversity| {
        let request = request(oracle.pool(), &cut, rule);
        let request = Request { batch_size: 40, rounds_left: Some(4), diversity, ..request };
        let request = Request { prices, repeats: Some(&again), excluded: measured, ..request };
        propose(&vocabulary, &cell, &request).unwrap()
    };
    for rule in RULES {
        for diversity in [0.0, 0.3] {
            let proposed = asked(rule, Some(&within), diversity);
            let cost: f64 = proposed.proposals.iter().map(|p| within.of(&p.experiment)).sum();
            assert!(cost <= 60.0, "{rule:?}: {cost}");
            // Of forty places the money fills more than the six that the dearest would leave.
            assert!(proposed.proposals.len() > 6, "{rule:?}: {}", proposed.explanation);
            let words =
                format!("The {} experiments cost {cost:.2} of the 60.00 EUR", proposed.proposals.len());
            assert!(proposed.explanation.contains(&words), "{rule:?}: {}", proposed.explanation);
            assert!(proposed.proposals.iter().all(|p| p.reason.contains("; costs ")), "{rule:?}");
            let mut names: Vec<&Experiment> =
                proposed.proposals.iter().chain(&proposed.runners_up).map(|p| &p.experiment).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), proposed.proposals.len() + proposed.runners_up.len(), "{rule:?}");
        }
    }
}

#[test]
fn money_enough_changes_nothing_and_less_buys_the_likeliest_hits_it_can() {
    let screen = synthetic::screen();
    let (vocabulary, cut, oracle) = (screen.vocabulary(), screen.cut(120), screen.oracle());
    let cell = train(&vocabulary, &cut, FAMILIES[1], 2);
    let asked = |prices| {
        let asked = request(oracle.pool(), &cut, Acquisition::HitProbability);
        let excluded = &oracle.pool()[..120];
        propose(&vocabulary, &cell, &Request { prices, excluded, ..asked }).unwrap().proposals
    };
    let names = |batch: &[Proposal]| batch.iter().map(|p| p.experiment.clone()).collect::<Vec<_>>();
    let (free, ample, short) = (asked(None), prices(1000.0, oracle.pool()), prices(40.0, oracle.pool()));
    assert_eq!(names(&asked(Some(&ample))), names(&free));
    // In the order of the rule alone, what the same money would have bought.
    let mut left = 40.0;
    let naive: f64 = free
        .iter()
        .take_while(|p| {
            left -= short.of(&p.experiment);
            left >= 0.0
        })
        .map(|p| p.prediction.hit_probability)
        .sum();
    let hits: f64 = asked(Some(&short)).iter().map(|p| p.prediction.hit_probability).sum();
    assert!(hits > naive, "{hits} expected hits, {naive} without looking at prices");
}

#[test]
fn bald_is_refused_by_a_single_network() {
    let screen = synthetic::screen();
    let (vocabulary, oracle, cut) = (screen.vocabulary(), screen.oracle(), screen.cut(60));
    let spec = ModelSpec { members: 1, ..synthetic::spec(ModelFamily::Ensemble) };
    tch::set_num_threads(1);
    let cell = Cell::train(&vocabulary, &cut, &spec, 1, &Stop::default()).unwrap();
    for rule in RULES.into_iter().filter(|rule| *rule != Acquisition::Bald) {
        let proposed = propose(&vocabulary, &cell, &request(oracle.pool(), &cut, rule)).unwrap();
        assert_eq!(proposed.proposals.len(), 20, "{rule:?}");
    }
    let refused = propose(&vocabulary, &cell, &request(oracle.pool(), &cut, Acquisition::Bald));
    let error = refused.err().unwrap();
    assert_eq!(error.code(), "learner.settings_invalid");
    assert!(error.to_string().contains("two members or more"), "{error}");
}
