//! Tells a person at the terminal what happens, once each.

use super::bring_up::{DemoPerson, SpecimenReport};
use super::ground::Ground;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Instant;

/// Remembers what it has said.
pub struct Narrator {
    began: Instant,
    said: BTreeSet<String>,
}

impl Narrator {
    pub fn new() -> Self {
        Self { began: Instant::now(), said: BTreeSet::new() }
    }

    /// A line with the time since the start.
    pub fn say(&mut self, line: &str) {
        eprintln!("[{:>7.1}s] {line}", self.began.elapsed().as_secs_f64());
    }

    fn say_once(&mut self, key: String, line: &str) {
        if self.said.insert(key) {
            self.say(line);
        }
    }

    /// What is played, and unless it `is_over_soon` where to look and what to try.
    pub fn introduce(
        &mut self,
        ground: &Ground,
        specimen: &SpecimenReport,
        campaign: &str,
        people: &[DemoPerson],
        is_over_soon: bool,
    ) {
        let what = match &ground.own {
            Some(own) => {
                for warning in &own.warnings {
                    self.say(&format!("{}: {warning}", own.asked.file.display()));
                }
                let measured = specimen.measured.map(|measured| format!(" ({measured} of them measured)"));
                format!(
                    "{} experiments of {}{}",
                    specimen.pool_size,
                    own.spec.name,
                    measured.unwrap_or_default()
                )
            }
            None => format!("{} genes", specimen.genes),
        };
        self.say(&format!(
            "Specimen {}: {what}, of which {} are hits that nobody has told the model about",
            specimen.name, specimen.hits_total
        ));
        if is_over_soon {
            return;
        }
        let programs = std::env::current_exe().unwrap_or_default();
        eprintln!(
            "
    Open                 {url}
    and sign in as one of
{people}
    The API is described {url}/api/v1/openapi.json
    Logs                 {folder}/logs
    In another terminal:
      export PATH={programs}:$PATH LOOPWRIGHT_SERVER={url} LOOPWRIGHT_TOKEN_FILE={token}
      loopwright campaign show {campaign}
",
            url = ground.server_url(),
            people = signing_in(people),
            folder = ground.folder.display(),
            token = ground.token_file("operator").display(),
            programs = programs.parent().unwrap_or(&programs).display(),
        );
    }

    /// Says what is new in `progress` (the answer of `GET /campaigns/{id}/progress`).
    ///
    /// `unattended`: the demo approves by itself.
    pub fn tell(&mut self, progress: &Value, specimen: &SpecimenReport, ground: &Ground, unattended: bool) {
        let rounds = progress["rounds"].as_array().cloned().unwrap_or_default();
        for round in &rounds {
            self.tell_round(round, ground, unattended);
        }
        self.tell_score(&rounds, specimen);
    }

    /// Says what waits for a person, and what to type; `tasks`: the answer of `GET /tasks`.
    pub fn ask(&mut self, tasks: &Value) {
        for task in tasks["items"].as_array().into_iter().flatten() {
            let text = |field: &str| task[field].as_str().unwrap_or_default();
            let subject = text("subject_id");
            let who = if text("cause") == "job.in_doubt" {
                "A person is needed"
            } else {
                "For a person to look at"
            };
            let commands = match (text("cause"), text("subject")) {
                ("job.in_doubt", _) => format!(
                    "\n      loopwright job show {subject}\
                     \n      loopwright job resolve {subject} done|not-done|plate-lost --reason \"what you saw\""
                ),
                (_, "plate") => format!("\n      loopwright plate show {subject}"),
                (_, "job") => format!("\n      loopwright job show {subject}"),
                _ => "\n      loopwright task list".to_owned(),
            };
            self.say_once(format!("task:{}", text("id")), &format!("{who}: {}{commands}", text("message")));
        }
    }

    /// Says which steps wait for hands; `steps`: of the answer of `GET /by-hand`.
    pub fn ask_for_hands(&mut self, steps: &[Value], ground: &Ground) {
        for step in steps.iter().filter(|step| step["state"] == "ready") {
            let text = |pointer: &str| step.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
            let id = text("/id");
            let told = format!(
                "Plate {} waits for your hands: {}\
                 \n             look:    {}/by-hand\
                 \n             or type: loopwright job take {id}; loopwright job done {id}",
                text("/plates/0/barcode"),
                text("/instruction"),
                ground.server_url()
            );
            self.say_once(format!("hands:{id}"), &told);
        }
    }

    fn tell_round(&mut self, round: &Value, ground: &Ground, unattended: bool) {
        let number = &round["number"];
        let state = round["state"].as_str().unwrap_or("?");
        let line = match state {
            "proposing" => format!("Round {number}: the model is asked for a batch"),
            "awaiting_approval" => {
                let batch = round["batch_id"].as_str().unwrap_or("?");
                if unattended {
                    format!("Round {number}: {} experiments proposed", round["proposed"])
                } else {
                    format!(
                        "Round {number}: {} experiments wait for you\n             look:    {}/batches/{batch}\n             or type: loopwright batch show {batch}; loopwright batch approve {batch}",
                        round["proposed"],
                        ground.server_url(),
                    )
                }
            }
            "planning" => format!("Round {number}: planning plates and transfers"),
            "executing" => format!("Round {number}: the robots work ({} experiments)", round["proposed"]),
            "assessing" => format!("Round {number}: plates are judged"),
            "held" | "failed" | "cancelled" => {
                format!("Round {number}: {state}: {}", round["reason"].as_str().unwrap_or(""))
            }
            "closed" => format!("Round {number}: closed, {}", outcome(&round["summary"])),
            other => format!("Round {number}: {other}"),
        };
        let batch = if state == "proposing" { &Value::Null } else { &round["batch_id"] };
        self.say_once(format!("{number}:{state}:{batch}:{}", round["reason"]), &line);
    }

    fn tell_score(&mut self, rounds: &[Value], specimen: &SpecimenReport) {
        let sum =
            |field: &str| rounds.iter().filter_map(|round| round["summary"][field].as_u64()).sum::<u64>();
        let hits = sum("hits_found").saturating_sub(sum("hits_withdrawn"));
        let measured = sum("passed_qc");
        if measured == 0 {
            return;
        }
        let expected = super::report::expected_hits(measured, specimen);
        let enrichment = if expected > 0.0 { super::report::as_f64(hits) / expected } else { 0.0 };
        self.say_once(
            format!("score:{measured}"),
            &format!("So far {hits} hits in {measured} experiments; random choice would have {expected:.1} (x{enrichment:.1})"),
        );
    }
}

fn signing_in(people: &[DemoPerson]) -> String {
    let line =
        |person: &DemoPerson| format!("      {:<6} {}  ({})", person.name, person.password, person.role);
    people.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn outcome(summary: &Value) -> String {
    format!(
        "{} of {} measured, {} passed QC, {} hits",
        summary["measured"], summary["proposed"], summary["passed_qc"], summary["hits_found"]
    )
}
