//! Why a job is not done yet. Pure.

use super::reason::{Owner, Reason, at};
use crate::store::holds::{Manner, Subject};
use crate::store::instruments::InstrumentState;
use chrono::{DateTime, Utc};
use jobs::JobId;
use jobs::state::State;
use std::time::Duration;

/// Everything that says why a job is where it is.
#[derive(Clone, Debug)]
pub struct Facts {
    pub kind: String,
    pub state: State,
    pub queue: String,
    pub capability: String,
    pub instrument: Option<String>,
    /// Some step of its plate has begun: a drain lets it go on. Only looked for while an instrument drains.
    pub plate_begun: bool,
    /// Real time: since when it is in its state, where that is known.
    pub since: Option<DateTime<Utc>>,
    pub not_before_lab_at: Option<DateTime<Utc>>,
    pub deadline_lab_at: Option<DateTime<Utc>>,
    pub retry_at: Option<DateTime<Utc>>,
    /// Real time by the database.
    pub now: DateTime<Utc>,
    pub lab_now: DateTime<Utc>,
    pub bars: Vec<Bar>,
    pub upstream: Vec<Upstream>,
    /// Of its queue, when it is one that stops with the laboratory.
    pub stop: Option<Stop>,
    /// Those with its capability, or the one that it is addressed to.
    pub instruments: Vec<InstrumentFacts>,
    /// When a learner's token was last used, for what learners do.
    pub learner_seen_at: Option<DateTime<Utc>>,
    pub held_by: Option<HeldBy>,
}

/// A hold that bars it.
#[derive(Clone, Debug)]
pub struct Bar {
    pub subject: Subject,
    pub manner: Manner,
    pub reason: String,
    pub by: String,
    pub since: DateTime<Utc>,
}

/// A job that it waits for.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub id: JobId,
    pub kind: String,
    pub state: State,
    /// The plate of that job.
    pub plate: Option<String>,
    /// It ended badly on this place, which is not known to be clear.
    pub place_held: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Stop {
    pub by: String,
    pub reason: String,
    pub since: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct InstrumentFacts {
    pub name: String,
    pub state: InstrumentState,
    pub reason: Option<String>,
    pub back_lab_at: Option<DateTime<Utc>>,
    pub last_seen_at: Option<DateTime<Utc>>,
    pub busy: Option<Busy>,
}

/// What an instrument does now.
#[derive(Clone, Debug)]
pub struct Busy {
    pub job: JobId,
    pub kind: String,
    pub plate: Option<String>,
    pub since: DateTime<Utc>,
}

/// Whoever holds it.
#[derive(Clone, Debug)]
pub struct HeldBy {
    pub worker: String,
    pub expires_at: DateTime<Utc>,
    pub progress: Option<String>,
}

/// An agent or a learner that was not heard of for so long is silent.
pub const SILENT: Duration = Duration::from_secs(120);

/// Why it is not done yet, the weightiest first; empty when it has ended.
pub fn explain(facts: &Facts) -> Vec<Reason> {
    match facts.state {
        State::Succeeded | State::Failed | State::Cancelled | State::PlateLost => Vec::new(),
        State::InDoubt => vec![
            Reason::new(
                "job.in_doubt",
                Owner::Operator,
                format!("a {} began, and nobody knows how it ended", facts.kind),
            )
            .to_do("Look at the device and the plate, then say done, not done or plate lost.")
            .since(facts.since),
        ],
        State::Leased | State::Running | State::Stopping => vec![held(facts)],
        State::Waiting => waiting(facts),
        State::Ready => ready(facts),
    }
}

fn held(facts: &Facts) -> Reason {
    let Some(by) = &facts.held_by else {
        return Reason::new("job.moving", Owner::Engine, "it moved while it was looked at")
            .to_do("Look again.");
    };
    if by.expires_at < facts.now {
        return Reason::new(
            "job.lease_ran_out",
            Owner::Engine,
            format!("the lease of {} has run out", by.worker),
        )
        .to_do("It is taken back within seconds while `loopwright serve` runs: is it running?")
        .since(by.expires_at);
    }
    let progress = by.progress.as_ref().map(|says| format!(": {says}")).unwrap_or_default();
    let (code, words) = match facts.state {
        State::Leased => ("job.leased", format!("{} was given it and has not begun", by.worker)),
        State::Stopping => ("job.stopping", format!("{} goes to its next safe point{progress}", by.worker)),
        _ => ("job.running", format!("{} works on it{progress}", by.worker)),
    };
    let owner = if facts.queue == "people" { Owner::Operator } else { Owner::Agent };
    Reason::new(code, owner, words).since(facts.since)
}

fn waiting(facts: &Facts) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = facts.upstream.iter().filter_map(upstream).collect();
    if let Some(not_before) = facts.not_before_lab_at.filter(|it| *it > facts.lab_now) {
        let words = format!("not before {} (laboratory time)", at(not_before));
        reasons.push(Reason::new("job.not_before", Owner::Calendar, words));
    }
    reasons.extend(facts.bars.iter().map(barred));
    if reasons.is_empty() {
        let words = "what it waited for is there; it is about to be ready";
        reasons.push(Reason::new("job.due", Owner::Engine, words).to_do(SERVE).since(facts.since));
    }
    reasons
}

const SERVE: &str = "That takes seconds while `loopwright serve` runs: is it running?";

fn upstream(upstream: &Upstream) -> Option<Reason> {
    let plate = upstream.plate.as_ref().map(|plate| format!(" of plate {plate}")).unwrap_or_default();
    let name = format!("the {} {}{plate}", upstream.kind, upstream.id);
    if !upstream.state.is_terminal() {
        let words = format!("waits for {name}, which is {}", upstream.state.as_str());
        let to_do = format!("`loopwright why job {}` says why.", upstream.id);
        return Some(Reason::new("job.waits_for_job", Owner::Engine, words).to_do(to_do));
    }
    let place = upstream.place_held.as_ref()?;
    let words = format!("{place} is held by {name}, which ended as {}", upstream.state.as_str());
    let to_do = "Bring the plates there where they belong, and resume the round: the place is cleared then.";
    Some(Reason::new("job.place_held", Owner::Operator, words).to_do(to_do))
}

fn barred(bar: &Bar) -> Reason {
    let (what, verb) = match bar.subject {
        Subject::Campaign => ("campaign", "its campaign"),
        Subject::Round => ("round", "its round"),
        Subject::Job => ("job", "it"),
    };
    let how = match bar.manner {
        Manner::Pause => "is paused",
        Manner::Drain => "drains, and its plate has not begun",
    };
    let words = format!("{verb} {how}, by {}: {}", bar.by, bar.reason);
    let code = match bar.manner {
        Manner::Pause => "job.paused",
        Manner::Drain => "job.drained",
    };
    Reason::new(code, Owner::Operator, words)
        .to_do(format!("Resume the {what} (`loopwright {what} resume`) when that is dealt with."))
        .since(bar.since)
}

fn ready(facts: &Facts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(stop) = &facts.stop {
        let words = format!("the laboratory is stopped, by {}: {}", stop.by, stop.reason);
        let to_do = "Look at the bench, then `loopwright resume-all`.";
        reasons.push(
            Reason::new("job.laboratory_stopped", Owner::Operator, words).to_do(to_do).since(stop.since),
        );
    }
    reasons.extend(facts.bars.iter().map(barred));
    if let Some(retry_at) = facts.retry_at.filter(|it| *it > facts.now) {
        let words = format!("failed in passing, and is tried again at {}", at(retry_at));
        reasons.push(Reason::new("job.retry_later", Owner::Engine, words));
    }
    if facts.queue == "bench" {
        reasons.extend(instruments(facts));
    } else if matches!(facts.queue.as_str(), "learner" | "predict") {
        reasons.extend(learner(facts));
    } else {
        let out_of_service = |it: &&InstrumentFacts| match it.state {
            InstrumentState::Maintenance | InstrumentState::Retired => true,
            InstrumentState::Draining => !facts.plate_begun,
            InstrumentState::InService => false,
        };
        let barring = facts.instruments.iter().filter(out_of_service);
        reasons.extend(barring.filter_map(|it| instrument(facts, it, "is done by hand at ")));
    }
    if facts.queue == "people" && reasons.is_empty() {
        let words = "waits for somebody to take it in hand";
        let to_do = "Take it on the page By hand, or `loopwright job take`.";
        reasons.push(
            Reason::new("job.waits_for_person", Owner::Operator, words).to_do(to_do).since(facts.since),
        );
    }
    if reasons.is_empty() {
        let words = format!("waits for capability {}: it is about to be given out", facts.capability);
        reasons.push(Reason::new("job.on_offer", Owner::Agent, words).to_do(SERVE).since(facts.since));
    }
    reasons
}

fn instruments(facts: &Facts) -> Vec<Reason> {
    let waits = format!("waits for capability {}: ", facts.capability);
    if facts.instruments.is_empty() {
        let which = facts.instrument.as_ref();
        let words = which.map_or_else(
            || format!("{waits}no instrument has it"),
            |name| format!("{waits}no instrument {name} is registered"),
        );
        let to_do =
            "Register one: `loopwright instrument register NAME --capability ..`, and start its agent.";
        return vec![Reason::new("job.no_instrument", Owner::Engineer, words).to_do(to_do)];
    }
    facts.instruments.iter().filter_map(|it| instrument(facts, it, &waits)).collect()
}

fn instrument(facts: &Facts, it: &InstrumentFacts, waits: &str) -> Option<Reason> {
    let name = &it.name;
    let because = it.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let back = it.back_lab_at.map(|back| format!(" until {}", at(back))).unwrap_or_default();
    let resume = format!("`loopwright instrument resume {name}` puts it back into service.");
    let (code, owner, says, to_do) = match it.state {
        InstrumentState::Maintenance => (
            "job.instrument_maintenance",
            Owner::Operator,
            format!("{name} in maintenance{back}{because}"),
            resume,
        ),
        InstrumentState::Draining if !facts.plate_begun => {
            ("job.instrument_draining", Owner::Operator, format!("{name} drains{back}{because}"), resume)
        }
        InstrumentState::Retired => {
            let to_do = format!("`loopwright instrument set {name} in-service`, or cancel the job.");
            ("job.instrument_retired", Owner::Engineer, format!("{name} is retired"), to_do)
        }
        InstrumentState::InService | InstrumentState::Draining => return at_work(facts, it, waits),
    };
    Some(Reason::new(code, owner, format!("{waits}{says}")).to_do(to_do))
}

/// In service: busy, silent, or about to take it.
fn at_work(facts: &Facts, it: &InstrumentFacts, waits: &str) -> Option<Reason> {
    let name = &it.name;
    if let Some(busy) = &it.busy {
        let plate = busy.plate.as_ref().map(|plate| format!(" of plate {plate}")).unwrap_or_default();
        let words = format!("{waits}{name} is busy with the {} {}{plate}", busy.kind, busy.job);
        return Some(Reason::new("job.instrument_busy", Owner::Agent, words).since(busy.since));
    }
    let silence = is_silent(it.last_seen_at, facts.now)?;
    let words = format!("{waits}{name} is in service, and its agent {silence}");
    let to_do = format!("Look at the agent's process and network, or pause {name}.");
    Some(Reason::new("job.agent_silent", Owner::Engineer, words).to_do(to_do).since(it.last_seen_at))
}

fn learner(facts: &Facts) -> Option<Reason> {
    let silence = is_silent(facts.learner_seen_at, facts.now)?;
    let words = format!("waits for a learner ({}): the last one {silence}", facts.capability);
    let to_do = "Start a `loopwright-learner`, or look why it does not reach the server.";
    Some(Reason::new("job.no_learner", Owner::Engineer, words).to_do(to_do).since(facts.learner_seen_at))
}

/// How long it was silent, in words, when it is.
fn is_silent(seen: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    match seen {
        None => Some("was never heard of".to_owned()),
        Some(seen) if (now - seen).to_std().unwrap_or_default() > SILENT => {
            Some(format!("was last heard of at {}", at(seen)))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-02T12:00:00Z".parse().expect("an instant")
    }

    fn facts(state: State) -> Facts {
        Facts {
            kind: "read".into(),
            state,
            queue: "bench".into(),
            capability: "read.absorbance".into(),
            instrument: None,
            plate_begun: true,
            since: Some(now()),
            not_before_lab_at: None,
            deadline_lab_at: None,
            retry_at: None,
            now: now(),
            lab_now: now(),
            bars: Vec::new(),
            upstream: Vec::new(),
            stop: None,
            instruments: vec![reader()],
            learner_seen_at: None,
            held_by: None,
        }
    }

    fn reader() -> InstrumentFacts {
        InstrumentFacts {
            name: "reader-1".into(),
            state: InstrumentState::InService,
            reason: None,
            back_lab_at: None,
            last_seen_at: Some(now()),
            busy: None,
        }
    }

    fn id() -> JobId {
        "01930000-0000-7000-8000-000000000001".parse().expect("an id")
    }

    fn upstream_of(state: State, place_held: Option<&str>) -> Upstream {
        let place_held = place_held.map(str::to_owned);
        Upstream { id: id(), kind: "dispense".into(), state, plate: Some("P-001".into()), place_held }
    }

    fn cases() -> Vec<(&'static str, Facts)> {
        let hour = chrono::Duration::hours(1);
        let ready = || facts(State::Ready);
        let with = |instrument: InstrumentFacts| Facts { instruments: vec![instrument], ..ready() };
        let bar = |subject, manner| Bar {
            subject,
            manner,
            reason: "service".into(),
            by: "ada".into(),
            since: now(),
        };
        let held = |state, expires_at| Facts {
            held_by: Some(HeldBy { worker: "reader-1".into(), expires_at, progress: Some("row C".into()) }),
            ..facts(state)
        };
        vec![
            ("about to be given out", ready()),
            (
                "in maintenance",
                with(InstrumentFacts {
                    state: InstrumentState::Maintenance,
                    back_lab_at: Some(now() + hour * 2),
                    ..reader()
                }),
            ),
            (
                "draining",
                Facts {
                    plate_begun: false,
                    ..with(InstrumentFacts {
                        state: InstrumentState::Draining,
                        reason: Some("filters".into()),
                        ..reader()
                    })
                },
            ),
            ("retired", with(InstrumentFacts { state: InstrumentState::Retired, ..reader() })),
            (
                "busy",
                with(InstrumentFacts {
                    busy: Some(Busy {
                        job: id(),
                        kind: "read".into(),
                        plate: Some("P-002".into()),
                        since: now() - hour,
                    }),
                    ..reader()
                }),
            ),
            ("silent", with(InstrumentFacts { last_seen_at: Some(now() - hour), ..reader() })),
            ("never heard of", with(InstrumentFacts { last_seen_at: None, ..reader() })),
            ("no instrument", Facts { instruments: Vec::new(), ..ready() }),
            (
                "stopped",
                Facts {
                    stop: Some(Stop { by: "ada".into(), reason: "smoke".into(), since: now() }),
                    ..ready()
                },
            ),
            ("paused", Facts { bars: vec![bar(Subject::Round, Manner::Pause)], ..ready() }),
            ("drained", Facts { bars: vec![bar(Subject::Round, Manner::Drain)], ..ready() }),
            ("retried", Facts { retry_at: Some(now() + hour), ..ready() }),
            ("no learner", Facts { queue: "learner".into(), capability: "learn.train".into(), ..ready() }),
            ("a person", Facts { queue: "people".into(), ..ready() }),
            (
                "a dependency",
                Facts { upstream: vec![upstream_of(State::Running, None)], ..facts(State::Waiting) },
            ),
            (
                "a place",
                Facts {
                    upstream: vec![upstream_of(State::Failed, Some("deck:handler-1"))],
                    ..facts(State::Waiting)
                },
            ),
            ("its time", Facts { not_before_lab_at: Some(now() + hour * 72), ..facts(State::Waiting) }),
            ("due", facts(State::Waiting)),
            ("leased", held(State::Leased, now() + hour)),
            ("running", held(State::Running, now() + hour)),
            ("stopping", held(State::Stopping, now() + hour)),
            ("run out", held(State::Running, now() - hour)),
            ("in doubt", facts(State::InDoubt)),
        ]
    }

    #[test]
    fn each_wait_is_said_in_words() {
        let lines: Vec<String> = cases()
            .into_iter()
            .flat_map(|(case, facts)| {
                explain(&facts).into_iter().map(move |it| {
                    format!("{case} -> {} ({}): {}. {}", it.code, it.owner.as_str(), it.words, it.to_do)
                })
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn whatever_has_not_ended_has_a_reason_and_what_has_ended_has_none() {
        for state in State::ALL {
            assert_eq!(explain(&facts(state)).is_empty(), state.is_terminal(), "{state:?}");
        }
        for (case, facts) in cases() {
            assert!(!explain(&facts).is_empty(), "{case}");
        }
    }
}
