//! A server that misbehaves: nothing is lost, nothing is begun twice, reports are repeated until taken.

use crate::life::{Device, Dispenser, config, live_until};
use crate::server::{Fault, Route, Server};
use jobs::state::State;
use jobs::wire::Disposition;
use jobs::work::Kind;

const FAULTS: [Fault; 6] = [
    Fault::Status(500),
    Fault::Status(429),
    Fault::LoseAnswer,
    Fault::HangBefore,
    Fault::HangAfter,
    Fault::Garbage,
];

#[test]
fn one_fault_at_any_call_neither_loses_the_result_nor_repeats_the_work() {
    for route in [Route::Start, Route::PutBlob, Route::Report, Route::Lease] {
        for fault in FAULTS {
            if route == Route::PutBlob && matches!(fault, Fault::LoseAnswer | Fault::Garbage) {
                // Its answer is its status: there is no body to lose or to mistake.
                continue;
            }
            let story = format!("{fault:?} of {route:?}");
            let (server, device) = (Server::start(), Device::default());
            let spool = tempfile::tempdir().unwrap();
            let job = server.add(Kind::Dispense);
            server.misbehave(route, fault);
            let handler = Dispenser { device: device.clone() };
            live_until(&server, config(spool.path()), handler, async {
                if route == Route::Lease
                    && matches!(fault, Fault::LoseAnswer | Fault::HangAfter | Fault::Garbage)
                {
                    // Leased to nobody: it comes back when the lease runs out.
                    server.until(|world| world.calls.len() > 1).await;
                    server.expire(job);
                }
                server.until_state(job, State::Succeeded).await;
            });
            assert_eq!(device.times(job), 1, "{story}");
            let raw = jobs::Digest::of(b"raw");
            assert!(server.change(|world| world.blobs.contains_key(&raw)), "{story}");
        }
    }
}

#[test]
fn a_report_is_repeated_until_it_is_taken() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    for fault in FAULTS {
        server.misbehave(Route::Report, fault);
    }
    live_until(&server, config(spool.path()), Dispenser { device: device.clone() }, async {
        // `LoseAnswer` and `HangAfter` deliver it, and the worker cannot know.
        server.until(|world| world.job(job).is_some_and(|job| job.reports.len() == 3)).await;
    });
    let dispositions: Vec<_> = server.job(job).reports.iter().map(|r| r.2).collect();
    assert_eq!(dispositions, [Disposition::Accepted, Disposition::AlreadyDone, Disposition::AlreadyDone]);
    assert_eq!(device.times(job), 1);
}

#[test]
fn while_one_report_is_stuck_others_are_made_and_all_arrive_in_order() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let first = server.add(Kind::Dispense);
    let second = server.add(Kind::Read);
    for _ in 0..12 {
        server.misbehave(Route::Report, Fault::Status(500));
    }
    live_until(&server, config(spool.path()), Dispenser { device: device.clone() }, async {
        server.until_state(second, State::Succeeded).await;
        assert_eq!(server.job(first).state, State::Succeeded, "the older one first");
    });
}

#[test]
fn a_report_refused_for_good_does_not_hold_up_the_next() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let first = server.add(Kind::Dispense);
    server.misbehave(Route::Report, Fault::Status(422));
    let handler = Dispenser { device };
    live_until(&server, config(spool.path()), handler.clone(), async {
        server.until(|world| world.calls.contains(&Route::Report)).await;
        let second = server.add(Kind::Read);
        server.until_state(second, State::Succeeded).await;
        assert_eq!(server.job(first).state, State::Running);
    });
    // Kept: the next start offers it once more.
    live_until(&server, config(spool.path()), handler, async {
        server.until_state(first, State::Succeeded).await;
    });
}

#[test]
fn a_lease_given_twice_is_performed_once() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    live_until(&server, config(spool.path()), Dispenser { device: device.clone() }, async {
        server.until_state(job, State::Succeeded).await;
        server.misbehave(Route::Lease, Fault::RepeatLease);
        let another = server.add(Kind::Read);
        server.until_state(another, State::Succeeded).await;
        let third = server.add(Kind::Read);
        server.until_state(third, State::Succeeded).await;
    });
    let job = server.job(job);
    assert_eq!((device.times(job.id), job.starts, job.reports.len()), (1, 1, 1));
}

#[test]
fn when_the_server_was_restored_acknowledged_results_are_offered_again() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    server.change(|world| world.epoch = Some("before".to_owned()));
    let job = server.add(Kind::Dispense);
    live_until(&server, config(spool.path()), Dispenser { device }, async {
        server.until_state(job, State::Succeeded).await;
        server.change(|world| {
            // The backup was taken before the report came.
            let job = world.job(job).unwrap();
            job.state = State::InDoubt;
            job.reports.clear();
            world.blobs.clear();
            world.epoch = Some("after".to_owned());
        });
        server.until_state(job, State::Succeeded).await;
    });
    assert!(server.change(|world| world.blobs.contains_key(&jobs::Digest::of(b"raw"))));
}
