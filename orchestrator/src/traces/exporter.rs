//! Follows the sealed record, and tells the collector of what has ended.

use super::otlp;
use super::settings::Settings;
use super::span::{Span, of_job};
use crate::store::traces::{self, Happened};
use anyhow::Context;
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_secs(2);
/// After a failure; the cursor waits.
const LATER: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);
const BATCH: i64 = 500;

/// Tells one collector.
pub struct Exporter {
    pool: PgPool,
    settings: Settings,
    http: reqwest::Client,
}

/// Tells until `shutdown`. Every replica runs it: two that tell the same tell it under the same ids.
pub async fn run(exporter: Exporter, shutdown: CancellationToken) {
    loop {
        let pause = match exporter.turn().await {
            Ok(0) => PERIOD,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::warn!("traces were not told and will be told later: {error:#}");
                LATER
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Exporter {
    pub fn new(pool: PgPool, settings: Settings) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .default_headers(settings.headers())
            .build()
            .context("cannot set TLS up for traces")?;
        Ok(Self { pool, settings, http })
    }

    /// One turn. Answers how many events it went on by; 0 when it has caught up. The first one ever begins at the head:
    /// what was before is not told.
    pub async fn turn(&self) -> anyhow::Result<usize> {
        let mut conn = self.pool.acquire().await?;
        let from = traces::cursor(&mut conn).await?;
        let happened = traces::happened_after(&mut conn, from, BATCH).await?;
        let Some(last) = happened.last() else { return Ok(0) };
        let to = last.position;
        let mut spans = Vec::new();
        for one in &happened {
            spans.extend(ended_with(&mut conn, one).await?);
        }
        // No connection is held while the collector is told.
        drop(conn);
        if !spans.is_empty() {
            let body = otlp::body(&self.settings.service_name, &spans);
            let sent = self.http.post(self.settings.endpoint.clone()).json(&body).send().await;
            // The address may hold a secret.
            let answer = sent.map_err(reqwest::Error::without_url)?;
            answer.error_for_status().map_err(reqwest::Error::without_url)?;
        }
        traces::advance(&mut *self.pool.acquire().await?, from, to).await?;
        Ok(happened.len())
    }
}

/// What an event ended.
async fn ended_with(conn: &mut sqlx::PgConnection, one: &Happened) -> anyhow::Result<Vec<Span>> {
    let Ok(id) = uuid::Uuid::parse_str(&one.subject_id) else { return Ok(Vec::new()) };
    Ok(match one.subject.as_str() {
        "round" => {
            let stages = traces::stages_left(conn, id, one.happened_at).await?;
            let round = traces::round_ended(conn, id, one.happened_at).await?;
            stages.into_iter().map(Span::from).chain(round.map(Span::from)).collect()
        }
        "plate" => {
            traces::plate_ended(conn, id, one.happened_at).await?.map(Span::from).into_iter().collect()
        }
        "job" => traces::job_ended(conn, id).await?.map(of_job).unwrap_or_default(),
        _ => Vec::new(),
    })
}
