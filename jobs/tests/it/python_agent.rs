//! The agent printed in `docs/writing-an-agent.md`, run as it stands there.

use crate::server::{Fault, Route, Server, TOKEN};
use jobs::state::State;
use jobs::work::{Kind, Outcome};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Does the work of the test in place of a device: `hold` makes it never end.
const HARNESS: &str = r#"
import agent, os, pathlib, sys, threading
agent.ASK["capabilities"] = ["read.plate", "dispense.liquid"]
agent.ASK["wait_seconds"] = 1
agent.time.sleep = lambda seconds: threading.Event().wait(0.01)
def perform(lease, halt):
    with open("performed", "a") as performed:
        performed.write(lease["job_id"] + "\n")
    if sys.argv[1] == "hold":
        threading.Event().wait()
    raw = b"raw"
    return {"ended": "succeeded", "output": {"kind": "read", "result": {"raw": agent.keep_raw(raw), "format": "plate_csv"}}}
agent.run(perform)
"#;

struct PythonAgent(Child);

impl PythonAgent {
    /// `None` where there is no Python.
    fn start(dir: &Path, server: &Server, mode: &str) -> Option<Self> {
        let page = include_str!("../../../docs/writing-an-agent.md");
        let (_, code) = page.split_once("```python\n").expect("the page has its example");
        let (code, _) = code.split_once("\n```").expect("the example ends");
        std::fs::write(dir.join("agent.py"), code).unwrap();
        std::fs::write(dir.join("harness.py"), HARNESS).unwrap();
        std::fs::write(dir.join("token"), format!("{TOKEN}\n")).unwrap();
        let child = Command::new("python3")
            .args(["harness.py", mode])
            .current_dir(dir)
            .env("LOOPWRIGHT_SERVER", server.url())
            .env("LOOPWRIGHT_TOKEN_FILE", "token")
            .env("LOOPWRIGHT_SPOOL", "spool")
            .stdout(Stdio::null())
            .spawn();
        child.ok().map(Self)
    }
}

impl Drop for PythonAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn performed(dir: &Path) -> usize {
    std::fs::read_to_string(dir.join("performed")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn the_example_of_the_guide_loses_nothing_to_a_server_that_misbehaves() {
    let server = Server::start();
    let dir = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Read);
    server.misbehave(Route::Lease, Fault::Status(500));
    server.misbehave(Route::PutBlob, Fault::Status(503));
    server.misbehave(Route::Report, Fault::LoseAnswer);
    server.misbehave(Route::Report, Fault::Status(500));
    let Some(_agent) = PythonAgent::start(dir.path(), &server, "work") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_example_of_the_guide_loses_nothing_to_a_server_that_misbehaves: no python3"
        );
        return;
    };
    // Taken, its answer lost, refused for the moment, taken again.
    server.until(|world| world.job(job).is_some_and(|job| job.reports.len() == 2)).await;
    let job = server.job(job);
    assert_eq!((job.state, job.starts, performed(dir.path())), (State::Succeeded, 1, 1));
    assert!(server.change(|world| world.blobs.contains_key(&jobs::Digest::of(b"raw"))));
}

#[tokio::test]
async fn the_example_of_the_guide_killed_in_the_middle_calls_a_person() {
    let server = Server::start();
    let dir = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    let Some(agent) = PythonAgent::start(dir.path(), &server, "hold") else {
        println!(
            "LOOPWRIGHT-TEST-SKIPPED: the_example_of_the_guide_killed_in_the_middle_calls_a_person: no python3"
        );
        return;
    };
    server.until_state(job, State::Running).await;
    drop(agent);
    let _agent = PythonAgent::start(dir.path(), &server, "work");
    server.until_state(job, State::InDoubt).await;
    let job = server.job(job);
    assert!(matches!(&job.reports[0].1, Outcome::Unknown { failure } if failure.code == "agent.restarted"));
    assert!(performed(dir.path()) <= 1);
}
