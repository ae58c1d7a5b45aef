//! The words spoken over HTTP between a worker and the server. All bodies are JSON.
//!
//! | request | answers |
//! |---|---|
//! | `POST /api/v1/leases` [`LeaseRequest`] | 200 [`Lease`]; 204 nothing to do within the wait, or a stop ended it ([`ORDERS_HEADER`]); 426 contract too old |
//! | `POST /api/v1/jobs/{id}/start` [`Authority`] | 200 [`HeartbeatAnswer`]; 409 authority lost |
//! | `POST /api/v1/jobs/{id}/heartbeat` [`Heartbeat`] | 200 [`HeartbeatAnswer`]; 409 authority lost |
//! | `POST /api/v1/jobs/{id}/release` [`Authority`] | 204; 409 authority lost |
//! | `POST /api/v1/jobs/{id}/report` [`Report`] or [`ReportAndNext`] | 200 [`ReportAnswer`] or [`ReportedAndNext`], always, for a job that exists or whose lease it tells |
//! | `POST /api/v1/reconciliations/{epoch}/reconciled` [`Reconciled`] | 200 [`ReconciledAnswer`]; 409 another life, or work in hand that it does not know |
//! | `POST /api/v1/orders` [`OrdersRequest`] | 200 [`Orders`], at once when they differ from what the worker knows; 404 an older server |
//! | `PUT /api/v1/blobs/{sha256}` bytes | 201 stored, 200 had it already; 422 content does not match its name |
//! | `GET /api/v1/blobs/{sha256}` | 200 bytes; 404 |
//! | `POST /api/v1/uploads` [`NewUpload`] | 201 [`UploadState`]: go on from there; 200 had it already |
//! | `PATCH /api/v1/uploads/{id}` bytes, [`UPLOAD_OFFSET_HEADER`] | 200 [`UploadState`]; 412 it stands elsewhere; 422 the whole does not match its name |
//!
//! 409 is for authority, never for testimony: a report is always taken, and the answer says what it did.
//!
//! Every answer names the server's epoch ([`crate::client::EPOCH_HEADER`]): which life of its database answers. In a
//! new one a worker first offers again what was acknowledged before, then says so, and only then is given
//! work (409 `lease.reconciling` until then).

use crate::blob::Digest;
use crate::id::{JobId, LeaseToken, StopId};
use crate::work::{Outcome, Work};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a part begins, in bytes from the start of the blob.
pub const UPLOAD_OFFSET_HEADER: &str = "upload-offset";

/// What an answer to `POST /api/v1/leases` says of orders, to whoever hears them there: an [`OrdersSeen`].
pub const ORDERS_HEADER: &str = "loopwright-orders";

/// A blob that is to be sent in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    pub sha256: Digest,
    pub size_bytes: u64,
    /// `application/octet-stream` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// How far an upload came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadState {
    /// Absent when the blob is stored: nothing is to be sent.
    pub id: Option<uuid::Uuid>,
    /// The next part begins here.
    pub received_bytes: u64,
    /// A part has at most so many bytes.
    pub largest_part_bytes: u64,
    /// The whole is there, and is what its name says.
    pub stored: bool,
}

/// A worker asks for one job it can do, and waits for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaseRequest {
    pub contract_version: u32,
    /// One queue: `learner`, `predict`, `bench` or `people`.
    pub queue: String,
    pub capabilities: Vec<String>,
    /// The device it stands beside: it is given that device's jobs and those addressed to none.
    pub instrument: Option<String>,
    /// How long the server may hold the request open, 0..=30.
    pub wait_seconds: u32,
    /// The life of the database that the worker has reconciled with; absent before its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// It knows of no stop and does not ask `/orders` while it waits: a stop of the laboratory ends the wait, and
    /// [`ORDERS_HEADER`] of the answer says so. In `POST /api/v1/leases` only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hears_orders: bool,
}

/// What there is to hear at `POST /api/v1/orders` for a worker that holds nothing and knows of no stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrdersSeen {
    /// Not said: the server is older, or cannot see it now. To be asked for.
    #[default]
    Unknown,
    /// Nothing, and the next lease request will hear of it when there is.
    Nothing,
    /// The laboratory is stopped: ask for the stop and confirm it.
    Stop,
}

impl OrdersSeen {
    /// As in [`ORDERS_HEADER`]; `None` is said by leaving it out.
    pub fn word(self) -> Option<&'static str> {
        match self {
            OrdersSeen::Unknown => None,
            OrdersSeen::Nothing => Some("nothing"),
            OrdersSeen::Stop => Some("stop"),
        }
    }

    /// Of the header's value; a word that is not known says nothing.
    pub fn of(word: Option<&str>) -> Self {
        let known = [OrdersSeen::Nothing, OrdersSeen::Stop];
        known.into_iter().find(|seen| seen.word() == word).unwrap_or_default()
    }
}

/// Authority over one job for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    pub job_id: JobId,
    pub lease_token: LeaseToken,
    /// 1 for the first.
    pub attempt: u32,
    /// Seconds of authority left; heartbeats renew it. Beat at a third of it.
    pub expires_in_seconds: u32,
    pub repeatable: bool,
    pub deadline_lab_at: Option<DateTime<Utc>>,
    pub work: Work,
}

/// The proof that each command carries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Authority {
    pub lease_token: LeaseToken,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    pub lease_token: LeaseToken,
    /// The last that is known, for people: `{"message": "transfer 12 of 40", "fraction": 0.3}`.
    pub progress: Option<Progress>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    pub message: String,
    /// 0..=1
    pub fraction: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
    pub expires_in_seconds: u32,
    /// Somebody asked to stop: go to the next safe point, then report `stopped`.
    pub stop_requested: bool,
}

/// Testimony: how the attempt ended. Sending it again changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    pub lease_token: LeaseToken,
    pub outcome: Outcome,
    /// What was leased: a server that lost the lease, or the job, learns from it what was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Box<LeaseSummary>>,
}

/// A lease as its worker remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaseSummary {
    pub attempt: u32,
    /// The device that it was done on.
    pub instrument: Option<String>,
    /// Whether anything physical may have happened.
    pub begun: bool,
    pub work: Work,
}

/// A worker has offered everything it has, to this life of the database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reconciled {
    pub instrument: Option<String>,
    /// Results that it still has and had offered, in this life or before.
    pub offered: u32,
    /// What it has begun and not ended.
    pub in_hand: Vec<InHand>,
}

/// Work that has begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InHand {
    pub job_id: JobId,
    pub lease_token: LeaseToken,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReconciledAnswer {
    /// Work is given out again.
    pub closed: bool,
    /// Instruments whose agents have not reconciled.
    pub waits_for: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportAnswer {
    pub disposition: Disposition,
}

/// A report, and the wish for the next job in the same request: one round trip less for each job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportAndNext {
    #[serde(flatten)]
    pub report: Report,
    /// Waits as long as it says; a worker that fears to lose the answer waits for 0 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<LeaseRequest>,
}

/// [`ReportAnswer`], with the next job if one was asked for and there was one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportedAndNext {
    pub disposition: Disposition,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Lease>,
}

/// What a report did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It settled the job.
    Accepted,
    /// The same report was taken before.
    AlreadyDone,
    /// Somebody decided meanwhile, or the token is an older one: kept as evidence, no state changed.
    KeptAsEvidence,
}

/// A worker asks whether it is to stop, says how it stands, and waits: a stop reaches it at once, not with the next
/// heartbeat. Naming the stop it knows of is its confirmation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrdersRequest {
    /// As in its lease requests.
    pub queue: String,
    pub instrument: Option<String>,
    /// What it holds; absent when it holds nothing.
    pub job: Option<JobInHand>,
    /// The laboratory's stop that it knows of.
    pub knows_stop: Option<StopId>,
    pub standing: Standing,
    /// For people: `"stopping: transfer 12 of 40"`.
    pub says: Option<String>,
    /// How long the server may hold the request open, 0..=30.
    pub wait_seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobInHand {
    pub job_id: JobId,
    pub lease_token: LeaseToken,
    /// It knows that somebody asked to stop this job.
    pub stop_known: bool,
}

/// How a worker stands towards a stop of the laboratory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It holds nothing, and begins nothing.
    Idle,
    /// It goes to the next safe point.
    Stopping,
    /// What it held has ended since.
    Stopped,
}

/// What a worker is to know; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Orders {
    /// The laboratory is stopped; absent when it is not.
    pub stop: Option<StopOrder>,
    /// Somebody asked to stop the job in hand.
    pub stop_job: bool,
}

/// A stop of the whole laboratory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StopOrder {
    pub id: StopId,
    pub reason: String,
    pub ordered_at: DateTime<Utc>,
}
