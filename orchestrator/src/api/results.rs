//! Results, out: one row an observation, with its lineage, as CSV, Parquet or JSON.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::CampaignId;
use crate::store::campaigns;
use crate::store::events::{self, NewEvent};
use crate::store::results::{self, ResultRow};
use crate::store::tokens::Scope;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::ArrowError;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    let read = Access::AnyOf(&[Scope::Read]);
    Routes::new()
        .slow_route(read, routes!(as_csv))
        .slow_route(read, routes!(as_parquet))
        .slow_route(read, routes!(as_json))
}

/// Observations of a campaign as CSV.
#[utoipa::path(get, path = "/campaigns/{id}/results.csv", tag = "results", params(("id" = CampaignId, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 404, body = Problem)))]
async fn as_csv(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<CampaignId>,
) -> Result<Response, Problem> {
    let rows = rows(&state, &caller, id, "csv").await?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in &rows {
        writer.serialize(row).map_err(|error| Problem::bug(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| Problem::bug(error.error()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}

/// Observations of a campaign as Parquet.
#[utoipa::path(get, path = "/campaigns/{id}/results.parquet", tag = "results", params(("id" = CampaignId, Path)),
    responses((status = 200, content_type = "application/vnd.apache.parquet", body = Vec<u8>),
        (status = 404, body = Problem)))]
async fn as_parquet(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<CampaignId>,
) -> Result<Response, Problem> {
    let rows = rows(&state, &caller, id, "parquet").await?;
    let bytes = as_parquet_bytes(&rows).map_err(|error| Problem::bug(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/vnd.apache.parquet")], bytes).into_response())
}

/// Observations of a campaign as JSON: an array of rows, with the columns of the CSV.
#[utoipa::path(get, path = "/campaigns/{id}/results.json", tag = "results", params(("id" = CampaignId, Path)),
    responses((status = 200, body = Vec<ResultRow>), (status = 404, body = Problem)))]
async fn as_json(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<CampaignId>,
) -> Result<Json<Vec<ResultRow>>, Problem> {
    rows(&state, &caller, id, "json").await.map(Json)
}

/// What leaves the house is recorded before it does: who took it, and how much.
async fn rows(
    state: &AppState,
    caller: &Caller,
    id: CampaignId,
    format: &str,
) -> Result<Vec<ResultRow>, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    campaigns::by_id(&mut tx, id).await?.ok_or_else(|| Problem::not_found("campaign", id))?;
    let rows = results::of_campaign(&mut tx, id).await?;
    record_export(&mut tx, caller, id, json!({"format": format, "rows": rows.len()})).await?;
    tx.commit().await?;
    Ok(rows)
}

/// `body`: in which form, and how much.
pub(super) async fn record_export(
    conn: &mut PgConnection,
    caller: &Caller,
    id: CampaignId,
    body: Value,
) -> Result<(), Problem> {
    let event = NewEvent {
        kind: "ResultsExported",
        subject: "campaign",
        subject_id: id.to_string(),
        campaign_id: Some(id),
        actor: caller.id(),
        body,
    };
    events::append(conn, &event).await?;
    Ok(())
}

/// The same columns as the CSV has.
pub(super) fn as_parquet_bytes(rows: &[ResultRow]) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    parquet_bytes(&table(rows)?)
}

fn table(rows: &[ResultRow]) -> Result<RecordBatch, ArrowError> {
    let text = |of: fn(&ResultRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let number = |of: fn(&ResultRow) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let whole = |of: fn(&ResultRow) -> Option<u32>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<UInt32Array>())
    };
    let hit: ArrayRef = Arc::new(rows.iter().map(|row| row.hit).collect::<BooleanArray>());
    RecordBatch::try_from_iter_with_nullable([
        ("round", whole(|row| Some(row.round)), false),
        ("perturbation", text(|row| Some(&row.perturbation)), false),
        ("context", text(|row| Some(&row.context)), false),
        ("readout", text(|row| Some(&row.readout)), false),
        ("value", number(|row| Some(row.value)), false),
        ("sem", number(|row| row.sem), true),
        ("replicates", whole(|row| Some(row.replicates)), false),
        ("hit", hit, true),
        ("predicted_mean", number(|row| row.predicted_mean), true),
        ("predicted_sd", number(|row| row.predicted_sd), true),
        ("hit_probability", number(|row| row.hit_probability), true),
        ("reason", text(|row| Some(&row.reason)), false),
        ("proposal_id", text(|row| Some(&row.proposal_id)), false),
        ("batch_id", text(|row| Some(&row.batch_id)), false),
        ("approved_by", text(|row| Some(&row.approved_by)), false),
        ("frozen_hash", text(|row| row.frozen_hash.as_deref()), true),
        ("plate_barcode", text(|row| Some(&row.plate_barcode)), false),
        ("plate_generation", whole(|row| Some(row.plate_generation)), false),
        ("plate_state", text(|row| Some(&row.plate_state)), false),
        ("z_prime", number(|row| row.z_prime), true),
        ("raw_sha256", text(|row| row.raw_sha256.as_deref()), true),
        ("model_version", whole(|row| row.model_version), true),
        ("checkpoint_sha256", text(|row| row.checkpoint_sha256.as_deref()), true),
    ])
}

fn parquet_bytes(table: &RecordBatch) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, table.schema(), Some(properties))?;
    writer.write(table)?;
    writer.close()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ResultRow {
        ResultRow {
            round: 1,
            perturbation: "A+B".into(),
            context: "D1".into(),
            readout: "signal".into(),
            value: 0.5,
            sem: None,
            replicates: 2,
            hit: Some(true),
            predicted_mean: Some(0.25),
            predicted_sd: Some(0.125),
            hit_probability: None,
            reason: "because".into(),
            proposal_id: "p".into(),
            batch_id: "b".into(),
            approved_by: "x;y".into(),
            frozen_hash: None,
            plate_barcode: "ASY-1".into(),
            plate_generation: 1,
            plate_state: "passed".into(),
            z_prime: Some(0.8),
            raw_sha256: None,
            model_version: Some(1),
            checkpoint_sha256: None,
        }
    }

    #[test]
    fn the_parquet_table_has_a_column_for_each_of_the_csv() {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row()).expect("a row is a record");
        let text = String::from_utf8(writer.into_inner().expect("kept in memory")).expect("text");
        let headings: Vec<&str> = text.lines().next().expect("a heading").split(',').collect();
        let table = table(&[row()]).expect("columns of one length");
        let columns: Vec<String> = table.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(headings, columns);
        assert!(!parquet_bytes(&table).expect("writable").is_empty());
    }
}
