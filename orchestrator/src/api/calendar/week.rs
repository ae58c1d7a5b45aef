//! `GET /calendar`

use crate::api::access::Caller;
use crate::api::extract::{Json, Query};
use crate::api::problem::Problem;
use crate::api::state::AppState;
use crate::calendar::week::{self, Week};
use crate::calendar::{Moment, Zone};
use crate::campaigns::outlook;
use crate::store::clock;
use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

/// Days of the longest view.
const MOST_DAYS: i64 = 92;
const DEFAULT_DAYS: i64 = 7;

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// A local date or time of `zone`, or an instant with its offset; now when absent.
    from: Option<String>,
    /// The same (a date: to its end); a week after `from` when absent, 92 days at most.
    to: Option<String>,
    /// IANA name; whose days the load is counted by. UTC when absent.
    zone: Option<String>,
}

/// The time to come.
///
/// When rounds begin, by when approval is needed, when plates are dispensed, incubated and read, what they need,
/// and what does not fit. Campaigns of projects that the caller may not read count in the load and are not shown. Facts are `certain`, the rest is a forecast: as fast as batches were approved so far.
#[utoipa::path(get, path = "/calendar", tag = "calendar", params(Wanted),
    responses((status = 200, body = Week), (status = 422, body = Problem, description = "`calendar.range_invalid`, `calendar.zone_unknown`")))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Week>, Problem> {
    let zone = zone(wanted.zone.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let now = clock::lab_now(&mut conn).await?;
    let from = wanted.from.map_or(Ok(now), |text| instant(&text, |moment| moment.begin(zone)))?;
    let to = match wanted.to {
        Some(text) => instant(&text, |moment| moment.end(zone))?,
        None => from.checked_add_signed(Duration::days(DEFAULT_DAYS)).unwrap_or(from),
    };
    if from >= to || to - from > Duration::days(MOST_DAYS) {
        let detail =
            format!("From {from} to {to} is no view: `to` is after `from`, by {MOST_DAYS} days at most.");
        return Err(Problem::unprocessable("calendar.range_invalid", detail));
    }
    let outlook = outlook::read(&mut conn, from, to, zone, &caller.visible()).await?;
    drop(conn);
    Ok(Json(week::week(&outlook)))
}

/// The zone of this name; UTC without one.
pub(in crate::api) fn zone(name: Option<&str>) -> Result<Zone, Problem> {
    name.map_or(Ok(Zone::UTC), |name| {
        name.parse().map_err(|error| Problem::unprocessable("calendar.zone_unknown", format!("{error}.")))
    })
}

fn instant(text: &str, local: impl Fn(Moment) -> DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let moment = text.parse::<Moment>();
    moment.map(local).map_err(|error| Problem::unprocessable("calendar.range_invalid", format!("{error}.")))
}
