//! Leasing, doing, reporting: the workers' side, through the queue's own commands.

use super::{Laboratory, learner};
use jobs::wire::{Lease, Report};
use jobs::work::physical::{
    Arrival, DispenseResult, IncubateResult, ManualResult, MoveResult, ReadResult, TransferReport,
};
use jobs::work::{Kind, Outcome, Output};
use jobs::{Digest, Failure, FailureClass, JobId, Work};
use orchestrator::store;
use orchestrator::store::jobs::{Authority, Reported, Wanted};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

/// What goes wrong with the next job of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails for good, after it began.
    Fails(Kind),
    /// The worker cannot say what happened.
    Unknown(Kind),
}

impl Fault {
    fn kind(self) -> Kind {
        match self {
            Fault::Fails(kind) | Fault::Unknown(kind) => kind,
        }
    }
}

impl Laboratory {
    /// Leases one job, whichever is ready, does it and reports. `false`: nothing is ready.
    pub async fn work(&mut self) -> bool {
        let Some(lease) = self.lease_any().await else { return false };
        self.start(&lease).await;
        let outcome = self.carry_out(&lease.work).await;
        self.report(&lease, outcome).await;
        true
    }

    /// Works until a job of `kind` is ready, and leases that one without starting it.
    pub async fn work_until(&mut self, kind: Kind) -> Lease {
        for _ in 0..500 {
            self.settle().await;
            if let Some(lease) = self.lease(kind).await {
                return lease;
            }
            if !self.work().await && self.engine.jump().await.expect("a clock").is_none() {
                panic!("no {kind} becomes ready: {:#?}", self.progress().await);
            }
            self.promote().await;
        }
        panic!("no {kind} becomes ready: {:#?}", self.progress().await);
    }

    async fn lease_any(&self) -> Option<Lease> {
        for kind in Kind::ALL {
            if let Some(lease) = self.lease(kind).await {
                return Some(lease);
            }
        }
        None
    }

    pub async fn lease(&self, kind: Kind) -> Option<Lease> {
        let instrument = match kind {
            Kind::Dispense => Some("handler-1"),
            Kind::Move => Some("mover-1"),
            Kind::Incubate => Some("incubator-1"),
            Kind::Read => Some("reader-1"),
            Kind::Train | Kind::Propose | Kind::Predict | Kind::Screen | Kind::Manual => None,
        };
        let wanted = Wanted {
            queue: kind.queue().to_owned(),
            capabilities: vec![kind.capability().to_owned()],
            instrument: instrument.map(str::to_owned),
        };
        let mut conn = self.pool.acquire().await.expect("a connection");
        let leased = store::jobs::lease(&mut conn, &wanted, &[self.worker], LEASE).await.expect("leased");
        leased.into_iter().next().map(|leased| leased.lease)
    }

    pub async fn start(&self, lease: &Lease) {
        let mut conn = self.pool.acquire().await.expect("a connection");
        let started =
            store::jobs::start(&mut conn, lease.job_id, lease.lease_token, LEASE).await.expect("started");
        assert!(matches!(started, Authority::Held(_)), "{started:?}");
    }

    /// What a job asks for.
    pub async fn asked(&self, job: JobId) -> Work {
        let (kind, payload): (String, serde_json::Value) =
            sqlx::query_as("select kind, payload from job where id = $1")
                .bind(job.0)
                .fetch_one(&self.pool)
                .await
                .expect("a job");
        serde_json::from_value(serde_json::json!({"kind": kind, "payload": payload})).expect("work")
    }

    /// Does what the work says, in the world, unless a fault is due.
    pub async fn carry_out(&mut self, work: &Work) -> Outcome {
        if self.faults.front().is_some_and(|fault| fault.kind() == work.kind()) {
            let failure = |class, code: &str| Failure::new(class, code, "The test wanted it so.");
            return match self.faults.pop_front() {
                Some(Fault::Unknown(_)) => {
                    Outcome::Unknown { failure: failure(FailureClass::NeedsPerson, "test.unknown") }
                }
                _ => Outcome::Failed { failure: failure(FailureClass::Permanent, "test.failed") },
            };
        }
        let output = match work {
            Work::Train(job) => learner::train(&self.engine, self.worker, job).await,
            Work::Propose(job) => learner::propose(&self.engine, self.worker, job).await,
            Work::Dispense(job) => {
                self.world.dispense(job);
                let transfers = (0..).zip(&job.transfers);
                Output::Dispense(DispenseResult {
                    transfers: transfers
                        .map(|(index, t)| TransferReport { index, actual_nl: Some(t.volume_nl), error: None })
                        .collect(),
                    device_run_id: "run".into(),
                    recovered_from_error: false,
                    raw: self.blob("the device's record").await,
                })
            }
            Work::Move(job) => {
                self.world.carry(job);
                let arrived = job
                    .moves
                    .iter()
                    .map(|m| Arrival { barcode: m.plate.barcode.clone(), at: m.to.clone() })
                    .collect();
                Output::Move(MoveResult { arrived })
            }
            Work::Incubate(job) => Output::Incubate(IncubateResult {
                started_at: self.lab_now().await,
                temperature_celsius: job.temperature_celsius,
            }),
            Work::Read(job) => {
                let file = self.world.read(job);
                Output::Read(ReadResult {
                    raw: self.blob(&file).await,
                    format: "plate_csv".into(),
                    original: None,
                })
            }
            Work::Manual(_) => Output::Manual(ManualResult { note: "done".into() }),
            Work::Predict(_) | Work::Screen(_) => panic!("nobody asks the model here"),
        };
        Outcome::Succeeded { output: Box::new(output) }
    }

    pub async fn report(&self, lease: &Lease, outcome: Outcome) {
        let report = Report { lease_token: lease.lease_token, outcome, lease: None };
        let mut conn = self.pool.acquire().await.expect("a connection");
        let reported =
            store::jobs::report(&mut conn, lease.job_id, self.worker, &report).await.expect("reported");
        assert!(matches!(reported, Reported::Taken(..)), "{reported:?}");
    }

    pub async fn in_doubt(&self) -> Vec<JobId> {
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar("select job_id from job_in_doubt")
            .fetch_all(&self.pool)
            .await
            .expect("jobs in doubt");
        ids.into_iter().map(JobId).collect()
    }

    async fn blob(&self, text: &str) -> Digest {
        let bytes = text.to_owned().into();
        self.engine.blobs.put_bytes(&self.pool, bytes, "text/plain", self.worker).await.expect("a blob")
    }
}
