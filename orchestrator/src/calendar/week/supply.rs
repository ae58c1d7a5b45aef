//! What the rounds to come take from the stock, and when it runs out. Pure.

use super::{Outlook, Step, rounds};
use crate::ids::CampaignId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One thing that rounds to come take from the stock.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Supply {
    pub kind: SupplyKind,
    /// Of blank plates: their context; of a reagent: its name.
    pub name: String,
    /// Of blank plates.
    pub labware: Option<String>,
    /// There and not reserved: plates, or nanolitres that may be drawn.
    pub there: u64,
    /// What those rounds want of it, in the same unit.
    pub wanted: u64,
    /// Rounds that want it.
    pub rounds: u32,
    /// When the first of them begins that does not get all it wants (laboratory time).
    pub short_lab_at: Option<DateTime<Utc>>,
    /// Which one that is, where the caller may see it.
    pub short_for: Option<Short>,
}

/// The first round that does not get what it wants.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Short {
    pub campaign_id: CampaignId,
    pub campaign: String,
    /// `round 7: dispense 4 plates`
    pub title: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupplyKind {
    BlankPlates,
    Reagent,
}

/// What rounds that begin before the end of the outlook want: what runs out first at first, then what is nearest its end.
/// Reagents that no batch has chosen yet are not in it, but in the calendar's words.
pub fn supplies(outlook: &Outlook) -> Vec<Supply> {
    let mut steps: Vec<Step> =
        outlook.campaigns.iter().flat_map(|campaign| rounds::steps(campaign, outlook)).collect();
    steps.sort_by_key(|step| (step.item.from_lab_at, step.item.kind));
    let mut supplies: BTreeMap<(SupplyKind, String, Option<String>), Supply> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.item.from_lab_at < outlook.to) {
        let Some(needs) = &step.needs else { continue };
        for ((labware, context), plates) in &needs.blanks {
            let there = outlook.stock.blanks.get(&(labware.clone(), context.clone()));
            let there = there.copied().map_or(0, u64::from);
            let key = (SupplyKind::BlankPlates, context.clone(), Some(labware.clone()));
            take(&mut supplies, key, there, u64::from(*plates), step, outlook);
        }
        for (content, volume_nl) in &needs.volume_nl_by_content {
            let there = outlook.stock.volume_nl_by_content.get(content).copied().unwrap_or(0);
            let key = (SupplyKind::Reagent, content.clone(), None);
            take(&mut supplies, key, there, *volume_nl, step, outlook);
        }
    }
    let mut supplies: Vec<Supply> = supplies.into_values().collect();
    supplies.sort_by(|a, b| {
        let ends = |supply: &Supply| supply.short_lab_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        // Wanted over there, without dividing.
        let share = |of: &Supply, beside: &Supply| u128::from(of.wanted) * u128::from(beside.there);
        ends(a)
            .cmp(&ends(b))
            .then(share(b, a).cmp(&share(a, b)))
            .then((a.kind, &a.name).cmp(&(b.kind, &b.name)))
    });
    supplies
}

fn take(
    supplies: &mut BTreeMap<(SupplyKind, String, Option<String>), Supply>,
    key: (SupplyKind, String, Option<String>),
    there: u64,
    wanted: u64,
    step: &Step,
    outlook: &Outlook,
) {
    let supply = supplies.entry(key.clone()).or_insert_with(|| Supply {
        kind: key.0,
        name: key.1,
        labware: key.2,
        there,
        wanted: 0,
        rounds: 0,
        short_lab_at: None,
        short_for: None,
    });
    supply.wanted = supply.wanted.saturating_add(wanted);
    supply.rounds += 1;
    if supply.wanted > supply.there && supply.short_lab_at.is_none() {
        supply.short_lab_at = Some(step.item.from_lab_at);
        let shown = outlook.campaigns.iter().any(|it| it.shown && Some(it.id) == step.item.campaign_id);
        supply.short_for = match (&step.item.campaign, step.item.campaign_id) {
            (Some(campaign), Some(campaign_id)) if shown => {
                Some(Short { campaign_id, campaign: campaign.clone(), title: step.item.title.clone() })
            }
            _ => None,
        };
    }
}
