//! Projects, and to which of them a thing belongs.

use crate::ids::ProjectId;
use crate::store::error::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// Roles are granted on it, campaigns belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

/// What a route's `{id}` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Campaign,
    Round,
    Batch,
    Plate,
    Job,
    Task,
    Model,
    Notification,
}

impl Subject {
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::Campaign => "campaign",
            Subject::Round => "round",
            Subject::Batch => "batch",
            Subject::Plate => "plate",
            Subject::Job => "job",
            Subject::Task => "task",
            Subject::Model => "model",
            Subject::Notification => "notification",
        }
    }
}

/// Where a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// There is no such thing.
    Nowhere,
    /// It belongs to the installation as a whole.
    Everywhere,
    In(ProjectId),
}

/// The project that `subject` `id` belongs to.
pub async fn home(conn: &mut PgConnection, subject: Subject, id: Uuid) -> Result<Home> {
    let found: Option<Option<Uuid>> = match subject {
        Subject::Campaign => sqlx::query_scalar!("select project_id from campaign where id = $1", id)
            .fetch_optional(conn)
            .await?
            .map(Some),
        Subject::Round => sqlx::query_scalar!(
            "select project_id from round join campaign on campaign.id = round.campaign_id where round.id = $1",
            id
        )
        .fetch_optional(conn)
        .await?
        .map(Some),
        Subject::Batch => sqlx::query_scalar!(
            "select project_id
             from batch
             join round on round.id = batch.round_id
             join campaign on campaign.id = round.campaign_id
             where batch.id = $1",
            id
        )
        .fetch_optional(conn)
        .await?
        .map(Some),
        Subject::Plate => sqlx::query_scalar!(
            "select project_id
             from plate
             join round on round.id = plate.round_id
             join campaign on campaign.id = round.campaign_id
             where plate.id = $1",
            id
        )
        .fetch_optional(conn)
        .await?
        .map(Some),
        Subject::Model => sqlx::query_scalar!(
            "select project_id
             from model_version
             join campaign on campaign.id = model_version.campaign_id
             where model_version.id = $1",
            id
        )
        .fetch_optional(conn)
        .await?
        .map(Some),
        Subject::Job => sqlx::query_scalar!(
            r#"select project_id as "project_id?"
             from job
             left join campaign on campaign.id = job.campaign_id
             where job.id = $1"#,
            id
        )
        .fetch_optional(conn)
        .await?,
        Subject::Notification => sqlx::query_scalar!(
            r#"select project_id as "project_id?"
             from notification
             left join campaign on campaign.id = notification.campaign_id
             where notification.id = $1"#,
            id
        )
        .fetch_optional(conn)
        .await?,
        Subject::Task => sqlx::query_scalar!(
            r#"select project_id as "project_id?"
             from task
             left join campaign on campaign.id = task.campaign_id
             where task.id = $1"#,
            id
        )
        .fetch_optional(conn)
        .await?,
    };
    Ok(match found {
        None => Home::Nowhere,
        Some(None) => Home::Everywhere,
        Some(Some(project)) => Home::In(ProjectId(project)),
    })
}

/// Those of `visible` (`None`: all), by name.
pub async fn list(conn: &mut PgConnection, visible: Option<&[Uuid]>) -> Result<Vec<Project>> {
    Ok(sqlx::query_as!(
        Project,
        "select id, name, created_at
         from project
         where $1::uuid[] is null or id = any($1)
         order by name",
        visible
    )
    .fetch_all(conn)
    .await?)
}

/// How a request for a project ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    Created(Project),
    NameTaken,
}

pub async fn insert(conn: &mut PgConnection, name: &str) -> Result<Inserted> {
    let created = sqlx::query_as!(
        Project,
        "insert into project (id, name)
         values ($1, $2)
         on conflict (name) do nothing
         returning id, name, created_at",
        ProjectId::fresh().0,
        name
    )
    .fetch_optional(conn)
    .await?;
    Ok(created.map_or(Inserted::NameTaken, Inserted::Created))
}

/// Whether each of these is a project.
pub async fn all_exist(conn: &mut PgConnection, projects: &[Uuid]) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not exists (
               select from unnest($1::uuid[]) as wanted (id)
               where not exists (select from project where project.id = wanted.id)) as "all!""#,
        projects
    )
    .fetch_one(conn)
    .await?)
}
