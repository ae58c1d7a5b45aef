//! What drains, and whether anything of it is on its way still.

use super::Result;
use crate::ids::{CampaignId, RoundId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Campaigns that drain and have nothing on its way: no live round, no job that has not ended.
pub async fn campaigns_at_rest(conn: &mut PgConnection) -> Result<Vec<CampaignId>> {
    let ids = sqlx::query_scalar!(
        "select id
         from campaign
         where state = 'draining'
             and not exists (
                 select from round
                 where round.campaign_id = campaign.id and round.state not in ('closed', 'cancelled', 'failed'))
             and not exists (
                 select from job
                 left join job_outcome on job_outcome.job_id = job.id
                 left join settlement on settlement.job_id = job.id
                 where job.campaign_id = campaign.id
                     and (job_outcome.job_id is null or settlement.job_id is not null))
         order by id"
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(CampaignId).collect())
}

/// Rounds that drain.
pub async fn rounds(conn: &mut PgConnection) -> Result<Vec<RoundId>> {
    let ids = sqlx::query_scalar!(
        "select subject_id from hold where subject = 'round' and manner = 'drain' order by subject_id"
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(RoundId).collect())
}

/// Whether something of a round is on its way: a job of a plate that has begun, one that somebody holds, or
/// consequences that are not drawn.
pub async fn is_on_its_way(conn: &mut PgConnection, round: RoundId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from job
               left join job_outcome on job_outcome.job_id = job.id
               where job.round_id = $1
                   and job.kind <> 'train'
                   and case
                       when job_outcome.job_id is not null
                           then exists (select from settlement where settlement.job_id = job.id)
                       else plate_begun(job.plate_id)
                           or exists (select from lease where lease.job_id = job.id)
                   end) as "on_its_way!""#,
        round.0
    )
    .fetch_one(conn)
    .await?)
}

/// Instruments that drain and have nothing left to do: no lease beside them, no job of a plate that has begun, no
/// plate of a live round standing there.
pub async fn instruments_at_rest(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select name
         from instrument
         where state = 'draining'
             and not exists (select from lease where lease.instrument = instrument.name)
             and not exists (
                 select from job
                 left join job_outcome on job_outcome.job_id = job.id
                 where job.instrument = instrument.name and job_outcome.job_id is null and plate_begun(job.plate_id))
             and not exists (
                 select from plate_location
                 join plate on plate.barcode = plate_location.barcode
                 where plate_location.device = instrument.name
                     and plate.state in ('planned', 'dispensing', 'incubating', 'reading'))
         order by name"
    )
    .fetch_all(conn)
    .await?)
}

/// Holds of what is over bar nothing any more. Those on a job that failed in a live round stay: it may be made anew.
pub async fn forget_holds_of_the_ended(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "delete from hold
         using round
         where hold.subject_id = round.id and round.state in ('closed', 'cancelled', 'failed')"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from hold
         using job_outcome
         join job on job.id = job_outcome.job_id
         left join round on round.id = job.round_id
         where hold.subject_id = job_outcome.job_id
             and hold.manner = 'pause'
             and (job_outcome.state not in ('failed', 'cancelled')
                 or round.id is null
                 or round.state in ('closed', 'cancelled', 'failed'))"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a round drains.
pub async fn is_draining(conn: &mut PgConnection, round: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from hold where subject_id = $1 and manner = 'drain') as "draining!""#,
        round
    )
    .fetch_one(conn)
    .await?)
}
