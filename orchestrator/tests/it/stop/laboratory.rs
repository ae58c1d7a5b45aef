//! The stop of the whole laboratory, in the queue's own commands.

use super::orders::app;
use crate::laboratory::{Laboratory, Settings};
use crate::support::request as request_of;
use crate::work::LEASE;
use jobs::LeaseToken;
use jobs::wire::{ORDERS_HEADER, OrdersSeen};
use jobs::work::{Kind, Outcome};
use orchestrator::rounds::{State, control};
use orchestrator::store::jobs::Authority;
use orchestrator::store::laboratory::{self as stops, Stopped};
use orchestrator::store::tokens::Scope;
use orchestrator::store::{self, instruments};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;
use tower::ServiceExt as _;

const PATIENCE: Duration = Duration::from_secs(20);

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_stopped_laboratory_gives_nothing_out_and_ends_as_if_it_had_not_been(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let stopped = stops::stop(&mut conn, "somebody slipped", laboratory.person).await.expect("stopped");
    assert!(matches!(stopped, Stopped::Done(_)));
    let again = stops::stop(&mut conn, "once more", laboratory.person).await.expect("stopped");
    assert!(matches!(again, Stopped::AlreadySo(_)));
    let phase: String =
        sqlx::query_scalar("select phase from lease").fetch_one(&mut *conn).await.expect("held");
    assert_eq!(phase, "stopping");

    // The device comes to its safe point; nobody knows how much it moved.
    let note = "after transfer 3".to_owned();
    laboratory.report(&lease, Outcome::Stopped { note }).await;
    laboratory.settle().await;
    assert!(laboratory.engine.jump().await.expect("a clock").is_none(), "time stands with the laboratory");
    assert!(!laboratory.work().await, "something was given out");
    assert!(laboratory.count("select count(*) from job_ready where queue = 'bench'").await > 0);

    let lifted = stops::lift(&mut conn, "all is well", laboratory.person).await.expect("lifted");
    assert!(lifted.is_some());
    assert_eq!(stops::lift(&mut conn, "again", laboratory.person).await.expect("answered"), None);
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::Closed);
    let plates = laboratory.plates(laboratory.last_round().await.id).await;
    let states: Vec<_> = plates.iter().map(|plate| (plate.generation, plate.state.as_str())).collect();
    assert_eq!(states, [(1, "lost"), (2, "passed")], "the plate that was stopped in mid-run is made again");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_leased_and_not_begun_is_taken_back_and_done_after_the_stop(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    stops::stop(&mut conn, "a smell of smoke", laboratory.person).await.expect("stopped");
    let asked = [(lease.job_id, lease.lease_token)];
    assert_eq!(store::jobs::start_all(&mut conn, &asked, LEASE).await.expect("answered"), [None]);
    let started = store::jobs::start(&mut conn, lease.job_id, lease.lease_token, LEASE).await;
    assert_eq!(started.expect("answered"), Authority::Lost);
    stops::lift(&mut conn, "toast", laboratory.person).await.expect("lifted");
    drop(conn);
    laboratory.run().await;
    let plates = laboratory.plates(laboratory.last_round().await.id).await;
    assert_eq!(plates.len(), 1, "nothing had begun: no plate is lost");
    assert_eq!(laboratory.last_round().await.state, State::Closed);
}

/// A lease that was committed beside the order, and started before the order was: the upkeep's look finds it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_slipped_in_beside_the_stop_is_asked_to_stop(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    stops::stop(&mut conn, "a smell of smoke", laboratory.person).await.expect("stopped");
    sqlx::query("update lease set phase = 'running'")
        .execute(&mut *conn)
        .await
        .expect("as if it had slipped in");
    assert_eq!(stops::enforce(&mut conn).await.expect("looked"), 1);
    assert_eq!(stops::enforce(&mut conn).await.expect("looked"), 0);
}

/// A move that was stopped leaves a round that a person resumes after looking; then it is mended.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_stopped_move_holds_the_round_which_is_mended_when_it_is_resumed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Move).await;
    laboratory.start(&lease).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    stops::stop(&mut conn, "a smell of smoke", laboratory.person).await.expect("stopped");
    laboratory.report(&lease, Outcome::Stopped { note: "before it moved".into() }).await;
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert!(matches!(round.state, State::Held(_)), "{:?}", round.state);
    stops::lift(&mut conn, "toast", laboratory.person).await.expect("lifted");
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::Closed);
}

/// As when another replica took the order and its NOTIFY was lost.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whoever_waits_hears_of_a_stop_also_when_every_wake_up_is_lost(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let app = app(&laboratory);
    let agent = app.token(&[Scope::WorkBench]).await;
    let ask = |job: serde_json::Value| {
        let request = json!({"queue": "bench", "instrument": null, "job": job, "knows_stop": null,
            "standing": "idle", "says": null, "wait_seconds": 30});
        let (app, agent) = (&app, &agent);
        async move { app.post(agent, "/api/v1/orders", &request).await.1 }
    };
    let in_hand = json!({"job_id": lease.job_id, "lease_token": lease.lease_token, "stop_known": false});
    let of_another = json!({"job_id": lease.job_id, "lease_token": LeaseToken::fresh(), "stop_known": false});
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let person = laboratory.person;
    let one = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            orders = async { tokio::join!(ask(in_hand.clone()), async {
                store::jobs::ask(&mut conn, &[lease.job_id.0], person, "enough").await.expect("asked")
            }).0 } => orders,
            orders = ask(of_another) => panic!("another's lease: {orders}"),
            orders = ask(json!(null)) => panic!("nothing in hand: {orders}"),
        }
    });
    let orders = one.await.expect("told in time");
    assert_eq!(orders, json!({"stop": null, "stop_job": true}));
    let all = tokio::time::timeout(PATIENCE, async {
        tokio::join!(ask(json!(null)), stops::stop(&mut conn, "a smell of smoke", person)).0
    });
    let orders = all.await.expect("told in time");
    assert_eq!(orders["stop"]["reason"], "a smell of smoke");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_stop_ends_the_wait_for_work_of_whoever_hears_it_there(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let laboratory = Laboratory::new(options, login, Settings::default()).await;
    let app = app(&laboratory);
    let agent = app.token(&[Scope::WorkBench, Scope::WorkLearn]).await;
    let ask = |queue: &str, hears_orders: bool, wait_seconds: u32| {
        let request = json!({"contract_version": jobs::CONTRACT_VERSION, "queue": queue, "capabilities": ["read.plate"],
            "instrument": null, "wait_seconds": wait_seconds, "hears_orders": hears_orders});
        let request = request_of("POST", &agent, "/api/v1/leases", Some(&request));
        let router = app.router.clone();
        async move {
            let answer = router.oneshot(request).await.expect("the router answers");
            assert_eq!(answer.status(), 204);
            OrdersSeen::of(answer.headers().get(ORDERS_HEADER).map(|word| word.to_str().expect("a word")))
        }
    };
    assert_eq!(ask("bench", true, 1).await, OrdersSeen::Nothing);
    assert_eq!(ask("bench", false, 1).await, OrdersSeen::Unknown, "it was not asked");

    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let waited = tokio::time::timeout(PATIENCE, async {
        tokio::join!(ask("bench", true, 30), stops::stop(&mut conn, "smoke", laboratory.person)).0
    });
    assert_eq!(waited.await.expect("told in time"), OrdersSeen::Stop);
    let at_once = tokio::time::timeout(PATIENCE, ask("bench", true, 30));
    assert_eq!(at_once.await.expect("told in time"), OrdersSeen::Stop);
    assert_eq!(ask("learner", true, 1).await, OrdersSeen::Nothing, "thinking goes on");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_laboratory_says_who_has_not_confirmed(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = Laboratory::new(options, login, Settings::default()).await;
    let app = app(&laboratory);
    let operator = app.token(&[Scope::Read, Scope::JobResolve]).await;
    let agent = app.token(&[Scope::WorkBench]).await;
    let (_, free) = app.get(&operator, "/api/v1/laboratory").await;
    assert_eq!(free["stop"], json!(null));
    let reason = json!({"reason": "a smell of smoke"});
    let (status, _) = app.post(&agent, "/api/v1/laboratory/stop", &reason).await;
    assert_eq!(status.as_u16(), 403);
    let (_, none) = app.post(&operator, "/api/v1/laboratory/stop", &json!({"reason": " "})).await;
    assert_eq!(none["code"], "request.reason_missing");
    let (_, stopped) = app.post(&operator, "/api/v1/laboratory/stop", &reason).await;
    assert_eq!(stopped["not_confirmed"], json!(["handler-1", "incubator-1", "mover-1", "reader-1"]));

    // Its first request is answered at once; the second one, which names the stop, confirms and waits.
    let ask = |knows: &serde_json::Value| {
        json!({"queue": "bench", "instrument": "reader-1", "job": null, "knows_stop": knows,
               "standing": "idle", "says": null, "wait_seconds": 0})
    };
    let (_, orders) = app.post(&agent, "/api/v1/orders", &ask(&json!(null))).await;
    assert_eq!(orders["stop"]["id"], stopped["stop"]["id"]);
    app.post(&agent, "/api/v1/orders", &ask(&orders["stop"]["id"])).await;
    let (_, now) = app.get(&operator, "/api/v1/laboratory").await;
    assert_eq!(now["not_confirmed"], json!(["handler-1", "incubator-1", "mover-1"]));
    assert!(
        instruments::get(&mut laboratory.pool.acquire().await.expect("a connection"), "reader-1")
            .await
            .expect("there")
            .last_seen_at
            .is_some()
    );

    let (_, on) = app.post(&operator, "/api/v1/laboratory/resume", &json!({"reason": "toast"})).await;
    assert_eq!((&on["stop"], &on["places"]), (&json!(null), &json!([])));
    let kinds = laboratory.event_kinds().await;
    for kind in ["LaboratoryStopped", "LaboratoryResumed"] {
        assert!(kinds.iter().any(|it| it == kind), "{kind} is in the record");
    }
}
