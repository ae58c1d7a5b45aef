//! What is known of the time to come: plates under way with their reading windows, and how long approvals took.

use super::Result;
use crate::ids::{CampaignId, RoundId};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

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

/// Plates of a round that are not judged yet, by number.
pub async fn plates_under_way(conn: &mut PgConnection, round: RoundId) -> Result<Vec<PlateUnderWay>> {
    let rows = sqlx::query!(
        r#"select plate.barcode, plate.state,
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
               from job
               join job_waiting on job_waiting.job_id = job.id
               where job.plate_id = plate.id and job.kind = 'move' and not_before_lab_at is not null
               order by not_before_lab_at
               limit 1
           ) as arrival on true
           where plate.round_id = $1 and plate.state in ('planned', 'dispensing', 'incubating', 'reading')
           order by plate.ordinal, plate.generation"#,
        round.0
    )
    .fetch_all(conn)
    .await?;
    let plates = rows.into_iter().map(|row| {
        let window = row.since_lab_at.zip(row.read_from_lab_at);
        let incubating = window.map(|(since_lab_at, read_from_lab_at)| Incubating {
            since_lab_at,
            read_from_lab_at,
            read_to_lab_at: row.read_to_lab_at.unwrap_or(read_from_lab_at),
        });
        // On its way to the reader it waits for nothing any more.
        let reading = row.state == "reading" || (row.since_lab_at.is_some() && incubating.is_none());
        PlateUnderWay { barcode: row.barcode, incubating, reading }
    });
    Ok(plates.collect())
}

/// The median of laboratory hours in which batches of the campaign waited for people; `None` before the first.
pub async fn approval_hours(conn: &mut PgConnection, campaign: CampaignId) -> Result<Option<f64>> {
    Ok(sqlx::query_scalar!(
        r#"select percentile_cont(0.5) within group (
               order by extract(epoch from left_lab_at - entered_lab_at)::float8 / 3600.0)
           from (
               select stage, entered_lab_at,
                      lead(entered_lab_at) over (partition by round_id order by entry) as left_lab_at
               from round_stage
               join round on round.id = round_stage.round_id
               where round.campaign_id = $1
           ) as stages
           where stage = 'awaiting_approval' and left_lab_at is not null"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?)
}
