//! Plays the operator: decides what waits for somebody, so that a campaign that was hurt goes on.
//!
//! Jobs in doubt are not among it: the unattended demo settles those by the bench's truth log.

use crate::api::Api;
use crate::scene::Scene;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What it has done once already.
#[derive(Default)]
pub struct Person {
    /// Also does what nothing forces it to: holds a round, has a plate measured again, asks the model.
    is_curious: bool,
    pub resumed: u32,
    repeated: BTreeSet<String>,
    has_held: bool,
    has_asked: bool,
    /// Plates whose readings were spoilt.
    blurred: BTreeSet<String>,
}

impl Person {
    /// One who also does what nothing forces it to.
    pub fn curious() -> Self {
        Self { is_curious: true, ..Self::default() }
    }

    /// Looks once. Answers the campaign's state; `None` while nobody answers.
    pub fn look(&mut self, scene: &Scene) -> Option<String> {
        let api = scene.api().ok()?;
        let (campaign, progress) = scene.progress(&api).ok()?;
        let tasks = api.get("/api/v1/tasks").ok()?;
        for task in tasks["items"].as_array().into_iter().flatten() {
            self.decide(&api, task);
        }
        for round in progress["rounds"].as_array().into_iter().flatten() {
            let id = round["round_id"].as_str().unwrap_or_default();
            if round["state"] == "held"
                && api.post(&format!("/api/v1/rounds/{id}/resume"), &Value::Null).is_ok()
            {
                self.resumed += 1;
            }
            if self.is_curious {
                self.meddle(scene, &api, &campaign, round);
            }
        }
        progress["state"].as_str().map(str::to_owned)
    }

    /// A plate is repeated the first time, and taken as it is after that.
    fn decide(&mut self, api: &Api, task: &Value) {
        let plate = task["subject_id"].as_str().unwrap_or_default();
        let word = match task["cause"].as_str() {
            Some("plate.quarantined") if !self.repeated.contains(plate) => "repeat",
            Some("plate.quarantined") => "release",
            Some("plate.lost_too_often") => "repeat",
            _ => return,
        };
        let body = json!({"decision": word, "reason": "the operator looked at it"});
        if api.post(&format!("/api/v1/plates/{plate}/decide"), &body).is_ok() {
            self.repeated.insert(plate.to_owned());
        }
    }

    fn meddle(&mut self, scene: &Scene, api: &Api, campaign: &str, round: &Value) {
        let id = round["round_id"].as_str().unwrap_or_default();
        if round["state"] != "executing" {
            return;
        }
        if !self.has_held {
            let body = json!({"reason": "to see whether it goes on"});
            self.has_held = api.post(&format!("/api/v1/rounds/{id}/hold"), &body).is_ok();
        }
        if !self.has_asked {
            self.has_asked = ask(scene, api, campaign).is_some();
        }
        // Until a person was needed for one.
        if self.repeated.is_empty()
            && let Some(plate) = blur(scene, api, &self.blurred)
        {
            self.blurred.insert(plate);
        }
    }
}

/// Asks a learner for a prediction and for a screen, and does not wait for them.
fn ask(scene: &Scene, api: &Api, campaign: &str) -> Option<()> {
    let known = scene.laboratory.database("select perturbation, context from proposal limit 1").ok()?;
    let experiment = known.first()?;
    let body = json!({
        "experiments": [{"perturbation": experiment["perturbation"], "context": experiment["context"]}],
        "wait_seconds": 0,
    });
    api.post(&format!("/api/v1/campaigns/{campaign}/predictions"), &body).ok()?;
    let edits: Vec<&str> = experiment["perturbation"].as_str()?.split('+').collect();
    let body = json!({"space": {"of": "singles", "edits": edits, "context": experiment["context"]}});
    api.post(&format!("/api/v1/campaigns/{campaign}/screens"), &body).ok().map(drop)
}

/// Has the bench spoil the readings of a plate, so that it fails its quality control. Answers which.
fn blur(scene: &Scene, api: &Api, blurred: &BTreeSet<String>) -> Option<String> {
    let plates =
        scene.laboratory.database("select barcode from plate where state in ('planned', 'dispensing')");
    let plates = plates.ok()?;
    let barcode =
        plates.iter().filter_map(|plate| plate["barcode"].as_str()).find(|it| !blurred.contains(*it))?;
    let body = json!({"kind": "plate_effect", "barcode": barcode, "extra_cv": 3.0});
    api.post_to(&format!("{}/faults", scene.endpoint("control")?), &body).ok()?;
    Some(barcode.to_owned())
}
