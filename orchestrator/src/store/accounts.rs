//! Counts over a round: what was asked, done, measured; how each approved proposal stands.

use super::Result;
use super::moved::count;
use crate::ids::{BatchId, ProposalId, RoundId};
use sqlx::PgConnection;

/// Experiments of a round's live batch; of one that was cancelled or failed, those that it had measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub proposed: u32,
    /// With at least one transfer that was not reported as failed.
    pub dispensed: u32,
    /// With at least one reading.
    pub measured: u32,
    /// With an observation from a plate that may train.
    pub passed_qc: u32,
}

/// Each well is looked at once, by an index: linear in the wells of the batch, whatever plan is chosen. `limit 1` and
/// `offset 0` inside a lateral keep it so, where tables have grown since they were analysed: else all wells, records,
/// readings or observations that there are may be gone through.
pub async fn counts(conn: &mut PgConnection, round: RoundId) -> Result<Counts> {
    let row = sqlx::query!(
        r#"with asked as materialized (
               select proposal.id
               from proposal
               where batch_id = any(array(
                       select id
                       from batch
                       where round_id = $1 and state in ('awaiting_approval', 'approved', 'planned', 'withdrawn')))
                 and status = 'selected'
                 and (fate is not null or (select state not in ('cancelled', 'failed') from round where id = $1))
           ),
           placed as materialized (
               select asked.id as proposal_id, well.plate_id, well.well
               from asked
               cross join lateral (
                   select plate_id, well from well where well.proposal_id = asked.id offset 0) as well
           ),
           trains as materialized (
               select id from plate where round_id = $1 and state in ('passed', 'released')
           )
           select
               (select count(*) from asked) as "proposed!",
               (select count(distinct placed.proposal_id)
                from placed
                cross join lateral (
                    select
                    from dispense_record
                    where dispense_record.plate_id = placed.plate_id
                      and dispense_record.destination_well = placed.well
                      and dispense_record.error is null
                    limit 1) as dispensed) as "dispensed!",
               (select count(distinct placed.proposal_id)
                from placed
                cross join lateral (
                    select
                    from reading
                    where reading.plate_id = placed.plate_id and reading.well = placed.well
                    limit 1) as measured) as "measured!",
               (select count(distinct asked.id)
                from asked
                cross join lateral (
                    select observation.plate_id
                    from observation
                    where observation.proposal_id = asked.id
                    offset 0) as seen
                join trains on trains.id = seen.plate_id) as "passed_qc!""#,
        round.0
    )
    .fetch_one(conn)
    .await?;
    Ok(Counts {
        proposed: count(row.proposed)?,
        dispensed: count(row.dispensed)?,
        measured: count(row.measured)?,
        passed_qc: count(row.passed_qc)?,
    })
}

/// How one approved proposal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub proposal_id: ProposalId,
    /// From plates that may train.
    pub observations: u32,
    /// The last plate it was on, and why that one ended as it did.
    pub last_plate: Option<String>,
    pub last_plate_reason: Option<String>,
}

/// Every selected proposal of a batch. From its observations to their plates, as in [`counts`].
pub async fn standings(conn: &mut PgConnection, batch: BatchId) -> Result<Vec<Standing>> {
    let rows = sqlx::query!(
        r#"select proposal.id,
                  (select count(*)
                   from (
                       select plate_id from observation where observation.proposal_id = proposal.id offset 0) as seen
                   join plate on plate.id = seen.plate_id
                   where plate.state in ('passed', 'released')) as "observations!",
                  last.barcode as "barcode?",
                  last.reason as "reason?"
           from proposal
           left join lateral (
               select plate.barcode, plate.reason
               from well
               join plate on plate.id = well.plate_id
               where well.proposal_id = proposal.id
               order by plate.generation desc, plate.ordinal desc
               limit 1) as last on true
           where proposal.batch_id = $1 and proposal.status = 'selected'
           order by proposal.rank, proposal.id"#,
        batch.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                proposal_id: row.id.into(),
                observations: count(row.observations)?,
                last_plate: row.barcode,
                last_plate_reason: row.reason,
            })
        })
        .collect()
}

/// The last decision of a person about a plate, if there is one.
pub async fn decision(
    conn: &mut PgConnection,
    plate: crate::ids::PlateId,
) -> Result<Option<(String, String)>> {
    let row = sqlx::query!(
        "select decision, reason from plate_decision where plate_id = $1 order by at desc limit 1",
        plate.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.decision, row.reason)))
}
