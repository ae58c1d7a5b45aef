//! Nothing hangs unnoticed: why something does not move, in words, and what stands still past its deadline.

use crate::laboratory::{Fault, Laboratory, Settings};
use crate::stop::orders::app;
use chrono::{DateTime, Utc};
use jobs::work::Kind;
use orchestrator::engine::Looks;
use orchestrator::orders::{Order, instrument};
use orchestrator::rounds::control;
use orchestrator::rounds::state::State;
use orchestrator::store;
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn words(why: &Value) -> Vec<String> {
    let reasons = why["reasons"].as_array().expect("reasons");
    reasons.iter().map(|it| format!("{} {}", it["code"], it["words"]).replace('"', "")).collect()
}

/// The id of the one job of this kind that is ready.
async fn ready(laboratory: &Laboratory, kind: &str) -> String {
    sqlx::query_scalar(
        "select job.id::text from job join job_ready on job_ready.job_id = job.id where job.kind = $1",
    )
    .bind(kind)
    .fetch_one(&laboratory.pool)
    .await
    .expect("a ready job")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_says_which_instrument_it_waits_for_and_until_when(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let until: DateTime<Utc> = "2026-02-01T14:00:00Z".parse().expect("an instant");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    instrument::order(&mut conn, "mover-1", Order::Pause, "new gripper", Some(until), laboratory.person)
        .await
        .expect("ordered");
    drop(conn);
    laboratory.run().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    let job = ready(&laboratory, "move").await;
    let (_, why) = app.get(&token, &format!("/api/v1/jobs/{job}/why")).await;
    let says =
        "waits for capability move.plate: mover-1 in maintenance until 2026-02-01 14:00 UTC (new gripper)";
    assert_eq!(words(&why), [format!("job.instrument_maintenance {says}")]);
    assert_eq!(why["reasons"][0]["owner"], "operator");

    // What waits for that job says so; the round and the campaign say what it comes down to.
    let dependent: String = sqlx::query_scalar(
        "select job_dependency.job_id::text from job_dependency where depends_on = $1::uuid limit 1",
    )
    .bind(&job)
    .fetch_one(&laboratory.pool)
    .await
    .expect("a dependent");
    let (_, why) = app.get(&token, &format!("/api/v1/jobs/{dependent}/why")).await;
    assert!(words(&why)[0].starts_with(&format!("job.waits_for_job waits for the move {job}")), "{why}");
    let round = laboratory.last_round().await.id;
    let (_, why) = app.get(&token, &format!("/api/v1/rounds/{round}/why")).await;
    assert_eq!(words(&why), [format!("job.instrument_maintenance move {job}: {says}")]);
    let (_, why) = app.get(&token, &format!("/api/v1/campaigns/{}/why", laboratory.campaign)).await;
    assert_eq!(words(&why), [format!("job.instrument_maintenance round 1: move {job}: {says}")]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_that_waits_for_people_says_what_is_missing(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, auto_approve: false, approvals: 2, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    let round = laboratory.last_round().await.id;
    let (_, why) = app.get(&token, &format!("/api/v1/rounds/{round}/why")).await;
    let [says] = words(&why).try_into().expect("one reason");
    assert!(says.starts_with("round.waits_for_approval its batch waits for 2 more people"), "{says}");
    assert_eq!(why["reasons"][0]["owner"], "approvers");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_stands_still_is_told_once_and_closed_when_it_moves(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let outcome = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, outcome).await;
    laboratory.settle().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0);
    sqlx::query("update job_ready set since = now() - interval '11 minutes'")
        .execute(&laboratory.pool)
        .await
        .expect("it waits for long");
    let open = "select count(*) from notification where topic = 'standstill' and state = 'open'";
    laboratory.engine.look_for_standstills(Looks::AfterAStart).await.expect("a look");
    while laboratory.engine.relay().await.expect("relayed") > 0 {}
    assert_eq!(laboratory.count(open).await, 0, "agents come back first");
    for _ in 0..2 {
        assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 1);
        while laboratory.engine.relay().await.expect("relayed") > 0 {}
    }
    laboratory.engine.look_for_standstills(Looks::AfterAStart).await.expect("a look");
    while laboratory.engine.relay().await.expect("relayed") > 0 {}
    assert_eq!(laboratory.count(open).await, 1, "told once");
    let (_, listed) = app.get(&token, "/api/v1/standstills").await;
    let job = ready(&laboratory, "move").await;
    assert_eq!(listed["items"][0]["id"], job, "{listed}");
    assert_eq!(listed["items"][0]["owner"], "agent");
    assert!(
        listed["items"][0]["reasons"][0]["words"].as_str().expect("words").contains("mover-1"),
        "{listed}"
    );

    assert!(laboratory.work().await);
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0);
    while laboratory.engine.relay().await.expect("relayed") > 0 {}
    assert_eq!(laboratory.count(open).await, 0, "it moved");
    let (_, listed) = app.get(&token, "/api/v1/standstills").await;
    assert_eq!(listed["items"], json!([]));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_comes_due_after_days_does_not_stand_still_since_days(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let lease = laboratory.work_until(Kind::Dispense).await;
    laboratory.start(&lease).await;
    let execute = async |text: &'static str| {
        sqlx::query(text).execute(&laboratory.pool).await.expect("changed").rows_affected()
    };
    execute("update lab_clock set mode = 'real', lab_at = null").await;
    execute("update job set created_at = now() - interval '3 days'").await;
    let due = "update job_waiting set unmet = 0, not_before_lab_at = now() - interval '1 second'
               where job_id = (select job_id from job_waiting order by job_id limit 1)";
    assert_eq!(execute(due).await, 1);
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0, "due since a second");
    execute("update job_waiting set not_before_lab_at = now() - interval '2 minutes' where unmet = 0").await;
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 1, "nobody made it ready");
}

/// Everything that any round entered, it entered more than a day ago.
async fn a_day_passes(laboratory: &Laboratory) {
    sqlx::query("update round_stage set entered_at = now() - interval '25 hours'")
        .execute(&laboratory.pool)
        .await
        .expect("it stands for long");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_that_somebody_paused_and_forgot_is_told(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::pause(&mut conn, round, "until the cells arrive", laboratory.person).await.expect("paused");
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0, "somebody wants it so");
    a_day_passes(&laboratory).await;
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 1);
    while laboratory.engine.relay().await.expect("relayed") > 0 {}
    let open = "select count(*) from notification
                where topic = 'standstill' and state = 'open' and message like '%until the cells arrive%'";
    assert_eq!(laboratory.count(open).await, 1);

    control::resume(&mut conn, round, laboratory.person).await.expect("resumed");
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0);
    while laboratory.engine.relay().await.expect("relayed") > 0 {}
    assert_eq!(laboratory.count(open).await, 0, "it goes on");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_that_the_engine_holds_is_told_by_its_task_while_that_is_open(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    laboratory.faults.push_back(Fault::Fails(Kind::Move));
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert!(matches!(round.state, State::Held(_)), "{:?}", round.state);
    a_day_passes(&laboratory).await;
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0);
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::pause(&mut conn, round.id, "not now", laboratory.person).await.expect("paused too");
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 0, "its task is still open");
    let (task, person) = (control::HELD_TASK, laboratory.person);
    let closed = store::tasks::close_for(&mut conn, task, &round.id.to_string(), person).await;
    assert!(closed.expect("closed"), "there was one");
    assert_eq!(laboratory.engine.watch_standstills().await.expect("a look"), 1, "it is held all the same");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_checkup_sees_the_whole_installation(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = Laboratory::new(options, login, Settings::default()).await;
    let app = app(&laboratory);
    let operator = app.token(&[Scope::Read, Scope::JobResolve]).await;
    app.post(&operator, "/api/v1/laboratory/stop", &json!({"reason": "a smell of smoke"})).await;
    let (status, checkup) = app.get(&operator, "/api/v1/checkup").await;
    assert!(status.is_success(), "{checkup}");
    let installation = &checkup["installation"];
    assert_eq!(installation["clock_jumps"], true);
    assert_eq!(installation["stopped"], "a smell of smoke");
    assert_eq!(installation["autovacuum"], true);
    assert!(installation["connections"].as_i64().is_some_and(|used| used > 0), "{checkup}");
    assert!(checkup["blob_store_free_bytes"].as_u64().is_some_and(|free| free > 0), "{checkup}");
    assert_eq!(checkup["blobs_wrong"], json!([]));
}
