//! Which roles somebody has, and where.

use crate::ids::{ActorId, ProjectId};
use crate::people::Grant;
use crate::store::error::{Error, Result};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Every role of one account.
pub async fn of(conn: &mut PgConnection, actor: ActorId) -> Result<Vec<Grant>> {
    let rows = sqlx::query!(
        "select project_id, role from role_grant where actor_id = $1 order by project_id nulls first, role",
        actor.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| grant(row.project_id, &row.role)).collect()
}

/// Every role of these accounts.
pub async fn of_many(conn: &mut PgConnection, actors: &[ActorId]) -> Result<BTreeMap<ActorId, Vec<Grant>>> {
    let ids: Vec<uuid::Uuid> = actors.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        "select actor_id, project_id, role
         from role_grant
         where actor_id = any($1)
         order by project_id nulls first, role",
        &ids
    )
    .fetch_all(conn)
    .await?;
    let mut grants: BTreeMap<ActorId, Vec<Grant>> = BTreeMap::new();
    for row in rows {
        grants.entry(row.actor_id.into()).or_default().push(grant(row.project_id, &row.role)?);
    }
    Ok(grants)
}

/// From now on these and no others.
pub async fn replace(conn: &mut PgConnection, actor: ActorId, grants: &[Grant], by: ActorId) -> Result<()> {
    sqlx::query!("delete from role_grant where actor_id = $1", actor.0).execute(&mut *conn).await?;
    for Grant { project, role } in grants {
        sqlx::query!(
            "insert into role_grant (id, actor_id, project_id, role, granted_by)
             values ($1, $2, $3, $4, $5)
             on conflict on constraint role_grant_once do nothing",
            uuid::Uuid::now_v7(),
            actor.0,
            project.map(|project| project.0),
            role.as_str(),
            by.0
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Accounts that are active, hold `admin` everywhere and have a password, but for `besides`: one of them gets in also
/// while the provider is down. Locks every such account, so that two requests at the same moment do not each take away
/// the other's last administrator.
pub async fn lock_and_count_other_admins(conn: &mut PgConnection, besides: ActorId) -> Result<usize> {
    // Who is one is in other rows than those that are locked below: a second request looks when the first has committed.
    sqlx::query!("select pg_advisory_xact_lock(hashtext('loopwright.last_admin'))")
        .execute(&mut *conn)
        .await?;
    let admins = sqlx::query_scalar!(
        "select actor_id
         from account
         where state = 'active'
           and signs_in_by = 'password'
           and exists (
               select from role_grant
               where role_grant.actor_id = account.actor_id and role = 'admin' and project_id is null)
         order by actor_id
         for update",
    )
    .fetch_all(conn)
    .await?;
    Ok(admins.into_iter().filter(|id| *id != besides.0).count())
}

fn grant(project: Option<uuid::Uuid>, role: &str) -> Result<Grant> {
    let role = role.parse().map_err(|error| Error::corrupt("role", error))?;
    Ok(Grant { project: project.map(ProjectId), role })
}
