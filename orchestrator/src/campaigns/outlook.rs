//! What the view of the time to come is made from: campaigns, instruments, blackouts and stock as they are now.

use super::state::State as CampaignState;
use crate::batches::draft::Draft;
use crate::calendar::Zone;
use crate::calendar::week::{CampaignOutlook, Device, LivePlate, LiveRound, Needs, Outlook, Phase, Stock};
use crate::people::Visible;
use crate::planning::Inventory;
use crate::rounds::begin::Standing;
use crate::rounds::state::{Stage, State};
use crate::store::campaigns::Campaign;
use crate::store::instruments::{Instrument, InstrumentState};
use crate::store::rounds::Round;
use crate::store::{self, Result};
use chrono::{DateTime, Utc};
use instruments::labware::Labware;
use serde_json::Value;
use sqlx::PgConnection;

/// What a batch is taken to wait for people, before any was approved.
const APPROVAL_HOURS: f64 = 8.0;
/// What a reading is taken to last where the reader's profile has no `minutes_per_plate`.
const MINUTES_PER_PLATE: f64 = 15.0;

/// Reads all of it; what is not `visible` counts and is not shown. The view begins at `from`, or now, and ends at `to`.
pub async fn read(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    zone: Zone,
    visible: &Visible,
) -> Result<Outlook> {
    let now = store::clock::lab_now(conn).await?;
    let mut campaigns = Vec::new();
    for state in [CampaignState::Active, CampaignState::Draining, CampaignState::Paused] {
        for id in store::campaigns::in_state(conn, state).await? {
            if let Some(campaign) = store::campaigns::by_id(conn, id).await? {
                campaigns.push(of_campaign(conn, campaign, visible).await?);
            }
        }
    }
    let devices =
        store::instruments::list(conn).await?.into_iter().map(|it| (it.name.clone(), device(&it))).collect();
    let blackouts = store::blackouts::list(conn, from.min(now)).await?;
    let stock = stock(&store::inventory::available(conn).await?);
    Ok(Outlook { now, from, to, zone, campaigns, blackouts, devices, stock })
}

async fn of_campaign(
    conn: &mut PgConnection,
    campaign: Campaign,
    visible: &Visible,
) -> Result<CampaignOutlook> {
    let standing = Standing::read(conn, &campaign).await?;
    let approval_hours = store::agenda::approval_hours(conn, campaign.id).await?.unwrap_or(APPROVAL_HOURS);
    let mut live = Vec::new();
    for round in standing.rounds.iter().filter(|round| !round.state.is_terminal()) {
        live.push(live_round(conn, round).await?);
    }
    let spent =
        standing.rounds.iter().filter(|it| !it.state.is_terminal() || it.state == State::Closed).count();
    let budget = standing.version.spec.budget.rounds;
    let rounds_left = match standing.situation.spent {
        Some(_) => 0,
        None => budget.saturating_sub(u32::try_from(spent).unwrap_or(u32::MAX)),
    };
    Ok(CampaignOutlook {
        id: campaign.id,
        shown: visible.shows(campaign.project_id),
        name: campaign.name,
        spec: standing.version.spec,
        rule: standing.rule,
        last_tick: standing.last_tick,
        since: standing.since,
        begins_rounds: campaign.state == CampaignState::Active,
        rounds_left,
        tick_waits: standing.situation.one_waits,
        approval_hours,
        live,
    })
}

async fn live_round(conn: &mut PgConnection, round: &Round) -> Result<LiveRound> {
    let stage = round.state.stage();
    let mut live = LiveRound {
        number: round.number,
        phase: Phase::Ending,
        plates: Vec::new(),
        needs: None,
        impossible: None,
    };
    match stage {
        Some(Stage::Proposing) => live.phase = Phase::Proposing,
        Some(Stage::AwaitingApproval | Stage::Planning) => {
            let stages = store::rounds::stages(conn, round.id).await?;
            let proposed = stages.iter().rfind(|entry| entry.stage == Stage::AwaitingApproval.as_str());
            let since = proposed.map_or(round.due_lab_at, |entry| entry.entered_lab_at);
            live.phase = Phase::AwaitingApproval { since };
            match store::batches::live_of_round(conn, round.id).await?.and_then(|batch| batch.draft) {
                Some(Draft::Possible { summary, plates, .. }) => {
                    let mut needs =
                        Needs { volume_nl_by_content: summary.volume_nl_by_content, ..Needs::default() };
                    for plate in plates {
                        *needs.blanks.entry((plate.labware, plate.context)).or_default() += 1;
                    }
                    live.needs = Some(needs);
                }
                Some(Draft::Impossible { reason, .. }) => live.impossible = Some(reason),
                None => {}
            }
        }
        Some(Stage::Executing) => {
            live.phase = Phase::Working;
            let plates = store::agenda::plates_under_way(conn, round.id).await?;
            live.plates = plates
                .into_iter()
                .map(|plate| LivePlate {
                    barcode: plate.barcode,
                    incubating: plate
                        .incubating
                        .map(|it| (it.since_lab_at, it.read_from_lab_at, it.read_to_lab_at)),
                    read: plate.reading,
                })
                .collect();
        }
        Some(Stage::Assessing) | None => {}
    }
    Ok(live)
}

fn device(instrument: &Instrument) -> Device {
    let profile = &instrument.profile;
    let number = |name: &str| profile.get(name).and_then(Value::as_f64);
    let slots = profile.get("slots").and_then(Value::as_array).map_or(1, Vec::len);
    Device {
        in_service: instrument.state == InstrumentState::InService,
        places: u32::try_from(slots).unwrap_or(u32::MAX),
        seconds_per_transfer: number("seconds_per_transfer").unwrap_or(0.0),
        minutes_per_plate: number("minutes_per_plate").unwrap_or(MINUTES_PER_PLATE),
    }
}

fn stock(inventory: &Inventory) -> Stock {
    let mut stock = Stock::default();
    for plate in &inventory.blanks {
        *stock.blanks.entry((plate.labware.clone(), plate.context.clone())).or_default() += 1;
    }
    for (content, wells) in &inventory.sources {
        let usable = wells.iter().map(|well| {
            let dead = Labware::by_load_name(&well.labware).map_or(0, |it| u64::from(it.dead_volume().0));
            well.available_nl.saturating_sub(dead)
        });
        stock.volume_nl_by_content.insert(content.clone(), usable.sum());
    }
    stock
}
