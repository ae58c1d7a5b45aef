//! The JSON of each kind, frozen: agents in other languages depend on every name here.

use crate::samples;
use jobs::wire::*;
use jobs::work::{Kind, Outcome, Output, Work};
use jobs::{Failure, FailureClass, JobId, LeaseToken};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

fn survives_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
}

#[test]
fn the_json_of_each_kind_of_work_stays_as_it_is() {
    for kind in Kind::ALL {
        let work = samples::work(kind);
        assert_eq!(work.kind(), kind);
        survives_json::<Work>(&work);
        insta::assert_json_snapshot!(format!("work_{kind}"), work);
    }
}

#[test]
fn the_json_of_each_kind_of_result_stays_as_it_is() {
    for kind in Kind::ALL {
        let output = samples::output(kind);
        assert_eq!(output.kind(), kind);
        survives_json::<Output>(&output);
        insta::assert_json_snapshot!(format!("result_{kind}"), output);
    }
}

#[test]
fn the_json_of_the_envelope_stays_as_it_is() {
    let token: LeaseToken = "0f3b8f0e-6c39-4c6a-9d43-6a6f4b1a7c10".parse().unwrap();
    let job: JobId = "01930000-0000-7000-8000-000000000001".parse().unwrap();
    let request = LeaseRequest {
        contract_version: 1,
        queue: "bench".to_owned(),
        capabilities: vec!["dispense.liquid".to_owned()],
        instrument: Some("handler-1".to_owned()),
        wait_seconds: 20,
        epoch: None,
        hears_orders: false,
    };
    let lease = Lease {
        job_id: job,
        lease_token: token,
        attempt: 1,
        expires_in_seconds: 60,
        repeatable: false,
        deadline_lab_at: Some(samples::instant()),
        work: samples::work(Kind::Manual),
    };
    let progress = Progress { message: "transfer 12 of 40".to_owned(), fraction: Some(0.3) };
    let beat = Heartbeat { lease_token: token, progress: Some(progress) };
    let answer = HeartbeatAnswer { expires_in_seconds: 60, stop_requested: true };
    survives_json(&request);
    survives_json(&lease);
    survives_json(&beat);
    survives_json(&answer);
    insta::assert_json_snapshot!("lease_request", request);
    insta::assert_json_snapshot!("lease", lease);
    insta::assert_json_snapshot!("heartbeat", beat);
    insta::assert_json_snapshot!("heartbeat_answer", answer);
}

#[test]
fn the_json_of_each_ending_stays_as_it_is() {
    let token: LeaseToken = "0f3b8f0e-6c39-4c6a-9d43-6a6f4b1a7c10".parse().unwrap();
    let failure = Failure::new(FailureClass::NeedsPerson, "mover.plate_lost", "Look at the deck.");
    let endings = [
        ("succeeded", Outcome::Succeeded { output: Box::new(samples::output(Kind::Manual)) }),
        ("failed", Outcome::Failed { failure: failure.clone() }),
        ("stopped", Outcome::Stopped { note: "after transfer 12".to_owned() }),
        ("unknown", Outcome::Unknown { failure }),
    ];
    for (name, outcome) in endings {
        let report = Report { lease_token: token, outcome, lease: None };
        survives_json(&report);
        insta::assert_json_snapshot!(format!("report_{name}"), report);
    }
    for disposition in [Disposition::Accepted, Disposition::AlreadyDone, Disposition::KeptAsEvidence] {
        survives_json(&ReportAnswer { disposition });
    }
}

#[test]
fn a_lease_token_in_a_log_cannot_be_used() {
    let token = LeaseToken::fresh();
    assert!(!format!("{token:?}").contains(&token.to_string()));
}

#[test]
fn the_json_of_orders_stays_as_it_is() {
    let stop = StopOrder {
        id: "01930000-0000-7000-8000-000000000002".parse().unwrap(),
        reason: "a smell of smoke".to_owned(),
        ordered_at: samples::instant(),
    };
    let request = OrdersRequest {
        queue: "bench".to_owned(),
        instrument: Some("handler-1".to_owned()),
        job: Some(JobInHand {
            job_id: "01930000-0000-7000-8000-000000000001".parse().unwrap(),
            lease_token: "0f3b8f0e-6c39-4c6a-9d43-6a6f4b1a7c10".parse().unwrap(),
            stop_known: true,
        }),
        knows_stop: Some(stop.id),
        standing: Standing::Stopping,
        says: Some("transfer 12 of 40".to_owned()),
        wait_seconds: 20,
    };
    let orders = Orders { stop: Some(stop), stop_job: true };
    survives_json(&request);
    survives_json(&orders);
    insta::assert_json_snapshot!("orders", (request, orders));
}

#[test]
fn each_way_to_span_and_to_rank_a_space_is_a_word_of_its_own() {
    use jobs::work::screen::{RankBy, Space};
    let context = jobs::Context("K562".to_owned());
    let edits = vec!["CBLB".to_owned()];
    let spaces = [
        ("table", Space::Table { table: jobs::Digest::of(b"table") }),
        ("known", Space::Known { context: context.clone() }),
        ("singles", Space::Singles { edits: edits.clone(), context: context.clone() }),
        ("pairs", Space::Pairs { edits, context }),
    ];
    for (word, space) in spaces {
        survives_json(&space);
        assert_eq!(serde_json::to_value(&space).unwrap()["of"], word);
    }
    let rules = [
        ("hit_probability", RankBy::HitProbability),
        ("mean_up", RankBy::MeanUp),
        ("mean_down", RankBy::MeanDown),
        ("upper_bound", RankBy::UpperBound { beta: 1.0 }),
        ("lower_bound", RankBy::LowerBound { beta: 1.0 }),
    ];
    for (word, rule) in rules {
        survives_json(&rule);
        assert_eq!(serde_json::to_value(rule).unwrap()["name"], word);
    }
}
