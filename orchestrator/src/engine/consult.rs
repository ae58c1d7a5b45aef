//! What the calendar says of a campaign now. Pure.

use crate::calendar::judge::{self, Judgement, Reason};
use crate::calendar::{Beat, Tick};
use crate::rounds::begin::Standing;
use crate::store::ticks::Judged;
use chrono::{DateTime, Utc};

/// The next thing to do for a campaign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// The first model must be trained; nobody asked for it yet.
    FirstTraining,
    /// No further round.
    Finish { because: String },
    /// A waiting tick is moved on.
    Resolve { tick: Judged, judgement: Judgement },
    /// A tick is due and was never judged. `look_again_at`: when the one after it is due.
    Judge { tick: Tick, judgement: Judgement, look_again_at: Option<DateTime<Utc>> },
    /// The round before has ended, in continuous mode.
    Continue,
    /// Nothing before `at`, as far as time alone decides. `drives`: time may jump to it; else it is only a
    /// stop on the way to something else, because a round runs or a person is awaited.
    Nothing { at: Option<DateTime<Utc>>, drives: bool },
}

pub(super) fn consult(standing: &Standing) -> Next {
    if standing.training.is_none() {
        return Next::FirstTraining;
    }
    if let Some(because) = standing.finished()
        && !owes_a_tick(standing)
    {
        return Next::Finish { because };
    }
    let mut earliest = Earliest::default();
    // The first of them; the others wait behind it.
    if let Some(tick) = standing.waiting.first() {
        match judge::waiting(&standing.rule, tick.due_lab_at, &standing.situation) {
            Judgement::Wait { why, until } if why.code == tick.reason_code => earliest.add(until),
            judgement => return Next::Resolve { tick: tick.clone(), judgement },
        }
    }
    match standing.rule.beat {
        Beat::Manual => {
            let ends = standing.rule.ends.filter(|ends| *ends > standing.situation.now);
            return Next::Nothing { at: ends, drives: false };
        }
        Beat::Continuous => return continuous(standing),
        Beat::Cron(_) | Beat::Every(_) => {}
    }
    if let Some(tick) = standing.rule.next(standing.last_tick, standing.since) {
        if tick.due <= standing.situation.now {
            let next = standing.rule.next(Some(tick.nominal.at), standing.since);
            let judgement = judge::due(&standing.rule, &tick, next.as_ref(), &standing.situation);
            return Next::Judge { tick, judgement, look_again_at: next.map(|next| next.due) };
        }
        earliest.add(Some(tick.due));
    }
    let idle = standing.situation.live.is_empty();
    if idle {
        earliest.add(standing.rule.ends);
    }
    Next::Nothing { at: earliest.0, drives: idle }
}

/// A tick came before the calendar's end and was not judged: nobody looked meanwhile.
fn owes_a_tick(standing: &Standing) -> bool {
    let on_time = matches!(standing.rule.beat, Beat::Cron(_) | Beat::Every(_));
    let next = || standing.rule.next(standing.last_tick, standing.since);
    on_time
        && standing.situation.spent.is_none()
        && next().is_some_and(|tick| tick.due <= standing.situation.now)
}

fn continuous(standing: &Standing) -> Next {
    if !standing.situation.live.is_empty() {
        return Next::Nothing { at: None, drives: false };
    }
    let mut earliest = Earliest(standing.rule.ends);
    match judge::continuous(&standing.rule, &standing.situation) {
        Judgement::Start => return Next::Continue,
        Judgement::Wait { until, .. } => earliest.add(until),
        Judgement::Skip { .. } => {}
    }
    Next::Nothing { at: earliest.0, drives: true }
}

/// Why a tick started its round.
pub(super) fn started() -> Reason {
    Reason { code: "tick.started", text: "It began its round.".to_owned() }
}

#[derive(Default)]
struct Earliest(Option<DateTime<Utc>>);

impl Earliest {
    fn add(&mut self, at: Option<DateTime<Utc>>) {
        self.0 = self.0.into_iter().chain(at).min();
    }
}
