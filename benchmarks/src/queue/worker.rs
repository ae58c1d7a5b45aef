//! One worker: the requests of an agent, as it sends them.

use super::workers::{Crew, Done, Given, Way};
use crate::http::Connection;
use anyhow::{Context, bail};
use jobs::CONTRACT_VERSION;
use jobs::wire::LeaseRequest;
use jobs::work::physical::{Arrival, Location, MoveResult};
use jobs::work::{Kind, Outcome, Output};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

const LEASES: &str = "/api/v1/leases";

/// What a worker says, as JSON.
#[derive(Clone, Debug)]
pub struct Asks {
    first: String,
    next: String,
    outcome: String,
    leaves_waiting: bool,
}

impl Asks {
    /// Of the worker with this number in its crew.
    pub fn of(crew: &Crew, number: usize) -> anyhow::Result<Self> {
        let stagger = u32::try_from(number)? % crew.wait_seconds.max(1);
        let instrument = crew.own_instruments.then(|| instrument(number));
        Ok(Self {
            first: serde_json::to_string(&lease_request(1 + stagger, instrument.clone()))?,
            next: serde_json::to_string(&lease_request(crew.wait_seconds, instrument))?,
            outcome: serde_json::to_string(&outcome())?,
            leaves_waiting: crew.leaves_waiting,
        })
    }
}

/// The instrument that a worker stands beside.
pub fn instrument(number: usize) -> String {
    format!("bench-{number}")
}

/// For any job of the capability that is addressed to no instrument, or to this one.
fn lease_request(wait_seconds: u32, instrument: Option<String>) -> LeaseRequest {
    LeaseRequest {
        contract_version: CONTRACT_VERSION,
        queue: Kind::Move.queue().to_owned(),
        capabilities: vec![Kind::Move.capability().to_owned()],
        instrument,
        wait_seconds,
        epoch: None,
        hears_orders: false,
    }
}

/// Of [`super::ground::work`].
fn outcome() -> Outcome {
    let at = Location { device: "reader".to_owned(), slot: "A1".to_owned() };
    let arrived = vec![Arrival { barcode: "BENCH-0001".to_owned(), at }];
    Outcome::Succeeded { output: Box::new(Output::Move(MoveResult { arrived })) }
}

/// What a worker reads of a lease.
#[derive(Debug, Deserialize)]
struct LeaseWords {
    job_id: Uuid,
    lease_token: Uuid,
    attempt: u32,
}

impl LeaseWords {
    fn given(self) -> Given {
        Given {
            job_id: self.job_id,
            lease_token: self.lease_token,
            attempt: self.attempt,
            at: Instant::now(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct ReportWords<'a> {
    disposition: &'a str,
    next: Option<LeaseWords>,
}

#[derive(Debug)]
pub struct Worker {
    connection: Connection,
    way: Way,
    starts: bool,
    asks: Asks,
    done: Arc<Done>,
}

impl Worker {
    pub fn new(connection: Connection, way: Way, starts: bool, asks: Asks, done: Arc<Done>) -> Self {
        Self { connection, way, starts, asks, done }
    }

    /// Works until it is told to stop, and then reports what it has in hand.
    pub async fn work(mut self) -> anyhow::Result<()> {
        let first = self.asks.first.clone();
        let mut held = self.lease(&first).await?;
        let next = self.asks.next.clone();
        loop {
            let stops = self.done.stop.is_cancelled();
            held = match held {
                None if stops => return Ok(()),
                None => self.lease(&next).await?,
                Some(given) => {
                    if self.starts {
                        self.start(given).await?;
                    }
                    let next = (self.way == Way::Together && !stops).then_some(next.as_str());
                    self.report(given, next).await?
                }
            };
        }
    }

    /// `None`: there is nothing to do.
    async fn lease(&mut self, ask: &str) -> anyhow::Result<Option<Given>> {
        let stop = self.done.stop.clone();
        let (status, body) = tokio::select! {
            biased;
            answer = self.connection.post(LEASES, ask) => answer?,
            () = stop.cancelled(), if self.asks.leaves_waiting => return Ok(None),
        };
        match status {
            200 => {
                let given = serde_json::from_slice::<LeaseWords>(body).context("not a lease")?.given();
                self.done.was_given(given);
                Ok(Some(given))
            }
            204 => Ok(None),
            _ => bail!("a request for work was answered {status}: {}", String::from_utf8_lossy(body)),
        }
    }

    async fn start(&mut self, given: Given) -> anyhow::Result<()> {
        let path = format!("/api/v1/jobs/{}/start", given.job_id);
        let body = format!(r#"{{"lease_token":"{}"}}"#, given.lease_token);
        match self.connection.post(&path, &body).await? {
            (200, _) => Ok(()),
            (status, body) => bail!("a start was answered {status}: {}", String::from_utf8_lossy(body)),
        }
    }

    /// Reports, and asks for the next job when `next` says how.
    async fn report(&mut self, given: Given, next: Option<&str>) -> anyhow::Result<Option<Given>> {
        let path = format!("/api/v1/jobs/{}/report", given.job_id);
        let (token, outcome) = (given.lease_token, &self.asks.outcome);
        let body = match next {
            Some(next) => format!(r#"{{"lease_token":"{token}","outcome":{outcome},"next":{next}}}"#),
            None => format!(r#"{{"lease_token":"{token}","outcome":{outcome}}}"#),
        };
        let (status, body) = self.connection.post(&path, &body).await?;
        if status != 200 {
            bail!("a report was answered {status}: {}", String::from_utf8_lossy(body));
        }
        let words: ReportWords = serde_json::from_slice(body).context("not the answer to a report")?;
        if words.disposition != "accepted" {
            bail!("the report of job {} was answered {}", given.job_id, words.disposition);
        }
        self.done.has_reported();
        let given = words.next.map(LeaseWords::given);
        if let Some(given) = given {
            self.done.was_given(given);
        }
        Ok(given)
    }
}

/// Whether the service that has a job ready at `address` answers a report with the next job.
pub async fn answers_with_next(address: SocketAddr, token: &str) -> anyhow::Result<bool> {
    let mut connection = Connection::open(address, token).await?;
    let ask = serde_json::to_string(&lease_request(5, None))?;
    let (status, body) = connection.post(LEASES, &ask).await?;
    if status != 200 {
        bail!("a request for work was answered {status}: {}", String::from_utf8_lossy(body));
    }
    let given = serde_json::from_slice::<LeaseWords>(body)?;
    let outcome = serde_json::to_string(&outcome())?;
    let report = format!(r#"{{"lease_token":"{}","outcome":{outcome},"next":{ask}}}"#, given.lease_token);
    let (_, body) = connection.post(&format!("/api/v1/jobs/{}/report", given.job_id), &report).await?;
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    Ok(answer.get("next").is_some())
}
