//! Rounds: the aggregate of the loop. Whoever changes anything of a round (batch, proposals, plates)
//! holds the round's row lock.

use super::Result;
use super::moved::{self, Moved, Record, corrupt, count, digest_opt};
use crate::ids::{ActorId, CampaignId, ModelVersionId, RoundId};
use crate::rounds::state::{Event, Rejected, State};
use chrono::{DateTime, Utc};
use jobs::Digest;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub id: RoundId,
    pub campaign_id: CampaignId,
    /// The edition it began with and keeps.
    pub campaign_version: u32,
    pub number: u32,
    pub state: State,
    pub why: Option<Why>,
    pub seed: u64,
    /// What was measured before it began; `None` for the first.
    pub data_cut: Option<Digest>,
    /// The version that proposes.
    pub model_version_id: Option<ModelVersionId>,
    /// Why that one; `None` for rounds older than the calendar.
    pub model_because: Option<String>,
    pub begun_by: BegunBy,
    pub due_lab_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub summary: Option<Value>,
}

/// Why a round stands or ended: a stable code and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub code: String,
    pub text: String,
}

impl Why {
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into() }
    }
}

pub struct NewRound {
    pub id: RoundId,
    pub campaign_id: CampaignId,
    pub campaign_version: u32,
    pub number: u32,
    pub seed: u64,
    pub data_cut: Option<Digest>,
    pub model_version_id: Option<ModelVersionId>,
    pub model_because: String,
    pub begun_by: BegunBy,
    /// It may be live beside other rounds of the campaign.
    pub may_overlap: bool,
    pub due_lab_at: DateTime<Utc>,
}

/// What began a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BegunBy {
    /// A tick of the calendar.
    Tick,
    /// The end of the round before.
    Continuous,
    Person,
}

impl BegunBy {
    const ALL: [BegunBy; 3] = [BegunBy::Tick, BegunBy::Continuous, BegunBy::Person];

    fn as_str(self) -> &'static str {
        match self {
            BegunBy::Tick => "tick",
            BegunBy::Continuous => "continuous",
            BegunBy::Person => "person",
        }
    }

    fn from_column(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

struct Row {
    id: uuid::Uuid,
    campaign_id: uuid::Uuid,
    campaign_version: i32,
    number: i32,
    state: String,
    held_from: Option<String>,
    reason_code: Option<String>,
    reason: Option<String>,
    seed: i64,
    data_cut_sha256: Option<Vec<u8>>,
    model_version_id: Option<uuid::Uuid>,
    model_because: Option<String>,
    begun_by: String,
    due_lab_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    summary: Option<Value>,
}

impl TryFrom<Row> for Round {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        let state = State::from_columns(&row.state, row.held_from.as_deref());
        Ok(Round {
            id: row.id.into(),
            campaign_id: row.campaign_id.into(),
            campaign_version: count(row.campaign_version.into())?,
            number: count(row.number.into())?,
            state: moved::word(state, "round.state", &row.state)?,
            why: row.reason_code.zip(row.reason).map(|(code, text)| Why { code, text }),
            seed: u64::try_from(row.seed).map_err(corrupt)?,
            data_cut: digest_opt(row.data_cut_sha256.as_deref())?,
            model_version_id: row.model_version_id.map(ModelVersionId),
            model_because: row.model_because,
            begun_by: moved::word(BegunBy::from_column(&row.begun_by), "round.begun_by", &row.begun_by)?,
            due_lab_at: row.due_lab_at,
            created_at: row.created_at,
            summary: row.summary,
        })
    }
}

/// `select .. from round $rest`, as [`Round`]s.
macro_rules! rounds {
    ($rest:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            "select id, campaign_id, campaign_version, number, state, held_from, reason_code, reason, seed,
                    data_cut_sha256, model_version_id, model_because, begun_by, due_lab_at, created_at, summary
             from round " + $rest,
            $($argument),*
        )
    };
}

/// Inserts a round that begins to propose. `false`: the campaign has one of this number, or a live round that it
/// may not overlap with.
pub async fn insert(conn: &mut PgConnection, new: &NewRound, actor: ActorId) -> Result<bool> {
    let inserted = sqlx::query!(
        "with begun as (
             insert into round
                 (id, campaign_id, campaign_version, number, state, seed, data_cut_sha256, model_version_id, model_because,
                  begun_by, may_overlap, due_lab_at)
             values ($1, $2, $3, $4, 'proposing', $5, $6, $7, $8, $9, $10, $11)
             on conflict do nothing
             returning id, state
         )
         insert into round_stage (round_id, entry, stage, entered_lab_at)
         select id, 1, state, lab_now() from begun",
        new.id.0,
        new.campaign_id.0,
        i32::try_from(new.campaign_version).map_err(corrupt)?,
        i32::try_from(new.number).map_err(corrupt)?,
        i64::try_from(new.seed).map_err(corrupt)?,
        new.data_cut.as_ref().map(|digest| digest.0.as_slice()),
        new.model_version_id.map(|id| id.0),
        new.model_because,
        new.begun_by.as_str(),
        new.may_overlap,
        new.due_lab_at
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if inserted == 0 {
        return Ok(false);
    }
    let body = json!({
        "number": new.number, "due_lab_at": new.due_lab_at, "seed": new.seed, "begun_by": new.begun_by,
        "model_version_id": new.model_version_id, "model_because": new.model_because,
    });
    record(conn, "RoundStarted", new.id, new.campaign_id, actor, &body).await?;
    Ok(true)
}

pub async fn by_id(conn: &mut PgConnection, id: RoundId) -> Result<Option<Round>> {
    rounds!("where id = $1", id.0).fetch_optional(conn).await?.map(Round::try_from).transpose()
}

/// Those of these that there are, in no order.
pub async fn by_ids(conn: &mut PgConnection, ids: &[RoundId]) -> Result<Vec<Round>> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    rounds!("where id = any($1)", &ids).fetch_all(conn).await?.into_iter().map(Round::try_from).collect()
}

/// Rounds of a campaign, first to last.
pub async fn of_campaign(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<Round>> {
    rounds!("where campaign_id = $1 order by number", campaign.0)
        .fetch_all(conn)
        .await?
        .into_iter()
        .map(Round::try_from)
        .collect()
}

/// Rounds of these campaigns that are live, first to last.
pub async fn live_of_campaigns(conn: &mut PgConnection, campaigns: &[CampaignId]) -> Result<Vec<Round>> {
    let campaigns: Vec<uuid::Uuid> = campaigns.iter().map(|id| id.0).collect();
    rounds!(
        "where campaign_id = any($1) and state not in ('closed', 'cancelled', 'failed') order by number",
        &campaigns
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Round::try_from)
    .collect()
}

/// When a round of the campaign was last closed.
pub async fn last_closed(conn: &mut PgConnection, campaign: CampaignId) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar!(
        "select max(entered_lab_at)
         from round_stage
         join round on round.id = round_stage.round_id
         where round.campaign_id = $1 and round_stage.stage = 'closed'",
        campaign.0
    )
    .fetch_one(conn)
    .await?)
}

/// Takes the round's row lock; `None` when another has it: that one decides.
pub async fn lock(conn: &mut PgConnection, id: RoundId) -> Result<Option<Round>> {
    rounds!("where id = $1 for update skip locked", id.0)
        .fetch_optional(conn)
        .await?
        .map(Round::try_from)
        .transpose()
}

/// The same, unless the round drains: its jobs go to their end, and nothing new is entered. (A drain that is ordered in
/// this very moment is not seen: whoever enters something asks again.)
pub async fn lock_to_move(conn: &mut PgConnection, id: RoundId) -> Result<Option<Round>> {
    rounds!(
        "where id = $1
             and not exists (select from hold where hold.subject_id = round.id and manner = 'drain')
         for update skip locked",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Round::try_from)
    .transpose()
}

/// Takes the round's row lock, waiting for it (commands of people).
pub async fn lock_waiting(conn: &mut PgConnection, id: RoundId) -> Result<Option<Round>> {
    rounds!("where id = $1 for update", id.0).fetch_optional(conn).await?.map(Round::try_from).transpose()
}

/// Moves a round on. `why` where it is held, cancelled or failed; dropped elsewhere.
pub async fn apply(
    conn: &mut PgConnection,
    round: &mut Round,
    event: Event,
    why: Option<Why>,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    apply_with(conn, round, event, why, None, actor).await
}

/// Closes a round with its summary.
pub async fn close(
    conn: &mut PgConnection,
    round: &mut Round,
    summary: Value,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    apply_with(conn, round, Event::EveryProposalAccounted, None, Some(summary), actor).await
}

async fn apply_with(
    conn: &mut PgConnection,
    round: &mut Round,
    event: Event,
    why: Option<Why>,
    summary: Option<Value>,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    let next = match round.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let why = why.filter(|_| matches!(next, State::Held(_) | State::Cancelled | State::Failed));
    let updated = sqlx::query!(
        "with moved as (
             update round
             set state = $4, held_from = $5, reason_code = $6, reason = $7, summary = $8
             where id = $1 and state = $2 and held_from is not distinct from $3
             returning id
         )
         insert into round_stage (round_id, entry, stage, entered_lab_at)
         select id, coalesce((select max(entry) from round_stage where round_id = $1), 0) + 1, $4, lab_now()
         from moved",
        round.id.0,
        round.state.as_str(),
        round.state.held_from(),
        next.as_str(),
        next.held_from(),
        why.as_ref().map(|why| why.code.as_str()),
        why.as_ref().map(|why| why.text.as_str()),
        summary.clone()
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    let body = json!({
        "number": round.number,
        "from": round.state,
        "to": next,
        "reason_code": why.as_ref().map(|why| &why.code),
        "reason": why.as_ref().map(|why| &why.text),
        "summary": summary,
    });
    record(conn, event.record(), round.id, round.campaign_id, actor, &body).await?;
    round.state = next;
    round.why = why;
    round.summary = summary;
    Ok(Moved::Done)
}

/// A stage entered, by both clocks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct StageEntry {
    pub stage: String,
    pub entered_at: DateTime<Utc>,
    pub entered_lab_at: DateTime<Utc>,
}

/// The last stage that each of these rounds entered; the last one of the name `stage`, when given.
pub async fn last_stages(
    conn: &mut PgConnection,
    rounds: &[RoundId],
    stage: Option<&str>,
) -> Result<BTreeMap<RoundId, StageEntry>> {
    let rounds: Vec<uuid::Uuid> = rounds.iter().map(|round| round.0).collect();
    let rows = sqlx::query!(
        "select distinct on (round_id) round_id, stage, entered_at, entered_lab_at
         from round_stage
         where round_id = any($1) and ($2::text is null or stage = $2)
         order by round_id, entry desc",
        &rounds,
        stage
    )
    .fetch_all(conn)
    .await?;
    let entries = rows.into_iter().map(|row| {
        let entry =
            StageEntry { stage: row.stage, entered_at: row.entered_at, entered_lab_at: row.entered_lab_at };
        (RoundId(row.round_id), entry)
    });
    Ok(entries.collect())
}

/// In order of entry.
pub async fn stages(conn: &mut PgConnection, round: RoundId) -> Result<Vec<StageEntry>> {
    Ok(sqlx::query_as!(
        StageEntry,
        "select stage, entered_at, entered_lab_at from round_stage where round_id = $1 order by entry",
        round.0
    )
    .fetch_all(conn)
    .await?)
}

/// Jobs of the round that are not settled, or whose consequences are not drawn.
pub async fn open_jobs(conn: &mut PgConnection, round: RoundId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!"
         from job
         left join job_outcome on job_outcome.job_id = job.id
         left join settlement on settlement.job_id = job.id
         where job.round_id = $1
           and job.kind <> 'train'
           and (job_outcome.job_id is null or settlement.job_id is not null)"#,
        round.0
    )
    .fetch_one(conn)
    .await?)
}

/// Rounds of its campaign up to this one that count against the budget: not those that were cancelled or failed.
pub async fn counted_up_to(conn: &mut PgConnection, round: &Round) -> Result<u32> {
    let rounds = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from round
           where campaign_id = $1 and number <= $2 and state not in ('cancelled', 'failed')"#,
        round.campaign_id.0,
        i32::try_from(round.number).map_err(corrupt)?
    )
    .fetch_one(conn)
    .await?;
    count(rounds)
}

/// How many `propose` jobs the round has had: the next one's generation is one more.
pub async fn proposals_asked(conn: &mut PgConnection, round: RoundId) -> Result<u32> {
    let asked = sqlx::query_scalar!(
        r#"select count(*) as "count!" from job where round_id = $1 and kind = 'propose'"#,
        round.0
    )
    .fetch_one(conn)
    .await?;
    count(asked)
}

/// Real seconds in which a worker held a job of the round (overlaps counted once).
pub async fn worker_seconds(conn: &mut PgConnection, round: RoundId) -> Result<f64> {
    let seconds = sqlx::query_scalar!(
        r#"select coalesce(sum(extract(epoch from upper(busy) - lower(busy))), 0)::float8 as "seconds!"
         from (
             select unnest(range_agg(tstzrange(
                 least(coalesce(job_attempt.started_at, job_attempt.leased_at), job_attempt.ended_at),
                 job_attempt.ended_at))) as busy
             from job_attempt
             join job on job.id = job_attempt.job_id
             where job.round_id = $1 and job.kind <> 'train'
         ) as spans"#,
        round.0
    )
    .fetch_one(conn)
    .await?;
    Ok(seconds)
}

/// Writes down an order that does not move the round's state.
pub async fn note(
    conn: &mut PgConnection,
    round: &Round,
    kind: &'static str,
    reason: &str,
    actor: ActorId,
) -> Result<()> {
    let body = json!({"state": round.state, "reason": reason});
    record(conn, kind, round.id, round.campaign_id, actor, &body).await
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: RoundId,
    campaign: CampaignId,
    actor: ActorId,
    body: &Value,
) -> Result<()> {
    let subject_id = id.to_string();
    moved::record(conn, Record { kind, subject: "round", subject_id, campaign, actor, body }).await
}
