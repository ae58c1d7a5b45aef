//! What an instrument did, day by day, and what waits for it.

use crate::calendar::Zone;
use crate::store::error::Result;
use crate::store::moved::corrupt;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use jobs::work::Kind;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

/// Jobs looked back on at most: the newest.
const RECENT: i64 = 5_000;

/// What an instrument did on the last days, and what is before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstrumentWork {
    /// Held by its agent now.
    pub running: u32,
    /// May begin on it as far as their plates are concerned.
    pub ready: u32,
    /// Wait for other jobs, or for their time.
    pub waiting: u32,
    pub in_doubt: u32,
    /// Of local time, the oldest first; real time, whatever the laboratory's clock does.
    pub days: Vec<InstrumentDay>,
    /// Over all these days, by kind.
    pub kinds: Vec<InstrumentKind>,
    /// It did more than the newest 5,000 jobs that are counted here: the first days lack some.
    pub cut: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstrumentDay {
    pub day: NaiveDate,
    /// Attempts that ended on it.
    pub succeeded: u32,
    /// Failed, stopped, or ended in doubt.
    pub not_succeeded: u32,
    /// Added up over the steps that ran, also beside each other (an incubator's plates).
    pub busy_seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstrumentKind {
    pub kind: Kind,
    pub succeeded: u32,
    pub not_succeeded: u32,
    /// From its begin to its end, of those that succeeded, in seconds.
    pub median_seconds: Option<f64>,
}

/// The work of `instrument` on the `days` days up to today in `zone`. Nothing of an instrument that is not known.
pub async fn of(
    conn: &mut PgConnection,
    instrument: &str,
    zone: Zone,
    now: DateTime<Utc>,
    days: u64,
) -> Result<InstrumentWork> {
    let today = zone.wall(now).date();
    let dates: Vec<NaiveDate> =
        (0..days).rev().filter_map(|back| today.checked_sub_days(Days::new(back))).collect();
    let midnight = |day: NaiveDate| zone.instant(day.and_time(NaiveTime::MIN));
    let begins: Vec<DateTime<Utc>> = dates.iter().map(|day| midnight(*day)).collect();
    let ends: Vec<DateTime<Utc>> =
        dates.iter().map(|day| midnight(day.checked_add_days(Days::new(1)).unwrap_or(*day))).collect();
    let now_at_it = sqlx::query!(
        r#"select
             (select count(*) from lease join job on job.id = lease.job_id where job.instrument = $1) as "running!",
             (select count(*) from job_ready where instrument = $1) as "ready!",
             (select count(*) from job_waiting join job on job.id = job_waiting.job_id where job.instrument = $1)
                 as "waiting!",
             (select count(*) from job_in_doubt join job on job.id = job_in_doubt.job_id where job.instrument = $1)
                 as "in_doubt!",
             (select count(*) from (select from job where instrument = $1 limit $2) as counted) = $2 as "many!",
             (select min(created_at) from (
                 select created_at from job where instrument = $1 order by id desc limit $2) as recent) as oldest"#,
        instrument,
        RECENT
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        r#"with recent as materialized (
             select id from job where instrument = $3 order by id desc limit $4
         ), done as materialized (
             select started_at, ended_at, ending
             from recent
             join job_attempt on job_attempt.job_id = recent.id
             where ended_at >= ($1::timestamptz[])[1] and started_at is not null
             union all
             select started_at, null, null
             from recent
             join lease on lease.job_id = recent.id
             where started_at is not null
         )
         select
             count(*) filter (where ending = 'succeeded' and ended_at >= begins and ended_at < ends) as "succeeded!",
             count(*) filter (where ending <> 'succeeded' and ended_at >= begins and ended_at < ends)
                 as "not_succeeded!",
             coalesce(sum(extract(epoch from
                 least(coalesce(ended_at, now()), ends, now()) - greatest(started_at, begins)))
                 filter (where started_at is not null), 0)::float8 as "busy_seconds!"
         from unnest($1::timestamptz[], $2::timestamptz[]) with ordinality as day (begins, ends, place)
         left join done on started_at < ends and coalesce(ended_at, now()) >= begins
         group by place
         order by place"#,
        &begins,
        &ends,
        instrument,
        RECENT
    )
    .fetch_all(&mut *conn)
    .await?;
    let kinds = sqlx::query!(
        r#"select recent.kind as "kind!",
             count(*) filter (where ending = 'succeeded') as "succeeded!",
             count(*) filter (where ending <> 'succeeded') as "not_succeeded!",
             percentile_cont(0.5) within group (order by extract(epoch from ended_at - started_at)::float8)
                 filter (where ending = 'succeeded') as median_seconds
         from (select id, kind from job where instrument = $1 order by id desc limit $3) as recent
         join job_attempt on job_attempt.job_id = recent.id
         where ended_at >= $2 and started_at is not null
         group by recent.kind
         order by recent.kind"#,
        instrument,
        begins.first().copied().unwrap_or(now),
        RECENT
    )
    .fetch_all(conn)
    .await?;
    let number = |count: i64| u32::try_from(count).map_err(corrupt);
    Ok(InstrumentWork {
        running: number(now_at_it.running)?,
        ready: number(now_at_it.ready)?,
        waiting: number(now_at_it.waiting)?,
        in_doubt: number(now_at_it.in_doubt)?,
        cut: now_at_it.many
            && begins.first().zip(now_at_it.oldest).is_some_and(|(begin, oldest)| oldest > *begin),
        days: dates
            .into_iter()
            .zip(rows)
            .map(|(day, row)| {
                Ok(InstrumentDay {
                    day,
                    succeeded: number(row.succeeded)?,
                    not_succeeded: number(row.not_succeeded)?,
                    busy_seconds: row.busy_seconds,
                })
            })
            .collect::<Result<_>>()?,
        kinds: kinds
            .into_iter()
            .map(|row| {
                Ok(InstrumentKind {
                    kind: row.kind.parse().map_err(corrupt)?,
                    succeeded: number(row.succeeded)?,
                    not_succeeded: number(row.not_succeeded)?,
                    median_seconds: row.median_seconds,
                })
            })
            .collect::<Result<_>>()?,
    })
}
