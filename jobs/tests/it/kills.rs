//! A worker killed at every step, and started again on the same disk.

use crate::life::{Device, Dispenser, config, live_for, live_until};
use crate::server::{Fault, Route, Server};
use jobs::JobId;
use jobs::state::State;
use jobs::work::Kind;

struct Scene {
    server: Server,
    device: Device,
    spool: tempfile::TempDir,
    job: JobId,
}

impl Scene {
    fn new() -> Self {
        let server = Server::start();
        let job = server.add(Kind::Dispense);
        Self { server, device: Device::default(), spool: tempfile::tempdir().unwrap(), job }
    }

    fn dispenser(&self) -> Dispenser {
        Dispenser { device: self.device.clone() }
    }

    /// A life that ends when the job is over. `expired`: its lease ran out while the worker was dead; if
    /// not, it runs out each time the restarted worker has nothing left to do (also a lease that was given
    /// to the dead one's last request).
    fn second_life(&self, expired: bool) {
        if expired {
            self.server.expire(self.job);
        }
        live_until(&self.server, config(self.spool.path()), self.dispenser(), async {
            for _ in 0..10 {
                let idle = self.server.change(|world| world.empty_answers);
                self.server
                    .until(|world| {
                        let job = world.job(self.job).expect("the job exists");
                        job.state.is_terminal() || world.empty_answers > idle
                    })
                    .await;
                if self.server.job(self.job).state.is_terminal() {
                    return;
                }
                self.server.expire(self.job);
            }
            panic!("the worker is idle and the job is not over: {:?}", self.server.job(self.job));
        });
    }

    /// Whatever happened: done at most once, and the record says what the world says.
    fn is_true(&self, story: &str) {
        let job = self.server.job(self.job);
        let times = self.device.times(self.job);
        match job.state {
            State::Succeeded => assert_eq!(times, 1, "{story}: succeeded, done {times} times"),
            State::Failed => assert_eq!(times, 0, "{story}: failed, done {times} times"),
            other => panic!("{story}: {other:?}, done {times} times"),
        }
    }
}

#[test]
fn killed_at_any_step_the_work_is_done_at_most_once_and_the_record_is_true() {
    for expired in [false, true] {
        let mut steps = 0;
        loop {
            let scene = Scene::new();
            let over = scene.server.until_state(scene.job, State::Succeeded);
            let whole = live_for(steps, &scene.server, config(scene.spool.path()), scene.dispenser(), over);
            scene.second_life(expired);
            scene.is_true(&format!("killed after {steps} steps, lease expired: {expired}"));
            if whole {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "the life had only {steps} steps: the test kills nothing");
    }
}

#[test]
fn killed_around_any_call_the_work_is_done_at_most_once_and_the_record_is_true() {
    let routes = [Route::Lease, Route::Start, Route::PutBlob, Route::Report];
    for route in routes {
        for fault in [Fault::KillBefore, Fault::KillAfter] {
            for expired in [false, true] {
                let scene = Scene::new();
                scene.server.misbehave(route, fault);
                let killed = scene.server.killed();
                live_until(&scene.server, config(scene.spool.path()), scene.dispenser(), killed);
                scene.second_life(expired);
                scene.is_true(&format!("{fault:?} of {route:?}, lease expired: {expired}"));
            }
        }
    }
}

#[test]
fn killed_again_while_recovering_the_work_is_done_at_most_once_and_the_record_is_true() {
    for steps in 0..40 {
        let scene = Scene::new();
        scene.server.misbehave(Route::PutBlob, Fault::KillBefore);
        let killed = scene.server.killed();
        live_until(&scene.server, config(scene.spool.path()), scene.dispenser(), killed);
        scene.server.forget_kill();
        let over = scene.server.until_state(scene.job, State::Succeeded);
        let whole = live_for(steps, &scene.server, config(scene.spool.path()), scene.dispenser(), over);
        scene.second_life(true);
        scene.is_true(&format!("killed after {steps} steps of recovery"));
        if whole {
            return;
        }
    }
}

#[test]
fn a_result_taken_by_the_server_is_not_lost_when_the_worker_is_killed_before_it_hears_so() {
    let scene = Scene::new();
    scene.server.misbehave(Route::Report, Fault::KillAfter);
    live_until(&scene.server, config(scene.spool.path()), scene.dispenser(), scene.server.killed());
    assert_eq!(scene.server.job(scene.job).state, State::Succeeded);
    live_until(&scene.server, config(scene.spool.path()), scene.dispenser(), async {
        scene.server.until(|world| world.job(scene.job).is_some_and(|job| job.reports.len() == 2)).await;
    });
    let job = scene.server.job(scene.job);
    assert_eq!(job.reports[1].2, jobs::wire::Disposition::AlreadyDone);
    assert_eq!(scene.device.times(scene.job), 1);
}
