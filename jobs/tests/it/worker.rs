//! The worker's own rules: authority, stop, panic, shutdown, a full disk.

use crate::life::{Device, Dispenser, config, live_and_shut_down, live_until, succeeded};
use crate::server::{Fault, Route, Server};
use async_trait::async_trait;
use jobs::state::State;
use jobs::wire::Disposition;
use jobs::work::{Kind, Outcome};
use jobs::worker::{Attempt, Begun, Halt, Handler, Worker, WorkerError};
use jobs::{FailureClass, JobId};
use std::sync::Arc;
use tokio::sync::Notify;

/// One physical step, then whatever `halted` says, then another if it may.
#[derive(Clone)]
struct TwoSteps {
    device: Device,
    first_done: Arc<Notify>,
    halts: tokio::sync::watch::Sender<Option<Halt>>,
}

impl TwoSteps {
    fn new() -> Self {
        Self { device: Device::default(), first_done: Arc::default(), halts: Default::default() }
    }
}

#[async_trait]
impl Handler for TwoSteps {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        let operation = attempt.operation_id();
        if let Err(not_begun) = attempt.begin(&operation).await {
            return not_begun.into();
        }
        self.device.run(&operation);
        attempt.progress("step 1 of 2", Some(0.5));
        self.first_done.notify_one();
        let halt = attempt.halted().await;
        self.halts.send_replace(Some(halt));
        match attempt.checkpoint() {
            Ok(()) => self.device.run(&operation),
            Err(Halt::StopRequested) => {
                return Outcome::Stopped { note: "after step 1".to_owned() };
            }
            Err(_) => {}
        }
        succeeded(attempt.lease().work.kind())
    }

    async fn recover(&self, _: &Begun) -> Option<Outcome> {
        None
    }
}

#[test]
fn a_worker_that_lost_its_authority_begins_no_other_step_and_still_testifies() {
    let (server, handler) = (Server::start(), TwoSteps::new());
    let spool = tempfile::tempdir().unwrap();
    server.change(|world| world.lease_seconds = 1);
    let job = server.add(Kind::Dispense);
    live_until(&server, config(spool.path()), handler.clone(), async {
        handler.first_done.notified().await;
        server.take_away(job);
        server.until(|world| world.job(job).is_some_and(|job| !job.reports.is_empty())).await;
    });
    assert_eq!(*handler.halts.borrow(), Some(Halt::AuthorityLost));
    assert_eq!(handler.device.times(job), 1);
    let job = server.job(job);
    assert_eq!(job.reports[0].2, Disposition::KeptAsEvidence);
    assert_eq!(job.state, State::Running, "testimony under an old token changes no state");
}

#[test]
fn a_server_out_of_reach_has_not_taken_the_authority_and_gets_the_result_when_it_is_back() {
    let (server, handler) = (Server::start(), TwoSteps::new());
    let spool = tempfile::tempdir().unwrap();
    server.change(|world| world.lease_seconds = 1);
    let job = server.add(Kind::Dispense);
    let mut halts = handler.halts.subscribe();
    live_until(&server, config(spool.path()), handler.clone(), async {
        handler.first_done.notified().await;
        server.go_down();
        halts.wait_for(Option::is_some).await.unwrap();
        server.expire(job);
        assert_eq!(server.job(job).state, State::InDoubt);
        server.come_back();
        server.until_state(job, State::Succeeded).await;
    });
    assert_eq!(*handler.halts.borrow(), Some(Halt::AuthorityUnconfirmed));
    assert_eq!(handler.device.times(job), 1);
}

#[test]
fn heartbeats_keep_the_lease_and_carry_progress_while_the_handler_works() {
    let (server, handler) = (Server::start(), TwoSteps::new());
    let spool = tempfile::tempdir().unwrap();
    server.change(|world| world.lease_seconds = 1);
    let job = server.add(Kind::Dispense);
    live_until(&server, config(spool.path()), handler.clone(), async {
        server.until(|world| world.calls.iter().filter(|call| **call == Route::Heartbeat).count() >= 5).await;
    });
    assert_eq!(*handler.halts.borrow(), None, "five thirds of the lease later it is still held");
    assert_eq!(server.job(job).progress.unwrap().message, "step 1 of 2");
}

#[test]
fn a_stop_request_reaches_the_handler_and_ends_in_cancelled() {
    let (server, handler) = (Server::start(), TwoSteps::new());
    let spool = tempfile::tempdir().unwrap();
    server.change(|world| world.lease_seconds = 1);
    let job = server.add(Kind::Dispense);
    live_until(&server, config(spool.path()), handler.clone(), async {
        handler.first_done.notified().await;
        server.request_stop(job);
        server.until_state(job, State::Cancelled).await;
    });
    assert_eq!(handler.device.times(job), 1);
}

#[test]
fn a_job_stopped_before_it_began_is_not_begun() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    server.misbehave(Route::Start, Fault::Status(503));
    live_until(&server, config(spool.path()), Dispenser { device: device.clone() }, async {
        server.until(|world| world.calls.contains(&Route::Start)).await;
        server.request_stop(job);
        server.until_state(job, State::Cancelled).await;
    });
    assert_eq!(device.times(job), 0);
}

#[test]
fn a_job_given_to_somebody_else_before_it_began_is_not_begun() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    server.misbehave(Route::Start, Fault::Status(409));
    live_until(&server, config(spool.path()), Dispenser { device: device.clone() }, async {
        server.until(|world| world.job(job).is_some_and(|job| !job.reports.is_empty())).await;
        let outcome = server.job(job).reports[0].1.clone();
        let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.code, "worker.not_begun");
        assert_eq!(device.times(job), 0);
    });
}

/// Panics at its first job, before or after it began; does the others.
struct Panics {
    begin_first: bool,
    device: Device,
    done: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Handler for Panics {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        if self.done.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return Dispenser { device: self.device.clone() }.perform(attempt).await;
        }
        if self.begin_first {
            attempt.begin("op-1").await.unwrap();
        }
        panic!("the test said so");
    }

    async fn recover(&self, _: &Begun) -> Option<Outcome> {
        panic!("the test said so");
    }
}

fn outcome_of_a_panic(kind: Kind, begin_first: bool) -> (State, Outcome) {
    let server = Server::start();
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(kind);
    let handler = Panics { begin_first, device: Device::default(), done: Default::default() };
    live_until(&server, config(spool.path()), handler, async {
        server.until(|world| world.job(job).is_some_and(|job| !job.reports.is_empty())).await;
        let next = server.add(Kind::Read);
        server.until_state(next, State::Succeeded).await;
    });
    let job = server.job(job);
    (job.state, job.reports[0].1.clone())
}

#[test]
fn a_panic_is_reported_as_a_bug_and_the_worker_goes_on() {
    for (kind, begin_first) in [(Kind::Dispense, false), (Kind::Read, false), (Kind::Read, true)] {
        let (state, outcome) = outcome_of_a_panic(kind, begin_first);
        let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Bug, "worker.panicked"));
        assert!(failure.message.contains("the test said so"));
        assert_eq!(state, State::Failed);
    }
}

#[test]
fn a_panic_in_the_middle_of_a_physical_step_leaves_it_in_doubt() {
    let (state, outcome) = outcome_of_a_panic(Kind::Dispense, true);
    let Outcome::Unknown { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, FailureClass::Bug);
    assert_eq!(state, State::InDoubt);
}

#[test]
fn a_physical_step_that_was_killed_and_of_which_the_device_says_nothing_is_in_doubt() {
    let (server, handler) = (Server::start(), TwoSteps::new());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    live_until(&server, config(spool.path()), handler.clone(), handler.first_done.notified());
    live_until(&server, config(spool.path()), handler.clone(), async {
        server.until_state(job, State::InDoubt).await;
    });
    assert_eq!(handler.device.times(job), 1);
}

#[test]
fn repeatable_work_that_was_killed_is_done_again_when_its_lease_has_run_out() {
    let (server, handler) = (Server::start(), TwoSteps::new());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Read);
    live_until(&server, config(spool.path()), handler.clone(), handler.first_done.notified());
    server.expire(job);
    live_until(&server, config(spool.path()), handler.clone(), handler.first_done.notified());
    assert_eq!((server.job(job).attempt, handler.device.times(job)), (2, 2));
}

#[test]
fn a_shutdown_lets_work_in_hand_end_and_reports_it() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    server.misbehave(Route::PutBlob, Fault::Status(500));
    let ended = live_and_shut_down(&server, config(spool.path()), Dispenser { device }, async {
        server.until_state(job, State::Running).await;
    });
    assert!(ended.is_ok());
    // The first delivery failed; the last round of the shutdown brought it.
    assert_eq!(server.job(job).state, State::Succeeded);
}

#[test]
fn a_shutdown_gives_back_what_was_not_begun() {
    let (server, handler) = (Server::start(), WaitsForTheEnd::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    let leased = handler.leased.clone();
    let ended = live_and_shut_down(&server, config(spool.path()), handler, leased.notified());
    assert!(ended.is_ok());
    let job = server.job(job);
    assert_eq!((job.state, job.starts, job.reports.len()), (State::Ready, 0, 0));
}

#[derive(Default)]
struct WaitsForTheEnd {
    leased: Arc<Notify>,
}

#[async_trait]
impl Handler for WaitsForTheEnd {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        self.leased.notify_one();
        attempt.shutting_down().await;
        attempt.begin("too late").await.expect_err("a worker that ends begins nothing").into()
    }

    async fn recover(&self, _: &Begun) -> Option<Outcome> {
        None
    }
}

#[test]
fn an_idle_worker_shuts_down_without_waiting_for_its_poll() {
    let server = Server::start();
    let spool = tempfile::tempdir().unwrap();
    let mut patient = config(spool.path());
    patient.wait_seconds = 30;
    let began = std::time::Instant::now();
    let handler = Dispenser { device: Device::default() };
    live_and_shut_down(&server, patient, handler, async {
        server.until(|world| world.calls.contains(&Route::Lease)).await;
    })
    .unwrap();
    assert!(began.elapsed().as_secs() < 20);
}

#[test]
fn a_disk_that_takes_nothing_more_begins_nothing_more() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let mut bounded = config(spool.path());
    bounded.spool_limits.pending = 1;
    let first = server.add(Kind::Dispense);
    let second = server.add(Kind::Dispense);
    for _ in 0..10 {
        server.misbehave(Route::Report, Fault::Status(500));
    }
    live_until(&server, bounded, Dispenser { device: device.clone() }, async {
        server.until(|world| world.calls.iter().filter(|call| **call == Route::Report).count() >= 5).await;
        assert_eq!((device.times(first), device.times(second)), (1, 0));
        server.until_state(second, State::Succeeded).await;
    });
}

#[test]
fn a_beginning_that_cannot_be_written_down_does_not_begin() {
    let (server, device) = (Server::start(), Device::default());
    let spool = tempfile::tempdir().unwrap();
    let job = server.add(Kind::Dispense);
    let handler = SpoilsItsDisk { dir: spool.path().to_owned(), device: device.clone() };
    live_until(&server, config(spool.path()), handler, async {
        server.until(|world| world.job(job).is_some_and(|job| !job.reports.is_empty())).await;
    });
    let job = server.job(job);
    let Outcome::Failed { failure } = &job.reports[0].1 else { panic!("{job:?}") };
    assert_eq!(failure.code, "worker.spool_unusable");
    assert_eq!((device.times(job.id), job.starts), (0, 0));
}

/// Something is in the way of the folder where its beginning would be written.
struct SpoilsItsDisk {
    dir: std::path::PathBuf,
    device: Device,
}

#[async_trait]
impl Handler for SpoilsItsDisk {
    async fn perform(&self, attempt: &Attempt) -> Outcome {
        let open = self.dir.join("open");
        std::fs::rename(&open, self.dir.join("aside")).unwrap();
        std::fs::write(&open, "in the way").unwrap();
        let begun = attempt.begin("op-1").await;
        std::fs::remove_file(&open).unwrap();
        std::fs::rename(self.dir.join("aside"), &open).unwrap();
        match begun {
            Ok(()) => {
                self.device.run(&attempt.operation_id());
                succeeded(Kind::Dispense)
            }
            Err(not_begun) => not_begun.into(),
        }
    }

    async fn recover(&self, _: &Begun) -> Option<Outcome> {
        None
    }
}

#[tokio::test]
async fn a_worker_too_old_for_the_server_ends_and_says_so() {
    let server = Server::start();
    let spool = tempfile::tempdir().unwrap();
    server.misbehave(Route::Lease, Fault::Status(426));
    let handler = Arc::new(Dispenser { device: Device::default() });
    let ended = Worker::run(server.client(), config(spool.path()), handler, Default::default()).await;
    assert!(matches!(ended, Err(WorkerError::ContractTooOld(_))), "{ended:?}");
}

#[tokio::test]
async fn a_rehearsal_needs_no_server() {
    let dir = tempfile::tempdir().unwrap();
    let lease = jobs::wire::Lease {
        job_id: JobId::fresh(),
        lease_token: jobs::LeaseToken::fresh(),
        attempt: 1,
        expires_in_seconds: 60,
        repeatable: false,
        deadline_lab_at: None,
        work: crate::samples::work(Kind::Dispense),
    };
    let attempt = Attempt::rehearsal(lease, dir.path()).unwrap();
    let dispenser = Dispenser { device: Device::default() };
    assert!(matches!(dispenser.perform(&attempt).await, Outcome::Succeeded { .. }));
    let begun = Begun::rehearsal(attempt).unwrap();
    assert_eq!(begun.note("run_id"), Some("run-1"));
    assert!(matches!(dispenser.recover(&begun).await, Some(Outcome::Succeeded { .. })));
}
