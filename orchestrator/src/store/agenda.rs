//! What is known of the time to come: plates under way with their reading windows, and how long approvals took.

use super::Result;
use crate::ids::{CampaignId, RoundId};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A plate of a live round that is not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlateUnderWay {
    pub barcode: String,
    /// It stands in the incubator, and is to be read from .. to.
    pub incubating: Option<Incubating>,
    /// It is at the reader.
    pub reading: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incubating {
    pub since_lab_at: DateTime<Utc>,
    pub read_from_lab_at: DateTime<Utc>,
    pub read_to_lab_at: DateTime<Utc>,
}

/// Plates that are not judged yet of each of these rounds that has any, by number. From each plate's jobs on (`offset 0`):
/// else all that waits would be gone through for each plate.
pub async fn plates_under_way(
    conn: &mut PgConnection,
    rounds: &[RoundId],
) -> Result<BTreeMap<RoundId, Vec<PlateUnderWay>>> {
    let rounds: Vec<Uuid> = rounds.iter().map(|round| round.0).collect();
    let rows = sqlx::query!(
        r#"select plate.round_id, plate.barcode, plate.state,
                  incubation.settled_lab_at as "since_lab_at?",
                  arrival.not_before_lab_at as "read_from_lab_at?",
                  arrival.deadline_lab_at as "read_to_lab_at?"
           from plate
           left join lateral (
               select settled_lab_at
               from job
               join job_outcome on job_outcome.job_id = job.id
               where job.plate_id = plate.id and job.kind = 'incubate' and job_outcome.state = 'succeeded'
               order by settled_lab_at desc
               limit 1
           ) as incubation on true
           left join lateral (
               select not_before_lab_at, deadline_lab_at
               from (select id from job where job.plate_id = plate.id and job.kind = 'move' offset 0) as step
               cross join lateral (select * from job_waiting where job_waiting.job_id = step.id offset 0) as waits
               where not_before_lab_at is not null
               order by not_before_lab_at
               limit 1
           ) as arrival on true
           where plate.round_id = any($1) and plate.state in ('planned', 'dispensing', 'incubating', 'reading')
           order by plate.ordinal, plate.generation"#,
        &rounds
    )
    .fetch_all(conn)
    .await?;
    let mut plates: BTreeMap<RoundId, Vec<PlateUnderWay>> = BTreeMap::new();
    for row in rows {
        let window = row.since_lab_at.zip(row.read_from_lab_at);
        let incubating = window.map(|(since_lab_at, read_from_lab_at)| Incubating {
            since_lab_at,
            read_from_lab_at,
            read_to_lab_at: row.read_to_lab_at.unwrap_or(read_from_lab_at),
        });
        // On its way to the reader it waits for nothing any more.
        let reading = row.state == "reading" || (row.since_lab_at.is_some() && incubating.is_none());
        let plate = PlateUnderWay { barcode: row.barcode, incubating, reading };
        plates.entry(row.round_id.into()).or_default().push(plate);
    }
    Ok(plates)
}

/// Rounds whose approvals are looked back on.
const RECENT: i64 = 10;

/// The median of laboratory hours in which batches of a campaign waited for people, over its last [`RECENT`] rounds; a
/// campaign that none has waited in is left out.
pub async fn approval_hours(
    conn: &mut PgConnection,
    campaigns: &[CampaignId],
) -> Result<BTreeMap<CampaignId, f64>> {
    let campaigns: Vec<Uuid> = campaigns.iter().map(|campaign| campaign.0).collect();
    let rows = sqlx::query!(
        r#"select asked.id as "id!", waited.hours as "hours!"
           from unnest($1::uuid[]) as asked (id)
           cross join lateral (
               select percentile_cont(0.5) within group (
                   order by extract(epoch from left_lab_at - entered_lab_at)::float8 / 3600.0) as hours
               from (
                   select stage, entered_lab_at,
                          lead(entered_lab_at) over (partition by round_id order by entry) as left_lab_at
                   from (
                       select id from round where campaign_id = asked.id order by number desc limit $2
                   ) as recent
                   join round_stage on round_stage.round_id = recent.id
               ) as stages
               where stage = 'awaiting_approval' and left_lab_at is not null
           ) as waited
           where waited.hours is not null"#,
        &campaigns,
        RECENT
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.into(), row.hours)).collect())
}
