//! Another life of the database: nobody's hands are given work before what they did is reconciled.

use crate::support::App;
use crate::work::{LEASE, Lab, dispense, seal};
use axum::http::StatusCode;
use jobs::work::learn::{ModelInputs, ModelSpec, Train};
use jobs::{Digest, LeaseToken, Work};
use orchestrator::queue::upkeep;
use orchestrator::store::epoch;
use orchestrator::store::instruments::{self, Registration};
use orchestrator::store::jobs::{self as store, NewJob, Wanted};
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

struct Scene {
    app: App,
    lab: Lab,
    owner: PgPool,
    agent: String,
    operator: String,
}

impl Scene {
    /// Two instruments whose agents were seen, a third that was not, and one without an agent.
    async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
        let app = App::new(options, login).await;
        let lab = Lab::new(app.state.pool.clone()).await;
        for (name, profile) in [
            ("handler-1", json!({})),
            ("reader-1", json!({})),
            ("spare-1", json!({})),
            ("shaker-1", json!({"by_hand": true})),
        ] {
            let registration =
                Registration { capabilities: vec!["dispense.liquid".to_owned()], profile, state: None };
            instruments::register(&mut *lab.conn().await, name, &registration).await.expect("an instrument");
        }
        for name in ["handler-1", "reader-1"] {
            instruments::seen(&mut *lab.conn().await, &[(name, 0.0)]).await.expect("seen");
        }
        let agent = app.token(&[Scope::WorkBench]).await;
        let operator = app.token(&[Scope::Read, Scope::JobResolve]).await;
        Self { app, lab, owner, agent, operator }
    }

    async fn restore(&self) -> String {
        epoch::begin(&mut self.owner.acquire().await.expect("a connection")).await.expect("another life")
    }

    /// As a standby that took over would have it: the same life on a later timeline.
    async fn fail_over(&self) {
        sqlx::query("delete from reconciliation_party").execute(&self.owner).await.expect("nobody");
        sqlx::query("update reconciliation set epoch = regexp_replace(epoch, '-[0-9]+-', '-9999-')")
            .execute(&self.owner)
            .await
            .expect("an earlier timeline");
    }

    async fn lease(&self, epoch: Option<&str>) -> (StatusCode, Value) {
        let wish = json!({
            "contract_version": 1, "queue": "bench", "capabilities": ["dispense.liquid"], "instrument": "handler-1",
            "wait_seconds": 5, "epoch": epoch,
        });
        self.app.post(&self.agent, "/api/v1/leases", &wish).await
    }

    async fn reconciled(&self, epoch: &str, instrument: &str, in_hand: Value) -> (StatusCode, Value) {
        let word = json!({"instrument": instrument, "offered": 3, "in_hand": in_hand});
        self.app.post(&self.agent, &format!("/api/v1/reconciliations/{epoch}/reconciled"), &word).await
    }

    async fn turn(&self) {
        upkeep::turn(&self.app.state.pool, &self.app.state.wakeups).await.expect("a turn of the upkeep");
    }

    async fn standing(&self) -> Value {
        self.app.get(&self.operator, "/api/v1/reconciliation").await.1
    }

    async fn epoch(&self) -> String {
        epoch::read(&mut *self.lab.conn().await).await.expect("an epoch")
    }
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_new_database_has_nothing_to_reconcile(options: PgPoolOptions, login: PgConnectOptions) {
    let scene = Scene::new(options, login).await;
    scene.lab.create(NewJob::new(dispense())).await;
    let standing = scene.standing().await;
    assert_eq!(
        (standing["opened_because"].as_str(), standing["closed_at"].is_string()),
        (Some("created"), true)
    );
    assert_eq!(scene.lease(None).await.0, StatusCode::OK);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_statement_that_leases_asks_for_the_life_that_answers_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    scene.lab.create(NewJob::new(dispense())).await;
    let inputs = ModelInputs {
        pool: Digest::of(b"pool"),
        data_cut: None,
        features: vec![],
        priors: vec![],
        exclude_prior_groups: vec![],
        description: jobs::work::description::Description::default(),
        readouts: vec![],
        model: ModelSpec::default(),
        seed: 7,
    };
    scene.lab.create(NewJob::new(Work::Train(Train { inputs, warm_start: None, shadows: vec![] }))).await;
    scene.restore().await;
    // Nobody has noticed anything yet.
    assert!(scene.lab.lease().await.is_none(), "no hands are given work");
    let wanted = Wanted {
        queue: "learner".to_owned(),
        capabilities: vec!["learn.train".to_owned()],
        instrument: None,
    };
    let trained = store::lease(&mut *scene.lab.conn().await, &wanted, &[scene.lab.worker], LEASE).await;
    assert_eq!(trained.expect("a lease").len(), 1, "what moves nothing goes on");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn after_a_restore_a_person_closes_it_when_everybody_was_heard_or_excused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    scene.lab.create(NewJob::new(dispense())).await;
    let before = scene.epoch().await;
    let epoch = scene.restore().await;
    assert_eq!(scene.epoch().await, epoch);
    scene.turn().await;
    assert_eq!(code(&scene.lease(Some(&before)).await), (409, "lease.reconciling"));

    let close = |reason: &'static str| async move { json!({"reason": reason}) };
    let refused =
        scene.app.post(&scene.operator, "/api/v1/reconciliation/close", &close("looked").await).await;
    assert_eq!(code(&refused), (409, "reconciliation.waits"));
    // The backup does not know who has worked since: whoever was silent when it was taken may have.
    let waits = &refused.1["detail"];
    assert!(waits.as_str().expect("words").contains("handler-1, reader-1, spare-1"), "{waits}");
    assert!(!waits.as_str().expect("words").contains("shaker-1"), "it has no agent that could tell: {waits}");
    assert_eq!(
        code(&scene.reconciled(&before, "handler-1", json!([])).await),
        (409, "reconciliation.other_epoch")
    );

    assert_eq!(scene.reconciled(&epoch, "handler-1", json!([])).await.0, StatusCode::OK);
    assert_eq!(
        scene.reconciled(&epoch, "handler-1", json!([])).await.0,
        StatusCode::OK,
        "a repeat is a value"
    );
    assert_eq!(scene.reconciled(&epoch, "spare-1", json!([])).await.0, StatusCode::OK);
    let excuse = json!({"instrument": "reader-1", "reason": "its disk is gone"});
    let excused = scene.app.post(&scene.operator, "/api/v1/reconciliation/excuse", &excuse).await;
    assert_eq!(excused.0, StatusCode::OK);
    let again = scene.app.post(&scene.operator, "/api/v1/reconciliation/excuse", &excuse).await;
    assert_eq!(code(&again), (409, "reconciliation.not_awaited"));
    scene.turn().await;
    assert_eq!(code(&scene.lease(Some(&epoch)).await), (409, "lease.reconciling"), "a person closes it");

    let closed =
        scene.app.post(&scene.operator, "/api/v1/reconciliation/close", &close("looked").await).await;
    assert_eq!(closed.0, StatusCode::OK, "{}", closed.1);
    assert_eq!(code(&scene.lease(Some(&before)).await), (409, "lease.reconciling"), "it has not reconciled");
    assert_eq!(scene.lease(Some(&epoch)).await.0, StatusCode::OK);
    let kinds = [
        ("ReconciliationOpened", 1),
        ("InstrumentReconciled", 2),
        ("InstrumentExcused", 1),
        ("ReconciliationClosed", 1),
    ];
    for (kind, expected) in kinds {
        let found: i64 = sqlx::query_scalar("select count(*) from event where kind = $1")
            .bind(kind)
            .fetch_one(&scene.lab.pool)
            .await
            .expect("a count");
        assert_eq!(found, expected, "{kind}");
    }
    assert_eq!(scene.lab.count("select count(*) from task where closed_at is null").await, 0);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn after_a_failover_without_loss_it_closes_by_itself(options: PgPoolOptions, login: PgConnectOptions) {
    let scene = Scene::new(options, login).await;
    scene.lab.create(NewJob::new(dispense())).await;
    scene.fail_over().await;
    assert!(scene.lab.lease().await.is_none());
    scene.turn().await;
    let epoch = scene.epoch().await;
    assert_eq!(scene.standing().await["opened_because"], "failed_over");
    let first = scene.reconciled(&epoch, "handler-1", json!([])).await;
    assert_eq!(
        (first.1["closed"].clone(), first.1["waits_for"].clone()),
        (json!(false), json!(["reader-1"]))
    );
    let last = scene.reconciled(&epoch, "reader-1", json!([])).await;
    assert_eq!(last.1["closed"], true, "{}", last.1);
    assert_eq!(scene.lease(Some(&epoch)).await.0, StatusCode::OK);
    assert_eq!(scene.lab.count("select count(*) from task").await, 0, "nobody had to look");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn people_have_no_spool_so_where_a_step_waits_for_hands_a_person_closes_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    scene.lab.create(NewJob::new(seal())).await;
    scene.fail_over().await;
    assert!(scene.lab.lease().await.is_none());
    scene.turn().await;
    let epoch = scene.epoch().await;
    for instrument in ["handler-1", "reader-1"] {
        let answer = scene.reconciled(&epoch, instrument, json!([])).await;
        assert_eq!(answer.1["closed"], false, "{}", answer.1);
    }
    scene.turn().await;
    assert_eq!(code(&scene.lease(Some(&epoch)).await), (409, "lease.reconciling"));
    let reason = json!({"reason": "asked at the bench: nobody had a step in hand"});
    let closed = scene.app.post(&scene.operator, "/api/v1/reconciliation/close", &reason).await;
    assert_eq!(closed.0, StatusCode::OK, "{}", closed.1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn after_a_failover_with_a_loss_a_person_closes_it(options: PgPoolOptions, login: PgConnectOptions) {
    let scene = Scene::new(options, login).await;
    let job = scene.lab.create(NewJob::new(dispense())).await;
    scene.fail_over().await;
    scene.turn().await;
    let epoch = scene.epoch().await;
    scene.lab.report_of_lost_life(job, &dispense()).await;
    for instrument in ["handler-1", "reader-1"] {
        scene.reconciled(&epoch, instrument, json!([])).await;
    }
    scene.turn().await;
    let standing = scene.standing().await;
    assert!(standing["closed_at"].is_null(), "{standing}");
    assert_eq!((&standing["unknown_reports"], &standing["jobs_in_doubt"]), (&json!(1), &json!(1)));
    assert_eq!(
        scene
            .lab
            .count("select count(*) from task where closed_at is null and cause = 'reconciliation.open'")
            .await,
        1
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_has_work_in_hand_that_this_life_does_not_know_has_not_told_everything(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    let known = scene.lab.running(dispense()).await;
    scene.fail_over().await;
    scene.turn().await;
    let epoch = scene.epoch().await;
    let unknown = json!([{"job_id": known.job_id, "lease_token": LeaseToken::fresh()}]);
    let refused = scene.reconciled(&epoch, "handler-1", unknown).await;
    assert_eq!(code(&refused), (409, "reconciliation.in_hand_unknown"));
    let held = json!([{"job_id": known.job_id, "lease_token": known.lease_token}]);
    assert_eq!(scene.reconciled(&epoch, "handler-1", held).await.0, StatusCode::OK);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_restore_stays_one_when_it_fails_over_before_it_is_closed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    scene.restore().await;
    scene.turn().await;
    scene.fail_over().await;
    scene.turn().await;
    let standing = scene.standing().await;
    assert_eq!((&standing["opened_because"], &standing["closed_at"]), (&json!("restored"), &Value::Null));
}
