//! What only the liquid handler's driver has to keep.

use crate::bed::{Bed, code, dispense, failed, lease, timings};
use crate::fake::robot::Robot;
use crate::fake::{Ending, Fake};
use instruments::drivers::{DriverKind, Reached, Timings};
use jobs::FailureClass;
use jobs::work::physical::{DispenseResult, TransferReport};
use jobs::work::{Outcome, Output, Work};
use jobs::worker::Begun;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn bed() -> (Bed, Arc<Robot>) {
    let robot = Arc::new(Robot::start().await);
    (Bed::on(DriverKind::Opentrons, robot.clone(), timings()), robot)
}

fn result(outcome: Outcome) -> DispenseResult {
    match outcome {
        Outcome::Succeeded { output } => match *output {
            Output::Dispense(result) => result,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_transfer_is_reported_with_the_volume_that_the_robot_says() {
    let (bed, robot) = bed().await;
    robot.deck().reported_ul = Some(2.25);
    let result = result(bed.perform().await);
    let expected = |index| TransferReport { index, actual_nl: Some(2_250), error: None };
    assert_eq!(result.transfers, [0, 1, 2, 3].map(expected));
    assert_eq!(result.device_run_id, "run-0");
    assert!(!result.recovered_from_error);
}

#[tokio::test]
async fn the_whole_record_is_archived() {
    let (bed, robot) = bed().await;
    let attempt = bed.attempt();
    let result = result(bed.handler.perform(&attempt).await);
    let raw: Value = serde_json::from_slice(&attempt.get_blob(result.raw).await.unwrap()).unwrap();
    let commands = raw["commands"].as_array().unwrap();
    assert_eq!(commands.len(), robot.deck().runs[0].commands.len());
    let dispenses = commands.iter().filter(|command| command["commandType"] == "dispense");
    assert!(dispenses.clone().all(|command| command["result"]["volume"] == json!(2.5)));
    assert_eq!(dispenses.count(), 4);
    assert_eq!(raw["run"]["status"], "succeeded");
    assert!(raw["picklist"].as_str().unwrap().starts_with("source_slot,"));
}

#[tokio::test]
async fn a_run_never_waits_for_recovery_and_says_whose_it_is() {
    let (bed, robot) = bed().await;
    result(bed.perform().await);
    let deck = robot.deck();
    let rules = deck.policies[0]["policyRules"].as_array().unwrap();
    assert!(!rules.is_empty() && rules.iter().all(|rule| rule["ifMatch"] == "failRun"));
    assert_eq!(deck.client_data["job"], bed.lease.job_id.to_string());
    assert_eq!(deck.client_data["run"], "run-0");
}

#[tokio::test]
async fn a_run_that_went_through_error_recovery_is_flagged() {
    let (bed, robot) = bed().await;
    robot.deck().recovered = true;
    assert!(result(bed.perform().await).recovered_from_error);
}

#[tokio::test]
async fn a_robot_or_an_analysis_that_is_not_fit_begins_nothing() {
    let (first, robot) = bed().await;
    robot.deck().analysis_result = "not-ok";
    let outcome = first.perform().await;
    assert_eq!(
        (failed(&outcome), code(&outcome)),
        (Some(FailureClass::Permanent), "opentrons.analysis_not_ok")
    );
    assert!(robot.deck().runs.is_empty());

    let (second, robot) = bed().await;
    robot.deck().robot_model = "OT-3 Standard";
    let outcome = second.perform().await;
    assert_eq!(code(&outcome), "opentrons.wrong_robot");
    assert!(robot.deck().runs.is_empty());
}

#[tokio::test]
async fn what_the_pipette_cannot_move_is_refused_before_the_robot_is_asked() {
    let (mut bed, robot) = bed().await;
    let mut job = dispense();
    job.transfers[2].volume_nl = 100;
    bed.lease = lease(Work::Dispense(job));
    let outcome = bed.perform().await;
    assert_eq!((failed(&outcome), code(&outcome)), (Some(FailureClass::Permanent), "opentrons.picklist"));
    assert!(robot.deck().runs.is_empty());
}

#[tokio::test]
async fn somebody_elses_run_is_left_alone() {
    for status in ["idle", "running", "paused"] {
        let (bed, robot) = bed().await;
        robot.deck().add_foreign_run(status);
        let outcome = bed.perform().await;
        assert_eq!(
            (failed(&outcome), code(&outcome)),
            (Some(FailureClass::Transient), "opentrons.robot_busy")
        );
        assert_eq!(robot.deck().runs.len(), 1, "an idle run would have been replaced");
        assert_eq!(robot.deck().runs[0].status, status);
    }
}

#[tokio::test]
async fn somebody_elses_run_is_waited_for() {
    let robot = Arc::new(Robot::start().await);
    let patient = Timings { in_use: Duration::from_secs(30), ..timings() };
    let bed = Bed::on(DriverKind::Opentrons, robot.clone(), patient);
    robot.deck().add_foreign_run("running");
    let (outcome, ()) = tokio::join!(bed.perform(), async {
        // Longer than a robot is waited for that is out of order.
        tokio::time::sleep(timings().readiness * 5).await;
        assert_eq!(robot.deck().runs.len(), 1);
        robot.deck().runs[0].status = "succeeded";
    });
    result(outcome);
    assert_eq!(robot.deck().runs.len(), 2);
}

#[tokio::test]
async fn an_idle_run_that_we_have_published_is_ours_whatever_its_protocol() {
    let (bed, robot) = bed().await;
    robot.deck().add_foreign_run("idle");
    robot.deck().client_data = json!({"owner": "loopwright agent of handler-1", "run": "foreign"});
    result(bed.perform().await);
    assert_eq!(robot.deck().runs[0].status, "stopped");

    let (bed, robot) = self::bed().await;
    robot.deck().add_foreign_run("running");
    robot.deck().client_data = json!({"run": "foreign"});
    assert_eq!(code(&bed.perform().await), "opentrons.robot_busy");
}

/// One on a robot whose users are waited for.
async fn patient_bed() -> (Bed, Arc<Robot>) {
    let robot = Arc::new(Robot::start().await);
    let patient =
        Timings { in_use: Duration::from_secs(30), readiness: Duration::from_secs(30), ..timings() };
    (Bed::on(DriverKind::Opentrons, robot.clone(), patient), robot)
}

#[tokio::test]
async fn somebody_at_work_in_the_robot_is_waited_for_and_not_ended() {
    let (bed, robot) = patient_bed().await;
    robot.deck().maintenance = Some("calibration");
    let (outcome, ()) = tokio::join!(bed.perform(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(robot.deck().runs.is_empty());
        assert_eq!(robot.deck().maintenance.take(), Some("calibration"));
    });
    result(outcome);
    assert_eq!(robot.deck().maintenance_ended, 0);

    let (bed, robot) = self::bed().await;
    robot.deck().maintenance = Some("calibration");
    assert_eq!(code(&bed.perform().await), "opentrons.robot_busy");
}

#[tokio::test]
async fn somebody_who_begins_to_work_in_the_robot_before_the_play_is_not_ended() {
    let (bed, robot) = patient_bed().await;
    robot.deck().maintenance_to_come = true;
    let (outcome, ()) = tokio::join!(bed.perform(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(robot.deck().runs[0].status, "idle");
        assert_eq!(robot.deck().maintenance.take(), Some("calibration"));
    });
    result(outcome);
    assert_eq!(robot.deck().maintenance_ended, 0);

    let (bed, robot) = self::bed().await;
    robot.deck().maintenance_to_come = true;
    let outcome = bed.perform().await;
    assert_eq!((failed(&outcome), code(&outcome)), (Some(FailureClass::NeedsPerson), "opentrons.not_played"));
    assert_eq!(robot.deck().maintenance_ended, 0);
    assert_eq!(robot.times_begun(), 0);
}

#[tokio::test]
async fn a_door_is_waited_for_where_it_has_to_be_closed() {
    for door in [None, Some((true, false)), Some((false, true))] {
        let (bed, robot) = bed().await;
        robot.deck().door = door;
        result(bed.perform().await);
    }
    let (bed, robot) = patient_bed().await;
    robot.deck().door = Some((true, true));
    let (outcome, ()) = tokio::join!(bed.perform(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(robot.deck().runs.is_empty());
        robot.deck().door = Some((false, true));
    });
    result(outcome);

    let (bed, robot) = self::bed().await;
    robot.deck().door = Some((true, true));
    assert_eq!(code(&bed.perform().await), "opentrons.door_open");
}

#[tokio::test]
async fn a_run_that_is_not_to_be_played_is_ended_and_that_it_has_ended_is_seen() {
    let (bed, robot) = bed().await;
    robot.deck().refuses_play = true;
    let outcome = bed.perform().await;
    assert_eq!((failed(&outcome), code(&outcome)), (Some(FailureClass::NeedsPerson), "opentrons.not_played"));
    assert_eq!(robot.deck().runs[0].status, "stopped");
    assert_eq!(robot.times_begun(), 0);
}

#[tokio::test]
async fn a_run_that_is_refused_for_a_while_is_played_in_the_end() {
    let (bed, robot) = patient_bed().await;
    robot.deck().refuses_play = true;
    let (outcome, ()) = tokio::join!(bed.perform(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        robot.deck().refuses_play = false;
    });
    result(outcome);
}

#[tokio::test]
async fn a_run_that_somebody_plays_while_we_give_it_up_is_in_doubt() {
    let (bed, robot) = bed().await;
    robot.will_wait();
    robot.deck().refuses_play = true;
    robot.deck().is_played_by_hand = true;
    let outcome = bed.perform().await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(code(&outcome), "opentrons.stopped_midway");
}

#[tokio::test]
async fn a_begun_run_whose_job_does_not_check_any_more_is_ended_and_in_doubt() {
    for status in ["idle", "running", "succeeded"] {
        let (bed, robot) = bed().await;
        result(bed.perform().await);
        robot.deck().runs[0].status = status;
        let mut job = dispense();
        job.transfers[0].volume_nl = 100;
        let spool = tempfile::tempdir().unwrap();
        let lease = lease(Work::Dispense(job));
        let attempt = jobs::worker::Attempt::rehearsal(lease, spool.path()).unwrap();
        attempt.begin("run-0").await.unwrap();
        let begun = Begun::rehearsal(attempt).unwrap();
        let (outcome, ()) = tokio::join!(bed.handler.recover(&begun), async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            if status == "running" {
                robot.deck().runs[0].status = "succeeded";
            }
        });
        let Some(Outcome::Unknown { failure }) = outcome else { panic!("{status}: {outcome:?}") };
        assert_eq!(failure.code, "opentrons.not_understood");
        let ended = if status == "idle" { "stopped" } else { "succeeded" };
        assert_eq!(robot.deck().runs[0].status, ended, "{failure}");
    }
}

#[tokio::test]
async fn a_stop_ends_the_waiting_for_a_robot_that_somebody_else_uses() {
    let robot = Arc::new(Robot::start().await);
    let patient = Timings { in_use: Duration::from_secs(30), ..timings() };
    let bed = Bed::on(DriverKind::Opentrons, robot.clone(), patient);
    robot.deck().add_foreign_run("running");
    let attempt = bed.attempt();
    let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        attempt.rehearse_stop();
    });
    assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
    assert_eq!(robot.deck().runs.len(), 1);
}

#[tokio::test]
async fn a_robot_is_driven_only_when_it_is_the_one_that_was_meant() {
    for (named, is_it) in [("fake", true), ("0", true), ("OT2CEP20", false)] {
        let (bed, robot) = bed().await;
        let url = robot.url();
        let by = Reached::Robot { url: &url, named };
        let handler = DriverKind::Opentrons.connect(by, "handler-1", timings()).unwrap();
        let outcome = handler.perform(&bed.attempt()).await;
        if is_it {
            result(outcome);
        } else {
            assert_eq!(code(&outcome), "opentrons.another_robot");
            assert_eq!(failed(&outcome), Some(FailureClass::NeedsPerson));
            assert!(robot.deck().runs.is_empty());
        }
        let refused = DriverKind::Mover.connect(by, "mover-1", timings()).err().unwrap();
        assert!(refused.to_string().contains("--robot"), "{refused}");
    }
}

#[tokio::test]
async fn a_robot_that_breaks_down_over_the_record_is_asked_for_it_again() {
    for status in [500, 503, 429] {
        let (bed, robot) = bed().await;
        robot.line().then_says(3, Some("GET"), "/commandErrors", status);
        result(bed.perform().await);
        assert_eq!(robot.line().met(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_record_that_stays_out_of_reach_leaves_doubt_when_patience_is_over() {
    let robot = Arc::new(Robot::start().await);
    let short = Timings { patience: Duration::from_millis(50), ..timings() };
    let bed = Bed::on(DriverKind::Opentrons, robot.clone(), short);
    robot.line().then_says(usize::MAX, Some("GET"), "/commandErrors", 500);
    let outcome = bed.perform().await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(code(&outcome), "opentrons.no_record");
}

#[tokio::test]
async fn a_run_of_anybody_that_is_over_does_not_stand_in_the_way() {
    let (bed, robot) = bed().await;
    robot.deck().add_foreign_run("failed");
    result(bed.perform().await);
}

#[tokio::test]
async fn a_failure_says_the_innermost_error_and_how_far_it_came() {
    let (bed, robot) = bed().await;
    robot.will_end(Ending::Failure);
    let Outcome::Unknown { failure } = bed.perform().await else { panic!() };
    assert_eq!(failure.code, "opentrons.robot_2017");
    for part in ["the tip is blocked", "1 of 4 transfers were dispensed", "transfer 1"] {
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[tokio::test]
async fn a_failure_before_any_liquid_leaves_no_doubt() {
    let (bed, robot) = bed().await;
    robot.will_end(Ending::Failure);
    robot.deck().failing_command = "loadPipette";
    let outcome = bed.perform().await;
    assert_eq!(failed(&outcome), Some(FailureClass::NeedsPerson), "{outcome:?}");
}

#[tokio::test]
async fn a_robot_that_did_something_else_is_not_believed() {
    let (bed, robot) = bed().await;
    robot.deck().wrong_well = Some("H8");
    let Outcome::Unknown { failure } = bed.perform().await else { panic!() };
    assert_eq!(failure.code, "opentrons.record_mismatch");
    assert!(failure.message.contains("from well A1 of slot 2 into well H8 of slot 1"), "{failure}");
}

/// What a restarted process says of run 0, which stands as `status` with no command and these actions.
async fn recovered(status: &'static str, actions: &[&str]) -> (Outcome, Arc<Robot>) {
    let (bed, robot) = bed().await;
    result(bed.perform().await);
    {
        let mut deck = robot.deck();
        deck.runs[0].status = status;
        deck.runs[0].commands.clear();
        deck.runs[0].actions = actions.iter().map(|action| (*action).to_owned()).collect();
    }
    let spool = tempfile::tempdir().unwrap();
    let attempt = jobs::worker::Attempt::rehearsal(bed.lease.clone(), spool.path()).unwrap();
    attempt.begin("run-0").await.unwrap();
    let outcome = bed.handler.recover(&Begun::rehearsal(attempt).unwrap()).await.unwrap();
    (outcome, robot)
}

#[tokio::test]
async fn a_run_created_and_not_played_before_a_restart_is_ended_and_may_be_tried_again() {
    let (outcome, robot) = recovered("idle", &[]).await;
    assert_eq!(code(&outcome), "opentrons.not_played_before_restart");
    assert_eq!(failed(&outcome), Some(FailureClass::Transient));
    assert_eq!(robot.deck().runs[0].status, "stopped");
}

#[tokio::test]
async fn a_run_that_another_client_replaced_before_it_was_played_may_be_tried_again() {
    let (outcome, _) = recovered("stopped", &[]).await;
    assert_eq!(code(&outcome), "opentrons.run_replaced");
    assert_eq!(failed(&outcome), Some(FailureClass::Transient));
}

#[tokio::test]
async fn a_run_stopped_at_the_robot_before_any_liquid_is_stopped_and_not_tried_again() {
    let (outcome, _) = recovered("stopped", &["play", "stop"]).await;
    assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_run_that_the_robot_has_forgotten_is_in_doubt() {
    let (bed, robot) = bed().await;
    let begun = bed.killed_half_way().await;
    robot.deck().runs[0].forgotten = true;
    let outcome = bed.handler.recover(&begun).await.unwrap();
    assert!(matches!(outcome, Outcome::Unknown { .. }));
    assert_eq!(code(&outcome), "opentrons.run_forgotten");
}

#[tokio::test]
async fn a_stop_of_a_run_whose_stop_is_answered_409_is_done() {
    let (bed, robot) = bed().await;
    robot.will_wait();
    let attempt = bed.attempt();
    let (outcome, ()) = tokio::join!(bed.handler.perform(&attempt), async {
        robot.half_way().await;
        // It ends by itself in the same moment: the robot answers the stop with 409.
        robot.go_on(Ending::Success);
        attempt.rehearse_stop();
    });
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}
