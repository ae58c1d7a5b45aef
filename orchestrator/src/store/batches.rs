//! Batches. Callers hold the round's row lock.

use super::Result;
use super::moved::{self, Moved, Record, corrupt, count, digest_opt};
use crate::batches::draft::Draft;
use crate::batches::state::{Event, Rejected, State};
use crate::ids::{ActorId, BatchId, CampaignId, RoundId};
use crate::people::Visible;
use chrono::{DateTime, Utc};
use jobs::{Digest, JobId};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub id: BatchId,
    pub round_id: RoundId,
    pub campaign_id: CampaignId,
    pub generation: u32,
    pub state: State,
    /// Moves with each edit; the ETag.
    pub revision: u32,
    pub layout_seed: u64,
    pub propose_job_id: JobId,
    /// What the plan would be, or why there is none; `None` until it is computed.
    pub draft: Option<Draft>,
    /// Of the drafted plan; `None` when there is none.
    pub plan_digest: Option<Digest>,
    pub frozen_hash: Option<Digest>,
    pub closed_reason: Option<String>,
    /// When its time is over, by laboratory time; `None`: never, or it was and the round is held.
    pub expires_lab_at: Option<DateTime<Utc>>,
    /// Its selected experiments, once nothing of it changes any more; `None`: to be counted.
    pub selected: Option<u32>,
    pub created_at: DateTime<Utc>,
}

pub struct NewBatch {
    pub id: BatchId,
    pub round_id: RoundId,
    pub campaign_id: CampaignId,
    pub generation: u32,
    pub layout_seed: u64,
    pub propose_job_id: JobId,
    /// Laboratory hours that it waits; `None`: for ever.
    pub expires_hours: Option<f64>,
}

struct Row {
    id: Uuid,
    round_id: Uuid,
    campaign_id: Uuid,
    generation: i32,
    state: String,
    revision: i32,
    layout_seed: i64,
    propose_job_id: Uuid,
    draft: Option<Value>,
    plan_digest: Option<Vec<u8>>,
    frozen_hash: Option<Vec<u8>>,
    closed_reason: Option<String>,
    expires_lab_at: Option<DateTime<Utc>>,
    selected: Option<i32>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Batch {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Batch {
            id: row.id.into(),
            round_id: row.round_id.into(),
            campaign_id: row.campaign_id.into(),
            generation: count(row.generation.into())?,
            state: moved::word(State::from_column(&row.state), "batch.state", &row.state)?,
            revision: count(row.revision.into())?,
            layout_seed: u64::try_from(row.layout_seed).map_err(corrupt)?,
            propose_job_id: row.propose_job_id.into(),
            draft: row.draft.map(serde_json::from_value).transpose().map_err(corrupt)?,
            plan_digest: digest_opt(row.plan_digest.as_deref())?,
            frozen_hash: digest_opt(row.frozen_hash.as_deref())?,
            closed_reason: row.closed_reason,
            expires_lab_at: row.expires_lab_at,
            selected: row.selected.map(|selected| count(selected.into())).transpose()?,
            created_at: row.created_at,
        })
    }
}

/// `select .. from batch join round $rest`, as [`Batch`]es.
macro_rules! batches {
    ($rest:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            "select batch.id, round_id, round.campaign_id, generation, batch.state, revision, layout_seed,
                    propose_job_id, draft, plan_digest, frozen_hash, closed_reason, expires_lab_at,
                    selected, batch.created_at
             from batch
             join round on round.id = batch.round_id " + $rest,
            $($argument),*
        )
    };
}

/// Inserts a batch that awaits approval.
pub async fn insert(conn: &mut PgConnection, new: &NewBatch, size: usize, actor: ActorId) -> Result<()> {
    sqlx::query!(
        "insert into batch (id, round_id, generation, state, layout_seed, propose_job_id, expires_lab_at)
         values ($1, $2, $3, 'awaiting_approval', $4, $5, lab_now() + make_interval(secs => $6::float8 * 3600))",
        new.id.0,
        new.round_id.0,
        i32::try_from(new.generation).map_err(corrupt)?,
        i64::try_from(new.layout_seed).map_err(corrupt)?,
        new.propose_job_id.0,
        new.expires_hours
    )
    .execute(&mut *conn)
    .await?;
    let body = json!({
        "round_id": new.round_id, "generation": new.generation, "experiments": size,
        "propose_job_id": new.propose_job_id, "layout_seed": new.layout_seed,
    });
    record(conn, "BatchProposed", new.id, new.campaign_id, actor, &body).await
}

pub async fn by_id(conn: &mut PgConnection, id: BatchId) -> Result<Option<Batch>> {
    batches!("where batch.id = $1", id.0).fetch_optional(conn).await?.map(Batch::try_from).transpose()
}

/// The one that is not rejected or withdrawn, if there is one.
pub async fn live_of_round(conn: &mut PgConnection, round: RoundId) -> Result<Option<Batch>> {
    batches!("where round_id = $1 and batch.state in ('awaiting_approval', 'approved', 'planned')", round.0)
        .fetch_optional(conn)
        .await?
        .map(Batch::try_from)
        .transpose()
}

/// Those of these rounds that are not rejected or withdrawn.
pub async fn live_of_rounds(conn: &mut PgConnection, rounds: &[RoundId]) -> Result<Vec<Batch>> {
    let rounds: Vec<Uuid> = rounds.iter().map(|round| round.0).collect();
    batches!(
        "where round_id = any($1) and batch.state in ('awaiting_approval', 'approved', 'planned')",
        &rounds
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Batch::try_from)
    .collect()
}

/// All generations, first to last.
pub async fn of_round(conn: &mut PgConnection, round: RoundId) -> Result<Vec<Batch>> {
    batches!(
        "where round_id = $1
         order by generation",
        round.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Batch::try_from)
    .collect()
}

/// Batches of `visible` projects in one state, at most `limit`, behind `behind`: those that wait for people the oldest
/// first, others the newest.
pub async fn in_state(
    conn: &mut PgConnection,
    visible: &Visible,
    state: State,
    behind: Option<BatchId>,
    limit: i64,
) -> Result<Vec<Batch>> {
    let projects = visible.limit() as Option<Vec<Uuid>>;
    let rows = if state == State::AwaitingApproval {
        batches!(
            "join campaign on campaign.id = round.campaign_id
             where batch.state = $1
               and batch.id > $2
               and ($4::uuid[] is null or project_id = any($4))
             order by batch.id
             limit $3",
            state.as_str(),
            behind.map_or(Uuid::nil(), |id| id.0),
            limit,
            projects as Option<Vec<Uuid>>
        )
        .fetch_all(conn)
        .await?
    } else {
        batches!(
            "join campaign on campaign.id = round.campaign_id
             where batch.state = $1
               and batch.id < $2
               and ($4::uuid[] is null or project_id = any($4))
             order by batch.id desc
             limit $3",
            state.as_str(),
            behind.map_or(Uuid::max(), |id| id.0),
            limit,
            projects as Option<Vec<Uuid>>
        )
        .fetch_all(conn)
        .await?
    };
    rows.into_iter().map(Batch::try_from).collect()
}

/// What changes with a transition.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// For `Approved`.
    pub frozen_hash: Option<Digest>,
    /// For `Rejected` and `Withdrawn`.
    pub closed_reason: Option<String>,
    /// For people who read the event.
    pub note: Value,
}

/// Moves a batch on. An edit moves the revision, and takes the draft away with it; so does the end of its time,
/// but for the draft.
pub async fn apply(
    conn: &mut PgConnection,
    batch: &mut Batch,
    event: Event,
    change: Change,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    let next = match batch.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let frozen_hash = match next {
        State::Approved => change.frozen_hash,
        State::Planned => batch.frozen_hash,
        State::AwaitingApproval | State::Rejected | State::Withdrawn => None,
    };
    let edited = matches!(event, Event::Edited | Event::PlanDiffered);
    let moves = edited || event == Event::Expired;
    let updated = sqlx::query!(
        "update batch
         set state = $4,
             frozen_hash = $5,
             closed_reason = $6,
             selected = case when $10 then (
                 select count(*) from proposal where proposal.batch_id = batch.id and status = 'selected') end,
             revision = revision + case when $8 then 1 else 0 end,
             draft = case when $7 then null else draft end,
             shown_plan_digest = case when $8 then null else shown_plan_digest end,
             plan_digest = case when $7 then null else plan_digest end,
             expires_lab_at = case when $9 then null else expires_lab_at end
         where id = $1 and state = $2 and revision = $3",
        batch.id.0,
        batch.state.as_str(),
        i32::try_from(batch.revision).map_err(corrupt)?,
        next.as_str(),
        frozen_hash.as_ref().map(|digest| digest.0.as_slice()),
        change.closed_reason,
        edited,
        moves,
        event == Event::Expired,
        next.is_over()
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    if moves {
        batch.revision += 1;
    }
    if event == Event::Expired {
        batch.expires_lab_at = None;
    }
    if event == Event::Edited {
        super::approvals::add_edit(conn, batch, actor).await?;
    }
    if edited {
        batch.draft = None;
        batch.plan_digest = None;
    }
    let body = json!({
        "from": batch.state, "to": next, "revision": batch.revision, "frozen_hash": frozen_hash,
        "reason": change.closed_reason, "note": change.note,
    });
    record(conn, event.record(), batch.id, batch.campaign_id, actor, &body).await?;
    batch.state = next;
    batch.frozen_hash = frozen_hash;
    batch.closed_reason = change.closed_reason;
    batch.selected = None;
    Ok(Moved::Done)
}

/// Whether people looked at another plan than `draft` in this revision.
pub async fn was_shown_another(conn: &mut PgConnection, batch: &Batch, draft: &Draft) -> Result<bool> {
    let Some(now) = draft.digest() else { return Ok(false) };
    let shown = sqlx::query_scalar!("select shown_plan_digest from batch where id = $1", batch.id.0)
        .fetch_one(conn)
        .await?;
    Ok(shown.is_some_and(|shown| shown != now.0))
}

/// Stores the draft of this revision.
pub async fn set_draft(conn: &mut PgConnection, batch: &mut Batch, draft: Draft) -> Result<()> {
    let digest = draft.digest();
    sqlx::query!(
        "update batch
         set draft = $3, plan_digest = $4,
             shown_plan_digest = case when $4::bytea is null then shown_plan_digest end
         where id = $1 and revision = $2",
        batch.id.0,
        i32::try_from(batch.revision).map_err(corrupt)?,
        serde_json::to_value(&draft).map_err(corrupt)?,
        digest.as_ref().map(|digest| digest.0.as_slice())
    )
    .execute(conn)
    .await?;
    batch.plan_digest = digest;
    batch.draft = Some(draft);
    Ok(())
}

/// Records that a learner answered with the prediction of what people added.
pub async fn record_prediction(
    conn: &mut PgConnection,
    batch: BatchId,
    campaign: CampaignId,
    body: &Value,
) -> Result<()> {
    record(conn, "BatchPredictionAdded", batch, campaign, crate::ids::SYSTEM, body).await
}

/// Gives a waiting batch `hours` of laboratory time from now; `None`: it waits for ever.
pub async fn open_window(conn: &mut PgConnection, batch: &mut Batch, hours: Option<f64>) -> Result<()> {
    batch.expires_lab_at = sqlx::query_scalar!(
        "update batch
         set expires_lab_at = lab_now() + make_interval(secs => $2::float8 * 3600)
         where id = $1 and state = 'awaiting_approval'
         returning expires_lab_at",
        batch.id.0,
        hours
    )
    .fetch_optional(conn)
    .await?
    .flatten();
    Ok(())
}

/// Takes the draft of a waiting batch away, so that it is computed anew.
pub async fn forget_draft(conn: &mut PgConnection, batch: BatchId) -> Result<()> {
    sqlx::query!(
        "update batch
         set draft = null, plan_digest = null, shown_plan_digest = coalesce(plan_digest, shown_plan_digest)
         where id = $1 and state = 'awaiting_approval'",
        batch.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the drafts of waiting batches away, so that they are computed anew (the inventory changed).
pub async fn forget_drafts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "update batch
         set draft = null, plan_digest = null, shown_plan_digest = coalesce(plan_digest, shown_plan_digest)
         where state = 'awaiting_approval'"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A batch whose time is nearly over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiring {
    pub id: BatchId,
    pub campaign_id: CampaignId,
    pub expires_lab_at: DateTime<Utc>,
}

/// Waiting batches in the last quarter of their time, or its last day if that is less, of which nobody was warned yet;
/// they count as warned from now on. Laboratory time.
pub async fn warn_of_expiry(conn: &mut PgConnection) -> Result<Vec<Expiring>> {
    let rows = sqlx::query!(
        r#"update batch
           set expiry_warned_lab_at = expires_lab_at
           from round
           join campaign_version on campaign_version.campaign_id = round.campaign_id
               and campaign_version.version = round.campaign_version
           where round.id = batch.round_id
             and round.state = 'awaiting_approval'
             and batch.state = 'awaiting_approval'
             and expires_lab_at > lab_now()
             and expiry_warned_lab_at is distinct from expires_lab_at
             and expires_lab_at - lab_now() <= least(
                 interval '24 hours',
                 make_interval(secs => (spec->'policy'->>'expires_hours')::float8 * 3600 / 4))
           returning batch.id, round.campaign_id, expires_lab_at as "expires_lab_at!""#
    )
    .fetch_all(conn)
    .await?;
    let expiring = rows.into_iter().map(|row| Expiring {
        id: row.id.into(),
        campaign_id: row.campaign_id.into(),
        expires_lab_at: row.expires_lab_at,
    });
    Ok(expiring.collect())
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: BatchId,
    campaign: CampaignId,
    actor: ActorId,
    body: &Value,
) -> Result<()> {
    let subject_id = id.to_string();
    moved::record(conn, Record { kind, subject: "batch", subject_id, campaign, actor, body }).await
}
