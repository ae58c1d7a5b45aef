//! The committed description is the generated one, and says of each operation what clients need.

use orchestrator::api::openapi;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn generated() -> Value {
    serde_json::to_value(openapi()).expect("JSON")
}

/// `(method, path, operation)`
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("an item");
            item.iter().map(move |(method, operation)| (method.clone(), path.clone(), operation.clone()))
        })
        .filter(|(_, _, operation)| operation.get("responses").is_some())
        .collect()
}

#[test]
fn the_committed_description_is_the_generated_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = std::fs::read_to_string(&file).expect("docs/openapi.json");
    let committed: Value = serde_json::from_str(&text).expect("JSON");
    let generated = generated();
    if committed != generated {
        let (old, new) = (operations(&committed), operations(&generated));
        let changed: Vec<String> = new
            .iter()
            .filter(|operation| !old.contains(operation))
            .chain(old.iter().filter(|operation| !new.contains(operation)))
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect();
        panic!(
            "docs/openapi.json is out of date: run `make openapi` and commit it. It differs at {changed:?} or in schemas"
        );
    }
}

#[test]
fn every_operation_says_what_it_does_and_how_it_refuses() {
    let description = generated();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&description) {
        let place = format!("{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{place}: summary");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{place}: tag");
        assert!(names.insert(operation["operationId"].to_string()), "{place}: its name is another's");
        let responses = operation["responses"].as_object().expect("responses");
        for (status, response) in responses {
            let words = response["description"].as_str();
            assert!(words.is_some_and(|words| !words.is_empty()), "{place}: {status} has no description");
        }
        // What a browser is led to by a link answers by leading it on.
        assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{place}: no success");
        let refusals: Vec<_> = responses
            .iter()
            .filter(|(status, _)| *status == "default" || status.starts_with(['4', '5']))
            .collect();
        assert!(!refusals.is_empty(), "{place}: no refusal");
        for (status, refusal) in refusals {
            let schema = &refusal["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{place}: {status}");
        }
    }
}

#[test]
fn every_change_to_the_loop_takes_an_idempotency_key_and_edits_a_revision() {
    let of_the_loop = ["/campaigns", "/rounds", "/batches", "/plates", "/inventory"];
    let description = generated();
    let posts: Vec<_> = operations(&description)
        .into_iter()
        .filter(|(method, path, _)| {
            method == "post" && of_the_loop.iter().any(|part| path.starts_with(&format!("/api/v1{part}")))
        })
        // A look at a file changes nothing.
        .filter(|(_, path, _)| path != "/api/v1/campaigns/check")
        .collect();
    assert_eq!(posts.len(), 25);
    for (_, path, operation) in posts {
        let headers: Vec<&str> = operation["parameters"]
            .as_array()
            .expect("parameters")
            .iter()
            .filter(|parameter| parameter["in"] == "header")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert!(headers.contains(&"idempotency-key"), "{path}: {headers:?}");
        // A comment changes nothing that somebody may have read otherwise.
        let edits = path.contains("/batches/") && !path.ends_with("/comments");
        assert_eq!(headers.contains(&"if-match"), edits, "{path}: {headers:?}");
    }
}

#[test]
fn every_reference_leads_to_a_schema_with_a_name_of_its_own() {
    let description = generated();
    let schemas = description["components"]["schemas"].as_object().expect("schemas");
    let text = description.to_string();
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().expect("a name");
        assert!(schemas.contains_key(name), "{name} is nowhere");
    }
    // Types of several machines have these names in Rust: under one name, one would hide the others.
    for name in ["State", "Summary", "Role", "Detail"] {
        assert!(!schemas.contains_key(name), "{name} says not whose");
    }
}

/// `"word.word"` in the sources of the door, but for names of fields and files.
fn codes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            codes(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let quoted = text
            .split('"')
            .filter(|part| part.split_once('.').is_some_and(|(a, b)| is_word(a) && is_word(b)));
        found.extend(quoted.map(str::to_owned));
    }
}

#[test]
fn every_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../docs/api.md")).expect("docs/api.md");
    let mut found = BTreeSet::new();
    codes(&root.join("src/api"), &mut found);
    let no_codes = ["index.html", "design.genes_file", "model.features", "model.priors", "schedule.ends"];
    found.retain(|code| !no_codes.contains(&code.as_str()));
    assert!(found.len() > 40, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/api.md does not know {missing:?}");
}
