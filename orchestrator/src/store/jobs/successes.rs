//! Reports of success under leases that hold, many in a few statements: what ends most attempts.
//!
//! What [`super::report`] does for one, in the same order of locks, for those whose token is the lease's and whose
//! output is of the job's kind. Every other report is left to it.

use super::dependents;
use super::settle::{Consequences, Ended, is_drawn};
use crate::ids::{ActorId, PlateId, RoundId};
use crate::steps::{self, Step};
use crate::store;
use crate::store::error::{Error, Result};
use crate::store::events::Origin;
use ::jobs::work::{Kind, Outcome, Output};
use ::jobs::{JobId, LeaseToken};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

/// A report of success, as it came.
#[derive(Clone, Debug)]
pub struct Success {
    pub job: JobId,
    pub token: LeaseToken,
    pub actor: ActorId,
    pub output: Box<Output>,
    /// From where it came, for the record.
    pub origin: Option<Origin>,
}

/// What became of several reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Those that settled their job, by their place in the question. The others changed nothing.
    pub places: Vec<usize>,
    pub consequences: Consequences,
}

/// Takes what can be taken of `successes`, all in one transaction.
pub async fn report_successes(conn: &mut PgConnection, successes: &[Success]) -> Result<Taken> {
    steps::before(Step::Report).await;
    let mut tx = store::begin(conn).await?;
    let ended = end_attempts(&mut tx, successes).await?;
    if ended.is_empty() {
        return Ok(Taken { places: Vec::new(), consequences: Consequences::default() });
    }
    let consequences = settle(&mut tx, successes, &ended).await?;
    steps::commit(tx, Step::Report).await?;
    Ok(Taken { places: ended.iter().map(|ended| ended.place).collect(), consequences })
}

/// An attempt that ended, with what its job's row says.
struct Attempt {
    place: usize,
    job: JobId,
    kind: Kind,
    campaign: Option<Uuid>,
    round: Option<RoundId>,
    plate: Option<PlateId>,
}

/// Takes the leases out, and writes down attempts and reports. Fenced on `(job_id, lease_token)` alone; in the order
/// of the jobs' ids.
async fn end_attempts(conn: &mut PgConnection, successes: &[Success]) -> Result<Vec<Attempt>> {
    let mut outcomes = Vec::with_capacity(successes.len());
    let mut digests = Vec::with_capacity(successes.len());
    for success in successes {
        let outcome = json!(Outcome::Succeeded { output: success.output.clone() });
        digests.push(Sha256::digest(outcome.to_string()).to_vec());
        outcomes.push(outcome);
    }
    let of = |column: fn(&Success) -> Uuid| successes.iter().map(column).collect::<Vec<Uuid>>();
    let kinds: Vec<String> = successes.iter().map(|it| it.output.kind().as_str().to_owned()).collect();
    let rows = sqlx::query!(
        r#"with said as materialized (
             select *
             from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::bytea[])
                 with ordinality as said (job_id, lease_token, actor_id, kind, outcome, sha256, place)
         ), ended as (
             delete from lease
             using said, job
             where lease.job_id = said.job_id
                 and lease.lease_token = said.lease_token
                 and job.id = said.job_id
                 and job.kind = said.kind
             returning said.place, lease.job_id, lease.lease_token, lease.attempt, lease.worker, lease.leased_at,
                 lease.started_at, job.kind, job.campaign_id, job.round_id, job.plate_id
         ), attempts as (
             insert into job_attempt (job_id, attempt, lease_token, worker, leased_at, started_at, ending)
             select job_id, attempt, lease_token, worker, leased_at, coalesce(started_at, now()), 'succeeded'
             from ended
         ), kept as (
             insert into job_report (job_id, lease_token, actor_id, outcome, outcome_sha256, disposition)
             select said.job_id, said.lease_token, said.actor_id, said.outcome, said.sha256, 'accepted'
             from ended
             join said using (place)
             on conflict (job_id, lease_token, outcome_sha256) do nothing
         )
         select place as "place!", job_id, kind, campaign_id, round_id, plate_id
         from ended
         order by job_id"#,
        &of(|success| success.job.0),
        &of(|success| success.token.0),
        &of(|success| success.actor.0),
        &kinds,
        &outcomes,
        &digests
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Attempt {
                place: usize::try_from(row.place - 1).map_err(|error| Error::corrupt("place", error))?,
                job: JobId(row.job_id),
                kind: row.kind.parse().map_err(|error| Error::corrupt("kind", error))?,
                campaign: row.campaign_id,
                round: row.round_id.map(RoundId),
                plate: row.plate_id.map(PlateId),
            })
        })
        .collect()
}

/// Outcomes, settlements, events (nobody is told of a success); then whoever waited for them.
async fn settle(conn: &mut PgConnection, successes: &[Success], ended: &[Attempt]) -> Result<Consequences> {
    let jobs: Vec<Uuid> = ended.iter().map(|it| it.job.0).collect();
    let drawn: Vec<bool> = ended.iter().map(|it| is_drawn(it.kind, it.round)).collect();
    let campaigns: Vec<Option<Uuid>> = ended.iter().map(|it| it.campaign).collect();
    let said = |it: &Attempt| &successes[it.place];
    let actors: Vec<Uuid> = ended.iter().map(|it| said(it).actor.0).collect();
    let outputs: Vec<Value> = ended.iter().map(|it| json!(said(it).output)).collect();
    let bodies: Vec<Value> = ended.iter().map(body).collect();
    let origins: Vec<Option<Value>> =
        ended.iter().map(|it| said(it).origin.as_ref().map(|it| json!(it))).collect();
    sqlx::query!(
        r#"with told as materialized (
             select *
             from unnest($1::uuid[], $2::bool[], $3::uuid[], $4::uuid[], $5::jsonb[], $6::jsonb[], $7::jsonb[])
                 as told (job_id, drawn, campaign_id, actor_id, output, body, origin)
         ), locked as materialized (
             select id from job where id = any($1) order by id for no key update
         ), outcomes as (
             insert into job_outcome (job_id, state, output, settled_lab_at)
             select job_id, 'succeeded', output, (select lab_now())
             from told
             join locked on locked.id = told.job_id
         ), settlements as (
             insert into settlement (job_id)
             select job_id from told where drawn
         )
         insert into event (lab_at, kind, subject, subject_id, campaign_id, actor_id, body, origin)
         select (select lab_now()), 'JobSucceeded', 'job', job_id::text, campaign_id, actor_id, body, origin
         from told
         order by job_id"#,
        &jobs,
        &drawn,
        &campaigns as &[Option<Uuid>],
        &actors,
        &outputs,
        &bodies,
        &origins as &[Option<Value>]
    )
    .execute(&mut *conn)
    .await?;
    let settled = ended.iter().zip(drawn).filter_map(|(it, drawn)| drawn.then_some(it.job)).collect();
    let queues = dependents::advance_after_success(conn, &jobs).await?;
    Ok(Consequences { queues: queues.into_iter().collect(), settled })
}

fn body(attempt: &Attempt) -> Value {
    json!(Ended {
        kind: attempt.kind.as_str(),
        round_id: attempt.round,
        plate_id: attempt.plate,
        failure: None,
        reason: None,
        replaced_by: None,
    })
}
