//! What the view of the time to come is made from: campaigns, instruments, blackouts and stock as they are now.

use super::state::State as CampaignState;
use crate::batches::draft::{Draft, DraftPlate};
use crate::calendar::week::{CampaignOutlook, Device, LivePlate, LiveRound, Needs, Outlook, Phase, Stock};
use crate::calendar::{Rule, Window, Zone};
use crate::ids::{CampaignId, RoundId};
use crate::people::Visible;
use crate::planning::{Inventory, PlanSummary};
use crate::rounds::spent::{Bounds, Tally, spent};
use crate::rounds::state::Stage;
use crate::store::agenda::PlateUnderWay;
use crate::store::instruments::{Instrument, InstrumentState};
use crate::store::outlook::Ongoing;
use crate::store::rounds::{Round, StageEntry};
use crate::store::{self, Result};
use chrono::{DateTime, Utc};
use instruments::labware::Labware;
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;

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
    let ongoing = store::outlook::ongoing(conn).await?;
    let known = Known::read(conn, &ongoing).await?;
    let mut campaigns = Vec::with_capacity(ongoing.len());
    for campaign in ongoing {
        let spent = known.spent(conn, &campaign).await?;
        campaigns.push(known.outlook(campaign, visible, spent));
    }
    let devices =
        store::instruments::list(conn).await?.into_iter().map(|it| (it.name.clone(), device(&it))).collect();
    let blackouts = store::blackouts::list(conn, from.min(now)).await?;
    let stock = stock(&store::inventory::available(conn).await?);
    Ok(Outlook { now, from, to, zone, campaigns, blackouts, devices, stock })
}

/// What is known beside the campaigns themselves: as many statements for a thousand of them as for one.
struct Known {
    tallies: BTreeMap<CampaignId, Tally>,
    bounds: Bounds,
    approval_hours: BTreeMap<CampaignId, f64>,
    /// Of the installation, since the earliest tick that any calendar goes on from.
    blackouts: Vec<Window>,
    /// By number.
    live: Vec<Round>,
    /// When each round last came before people.
    proposed: BTreeMap<RoundId, StageEntry>,
    drafts: BTreeMap<RoundId, Draft>,
    plates: BTreeMap<RoundId, Vec<PlateUnderWay>>,
}

impl Known {
    async fn read(conn: &mut PgConnection, ongoing: &[Ongoing]) -> Result<Self> {
        let ids: Vec<CampaignId> = ongoing.iter().map(|campaign| campaign.id).collect();
        let tallies = store::outlook::tallies(conn, &ids).await?;
        let nothing = Tally::none();
        let budgets: Vec<_> = ongoing
            .iter()
            .map(|it| (it.id, &it.spec.budget, tallies.get(&it.id).unwrap_or(&nothing)))
            .collect();
        let bounds = Bounds::read(conn, &budgets).await?;
        let live = store::rounds::live_of_campaigns(conn, &ids).await?;
        let in_stage = |stages: &[Stage]| -> Vec<RoundId> {
            let there = |round: &&Round| round.state.stage().is_some_and(|stage| stages.contains(&stage));
            live.iter().filter(there).map(|round| round.id).collect()
        };
        let before_plates = in_stage(&[Stage::AwaitingApproval, Stage::Planning]);
        let asked = Some(Stage::AwaitingApproval.as_str());
        let batches = store::batches::live_of_rounds(conn, &before_plates).await?;
        let earliest = ongoing.iter().map(goes_on_from).min();
        Ok(Self {
            approval_hours: store::agenda::approval_hours(conn, &ids).await?,
            blackouts: match earliest {
                Some(earliest) => store::blackouts::everywhere(conn, earliest).await?,
                None => Vec::new(),
            },
            proposed: store::rounds::last_stages(conn, &before_plates, asked).await?,
            drafts: batches.into_iter().filter_map(|batch| Some((batch.round_id, batch.draft?))).collect(),
            plates: store::agenda::plates_under_way(conn, &in_stage(&[Stage::Executing])).await?,
            tallies,
            bounds,
            live,
        })
    }

    fn tally(&self, campaign: CampaignId) -> Tally {
        self.tallies.get(&campaign).cloned().unwrap_or_else(Tally::none)
    }

    /// Whether no further round can begin. Nothing is asked but of campaigns that are near the end of their budget.
    async fn spent(&self, conn: &mut PgConnection, campaign: &Ongoing) -> Result<bool> {
        let budget = (&campaign.spec.budget, campaign.pool_size);
        Ok(spent(conn, campaign.id, budget, &self.tally(campaign.id), &self.bounds).await?.is_some())
    }

    fn outlook(&self, campaign: Ongoing, visible: &Visible, spent: bool) -> CampaignOutlook {
        let tally = self.tally(campaign.id);
        let since = goes_on_from(&campaign);
        let closed: Vec<Window> = self.blackouts.iter().filter(|window| window.to > since).cloned().collect();
        let left = campaign.spec.budget.rounds.saturating_sub(tally.closed + tally.live);
        CampaignOutlook {
            id: campaign.id,
            shown: visible.shows(campaign.project_id),
            rule: Rule::of(&campaign.spec.schedule, &closed),
            last_tick: campaign.last_tick,
            since: campaign.since,
            begins_rounds: campaign.state == CampaignState::Active,
            rounds_left: if spent { 0 } else { left },
            tick_waits: campaign.one_waits,
            approval_hours: self.approval_hours.get(&campaign.id).copied().unwrap_or(APPROVAL_HOURS),
            live: self
                .live
                .iter()
                .filter(|round| round.campaign_id == campaign.id)
                .map(|round| self.live_round(round))
                .collect(),
            name: campaign.name,
            spec: campaign.spec,
        }
    }

    fn live_round(&self, round: &Round) -> LiveRound {
        let mut live = LiveRound {
            number: round.number,
            phase: Phase::Ending,
            plates: Vec::new(),
            needs: None,
            impossible: None,
        };
        match round.state.stage() {
            Some(Stage::Proposing) => live.phase = Phase::Proposing,
            Some(Stage::AwaitingApproval | Stage::Planning) => {
                let since = self.proposed.get(&round.id).map_or(round.due_lab_at, |it| it.entered_lab_at);
                live.phase = Phase::AwaitingApproval { since };
                match self.drafts.get(&round.id) {
                    Some(Draft::Possible { summary, plates, .. }) => {
                        live.needs = Some(needs(summary, plates))
                    }
                    Some(Draft::Impossible { reason, .. }) => live.impossible = Some(reason.clone()),
                    None => {}
                }
            }
            Some(Stage::Executing) => {
                live.phase = Phase::Working;
                live.plates = self.plates.get(&round.id).into_iter().flatten().map(live_plate).collect();
            }
            Some(Stage::Assessing) | None => {}
        }
        live
    }
}

/// The last tick that was judged, or where the calendar begins.
fn goes_on_from(campaign: &Ongoing) -> DateTime<Utc> {
    campaign.last_tick.unwrap_or(campaign.since)
}

fn needs(summary: &PlanSummary, plates: &[DraftPlate]) -> Needs {
    let mut needs = Needs { volume_nl_by_content: summary.volume_nl_by_content.clone(), ..Needs::default() };
    for plate in plates {
        *needs.blanks.entry((plate.labware.clone(), plate.context.clone())).or_default() += 1;
    }
    needs
}

fn live_plate(plate: &PlateUnderWay) -> LivePlate {
    LivePlate {
        barcode: plate.barcode.clone(),
        incubating: plate.incubating.map(|it| (it.since_lab_at, it.read_from_lab_at, it.read_to_lab_at)),
        read: plate.reading,
    }
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
            Labware::by_load_name(&well.labware)
                .map_or(well.available_nl, |it| it.drawable_nl(well.available_nl))
        });
        stock.volume_nl_by_content.insert(content.clone(), usable.sum());
    }
    stock
}
