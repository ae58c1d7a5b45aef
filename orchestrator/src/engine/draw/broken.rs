//! A physical job did not succeed: the plate is lost and made again, or the round is held for a person.
//! Nothing physical is repeated silently.

use crate::engine::plates::By;
use crate::engine::{hold, plates};
use crate::ingestion::{TransferRecord, reconcile};
use crate::store::jobs::{self as queue, Consequences};
use crate::store::plates::Plate;
use crate::store::rounds::{Round, Why};
use crate::store::settlements::Settled;
use crate::store::{self, Error, Result};
use jobs::Work;
use jobs::state::State;
use jobs::work::Output;
use jobs::work::physical::Dispense;
use sqlx::PgConnection;

pub(super) async fn draw(
    conn: &mut PgConnection,
    round: &mut Round,
    plate: &mut Plate,
    settled: &Settled,
    out: &mut Consequences,
) -> Result<()> {
    if settled.replaced {
        // Another job does the work, and those that wait for the place wait for that one.
        out.absorb(queue::resource::clear(conn, settled.job_id).await?);
        return Ok(());
    }
    let reason = reason(settled);
    if plate.state.is_terminal() {
        if let (Work::Dispense(asked), true) = (&settled.work, may_have_drawn(settled)) {
            // Nothing is reserved for it any more, and the liquid is gone all the same.
            spend(conn, plate, settled, asked, &reason).await?;
        }
        if settled.state == State::Failed && !failed_with_another(settled) && !is_not_done(settled) {
            // Clearing a place failed: it stays occupied until a person has looked. Where no round waits for that
            // any more, or none needs to, hands are asked to clear it (`plates::clear_strays`).
            if store::chains::held(conn, plate.id).await?.is_empty() {
                return Ok(());
            }
            let text = format!("Plate {}: {reason} Bring the plates where they belong.", plate.barcode);
            return hold::hold(conn, round, Why::new("job.failed", text)).await;
        }
        let by = By::after(conn, plate.id, settled).await?;
        return plates::clear_places(conn, round, plate, by, out).await;
    }
    if failed_with_another(settled) {
        // The cause's own settlement decides.
        return Ok(());
    }
    if let (Work::Dispense(asked), true) = (&settled.work, may_have_drawn(settled)) {
        spend(conn, plate, settled, asked, &reason).await?;
        return plates::lose(conn, round, plate, &reason, out).await;
    }
    // A dispense that never began has spoilt nothing: the plate waits where it stands, as after a failed move.
    if settled.state == State::PlateLost || code(settled) == Some("job.deadline_passed") {
        return plates::lose(conn, round, plate, &reason, out).await;
    }
    let text = format!(
        "Plate {}: a {} ended as {}: {reason} Bring every plate to where the step begins, then resume: the step is ordered again.",
        plate.barcode,
        settled.work.kind(),
        settled.state.as_str()
    );
    hold::hold(conn, round, Why::new("job.failed", text)).await
}

fn code(settled: &Settled) -> Option<&str> {
    settled.failure.as_ref().map(|failure| failure.code.as_str())
}

/// A person looked and found that nothing had happened.
fn is_not_done(settled: &Settled) -> bool {
    code(settled) == Some("job.not_done")
}

fn may_have_drawn(settled: &Settled) -> bool {
    settled.began && !is_not_done(settled)
}

fn failed_with_another(settled: &Settled) -> bool {
    code(settled) == Some("job.dependency_failed")
}

fn reason(settled: &Settled) -> String {
    match (&settled.failure, settled.state) {
        (Some(failure), _) => format!("{} ({}).", failure.message.trim_end_matches('.'), failure.code),
        (None, State::PlateLost) => "a person says that the plate is lost.".to_owned(),
        (None, _) => "it was stopped.".to_owned(),
    }
}

/// Nobody knows how far a dispense came that did not succeed: its liquid is counted as drawn, as reported where a
/// device has said it, else as intended.
async fn spend(
    conn: &mut PgConnection,
    plate: &Plate,
    settled: &Settled,
    asked: &Dispense,
    reason: &str,
) -> Result<()> {
    let reported = queue::reported_output(conn, settled.job_id).await?;
    let reported = reported.map(serde_json::from_value::<Output>).transpose();
    let records = match reported.map_err(|error| Error::corrupt("reported output", error))? {
        // A person says that the plate is lost; what its device had said of the volumes is true all the same.
        Some(Output::Dispense(reported)) => reconcile::transfer_records(asked, &reported),
        _ => reconcile::transfer_records_as_asked(asked),
    };
    let mut records: Vec<TransferRecord> = records.map_err(|error| Error::corrupt("dispense job", error))?;
    for record in &mut records {
        record.error = Some(reason.to_owned());
    }
    store::plates::add_dispense_records(conn, settled.job_id, plate.id, &records).await?;
    store::inventory::spend(conn, plate.id, &records).await
}
