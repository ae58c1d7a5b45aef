//! A physical job succeeded: what the device reported is kept, and the plate moves on.

use super::broken;
use crate::engine::inputs::version_of;
use crate::engine::plates::By;
use crate::engine::{Engine, nothing, plates};
use crate::ids::SYSTEM;
use crate::ingestion::{Assessment, Verdict, reconcile};
use crate::plates::decide::{QUARANTINED_TASK, observe};
use crate::plates::{Event, State as PlateState};
use crate::steps::{self, Step};
use crate::store::inventory::StockState;
use crate::store::jobs::Consequences;
use crate::store::plates::{Change, Plate, StoredReading};
use crate::store::rounds::Round;
use crate::store::settlements::Settled;
use crate::store::tasks::NewTask;
use crate::store::{self, Error, Result};
use jobs::state::State;
use jobs::work::Output;
use jobs::work::physical::{Arrival, Dispense, Move, ReadResult};
use jobs::{Digest, Work};
use serde_json::{Value, json};
use sqlx::PgConnection;

pub(super) async fn draw(engine: &Engine, settled: Settled) -> Result<bool> {
    let (Some(round), Some(plate)) = (settled.round_id, settled.plate_id) else {
        // Not of the loop (asked for by a person): nothing follows from it.
        steps::before(Step::DrawManual).await;
        let mut tx = store::begin_on(&engine.pool).await?;
        let taken = store::settlements::take(&mut tx, settled.job_id).await?;
        steps::commit(tx, Step::DrawManual).await?;
        return Ok(taken);
    };
    let read = read_file(engine, &settled).await?;
    steps::before(Step::DrawPhysical).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut round) = store::rounds::lock(&mut tx, round).await? else { return nothing(tx).await };
    if !store::settlements::take(&mut tx, settled.job_id).await? {
        return nothing(tx).await;
    }
    let plate = store::plates::by_id(&mut tx, plate).await?;
    let mut plate = plate.ok_or_else(|| Error::corrupt("plate of a job", settled.job_id))?;
    let mut out = Consequences::default();
    if settled.state == State::Succeeded {
        succeeded(&mut tx, &round, &mut plate, &settled, read).await?;
        if plate.state.is_terminal() {
            plates::clear_places(&mut tx, &round, &plate, By::Mover, &mut out).await?;
        }
    } else {
        broken::draw(&mut tx, &mut round, &mut plate, &settled, &mut out).await?;
    }
    steps::commit(tx, Step::DrawPhysical).await?;
    engine.wakeups.after(&out);
    Ok(true)
}

async fn succeeded(
    conn: &mut PgConnection,
    round: &Round,
    plate: &mut Plate,
    settled: &Settled,
    read: Option<ReadFile>,
) -> Result<()> {
    match (&settled.work, &settled.output) {
        (Work::Dispense(asked), output) => dispensed(conn, plate, settled, asked, output.as_ref()).await,
        (Work::Move(asked), output) => moved(conn, round, plate, asked, output.as_ref()).await,
        (Work::Read(_), _) => match read {
            Some(read) => judged(conn, round, plate, settled, read).await,
            // A person said that it was read, and there is no file: quarantined, without readings.
            None => {
                judged(conn, round, plate, settled, ReadFile::none("there is no file of the reading")).await
            }
        },
        // Where it stands the move before said; when it is over the next job's `not_before` says.
        _ => Ok(()),
    }
}

async fn dispensed(
    conn: &mut PgConnection,
    plate: &mut Plate,
    settled: &Settled,
    asked: &Dispense,
    output: Option<&Output>,
) -> Result<()> {
    let records = match output {
        Some(Output::Dispense(reported)) => reconcile::transfer_records(asked, reported),
        _ => reconcile::transfer_records_as_asked(asked),
    };
    let records = records.map_err(|error| Error::corrupt("dispense job", error))?;
    store::plates::add_dispense_records(conn, settled.job_id, plate.id, &records).await?;
    store::inventory::spend(conn, plate.id, &records).await?;
    if plate.state.next(Event::DispenseBegan).is_ok() {
        store::plates::apply(conn, plate, Event::DispenseBegan, Change::default(), SYSTEM).await?.must()?;
        if store::settlements::dispenses_left(conn, plate.id).await? == 0 {
            store::plates::apply(conn, plate, Event::DispensesDone, Change::default(), SYSTEM)
                .await?
                .must()?;
        }
    }
    Ok(())
}

async fn moved(
    conn: &mut PgConnection,
    round: &Round,
    plate: &mut Plate,
    asked: &Move,
    output: Option<&Output>,
) -> Result<()> {
    let scanned: &[Arrival] = match output {
        Some(Output::Move(reported)) => &reported.arrived,
        _ => &[],
    };
    // What nobody scanned is where it was to go: the move has succeeded.
    let expected = asked
        .moves
        .iter()
        .filter(|one| !scanned.iter().any(|arrival| arrival.barcode == one.plate.barcode))
        .map(|one| Arrival { barcode: one.plate.barcode.clone(), at: one.to.clone() });
    let arrived = scanned.iter().map(|arrival| (arrival.clone(), true));
    for (arrival, confirmed) in arrived.chain(expected.map(|arrival| (arrival, false))) {
        store::inventory::place(conn, &arrival.barcode, &arrival.at, confirmed).await?;
        if arrival.barcode != plate.barcode {
            continue;
        }
        if arrival.at.device == "waste" {
            store::inventory::set_stock_state(conn, &plate.barcode, StockState::Used).await?;
        }
        if plate.state == PlateState::Incubating && is_reader(conn, round, &arrival.at.device).await? {
            store::plates::apply(conn, plate, Event::IncubationOver, Change::default(), SYSTEM)
                .await?
                .must()?;
        }
    }
    Ok(())
}

async fn is_reader(conn: &mut PgConnection, round: &Round, device: &str) -> Result<bool> {
    Ok(version_of(conn, round).await?.spec.bench.reader == device)
}

/// A reader's file, as far as it could be read.
struct ReadFile {
    raw: Option<Digest>,
    plate: Option<String>,
    readings: Vec<StoredReading>,
    problem: Option<String>,
}

impl ReadFile {
    fn none(problem: impl Into<String>) -> Self {
        Self { raw: None, plate: None, readings: Vec::new(), problem: Some(problem.into()) }
    }
}

/// Fetches and parses the file of a successful read, outside any transaction.
async fn read_file(engine: &Engine, settled: &Settled) -> Result<Option<ReadFile>> {
    let Some(Output::Read(ReadResult { raw, format, .. })) = &settled.output else { return Ok(None) };
    let bytes = match engine.blobs.read(*raw).await {
        Ok(bytes) => bytes,
        Err(Error::NotFound { .. }) => {
            return Ok(Some(ReadFile::none(format!("the reader's file {raw} was never stored"))));
        }
        Err(error) => return Err(error),
    };
    Ok(Some(match instruments::parsers::parse_readings(format, &bytes) {
        Err(error) => ReadFile::none(format!("the reader's file {raw} cannot be read: {error}")),
        Ok(file) => ReadFile {
            raw: Some(*raw),
            plate: file.plate,
            problem: None,
            readings: file
                .readings
                .into_iter()
                .map(|r| StoredReading {
                    well: r.well.to_string(),
                    channel: r.channel,
                    value: r.value,
                    unit: r.unit,
                })
                .collect(),
        },
    }))
}

/// Keeps the readings and judges the plate: its observations train, or it waits for a person.
async fn judged(
    conn: &mut PgConnection,
    round: &Round,
    plate: &mut Plate,
    settled: &Settled,
    mut read: ReadFile,
) -> Result<()> {
    if plate.state == PlateState::Incubating {
        store::plates::apply(conn, plate, Event::IncubationOver, Change::default(), SYSTEM).await?.must()?;
    }
    if plate.state != PlateState::Reading {
        // Cancelled or lost meanwhile: the raw file is kept with the job, and judges nothing.
        return Ok(());
    }
    if let Some(other) = read.plate.take_if(|barcode| *barcode != plate.barcode) {
        read = ReadFile::none(format!("the reader's file is of plate {other}"));
    }
    if let Some(raw) = read.raw {
        store::plates::add_readings(conn, plate.id, settled.job_id, raw, &read.readings).await?;
    }
    let assessment = plates::assessment(conn, round, plate, &read.readings).await?;
    let mut reasons = assessment.judgement.reasons.clone();
    reasons.extend(read.problem);
    let qc = Some(qc(&assessment, &reasons)?);
    if assessment.judgement.verdict == Verdict::Pass && reasons.is_empty() {
        store::plates::apply(conn, plate, Event::QcPassed, Change { reason: None, qc }, SYSTEM)
            .await?
            .must()?;
        return observe(conn, round, plate, &assessment).await;
    }
    let reason = if reasons.is_empty() { "QC failed".to_owned() } else { reasons.join("; ") };
    let task = NewTask {
        cause: QUARANTINED_TASK,
        message: format!(
            "Plate {} is quarantined: {reason}. Release it, order it repeated, or give it up.",
            plate.barcode
        ),
        subject: "plate",
        subject_id: plate.id.to_string(),
        campaign_id: Some(plate.campaign_id),
    };
    store::tasks::open(conn, &task).await?;
    store::plates::apply(conn, plate, Event::QcFailed, Change { reason: Some(reason), qc }, SYSTEM)
        .await?
        .must()
}

/// The judgement as it is stored, with every reason.
fn qc(assessment: &Assessment, reasons: &[String]) -> Result<Value> {
    let mut qc =
        serde_json::to_value(&assessment.judgement).map_err(|error| Error::corrupt("judgement", error))?;
    if let Some(members) = qc.as_object_mut() {
        members.insert("reasons".to_owned(), json!(reasons));
    }
    Ok(qc)
}
