//! From a kill until the role of who was killed is filled again.

use crate::api::Api;
use crate::scene::Scene;
use std::time::{Duration, Instant};

/// How one kill ended.
#[derive(Clone, Copy, Debug)]
pub struct Recovery {
    pub seconds: f64,
}

/// A process that was killed and is waited for.
pub struct Pending {
    pub process: String,
    old: u32,
    since: Instant,
    /// Length of its log when it was killed.
    log: u64,
}

impl Pending {
    pub fn new(scene: &Scene, process: &str, old: u32) -> Self {
        Self {
            process: process.to_owned(),
            old,
            since: Instant::now(),
            log: log(scene, process).len() as u64,
        }
    }

    pub fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    /// `Some` once the role is filled again:
    ///
    /// - `serve` answers `/healthz`; `postgres`: a question that `serve` puts to it is answered;
    /// - `bench`: its control answers;
    /// - agents and the learner: a new process says that it is at work (its spool is read, and it goes on
    ///   with what was interrupted, or asks for work);
    /// - `everything`: as `postgres`.
    pub fn look(&self, scene: &Scene) -> Option<Recovery> {
        let is_new = || scene.processes().get(&self.process).is_some_and(|pid| *pid != self.old);
        let api = || Api::of_demo(&scene.laboratory.demo()).ok();
        let is_back = match self.process.as_str() {
            "serve" => is_new() && api()?.bytes("/healthz").is_ok(),
            "postgres" => is_new() && api()?.get("/api/v1/campaigns").is_ok(),
            "everything" => api()?.get("/api/v1/campaigns").is_ok(),
            "bench" => {
                is_new() && api()?.get_from(&format!("{}/specimen", scene.endpoint("control")?)).is_ok()
            }
            worker => {
                let text = log(scene, worker);
                let since = usize::try_from(self.log).unwrap_or_default();
                is_new() && text.get(since..).is_some_and(|new| new.contains("at work"))
            }
        };
        is_back.then(|| Recovery { seconds: self.since.elapsed().as_secs_f64() })
    }
}

fn log(scene: &Scene, process: &str) -> String {
    let path = scene.laboratory.demo().join(format!("logs/{process}.log"));
    std::fs::read_to_string(path).unwrap_or_default()
}
