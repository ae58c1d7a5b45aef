//! Jobs of each sort for the tests, and what a worker does with them.

use chrono::{DateTime, Duration as LabDuration, TimeZone, Utc};
use jobs::wire::{Lease, LeaseSummary, Report};
use jobs::work::physical::{
    Dispense, DispenseResult, Incubate, IncubateResult, Location, Manual, PlateRef, Read, ReadResult,
};
use jobs::work::{Outcome, Output};
use jobs::{Digest, Failure, FailureClass, JobId, LeaseToken, Work};
use orchestrator::ids::ActorId;
use orchestrator::queue::{Reporter, Starter, Wakeups};
use orchestrator::store::clock;
use orchestrator::store::jobs::{
    self as store, Authority, Consequences, Dependency, NewJob, Reported, Wanted,
};
use orchestrator::store::tokens::{self, ActorKind};
use sqlx::PgPool;
use std::time::Duration;

pub const LEASE: Duration = Duration::from_secs(60);

/// When laboratory time stands still in these tests.
pub fn monday() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 8, 0, 0).single().expect("a real instant")
}

pub fn hours(hours: i64) -> LabDuration {
    LabDuration::hours(hours)
}

pub fn plate() -> PlateRef {
    PlateRef { barcode: "P1".to_owned(), labware: "corning_384_wellplate_112ul_flat".to_owned() }
}

/// Not repeatable.
pub fn dispense() -> Work {
    Work::Dispense(Dispense { deck: Vec::new(), tip_rack_slots: Vec::new(), transfers: Vec::new() })
}

/// Repeatable.
pub fn read() -> Work {
    let at = Location { device: "reader-1".to_owned(), slot: "1".to_owned() };
    Work::Read(Read { plate: plate(), at, channels: vec!["signal".to_owned()] })
}

pub fn incubate() -> Work {
    let at = Location { device: "incubator-1".to_owned(), slot: "1".to_owned() };
    Work::Incubate(Incubate { plate: plate(), at, temperature_celsius: 37.0, co2_percent: 5.0, hours: 72.0 })
}

pub fn seal() -> Work {
    Work::Manual(Manual { instruction: "Seal it.".to_owned(), plates: vec![plate()] })
}

pub fn output(work: &Work) -> Output {
    match work {
        Work::Dispense(_) => Output::Dispense(DispenseResult {
            transfers: Vec::new(),
            device_run_id: "run-1".to_owned(),
            recovered_from_error: false,
            raw: Digest::of(b"run-1"),
        }),
        Work::Incubate(_) => {
            Output::Incubate(IncubateResult { started_at: monday(), temperature_celsius: 37.0 })
        }
        _ => Output::Read(ReadResult {
            raw: Digest::of(b"csv"),
            format: "plate_csv".to_owned(),
            original: None,
        }),
    }
}

pub fn succeeded(work: &Work) -> Outcome {
    Outcome::Succeeded { output: Box::new(output(work)) }
}

pub fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed { failure: Failure::new(class, "test.failed", "It did not work.") }
}

pub fn unknown() -> Outcome {
    Outcome::Unknown {
        failure: Failure::new(FailureClass::NeedsPerson, "test.unknown", "The power was cut."),
    }
}

pub fn stopped() -> Outcome {
    Outcome::Stopped { note: "after transfer 3".to_owned() }
}

/// A laboratory whose time stands still at [`monday`], with one worker.
pub struct Lab {
    pub pool: PgPool,
    /// Takes reports as the service does.
    pub reporter: Reporter,
    /// Takes starts as the service does.
    pub starter: Starter,
    pub worker: ActorId,
}

impl Lab {
    pub async fn new(pool: PgPool) -> Self {
        let mut conn = pool.acquire().await.expect("a connection");
        clock::set_jumping(&mut conn, monday()).await.expect("the clock stands");
        let worker = tokens::actor(&mut conn, "agent-1", ActorKind::Agent).await.expect("an actor");
        drop(conn);
        let reporter = Reporter::new(pool.clone(), Wakeups::default());
        let starter = Starter::new(pool.clone(), LEASE);
        Self { pool, reporter, starter, worker }
    }

    pub async fn conn(&self) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
        self.pool.acquire().await.expect("a connection")
    }

    pub async fn create(&self, job: NewJob) -> JobId {
        let mut tx = orchestrator::store::begin_on(&self.pool).await.expect("a transaction");
        let created = store::create(&mut tx, &job).await.expect("a job");
        tx.commit().await.expect("a commit");
        created.job_id()
    }

    /// A job that waits for others to succeed.
    pub async fn after(&self, work: Work, upstream: &[JobId]) -> JobId {
        let dependencies = upstream.iter().copied().map(Dependency::success).collect();
        self.create(NewJob { dependencies, ..NewJob::new(work) }).await
    }

    pub async fn state(&self, job: JobId) -> String {
        let state = store::state_of(&mut *self.conn().await, job).await.expect("a look");
        state.expect("the job exists").as_str().to_owned()
    }

    /// Leases whatever is next on the bench.
    pub async fn lease(&self) -> Option<Lease> {
        let wanted = Wanted {
            queue: "bench".to_owned(),
            capabilities: ["dispense.liquid", "incubate.plate", "read.plate"].map(str::to_owned).to_vec(),
            instrument: None,
        };
        let mut leased =
            store::lease(&mut *self.conn().await, &wanted, &[self.worker], LEASE).await.expect("a lease");
        leased.pop().map(|leased| leased.lease)
    }

    pub async fn start(&self, lease: &Lease) {
        let answer = self.starter.start(lease.job_id, lease.lease_token).await;
        assert!(matches!(answer, Ok(Authority::Held(_))), "{answer:?}");
    }

    /// A job that is running, and its lease.
    pub async fn running(&self, work: Work) -> Lease {
        let job = self.create(NewJob::new(work)).await;
        let lease = self.lease().await.expect("work");
        assert_eq!(lease.job_id, job);
        self.start(&lease).await;
        lease
    }

    pub async fn report(&self, job: JobId, lease_token: LeaseToken, outcome: Outcome) -> Reported {
        let report = Report { lease_token, outcome, lease: None };
        self.reporter.report(job, self.worker, &report).await.expect("a report")
    }

    /// The report of `job` under a lease that another life of the database had given.
    pub async fn report_of_lost_life(&self, job: JobId, work: &Work) -> Reported {
        let lease_token = LeaseToken::fresh();
        self.report_with_lease(job, lease_token, work, succeeded(work)).await
    }

    /// With what the worker remembers of its lease.
    pub async fn report_with_lease(
        &self,
        job: JobId,
        lease_token: LeaseToken,
        work: &Work,
        outcome: Outcome,
    ) -> Reported {
        let summary = LeaseSummary {
            attempt: 1,
            instrument: Some("handler-1".to_owned()),
            begun: true,
            work: work.clone(),
        };
        let report = Report { lease_token, outcome, lease: Some(Box::new(summary)) };
        self.reporter.report(job, self.worker, &report).await.expect("a report")
    }

    /// Lets the lease of `job` run out and takes it back.
    pub async fn expire(&self, job: JobId) -> Consequences {
        let mut conn = self.conn().await;
        sqlx::query("update lease set expires_at = now() - interval '1 second' where job_id = $1")
            .bind(job.0)
            .execute(&mut *conn)
            .await
            .expect("an update");
        store::reap(&mut conn, 100).await.expect("a reaper")
    }

    pub async fn jump(&self, to: DateTime<Utc>) {
        clock::jump_to(&mut *self.conn().await, to).await.expect("a jump");
    }

    pub async fn promote(&self) -> Consequences {
        store::promote(&mut *self.conn().await, 100).await.expect("a promotion")
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.expect("a count")
    }
}
