//! Campaigns and their versions.

use super::Result;
use super::editions;
use super::moved::{self, Moved, Record, corrupt, count, digest};
use crate::campaigns::Spec;
use crate::campaigns::policy::Policy;
use crate::campaigns::state::{Event, Rejected, State};
use crate::ids::{ActorId, CampaignId, ProjectId};
use crate::people::Visible;
use chrono::{DateTime, Utc};
use jobs::Digest;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    pub id: CampaignId,
    pub project_id: ProjectId,
    pub name: String,
    pub state: State,
    /// The version that the next round begins with.
    pub current_version: u32,
    /// Every seed of its rounds, batches and models derives from it.
    pub seed: u64,
    pub finished_reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// One edition of a campaign; never changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub version: u32,
    pub spec: Spec,
    /// The file as it was written.
    pub toml: String,
    /// Every experiment that may be asked for (CSV `perturbation,context`).
    pub pool: Digest,
    pub pool_size: u64,
    pub features: Vec<Digest>,
    pub priors: Vec<Digest>,
}

pub struct NewCampaign<'a> {
    pub id: CampaignId,
    pub project_id: ProjectId,
    pub seed: u64,
    pub version: &'a Version,
    pub actor: ActorId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Created,
    /// The project has a campaign of this name.
    NameTaken(CampaignId),
}

struct Row {
    id: uuid::Uuid,
    project_id: uuid::Uuid,
    name: String,
    state: String,
    current_version: i32,
    seed: i64,
    finished_reason: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Campaign {
    type Error = super::Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Campaign {
            id: row.id.into(),
            project_id: row.project_id.into(),
            state: moved::word(State::from_column(&row.state), "campaign.state", &row.state)?,
            name: row.name,
            current_version: count(row.current_version.into())?,
            seed: u64::try_from(row.seed).map_err(corrupt)?,
            finished_reason: row.finished_reason,
            created_at: row.created_at,
        })
    }
}

/// Inserts the campaign with its first version.
pub async fn insert(conn: &mut PgConnection, new: &NewCampaign<'_>) -> Result<Inserted> {
    let version = new.version;
    let seed = i64::try_from(new.seed).map_err(corrupt)?;
    let number = i32::try_from(version.version).map_err(corrupt)?;
    let inserted = sqlx::query!(
        "insert into campaign (id, project_id, name, current_version, seed)
         values ($1, $2, $3, $4, $5)
         on conflict (project_id, name) do nothing",
        new.id.0,
        new.project_id.0,
        version.spec.name,
        number,
        seed
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if inserted == 0 {
        let taken = sqlx::query_scalar!(
            "select id from campaign where project_id = $1 and name = $2",
            new.project_id.0,
            version.spec.name
        )
        .fetch_one(&mut *conn)
        .await?;
        return Ok(Inserted::NameTaken(taken.into()));
    }
    insert_version(conn, new.id, version, new.actor).await?;
    let body = json!({
        "name": version.spec.name, "version": version.version, "seed": new.seed,
        "pool": version.pool, "pool_size": version.pool_size,
    });
    record(conn, "CampaignCreated", new.id, new.actor, &body).await?;
    Ok(Inserted::Created)
}

async fn insert_version(
    conn: &mut PgConnection,
    campaign: CampaignId,
    version: &Version,
    actor: ActorId,
) -> Result<()> {
    let bytes = |digests: &[Digest]| digests.iter().map(|digest| digest.0.to_vec()).collect::<Vec<_>>();
    sqlx::query!(
        "insert into campaign_version
             (campaign_id, version, spec, toml, pool_sha256, pool_size, feature_sha256s, prior_sha256s, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        campaign.0,
        i32::try_from(version.version).map_err(corrupt)?,
        serde_json::to_value(&version.spec).map_err(corrupt)?,
        version.toml,
        version.pool.0.as_slice(),
        i64::try_from(version.pool_size).map_err(corrupt)?,
        &bytes(&version.features),
        &bytes(&version.priors),
        actor.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn by_id(conn: &mut PgConnection, id: CampaignId) -> Result<Option<Campaign>> {
    sqlx::query_as!(
        Row,
        "select id, project_id, name, state, current_version, seed, finished_reason, created_at
         from campaign where id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Campaign::try_from)
    .transpose()
}

/// Those of these that there are, in no order.
pub async fn by_ids(conn: &mut PgConnection, ids: &[CampaignId]) -> Result<Vec<Campaign>> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Row,
        "select id, project_id, name, state, current_version, seed, finished_reason, created_at
         from campaign where id = any($1)",
        &ids
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Campaign::try_from)
    .collect()
}

pub async fn by_name(conn: &mut PgConnection, project: ProjectId, name: &str) -> Result<Option<Campaign>> {
    sqlx::query_as!(
        Row,
        "select id, project_id, name, state, current_version, seed, finished_reason, created_at
         from campaign where project_id = $1 and name = $2",
        project.0,
        name
    )
    .fetch_optional(conn)
    .await?
    .map(Campaign::try_from)
    .transpose()
}

/// Those in `visible` projects, in order of creation, at most `limit`, after `after` (an identity; they are ordered
/// by time).
pub async fn list(
    conn: &mut PgConnection,
    visible: &Visible,
    after: Option<CampaignId>,
    limit: i64,
) -> Result<Vec<Campaign>> {
    sqlx::query_as!(
        Row,
        "select id, project_id, name, state, current_version, seed, finished_reason, created_at
         from campaign
         where ($1::uuid is null or id > $1)
           and ($3::uuid[] is null or project_id = any($3))
         order by id
         limit $2",
        after.map(|id| id.0),
        limit,
        visible.limit() as Option<Vec<uuid::Uuid>>
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Campaign::try_from)
    .collect()
}

/// In this state, in order of creation.
pub async fn in_state(conn: &mut PgConnection, state: State) -> Result<Vec<CampaignId>> {
    let ids = sqlx::query_scalar!("select id from campaign where state = $1 order by id", state.as_str())
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(CampaignId).collect())
}

/// Where the calendar of a campaign stands, by the laboratory's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnCalendar {
    /// When the campaign was created: its calendar begins there.
    pub since: DateTime<Utc>,
    /// The last tick that was judged.
    pub last_tick: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

pub async fn on_calendar(conn: &mut PgConnection, id: CampaignId) -> Result<OnCalendar> {
    Ok(sqlx::query_as!(
        OnCalendar,
        r#"select calendar_since_lab_at as since,
             (select max(nominal_lab_at) from tick where campaign_id = campaign.id) as last_tick,
             lab_now() as "now!"
           from campaign
           where id = $1"#,
        id.0
    )
    .fetch_one(conn)
    .await?)
}

/// While a round is live and no tick waits, the calendar is looked at again from `at` on (`None`: no more).
pub async fn look_again(conn: &mut PgConnection, id: CampaignId, at: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query!(
        "update campaign set calendar_look_lab_at = coalesce($2, 'infinity'::timestamptz) where id = $1",
        id.0,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the campaign's row lock; `None` when another has it.
pub async fn lock(conn: &mut PgConnection, id: CampaignId) -> Result<Option<Campaign>> {
    sqlx::query_as!(
        Row,
        "select id, project_id, name, state, current_version, seed, finished_reason, created_at
         from campaign where id = $1
         for no key update skip locked",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Campaign::try_from)
    .transpose()
}

/// Takes the campaign's row lock, waiting for it (commands of people).
pub async fn lock_waiting(conn: &mut PgConnection, id: CampaignId) -> Result<Option<Campaign>> {
    sqlx::query_as!(
        Row,
        "select id, project_id, name, state, current_version, seed, finished_reason, created_at
         from campaign where id = $1
         for no key update",
        id.0
    )
    .fetch_optional(conn)
    .await?
    .map(Campaign::try_from)
    .transpose()
}

/// One edition; `None` when the campaign has no such version.
pub async fn version(conn: &mut PgConnection, id: CampaignId, version: u32) -> Result<Option<Version>> {
    let number = i32::try_from(version).map_err(corrupt)?;
    let Some(row) = sqlx::query!(
        "select spec, toml, pool_sha256, pool_size, feature_sha256s, prior_sha256s
         from campaign_version where campaign_id = $1 and version = $2",
        id.0,
        number
    )
    .fetch_optional(conn)
    .await?
    else {
        return Ok(None);
    };
    let digests = |many: Vec<Vec<u8>>| many.iter().map(|bytes| digest(bytes)).collect::<Result<Vec<_>>>();
    Ok(Some(Version {
        version,
        spec: serde_json::from_value(row.spec).map_err(corrupt)?,
        toml: row.toml,
        pool: digest(&row.pool_sha256)?,
        pool_size: u64::try_from(row.pool_size).map_err(corrupt)?,
        features: digests(row.feature_sha256s)?,
        priors: digests(row.prior_sha256s)?,
    }))
}

/// The same of an edition that was committed before: read once, then remembered.
pub async fn edition(conn: &mut PgConnection, id: CampaignId, number: u32) -> Result<Option<Arc<Version>>> {
    match editions::known((id, number)) {
        Ok(known) => Ok(Some(known)),
        Err(since) => {
            Ok(version(conn, id, number).await?.map(|read| editions::keep((id, number), read, since)))
        }
    }
}

/// Who must approve batches of these editions.
pub async fn policies(
    conn: &mut PgConnection,
    editions: &BTreeSet<(CampaignId, u32)>,
) -> Result<BTreeMap<(CampaignId, u32), Policy>> {
    let campaigns: Vec<uuid::Uuid> = editions.iter().map(|(campaign, _)| campaign.0).collect();
    let versions: Vec<i32> = editions
        .iter()
        .map(|(_, version)| i32::try_from(*version))
        .collect::<Result<_, _>>()
        .map_err(corrupt)?;
    let rows = sqlx::query!(
        r#"select campaign_id, version, coalesce(spec->'policy', '{}') as "policy!"
           from unnest($1::uuid[], $2::int[]) as wanted (id, number)
           join campaign_version on campaign_id = wanted.id and version = wanted.number"#,
        &campaigns,
        &versions
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let edition = (CampaignId(row.campaign_id), count(row.version.into())?);
            Ok((edition, serde_json::from_value(row.policy).map_err(corrupt)?))
        })
        .collect()
}

/// Moves a campaign on; `because` where it ends.
pub async fn apply(
    conn: &mut PgConnection,
    campaign: &mut Campaign,
    event: Event,
    because: &str,
    actor: ActorId,
) -> Result<Moved<Rejected>> {
    let next = match campaign.state.next(event) {
        Ok(next) => next,
        Err(rejected) => return Ok(Moved::Rejected(rejected)),
    };
    let reason = next.is_terminal().then(|| because.to_owned());
    let updated = sqlx::query!(
        "update campaign set state = $3, finished_reason = $4 where id = $1 and state = $2",
        campaign.id.0,
        campaign.state.as_str(),
        next.as_str(),
        reason
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if updated == 0 {
        return Ok(Moved::ChangedMeanwhile);
    }
    let body = json!({"from": campaign.state, "to": next, "reason": because});
    record(conn, event.record(), campaign.id, actor, &body).await?;
    campaign.state = next;
    campaign.finished_reason = reason;
    Ok(Moved::Done)
}

async fn record(
    conn: &mut PgConnection,
    kind: &'static str,
    id: CampaignId,
    actor: ActorId,
    body: &serde_json::Value,
) -> Result<()> {
    let subject_id = id.to_string();
    moved::record(conn, Record { kind, subject: "campaign", subject_id, campaign: id, actor, body }).await
}
