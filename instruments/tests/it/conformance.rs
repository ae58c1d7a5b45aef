//! What every driver keeps, whatever it drives.

use crate::bed::{Bed, code, failed, hands, lease, timings};
use crate::fake::Ending;
use crate::fake::line::Heard;
use crate::fake::server::Server;
use instruments::drivers::{DriverKind, Timings};
use jobs::FailureClass;
use jobs::work::Outcome;
use jobs::worker::Begun;
use std::time::Duration;

/// Those that speak with their device; those that lay files before it have [`folder`](crate::folder).
const BY_HTTP: [DriverKind; 4] =
    [DriverKind::Opentrons, DriverKind::Mover, DriverKind::Incubator, DriverKind::Reader];

#[test]
fn every_driver_is_in_one_of_the_two_suites() {
    let by_files = [DriverKind::FolderHandler, DriverKind::FolderReader];
    assert!(DriverKind::ALL.iter().all(|kind| BY_HTTP.contains(kind) != by_files.contains(kind)));
}

/// Which work may be repeated is the job's to say; what follows from it is the driver's to keep.
fn assert_in_doubt(bed: &Bed, outcome: &Outcome) {
    match outcome {
        Outcome::Unknown { failure } => {
            assert!(!bed.lease.repeatable, "{:?}: {outcome:?}", bed.kind);
            assert_eq!(failure.class, FailureClass::NeedsPerson, "{failure}");
        }
        Outcome::Failed { failure } => {
            assert!(bed.lease.repeatable, "{:?}: {outcome:?}", bed.kind);
            assert_eq!(failure.class, FailureClass::Transient, "{failure}");
        }
        other => panic!("{:?}: {other:?}", bed.kind),
    }
}

#[tokio::test]
async fn work_that_succeeds_brings_what_its_kind_promises() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let outcome = bed.perform().await;
        let Outcome::Succeeded { output } = &outcome else { panic!("{kind:?}: {outcome:?}") };
        assert_eq!(output.kind(), kind.job_kind());
        assert_eq!(bed.device.times_begun(), 1);
    }
}

#[tokio::test]
async fn what_the_device_calls_a_failure_is_never_a_success_and_never_tried_blindly() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        bed.device.will_end(Ending::Failure);
        let outcome = bed.perform().await;
        match kind {
            DriverKind::Reader => assert_eq!(failed(&outcome), Some(FailureClass::Transient)),
            DriverKind::Mover | DriverKind::Incubator => {
                assert_eq!(failed(&outcome), Some(FailureClass::NeedsPerson), "{kind:?}: {outcome:?}");
            }
            // One of four transfers was done: the plate is a person's to judge.
            _ => assert_in_doubt(&bed, &outcome),
        }
    }
}

#[tokio::test]
async fn a_device_killed_in_the_middle_leaves_doubt() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        bed.device.will_wait();
        let attempt = bed.attempt();
        let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
            bed.device.half_way().await;
            bed.device.lose_power();
        });
        assert_in_doubt(&bed, &outcome);
        assert_eq!(bed.device.times_begun(), 1);
    }
}

#[tokio::test]
async fn a_line_cut_in_the_middle_changes_nothing() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        bed.device.will_wait();
        let attempt = bed.attempt();
        let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
            bed.device.half_way().await;
            bed.device.line().cut(5, None, Heard::No);
            bed.device.line().mended().await;
            bed.device.go_on(Ending::Success);
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 1);
    }
}

#[tokio::test]
async fn an_asking_whose_answer_is_lost_is_not_carried_out_twice() {
    for kind in [DriverKind::Mover, DriverKind::Incubator, DriverKind::Reader] {
        for heard in [Heard::Yes, Heard::No] {
            let bed = Bed::new(kind).await;
            bed.device.line().cut(2, Some("POST"), heard);
            let outcome = bed.perform().await;
            assert!(matches!(outcome, Outcome::Succeeded { .. }), "{kind:?}: {outcome:?}");
            assert_eq!(bed.device.times_begun(), 1, "{kind:?} {heard:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_after_an_asking_without_an_answer_is_looked_into() {
    for kind in [DriverKind::Mover, DriverKind::Incubator, DriverKind::Reader] {
        for heard in [Heard::Yes, Heard::No] {
            let bed = Bed::new(kind).await;
            bed.device.line().cut(1, Some("POST"), heard);
            bed.device.line().then_says(1, Some("POST"), "", 422);
            let outcome = bed.perform().await;
            match heard {
                Heard::Yes => assert!(matches!(outcome, Outcome::Succeeded { .. }), "{kind:?}: {outcome:?}"),
                Heard::No => {
                    assert_eq!(failed(&outcome), Some(FailureClass::Permanent), "{kind:?}: {outcome:?}");
                }
            }
            assert_eq!(bed.device.times_begun(), usize::from(heard == Heard::Yes), "{kind:?} {heard:?}");
        }
    }
}

#[tokio::test]
async fn what_was_begun_by_an_asking_without_an_answer_is_followed_whatever_is_said_later() {
    for kind in [DriverKind::Mover, DriverKind::Incubator, DriverKind::Reader] {
        let bed = Bed::new(kind).await;
        bed.device.will_wait();
        bed.device.line().cut(1, Some("POST"), Heard::Yes);
        bed.device.line().then_says(1, Some("POST"), "", 409);
        let attempt = bed.attempt();
        let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
            bed.device.line().has_met(2).await;
            bed.device.lose_power();
        });
        assert_in_doubt(&bed, &outcome);
    }
}

/// Where the driver asks for what is physical.
fn asking(kind: DriverKind) -> &'static str {
    if kind == DriverKind::Opentrons { "/actions" } else { "" }
}

#[tokio::test]
async fn a_stop_while_nobody_hears_the_asking_begins_nothing() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let line = bed.device.line();
        line.cut_at(usize::MAX, Some("POST"), asking(kind), Heard::No);
        let attempt = bed.attempt();
        let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
            line.has_met(1).await;
            attempt.rehearse_stop();
            if kind == DriverKind::Opentrons {
                // A play may be on its way; what is asked after it is a stop, and has to arrive.
                line.has_met(line.met() + 2).await;
                line.mend();
            }
        });
        assert!(matches!(outcome, Outcome::Stopped { .. }), "{kind:?}: {outcome:?}");
        assert!(attempt.has_begun());
        assert_eq!(bed.device.times_begun(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn who_loses_the_authority_while_nobody_hears_the_asking_begins_nothing() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let line = bed.device.line();
        line.cut_at(usize::MAX, Some("POST"), asking(kind), Heard::No);
        let mut lease = bed.lease.clone();
        lease.expires_in_seconds = 1;
        let server = Server::start(lease).await;
        let report = async {
            server.takes_the_authority(line.has_met(1)).await;
            if kind == DriverKind::Opentrons {
                line.has_met(line.met() + 2).await;
                line.mend();
            }
            server.report().await
        };
        let report =
            server.while_at_work(bed.handler.clone(), kind.job_kind(), bed.spool.path(), report).await;
        assert_eq!(report["outcome"]["ended"], "failed", "{kind:?}: {report}");
        assert_eq!(report["outcome"]["failure"]["code"], "worker.not_begun", "{kind:?}: {report}");
        assert_eq!(bed.device.times_begun(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn a_device_that_is_out_of_reach_for_a_while_is_waited_for() {
    for kind in BY_HTTP {
        let patient = Timings { readiness: Duration::from_secs(30), ..timings() };
        let bed = Bed::with(kind, patient).await;
        bed.device.line().cut(3, None, Heard::No);
        bed.device.line().then_says(2, None, "", 503);
        let outcome = bed.perform().await;
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn work_asked_for_again_while_it_is_under_way_is_not_carried_out_twice() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        drop(bed.killed_half_way().await);
        if kind == DriverKind::Opentrons {
            assert_eq!(code(&bed.perform().await), "opentrons.robot_busy");
        } else {
            let (outcome, ()) = tokio::join!(bed.perform(), async { bed.device.go_on(Ending::Success) });
            assert!(matches!(outcome, Outcome::Succeeded { .. }), "{kind:?}: {outcome:?}");
        }
        assert_eq!(bed.device.times_begun(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_stop_before_the_beginning_begins_nothing() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let attempt = bed.attempt();
        attempt.rehearse_stop();
        let outcome = bed.handler.perform(&attempt).await;
        assert!(matches!(outcome, Outcome::Stopped { .. }), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 0);
    }
}

#[tokio::test]
async fn a_stop_in_the_middle_is_told_as_what_became_of_it() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        bed.device.will_wait();
        let attempt = bed.attempt();
        let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
            bed.device.half_way().await;
            attempt.rehearse_stop();
            if kind != DriverKind::Opentrons {
                // These cannot be stopped: the plate is in the gripper.
                bed.device.go_on(Ending::Success);
            }
        });
        match kind {
            DriverKind::Opentrons => {
                assert_eq!(code(&outcome), "opentrons.stopped_midway");
                assert_in_doubt(&bed, &outcome);
            }
            _ => assert!(matches!(outcome, Outcome::Succeeded { .. }), "{kind:?}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn work_that_ended_while_we_were_dead_is_told_after_the_restart() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let begun = bed.killed_half_way().await;
        bed.device.go_on(Ending::Success);
        let outcome = bed.handler.recover(&begun).await;
        assert!(matches!(outcome, Some(Outcome::Succeeded { .. })), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 1);
    }
}

#[tokio::test]
async fn work_still_under_way_after_the_restart_is_followed_to_its_end() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let begun = bed.killed_half_way().await;
        bed.device.line().cut(4, Some("GET"), Heard::No);
        let (outcome, ()) = tokio::join!(bed.handler.recover(&begun), async {
            bed.device.line().mended().await;
            bed.device.go_on(Ending::Success);
        });
        assert!(matches!(outcome, Some(Outcome::Succeeded { .. })), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 1);
    }
}

#[tokio::test]
async fn a_device_killed_while_we_were_dead_leaves_doubt() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        let begun = bed.killed_half_way().await;
        bed.device.lose_power();
        let outcome = bed.handler.recover(&begun).await.expect("the device has something to say");
        assert_in_doubt(&bed, &outcome);
    }
}

#[tokio::test]
async fn work_that_the_device_never_heard_of_may_be_tried_again() {
    for kind in [DriverKind::Mover, DriverKind::Incubator, DriverKind::Reader] {
        let bed = Bed::new(kind).await;
        let attempt = bed.attempt();
        attempt.begin(attempt.operation_id()).await.unwrap();
        let begun = Begun::rehearsal(attempt).unwrap();
        let outcome = bed.handler.recover(&begun).await.unwrap();
        assert_eq!(failed(&outcome), Some(FailureClass::Transient), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 0);
    }
}

#[tokio::test]
async fn a_device_that_does_not_answer_is_not_begun_with() {
    for kind in BY_HTTP {
        let bed = Bed::new(kind).await;
        bed.device.line().cut(usize::MAX, None, Heard::No);
        let attempt = bed.attempt();
        let outcome = bed.handler.perform(&attempt).await;
        assert_eq!(failed(&outcome), Some(FailureClass::Transient), "{kind:?}: {outcome:?}");
        assert!(!attempt.has_begun());
    }
}

#[tokio::test]
async fn a_device_that_stays_away_leaves_doubt_when_patience_is_over() {
    for kind in BY_HTTP {
        let short = Timings { patience: Duration::from_millis(50), ..timings() };
        let bed = Bed::with(kind, short).await;
        bed.device.will_wait();
        let attempt = bed.attempt();
        let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
            bed.device.half_way().await;
            bed.device.line().cut(usize::MAX, None, Heard::No);
        });
        assert_in_doubt(&bed, &outcome);
    }
}

#[tokio::test]
async fn work_of_another_kind_is_refused_for_good() {
    for kind in BY_HTTP {
        let mut bed = Bed::new(kind).await;
        bed.lease = lease(hands());
        let outcome = bed.perform().await;
        assert_eq!(failed(&outcome), Some(FailureClass::Permanent), "{kind:?}: {outcome:?}");
        assert_eq!(bed.device.times_begun(), 0);
    }
}
