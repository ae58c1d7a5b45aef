//! Plates as they are read: the service's own path (parse, reconcile, normalise, judge, store), beside a bare COPY of
//! the rows that came of it into the same tables.

use super::laboratory::{Ground, Laboratory};
use super::words;
use anyhow::{Context, ensure};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use jobs::work::Output;
use orchestrator::engine::Engine;
use orchestrator::ids::SYSTEM;
use std::fmt::Write as _;
use std::time::Instant;
use uuid::Uuid;

const ROWS: &str = include_str!("ingest.sql");
const TEMPLATE: &str = "growth_ingest_template";
const DATABASE: &str = "growth_ingest";
pub const PLATES: u64 = 100;
pub const WELLS: u64 = 1536;
const LABWARE: &str = "corning_1536_wellplate_12ul_flat";
/// The tables that ingest adds rows to by the well and by the experiment.
const TABLES: [&str; 2] = ["reading", "observation"];

/// Seconds of one round.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub ingest: f64,
    pub copy: f64,
}

/// A laboratory whose plates are about to be read.
pub async fn prepare(ground: &Ground) -> anyhow::Result<Laboratory> {
    let mut all = words::all()?;
    all.extend(words::campaign(LABWARE, 2)?);
    all.push(("plates", PLATES.to_string()));
    let laboratory = ground.make(TEMPLATE, ROWS, &all).await?;
    let engine = laboratory.engine().await?;
    for plate in 1..=PLATES {
        settle(&engine, &laboratory, plate).await?;
    }
    engine.pool.close().await;
    laboratory.pool.close().await;
    ground.cluster.checkpoint().await?;
    Ok(laboratory)
}

/// Stores the reader's file of a plate, and says that its job brought it.
async fn settle(engine: &Engine, laboratory: &Laboratory, plate: u64) -> anyhow::Result<()> {
    let file = Bytes::from(reader_file(plate));
    let raw = engine.blobs.put_bytes(&engine.pool, file, "text/csv", SYSTEM).await?;
    let output = words::output(Output::Read(words::read_result(raw)))?;
    let job: Uuid = sqlx::query_scalar(
        "update job_outcome
         set output = $2::jsonb
         from job
         join plate on plate.id = job.plate_id
         where job.id = job_outcome.job_id and job.kind = 'read' and plate.barcode = $1
         returning job.id",
    )
    .bind(format!("P-{plate}"))
    .bind(output)
    .fetch_one(&laboratory.pool)
    .await?;
    sqlx::query("insert into settlement (job_id) values ($1)").bind(job).execute(&laboratory.pool).await?;
    Ok(())
}

/// A plate whose controls are far apart; its samples lie between.
fn reader_file(plate: u64) -> String {
    let mut file = format!("# Plate: P-{plate}\n# Instrument: reader-1\nWell,Channel,Value,Unit\n");
    for well in 0..WELLS {
        let (row, column) = (well / 48, well % 48 + 1);
        let letter = |number: u64| char::from(b'A' + u8::try_from(number % 26).unwrap_or_default());
        let name = if row < 26 { letter(row).to_string() } else { format!("A{}", letter(row)) };
        let value = match well {
            0..1472 => 100 + (plate * 7919 + well * 104_729) % 900,
            1472..1504 => 98 + well % 5,
            _ => 990 + well % 20,
        };
        let _ = writeln!(file, "{name}{column},signal,{value}.5,RFU");
    }
    file
}

/// One round: the service's path, then the COPY.
pub async fn measure(ground: &Ground, template: &Laboratory) -> anyhow::Result<Measured> {
    ground.cluster.make(DATABASE, Some(TEMPLATE)).await?;
    ground.cluster.checkpoint().await?;
    let mut laboratory = ground.open(DATABASE).await?;
    laboratory.folder = copy_of(template)?;
    let ingest = ingest(&laboratory).await?;
    let rows = rows(&laboratory).await?;
    laboratory.drop().await?;
    ground.cluster.make(DATABASE, Some(TEMPLATE)).await?;
    ground.cluster.checkpoint().await?;
    let laboratory = ground.open(DATABASE).await?;
    let copy = copy(&laboratory, rows).await?;
    laboratory.drop().await?;
    Ok(Measured { ingest, copy })
}

/// The files of the template, for an engine of its own.
fn copy_of(template: &Laboratory) -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let status = std::process::Command::new("cp")
        .args(["-a", "--"])
        .arg(template.folder.path().join("."))
        .arg(folder.path())
        .status()?;
    ensure!(status.success(), "the files cannot be copied");
    Ok(folder)
}

/// Seconds of one pass of the engine over every plate that was read.
async fn ingest(laboratory: &Laboratory) -> anyhow::Result<f64> {
    let engine = laboratory.engine().await?;
    let started = Instant::now();
    let (_, error) = engine.advance().await;
    let seconds = started.elapsed().as_secs_f64();
    error.map_or(Ok(()), Err).context("the engine met an error")?;
    engine.pool.close().await;
    let (passed, readings, observations): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from plate where state = 'passed'), (select count(*) from reading),
             (select count(*) from observation where predicted_mean is not null)",
    )
    .fetch_one(&laboratory.pool)
    .await?;
    let expected = (PLATES, PLATES * WELLS, PLATES * 736);
    let found = (passed.try_into()?, readings.try_into()?, observations.try_into()?);
    ensure!(found == expected, "plates passed, readings, observations: {found:?}, not {expected:?}");
    Ok(seconds)
}

/// What was stored, in PostgreSQL's own binary form.
async fn rows(laboratory: &Laboratory) -> anyhow::Result<Vec<Bytes>> {
    let mut all = Vec::new();
    for table in TABLES {
        let mut conn = laboratory.pool.acquire().await?;
        let stream = conn.copy_out_raw(&format!("copy {table} to stdout (format binary)")).await?;
        let bytes: BytesMut = stream
            .try_fold(BytesMut::new(), |mut all, part| async move {
                all.extend_from_slice(&part);
                Ok(all)
            })
            .await?;
        all.push(bytes.freeze());
    }
    Ok(all)
}

/// Seconds of a COPY into each table, constraints and all, in one transaction.
async fn copy(laboratory: &Laboratory, rows: Vec<Bytes>) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut tx = orchestrator::store::begin_on(&laboratory.pool).await?;
    for (table, bytes) in TABLES.into_iter().zip(rows) {
        let mut copy = tx.copy_in_raw(&format!("copy {table} from stdin (format binary)")).await?;
        copy.send(bytes).await?;
        copy.finish().await?;
    }
    tx.commit().await?;
    Ok(started.elapsed().as_secs_f64())
}
