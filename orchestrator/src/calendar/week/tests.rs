//! Forecasts of a small campaign, read as a person would.

use super::*;
use crate::calendar::Rule;
use crate::campaigns::schedule::{Overlap, Schedule};

const TOML: &str = include_str!("../../campaigns/template.toml");

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-01-{text}:00Z").parse().unwrap()
}

/// One plate of one experiment, three days in the incubator, a quarter of an hour a reading, no people.
fn campaign(schedule: Schedule) -> CampaignOutlook {
    let mut spec = Spec::parse(TOML).unwrap();
    spec.policy.auto_approve = true;
    CampaignOutlook {
        id: CampaignId::fresh(),
        shown: true,
        name: "screen".into(),
        rule: Rule::of(&schedule, &[]),
        spec,
        last_tick: None,
        since: at("01T00:00"),
        begins_rounds: true,
        rounds_left: 9,
        tick_waits: false,
        approval_hours: 2.0,
        live: Vec::new(),
    }
}

fn every(cron: &str, overlap: Overlap) -> Schedule {
    Schedule { cron: Some(cron.parse().unwrap()), overlap, ..Schedule::default() }
}

fn outlook(campaigns: Vec<CampaignOutlook>, from: &str, to: &str) -> Outlook {
    let device = |places, seconds_per_transfer| Device {
        in_service: true,
        places,
        seconds_per_transfer,
        minutes_per_plate: 15.0,
    };
    Outlook {
        now: at("05T07:00"),
        from: at(from),
        to: at(to),
        zone: super::super::Zone::UTC,
        campaigns,
        blackouts: Vec::new(),
        devices: BTreeMap::from([
            ("handler-1".into(), device(1, 100.0)),
            ("incubator-1".into(), device(2, 0.0)),
            ("reader-1".into(), device(1, 0.0)),
        ]),
        stock: Stock {
            blanks: BTreeMap::from([(("corning_384_wellplate_112ul_flat".into(), "cells".into()), 100)]),
            volume_nl_by_content: BTreeMap::from([
                ("NEG".into(), 1_000_000),
                ("POS".into(), 1_000_000),
                ("G1".into(), 50_000),
            ]),
        },
    }
}

fn lines(week: &Week) -> Vec<String> {
    week.items
        .iter()
        .map(|item| {
            let wall = |at: DateTime<Utc>| at.format("%dT%H:%M");
            let span = format!("{}..{}", wall(item.from_lab_at), wall(item.to_lab_at));
            let why = item.why_not.as_ref().map(|why| format!(" ! {why}")).unwrap_or_default();
            format!("{span} {:?}: {}{why}", item.kind, item.title)
        })
        .collect()
}

#[test]
fn a_round_becomes_its_steps_with_what_they_need() {
    let week = week(&outlook(vec![campaign(every("0 8 * * Mon", Overlap::Wait))], "05T00:00", "12T00:00"));
    assert_eq!(
        lines(&week),
        [
            "05T08:00..05T08:00 RoundDue: next round",
            // 2 wells of the experiment and 32 controls, 100 s each.
            "05T08:00..05T08:56 Dispense: next round: dispense 1 plate",
            "05T08:56..08T08:56 Incubate: next round: incubate 1 plate",
            "08T08:56..08T10:56 Read: next round: read 1 plate",
        ]
    );
    assert_eq!(
        week.items[1].needs.as_deref(),
        Some(
            "1 blank plate (corning_384_wellplate_112ul_flat, cells); NEG 16 µL, POS 16 µL; 1 reagents of 2 µL each"
        )
    );
    assert!(week.items.iter().all(|item| !item.certain && item.fits));
    let load: Vec<String> = week
        .load
        .iter()
        .map(|load| format!("{} {} {}/{}", load.instrument, load.day, load.hours, load.capacity_hours))
        .collect();
    assert_eq!(
        load,
        [
            "handler-1 2026-01-05 0.94/24",
            "incubator-1 2026-01-05 15.06/48",
            "incubator-1 2026-01-06 24/48",
            "incubator-1 2026-01-07 24/48",
            "incubator-1 2026-01-08 8.94/48",
            "reader-1 2026-01-08 0.25/24",
        ]
    );
}

#[test]
fn ticks_that_find_a_round_running_say_what_becomes_of_them() {
    let due = |overlap| -> Vec<String> {
        let week = week(&outlook(vec![campaign(every("0 8 * * *", overlap))], "05T00:00", "10T00:00"));
        lines(&week).into_iter().filter(|line| line.contains("RoundDue")).collect()
    };
    assert_eq!(
        due(Overlap::Wait),
        [
            "05T08:00..05T08:00 RoundDue: next round",
            "06T08:00..06T08:00 RoundDue: next round but 1 ! the round before runs until 01-08 09:11: it waits",
            "07T08:00..07T08:00 RoundDue: tick without a round ! a round runs, and an earlier tick waits already: skipped",
            "08T08:00..08T08:00 RoundDue: tick without a round ! a round runs, and an earlier tick waits already: skipped",
            "09T08:00..09T08:00 RoundDue: next round but 2 ! the round before runs until 01-11 10:23: it waits",
        ]
    );
    assert_eq!(due(Overlap::Skip).iter().filter(|line| line.ends_with("skipped")).count(), 3);
    assert!(due(Overlap::Allow).iter().all(|line| !line.contains('!')));
}

#[test]
fn what_does_not_fit_says_why() {
    let mut outlook = outlook(vec![campaign(every("0 8 * * *", Overlap::Allow))], "05T00:00", "09T00:00");
    outlook.blackouts = vec![Blackout {
        id: crate::ids::BlackoutId::fresh(),
        instrument: Some("reader-1".into()),
        from_lab_at: at("08T10:00"),
        to_lab_at: at("08T12:00"),
        zone: "UTC".into(),
        reason: "lamp".into(),
    }];
    outlook.stock.blanks.values_mut().for_each(|blanks| *blanks = 3);
    let week = week(&outlook);
    let why = |part: &str| -> Vec<String> {
        lines(&week).into_iter().filter(|line| line.contains(part) && line.contains('!')).collect()
    };
    assert_eq!(
        why("Incubate"),
        [
            "07T08:56..10T08:56 Incubate: next round but 2: incubate 1 plate ! incubator-1 has 2 slots, 3 plates would be in it",
            "08T08:56..11T08:56 Incubate: next round but 3: incubate 1 plate ! incubator-1 has 2 slots, 3 plates would be in it"
        ]
    );
    assert_eq!(
        why("Dispense"),
        ["08T08:00..08T08:56 Dispense: next round but 3: dispense 1 plate ! 1 blank plates of cells \
          (corning_384_wellplate_112ul_flat) are needed, 0 will be left"]
    );
    assert_eq!(
        why("Read"),
        [
            "08T08:56..08T10:56 Read: next round: read 1 plate ! reader-1 is in maintenance from 01-08 10:00 to \
          01-08 12:00 (lamp)"
        ]
    );
    assert_eq!(week.items.iter().filter(|item| item.kind == Kind::Maintenance).count(), 1);
    let reader = week.load.iter().find(|load| load.instrument == "reader-1").unwrap();
    assert_eq!(reader.capacity_hours, 22.0);
}

#[test]
fn facts_are_certain_and_an_approval_has_its_latest_hour() {
    let mut one = campaign(every("0 8 * * Mon", Overlap::Wait));
    one.spec.policy.auto_approve = false;
    one.spec.policy.expires_hours = None;
    one.last_tick = Some(at("05T08:00"));
    one.live = vec![LiveRound {
        number: 4,
        phase: Phase::AwaitingApproval { since: at("05T07:00") },
        plates: Vec::new(),
        needs: None,
        impossible: None,
    }];
    let awaiting = week(&outlook(vec![one.clone()], "05T00:00", "12T00:00"));
    // A round takes 73.2 hours, and the next tick is on the 12th at 8:00.
    assert_eq!(lines(&awaiting)[3], "09T06:48..09T06:48 ApprovalNeededBy: round 4: approve the batch");
    assert!(awaiting.items[3].certain);
    assert_eq!(
        lines(&awaiting)[0],
        "05T09:00..05T09:56 Dispense: round 4: dispense 1 plate",
        "as fast as so far"
    );

    one.spec.policy.expires_hours = Some(48.0);
    let expiring = week(&outlook(vec![one.clone()], "05T00:00", "12T00:00"));
    assert!(
        lines(&expiring)
            .contains(&"07T07:00..07T07:00 ApprovalNeededBy: round 4: approve the batch".to_owned()),
        "its time is over before: {:?}",
        lines(&expiring)
    );

    one.live[0].phase = Phase::Working;
    let incubating = Some((at("04T08:00"), at("07T08:00"), at("07T10:00")));
    one.live[0].plates = vec![LivePlate { barcode: "P-1".into(), incubating, read: false }];
    let working = week(&outlook(vec![one], "05T00:00", "12T00:00"));
    assert_eq!(
        lines(&working),
        ["04T08:00..07T08:00 Incubate: round 4: incubate P-1", "07T08:00..07T10:00 Read: round 4: read P-1",]
    );
    assert!(working.items.iter().all(|item| item.certain));
}

#[test]
fn what_may_not_be_seen_counts_and_is_not_shown() {
    let mut theirs = campaign(every("0 8 * * Mon", Overlap::Wait));
    theirs.shown = false;
    let alone = week(&outlook(vec![theirs], "05T00:00", "12T00:00"));
    assert_eq!(lines(&alone), Vec::<String>::new());
    assert_eq!(alone.load.len(), 6, "{:?}", alone.load);
}
