//! Notices what stands still past its deadline, and tells people once until it moves.

use super::Engine;
use crate::ids::{CampaignId, RoundId, SYSTEM};
use crate::people::Visible;
use crate::steps::{self, Step};
use crate::store::events::NewEvent;
use crate::store::watchdog::{self as facts, Known};
use crate::store::{self, Result};
use crate::watchdog::standstill::{Standstill, Subject, Waiting, is_told_otherwise, judge};
use crate::watchdog::{Owner, Reason, job as of_job, round as of_round};
use jobs::JobId;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

impl Engine {
    /// One look. Answers how many standstills are told.
    pub async fn watch_standstills(&self) -> Result<usize> {
        steps::before(Step::WatchStandstills).await;
        let mut tx = self.pool.begin().await?;
        let past = past(&mut tx).await?;
        let told: Vec<&(Waiting, Owner)> = past.iter().filter(|(it, _)| !is_told_otherwise(it)).collect();
        let still: BTreeSet<(&str, &str, &str)> =
            told.iter().map(|(it, _)| (it.subject.as_str(), it.id.as_str(), it.state.as_str())).collect();
        for known in facts::known(&mut tx).await? {
            if !still.contains(&(known.subject.as_str(), known.id.as_str(), known.state.as_str())) {
                moved(&mut tx, &known).await?;
            }
        }
        for (waiting, owner) in &told {
            if facts::notice(&mut tx, waiting).await? {
                let standstill = standstill(&mut tx, waiting.clone(), *owner).await?;
                record(&mut tx, "StandstillBegan", &standstill).await?;
            }
        }
        let count = told.len();
        steps::commit(tx, Step::WatchStandstills).await?;
        Ok(count)
    }
}

/// Everything past its deadline that `visible` may see, longest first, with the reasons.
pub async fn all(conn: &mut PgConnection, visible: &Visible) -> Result<Vec<Standstill>> {
    let mut all = Vec::new();
    for (waiting, owner) in past(conn).await? {
        let shown = match waiting.campaign_id {
            None => *visible == Visible::All,
            Some(id) => {
                let campaign = store::campaigns::by_id(conn, id).await?;
                campaign.is_some_and(|campaign| visible.shows(campaign.project_id))
            }
        };
        if shown {
            all.push(standstill(conn, waiting, owner).await?);
        }
    }
    all.sort_by_key(|it| it.since);
    Ok(all)
}

async fn past(conn: &mut PgConnection) -> Result<Vec<(Waiting, Owner)>> {
    let now = store::clock::read(conn).await?.real_at;
    let waits = facts::waits(conn).await?;
    Ok(waits.into_iter().filter_map(|it| judge(&it, now).map(|owner| (it, owner))).collect())
}

async fn standstill(conn: &mut PgConnection, waiting: Waiting, owner: Owner) -> Result<Standstill> {
    let mut reasons = reasons(conn, &waiting).await?;
    if reasons.is_empty() {
        let words = format!("the {} is {}", waiting.subject.as_str(), waiting.state);
        reasons.push(Reason::new("standstill", owner, words).since(waiting.since));
    }
    Ok(Standstill {
        told_otherwise: is_told_otherwise(&waiting),
        subject: waiting.subject,
        id: waiting.id,
        state: waiting.state,
        campaign_id: waiting.campaign_id,
        owner,
        since: waiting.since,
        reasons,
    })
}

async fn reasons(conn: &mut PgConnection, waiting: &Waiting) -> Result<Vec<Reason>> {
    let id: Option<Uuid> = waiting.id.parse().ok();
    Ok(match (waiting.subject, id) {
        (Subject::Job, Some(id)) => {
            facts::job(conn, JobId(id)).await?.map(|it| of_job::explain(&it)).unwrap_or_default()
        }
        (Subject::Round, Some(id)) => {
            facts::round(conn, RoundId(id)).await?.map(|it| of_round::explain(&it)).unwrap_or_default()
        }
        (Subject::Campaign, Some(id)) => {
            let facts = facts::campaign(conn, CampaignId(id)).await?;
            facts.map(|it| of_round::explain_campaign(&it)).unwrap_or_default()
        }
        (Subject::Instrument, _) => {
            let it = store::instruments::get(conn, &waiting.id).await?;
            let why = it.state_reason.unwrap_or_else(|| "nobody said why".to_owned());
            let words = format!("{} is {}: {why}", it.name, it.state.as_str());
            let to_do = format!("`loopwright instrument resume {}` when it is done.", it.name);
            vec![
                Reason::new("instrument.out_of_service", Owner::Operator, words)
                    .to_do(to_do)
                    .since(it.state_since),
            ]
        }
        _ => Vec::new(),
    })
}

async fn moved(conn: &mut PgConnection, known: &Known) -> Result<()> {
    let Some((campaign, _)) = facts::forget(conn, known).await? else { return Ok(()) };
    let event = NewEvent {
        kind: "StandstillEnded",
        subject: &known.subject,
        subject_id: known.id.clone(),
        campaign_id: campaign,
        actor: SYSTEM,
        body: json!({"state": known.state}),
    };
    let event_id = store::events::append(conn, &event).await?;
    store::outbox::enqueue(conn, event_id, "standstill").await
}

async fn record(conn: &mut PgConnection, kind: &'static str, it: &Standstill) -> Result<()> {
    let first = it.reasons.first();
    let event = NewEvent {
        kind,
        subject: it.subject.as_str(),
        subject_id: it.id.clone(),
        campaign_id: it.campaign_id,
        actor: SYSTEM,
        body: json!({
            "state": it.state, "since": it.since, "owner": it.owner,
            "why": first.map(|reason| &reason.words), "to_do": first.map(|reason| &reason.to_do),
        }),
    };
    let event_id = store::events::append(conn, &event).await?;
    store::outbox::enqueue(conn, event_id, "standstill").await
}
