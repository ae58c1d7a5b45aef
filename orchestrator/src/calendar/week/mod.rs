//! The view of the time to come: when proposals are made, by when approval is needed, when plates run and are
//! read, what they need, and what does not fit. Pure.
//!
//! ```text
//! live rounds (facts where jobs have their times)  \
//!                                                    -> steps -> what they need against stock     -> items
//! ticks to come (forecasts)                         /          -> hours against capacities        -> load
//! ```
//!
//! A forecast takes a round to be approved as fast as the campaign's last rounds were, and its plates to be
//! dispensed one after the other. It is a picture, not a plan: planning decides when there is a batch.

mod fit;
mod load;
mod rounds;
mod shape;
mod supply;

#[cfg(test)]
mod tests;

pub use supply::{Short, Supply, SupplyKind, supplies};

use super::Rule;
use crate::campaigns::Spec;
use crate::ids::CampaignId;
use crate::store::blackouts::Blackout;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is known when the view is made.
#[derive(Clone, Debug)]
pub struct Outlook {
    pub now: DateTime<Utc>,
    pub from: DateTime<Utc>,
    /// Not in it.
    pub to: DateTime<Utc>,
    /// Whose days the load is counted by.
    pub zone: super::Zone,
    pub campaigns: Vec<CampaignOutlook>,
    pub blackouts: Vec<Blackout>,
    pub devices: BTreeMap<String, Device>,
    pub stock: Stock,
}

/// One campaign that is not over.
#[derive(Clone, Debug)]
pub struct CampaignOutlook {
    pub id: CampaignId,
    /// Whoever looks may see it: else it counts, in the load and for what fits, and is not shown.
    pub shown: bool,
    pub name: String,
    pub spec: Spec,
    pub rule: Rule,
    pub last_tick: Option<DateTime<Utc>>,
    pub since: DateTime<Utc>,
    /// Active: a paused one begins no round.
    pub begins_rounds: bool,
    /// Of the budget, beside those that are done or live.
    pub rounds_left: u32,
    /// A tick waits already.
    pub tick_waits: bool,
    /// Laboratory hours from a proposal to its approval.
    pub approval_hours: f64,
    pub live: Vec<LiveRound>,
}

/// A round that has begun.
#[derive(Clone, Debug)]
pub struct LiveRound {
    pub number: u32,
    pub phase: Phase,
    pub plates: Vec<LivePlate>,
    /// Of its batch's draft plan, while nothing is reserved.
    pub needs: Option<Needs>,
    /// Why its batch cannot be carried out as things are.
    pub impossible: Option<String>,
}

/// How far it is, as far as the calendar cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Proposing,
    /// Its batch waits for people since.
    AwaitingApproval {
        since: DateTime<Utc>,
    },
    /// Plates are made, incubated, read.
    Working,
    /// Nothing is left but people's decisions.
    Ending,
}

/// A plate of a round that works.
#[derive(Clone, Debug)]
pub struct LivePlate {
    pub barcode: String,
    /// In the incubator since; to be read from .. to. `None`: not yet there.
    pub incubating: Option<(DateTime<Utc>, DateTime<Utc>, DateTime<Utc>)>,
    /// It is at the reader, or was.
    pub read: bool,
}

/// What a round takes from the stock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Blank plates, by labware and context.
    pub blanks: BTreeMap<(String, String), u32>,
    pub volume_nl_by_content: BTreeMap<String, u64>,
    /// Contents that are not chosen yet: how many, and the volume of each.
    pub any: Option<(u32, u64)>,
}

/// What an instrument can do in a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub in_service: bool,
    /// Plates at a time: slots of an incubator or reader; 1 for a handler.
    pub places: u32,
    pub seconds_per_transfer: f64,
    pub minutes_per_plate: f64,
}

/// What is in the laboratory and not reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    pub blanks: BTreeMap<(String, String), u32>,
    /// Above what each well keeps.
    pub volume_nl_by_content: BTreeMap<String, u64>,
}

/// The view.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CalendarView)]
pub struct Week {
    pub from_lab_at: DateTime<Utc>,
    pub to_lab_at: DateTime<Utc>,
    /// By their beginning.
    pub items: Vec<Item>,
    /// By instrument and day; days without work left out.
    pub load: Vec<Load>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CalendarItem)]
pub struct Item {
    pub kind: Kind,
    pub campaign_id: Option<CampaignId>,
    /// Its name.
    pub campaign: Option<String>,
    pub title: String,
    pub from_lab_at: DateTime<Utc>,
    /// Equal to `from_lab_at` for an instant.
    pub to_lab_at: DateTime<Utc>,
    pub instrument: Option<String>,
    /// A fact of the queue or the calendar; else a forecast.
    pub certain: bool,
    /// Plates and volumes, in words.
    pub needs: Option<String>,
    pub fits: bool,
    pub why_not: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CalendarItemKind)]
pub enum Kind {
    /// A round begins to propose.
    RoundDue,
    /// By then a batch must be approved, or the next tick finds its round still running.
    ApprovalNeededBy,
    Dispense,
    Incubate,
    Read,
    Blackout,
    Maintenance,
}

/// Work of an instrument on one day, against what it can do.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CalendarLoad)]
pub struct Load {
    pub instrument: String,
    pub day: NaiveDate,
    /// Of an incubator: plate hours.
    pub hours: f64,
    /// 24 hours a place, less maintenance.
    pub capacity_hours: f64,
}

/// Makes the view.
pub fn week(outlook: &Outlook) -> Week {
    let mut steps: Vec<Step> =
        outlook.campaigns.iter().flat_map(|campaign| rounds::steps(campaign, outlook)).collect();
    steps.sort_by_key(|step| (step.item.from_lab_at, step.item.kind));
    let all = load::days(&steps, outlook);
    fit::judge(&mut steps, &all, outlook);
    let hidden = |item: &Item| {
        outlook.campaigns.iter().any(|campaign| !campaign.shown && item.campaign_id == Some(campaign.id))
    };
    let seen = |item: &Item| {
        !hidden(item)
            && item.from_lab_at < outlook.to
            && (item.to_lab_at > outlook.from || item.from_lab_at >= outlook.from)
    };
    let mut items: Vec<Item> = steps
        .into_iter()
        .map(|step| step.item)
        .chain(outlook.blackouts.iter().map(closed))
        .filter(seen)
        .collect();
    items.sort_by(|a, b| (a.from_lab_at, a.kind, &a.title).cmp(&(b.from_lab_at, b.kind, &b.title)));
    Week { from_lab_at: outlook.from, to_lab_at: outlook.to, items, load: load::within(all, outlook) }
}

fn closed(blackout: &Blackout) -> Item {
    let kind = if blackout.instrument.is_some() { Kind::Maintenance } else { Kind::Blackout };
    Item {
        kind,
        campaign_id: None,
        campaign: None,
        title: blackout.reason.clone(),
        from_lab_at: blackout.from_lab_at,
        to_lab_at: blackout.to_lab_at,
        instrument: blackout.instrument.clone(),
        certain: true,
        needs: None,
        fits: true,
        why_not: None,
    }
}

/// An entry with what it takes.
#[derive(Clone, Debug)]
struct Step {
    item: Item,
    /// Hours of the instrument's work; of an incubator, of each of the plates.
    hours: f64,
    plates: u32,
    /// Drawn from the stock when it begins.
    needs: Option<Needs>,
}
