//! A person begins a round by hand, whatever the calendar says.

use super::state::State;
use crate::calendar::judge;
use crate::ids::{ActorId, CampaignId, RoundId};
use crate::rounds::begin::{Standing, begin};
use crate::store::rounds::BegunBy;
use crate::store::{self, Result};
use sqlx::PgConnection;

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    Started(RoundId),
    NotFound,
    /// It cannot begin now: a stable code, and why with what to do.
    Refused {
        code: &'static str,
        text: String,
    },
}

/// Begins the next round of an active campaign. `despite_blackout`: the person knows of it.
pub async fn start_round(
    conn: &mut PgConnection,
    id: CampaignId,
    despite_blackout: bool,
    actor: ActorId,
) -> Result<Started> {
    let mut tx = store::begin(conn).await?;
    let answer = start_in(&mut tx, id, despite_blackout, actor).await?;
    match answer {
        Started::Started(_) => tx.commit().await?,
        // At once: its lock would keep the engine from the campaign.
        Started::NotFound | Started::Refused { .. } => tx.rollback().await?,
    }
    Ok(answer)
}

async fn start_in(
    conn: &mut PgConnection,
    id: CampaignId,
    despite_blackout: bool,
    actor: ActorId,
) -> Result<Started> {
    let Some(campaign) = store::campaigns::lock_waiting(conn, id).await? else {
        return Ok(Started::NotFound);
    };
    if campaign.state != State::Active {
        let stands = matches!(campaign.state, State::Paused | State::Draining);
        let then = if stands { " Resume it first." } else { "" };
        let text = format!("The campaign is {}.{then}", campaign.state.as_str());
        return Ok(Started::Refused { code: "campaign.not_in_state", text });
    }
    let standing = Standing::read(conn, &campaign).await?;
    if let Err(why) = judge::by_hand(&standing.rule, &standing.situation, despite_blackout) {
        return Ok(Started::Refused { code: why.code, text: why.text });
    }
    let now = standing.situation.now;
    Ok(match begin(conn, &campaign, &standing, BegunBy::Person, now, actor).await? {
        Some(round) => Started::Started(round),
        None => Started::Refused {
            code: "round.one_runs",
            text: "Another round began at the same moment.".to_owned(),
        },
    })
}
