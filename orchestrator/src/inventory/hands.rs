//! What people do to plates of the stock by hand: take one out of the laboratory, put it back, say that it was found.
//!
//! | | available | reserved | used | withdrawn |
//! |---|---|---|---|---|
//! | withdraw | withdrawn, when nothing of it is reserved | no: a round is planned with it | no | its place is free, too |
//! | put back | already so | no | no | available, in storage; a blank that a round took: no |
//! | found | in storage | in storage | no | no: put it back |
//!
//! Found, put back, and taken out for good, only when no job carries it: a job knows where it takes its plates from.

use crate::ids::ActorId;
use crate::store::events::{self, NewEvent};
use crate::store::inventory::by_hand::{self as store, Change, Held};
use crate::store::inventory::{self, Role, StockState};
use crate::store::{self as rows, Result};
use jobs::JobId;
use serde_json::{Value, json};
use sqlx::PgConnection;

/// Why a plate stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("No plate {barcode} is in the stock.")]
    NotFound { barcode: String },
    #[error(
        "{barcode} cannot be withdrawn: {volume_nl} nL of it are reserved for {for_plates}. Cancel their rounds, or wait until they have drawn."
    )]
    Reserved { barcode: String, volume_nl: i64, for_plates: String },
    #[error(
        "A {kind} job ({job}) carries {barcode}, or works on it: wait until it is over, or cancel its round."
    )]
    Busy { barcode: String, job: JobId, kind: String },
    #[error("{barcode} is {state}: {why}.")]
    NotInState { barcode: String, state: &'static str, why: String },
}

impl Refused {
    /// Stable; for interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::NotFound { .. } => "inventory.not_found",
            Refused::Reserved { .. } => "inventory.reserved",
            Refused::Busy { .. } => "inventory.plate_busy",
            Refused::NotInState { .. } => "inventory.not_in_state",
        }
    }
}

/// What was done, for the record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Changed {
    pub change: Change,
    pub detail: Value,
}

/// Takes a plate out of the laboratory: nothing is planned with it, and its place is free.
pub async fn withdraw(
    conn: &mut PgConnection,
    barcode: &str,
    reason: &str,
    actor: ActorId,
) -> Result<std::result::Result<(), Refused>> {
    let plate = match held(conn, barcode).await? {
        Ok(plate) => plate,
        Err(refused) => return Ok(Err(refused)),
    };
    match plate.state {
        // One that a job still brings home is out when it is there.
        StockState::Withdrawn | StockState::Available => {}
        StockState::Reserved => {
            let round = store::taken_by(conn, barcode).await?;
            let which = round.map_or("a round".to_owned(), |number| format!("round {number}"));
            return Ok(Err(not_now(&plate, format!("{which} is planned with it; cancel that first"))));
        }
        StockState::Used => {
            return Ok(Err(not_now(&plate, "it is out of the stock already".to_owned())));
        }
    }
    let wells = store::hold_wells(conn, &[barcode.to_owned()]).await?;
    let reserved: i64 = wells.iter().map(|well| well.reserved_nl).sum();
    if reserved > 0 {
        let for_plates = named(&store::reserved_for(conn, barcode, MOST_NAMED + 1).await?);
        return Ok(Err(Refused::Reserved { barcode: barcode.to_owned(), volume_nl: reserved, for_plates }));
    }
    let from = inventory::standing(conn, barcode).await?.map(|standing| standing.at);
    let leaves = from.is_some() && store::live_job_on(conn, barcode).await?.is_none();
    if plate.state == StockState::Withdrawn && !leaves {
        return Ok(Ok(()));
    }
    inventory::set_stock_state(conn, barcode, StockState::Withdrawn).await?;
    if leaves {
        store::unplace(conn, barcode).await?;
    }
    let changed = Changed { change: Change::Withdrawn, detail: json!({ "from": from }) };
    record(conn, barcode, &changed, reason, actor).await?;
    Ok(Ok(()))
}

/// Brings a withdrawn plate back, into its place in storage.
pub async fn put_back(
    conn: &mut PgConnection,
    barcode: &str,
    reason: &str,
    actor: ActorId,
) -> Result<std::result::Result<(), Refused>> {
    let plate = match held(conn, barcode).await? {
        Ok(plate) => plate,
        Err(refused) => return Ok(Err(refused)),
    };
    match plate.state {
        StockState::Available => return Ok(Ok(())),
        StockState::Withdrawn => {}
        StockState::Reserved | StockState::Used => {
            return Ok(Err(not_now(&plate, "only a withdrawn plate is put back".to_owned())));
        }
    }
    if plate.role == Role::Assay
        && let Some(round) = store::taken_by(conn, barcode).await?
    {
        let why = format!("it was made for round {round}, and a plate takes reagents once");
        return Ok(Err(not_now(&plate, why)));
    }
    if let Some((job, kind)) = store::live_job_on(conn, barcode).await? {
        return Ok(Err(Refused::Busy { barcode: barcode.to_owned(), job, kind }));
    }
    inventory::set_stock_state(conn, barcode, StockState::Available).await?;
    let at = inventory::storage(barcode);
    inventory::place(conn, barcode, &at, true).await?;
    let changed = Changed { change: Change::PutBack, detail: json!({ "at": at }) };
    record(conn, barcode, &changed, reason, actor).await?;
    Ok(Ok(()))
}

/// Somebody found a plate, or carried it, in its place in storage.
pub async fn found(
    conn: &mut PgConnection,
    barcode: &str,
    reason: &str,
    actor: ActorId,
) -> Result<std::result::Result<(), Refused>> {
    let plate = match held(conn, barcode).await? {
        Ok(plate) => plate,
        Err(refused) => return Ok(Err(refused)),
    };
    match plate.state {
        StockState::Available | StockState::Reserved => {}
        StockState::Used => {
            return Ok(Err(not_now(&plate, "nothing is done with it any more".to_owned())));
        }
        StockState::Withdrawn => return Ok(Err(not_now(&plate, "put it back".to_owned()))),
    }
    if let Some((job, kind)) = store::live_job_on(conn, barcode).await? {
        return Ok(Err(Refused::Busy { barcode: barcode.to_owned(), job, kind }));
    }
    let at = inventory::storage(barcode);
    let from = inventory::standing(conn, barcode).await?.map(|standing| standing.at);
    inventory::place(conn, barcode, &at, true).await?;
    let changed = Changed { change: Change::Found, detail: json!({ "from": from, "at": at }) };
    record(conn, barcode, &changed, reason, actor).await?;
    Ok(Ok(()))
}

/// Of the plates that something is reserved for, so many are named.
const MOST_NAMED: i64 = 3;

fn named(plates: &[(String, u32)]) -> String {
    let most = usize::try_from(MOST_NAMED).unwrap_or(usize::MAX);
    let mut words: Vec<String> =
        plates.iter().take(most).map(|(barcode, round)| format!("{barcode} (round {round})")).collect();
    if plates.len() > most {
        words.push("others".to_owned());
    }
    if words.is_empty() { "plates that are planned".to_owned() } else { words.join(", ") }
}

async fn held(conn: &mut PgConnection, barcode: &str) -> Result<std::result::Result<Held, Refused>> {
    let mut held = store::hold(conn, &[barcode.to_owned()]).await?;
    Ok(held.remove(barcode).ok_or_else(|| Refused::NotFound { barcode: barcode.to_owned() }))
}

fn not_now(plate: &Held, why: String) -> Refused {
    Refused::NotInState { barcode: plate.barcode.clone(), state: plate.state.as_str(), why }
}

/// Writes down what was done, with its event; drafts of waiting batches are computed anew.
pub(super) async fn record(
    conn: &mut PgConnection,
    barcode: &str,
    changed: &Changed,
    reason: &str,
    actor: ActorId,
) -> Result<()> {
    store::keep(conn, barcode, changed.change, reason, actor, &changed.detail).await?;
    let event = NewEvent {
        kind: changed.change.event(),
        subject: "inventory",
        subject_id: barcode.to_owned(),
        campaign_id: None,
        actor,
        body: json!({ "reason": reason, "detail": changed.detail }),
    };
    events::append(conn, &event).await?;
    rows::batches::forget_drafts(conn).await
}
