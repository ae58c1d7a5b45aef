//! The description of a campaign as a research object: `ro-crate-metadata.json` of an RO-Crate 1.1
//! (<https://w3id.org/ro/crate/1.1>), JSON-LD that says what each file is, who approved what, which instrument read
//! which plate, and which model chose. Pure: everything comes from the [`Dossier`].

use crate::store::dossier::{Author, Dossier, RawFile, RoundOver, Verdict};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A file of the crate that is a table or a list.
pub struct Table {
    pub path: &'static str,
    pub name: &'static str,
    pub media_type: &'static str,
    pub about: &'static str,
}

pub const RESULTS_CSV: &str = "results.csv";
pub const RESULTS_PARQUET: &str = "results.parquet";
pub const PROPOSALS: &str = "proposals.csv";
pub const WELLS: &str = "wells.csv";
pub const READINGS: &str = "readings.csv";
pub const APPROVALS: &str = "approvals.csv";
pub const ROUNDS: &str = "rounds.json";
pub const MODELS: &str = "models.json";

/// Those that every crate has.
pub const TABLES: [Table; 8] = [
    Table {
        path: RESULTS_CSV,
        name: "Results",
        media_type: "text/csv",
        about: "One row an observation that passed quality control: value (negative control 0, positive control 1), \
                its standard error, what was predicted, who approved it, the plate, its raw file and the model.",
    },
    Table {
        path: RESULTS_PARQUET,
        name: "Results, as Parquet",
        media_type: "application/vnd.apache.parquet",
        about: "The same rows and columns as results.csv.",
    },
    Table {
        path: PROPOSALS,
        name: "Proposals",
        media_type: "text/csv",
        about: "Every experiment that a model or a person proposed, also those removed, given up or never chosen: \
                the posterior (mean, epistemic and aleatoric standard deviation, probability of a hit), the reason in \
                words, and what became of it.",
    },
    Table {
        path: WELLS,
        name: "Plate maps",
        media_type: "text/csv",
        about: "One row a well that held something: its role, the perturbation and context, which replicate it is.",
    },
    Table {
        path: READINGS,
        name: "Readings",
        media_type: "text/csv",
        about: "One row a well and channel as the reader gave it, before normalisation, with the file it comes from.",
    },
    Table {
        path: APPROVALS,
        name: "Approvals",
        media_type: "text/csv",
        about: "Who approved or rejected which batch, when and why, and the hash of the content that was frozen.",
    },
    Table {
        path: ROUNDS,
        name: "Rounds",
        media_type: "application/json",
        about: "Each round: its seed, the model that chose, why that model, and its summary.",
    },
    Table {
        path: MODELS,
        name: "Model versions",
        media_type: "application/json",
        about: "Each version of the model: data cut and checkpoint by SHA-256, seed, version of the code, metrics on \
                held-out folds, and why it was promoted or not. Trained again from these it gives the same numbers.",
    },
];

/// Where the edition `number` of the campaign's file lies.
pub fn edition_path(number: u32) -> String {
    format!("campaign/edition-{number}.toml")
}

/// Where a raw file lies: by its content, so that two plates with the same file share one.
pub fn raw_path(file: &RawFile) -> String {
    let ending = match file.media_type.split(';').next().unwrap_or_default().trim() {
        "text/csv" => "csv",
        "application/json" => "json",
        "application/zip" => "zip",
        text if text.starts_with("text/") => "txt",
        _ if file.format.ends_with("csv") => "csv",
        _ if file.format.ends_with("json") => "json",
        _ => "bin",
    };
    format!("raw/{}.{ending}", file.sha256)
}

/// The metadata document. `licence`: a URL; without one the crate says that none was stated.
pub fn metadata(dossier: &Dossier, licence: Option<&str>, made_at: DateTime<Utc>) -> Value {
    let mut graph = Graph::default();
    graph.add(json!({
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }));
    let raw = raw_files(dossier);
    let files: Vec<String> = TABLES
        .iter()
        .map(|table| table.path.to_owned())
        .chain(dossier.editions.iter().map(|edition| edition_path(edition.number)))
        .chain(raw.keys().cloned())
        .collect();
    graph.add(json!({
        "@id": "./",
        "@type": "Dataset",
        "name": dossier.campaign.name,
        "description": description(dossier, made_at),
        "identifier": format!("urn:uuid:{}", dossier.campaign.id),
        "datePublished": made_at.format("%Y-%m-%d").to_string(),
        "dateCreated": moment(dossier.campaign.created_at),
        "license": {"@id": licence.unwrap_or(NO_LICENCE)},
        "author": some_refs(people(dossier)).unwrap_or_else(|| json!({"@id": SOFTWARE})),
        "hasPart": refs(files),
        "mentions": refs(dossier.rounds.iter().map(round_id).chain((0..dossier.raw_files.len()).map(reading_id))),
    }));
    graph.add(licence_entity(licence));
    graph.add(json!({
        "@id": SOFTWARE,
        "@type": "SoftwareApplication",
        "name": "Loopwright",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Closed-loop laboratory orchestrator: proposes, has people approve, has robots carry out, judges and learns.",
    }));
    for table in &TABLES {
        graph.add(json!({
            "@id": table.path,
            "@type": "File",
            "name": table.name,
            "description": table.about,
            "encodingFormat": table.media_type,
        }));
    }
    for edition in &dossier.editions {
        graph.add(json!({
            "@id": edition_path(edition.number),
            "@type": "File",
            "name": format!("Campaign file, edition {}", edition.number),
            "description": "What the campaign was to find, among what, how it was measured, and who had to approve.",
            "encodingFormat": "application/toml",
            "dateCreated": moment(edition.created_at),
            "author": {"@id": actor_id(&edition.by.name)},
        }));
        graph.add(actor(&edition.by));
    }
    for verdict in &dossier.verdicts {
        graph.add(actor(&verdict.author()));
    }
    for round in &dossier.rounds {
        graph.add(round_action(dossier, round, &raw));
    }
    for (path, readings) in &raw {
        graph.add(raw_file(path, readings));
    }
    for (number, reading) in dossier.raw_files.iter().enumerate() {
        add_reading(&mut graph, number, reading);
    }
    json!({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph.entities})
}

const SOFTWARE: &str = "#loopwright";
const NO_LICENCE: &str = "#no-licence";

/// Entities, each once.
#[derive(Default)]
struct Graph {
    entities: Vec<Value>,
    known: BTreeSet<String>,
}

impl Graph {
    /// The first one of an id stands.
    fn add(&mut self, entity: Value) {
        let id = entity["@id"].as_str().unwrap_or_default().to_owned();
        if self.known.insert(id) {
            self.entities.push(entity);
        }
    }
}

/// One is no list, as RO-Crate recommends.
fn refs(ids: impl IntoIterator<Item = String>) -> Value {
    let mut refs: Vec<Value> = ids.into_iter().map(|id| json!({"@id": id})).collect();
    if refs.len() == 1 { refs.remove(0) } else { Value::Array(refs) }
}

/// The same; `None` where there are none.
fn some_refs(ids: impl IntoIterator<Item = String>) -> Option<Value> {
    let refs = refs(ids);
    (refs != json!([])).then_some(refs)
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn description(dossier: &Dossier, made_at: DateTime<Utc>) -> String {
    let closed = dossier.rounds.iter().filter(|over| over.closed_at.is_some()).count();
    format!(
        "{} A campaign of {closed} closed {} and {} {}, carried out by Loopwright: what was proposed and why, who \
         approved it, where it stood, what was read, and what each model knew. As of {}, when it was {}.",
        ended(&dossier.goal),
        if closed == 1 { "round" } else { "rounds" },
        dossier.plates.len(),
        if dossier.plates.len() == 1 { "plate" } else { "plates" },
        moment(made_at),
        dossier.campaign.state.as_str(),
    )
}

/// `text` as a sentence.
fn ended(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

fn licence_entity(licence: Option<&str>) -> Value {
    match licence {
        Some(url) => json!({"@id": url, "@type": "CreativeWork", "name": url, "url": url}),
        None => json!({
            "@id": NO_LICENCE,
            "@type": "CreativeWork",
            "name": "No licence stated",
            "description": "The laboratory has not said under which licence others may use this. Ask it.",
        }),
    }
}

/// Names are unique, and may hold what an id may not.
fn actor_id(name: &str) -> String {
    let plain: String =
        name.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("_{byte:02x}") }
            })
            .collect();
    format!("#actor-{plain}")
}

fn actor(author: &Author) -> Value {
    let kind = if author.kind == PERSON { "Person" } else { "SoftwareApplication" };
    let mut entity = json!({"@id": actor_id(&author.name), "@type": kind, "name": author.display_name});
    let other = (author.display_name != author.name).then(|| json!(author.name));
    put(&mut entity, "alternateName", other);
    put(&mut entity, "description", (author.kind == SYSTEM).then(|| json!("The campaign's own policy.")));
    entity
}

const PERSON: &str = "person";
const SYSTEM: &str = "system";

fn round_id(over: &RoundOver) -> String {
    format!("#round-{}", over.round.number)
}

/// The people who wrote the campaign's file or approved.
fn people(dossier: &Dossier) -> BTreeSet<String> {
    let wrote = dossier.editions.iter().map(|edition| edition.by.clone());
    let approved = dossier.verdicts.iter().filter(|it| it.verdict == "approve").map(Verdict::author);
    wrote.chain(approved).filter(|it| it.kind == PERSON).map(|it| actor_id(&it.name)).collect()
}

fn reading_id(number: usize) -> String {
    format!("#reading-{}", number + 1)
}

/// By path; the plates that each was read of.
fn raw_files(dossier: &Dossier) -> BTreeMap<String, Vec<&RawFile>> {
    let mut files: BTreeMap<String, Vec<&RawFile>> = BTreeMap::new();
    for file in &dossier.raw_files {
        files.entry(raw_path(file)).or_default().push(file);
    }
    files
}

fn round_action(dossier: &Dossier, over: &RoundOver, raw: &BTreeMap<String, Vec<&RawFile>>) -> Value {
    let round = &over.round;
    let approvers: BTreeSet<String> = dossier
        .verdicts
        .iter()
        .filter(|it| it.round == round.number && it.verdict == "approve" && it.of_last_revision)
        .map(|verdict| actor_id(&verdict.by))
        .collect();
    let results = raw.iter().filter(|(_, plates)| plates.iter().any(|file| file.round == round.number));
    let chose = match over.model {
        Some(model) => format!("Chosen by model version {model} (models.json)."),
        None => "Chosen before there was a model of this campaign's own.".to_owned(),
    };
    let mut action = json!({
        "@id": round_id(over),
        "@type": "CreateAction",
        "name": format!("Round {}", round.number),
        "description": chose,
        "instrument": {"@id": SOFTWARE},
        "object": {"@id": edition_path(round.campaign_version)},
        "startTime": moment(round.created_at),
        "actionStatus": {"@id": status(over)},
    });
    put(&mut action, "result", some_refs(results.map(|(path, _)| path.clone())));
    put(&mut action, "agent", some_refs(approvers));
    put(&mut action, "endTime", over.closed_at.map(|at| json!(moment(at))));
    action
}

fn status(over: &RoundOver) -> &'static str {
    match (over.closed_at, over.round.state.is_terminal()) {
        (Some(_), _) => "http://schema.org/CompletedActionStatus",
        (None, true) => "http://schema.org/FailedActionStatus",
        (None, false) => "http://schema.org/ActiveActionStatus",
    }
}

fn raw_file(path: &str, readings: &[&RawFile]) -> Value {
    let plates: BTreeSet<&str> = readings.iter().map(|reading| reading.plate.as_str()).collect();
    let plates: Vec<&str> = plates.into_iter().collect();
    let mut entity = json!({
        "@id": path,
        "@type": "File",
        "name": format!("Reading of {}", plates.join(", ")),
    });
    if let Some(first) = readings.first() {
        put(&mut entity, "description", Some(json!(format!("As the reader gave it ({}).", first.format))));
        put(&mut entity, "encodingFormat", Some(json!(first.media_type)));
        put(&mut entity, "contentSize", Some(json!(first.size_bytes.to_string())));
        put(&mut entity, "identifier", Some(json!(format!("sha256:{}", first.sha256))));
        put(&mut entity, "dateCreated", Some(json!(moment(first.read_at))));
    }
    entity
}

fn add_reading(graph: &mut Graph, number: usize, reading: &RawFile) {
    let mut action = json!({
        "@id": reading_id(number),
        "@type": "CreateAction",
        "name": format!("Reading of {}", reading.plate),
        "description": format!("Plate {}, round {}; now {}.", reading.plate, reading.round, reading.plate_state),
        "endTime": moment(reading.read_at),
        "result": {"@id": raw_path(reading)},
    });
    if let Some(name) = &reading.instrument {
        let id = format!("#instrument-{}", actor_id(name).trim_start_matches("#actor-"));
        graph.add(json!({"@id": id, "@type": "IndividualProduct", "name": name}));
        put(&mut action, "instrument", Some(json!({"@id": id})));
    }
    graph.add(action);
}

fn put(entity: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) =
        (entity.as_object_mut().map(|it: &mut Map<String, Value>| it), value)
    {
        members.insert(key.to_owned(), value);
    }
}
