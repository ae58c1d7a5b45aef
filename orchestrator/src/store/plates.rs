//! Assay plates: their maps, what was dispensed and read, and what people decided. Callers hold the
//! round's row lock.

use super::Result;
use super::moved::{self, Moved, Record, corrupt, count, word};
use crate::ids::{ActorId, BatchId, CampaignId, PlateId, RoundId};
use crate::ingestion::{MapWell, TransferRecord};
use crate::people::Visible;
use crate::planning::{PlannedWell, Role};
use crate::plates::allotrope::{Look, Reading};
use crate::plates::state::{Event, Rejected, State};
use chrono::{DateTime, Utc};
use instruments::labware::Well;
use jobs::{Digest, JobId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    pub id: PlateId,
    pub round_id: RoundId,
    pub batch_id: BatchId,
    pub campaign_id: CampaignId,
    /// Its number in the batch; stays when the plate is made again.
    pub ordinal: u32,
    /// 1, and one more for each time it was made again.
    pub generation: u32,
    pub barcode: String,
    pub labware: String,
    pub context: String,
    pub state: State,
    pub reason: Option<String>,
    /// The judgement, once it was read.
    pub qc: Option<Value>,
    pub created_at: DateTime<Utc>,
}

pub struct NewPlate<'a> {
    pub id: PlateId,
    pub round_id: RoundId,
    pub batch_id: BatchId,
    pub campaign_id: CampaignId,
    pub ordinal: u32,
    pub generation: u32,
    pub barcode: &'a str,
    pub labware: &'a str,
    pub context: &'a str,
    pub wells: &'a [PlannedWell],
}

struct Row {
    id: Uuid,
    round_id: Uuid,
    batch_id: Uuid,
    campaign_id: Uuid,
    ordinal: i32,
    generation: i32,
    barcode: String,
    labware: String,
    context: String,
    state: String,
    reason: Option<String>,
    qc: Option<Value>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Plate {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Plate {
            id: row.id.into(),
            round_id: row.round_id.into(),
            batch_id: row.batch_id.into(),
            campaign_id: row.campaign_id.into(),
            ordinal: count(row.ordinal.into())?,
            generation: count(row.generation.into())?,
            barcode: row.barcode,
            labware: row.labware,
            context: row.context,
            state: word(State::from_column(&row.state), "plate.state", &row.state)?,
            reason: row.reason,
            qc: row.qc,
            created_at: row.created_at,
        })
    }
}

/// Inserts a planned plate with its map.
pub async fn insert(conn: &mut PgConnection, new: &NewPlate<'_>, actor: ActorId) -> Result<()> {
    sqlx::query!(
        "insert into plate (id, round_id, batch_id, ordinal, generation, barcode, labware, context, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'planned')",
        new.id.0,
        new.round_id.0,
        new.batch_id.0,
        i32::try_from(new.ordinal).map_err(corrupt)?,
        i32::try_from(new.generation).map_err(corrupt)?,
        new.barcode,
        new.labware,
        new.context
    )
    .execute(&mut *conn)
    .await?;
    insert_wells(conn, new.id, new.wells).await?;
    let body = json!({
        "round_id": new.round_id, "ordinal": new.ordinal, "generation": new.generation,
        "barcode": new.barcode, "context": new.context, "wells": new.wells.len(),
    });
    record(conn, "PlatePlanned", new.id, new.campaign_id, actor, &body).await
}

async fn insert_wells(conn: &mut PgConnection, plate: PlateId, wells: &[PlannedWell]) -> Result<()> {
    let names: Vec<String> = wells.iter().map(|w| w.well.to_string()).collect();
    let roles: Vec<String> = wells.iter().map(|w| w.role.as_str().to_owned()).collect();
    let proposals: Vec<Option<Uuid>> = wells.iter().map(|w| w.proposal.map(|id| id.0)).collect();
    let replicates: Vec<i32> =
        wells.iter().map(|w| i32::try_from(w.replicate)).collect::<Result<_, _>>().map_err(corrupt)?;
    sqlx::query!(
        "insert into well (plate_id, well, role, proposal_id, replicate)
         select $1, * from unnest($2::text[], $3::text[], $4::uuid[], $5::int[])",
        plate.0,
        &names,
        &roles,
        &proposals as &[Option<Uuid>],
        &replicates
    )
    .execute(conn)
    .await?;
    Ok(())
}

macro_rules! plates {
    ($rest:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            "select plate.id, round_id, batch_id, round.campaign_id, ordinal, generation, barcode, labware, context,
                    plate.state, plate.reason, qc, plate.created_at
             from plate
             join round on round.id = plate.round_id " + $rest,
            $($argument),*
        )
    };
}

pub async fn by_id(conn: &mut PgConnection, id: PlateId) -> Result<Option<Plate>> {
    plates!("where plate.id = $1", id.0).fetch_optional(conn).await?.map(Plate::try_from).transpose()
}

/// All generations, by ordinal and generation.
pub async fn of_round(conn: &mut PgConnection, round: RoundId) -> Result<Vec<Plate>> {
    plates!(
        "where round_id = $1
         order by ordinal, generation",
        round.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Plate::try_from)
    .collect()
}

/// Those of `visible` projects, the newest first (ids are ordered by time), at most `limit`, planned before `before`; of
/// one round, in one state, when given. A statement for each: one plan for any of them would go through all plates to
/// the few of a round.
pub async fn list(
    conn: &mut PgConnection,
    visible: &Visible,
    round: Option<RoundId>,
    state: Option<State>,
    before: Option<PlateId>,
    limit: i64,
) -> Result<Vec<Plate>> {
    let before = before.map_or(Uuid::max(), |id| id.0);
    let projects = visible.limit() as Option<Vec<Uuid>>;
    let state = state.map(State::as_str);
    let rows = match (round, state) {
        (Some(round), state) => {
            plates!(
                "join campaign on campaign.id = round.campaign_id
                 where round_id = $4
                   and ($5::text is null or plate.state = $5)
                   and plate.id < $1
                   and ($3::uuid[] is null or project_id = any($3))
                 order by plate.id desc
                 limit $2",
                before,
                limit,
                projects as Option<Vec<Uuid>>,
                round.0,
                state
            )
            .fetch_all(conn)
            .await?
        }
        (None, Some(state)) => {
            plates!(
                "join campaign on campaign.id = round.campaign_id
                 where plate.state = $4
                   and plate.id < $1
                   and ($3::uuid[] is null or project_id = any($3))
                 order by plate.id desc
                 limit $2",
                before,
                limit,
                projects as Option<Vec<Uuid>>,
                state
            )
            .fetch_all(conn)
            .await?
        }
        (None, None) => {
            plates!(
                "join campaign on campaign.id = round.campaign_id
                 where plate.id < $1 and ($3::uuid[] is null or project_id = any($3))
                 order by plate.id desc
                 limit $2",
                before,
                limit,
                projects as Option<Vec<Uuid>>
            )
            .fetch_all(conn)
            .await?
        }
    };
    rows.into_iter().map(Plate::try_from).collect()
}

/// The plate with this barcode, if it was ever planned.
pub async fn by_barcode(conn: &mut PgConnection, barcode: &str) -> Result<Option<Plate>> {
    plates!("where plate.barcode = $1", barcode).fetch_optional(conn).await?.map(Plate::try_from).transpose()
}

/// What changes with a transition.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// For a plate that ends badly, or is quarantined or released.
    pub reason: Option<String>,
    /// For a plate that was judged.
    pub qc: Option<Value>,
}

/// Moves a plate on.
pub async fn apply(
    conn: &mut PgConnection,
    plate: &mut Plate,
    event: Event,
    change: Change,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    let next = match plate.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let updated = sqlx::query!(
        "update plate set state = $3, reason = $4, qc = coalesce($5, qc) where id = $1 and state = $2",
        plate.id.0,
        plate.state.as_str(),
        next.as_str(),
        change.reason,
        change.qc
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    let body = json!({
        "barcode": plate.barcode, "ordinal": plate.ordinal, "generation": plate.generation,
        "from": plate.state, "to": next, "reason": change.reason, "qc": change.qc,
    });
    record(conn, event.record(), plate.id, plate.campaign_id, actor, &body).await?;
    plate.state = next;
    plate.reason = change.reason;
    plate.qc = change.qc.or(plate.qc.take());
    Ok(Moved::Done)
}

/// The plate map, row by row.
pub async fn map(conn: &mut PgConnection, plate: PlateId) -> Result<Vec<MapWell>> {
    let rows =
        sqlx::query!("select well, role, proposal_id, replicate from well where plate_id = $1", plate.0)
            .fetch_all(conn)
            .await?;
    let mut wells = rows
        .into_iter()
        .map(|row| {
            Ok(MapWell {
                well: row.well.parse::<Well>().map_err(corrupt)?,
                role: word(Role::from_column(&row.role), "well.role", &row.role)?,
                proposal: row.proposal_id.map(Into::into),
                replicate: count(row.replicate.into())?,
            })
        })
        .collect::<Result<Vec<MapWell>>>()?;
    wells.sort_by_key(|well| well.well);
    Ok(wells)
}

/// Keeps what a dispense reported, transfer by transfer.
pub async fn add_dispense_records(
    conn: &mut PgConnection,
    job: JobId,
    plate: PlateId,
    records: &[TransferRecord],
) -> Result<()> {
    let index: Vec<i32> =
        records.iter().map(|r| i32::try_from(r.index)).collect::<Result<_, _>>().map_err(corrupt)?;
    let source_barcode: Vec<String> = records.iter().map(|r| r.source_barcode.clone()).collect();
    let source_well: Vec<String> = records.iter().map(|r| r.source_well.clone()).collect();
    let destination_well: Vec<String> = records.iter().map(|r| r.destination_well.to_string()).collect();
    let intended: Vec<i64> = records.iter().map(|r| r.intended_nl.into()).collect();
    let actual: Vec<Option<i64>> = records.iter().map(|r| r.actual_nl.map(Into::into)).collect();
    let error: Vec<Option<String>> = records.iter().map(|r| r.error.clone()).collect();
    sqlx::query!(
        "insert into dispense_record
             (job_id, index, plate_id, source_barcode, source_well, destination_well, intended_nl, actual_nl, error)
         select $1, given.index, $2, source_barcode, source_well, destination_well, intended, actual, error
         from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
             as given (index, source_barcode, source_well, destination_well, intended, actual, error)",
        job.0,
        plate.0,
        &index,
        &source_barcode,
        &source_well,
        &destination_well,
        &intended,
        &actual as &[Option<i64>],
        &error as &[Option<String>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Every transfer onto the plate that a device reported on.
pub async fn dispense_records(conn: &mut PgConnection, plate: PlateId) -> Result<Vec<TransferRecord>> {
    let rows = sqlx::query!(
        "select index, source_barcode, source_well, destination_well, intended_nl, actual_nl, error
         from dispense_record
         where plate_id = $1
         order by job_id, index",
        plate.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TransferRecord {
                index: count(row.index.into())?,
                source_barcode: row.source_barcode,
                source_well: row.source_well,
                destination_well: row.destination_well.parse().map_err(corrupt)?,
                intended_nl: count(row.intended_nl)?,
                actual_nl: row.actual_nl.map(count).transpose()?,
                error: row.error,
            })
        })
        .collect()
}

/// One value of a reader's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoredReading {
    pub well: String,
    pub channel: String,
    pub value: f64,
    pub unit: String,
}

/// Keeps the readings of a plate, with the raw file and the job they come from.
pub async fn add_readings(
    conn: &mut PgConnection,
    plate: PlateId,
    job: JobId,
    raw: Digest,
    readings: &[StoredReading],
) -> Result<()> {
    let well: Vec<String> = readings.iter().map(|r| r.well.clone()).collect();
    let channel: Vec<String> = readings.iter().map(|r| r.channel.clone()).collect();
    let value: Vec<f64> = readings.iter().map(|r| r.value).collect();
    let unit: Vec<String> = readings.iter().map(|r| r.unit.clone()).collect();
    sqlx::query!(
        "insert into reading (plate_id, well, channel, value, unit, job_id, raw_sha256)
         select $1, well, channel, value, unit, $2, $3
         from unnest($4::text[], $5::text[], $6::float8[], $7::text[]) as given (well, channel, value, unit)",
        plate.0,
        job.0,
        raw.0.as_slice(),
        &well,
        &channel,
        &value,
        &unit
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Every reading of a plate.
pub async fn readings(conn: &mut PgConnection, plate: PlateId) -> Result<Vec<StoredReading>> {
    Ok(sqlx::query_as!(
        StoredReading,
        "select well, channel, value, unit from reading where plate_id = $1 order by well, channel",
        plate.0
    )
    .fetch_all(conn)
    .await?)
}

/// Every reading of a plate, by the look that it comes from; the looks in time.
pub async fn looks(conn: &mut PgConnection, plate: PlateId) -> Result<Vec<(Look, Vec<Reading>)>> {
    let rows = sqlx::query!(
        r#"select well, channel, value, unit, reading.job_id, job.instrument, settled_at,
                  encode(raw_sha256, 'hex') as "raw_sha256!"
           from reading
           join job on job.id = reading.job_id
           join job_outcome on job_outcome.job_id = reading.job_id
           where reading.plate_id = $1
           order by settled_at, reading.job_id, well, channel"#,
        plate.0
    )
    .fetch_all(conn)
    .await?;
    let mut looks: Vec<(Look, Vec<Reading>)> = Vec::new();
    for row in rows {
        let job = row.job_id.to_string();
        if looks.last().is_none_or(|(look, _)| look.job != job) {
            let look =
                Look { job, instrument: row.instrument, read_at: row.settled_at, raw_sha256: row.raw_sha256 };
            looks.push((look, Vec::new()));
        }
        let reading = Reading { well: row.well, channel: row.channel, value: row.value, unit: row.unit };
        if let Some((_, readings)) = looks.last_mut() {
            readings.push(reading);
        }
    }
    Ok(looks)
}

/// What a person may decide about a quarantined plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Let it train all the same.
    Release,
    /// Make it again.
    Repeat,
    /// Its proposals are given up.
    GiveUp,
}

impl Decision {
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Release => "release",
            Decision::Repeat => "repeat",
            Decision::GiveUp => "give_up",
        }
    }
}

/// Keeps a decision.
pub async fn add_decision(
    conn: &mut PgConnection,
    plate: PlateId,
    decision: Decision,
    reason: &str,
    actor: ActorId,
) -> Result<()> {
    sqlx::query!(
        "insert into plate_decision (plate_id, decision, actor_id, reason) values ($1, $2, $3, $4)",
        plate.0,
        decision.as_str(),
        actor.0,
        reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: PlateId,
    campaign: CampaignId,
    actor: ActorId,
    body: &Value,
) -> Result<()> {
    let subject_id = id.to_string();
    moved::record(conn, Record { kind, subject: "plate", subject_id, campaign, actor, body }).await
}
