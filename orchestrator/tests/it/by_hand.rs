//! Steps of an assay that people do: on offer, taken in hand, given back, done, gone wrong.

use crate::laboratory::{Laboratory, Settings, actor};
use crate::support::App;
use axum::http::StatusCode;
use jobs::JobId;
use jobs::work::Kind;
use orchestrator::api::{AppState, Config};
use orchestrator::store::jobs as queue;
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const SEAL: &str = r#"
[[assay.by_hand]]
before = "incubate"
instruction = "Seal the plate, spin it for a minute at 300 g."

[[assay.by_hand]]
before = "read"
instruction = "Take the seal off."

[[assay.by_hand]]
before = "discard"
instruction = "Keep the supernatant."
"#;

struct Bench {
    app: App,
    laboratory: Laboratory,
    ada: String,
    rosa: String,
}

impl Bench {
    /// One round, as far as the first step by hand.
    async fn sealing(options: PgPoolOptions, login: PgConnectOptions) -> (Self, JobId) {
        let settings = Settings { rounds: 1, sections: SEAL, ..Settings::default() };
        let mut bench = Self::at(Laboratory::new(options, login, settings).await).await;
        let job = bench.next_by_hand().await;
        (bench, job)
    }

    async fn at(laboratory: Laboratory) -> Self {
        let engine = &laboratory.engine;
        let config = Config::default();
        let state =
            AppState::new(laboratory.pool.clone(), engine.blobs.clone(), engine.wakeups.clone(), config);
        let app = App::over(state);
        let hands = [Scope::Read, Scope::WorkPeople, Scope::JobResolve];
        let ada = app.token_of("ada", ActorKind::Person, &hands).await;
        let rosa = app.token_of("rosa", ActorKind::Person, &hands).await;
        Self { app, laboratory, ada, rosa }
    }

    /// Works until a step waits for hands.
    async fn next_by_hand(&mut self) -> JobId {
        let lease = self.laboratory.work_until(Kind::Manual).await;
        let mut conn = self.laboratory.pool.acquire().await.expect("a connection");
        queue::release(&mut conn, lease.job_id, lease.lease_token).await.expect("given back");
        lease.job_id
    }

    async fn says(&self, token: &str, job: JobId, act: &str, body: Value) -> (StatusCode, Value) {
        self.app.post(token, &format!("/api/v1/jobs/{job}/{act}"), &body).await
    }

    async fn listed(&self) -> Vec<Value> {
        let (status, answer) = self.app.get(&self.ada, "/api/v1/by-hand").await;
        assert_eq!(status, 200, "{answer}");
        answer["items"].as_array().expect("a list").clone()
    }

    async fn state(&self, job: JobId) -> String {
        let (_, answer) = self.app.get(&self.ada, &format!("/api/v1/jobs/{job}")).await;
        answer["state"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plate_is_sealed_read_and_kept_by_hand_and_the_round_goes_on(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (mut bench, seal) = Bench::sealing(options, login).await;
    let listed = bench.listed().await;
    let [step] = &listed[..] else { panic!("{listed:#?}") };
    assert_eq!(step["state"], "ready");
    assert_eq!(step["instruction"], "Seal the plate, spin it for a minute at 300 g.");
    assert_eq!(
        step["plates"],
        json!([{"barcode": "P-001", "labware": "nest_96_wellplate_200ul_flat",
        "at": {"device": "handler-1", "slot": "1"}}])
    );
    assert_eq!(
        (&step["campaign"], &step["round"], &step["taken_by"]),
        (&json!("scripted"), &json!(1), &Value::Null)
    );

    let (status, taken) = bench.says(&bench.ada, seal, "take", json!({})).await;
    assert_eq!(status, 200, "{taken}");
    let (status, again) = bench.says(&bench.ada, seal, "take", json!({})).await;
    assert_eq!(
        (status, &again["answer_by"]),
        (StatusCode::OK, &taken["answer_by"]),
        "a repeat changes nothing"
    );
    assert_eq!((&taken["already"], &again["already"]), (&json!(false), &json!(true)));
    let (status, refused) = bench.says(&bench.rosa, seal, "take", json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job.not_on_offer")));
    let held = bench.listed().await.remove(0);
    assert_eq!((&held["state"], &held["taken_by"]), (&json!("running"), &json!("ada")));
    assert_eq!(held["answer_by"], taken["answer_by"]);
    assert!(!bench.laboratory.work().await, "nothing goes on while it is in hand");

    let other = json!({"scanned": ["P-002"]});
    let (status, refused) = bench.says(&bench.ada, seal, "done", other).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("job.another_plate")));
    assert_eq!(bench.state(seal).await, "running");
    // The tablet is shared: rosa answers for what ada took.
    let done = json!({"scanned": ["P-001"], "note": "a new roll of seals"});
    let (status, answer) = bench.says(&bench.rosa, seal, "done", done).await;
    assert_eq!((status, &answer["disposition"]), (StatusCode::OK, &json!("accepted")));
    let (_, job) = bench.app.get(&bench.ada, &format!("/api/v1/jobs/{seal}")).await;
    assert_eq!(job["output"]["result"]["note"], "a new roll of seals", "{job:#}");

    for instruction in ["Take the seal off.", "Keep the supernatant."] {
        let job = bench.next_by_hand().await;
        assert_eq!(bench.listed().await[0]["instruction"], instruction);
        assert_eq!(bench.says(&bench.ada, job, "take", json!({})).await.0, 200);
        assert_eq!(bench.says(&bench.ada, job, "done", json!({})).await.0, 200);
    }
    bench.laboratory.run().await;
    assert_eq!(bench.laboratory.progress().await.state, "finished");
    assert_eq!(bench.listed().await, [] as [Value; 0]);
    let order: Vec<String> = sqlx::query_scalar(
        "select kind from job join job_outcome on job_id = id where plate_id is not null order by settled_at, id",
    )
    .fetch_all(&bench.laboratory.pool)
    .await
    .expect("jobs");
    assert_eq!(
        order[order.len() - 8..],
        ["manual", "move", "incubate", "manual", "move", "read", "manual", "move"]
    );
    let kinds = bench.laboratory.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "JobTakenInHand").count(), 3);
    let remarks: Vec<Value> =
        sqlx::query_scalar("select body from event where kind = 'JobDoneByHand' order by id")
            .fetch_all(&bench.laboratory.pool)
            .await
            .expect("events");
    assert_eq!(remarks[0], json!({"note": "a new roll of seals", "scanned": ["P-001"]}));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_given_back_waits_again_and_what_was_asked_to_stop_is_cancelled(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (bench, seal) = Bench::sealing(options, login).await;
    let (status, refused) = bench.says(&bench.ada, seal, "give-back", json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job.not_in_hand")));
    let before = bench.listed().await[0]["attempt"].as_i64().expect("a number");
    bench.says(&bench.ada, seal, "take", json!({})).await;
    let (status, back) = bench.says(&bench.rosa, seal, "give-back", json!({})).await;
    assert_eq!((status, &back["state"]), (StatusCode::OK, &json!("ready")));
    let step = bench.listed().await.remove(0);
    assert_eq!((&step["state"], step["attempt"].as_i64()), (&json!("ready"), Some(before + 1)));
    let begun = bench.laboratory.count("select count(*) from job_attempt join job on id = job_id where kind = 'manual' and started_at is not null").await;
    assert_eq!(begun, 0, "nothing was done");

    // A tablet that slept still shows ada's card: it does not answer for what rosa has begun.
    bench.says(&bench.rosa, seal, "take", json!({})).await;
    for (act, mut body) in
        [("give-back", json!({})), ("done", json!({})), ("went-wrong", json!({"reason": "it fell"}))]
    {
        body["attempt"] = json!(before);
        let (status, refused) = bench.says(&bench.ada, seal, act, body).await;
        assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job.not_in_hand")), "{act}");
    }
    let (status, _) = bench.says(&bench.rosa, seal, "give-back", json!({"attempt": before + 1})).await;
    assert_eq!(status, 200);

    bench.says(&bench.rosa, seal, "take", json!({})).await;
    bench.says(&bench.ada, seal, "stop", json!({"reason": "a leak"})).await;
    assert_eq!(bench.listed().await[0]["state"], "stopping");
    let (status, back) = bench.says(&bench.rosa, seal, "give-back", json!({})).await;
    assert_eq!((status, &back["state"]), (StatusCode::OK, &json!("cancelled")));
    assert_eq!(bench.state(seal).await, "cancelled");
    bench.laboratory.settle().await;
    assert_eq!(bench.laboratory.last_round().await.state.as_str(), "held", "a person says how it goes on");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_went_wrong_or_was_never_answered_is_in_doubt_and_a_person_decides(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (mut bench, seal) = Bench::sealing(options, login).await;
    bench.says(&bench.ada, seal, "take", json!({})).await;
    let (status, refused) = bench.says(&bench.ada, seal, "went-wrong", json!({"reason": " "})).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("request.reason_missing"))
    );
    let wrong = json!({"reason": "it fell; half the wells are dry"});
    assert_eq!(bench.says(&bench.ada, seal, "went-wrong", wrong).await.0, 200);
    let (_, job) = bench.app.get(&bench.ada, &format!("/api/v1/jobs/{seal}")).await;
    assert_eq!(
        (&job["state"], &job["in_doubt"]["failure"]["message"]),
        (&json!("in_doubt"), &json!("it fell; half the wells are dry"))
    );
    let again = json!({"resolution": "not_done", "reason": "the lid held: nothing was lost"});
    let (status, answer) = bench.says(&bench.rosa, seal, "resolve", again).await;
    assert_eq!(status, 200, "{answer}");

    // Ordered again: taken, and never answered.
    let again = bench.next_by_hand().await;
    assert_ne!(again, seal);
    bench.says(&bench.ada, again, "take", json!({})).await;
    sqlx::query("update lease set expires_at = now() - interval '1 second'")
        .execute(&bench.laboratory.pool)
        .await
        .expect("a shift later");
    let mut conn = bench.laboratory.pool.acquire().await.expect("a connection");
    queue::reap(&mut conn, 10).await.expect("reaped");
    drop(conn);
    assert_eq!(bench.state(again).await, "in_doubt", "nobody seals a sealed plate blindly");
    let seen = json!({"resolution": "done", "reason": "the seal is on"});
    assert_eq!(bench.says(&bench.rosa, again, "resolve", seen).await.0, 200);
    bench.laboratory.run().await;
    assert_eq!(bench.laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_is_taken_while_it_is_paused_or_of_another_kind_or_by_who_may_not(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let (bench, seal) = Bench::sealing(options, login).await;
    let reader = bench.app.token_of("walt", ActorKind::Person, &[Scope::Read]).await;
    assert_eq!(bench.says(&reader, seal, "take", json!({})).await.0, 403);
    assert_eq!(bench.app.get(&reader, "/api/v1/by-hand").await.0, 200);
    let train: JobId = sqlx::query_scalar("select id from job where kind = 'train' limit 1")
        .fetch_one(&bench.laboratory.pool)
        .await
        .map(JobId)
        .expect("a training");
    let (status, refused) = bench.says(&bench.ada, train, "done", json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job.not_in_hand")));
    let (status, refused) = bench.says(&bench.ada, JobId::fresh(), "done", json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::NOT_FOUND, &json!("job.not_found")));
    let (status, refused) = bench.says(&bench.ada, train, "take", json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job.not_for_hands")));
    let mut conn = bench.laboratory.pool.acquire().await.expect("a connection");
    actor(&mut conn, "lena", ActorKind::Person).await;
    drop(conn);
    let pause = bench.app.token_of("lena", ActorKind::Person, &Scope::ALL).await;
    let (status, answer) = bench.says(&pause, seal, "pause", json!({"reason": "lunch"})).await;
    assert_eq!(status, 200, "{answer}");
    let (status, refused) = bench.says(&bench.ada, seal, "take", json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job.barred")));
    assert_eq!(bench.says(&pause, seal, "resume", json!({"reason": "back"})).await.0, 200);
    assert_eq!(bench.says(&bench.ada, seal, "take", json!({})).await.0, 200);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn people_carry_the_plates_and_mind_the_incubator_where_no_robot_does(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 1, mover: "people", ..Settings::default() };
    let laboratory = Laboratory::new(options, login, settings).await;
    let mut bench = Bench::at(laboratory).await;
    sqlx::query(
        "update instrument set profile = profile || '{\"by_hand\": true}' where name = 'incubator-1'",
    )
    .execute(&bench.laboratory.pool)
    .await
    .expect("an incubator without an agent");
    let mut done = Vec::new();
    for _ in 0..200 {
        bench.laboratory.settle().await;
        let listed = bench.listed().await;
        let Some(step) = listed.first() else {
            if bench.laboratory.work().await
                || bench.laboratory.engine.jump().await.expect("a clock").is_some()
            {
                bench.laboratory.promote().await;
                continue;
            }
            break;
        };
        let id: JobId = step["id"].as_str().expect("an id").parse().expect("a job");
        done.push(step["instruction"].as_str().expect("words").to_owned());
        assert_eq!(bench.says(&bench.ada, id, "take", json!({})).await.0, 200);
        let work = bench.laboratory.asked(id).await;
        bench.laboratory.carry_out(&work).await;
        let scanned: Vec<Value> =
            step["plates"].as_array().expect("plates").iter().map(|plate| plate["barcode"].clone()).collect();
        // What is not scanned is where it was to go all the same.
        let scanned = if done.len() == 1 { &scanned[..1] } else { &scanned[..] };
        let (status, answer) = bench.says(&bench.ada, id, "done", json!({"scanned": scanned})).await;
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(bench.laboratory.progress().await.state, "finished", "{done:#?}");
    assert!(
        done[0].starts_with("Carry, in this order:\nP-001: storage → handler-1, slot 1\n"),
        "{}",
        done[0]
    );
    let incubate = "See that it stands in incubator-1, slot 1 at 37 °C and 5 % CO2, and say so at once: 72 h are \
                    counted from then.";
    assert!(done.contains(&incubate.to_owned()), "{done:#?}");
    assert!(
        done.contains(&"Carry, in this order:\nP-001: incubator-1, slot 1 → reader-1, slot 1".to_owned()),
        "{done:#?}"
    );
    assert_eq!(
        done.last().map(String::as_str),
        Some("Carry, in this order:\nP-001: reader-1, slot 1 → waste")
    );
    let of_robots = bench
        .laboratory
        .count("select count(*) from job where kind in ('move', 'incubate') and queue <> 'people'")
        .await;
    assert_eq!(of_robots, 0);
    let sure = bench
        .laboratory
        .count(
            "select count(*) from plate_location where barcode = 'P-001' and device = 'waste' and confirmed",
        )
        .await;
    assert_eq!(sure, 1, "it was scanned in the end");
}
