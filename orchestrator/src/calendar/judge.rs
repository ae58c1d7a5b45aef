//! What becomes of a tick that is due, of one that waits, and of a round that a person or the end of another
//! asks for.

use super::{Rule, Tick};
use crate::calendar::tick::Fate;
use crate::campaigns::schedule::{Missed, Overlap};
use chrono::{DateTime, Duration, Utc};

/// A tick that nobody acted on for so long was missed; less is a slow or restarting service.
pub const GRACE: Duration = Duration::minutes(15);

/// How the campaign stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    pub now: DateTime<Utc>,
    /// Numbers of its live rounds.
    pub live: Vec<u32>,
    /// Another tick of it waits.
    pub one_waits: bool,
    pub training: Training,
    /// Why no round can be begun any more, whatever the calendar says.
    pub spent: Option<String>,
}

/// Whether the model that the next round should use is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Training {
    /// There is no model at all before it is done.
    First,
    /// A newer version is on its way; the data for it is there since.
    Running {
        since: DateTime<Utc>,
    },
    Done,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Start,
    /// Not now. `until`: what it waits for ends then at the latest, as far as time alone ends it.
    Wait {
        why: Reason,
        until: Option<DateTime<Utc>>,
    },
    Skip {
        why: Reason,
    },
}

/// A stable code and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: &'static str,
    pub text: String,
}

impl Reason {
    fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl Judgement {
    fn skip(code: &'static str, text: impl Into<String>) -> Self {
        Judgement::Skip { why: Reason::new(code, text) }
    }

    fn wait(code: &'static str, text: impl Into<String>, until: Option<DateTime<Utc>>) -> Self {
        Judgement::Wait { why: Reason::new(code, text), until }
    }
}

/// Judges a tick that is due and was not judged before; `next`: the one after it.
pub fn due(rule: &Rule, tick: &Tick, next: Option<&Tick>, situation: &Situation) -> Judgement {
    if let Fate::Dropped { reason } = &tick.fate {
        return Judgement::skip("tick.in_blackout", format!("It falls in a blackout: {reason}."));
    }
    let wall = |tick: &Tick| rule.zone.wall(tick.nominal.at).format("%Y-%m-%d %H:%M");
    if let Some(next) = next
        && next.due <= tick.due
    {
        let text =
            format!("A blackout moved it to the time of the tick of {}: one round for both.", wall(next));
        return Judgement::skip("tick.joined", text);
    }
    let late = situation.now - tick.due > GRACE;
    let overtaken = next.filter(|next| next.due <= situation.now);
    match (late, rule.missed, overtaken) {
        (true, Missed::Skip, _) => {
            return Judgement::skip(
                "tick.missed",
                "Nobody could act on it when it was due (the service was down, or the campaign paused).",
            );
        }
        (true, Missed::Once, Some(next)) => {
            let text = format!("It was missed; the tick of {} makes up for it.", wall(next));
            return Judgement::skip("tick.missed", text);
        }
        _ => {}
    }
    let made_up_for = late && rule.missed == Missed::All;
    match begin(rule, tick.due, situation) {
        // One waits; made-up ones each get their round.
        Judgement::Wait { why, .. }
            if situation.one_waits && !made_up_for && rule.overlap != Overlap::Allow =>
        {
            Judgement::skip("tick.overlap", format!("An earlier tick waits already. {}", why.text))
        }
        judgement => judgement,
    }
}

/// Judges a tick that waits since it was due.
pub fn waiting(rule: &Rule, due: DateTime<Utc>, situation: &Situation) -> Judgement {
    if rule.ends.is_some_and(|ends| ends <= situation.now) {
        return Judgement::skip("tick.calendar_ended", "The calendar ended while it waited.");
    }
    begin(rule, due, situation)
}

/// Judges the beginning of the next round of a campaign in continuous mode.
pub fn continuous(rule: &Rule, situation: &Situation) -> Judgement {
    match rule.starts {
        Some(starts) if starts > situation.now => {
            Judgement::wait("tick.not_started", "The calendar has not begun.", Some(starts))
        }
        _ => begin(rule, DateTime::UNIX_EPOCH, situation),
    }
}

fn begin(rule: &Rule, due: DateTime<Utc>, situation: &Situation) -> Judgement {
    if let Some(why) = &situation.spent {
        return Judgement::skip("tick.budget", why.clone());
    }
    if let Some(window) = rule.blackouts.covering(situation.now) {
        let until = rule.blackouts.first_free(situation.now);
        return Judgement::wait("tick.in_blackout", format!("Blackout: {}.", window.reason), Some(until));
    }
    if let Some(number) = situation.live.first() {
        let runs = format!("Round {number} still runs.");
        match rule.overlap {
            Overlap::Wait => return Judgement::wait("tick.overlap", runs, None),
            Overlap::Skip => return Judgement::skip("tick.overlap", runs),
            Overlap::Allow => {}
        }
    }
    match situation.training {
        Training::First => Judgement::wait("tick.training", "The first model is being trained.", None),
        // A tick that had to wait for a round waits for that round's training as any other does.
        Training::Running { since } => match due.max(since).checked_add_signed(rule.wait_for_training) {
            Some(limit) if limit <= situation.now => Judgement::Start,
            until => Judgement::wait("tick.training", "The model is being trained.", until),
        },
        Training::Done => Judgement::Start,
    }
}

/// Why a person cannot begin a round now; `despite_blackout`: they know of it.
pub fn by_hand(rule: &Rule, situation: &Situation, despite_blackout: bool) -> Result<(), Reason> {
    if let Some(why) = &situation.spent {
        return Err(Reason::new("round.budget_spent", format!("No further round can begin: {why}")));
    }
    if rule.ends.is_some_and(|ends| ends <= situation.now) {
        return Err(Reason::new("round.calendar_ended", "The campaign's end date is over."));
    }
    if let Some(window) = rule.blackouts.covering(situation.now).filter(|_| !despite_blackout) {
        let until = rule.zone.wall(rule.blackouts.first_free(situation.now)).format("%Y-%m-%d %H:%M");
        let text = format!(
            "It is blackout until {until} ({}): {}. Wait, or say `despite_blackout`.",
            rule.zone, window.reason
        );
        return Err(Reason::new("round.in_blackout", text));
    }
    if let Some(number) = situation.live.first().filter(|_| rule.overlap != Overlap::Allow) {
        let text = format!(
            "Round {number} still runs, and the campaign does not let rounds overlap: wait for it, or cancel it."
        );
        return Err(Reason::new("round.one_runs", text));
    }
    match situation.training {
        Training::First => {
            let text = "The first model is being trained: there is nothing to propose with yet. Is a learner running?";
            Err(Reason::new("round.no_model_yet", text))
        }
        Training::Running { .. } | Training::Done => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Nominal, Window};
    use crate::campaigns::schedule::{InBlackout, Schedule};

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hours * 3600, 0).unwrap()
    }

    fn rule(missed: Missed, overlap: Overlap) -> Rule {
        Rule::of(&Schedule { missed, overlap, ..Schedule::default() }, &[])
    }

    fn tick(hours: i64) -> Tick {
        let nominal = Nominal { wall: at(hours).naive_utc(), at: at(hours), shifted: false };
        Tick { nominal, due: at(hours), fate: Fate::Kept }
    }

    fn situation(now: i64) -> Situation {
        Situation { now: at(now), live: vec![], one_waits: false, training: Training::Done, spent: None }
    }

    fn word(judgement: &Judgement) -> &'static str {
        match judgement {
            Judgement::Start => "start",
            Judgement::Wait { .. } => "wait",
            Judgement::Skip { .. } => "skip",
        }
    }

    #[test]
    fn a_tick_in_time_starts_whatever_the_policies() {
        for missed in [Missed::Once, Missed::Skip, Missed::All] {
            for overlap in [Overlap::Wait, Overlap::Skip, Overlap::Allow] {
                let judged = due(&rule(missed, overlap), &tick(100), Some(&tick(268)), &situation(100));
                assert_eq!(judged, Judgement::Start);
            }
        }
    }

    #[test]
    fn missed_ticks_go_by_policy() {
        // Ticks at 100, 200, 300; now it is 350.
        let judged = |missed| {
            let rule = rule(missed, Overlap::Allow);
            let ticks = [tick(100), tick(200), tick(300), tick(400)];
            ticks
                .windows(2)
                .map(|two| word(&due(&rule, &two[0], Some(&two[1]), &situation(350))))
                .collect::<Vec<_>>()
        };
        assert_eq!(judged(Missed::Once), ["skip", "skip", "start"]);
        assert_eq!(judged(Missed::Skip), ["skip", "skip", "skip"]);
        assert_eq!(judged(Missed::All), ["start", "start", "start"]);
        // Minutes late is not missed.
        let slow = Situation { now: at(100) + GRACE, ..situation(100) };
        assert_eq!(due(&rule(Missed::Skip, Overlap::Wait), &tick(100), None, &slow), Judgement::Start);
    }

    #[test]
    fn overlap_goes_by_policy_and_one_waits() {
        let running = Situation { live: vec![4], ..situation(100) };
        let judged =
            |overlap, situation: &Situation| due(&rule(Missed::Once, overlap), &tick(100), None, situation);
        assert!(
            matches!(judged(Overlap::Wait, &running), Judgement::Wait { why, until: None } if why.text == "Round 4 still runs.")
        );
        assert_eq!(word(&judged(Overlap::Skip, &running)), "skip");
        assert_eq!(judged(Overlap::Allow, &running), Judgement::Start);
        let second = Situation { one_waits: true, ..running.clone() };
        assert_eq!(word(&judged(Overlap::Wait, &second)), "skip");
        // Made up for each: they queue.
        let late = Situation { now: at(200), ..second };
        assert_eq!(word(&due(&rule(Missed::All, Overlap::Wait), &tick(100), None, &late)), "wait");
    }

    #[test]
    fn a_tick_waits_for_the_training_up_to_its_limit_and_for_the_first_one_without() {
        let rule = rule(Missed::Once, Overlap::Wait);
        let trains = |now, training| Situation { training, ..situation(now) };
        let running = Training::Running { since: at(90) };
        let judged = due(&rule, &tick(100), None, &trains(100, running));
        assert!(matches!(&judged, Judgement::Wait { until, .. } if *until == Some(at(124))), "{judged:?}");
        assert_eq!(word(&waiting(&rule, at(100), &trains(123, running))), "wait");
        assert_eq!(waiting(&rule, at(100), &trains(124, running)), Judgement::Start);
        assert_eq!(word(&waiting(&rule, at(100), &trains(999, Training::First))), "wait");
        // It waited for the round before: the training that round asked for has its time too.
        let after_a_round = Training::Running { since: at(150) };
        assert_eq!(word(&waiting(&rule, at(100), &trains(173, after_a_round))), "wait");
        assert_eq!(waiting(&rule, at(100), &trains(174, after_a_round)), Judgement::Start);
    }

    #[test]
    fn nothing_begins_in_a_blackout_and_several_ticks_after_it_are_one() {
        let closed = Window { from: at(150), to: at(250), reason: "Christmas".into() };
        let rule = Rule::of(&Schedule::default(), std::slice::from_ref(&closed));
        assert!(
            matches!(waiting(&rule, at(100), &situation(160)), Judgement::Wait { until, .. } if until == Some(at(250)))
        );
        let moved =
            |hours| Tick { due: at(250), fate: Fate::Moved { reason: "Christmas".into() }, ..tick(hours) };
        let joined = due(&rule, &moved(160), Some(&moved(240)), &situation(250));
        assert!(matches!(&joined, Judgement::Skip { why } if why.code == "tick.joined"), "{joined:?}");
        assert_eq!(due(&rule, &moved(240), Some(&tick(300)), &situation(250)), Judgement::Start);
        let dropped = Tick::of(tick(160).nominal, &rule.blackouts, InBlackout::Skip);
        assert_eq!(word(&due(&rule, &dropped, None, &situation(160))), "skip");
    }

    #[test]
    fn a_person_is_told_why_not() {
        let allow = rule(Missed::Once, Overlap::Allow);
        let wait = rule(Missed::Once, Overlap::Wait);
        let code =
            |rule: &Rule, situation: &Situation| by_hand(rule, situation, false).err().map(|why| why.code);
        assert_eq!(code(&wait, &situation(1)), None);
        let running = Situation { live: vec![2], ..situation(1) };
        assert_eq!(code(&wait, &running), Some("round.one_runs"));
        assert_eq!(code(&allow, &running), None);
        let first = Situation { training: Training::First, ..situation(1) };
        assert_eq!(code(&wait, &first), Some("round.no_model_yet"));
        let spent = Situation { spent: Some("all is done".into()), ..situation(1) };
        assert_eq!(code(&wait, &spent), Some("round.budget_spent"));
        let closed =
            Rule::of(&Schedule::default(), &[Window { from: at(0), to: at(2), reason: "the move".into() }]);
        assert_eq!(code(&closed, &situation(1)), Some("round.in_blackout"));
        assert!(by_hand(&closed, &situation(1), true).is_ok());
    }
}
