//! The control port: for the demo and for tests. Product code never reads it.
//!
//! | path | gives |
//! |---|---|
//! | `GET /specimen` | name, number of genes, pool size, hits in it, contexts |
//! | `GET /genes.csv` | `gene` |
//! | `GET /answers.csv` | `perturbation,context,effect,hit` of the whole pool |
//! | `GET /answer?perturbation=A+B&context=D1` | effect and hit of any combination (`+` sent as `%2B`) |
//! | `GET /features.csv` | `gene,block_0,..` of a synthetic specimen |
//! | `GET /library.csv` | `barcode,labware,well,content,volume_nl`: what is in the source plates now |
//! | `GET /assay-plates.csv` | `barcode,labware,context`: blank plates in storage now |
//! | `GET /plates` | every plate and where it stands |
//! | `GET /plates/{barcode}/wells` | what is in each well |
//! | `GET /truth` | the truth log, JSON lines |
//! | `POST /stock` | more plates, once for each barcode |
//! | `POST /faults` | something is to go wrong |

use super::answer::{Body, Refusal};
use super::operation::blocking;
use crate::bench::Bench;
use crate::faults::Fault;
use crate::library::assay_plate;
use crate::specimen::full_doses;
use crate::world::event::PlateCreated;
use crate::world::place::STORAGE;
use crate::world::{Event, Place, Plate, Role};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use instruments::labware::{Barcode, PlateFormat};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Csv = ([(header::HeaderName, &'static str); 1], String);

pub fn router(bench: Arc<Bench>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/specimen", get(specimen))
        .route("/genes.csv", get(genes))
        .route("/answers.csv", get(answers))
        .route("/answer", get(answer))
        .route("/features.csv", get(features))
        .route("/library.csv", get(library))
        .route("/assay-plates.csv", get(assay_plates))
        .route("/plates", get(plates))
        .route("/plates/{barcode}/wells", get(wells))
        .route("/truth", get(truth))
        .route("/stock", post(stock))
        .route("/faults", post(fault))
        .with_state(bench)
}

async fn health() -> Json<Value> {
    Json(json!({ "name": "control", "model": "Bench Control", "serial": "CT-0001", "api_version": "1.0" }))
}

async fn specimen(State(bench): State<Arc<Bench>>) -> Json<Value> {
    let specimen = bench.specimen.as_ref();
    let pool = specimen.pool();
    let hits = |context: &String| {
        pool.iter().filter(|genes| specimen.response(&full_doses(genes), context).hit).count()
    };
    let by_context: serde_json::Map<String, Value> =
        specimen.contexts().iter().map(|context| (context.clone(), json!(hits(context)))).collect();
    let hits_total: usize = specimen.contexts().iter().map(hits).sum();
    Json(json!({
        "name": specimen.name(),
        "genes": specimen.genes().len(),
        "contexts": specimen.contexts(),
        "pool_size": pool.len() * specimen.contexts().len(),
        "hits_total": hits_total,
        "hits_by_context": by_context,
        "measured": specimen.measured(),
        "seed": bench.laws.seed,
        "saturating_dose_nl": bench.laws.saturating_dose_nl,
    }))
}

async fn genes(State(bench): State<Arc<Bench>>) -> Csv {
    let names = bench.specimen.genes().iter().map(|gene| vec![gene.clone()]);
    csv(&["gene"], names)
}

async fn answers(State(bench): State<Arc<Bench>>) -> Csv {
    let specimen = bench.specimen.as_ref();
    let rows = specimen.pool().into_iter().flat_map(|genes| {
        let mut names: Vec<&str> =
            genes.iter().filter_map(|gene| specimen.genes().get(*gene)).map(String::as_str).collect();
        names.sort_unstable();
        let name = names.join("+");
        specimen.contexts().iter().map(move |context| {
            let response = specimen.response(&full_doses(&genes), context);
            let hit = u8::from(response.hit).to_string();
            vec![name.clone(), context.clone(), response.effect.to_string(), hit]
        })
    });
    csv(&["perturbation", "context", "effect", "hit"], rows)
}

#[derive(Deserialize)]
struct Asked {
    perturbation: String,
    context: String,
}

async fn answer(State(bench): State<Arc<Bench>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Refusal> {
    let find = |name: &str| {
        bench
            .specimen
            .gene_index(name)
            .ok_or_else(|| Refusal::not_found("unknown_gene", format!("no gene {name}")))
    };
    let genes: Vec<usize> = asked.perturbation.split('+').map(find).collect::<Result<_, _>>()?;
    Ok(Json(json!(bench.specimen.response(&full_doses(&genes), &asked.context))))
}

async fn features(State(bench): State<Arc<Bench>>) -> Result<Csv, Refusal> {
    let table = bench
        .specimen
        .features()
        .ok_or_else(|| Refusal::not_found("no_features", "a replayed screen has no features of its own"))?;
    let heading: Vec<&str> =
        std::iter::once("gene").chain(table.columns.iter().map(String::as_str)).collect();
    let rows = table.names.iter().zip(&table.rows).map(|(name, row)| {
        std::iter::once(name.clone()).chain(row.iter().map(|value| format!("{value:.4}"))).collect()
    });
    Ok(csv(&heading, rows))
}

async fn library(State(bench): State<Arc<Bench>>) -> Csv {
    let world = bench.world();
    let mut rows = Vec::new();
    for plate in world.state().plates().filter(|plate| !matches!(plate.role, Role::Assay { .. })) {
        for (well, contents) in plate.all_contents() {
            for (content, volume) in contents.iter() {
                rows.push(vec![
                    plate.barcode.clone(),
                    plate.labware.load_name.to_owned(),
                    well.to_string(),
                    bench.laws.inventory_name(content).to_owned(),
                    (volume.picolitres() / 1_000).to_string(),
                ]);
            }
        }
    }
    csv(&["barcode", "labware", "well", "content", "volume_nl"], rows)
}

async fn assay_plates(State(bench): State<Arc<Bench>>) -> Csv {
    let world = bench.world();
    let mut rows = Vec::new();
    for plate in world.state().plates().filter(|plate| !plate.touched && plate.at.device == STORAGE) {
        if let Role::Assay { context } = &plate.role {
            rows.push(vec![plate.barcode.clone(), plate.labware.load_name.to_owned(), context.clone()]);
        }
    }
    csv(&["barcode", "labware", "context"], rows)
}

async fn plates(State(bench): State<Arc<Bench>>) -> Json<Value> {
    let world = bench.world();
    let view = |plate: &Plate| json!({ "barcode": plate.barcode, "labware": plate.labware.load_name, "role": plate.role, "at": plate.at });
    Json(world.state().plates().map(view).collect())
}

async fn wells(State(bench): State<Arc<Bench>>, Path(barcode): Path<String>) -> Result<Json<Value>, Refusal> {
    let world = bench.world();
    let plate = world
        .state()
        .plate(&barcode)
        .ok_or_else(|| Refusal::not_found("unknown_plate", format!("no plate {barcode}")))?;
    let wells: serde_json::Map<String, Value> =
        plate.all_contents().map(|(well, contents)| (well.to_string(), json!(contents))).collect();
    Ok(Json(Value::Object(wells)))
}

async fn truth(State(bench): State<Arc<Bench>>) -> Result<impl IntoResponse, Refusal> {
    let path = bench.truth_path();
    let file = tokio::fs::File::open(&path)
        .await
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "truth_lost", error.to_string()))?;
    let body = axum::body::Body::from_stream(tokio_util::io::ReaderStream::new(file));
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stock {
    /// Blank assay plates.
    #[serde(default)]
    assay: Vec<NewAssayPlate>,
    /// Full copies of source plates as they were when new.
    #[serde(default)]
    copies: Vec<CopyOf>,
}

#[derive(Deserialize)]
struct NewAssayPlate {
    barcode: Barcode,
    context: String,
    format: Option<PlateFormat>,
}

#[derive(Deserialize)]
struct CopyOf {
    barcode: Barcode,
    of: String,
}

async fn stock(State(bench): State<Arc<Bench>>, Body(stock): Body<Stock>) -> Result<Json<Value>, Refusal> {
    blocking(move || deliver_stock(&bench, stock)).await?.map(Json)
}

fn deliver_stock(bench: &Bench, stock: Stock) -> Result<Value, Refusal> {
    let mut plates = Vec::new();
    for new in stock.assay {
        if !bench.specimen.contexts().contains(&new.context) {
            return Err(Refusal::invalid("unknown_context", format!("no cells of {}", new.context)));
        }
        plates.push(assay_plate(
            new.barcode.as_str(),
            new.format.unwrap_or(bench.settings.assay_format),
            &new.context,
        ));
    }
    // The originals as they were made, whatever has been drawn from them since.
    let originals = crate::library::initial_plates(&bench.settings, bench.specimen.as_ref());
    for copy in stock.copies {
        let original = originals
            .iter()
            .find(|plate| plate.barcode == copy.of && !matches!(plate.role, Role::Assay { .. }))
            .ok_or_else(|| {
                Refusal::invalid("unknown_plate", format!("no source plate {} to copy", copy.of))
            })?;
        let barcode = copy.barcode.as_str();
        plates.push(PlateCreated {
            barcode: barcode.to_owned(),
            to: Place::storage(barcode),
            ..original.clone()
        });
    }
    let (mut created, mut existing) = (Vec::new(), Vec::new());
    let mut world = bench.world();
    for plate in plates {
        let barcode = plate.barcode.clone();
        if world.state().plate(&barcode).is_some() {
            existing.push(barcode);
        } else {
            world.record(Event::PlateCreated(plate))?;
            created.push(barcode);
        }
    }
    world.sync()?;
    Ok(json!({ "created": created, "existing": existing }))
}

async fn fault(
    State(bench): State<Arc<Bench>>,
    Body(fault): Body<Fault>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let answer = json!({ "armed": fault });
    blocking(move || arm(&bench, fault)).await??;
    Ok((StatusCode::CREATED, Json(answer)))
}

fn arm(bench: &Bench, fault: Fault) -> Result<(), Refusal> {
    if let Fault::PlateEffect { barcode, reading_factor, extra_cv } = &fault {
        let mut world = bench.world();
        if world.state().plate(barcode).is_none() {
            return Err(Refusal::not_found("unknown_plate", format!("no plate {barcode}")));
        }
        world.record(Event::PlateAffected {
            barcode: barcode.clone(),
            reading_factor: *reading_factor,
            reading_extra_cv: *extra_cv,
        })?;
    }
    bench.faults.arm(fault).map_err(|error| Refusal::invalid("ambiguous_fault", error.to_string()))
}

fn csv(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Csv {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let in_memory = "a Vec takes every byte";
    writer.write_record(heading).expect(in_memory);
    for row in rows {
        writer.write_record(&row).expect(in_memory);
    }
    let bytes = writer.into_inner().expect(in_memory);
    ([(header::CONTENT_TYPE, "text/csv")], String::from_utf8_lossy(&bytes).into_owned())
}
