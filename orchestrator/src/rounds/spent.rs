//! Whether a campaign may begin another round: what its rounds have used of its budget.

use crate::campaigns::spec::Budget;
use crate::ids::{CampaignId, RoundId};
use crate::rounds::state::State;
use crate::rounds::summary::Summary;
use crate::store::rounds::Round;
use crate::store::{self, Result};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// What the rounds of one campaign say of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub closed: u32,
    pub live: u32,
    /// Hits of those that have their summary, less those withdrawn: each once.
    pub hits: u32,
    /// Those that have none.
    pub open: Vec<RoundId>,
    /// Answers of closed rounds, repeated ones among them; `None` when one of them does not say how many.
    pub answered_at_most: Option<u64>,
}

impl Tally {
    /// Of no rounds.
    pub fn none() -> Self {
        Self::of(&[])
    }

    pub fn of(rounds: &[Round]) -> Self {
        let count = |of: fn(&Round) -> bool| {
            u32::try_from(rounds.iter().filter(|round| of(round)).count()).unwrap_or(u32::MAX)
        };
        let closed = rounds.iter().filter(|round| round.state == State::Closed);
        Self {
            closed: count(|round| round.state == State::Closed),
            live: count(|round| !round.state.is_terminal()),
            hits: hits_of(rounds.iter().filter_map(summary)),
            open: rounds.iter().filter(|round| summary(round).is_none()).map(|round| round.id).collect(),
            answered_at_most: closed
                .map(|round| summary(round).map(|summary| u64::from(summary.proposed)))
                .sum(),
        }
    }
}

fn hits_of(summaries: impl Iterator<Item = Summary> + Clone) -> u32 {
    let found: u32 = summaries.clone().map(|summary| summary.hits_found).sum();
    found.saturating_sub(summaries.map(|summary| summary.hits_withdrawn).sum())
}

fn summary(round: &Round) -> Option<Summary> {
    serde_json::from_value(round.summary.clone()?).ok()
}

/// What rounds without a summary can add at most: cheap to read for many campaigns.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    called_hits: BTreeMap<RoundId, u32>,
    in_live_batches: BTreeMap<CampaignId, u64>,
}

impl Bounds {
    /// For campaigns with these budgets and tallies.
    pub async fn read(conn: &mut PgConnection, campaigns: &[(CampaignId, &Budget, &Tally)]) -> Result<Self> {
        let by_hits = campaigns.iter().filter(|(_, budget, _)| budget.stop_after_hits.is_some());
        let open: Vec<RoundId> = by_hits.flat_map(|(.., tally)| tally.open.iter().copied()).collect();
        let live = campaigns.iter().filter(|(.., tally)| tally.live > 0);
        let live: Vec<CampaignId> = live.map(|(id, ..)| *id).collect();
        Ok(Self {
            called_hits: store::observations::called_hits(conn, &open).await?,
            in_live_batches: store::proposals::in_live_batches(conn, &live).await?,
        })
    }
}

/// Why no further round of `campaign` can begin, if none can.
pub async fn spent(
    conn: &mut PgConnection,
    campaign: CampaignId,
    (budget, pool_size): (&Budget, u64),
    tally: &Tally,
    bounds: &Bounds,
) -> Result<Option<String>> {
    if tally.closed + tally.live >= budget.rounds {
        let done = if tally.live == 0 { "done" } else { "done or running" };
        return Ok(Some(format!("all {} rounds of the budget are {done}", budget.rounds)));
    }
    if let Some(wanted) = budget.stop_after_hits {
        let hits = hits(conn, tally, bounds, wanted).await?;
        if hits >= wanted {
            return Ok(Some(format!("{hits} hits found, {wanted} were wanted")));
        }
    }
    let at_most = bounds.in_live_batches.get(&campaign).copied().unwrap_or_default();
    if tally.answered_at_most.is_some_and(|answered| answered + at_most < pool_size) {
        // Far from it: what is asked twice need not be told apart.
        return Ok(None);
    }
    let answered = store::proposals::answered(conn, campaign).await?;
    let asked = if tally.live == 0 { 0 } else { store::proposals::asked_for(conn, campaign).await? };
    if answered + asked >= pool_size {
        let or_asked = if tally.live == 0 { "" } else { " or asked for" };
        let all = pool_size.min(answered + asked);
        return Ok(Some(format!("all {all} experiments of the design space are answered{or_asked}")));
    }
    Ok(None)
}

/// Hits that the rounds have found so far, each once, as all measurements of it together say; fewer than `wanted` when there
/// are fewer, without those of rounds that have not closed.
async fn hits(conn: &mut PgConnection, tally: &Tally, bounds: &Bounds, wanted: u32) -> Result<u32> {
    let mut hits = tally.hits;
    let called: u32 = tally.open.iter().filter_map(|round| bounds.called_hits.get(round)).sum();
    if hits + called < wanted {
        return Ok(hits);
    }
    for round in store::rounds::by_ids(conn, &tally.open).await? {
        let calls = store::observations::calls(conn, &round).await?;
        hits = (hits + calls.found).saturating_sub(calls.withdrawn);
    }
    Ok(hits)
}
