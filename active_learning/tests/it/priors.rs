//! What other screens bring.

use crate::synthetic::{self, FAMILIES};
use active_learning::data::FeatureTable;
use active_learning::prior::PriorScreens;
use active_learning::propose::{Request, propose};
use active_learning::representation::Vocabulary;
use jobs::work::learn::{Acquisition, Objective};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{HashMap, HashSet};

/// Eight screens that see the same genes as the one at hand, noisily, and four copies of an unrelated one.
fn prior(screen: &synthetic::Screen) -> PriorScreens {
    let mut text = String::from("screen_id,gene,score,fdr\n");
    for (number, (gene, score, _)) in screen.rows.iter().enumerate() {
        for other in 0..8 {
            let noise = f64::from(u32::try_from((number * 31 + other * 17) % 13).unwrap()) / 6.0 - 1.0;
            text.push_str(&format!("related{other},{gene},{},1\n", score + noise));
        }
        for copy in 0..4 {
            text.push_str(&format!("copy{copy},{gene},{},1\n", (number * 7919) % 97));
        }
    }
    PriorScreens::read("prior", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap()
}

#[test]
fn other_screens_make_the_first_batch_better_than_random() {
    let screen = synthetic::screen();
    let features = FeatureTable::read(&screen.features).unwrap();
    let vocabulary = Vocabulary::build(&features, Some(&prior(&screen))).unwrap();
    let oracle = screen.oracle();
    for family in FAMILIES {
        let cell = synthetic::train(&vocabulary, &[], family, 1);
        let request = Request {
            pool: oracle.pool(),
            cut: &[],
            pending: &[],
            excluded: &[],
            repeats: None,
            prices: None,
            per_plate: None,
            objective: Objective::Maximise,
            acquisition: Acquisition::HitProbability,
            diversity: 0.0,
            rounds_left: None,
            batch_size: 30,
            runners_up: 0,
            seed: 1,
        };
        let proposed = propose(&vocabulary, &cell, &request).unwrap();
        let hits = proposed.proposals.iter().filter(|p| oracle.ask(&p.experiment).unwrap().hit == Some(true));
        // One gene in ten is a hit: random finds 3 of 30 (sd 1.6).
        let found = hits.count();
        assert!(found >= 9, "{family:?}: {found}");
        assert!(proposed.proposals[0].reason.contains("other screens"), "{}", proposed.proposals[0].reason);
    }
}

#[test]
fn copies_of_a_screen_weigh_as_one() {
    let screen = synthetic::screen();
    let features = FeatureTable::read(&screen.features).unwrap();
    let odds = |copies: usize| {
        let mut text = String::from("screen_id,gene,score\n");
        for (number, (gene, score, _)) in screen.rows.iter().enumerate() {
            text.push_str(&format!("own,{gene},{score}\n"));
            for copy in 0..copies {
                text.push_str(&format!("copy{copy},{gene},{}\n", (number * 7919) % 97));
            }
        }
        let prior = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
        let vocabulary = Vocabulary::build(&features, Some(&prior)).unwrap();
        (0..50)
            .map(|gene| vocabulary.log_odds[usize::try_from(vocabulary.row(&format!("G{gene}"))).unwrap()])
            .collect::<Vec<f32>>()
    };
    let (one, ten) = (odds(1), odds(10));
    // Both unrelated screens share a sliver of chance correlation, hence not exactly.
    assert!(one.iter().zip(&ten).all(|(a, b)| (a - b).abs() < 0.05));
}

#[test]
fn a_sibling_is_left_out_by_any_of_its_names_and_leaves_no_trace() {
    let text = "screen_id,group,gene,score\n\
                smith_a,mine,A,1\nsmith_a,mine,B,2\nsmith_a,mine,C,4\n\
                jones_b,other,A,1\njones_b,other,B,2\njones_b,other,D,5\n";
    let read = |siblings: &[&str]| {
        let siblings = siblings.iter().map(|name| (*name).to_owned()).collect();
        PriorScreens::read("p", text.as_bytes(), &siblings, &HashSet::new()).unwrap()
    };
    assert_eq!(read(&[]).genes, ["A", "B", "C", "D"]);
    for name in ["smith_a", "smith", "mine"] {
        let kept = read(&[name]);
        assert_eq!(
            (kept.screens, kept.genes),
            (vec!["jones_b".into()], vec!["A".into(), "B".into(), "D".into()])
        );
        assert!(!kept.index.contains_key("C"), "only the sibling knew it");
    }
}

const GENES: usize = 2_000;

/// Screens of two kinds that see different genes; `described`: the file says the kind.
fn two_kinds(described: bool, at_hand: &str) -> Vocabulary {
    let mut text = format!("screen_id,group,gene,score,hit{}\n", if described { ",library" } else { "" });
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for screen in 0..24 {
        for gene in 0..GENES {
            // Every second screen sees one tenth of the genes a quarter of the time, the others another tenth.
            let draw: f64 = rng.random();
            let hit = u8::from(draw < if gene % 10 == screen % 2 { 0.25 } else { 0.03 });
            let kind = if described { [",KO", ",a"][screen % 2] } else { "" };
            text.push_str(&format!("s{screen},g{screen},G{gene},{draw},{hit}{kind}\n"));
        }
    }
    let mut prior = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
    at_hand.clone_into(&mut prior.at_hand.library);
    Vocabulary::build(&FeatureTable::default(), Some(&prior)).unwrap()
}

/// Mean log-odds of the genes that screens of kind `kind` see.
fn mean_odds(vocabulary: &Vocabulary, kind: usize) -> f64 {
    let of = |gene: usize| {
        let row = vocabulary.row(&format!("G{gene}"));
        f64::from(vocabulary.log_odds[usize::try_from(row).unwrap()])
    };
    let count = GENES / 10;
    (0..count).map(|place| of(10 * place + kind)).sum::<f64>() / count as f64
}

#[test]
fn screens_of_the_kind_at_hand_are_believed_more() {
    for (kind, name) in ["KO", "a"].into_iter().enumerate() {
        let told = two_kinds(true, name);
        let ahead = mean_odds(&told, kind) - mean_odds(&told, 1 - kind);
        assert!(ahead > 0.5, "{name}: {ahead}");
    }
    let silent = two_kinds(true, "");
    assert!((mean_odds(&silent, 0) - mean_odds(&silent, 1)).abs() < 0.3);
}

#[test]
fn a_screen_that_is_not_described_is_as_before() {
    let (plain, silent) = (two_kinds(false, ""), two_kinds(true, ""));
    assert_eq!(plain.fingerprint, silent.fingerprint);
    assert_eq!((&plain.log_odds, &plain.x), (&silent.log_odds, &silent.x));
    let unanswered = two_kinds(false, "KO");
    assert_eq!((&plain.log_odds, &plain.x), (&unanswered.log_odds, &unanswered.x));
    assert_ne!(two_kinds(true, "KO").fingerprint, plain.fingerprint, "another model");
}

#[test]
fn further_names_of_genes_survive_the_joining_of_files() {
    let read = |text: &str, siblings: &[&str]| {
        let siblings = siblings.iter().map(|name| (*name).to_owned()).collect();
        PriorScreens::read("p", text.as_bytes(), &siblings, &HashSet::new()).unwrap()
    };
    let mut first =
        read("screen_id,gene,score\na,A,1\na,B,2\na,C,4\nmine,A,1\nmine,B,2\nmine,C,4\n", &["mine"]);
    first.add_aliases(&HashMap::from([("OLD_B".to_owned(), "B".to_owned())]));
    let mut second = read("screen_id,gene,score\nb,D,1\nb,B,2\nb,OLD_D,3\n", &[]);
    second.add_aliases(&HashMap::from([
        // A name that the first file has for another gene stays with that one.
        ("OLD_B".to_owned(), "D".to_owned()),
        ("VERY_OLD_D".to_owned(), "D".to_owned()),
    ]));
    let joined = PriorScreens::join(vec![first, second]);
    let gene = |name: &str| joined.index.get(name).map(|&row| joined.genes[row].as_str());
    assert_eq!(
        ["B", "OLD_B", "VERY_OLD_D", "OLD_D"].map(gene),
        [Some("B"), Some("B"), Some("D"), Some("OLD_D")]
    );
    assert_eq!((joined.screens, joined.left_out), (vec!["a".into(), "b".into()], vec!["mine".into()]));
}

#[test]
fn a_screen_that_is_mostly_zero_has_scores_and_hits_of_several_sizes() {
    let rows: String = (0..1000).map(|i| format!("a,G{i},{}\n", if i < 300 { i } else { 0 })).collect();
    let text = format!("screen_id,gene,score\n{rows}");
    let screens = PriorScreens::read("p", text.as_bytes(), &HashSet::new(), &HashSet::new()).unwrap();
    let z = |gene: usize| screens.z[screens.index[&format!("G{gene}")]];
    assert!(z(299) < 7.9 && z(100) > 0.2 && z(299) > 2.0 * z(100), "{} {}", z(299), z(100));
    let hits = screens.genes.iter().zip(&screens.hit).filter(|(_, hit)| **hit > 0.5);
    let hits: HashSet<&str> = hits.map(|(gene, _)| gene.as_str()).collect();
    assert!(hits.len() == 50 && hits.contains("G299") && !hits.contains("G100"), "{hits:?}");
}
