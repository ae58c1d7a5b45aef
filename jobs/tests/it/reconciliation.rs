//! Another life of the server's database: everything is offered again and confirmed before work is taken.

use crate::life::{Device, Dispenser, config, live_for, live_until};
use crate::server::{Fault, Route, Server};
use jobs::state::State;
use jobs::work::Kind;

struct Scene {
    server: Server,
    spool: tempfile::TempDir,
    device: Device,
}

impl Scene {
    /// A worker that has done one job in the life `first`.
    fn after_one_job() -> (Self, jobs::JobId) {
        let scene =
            Self { server: Server::start(), spool: tempfile::tempdir().unwrap(), device: Device::default() };
        scene.server.change(|world| world.epoch = Some("first".to_owned()));
        let job = scene.server.add(Kind::Dispense);
        scene.live(|server| {
            let server = server.clone();
            async move {
                server.until_state(job, State::Succeeded).await;
                // Its answer has arrived when the worker asks for more.
                let asked = server.change(|world| count(&world.calls, Route::Lease));
                server.until(|world| count(&world.calls, Route::Lease) > asked).await;
            }
        });
        (scene, job)
    }

    fn live<F: Future<Output = ()>>(&self, end: impl FnOnce(&Server) -> F) {
        let config = jobs::worker::WorkerConfig {
            instrument: Some("handler-1".to_owned()),
            ..config(self.spool.path())
        };
        live_until(&self.server, config, Dispenser { device: self.device.clone() }, end(&self.server));
    }

    /// The database was restored: it knows neither the report nor, at first, that anything is to be asked.
    fn lose_everything(&self) {
        self.server.change(|world| {
            world.epoch = Some("second".to_owned());
            world.jobs.iter_mut().for_each(|job| job.reports.clear());
            world.told.clear();
            world.calls.clear();
        });
    }
}

fn count(calls: &[Route], route: Route) -> usize {
    calls.iter().filter(|call| **call == route).count()
}

#[test]
fn in_another_life_everything_is_offered_with_its_lease_and_confirmed_before_work_is_taken() {
    let (scene, job) = Scene::after_one_job();
    scene.lose_everything();
    let next = scene.server.add(Kind::Dispense);

    scene.live(|server| {
        let server = server.clone();
        async move { server.until_state(next, State::Succeeded).await }
    });

    scene.server.change(|world| {
        let told = world.told.get(&job).expect("the lease of the lost job is told");
        assert_eq!((told.attempt, told.begun, told.work.kind()), (1, true, Kind::Dispense));
        assert_eq!(told.instrument.as_deref(), Some("handler-1"));
        let (epoch, word) = world.reconciled.last().expect("it said so");
        assert_eq!((epoch.as_str(), word.offered, word.in_hand.len()), ("second", 1, 0));
        assert_eq!(word.instrument.as_deref(), Some("handler-1"));
        let first = |route| world.calls.iter().position(|call| *call == route).expect("it was called");
        assert!(
            first(Route::Report) < first(Route::Reconciled),
            "offered, then confirmed: {:?}",
            world.calls
        );
        assert!(first(Route::Reconciled) < first(Route::Start), "confirmed, then begun: {:?}", world.calls);
    });
    assert_eq!(scene.device.times(job), 1, "what is offered again is not done again");
}

#[test]
fn killed_at_any_step_of_it_the_worker_takes_no_work_before_it_is_confirmed() {
    let mut steps = 0;
    loop {
        let (scene, job) = Scene::after_one_job();
        scene.lose_everything();
        let next = scene.server.add(Kind::Dispense);
        let handler = || Dispenser { device: scene.device.clone() };
        let confirmed = scene.server.until(|world| {
            world.reconciled.iter().any(|(epoch, _)| epoch == "second")
                && count(&world.calls, Route::Start) > 0
        });
        let whole = live_for(steps, &scene.server, config(scene.spool.path()), handler(), confirmed);

        scene.live(|server| {
            let server = server.clone();
            async move {
                server
                    .until(|world| {
                        let taken = world.jobs.iter().any(|job| job.starts > 0 && job.attempt > 0);
                        taken && world.reconciled.iter().any(|(epoch, _)| epoch == "second")
                    })
                    .await;
                // A lease that was given to the dead one's last request runs out.
                let idle = server.change(|world| world.empty_answers);
                server
                    .until(|world| {
                        let state = world.job(next).expect("the job exists").state;
                        state.is_terminal() || world.empty_answers > idle
                    })
                    .await;
                if !server.job(next).state.is_terminal() {
                    server.expire(next);
                    server.until(|world| world.job(next).is_some_and(|job| job.state.is_terminal())).await;
                }
            }
        });
        scene.server.change(|world| {
            assert!(world.told.contains_key(&job), "killed after {steps} steps: nothing was offered");
            let first = |route| world.calls.iter().position(|call| *call == route);
            assert!(first(Route::Report) < first(Route::Reconciled), "killed after {steps} steps");
            assert!(first(Route::Reconciled) < first(Route::Start), "killed after {steps} steps");
        });
        assert_eq!(scene.device.times(job), 1);
        assert!(scene.device.times(next) <= 1);
        if whole {
            break;
        }
        steps += 1;
    }
    assert!(steps > 8, "the life had only {steps} steps: the test kills nothing");
}

#[test]
fn a_confirmation_that_is_refused_is_given_again() {
    let (scene, job) = Scene::after_one_job();
    scene.lose_everything();
    scene.server.misbehave(Route::Reconciled, Fault::Status(409));
    scene.server.misbehave(Route::Reconciled, Fault::LoseAnswer);
    let next = scene.server.add(Kind::Dispense);
    scene.live(|server| {
        let server = server.clone();
        async move { server.until_state(next, State::Succeeded).await }
    });
    scene.server.change(|world| {
        assert_eq!(
            world.reconciled.iter().filter(|(epoch, _)| epoch == "second").count(),
            2,
            "lost, repeated"
        );
    });
    assert_eq!(scene.device.times(job), 1);
}
