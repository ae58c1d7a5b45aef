//! A campaign of one's own on the bench: names, channels, doses, and where its hits lie.

use crate::support::{TestBench, load_deck};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

fn assay(change: impl FnOnce(&mut Value)) -> Value {
    let genes = (0..200).map(|number| json!({"name": format!("GENE {number}")}));
    let doses = [(-8.0, "10nM"), (-7.0, "100nM"), (-6.0, "1uM"), (-5.0, "10uM")];
    let compounds = (0..10).flat_map(|number| {
        doses.map(|(log, dose)| {
            json!({
                "name": format!("DRUG{number}@{dose}"),
                "dose": {"compound": format!("DRUG{number}"), "log10_molar": log},
            })
        })
    });
    let mut assay = json!({
        "edits": genes.chain(compounds).collect::<Vec<_>>(),
        "contexts": ["K562, early", "MOLM-13"],
        "singles": true,
        "pairs": false,
        "negative": "DMSO",
        "positive": "Kill mix",
        "channels": [
            {"name": "ATP", "shows": "signal"},
            {"name": "called", "shows": "call"},
            {"name": "LDH", "shows": "death"},
            {"name": "shape", "shows": {"level": {"labels": 3}}},
            {"name": "IL2", "shows": "component"},
        ],
        "hits": "toward_positive",
        "hit_at": 0.5,
    });
    change(&mut assay);
    assay
}

async fn bench_of(assay: &Value, options: &[&str]) -> TestBench {
    let dir = tempfile::tempdir().unwrap();
    start(dir, assay, options).await
}

async fn start(dir: TempDir, assay: &Value, options: &[&str]) -> TestBench {
    let file = dir.path().join("assay.json");
    std::fs::write(&file, assay.to_string()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let options: Vec<&str> = ["--assay", &file].into_iter().chain(options.iter().copied()).collect();
    TestBench::start_in(dir, &options).await
}

/// Effect and class of each edit in a context.
async fn answers(bench: &TestBench, context: &str) -> BTreeMap<String, (f64, bool)> {
    let text = bench.lab.text("control", "/answers.csv").await;
    csv::Reader::from_reader(text.as_bytes())
        .records()
        .map(Result::unwrap)
        .filter(|record| &record[1] == context)
        .map(|record| (record[0].to_owned(), (record[2].parse().unwrap(), &record[3] == "1")))
        .collect()
}

#[tokio::test]
async fn stock_and_reader_have_the_campaigns_names() {
    let bench = bench_of(&assay(|_| {}), &["--library-copies", "2"]).await;
    let library = bench.lab.library().await;
    for content in ["DMSO", "Kill mix", "GENE 7", "DRUG3@1uM"] {
        assert!(library.contains_key(content), "{content}");
    }
    assert!(!library.contains_key("NEG") && !library.contains_key("POS"));
    let text = bench.lab.text("control", "/library.csv").await;
    assert_eq!(text.matches(",GENE 7,").count(), 2, "two copies of the library");
    let blanks = bench.lab.text("control", "/assay-plates.csv").await;
    assert!(blanks.contains("\"K562, early\"") && blanks.contains("MOLM-13"), "{blanks}");
    let health = bench.lab.get("reader-1", "/health").await.body;
    assert_eq!(health["channels"], json!(["ATP", "called", "LDH", "shape", "IL2"]));
    let refused = bench.lab.post(
        "reader-1",
        "/reads",
        json!({"id": "r", "slot": "1", "barcode": "ASY-0001", "channels": ["signal"]}),
    );
    assert_eq!(refused.await.status, 422);
}

#[tokio::test]
async fn more_of_a_compound_does_more_and_features_are_of_compounds() {
    let bench = bench_of(&assay(|_| {}), &[]).await;
    let answers = answers(&bench, "MOLM-13").await;
    for number in 0..10 {
        let effects =
            ["10nM", "100nM", "1uM", "10uM"].map(|dose| answers[&format!("DRUG{number}@{dose}")].0.abs());
        assert!(effects.is_sorted(), "DRUG{number}: {effects:?}");
        assert!(effects[3] > 1.5 * effects[0], "DRUG{number}: {effects:?}");
    }
    let features = bench.lab.text("control", "/features.csv").await;
    assert_eq!(features.lines().count(), 1 + 200 + 10);
    assert!(features.contains("\nDRUG3,") && !features.contains('@'));
}

#[tokio::test]
async fn hits_lie_where_the_campaigns_rule_looks_for_them() {
    for (hits, at) in [("toward_positive", 0.5), ("away_from_positive", 0.3), ("both", 0.8)] {
        let bench = bench_of(
            &assay(|assay| {
                assay["hits"] = json!(hits);
                assay["hit_at"] = json!(at);
            }),
            &[],
        )
        .await;
        let optics = bench.bench.specimen.optics();
        let answers = answers(&bench, "K562, early").await;
        let way = |effect: f64| (effect - optics.null_effect) / (optics.positive_effect - optics.null_effect);
        let is_hit = |effect: f64| match hits {
            "toward_positive" => way(effect) >= at - 1e-9,
            "away_from_positive" => way(effect) <= -at + 1e-9,
            _ => way(effect).abs() >= at - 1e-9,
        };
        for (edit, (effect, hit)) in &answers {
            assert_eq!(is_hit(*effect), *hit, "{hits}: {edit} at {}", way(*effect));
        }
        assert_eq!(answers.values().filter(|(_, hit)| *hit).count(), 12, "{hits}: one in twenty of 240");
    }
}

#[tokio::test]
async fn a_plate_shows_each_channel_what_it_is_for() {
    let bench = bench_of(&assay(|_| {}), &["--saturating-dose-nl", "800"]).await;
    let lab = &bench.lab;
    let answers = answers(&bench, "K562, early").await;
    let hit = answers.iter().find(|(_, (_, hit))| *hit).map(|(edit, _)| edit.clone()).unwrap();
    load_deck(lab).await;
    let library = lab.library().await;
    let well = |content: &str| library[content].1.clone();
    let rows = [("3", well("DMSO"), "C3"), ("3", well("Kill mix"), "C4"), ("2", well(&hit), "C5")];
    let rows: Vec<_> = rows.iter().map(|(slot, from, to)| (*slot, from.as_str(), *to, 1.0)).collect();
    assert_eq!(lab.dispense(&rows).await["status"], "succeeded");
    lab.bring("to-reader", &[("ASY-0001", ("handler-1", "1"), ("reader-1", "1"))]).await;
    let asked = ["ATP", "called", "LDH", "shape", "IL2"];
    let body = json!({"id": "look", "slot": "1", "barcode": "ASY-0001", "channels": asked});
    assert_eq!(lab.post("reader-1", "/reads", body).await.body["status"], "succeeded");
    let text = lab.text("reader-1", "/reads/look/file").await;
    let mut rows = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let values: BTreeMap<(String, String), f64> = rows
        .records()
        .map(Result::unwrap)
        .map(|record| ((record[0].to_owned(), record[1].to_owned()), record[2].parse().unwrap()))
        .collect();
    let of = |well: &str, channel: &str| values[&(well.to_owned(), channel.to_owned())];
    let way = (of("C5", "ATP") - of("C3", "ATP")) / (of("C4", "ATP") - of("C3", "ATP"));
    // The weakest hit lies half way; wells scatter by a thirtieth of the way.
    assert!(way > 0.35, "{way}");
    assert_eq!(["C3", "C4", "C5"].map(|well| of(well, "called")), [0.0, 0.0, 1.0]);
    assert!(of("C4", "LDH") > 10.0 * of("C3", "LDH"), "all are dead in the positive control");
    assert_eq!([of("C3", "shape"), of("C4", "shape")], [0.0, 2.0]);
    let (signal, component) = (of("C4", "ATP") - of("C3", "ATP"), of("C4", "IL2") - of("C3", "IL2"));
    assert!((component / signal).is_finite() && (component - signal).abs() > 1.0, "{component} of {signal}");
}

#[tokio::test]
async fn a_replayed_screen_knows_the_campaigns_edits_alone() {
    let dir = tempfile::tempdir().unwrap();
    let screen = dir.path().join("screen.csv");
    let rows: String =
        (0..40).map(|n| format!("GENE {n},{},{}\n", f64::from(n) / 10.0, u8::from(n >= 36))).collect();
    std::fs::write(&screen, format!("gene,score,hit\nELSE,9.0,1\n{rows}")).unwrap();
    let screen = screen.to_str().unwrap().to_owned();
    let bench = start(dir, &assay(|_| {}), &["--screen", &screen]).await;
    let answers = answers(&bench, "MOLM-13").await;
    assert_eq!(answers.len(), 240);
    assert!(!answers.contains_key("ELSE"));
    let optics = bench.bench.specimen.optics();
    let way =
        |edit: &str| (answers[edit].0 - optics.null_effect) / (optics.positive_effect - optics.null_effect);
    assert!((way("GENE 36") - 0.5).abs() < 1e-9, "the weakest hit of the screen is one for the campaign");
    assert!(way("GENE 35") < 0.5 && way("GENE 39") > 0.5);
    assert_eq!(way("GENE 150"), 0.0, "not measured");
}

#[test]
fn a_screen_of_other_names_and_an_assay_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("screen.csv"), "gene,score,hit\nELSE,9.0,1\n").unwrap();
    std::fs::write(path("assay.json"), assay(|_| {}).to_string()).unwrap();
    let twice = assay(|assay| assay["contexts"] = json!(["A", "A"]));
    std::fs::write(path("twice.json"), twice.to_string()).unwrap();
    let refused = |options: &[&str]| {
        let error = crate::support::settings(dir.path(), options).specimen().err().unwrap();
        format!("{:#}", anyhow::Error::from(error))
    };
    let other = refused(&["--assay", &path("assay.json"), "--screen", &path("screen.csv")]);
    assert!(other.contains("it has measured none of the campaign's edits"), "{other}");
    assert!(refused(&["--assay", &path("twice.json")]).contains("names, each once"));
    assert!(refused(&["--assay", &path("screen.csv")]).contains("is no description of an assay"));
}
