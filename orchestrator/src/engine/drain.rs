//! What drains and has nothing on its way any more, stands: campaigns are paused, rounds held, instruments in
//! maintenance.

use super::{Engine, nothing};
use crate::campaigns::state::Event as CampaignEvent;
use crate::ids::{CampaignId, RoundId, SYSTEM};
use crate::rounds::state::{Event, State};
use crate::steps::{self, Step};
use crate::store::instruments::{Change, InstrumentState};
use crate::store::rounds::Why;
use crate::store::{self, Result};

/// One look at everything that drains, where something does or is held. Answers whether something came to stand.
pub(super) async fn step(engine: &Engine) -> Result<bool> {
    let mut conn = engine.pool.acquire().await?;
    let campaigns = store::drains::campaigns_at_rest(&mut conn).await?;
    let instruments = store::drains::instruments_at_rest(&mut conn).await?;
    store::drains::forget_holds_of_the_ended(&mut conn).await?;
    let rounds = store::drains::rounds(&mut conn).await?;
    drop(conn);
    let mut moved = false;
    for id in rounds {
        moved |= round(engine, id).await?;
    }
    for id in campaigns {
        moved |= campaign(engine, id).await?;
    }
    for name in instruments {
        moved |= instrument(engine, &name).await?;
    }
    Ok(moved)
}

async fn campaign(engine: &Engine, id: CampaignId) -> Result<bool> {
    steps::before(Step::Drain).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut campaign) = store::campaigns::lock(&mut tx, id).await? else { return nothing(tx).await };
    let because = "Nothing of it is on its way any more.";
    let moved =
        store::campaigns::apply(&mut tx, &mut campaign, CampaignEvent::Drained, because, SYSTEM).await?;
    if !moved.is_done() {
        // Resumed or cancelled since it was listed.
        return nothing(tx).await;
    }
    store::holds::drained(&mut tx, id.0).await?;
    steps::commit(tx, Step::Drain).await?;
    Ok(true)
}

async fn round(engine: &Engine, id: RoundId) -> Result<bool> {
    steps::before(Step::Drain).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let Some(mut round) = store::rounds::lock(&mut tx, id).await? else { return nothing(tx).await };
    if round.state.is_terminal()
        || !store::drains::is_draining(&mut tx, id.0).await?
        || store::drains::is_on_its_way(&mut tx, id).await?
    {
        return nothing(tx).await;
    }
    if matches!(round.state, State::In(_)) {
        let reason = store::holds::of(&mut tx, id.0).await?.map(|hold| hold.reason).unwrap_or_default();
        let text =
            format!("It was drained: {reason} Plates that had begun are at their end. Resume it to go on.");
        let why = Why::new("round.drained", text);
        store::rounds::apply(&mut tx, &mut round, Event::Held, Some(why), SYSTEM).await?.must()?;
    } else {
        let because = "Plates that had begun are at their end.";
        store::rounds::note(&mut tx, &round, "RoundDrained", because, SYSTEM).await?;
    }
    store::holds::drained(&mut tx, id.0).await?;
    steps::commit(tx, Step::Drain).await?;
    Ok(true)
}

async fn instrument(engine: &Engine, name: &str) -> Result<bool> {
    steps::before(Step::Drain).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    if store::instruments::lock(&mut tx, name).await? != Some(InstrumentState::Draining)
        || !store::drains::instruments_at_rest(&mut tx).await?.iter().any(|it| it == name)
    {
        return nothing(tx).await;
    }
    let change = Change {
        state: InstrumentState::Maintenance,
        reason: None,
        back_lab_at: None,
        kind: "InstrumentDrained",
    };
    store::instruments::apply(&mut tx, name, &change, SYSTEM).await?;
    steps::commit(tx, Step::Drain).await?;
    Ok(true)
}
