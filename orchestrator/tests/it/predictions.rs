//! Predictions that a person asks a learner for.

use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::Router;
use axum::http::{Request, StatusCode};
use jobs::work::learn::{PredictResult, Prediction};
use jobs::work::{Kind, Outcome, Output};
use jobs::{Failure, FailureClass, Work};
use orchestrator::api::{self, AppState, Config};
use orchestrator::store::tokens::{self, ActorKind, NewToken, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;

struct Door {
    laboratory: Laboratory,
    router: Router,
    token: String,
}

impl Door {
    /// A campaign that has done its one round: model versions 1 and 2.
    async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        let mut laboratory =
            Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
        laboratory.run().await;
        let engine = &laboratory.engine;
        let state = AppState::new(
            engine.pool.clone(),
            engine.blobs.clone(),
            engine.wakeups.clone(),
            Config::default(),
        );
        let new = NewToken {
            actor: "grace".to_owned(),
            kind: ActorKind::Person,
            scopes: vec![Scope::Read, Scope::BatchEdit],
            label: "test".to_owned(),
            valid_hours: 1,
        };
        let mut conn = laboratory.pool.acquire().await.expect("a connection");
        let token = tokens::create(&mut conn, &new).await.expect("a token").secret;
        drop(conn);
        Self { laboratory, router: api::router(state), token }
    }

    fn question(&self, body: &Value) -> Request<axum::body::Body> {
        let path = format!("/api/v1/campaigns/{}/predictions", self.laboratory.campaign);
        request("POST", &self.token, &path, Some(body))
    }

    async fn ask(&self, question: Request<axum::body::Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(question).await.expect("an answer");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Plays the learner: waits for the job, and ends it so. Answers the checkpoint that was asked.
    async fn learner(&self, outcome: Outcome) -> jobs::Digest {
        let mut news = self.laboratory.engine.wakeups.subscribe_jobs("predict");
        loop {
            if let Some(lease) = self.laboratory.lease(Kind::Predict).await {
                let Work::Predict(asked) = &lease.work else { panic!("not a prediction: {lease:?}") };
                let checkpoint = asked.checkpoint;
                self.laboratory.report(&lease, outcome).await;
                self.laboratory.engine.wakeups.settled();
                return checkpoint;
            }
            news.changed().await.expect("the wake-ups live");
        }
    }
}

fn says(mean: f64) -> Outcome {
    let prediction = Prediction { mean, epistemic_sd: 0.5, aleatoric_sd: 0.25, hit_probability: 0.1 };
    Outcome::Succeeded {
        output: Box::new(Output::Predict(PredictResult { predictions: vec![prediction], readouts: vec![] })),
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_experiment_outside_the_pool_is_answered_by_any_version_of_the_model(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let experiments = json!([{"perturbation": "BRCA1+TP53", "context": "elsewhere"}]);
    let mut checkpoints = Vec::new();
    for version in [1, 2] {
        let question = door.question(&json!({"experiments": experiments, "model_version": version}));
        let ((status, answer), asked) =
            tokio::join!(door.ask(question), door.learner(says(f64::from(version))));
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["model_version"], version);
        assert_eq!(answer["predictions"][0]["perturbation"], "BRCA1+TP53");
        assert_eq!(answer["predictions"][0]["mean"], f64::from(version));
        assert_eq!(answer["checkpoint"], json!(asked));
        checkpoints.push(asked);
    }
    assert_ne!(checkpoints[0], checkpoints[1], "each version is asked with its own checkpoint");
    let (status, body) =
        door.ask(door.question(&json!({"experiments": experiments, "model_version": 9}))).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some("model_version.not_found")));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_question_without_a_learner_ends_and_its_repeat_is_the_same_job(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let keyed = |gene: &str, wait: u32| {
        let body =
            json!({"experiments": [{"perturbation": gene, "context": "donor-1"}], "wait_seconds": wait});
        let mut question = door.question(&body);
        question.headers_mut().insert("idempotency-key", "monday".parse().expect("a header"));
        question
    };
    let (status, first) = door.ask(keyed("BRCA1", 0)).await;
    assert_eq!((status, &first["predictions"]), (StatusCode::ACCEPTED, &Value::Null));
    let ((status, second), _) = tokio::join!(door.ask(keyed("BRCA1", 30)), door.learner(says(1.5)));
    assert_eq!((status, &second["job_id"]), (StatusCode::OK, &first["job_id"]));
    assert_eq!(second["predictions"][0]["mean"], 1.5);
    let (status, body) = door.ask(keyed("TP53", 0)).await;
    let reused = Some("request.idempotency_key_reused");
    assert_eq!((status, body["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, reused));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_learners_failure_is_told_in_its_own_words(options: PgPoolOptions, login: PgConnectOptions) {
    let door = Door::new(options, login).await;
    let question = door.question(&json!({"experiments": [{"perturbation": "BRCA1", "context": "donor-1"}]}));
    let failure =
        Failure::new(FailureClass::Permanent, "learner.checkpoint_unreadable", "The checkpoint is torn.");
    let ((status, body), _) = tokio::join!(door.ask(question), door.learner(Outcome::Failed { failure }));
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("prediction.failed"))
    );
    assert!(body["detail"].as_str().unwrap_or_default().contains("The checkpoint is torn."), "{body}");
}
