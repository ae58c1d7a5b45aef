//! Jobs as people see them.

use crate::ids::{CampaignId, PlateId, RoundId};
use crate::people::Visible;
use crate::store::error::{Error, Result};
use ::jobs::JobId;
use ::jobs::state::State;
use ::jobs::work::Kind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// A line of the list of jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = JobSummary)]
pub struct Summary {
    pub id: JobId,
    pub kind: Kind,
    pub state: State,
    pub queue: String,
    pub instrument: Option<String>,
    pub priority: i16,
    pub campaign_id: Option<CampaignId>,
    pub round_id: Option<RoundId>,
    pub plate_id: Option<PlateId>,
    pub resource: Option<String>,
    /// The job in whose stead it is done.
    pub replaces: Option<JobId>,
    pub created_at: DateTime<Utc>,
    pub not_before_lab_at: Option<DateTime<Utc>>,
    pub deadline_lab_at: Option<DateTime<Utc>>,
    /// Name of whoever holds it.
    pub worker: Option<String>,
    /// What its worker last said.
    pub progress: Option<Value>,
    pub failure: Option<Value>,
    pub settled_at: Option<DateTime<Utc>>,
    pub settled_lab_at: Option<DateTime<Utc>>,
}

/// Which jobs are wanted; all that are given must fit.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub kind: Option<Kind>,
    pub round_id: Option<RoundId>,
    pub plate_id: Option<PlateId>,
    /// Addressed to it.
    pub instrument: Option<String>,
}

/// The state of a job; `None` when there is none.
pub async fn state_of(conn: &mut PgConnection, job: JobId) -> Result<Option<State>> {
    let word = sqlx::query_scalar!(r#"select state as "state!" from job_state where job_id = $1"#, job.0)
        .fetch_optional(conn)
        .await?;
    word.map(|word| state(&word)).transpose()
}

/// The campaign that a job belongs to, if it does to one.
pub async fn campaign_of(conn: &mut PgConnection, job: JobId) -> Result<Option<CampaignId>> {
    let campaign =
        sqlx::query_scalar!("select campaign_id from job where id = $1", job.0).fetch_optional(conn).await?;
    Ok(campaign.flatten().map(Into::into))
}

/// How many jobs of a kind (of one that waits for no other job) the campaign has without an outcome. Read are those that wait in
/// the kind's queue or are held, never what is over.
pub async fn unanswered(conn: &mut PgConnection, campaign: CampaignId, kind: Kind) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from (
               select job_id from job_ready where queue = $3
               union all
               select job_id from lease
           ) as there
           join job on job.id = there.job_id
           where job.campaign_id = $1 and job.kind = $2"#,
        campaign.0,
        kind.as_str(),
        kind.queue()
    )
    .fetch_one(conn)
    .await?)
}

/// Between our looks it may move on by itself, at most from waiting over ready to leased and beyond.
const LOOKS: usize = 4;

/// The state of a job, with the row that says so locked for this transaction; `None` when there is no such job.
pub async fn lock_state(conn: &mut PgConnection, job: JobId) -> Result<Option<State>> {
    for _ in 0..LOOKS {
        let locked = sqlx::query_scalar!(
            r#"with waiting as (select 'waiting' as state from job_waiting where job_id = $1 for update),
                   ready as (select 'ready' as state from job_ready where job_id = $1 for update),
                   held as (select phase as state from lease where job_id = $1 for update),
                   doubt as (select 'in_doubt' as state from job_in_doubt where job_id = $1 for update)
               select state as "state!" from waiting
               union all select state from ready
               union all select state from held
               union all select state from doubt"#,
            job.0
        )
        .fetch_optional(&mut *conn)
        .await?;
        if let Some(word) = locked {
            return state(&word).map(Some);
        }
        match state_of(conn, job).await? {
            None => return Ok(None),
            Some(ended) if ended.is_terminal() => return Ok(Some(ended)),
            // It moved from one table to the next between the looks.
            Some(_) => {}
        }
    }
    Err(Error::Contended(sqlx::Error::RowNotFound))
}

/// [`Summary`] of each job of a page: the query of `job_id`s that the literals are together.
macro_rules! summaries {
    ([$($page:literal),+], $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select
                 job.id, job.kind, job_state.state as "state!", job.queue, job.instrument, job.priority,
                 job.campaign_id, job.round_id, job.plate_id, job.resource, job.replaces, job.created_at,
                 job_waiting.not_before_lab_at as "not_before_lab_at?",
                 coalesce(job_waiting.deadline_lab_at, job_ready.deadline_lab_at, lease.deadline_lab_at)
                     as deadline_lab_at,
                 actor.name as "worker?", lease.progress as "progress?",
                 job_outcome.failure as "failure?", job_outcome.settled_at as "settled_at?",
                 job_outcome.settled_lab_at as "settled_lab_at?"
             from ("# + $($page +)+ r#") as page
             join job on job.id = page.job_id
             join job_state on job_state.job_id = job.id
             left join job_waiting on job_waiting.job_id = job.id
             left join job_ready on job_ready.job_id = job.id
             left join lease on lease.job_id = job.id
             left join actor on actor.id = lease.worker
             left join job_outcome on job_outcome.job_id = job.id
             order by job.id desc"#,
            $($argument),+
        )
    };
}

/// The page of the jobs that are in one table, `$there`, read along its key.
macro_rules! held {
    ($there:literal, $($argument:expr),+) => {
        summaries!(
            ["select there.job_id from ", $there, " as there
             join job on job.id = there.job_id
             left join campaign on campaign.id = job.campaign_id
             where ($1::uuid is null or there.job_id < $1)
                 and ($2::text is null or job.kind = $2)
                 and ($3::uuid[] is null or campaign.project_id = any($3))
                 and ($5::text is null or job.instrument = $5)
             order by there.job_id desc
             limit $4"],
            $($argument),+
        )
    };
}

/// The page of the jobs of a few projects, joined with `$there`: the newest of each campaign, so that what others
/// have done since is passed over.
macro_rules! of_projects {
    ($there:literal, $($argument:expr),+) => {
        summaries!(
            ["select there.job_id
             from campaign
             cross join lateral (
                 select job.id as job_id
                 from job ", $there, "
                 where job.campaign_id = campaign.id
                     and ($1::uuid is null or job.id < $1)
                     and ($2::text is null or job.kind = $2)
                 order by job.id desc
                 limit $4
             ) as there
             where campaign.project_id = any($3)
             order by there.job_id desc
             limit $4"],
            $($argument),+
        )
    };
}

/// Up to `limit` jobs of `visible` projects, newest first, behind the job `after`.
///
/// However many there are: read are those of the page, those of its round, plate or instrument, or those that are in a
/// state in which few are.
pub async fn list(
    conn: &mut PgConnection,
    visible: &Visible,
    filter: &Filter,
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<Summary>> {
    let projects = visible.limit();
    let projects = projects.as_deref();
    let wanted = Wanted { filter, projects, after: after.map(|id| id.0), limit };
    let of_few = filter.kind.is_some_and(has_few);
    let rows = match filter.state {
        _ if filter.round_id.is_some() || filter.plate_id.is_some() => wanted.narrow(conn).await?,
        Some(state) if state != State::Succeeded => wanted.held(conn, state).await?,
        _ if of_few || filter.instrument.is_some() => wanted.narrow(conn).await?,
        _ => match projects {
            Some(projects) => wanted.of_projects(conn, projects).await?,
            None => wanted.newest(conn).await?,
        },
    };
    rows.into_iter().map(Summary::try_from).collect()
}

/// Kinds of which there are a few in each round; they have an index of their own.
fn has_few(kind: Kind) -> bool {
    matches!(kind, Kind::Train | Kind::Propose | Kind::Predict | Kind::Screen | Kind::Manual)
}

struct Wanted<'a> {
    filter: &'a Filter,
    projects: Option<&'a [Uuid]>,
    after: Option<Uuid>,
    limit: i64,
}

impl Wanted<'_> {
    fn kind(&self) -> Option<&'static str> {
        self.filter.kind.map(Kind::as_str)
    }

    /// Of a round, of a plate, of an instrument, of a kind of which there are few.
    async fn narrow(&self, conn: &mut PgConnection) -> sqlx::Result<Vec<Row>> {
        summaries!(
            ["select job.id as job_id
              from job
              left join campaign on campaign.id = job.campaign_id
              where ($1::uuid is null or job.id < $1)
                  and ($2::text is null or job.kind = $2)
                  and ($3::uuid[] is null or campaign.project_id = any($3))
                  and ($5::text is null or (select state from job_state where job_state.job_id = job.id) = $5)
                  and ($6::uuid is null or job.round_id = $6)
                  and ($7::uuid is null or job.plate_id = $7)
                  and ($8::text is null or job.instrument = $8)
              order by job.id desc
              limit $4"],
            self.after,
            self.kind(),
            self.projects,
            self.limit,
            self.filter.state.map(State::as_str),
            self.filter.round_id.map(|id| id.0),
            self.filter.plate_id.map(|id| id.0),
            self.filter.instrument.as_deref()
        )
        .fetch_all(conn)
        .await
    }

    /// In a state in which few are: the table that holds it leads.
    async fn held(&self, conn: &mut PgConnection, state: State) -> sqlx::Result<Vec<Row>> {
        let Self { projects, after, limit, .. } = *self;
        let (kind, word, on) = (self.kind(), state.as_str(), self.filter.instrument.as_deref());
        match state {
            State::Waiting => held!("job_waiting", after, kind, projects, limit, on).fetch_all(conn).await,
            State::Ready => held!("job_ready", after, kind, projects, limit, on).fetch_all(conn).await,
            State::InDoubt => held!("job_in_doubt", after, kind, projects, limit, on).fetch_all(conn).await,
            State::Leased | State::Running | State::Stopping => {
                held!("(select job_id from lease where phase = $6)", after, kind, projects, limit, on, word)
                    .fetch_all(conn)
                    .await
            }
            State::Succeeded | State::Failed | State::Cancelled | State::PlateLost => {
                held!(
                    "(select job_id from job_outcome where state <> 'succeeded' and state = $6)",
                    after,
                    kind,
                    projects,
                    limit,
                    on,
                    word
                )
                .fetch_all(conn)
                .await
            }
        }
    }

    /// The newest of all, or of those that succeeded.
    async fn newest(&self, conn: &mut PgConnection) -> sqlx::Result<Vec<Row>> {
        let Self { projects, after, limit, .. } = *self;
        let (kind, on) = (self.kind(), self.filter.instrument.as_deref());
        if self.filter.state.is_none() {
            return held!("(select id as job_id from job)", after, kind, projects, limit, on)
                .fetch_all(conn)
                .await;
        }
        held!("(select job_id from job_outcome where state = 'succeeded')", after, kind, projects, limit, on)
            .fetch_all(conn)
            .await
    }

    /// The same of a few projects.
    async fn of_projects(&self, conn: &mut PgConnection, projects: &[Uuid]) -> sqlx::Result<Vec<Row>> {
        let Self { after, limit, .. } = *self;
        let kind = self.kind();
        if self.filter.state.is_none() {
            return of_projects!("", after, kind, projects, limit).fetch_all(conn).await;
        }
        of_projects!(
            "join job_outcome on job_outcome.job_id = job.id and job_outcome.state = 'succeeded'",
            after,
            kind,
            projects,
            limit
        )
        .fetch_all(conn)
        .await
    }
}

/// One job; `None` when there is none of this id.
pub async fn summary(conn: &mut PgConnection, job: JobId) -> Result<Option<Summary>> {
    let row = summaries!(["select $1::uuid as job_id"], job.0).fetch_optional(conn).await?;
    row.map(Summary::try_from).transpose()
}

struct Row {
    id: Uuid,
    kind: String,
    state: String,
    queue: String,
    instrument: Option<String>,
    priority: i16,
    campaign_id: Option<Uuid>,
    round_id: Option<Uuid>,
    plate_id: Option<Uuid>,
    resource: Option<String>,
    replaces: Option<Uuid>,
    created_at: DateTime<Utc>,
    not_before_lab_at: Option<DateTime<Utc>>,
    deadline_lab_at: Option<DateTime<Utc>>,
    worker: Option<String>,
    progress: Option<Value>,
    failure: Option<Value>,
    settled_at: Option<DateTime<Utc>>,
    settled_lab_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Summary {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: JobId(row.id),
            kind: row.kind.parse().map_err(|error| Error::corrupt("kind", error))?,
            state: state(&row.state)?,
            queue: row.queue,
            instrument: row.instrument,
            priority: row.priority,
            campaign_id: row.campaign_id.map(Into::into),
            round_id: row.round_id.map(Into::into),
            plate_id: row.plate_id.map(Into::into),
            resource: row.resource,
            replaces: row.replaces.map(JobId),
            created_at: row.created_at,
            not_before_lab_at: row.not_before_lab_at,
            deadline_lab_at: row.deadline_lab_at,
            worker: row.worker,
            progress: row.progress,
            failure: row.failure,
            settled_at: row.settled_at,
            settled_lab_at: row.settled_lab_at,
        })
    }
}

fn state(word: &str) -> Result<State> {
    State::ALL
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| Error::corrupt("job state", word))
}
