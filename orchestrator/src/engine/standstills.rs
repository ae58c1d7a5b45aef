//! Notices what stands still past its deadline, and tells people once until it moves.

use super::Engine;
use crate::ids::{CampaignId, RoundId, SYSTEM};
use crate::people::Visible;
use crate::steps::{self, Step};
use crate::store::events::NewEvent;
use crate::store::instruments::Instrument;
use crate::store::watchdog::{self as facts, Known};
use crate::store::{self, Result};
use crate::watchdog::standstill::{Standstill, Subject, Waiting, is_told_otherwise, judge};
use crate::watchdog::{Owner, Reason, job as of_job, round as of_round};
use jobs::JobId;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a look tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    All,
    /// Not of jobs that nobody came for while this process was not there: agents have to come back first, and what came due
    /// has to be made ready.
    AfterAStart,
}

impl Looks {
    fn tells(self, waiting: &Waiting) -> bool {
        self == Looks::All
            || waiting.subject != Subject::Job
            || !matches!(waiting.state.as_str(), "ready" | "waiting")
    }
}

impl Engine {
    /// One look at everything. Answers how many standstills there are that people are told of.
    pub async fn watch_standstills(&self) -> Result<usize> {
        self.look_for_standstills(Looks::All).await
    }

    /// The same, and of what stands still newly only what `looks` tells of.
    pub async fn look_for_standstills(&self, looks: Looks) -> Result<usize> {
        steps::before(Step::WatchStandstills).await;
        let mut tx = store::begin_on(&self.pool).await?;
        let past = past(&mut tx).await?;
        let told: Vec<&(Waiting, Owner)> = past.iter().filter(|(it, _)| !is_told_otherwise(it)).collect();
        let still: BTreeSet<(&str, &str, &str)> =
            told.iter().map(|(it, _)| (it.subject.as_str(), it.id.as_str(), it.state.as_str())).collect();
        let known = facts::known(&mut tx).await?;
        for known in &known {
            if !still.contains(&(known.subject.as_str(), known.id.as_str(), known.state.as_str())) {
                moved(&mut tx, known).await?;
            }
        }
        let known: BTreeSet<(&str, &str, &str)> =
            known.iter().map(|it| (it.subject.as_str(), it.id.as_str(), it.state.as_str())).collect();
        let mut new = Vec::new();
        for (waiting, owner) in told.iter().filter(|(waiting, _)| looks.tells(waiting)) {
            let key = (waiting.subject.as_str(), waiting.id.as_str(), waiting.state.as_str());
            if !known.contains(&key) && facts::notice(&mut tx, waiting).await? {
                new.push((waiting.clone(), *owner));
            }
        }
        for standstill in explained(&mut tx, new).await? {
            record(&mut tx, "StandstillBegan", &standstill).await?;
        }
        let count = told.len();
        steps::commit(tx, Step::WatchStandstills).await?;
        Ok(count)
    }
}

/// Everything past its deadline that `visible` may see, longest first, with the reasons.
pub async fn all(conn: &mut PgConnection, visible: &Visible) -> Result<Vec<Standstill>> {
    let past = past(conn).await?;
    let campaigns: BTreeSet<CampaignId> = past.iter().filter_map(|(it, _)| it.campaign_id).collect();
    let campaigns: Vec<CampaignId> = campaigns.into_iter().collect();
    let campaigns = store::campaigns::by_ids(conn, &campaigns).await?;
    let shown: BTreeSet<CampaignId> =
        campaigns.iter().filter(|it| visible.shows(it.project_id)).map(|it| it.id).collect();
    let is_shown =
        |it: &Waiting| it.campaign_id.map_or(*visible == Visible::All, |campaign| shown.contains(&campaign));
    let mut all = explained(conn, past.into_iter().filter(|(it, _)| is_shown(it)).collect()).await?;
    all.sort_by_key(|it| it.since);
    Ok(all)
}

async fn past(conn: &mut PgConnection) -> Result<Vec<(Waiting, Owner)>> {
    let now = store::clock::read(conn).await?.real_at;
    let waits = facts::waits(conn).await?;
    Ok(waits.into_iter().filter_map(|it| judge(&it, now).map(|owner| (it, owner))).collect())
}

/// With the reasons of each, read for all of a sort at once.
async fn explained(conn: &mut PgConnection, past: Vec<(Waiting, Owner)>) -> Result<Vec<Standstill>> {
    let known = Explanations::read(conn, &past).await?;
    let standstill = |(waiting, owner): (Waiting, Owner)| {
        let mut reasons = known.of(&waiting);
        if reasons.is_empty() {
            let words = format!("the {} is {}", waiting.subject.as_str(), waiting.state);
            reasons.push(Reason::new("standstill", owner, words).since(waiting.since));
        }
        Standstill {
            told_otherwise: is_told_otherwise(&waiting),
            subject: waiting.subject,
            id: waiting.id,
            state: waiting.state,
            campaign_id: waiting.campaign_id,
            owner,
            since: waiting.since,
            reasons,
        }
    };
    Ok(past.into_iter().map(standstill).collect())
}

/// Why what stands still does.
struct Explanations {
    jobs: BTreeMap<JobId, of_job::Facts>,
    rounds: BTreeMap<RoundId, of_round::Facts>,
    campaigns: BTreeMap<CampaignId, of_round::CampaignFacts>,
    instruments: Vec<Instrument>,
}

impl Explanations {
    async fn read(conn: &mut PgConnection, past: &[(Waiting, Owner)]) -> Result<Self> {
        let of = |subject: Subject| {
            let those = past.iter().filter(move |(it, _)| it.subject == subject);
            those.filter_map(|(it, _)| it.id.parse::<Uuid>().ok())
        };
        let jobs: Vec<JobId> = of(Subject::Job).map(JobId).collect();
        let rounds: Vec<RoundId> = of(Subject::Round).map(RoundId).collect();
        let rounds = store::rounds::by_ids(conn, &rounds).await?;
        let campaigns: Vec<CampaignId> = of(Subject::Campaign).map(CampaignId).collect();
        let an_instrument = past.iter().any(|(it, _)| it.subject == Subject::Instrument);
        Ok(Self {
            jobs: facts::jobs(conn, &jobs).await?,
            rounds: facts::rounds(conn, &rounds).await?,
            campaigns: facts::campaigns(conn, &campaigns).await?,
            instruments: if an_instrument { store::instruments::list(conn).await? } else { Vec::new() },
        })
    }

    fn of(&self, waiting: &Waiting) -> Vec<Reason> {
        let id: Option<Uuid> = waiting.id.parse().ok();
        match (waiting.subject, id) {
            (Subject::Job, Some(id)) => self.jobs.get(&JobId(id)).map(of_job::explain).unwrap_or_default(),
            (Subject::Round, Some(id)) => {
                self.rounds.get(&RoundId(id)).map(of_round::explain).unwrap_or_default()
            }
            (Subject::Campaign, Some(id)) => {
                self.campaigns.get(&CampaignId(id)).map(of_round::explain_campaign).unwrap_or_default()
            }
            (Subject::Instrument, _) => self
                .instruments
                .iter()
                .find(|it| it.name == waiting.id)
                .map(out_of_service)
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn out_of_service(it: &Instrument) -> Reason {
    let why = it.state_reason.as_deref().unwrap_or("nobody said why");
    let words = format!("{} is {}: {why}", it.name, it.state.as_str());
    let to_do = format!("`loopwright instrument resume {}` when it is done.", it.name);
    Reason::new("instrument.out_of_service", Owner::Operator, words).to_do(to_do).since(it.state_since)
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
    store::outbox::tell(conn, &event).await
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
    store::outbox::tell(conn, &event).await
}
