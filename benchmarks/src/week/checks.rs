//! Whether it was right: nothing lost, nothing twice, no answer that is the service's fault.

use crate::http::Connection;
use crate::laboratory::ground::Ground;
use anyhow::{Context, bail};
use serde::Serialize;

/// Answers of the service, and failures of its loops.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Requests {
    pub answered: u64,
    /// 4xx.
    pub refused: u64,
    /// 5xx.
    pub failed: u64,
    pub engine_errors: u64,
}

/// Everything that must be as asked.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Found {
    pub designs: i64,
    pub measured: i64,
    pub given_up: i64,
    pub jobs: i64,
    pub succeeded: i64,
    /// Jobs whose number of outcomes, or of reports that were taken, is not one.
    pub not_once: i64,
    /// Designs whose readings, of duplicates, are not two.
    pub not_read_twice: i64,
    pub log_lines: usize,
    #[serde(flatten)]
    pub requests: Requests,
    asked: usize,
}

pub async fn requests(ground: &Ground) -> anyhow::Result<Requests> {
    let mut connection = Connection::open(ground.service.address, &ground.reader).await?;
    let (status, body) = connection.get("/metrics").await?;
    if status != 200 {
        bail!("metrics were answered {status}");
    }
    let mut requests = Requests::default();
    for line in std::str::from_utf8(body)?.lines() {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let value = || value.parse::<f64>().map(|value| value as u64).context("not a metric");
        if name.contains("http_requests_total{") {
            requests.answered += value()?;
            requests.refused += if name.contains("status=\"4") { value()? } else { 0 };
            requests.failed += if name.contains("status=\"5") { value()? } else { 0 };
        } else if name.contains("engine_errors_total{") {
            requests.engine_errors += value()?;
        }
    }
    Ok(requests)
}

pub async fn checked(ground: &Ground, asked: usize, requests: &Requests) -> anyhow::Result<Found> {
    let (designs, measured, given_up): (i64, i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where fate = 'measured'), count(*) filter (where fate = 'given_up')
         from proposal
         where status = 'selected'",
    )
    .fetch_one(&ground.pool)
    .await?;
    let (jobs, succeeded, not_once): (i64, i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where job_outcome.state = 'succeeded'),
             count(*) filter (where job_outcome.job_id is null or taken.reports is distinct from 1)
         from job
         left join job_outcome on job_outcome.job_id = job.id
         left join (
             select job_id, count(*) as reports from job_report where disposition = 'accepted' group by job_id
         ) as taken on taken.job_id = job.id",
    )
    .fetch_one(&ground.pool)
    .await?;
    let not_read_twice: i64 = sqlx::query_scalar(
        "select count(*)
         from (
             select proposal.id
             from proposal
             left join well on well.proposal_id = proposal.id
             left join reading on reading.plate_id = well.plate_id and reading.well = well.well
             where proposal.status = 'selected'
             group by proposal.id
             having count(reading.well) <> 2
         ) as other",
    )
    .fetch_one(&ground.pool)
    .await?;
    let log_lines = ground.log()?.lines().count();
    let requests = *requests;
    Ok(Found {
        designs,
        measured,
        given_up,
        jobs,
        succeeded,
        not_once,
        not_read_twice,
        log_lines,
        requests,
        asked,
    })
}

impl Found {
    pub fn in_words(&self) -> String {
        let Self { designs, measured, given_up, jobs, succeeded, log_lines, requests, .. } = self;
        format!(
            "{designs} designs: {measured} measured, {given_up} given up with a reason; {jobs} jobs, each with one \
             outcome, {succeeded} succeeded; {} requests answered, {} of them 4xx, {} 5xx; {} failed steps of the \
             engine, {log_lines} warnings in the log",
            requests.answered, requests.refused, requests.failed, requests.engine_errors
        )
    }

    pub fn ensure_right(&self) -> anyhow::Result<()> {
        if usize::try_from(self.designs)? != self.asked || self.measured + self.given_up != self.designs {
            bail!("not every design of {} has its fate", self.asked);
        }
        if self.not_once > 0 {
            bail!("{} jobs do not have exactly one outcome", self.not_once);
        }
        if self.not_read_twice > 0 && self.given_up == 0 {
            bail!("{} designs were not read in both of their wells", self.not_read_twice);
        }
        if self.requests.failed > 0 {
            bail!("{} requests were answered 5xx", self.requests.failed);
        }
        Ok(())
    }
}
