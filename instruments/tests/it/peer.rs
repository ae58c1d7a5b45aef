//! The driver against a real robot server, where there is one.

use crate::bed::{dispense, lease, timings};
use instruments::drivers::{DriverKind, Timings};
use jobs::work::{Outcome, Work};
use jobs::worker::Attempt;
use std::time::Duration;

/// `OPENTRONS_URL`: a robot server, simulated or with nothing on its deck that matters.
#[tokio::test]
async fn the_driver_runs_the_protocol_on_a_real_robot_server() {
    let Ok(url) = std::env::var("OPENTRONS_URL") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_driver_runs_the_protocol_on_a_real_robot_server: OPENTRONS_URL is not set"
        );
        return;
    };
    let patient = Timings {
        poll_limit: Duration::from_millis(500),
        analysis: Duration::from_secs(300),
        longest_work: Duration::from_secs(1800),
        ..timings()
    };
    let handler = DriverKind::Opentrons
        .connect(&url, "handler-1", patient)
        .unwrap();
    let spool = tempfile::tempdir().unwrap();
    let attempt = Attempt::rehearsal(lease(Work::Dispense(dispense())), spool.path()).unwrap();
    let outcome = handler.perform(&attempt).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}
