//! Ticks that were judged. Whoever judges holds the campaign's row lock; the unique key of campaign and wall
//! time decides for anybody who does not.

use super::Result;
use super::moved::{self, Moved, Record, corrupt};
use crate::calendar::judge::Reason;
use crate::calendar::state::{Event, Rejected};
use crate::calendar::{Nominal, State};
use crate::ids::{CampaignId, RoundId, SYSTEM, TickId};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

/// A tick that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub id: TickId,
    pub campaign_id: CampaignId,
    pub wall: NaiveDateTime,
    pub due_lab_at: DateTime<Utc>,
    pub state: State,
    pub reason_code: String,
    pub reason: String,
    /// The round that it started.
    pub round_id: Option<RoundId>,
}

/// A tick to be entered with its first judgement.
#[derive(Clone, Debug)]
pub struct NewTick {
    pub campaign_id: CampaignId,
    pub nominal: Nominal,
    pub zone: String,
    pub due_lab_at: DateTime<Utc>,
    pub event: Event,
    pub why: Reason,
    /// With `Event::Started`.
    pub round_id: Option<RoundId>,
}

struct Row {
    id: uuid::Uuid,
    campaign_id: uuid::Uuid,
    wall: NaiveDateTime,
    due_lab_at: DateTime<Utc>,
    state: String,
    reason_code: String,
    reason: String,
    round_id: Option<uuid::Uuid>,
}

impl TryFrom<Row> for Judged {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Judged {
            id: row.id.into(),
            campaign_id: row.campaign_id.into(),
            wall: row.wall,
            due_lab_at: row.due_lab_at,
            state: moved::word(State::from_column(&row.state), "tick.state", &row.state)?,
            reason_code: row.reason_code,
            reason: row.reason,
            round_id: row.round_id.map(Into::into),
        })
    }
}

/// Enters a tick. `false`: it was judged before.
pub async fn insert(conn: &mut PgConnection, new: &NewTick) -> Result<bool> {
    let state = State::Due.next(new.event).map_err(corrupt)?;
    let id = TickId::fresh();
    let inserted = sqlx::query!(
        "insert into tick
             (id, campaign_id, wall, zone, nominal_lab_at, due_lab_at, state, reason_code, reason, round_id, judged_lab_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, lab_now())
         on conflict on constraint tick_once do nothing",
        id.0,
        new.campaign_id.0,
        new.nominal.wall,
        new.zone,
        new.nominal.at,
        new.due_lab_at,
        state.as_str(),
        new.why.code,
        new.why.text,
        new.round_id.map(|round| round.0)
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if inserted == 0 {
        return Ok(false);
    }
    record(conn, id, new.campaign_id, new.nominal.wall, new.event, &new.why, new.round_id).await?;
    Ok(true)
}

/// Moves a waiting tick on, with why.
pub async fn apply(
    conn: &mut PgConnection,
    tick: &mut Judged,
    event: Event,
    why: &Reason,
    round: Option<RoundId>,
) -> Result<Moved<Rejected>> {
    let next = match tick.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let updated = sqlx::query!(
        "update tick
         set state = $3, reason_code = $4, reason = $5, round_id = $6, judged_lab_at = lab_now()
         where id = $1 and state = $2",
        tick.id.0,
        tick.state.as_str(),
        next.as_str(),
        why.code,
        why.text,
        round.map(|round| round.0)
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    record(conn, tick.id, tick.campaign_id, tick.wall, event, why, round).await?;
    tick.state = next;
    tick.reason_code = why.code.to_owned();
    tick.reason.clone_from(&why.text);
    tick.round_id = round;
    Ok(Moved::Done)
}

/// Skips every tick of the campaign that waits: it has ended.
pub async fn skip_waiting(conn: &mut PgConnection, campaign: CampaignId, because: &str) -> Result<()> {
    let why = Reason { code: "tick.campaign_ended", text: format!("The campaign ended: {because}.") };
    for mut tick in waiting(conn, campaign).await? {
        apply(conn, &mut tick, Event::Skipped, &why, None).await?.must()?;
    }
    Ok(())
}

/// Those that wait, first to last.
pub async fn waiting(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<Judged>> {
    sqlx::query_as!(
        Row,
        "select id, campaign_id, wall, due_lab_at, state, reason_code, reason, round_id
         from tick
         where campaign_id = $1 and state = 'waiting'
         order by wall",
        campaign.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Judged::try_from)
    .collect()
}

/// Every one of the campaign, first to last.
pub async fn of_campaign(conn: &mut PgConnection, campaign: CampaignId) -> Result<Vec<Judged>> {
    sqlx::query_as!(
        Row,
        "select id, campaign_id, wall, due_lab_at, state, reason_code, reason, round_id
         from tick
         where campaign_id = $1
         order by wall",
        campaign.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Judged::try_from)
    .collect()
}

async fn record(
    conn: &mut PgConnection,
    id: TickId,
    campaign: CampaignId,
    wall: NaiveDateTime,
    event: Event,
    why: &Reason,
    round: Option<RoundId>,
) -> Result<()> {
    let body = json!({"wall": wall, "reason_code": why.code, "reason": why.text, "round_id": round});
    let subject_id = id.to_string();
    let kind = event.record();
    moved::record(conn, Record { kind, subject: "tick", subject_id, campaign, actor: SYSTEM, body: &body })
        .await
}
