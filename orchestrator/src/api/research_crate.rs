//! A whole campaign as a file to keep, publish and cite: an RO-Crate, zipped while it is sent.
//!
//! Nothing large is held: tables are read plate by plate, raw files come in pieces, and whoever takes no more for a
//! while is given up.

use super::access::{Access, Caller, Routes};
use super::extract::{Path, Query};
use super::problem::Problem;
use super::results;
use super::state::AppState;
use super::unfinished::Begun;
use crate::campaigns::research_crate::{self as content, metadata, raw_path};
use crate::ids::CampaignId;
use crate::store::dossier::{self, Dossier};
use crate::store::results::{ResultRow, of_campaign};
use crate::store::tokens::Scope;
use anyhow::Context;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use utoipa::IntoParams;
use utoipa_axum::routes;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// Whoever takes nothing for this long is not there any more.
const TAKES_NOTHING: Duration = Duration::from_secs(60);

/// The same of the blob store.
const GIVES_NOTHING: Duration = Duration::from_secs(60);

/// Until a whole crate is sent; as long as the command line waits.
const LONGEST: Duration = Duration::from_secs(3600);

/// Longest URL of a licence.
const LICENCE_LIMIT: usize = 300;

pub(super) fn routes() -> Routes {
    Routes::new().slow_route(Access::AnyOf(&[Scope::Read]), routes!(get))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Terms {
    /// URL of the licence under which others may use it, e.g. `https://creativecommons.org/licenses/by/4.0/`. Without
    /// one the crate says that none was stated.
    licence: Option<String>,
}

/// The campaign as an RO-Crate 1.1, zipped: its file in every edition, proposals, approvals, plate maps, readings, raw
/// files, results and model versions, with a description of what is what and who did what.
#[utoipa::path(get, path = "/campaigns/{id}/crate.zip", tag = "results", params(("id" = CampaignId, Path), Terms),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>),
        (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem, description = "others are being sent: try again soon")))]
async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<CampaignId>,
    Query(terms): Query<Terms>,
) -> Result<Response, Problem> {
    let licence = terms.licence.map(checked).transpose()?;
    let Ok(permit) = state.crate_places.clone().try_acquire_owned() else {
        let detail = "Other campaigns are being sent just now. Try again in half a minute.";
        return Err(Problem::retry_after(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "crate.busy",
            detail,
            30,
        ));
    };
    let mut tx = Begun::on(&state.pool).await?;
    let dossier = dossier::read(&mut tx, id).await?.ok_or_else(|| Problem::not_found("campaign", id))?;
    let rows = of_campaign(&mut tx, id).await?;
    let body = json!({"format": "crate", "rows": rows.len(), "raw_files": dossier.raw_files.len()});
    results::record_export(&mut tx, &caller, id, body).await?;
    tx.commit().await?;
    // As RFC 6266 has it: names may be in any script.
    let name = format!("attachment; filename*=UTF-8''{}.crate.zip", percent_encoded(&dossier.campaign.name));
    let (out, taken) = mpsc::channel(4);
    tokio::spawn(async move {
        let _permit = permit;
        let packing = pack(&state, &dossier, &rows, licence.as_deref(), Packer::new(out));
        let packed = tokio::time::timeout(LONGEST, packing).await;
        if let Err(error) = packed.context("it took too long").and_then(|packed| packed) {
            tracing::warn!(campaign = %id, error = format!("{error:#}"), "a research crate broke off");
        }
    });
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(whole(taken))).into_response())
}

/// The pieces as they come. It ends in an error unless the packer says that this was all, so that nobody takes half a
/// crate for a whole one.
fn whole(taken: mpsc::Receiver<Piece>) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(Some(taken), |taken| async move {
        let mut taken = taken?;
        match taken.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(taken))),
            Some(Piece::End) => None,
            None => Some((Err(std::io::Error::other("the crate broke off")), None)),
        }
    })
}

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    /// This was all.
    End,
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn checked(licence: String) -> Result<String, Problem> {
    let is_url = reqwest::Url::parse(&licence).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_url && licence.len() <= LICENCE_LIMIT {
        return Ok(licence);
    }
    let detail = format!(
        "A licence is named by its URL (https://.., at most {LICENCE_LIMIT} characters), e.g. \
         https://creativecommons.org/licenses/by/4.0/. Nothing was sent."
    );
    Err(Problem::unprocessable("crate.licence_invalid", detail))
}

async fn pack(
    state: &AppState,
    dossier: &Dossier,
    rows: &[ResultRow],
    licence: Option<&str>,
    mut packer: Packer,
) -> anyhow::Result<()> {
    let metadata = metadata(dossier, licence, Utc::now());
    packer.file("ro-crate-metadata.json", &serde_json::to_vec_pretty(&metadata)?).await?;
    for edition in &dossier.editions {
        packer.file(&content::edition_path(edition.number), edition.toml.as_bytes()).await?;
    }
    packer.file(content::RESULTS_CSV, &csv(rows, true)?).await?;
    packer.file(content::RESULTS_PARQUET, &results::as_parquet_bytes(rows)?).await?;
    packer.file(content::APPROVALS, &csv(&dossier.verdicts, true)?).await?;
    packer.file(content::ROUNDS, &serde_json::to_vec_pretty(&rounds(dossier))?).await?;
    packer.file(content::MODELS, &serde_json::to_vec_pretty(&models(dossier))?).await?;

    packer.begin(content::PROPOSALS).await?;
    let mut headed = false;
    for over in &dossier.rounds {
        let rows = dossier::proposals(&mut *state.pool.acquire().await?, &over.round).await?;
        packer.rows(&rows, &mut headed).await?;
    }
    packer.begin(content::WELLS).await?;
    headed = false;
    for (plate, barcode) in &dossier.plates {
        let rows = dossier::wells(&mut *state.pool.acquire().await?, *plate, barcode).await?;
        packer.rows(&rows, &mut headed).await?;
    }
    let described: BTreeSet<String> = dossier.raw_files.iter().map(|file| file.sha256.to_string()).collect();
    packer.begin(content::READINGS).await?;
    headed = false;
    for (plate, barcode) in &dossier.plates {
        let mut rows = dossier::readings(&mut *state.pool.acquire().await?, *plate, barcode).await?;
        // What was read since the description was made belongs to the next crate.
        rows.retain(|row| described.contains(&row.raw_sha256));
        packer.rows(&rows, &mut headed).await?;
    }

    let mut sent = BTreeSet::new();
    for file in &dossier.raw_files {
        let path = raw_path(file);
        if !sent.insert(path.clone()) {
            continue;
        }
        let bytes = state.blobs.stream(file.sha256).await?;
        let mut bytes = std::pin::pin!(bytes.with_context(|| format!("{path} is not in the blob store"))?);
        packer.begin(&path).await?;
        while let Some(piece) =
            tokio::time::timeout(GIVES_NOTHING, bytes.next()).await.context(path.clone())?
        {
            packer.write(piece?.to_vec()).await?;
        }
    }
    packer.finish().await
}

fn csv<R: Serialize>(rows: &[R], headed: bool) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(headed).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().map_err(|error| anyhow::anyhow!(error.error().to_string()))
}

fn rounds(dossier: &Dossier) -> serde_json::Value {
    let rounds = dossier.rounds.iter().map(|over| {
        let round = &over.round;
        json!({
            "number": round.number,
            "state": round.state,
            "edition": round.campaign_version,
            "seed": round.seed,
            "model_version": over.model,
            "model_because": round.model_because,
            "data_cut_sha256": round.data_cut,
            "due_lab_at": round.due_lab_at,
            "created_at": round.created_at,
            "closed_at": over.closed_at,
            "summary": round.summary,
        })
    });
    rounds.collect()
}

fn models(dossier: &Dossier) -> serde_json::Value {
    let models = dossier.models.iter().map(|model| {
        json!({
            "number": model.number,
            "state": model.state,
            "decided_because": model.decided_because,
            "code_version": model.code_version,
            "seed": model.seed,
            "data_cut_sha256": model.data_cut,
            "checkpoint_sha256": model.checkpoint,
            "metrics": model.metrics,
            "created_at": model.created_at,
        })
    });
    models.collect()
}

/// As zip files have it.
fn dos_time(at: DateTime<Utc>) -> zip::DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (month, day) = (small(at.month()), small(at.day()));
    let (hour, minute, second) = (small(at.hour()), small(at.minute()), small(at.second()));
    // Before 1980 there is none.
    zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

/// Where the zip's bytes lie until they are sent.
#[derive(Clone, Default)]
struct Tray(Arc<Mutex<Vec<u8>>>);

impl Tray {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Tray {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

type Zip = ZipWriter<StreamWriter<Tray>>;

/// Compresses on a thread for blocking work, a piece at a time.
struct Packer {
    /// The date that its files have.
    made_at: zip::DateTime,
    /// Away while a piece is being compressed.
    zip: Option<Zip>,
    tray: Tray,
    out: mpsc::Sender<Piece>,
}

impl Packer {
    fn new(out: mpsc::Sender<Piece>) -> Self {
        let tray = Tray::default();
        Self { made_at: dos_time(Utc::now()), zip: Some(ZipWriter::new_stream(tray.clone())), tray, out }
    }

    /// A whole file.
    async fn file(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.begin(path).await?;
        self.write(bytes.to_vec()).await
    }

    /// What is written next belongs to the file `path`.
    async fn begin(&mut self, path: &str) -> anyhow::Result<()> {
        let path = path.to_owned();
        // Its size is not known yet.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(true)
            .last_modified_time(self.made_at);
        self.work(move |zip| Ok(zip.start_file(path, options)?)).await
    }

    async fn write(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        self.work(move |zip| Ok(zip.write_all(&bytes)?)).await
    }

    /// With a heading before the first row.
    async fn rows<R: Serialize>(&mut self, rows: &[R], headed: &mut bool) -> anyhow::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let text = csv(rows, !*headed)?;
        *headed = true;
        self.write(text).await
    }

    async fn finish(&mut self) -> anyhow::Result<()> {
        let zip = self.zip.take().context("the crate was finished before")?;
        tokio::task::spawn_blocking(move || zip.finish()).await??;
        self.send().await?;
        self.hand_over(Piece::End).await
    }

    async fn work(
        &mut self,
        step: impl FnOnce(&mut Zip) -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let mut zip = self.zip.take().context("the crate was finished before")?;
        let (zip, done) = tokio::task::spawn_blocking(move || {
            let done = step(&mut zip);
            (zip, done)
        })
        .await?;
        self.zip = Some(zip);
        done?;
        self.send().await
    }

    async fn send(&self) -> anyhow::Result<()> {
        let bytes = self.tray.take();
        if bytes.is_empty() {
            return Ok(());
        }
        self.hand_over(Piece::Bytes(bytes.into())).await
    }

    async fn hand_over(&self, piece: Piece) -> anyhow::Result<()> {
        match tokio::time::timeout(TAKES_NOTHING, self.out.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => anyhow::bail!("whoever asked has gone"),
            Err(_) => anyhow::bail!("whoever asked takes nothing any more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_say_that_it_was_all_ends_in_an_error() {
        for says_so in [true, false] {
            let (out, taken) = mpsc::channel(4);
            for piece in ["half", "a", "crate"] {
                out.try_send(Piece::Bytes(piece.into())).expect("room");
            }
            if says_so {
                out.try_send(Piece::End).expect("room");
            }
            drop(out);
            let came: Vec<_> = whole(taken).collect().await;
            assert_eq!(came.last().is_some_and(Result::is_ok), says_so);
            assert_eq!(came.iter().filter(|piece| piece.is_ok()).count(), 3);
        }
    }
}
