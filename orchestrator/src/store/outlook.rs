//! What the view of the time to come asks of every campaign that is not over: each question once, for all of them.

use super::Result;
use super::moved::{corrupt, count, word};
use crate::campaigns::Spec;
use crate::campaigns::state::State;
use crate::ids::{CampaignId, ProjectId, RoundId};
use crate::rounds::spent::Tally;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A campaign that is not over, in its current edition.
#[derive(Clone, Debug)]
pub struct Ongoing {
    pub id: CampaignId,
    pub project_id: ProjectId,
    pub name: String,
    pub state: State,
    pub spec: Spec,
    /// Experiments of the design space.
    pub pool_size: u64,
    /// Laboratory time at which its calendar begins.
    pub since: DateTime<Utc>,
    /// The last tick that was judged.
    pub last_tick: Option<DateTime<Utc>>,
    /// A tick waits.
    pub one_waits: bool,
}

/// Every one: the active, then the draining, then the paused, each in order of creation.
pub async fn ongoing(conn: &mut PgConnection) -> Result<Vec<Ongoing>> {
    let rows = sqlx::query!(
        r#"select campaign.id, project_id, name, state, calendar_since_lab_at, spec, pool_size,
                  (select max(nominal_lab_at) from tick where tick.campaign_id = campaign.id) as last_tick,
                  exists (select from tick where tick.campaign_id = campaign.id and tick.state = 'waiting')
                      as "one_waits!"
           from campaign
           join campaign_version on campaign_version.campaign_id = campaign.id
               and campaign_version.version = campaign.current_version
           where state in ('active', 'draining', 'paused')
           order by state, campaign.id"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Ongoing {
                id: row.id.into(),
                project_id: row.project_id.into(),
                name: row.name,
                state: word(State::from_column(&row.state), "campaign.state", &row.state)?,
                spec: serde_json::from_value(row.spec).map_err(corrupt)?,
                pool_size: u64::try_from(row.pool_size).map_err(corrupt)?,
                since: row.calendar_since_lab_at,
                last_tick: row.last_tick,
                one_waits: row.one_waits,
            })
        })
        .collect()
}

/// As [`Tally::of`] the rounds of each of these campaigns that has any.
pub async fn tallies(
    conn: &mut PgConnection,
    campaigns: &[CampaignId],
) -> Result<BTreeMap<CampaignId, Tally>> {
    let campaigns: Vec<Uuid> = campaigns.iter().map(|campaign| campaign.0).collect();
    let rows = sqlx::query!(
        r#"select campaign_id,
                  count(*) filter (where state = 'closed') as "closed!",
                  count(*) filter (where state not in ('closed', 'cancelled', 'failed')) as "live!",
                  coalesce(sum(hits), 0)::bigint as "hits!",
                  coalesce(array_agg(id) filter (where hits is null), '{}') as "open!: Vec<Uuid>",
                  coalesce(sum(proposed) filter (where state = 'closed'), 0)::bigint as "answered!",
                  coalesce(bool_or(proposed is null) filter (where state = 'closed'), false) as "one_is_silent!"
           from (
               select campaign_id, id, state, (summary->>'hits_found')::bigint
                          - coalesce((summary->>'hits_withdrawn')::bigint, 0) as hits,
                      (summary->>'proposed')::bigint as proposed
               from round
               where campaign_id = any($1)
               order by campaign_id, number
           ) as said
           group by campaign_id"#,
        &campaigns
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let tally = Tally {
                closed: count(row.closed)?,
                live: count(row.live)?,
                hits: count(row.hits)?,
                open: row.open.into_iter().map(RoundId).collect(),
                answered_at_most: if row.one_is_silent {
                    None
                } else {
                    Some(u64::try_from(row.answered).map_err(corrupt)?)
                },
            };
            Ok((row.campaign_id.into(), tally))
        })
        .collect()
}
