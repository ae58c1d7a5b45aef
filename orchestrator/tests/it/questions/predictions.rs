//! Predictions that a person asks a learner for.

use super::Door;
use axum::http::StatusCode;
use jobs::work::learn::{Grounds, PredictResult, Prediction};
use jobs::work::{Kind, Outcome, Output};
use jobs::{Failure, FailureClass, Work};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const HERE: &str = "predictions";

fn says(mean: f64) -> Outcome {
    let prediction = Prediction { mean, epistemic_sd: 3.0, aleatoric_sd: 4.0, hit_probability: 0.1 };
    let grounds = Grounds { unknown_edits: vec!["BRCA1".to_owned()], ..Grounds::default() };
    let result = PredictResult { predictions: vec![prediction], readouts: vec![], grounds: vec![grounds] };
    Outcome::Succeeded { output: Box::new(Output::Predict(result)) }
}

fn of(perturbation: &str) -> Value {
    json!({"experiments": [{"perturbation": perturbation, "context": "donor-1"}]})
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_experiment_outside_the_pool_is_answered_by_any_version_of_the_model(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let mut checkpoints = Vec::new();
    for version in [1, 2] {
        let mut body = of("TP53+BRCA1");
        body["model_version"] = version.into();
        let answered = door.learner(Kind::Predict, says(f64::from(version)));
        let ((status, answer), asked) = tokio::join!(door.ask(door.question(HERE, &body)), answered);
        let Work::Predict(asked) = asked else { panic!("{asked:?}") };
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!((&answer["model_version"], &answer["state"]), (&json!(version), &json!("succeeded")));
        assert_eq!(answer["predictions"][0]["perturbation"], "BRCA1+TP53");
        assert_eq!(answer["predictions"][0]["mean"], f64::from(version));
        assert_eq!(answer["checkpoint"], json!(asked.checkpoint));
        checkpoints.push(asked.checkpoint);
    }
    assert_ne!(checkpoints[0], checkpoints[1], "each version is asked with its own checkpoint");
    let mut none = of("BRCA1");
    none["model_version"] = 9.into();
    door.refused(HERE, &none, StatusCode::NOT_FOUND, "model_version.not_found").await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_answer_carries_its_intervals_and_what_it_rests_on(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let question = door.question(HERE, &of("BRCA1"));
    let ((status, answer), _) = tokio::join!(door.ask(question), door.learner(Kind::Predict, says(1.0)));
    assert_eq!(status, StatusCode::OK, "{answer}");
    let said = &answer["predictions"][0];
    // Five, the length of (3, 4), times the quantile.
    for (interval, half) in [("of_50", 3.37245), ("of_80", 6.40776), ("of_90", 8.22427)] {
        let ends = &said["intervals"][interval];
        let (low, high) = (ends[0].as_f64().expect("low"), ends[1].as_f64().expect("high"));
        assert!((low - (1.0 - half)).abs() < 1e-4 && (high - (1.0 + half)).abs() < 1e-4, "{ends}");
    }
    assert_eq!(said["grounds"]["unknown_edits"], json!(["BRCA1"]));
    let note = said["note"].as_str().expect("a note");
    assert!(note.contains("neither the features nor other screens have BRCA1"), "{note}");
    let rows = answer["training_rows"].as_u64().expect("rows");
    assert!(rows > 0 && note.contains(&format!("Trained on {rows} rows")), "{note}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_question_without_a_learner_ends_and_its_repeat_is_the_same_job(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let keyed = |gene: &str, wait: u32| {
        let mut body = of(gene);
        body["wait_seconds"] = wait.into();
        door.keyed(HERE, "monday", &body)
    };
    let (status, first) = door.ask(keyed("BRCA1", 0)).await;
    assert_eq!((status, &first["predictions"]), (StatusCode::ACCEPTED, &Value::Null));
    let answered = door.learner(Kind::Predict, says(1.5));
    let ((status, second), _) = tokio::join!(door.ask(keyed("BRCA1", 30)), answered);
    assert_eq!((status, &second["job_id"]), (StatusCode::OK, &first["job_id"]));
    assert_eq!(second["predictions"][0]["mean"], 1.5);
    let (status, body) = door.ask(keyed("TP53", 0)).await;
    let reused = Some("request.idempotency_key_reused");
    assert_eq!((status, body["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, reused));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_answer_is_found_again_by_its_job_and_in_its_own_campaign_only(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let mut body = of("BRCA1");
    body["wait_seconds"] = 0.into();
    let (_, asked) = door.ask(door.question(HERE, &body)).await;
    let job = asked["job_id"].as_str().expect("a job").to_owned();
    let path = door.path(&format!("{HERE}/{job}"));
    let (status, waiting) = door.get(&path).await;
    assert_eq!((status, &waiting["state"]), (StatusCode::ACCEPTED, &json!("ready")));
    let late = format!("{path}?wait_seconds=30");
    let ((status, answer), _) = tokio::join!(door.get(&late), door.learner(Kind::Predict, says(2.0)));
    assert_eq!((status, &answer["predictions"][0]["mean"]), (StatusCode::OK, &json!(2.0)));
    let (status, problem) = door.get(&format!("{path}?wait_seconds=31")).await;
    let too_long = Some("prediction.wait_too_long");
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, too_long));
    // A screen, a training: jobs of another kind are no predictions.
    for other in [door.path(&format!("screens/{job}")), training(&door).await] {
        let (status, problem) = door.get(&other).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("job.not_found")));
    }
    sqlx::query("update job set campaign_id = null where id = $1")
        .bind(uuid::Uuid::parse_str(&job).expect("an id"))
        .execute(&door.laboratory.pool)
        .await
        .expect("moved");
    assert_eq!(door.get(&path).await.0, StatusCode::NOT_FOUND, "it is none of this campaign's now");
}

/// A training, looked for among the predictions.
async fn training(door: &Door) -> String {
    let job: uuid::Uuid = sqlx::query_scalar("select id from job where kind = 'train' limit 1")
        .fetch_one(&door.laboratory.pool)
        .await
        .expect("a training");
    door.path(&format!("{HERE}/{job}"))
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_question_that_cannot_be_asked_is_refused_with_what_to_do(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let bad = StatusCode::UNPROCESSABLE_ENTITY;
    let row = |perturbation: &str, context: &str| json!({"perturbation": perturbation, "context": context});
    let torn = json!({"experiments": [row("BRCA1", "donor-1"), row("BRCA1+", "donor-1"), row("TP53", "")]});
    let problem = door.refused(HERE, &torn, bad, "prediction.experiment_invalid").await;
    let places: Vec<_> = problem["errors"].as_array().expect("errors").iter().map(|it| &it["path"]).collect();
    assert_eq!(places, ["experiments[1].perturbation", "experiments[2].context"]);
    assert!(problem["detail"].as_str().is_some_and(|it| it.contains("experiments[1].perturbation")));

    let elsewhere = json!({"experiments": [row("BRCA1", "elsewhere")], "wait_seconds": 0});
    let problem = door.refused(HERE, &elsewhere, bad, "prediction.context_unknown").await;
    let words = problem["detail"].as_str().unwrap_or_default();
    assert!(words.contains("donor-1") && words.contains("--new-context"), "{words}");
    let mut on_purpose = elsewhere;
    on_purpose["new_context"] = true.into();
    assert_eq!(door.ask(door.question(HERE, &on_purpose)).await.0, StatusCode::ACCEPTED);

    for count in [0, 1001] {
        let many: Vec<Value> = (0..count).map(|_| row("BRCA1", "donor-1")).collect();
        door.refused(HERE, &json!({"experiments": many}), bad, "prediction.experiments_count").await;
    }
    let mut patient = of("BRCA1");
    patient["wait_seconds"] = 31.into();
    door.refused(HERE, &patient, bad, "prediction.wait_too_long").await;
    let nobodys = format!("/api/v1/campaigns/{}/{HERE}", uuid::Uuid::now_v7());
    let question = crate::support::request("POST", &door.token, &nobodys, Some(&of("BRCA1")));
    let (status, _) = door.ask(question).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn without_a_model_in_use_the_question_comes_too_early(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::before_anything(options, login).await;
    let early = door.refused(HERE, &of("BRCA1"), StatusCode::CONFLICT, "model.none_yet").await;
    assert!(early["detail"].as_str().is_some_and(|it| it.contains("loopwright model list")));
    let space = json!({"space": {"of": "known", "context": "donor-1"}});
    door.refused("screens", &space, StatusCode::CONFLICT, "model.none_yet").await;
    assert_eq!(
        door.laboratory.count("select count(*) from job where kind in ('predict', 'screen')").await,
        0
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_has_so_many_open_questions_and_a_repeat_is_none(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let mut body = of("BRCA1");
    body["wait_seconds"] = 0.into();
    for _ in 0..99 {
        assert_eq!(door.ask(door.question(HERE, &body)).await.0, StatusCode::ACCEPTED);
    }
    assert_eq!(door.ask(door.keyed(HERE, "last", &body)).await.0, StatusCode::ACCEPTED);
    let full = door.refused(HERE, &body, StatusCode::TOO_MANY_REQUESTS, "prediction.too_many").await;
    assert!(full["detail"].as_str().is_some_and(|it| it.contains("job list --kind predict")), "{full}");
    assert_eq!(door.ask(door.keyed(HERE, "last", &body)).await.0, StatusCode::ACCEPTED, "asked already");
    assert_eq!(door.laboratory.count("select count(*) from job where kind = 'predict'").await, 100);
    door.learner(Kind::Predict, says(0.0)).await;
    assert_eq!(door.ask(door.question(HERE, &body)).await.0, StatusCode::ACCEPTED, "one was answered");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_learners_failure_is_told_in_its_own_words(options: PgPoolOptions, login: PgConnectOptions) {
    let door = Door::new(options, login).await;
    let question = door.question(HERE, &of("BRCA1"));
    let failure =
        Failure::new(FailureClass::Permanent, "learner.checkpoint_unreadable", "The checkpoint is torn.");
    let failed = door.learner(Kind::Predict, Outcome::Failed { failure });
    let ((status, body), _) = tokio::join!(door.ask(question), failed);
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("prediction.failed"))
    );
    assert!(body["detail"].as_str().unwrap_or_default().contains("The checkpoint is torn."), "{body}");
}
