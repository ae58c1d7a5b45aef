//! Whole spaces that a person has a learner rank.

use super::Door;
use axum::http::StatusCode;
use jobs::work::screen::{RankBy, ScreenResult, Space, SpaceSummary};
use jobs::work::{Kind, Outcome, Output};
use jobs::{Digest, Failure, FailureClass, Work};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const HERE: &str = "screens";
const RANKING: &[u8] = b"perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score
CBLB+RASA2,donor-1,1.5,3,4,0.75,0.75
CBLB+CD5,donor-1,0.5,3,4,0.25,0.25
";

fn pairs() -> Value {
    json!({"of": "pairs", "edits": ["CBLB", "RASA2", "CD5"], "context": "donor-1"})
}

fn done(ranking: Digest) -> Outcome {
    let summary = SpaceSummary {
        experiments: 3,
        kept: 2,
        with_unknown_edits: 1,
        expected_hits: 1.25,
        mean_hit_probability: 0.4,
        hit_probability_quantiles: vec![],
        hit_probability_histogram: vec![1, 2],
        mean: 0.5,
        mean_sd: 1.0,
        lowest_mean: -0.5,
        highest_mean: 1.5,
    };
    let result = ScreenResult { ranking, summary, code_version: "test".to_owned(), screen_seconds: 2.5 };
    Outcome::Succeeded { output: Box::new(Output::Screen(result)) }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_space_is_ranked_by_a_learner_and_its_best_are_shown(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let ranking = door.blob(RANKING).await;
    let body = json!({
        "space": pairs(), "rank_by": {"name": "upper_bound", "beta": 2.0}, "keep": 2, "wait_seconds": 30,
    });
    let answered = door.learner(Kind::Screen, done(ranking));
    let ((status, answer), asked) = tokio::join!(door.ask(door.question(HERE, &body)), answered);
    assert_eq!(status, StatusCode::OK, "{answer}");
    let Work::Screen(asked) = asked else { panic!("{asked:?}") };
    assert_eq!((asked.rank_by, asked.keep), (RankBy::UpperBound { beta: 2.0 }, 2));
    assert!(matches!(&asked.space, Space::Pairs { edits, .. } if edits.len() == 3), "{:?}", asked.space);
    assert_eq!(answer["summary"]["experiments"], 3);
    assert_eq!(answer["ranking"], json!(ranking));
    let best = answer["best"].as_array().expect("the best");
    assert_eq!(best.len(), 2);
    assert_eq!((&best[0]["rank"], &best[0]["perturbation"]), (&json!(1), &json!("CBLB+RASA2")));
    assert_eq!((&best[1]["rank"], &best[1]["hit_probability"]), (&json!(2), &json!(0.25)));
    assert!(best[0]["intervals"]["of_90"][0].as_f64().is_some_and(|low| (low + 6.724).abs() < 1e-2));

    let job = answer["job_id"].as_str().expect("a job");
    let (status, page) = door.get(&format!("{}?limit=1", door.path(&format!("{HERE}/{job}")))).await;
    assert_eq!((status, page["best"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nobody_need_wait_and_a_repeat_is_the_same_job(options: PgPoolOptions, login: PgConnectOptions) {
    let door = Door::new(options, login).await;
    let body = json!({"space": pairs()});
    let (status, first) = door.ask(door.keyed(HERE, "tuesday", &body)).await;
    assert_eq!((status, &first["best"]), (StatusCode::ACCEPTED, &Value::Null), "{first}");
    let (_, second) = door.ask(door.keyed(HERE, "tuesday", &body)).await;
    assert_eq!(first["job_id"], second["job_id"]);
    let (status, problem) =
        door.ask(door.keyed(HERE, "tuesday", &json!({"space": pairs(), "keep": 7}))).await;
    let reused = Some("request.idempotency_key_reused");
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, reused));
    assert_eq!(door.laboratory.count("select count(*) from job where kind = 'screen'").await, 1);
    assert!(door.laboratory.event_kinds().await.contains(&"ScreenAsked".to_owned()));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn only_a_learner_that_can_screen_is_given_it(options: PgPoolOptions, login: PgConnectOptions) {
    let door = Door::new(options, login).await;
    door.ask(door.question(HERE, &json!({"space": pairs()}))).await;
    for older in [Kind::Train, Kind::Propose] {
        assert!(door.laboratory.lease(older).await.is_none(), "a learner that offers {older} alone");
    }
    let lease = door.laboratory.lease(Kind::Screen).await.expect("the screen");
    assert_eq!(lease.work.kind(), Kind::Screen);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_space_that_cannot_be_ranked_is_refused_with_what_to_do(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let door = Door::new(options, login).await;
    let bad = StatusCode::UNPROCESSABLE_ENTITY;
    for keep in [0, 10_001] {
        let body = json!({"space": pairs(), "keep": keep});
        door.refused(HERE, &body, bad, "screen.keep_out_of_range").await;
    }
    for beta in [-1.0, 101.0] {
        let body = json!({"space": pairs(), "rank_by": {"name": "lower_bound", "beta": beta}});
        door.refused(HERE, &body, bad, "screen.beta_out_of_range").await;
    }
    let of = |edits: &[String]| json!({"space": {"of": "pairs", "edits": edits, "context": "donor-1"}});
    let many: Vec<String> = (0..6001).map(|place| format!("G{place}")).collect();
    for edits in [&many[..1], &many] {
        door.refused(HERE, &of(edits), bad, "screen.edits_count").await;
    }
    let torn = ["CBLB", "RASA2+CD5", "a,b"].map(str::to_owned);
    let problem = door.refused(HERE, &of(&torn), bad, "screen.edit_invalid").await;
    let places: Vec<_> = problem["errors"].as_array().expect("errors").iter().map(|it| &it["path"]).collect();
    assert_eq!(places, ["space.edits[1]", "space.edits[2]"]);

    let elsewhere = json!({"space": {"of": "known", "context": "elsewhere"}});
    door.refused(HERE, &elsewhere, bad, "screen.context_unknown").await;
    let nowhere = json!({"space": {"of": "table", "table": Digest::of(b"nothing")}});
    door.refused(HERE, &nowhere, StatusCode::NOT_FOUND, "blob.not_found").await;
    let table = door.blob(b"perturbation,context\nCBLB,donor-1\n").await;
    let (status, _) = door.ask(door.question(HERE, &json!({"space": {"of": "table", "table": table}}))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let patient = json!({"space": pairs(), "wait_seconds": 31});
    door.refused(HERE, &patient, bad, "screen.wait_too_long").await;
    door.refused(HERE, &json!({"space": {"of": "everything"}}), bad, "request.body_invalid").await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_has_four_screens_at_most_on_the_way(options: PgPoolOptions, login: PgConnectOptions) {
    let door = Door::new(options, login).await;
    let ranking = door.blob(RANKING).await;
    for _ in 0..4 {
        let (status, _) = door.ask(door.question(HERE, &json!({"space": pairs()}))).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let one_more = json!({"space": pairs()});
    door.refused(HERE, &one_more, StatusCode::TOO_MANY_REQUESTS, "screen.too_many").await;
    door.learner(Kind::Screen, done(ranking)).await;
    assert_eq!(door.ask(door.question(HERE, &one_more)).await.0, StatusCode::ACCEPTED);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_screen_that_fails_says_why(options: PgPoolOptions, login: PgConnectOptions) {
    let door = Door::new(options, login).await;
    let body = json!({"space": pairs(), "wait_seconds": 30});
    let failure = Failure::new(FailureClass::Permanent, "learner.row_invalid", "Row 3 names nobody.");
    let failed = door.learner(Kind::Screen, Outcome::Failed { failure });
    let ((status, problem), _) = tokio::join!(door.ask(door.question(HERE, &body)), failed);
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("screen.failed")));
    assert!(problem["detail"].as_str().unwrap_or_default().contains("Row 3 names nobody."), "{problem}");
}
