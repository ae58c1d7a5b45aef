//! `POST /rounds/{id}/hold|resume|cancel`

use super::{Talk, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::http::StatusCode;
use orchestrator::rounds::State;
use orchestrator::rounds::state::Stage;
use orchestrator::store::tokens::Scope;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_is_held_resumed_and_cancelled(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let round = laboratory.last_round().await.id;
    let mut talk = Talk::at(&laboratory);
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let other = talk.app.token(&[Scope::BatchApprove]).await;
    let path = |verb: &str| format!("/api/v1/rounds/{round}/{verb}");

    talk.post("who may only approve", &other, &path("hold"), &json!({"reason": "wait"})).await;
    talk.post("hold without a reason", &token, &path("hold"), &json!({"reason": ""})).await;
    let hold = json!({"reason": "the cells look unwell"});
    let (_, held) = talk.say("hold", keyed(request("POST", &token, &path("hold"), Some(&hold)))).await;
    assert_eq!(laboratory.last_round().await.state, State::Held(Stage::AwaitingApproval));
    let (_, again) = talk.app.send(keyed(request("POST", &token, &path("hold"), Some(&hold)))).await;
    assert_eq!(again, held, "the first answer");
    talk.post("hold again", &token, &path("hold"), &json!({"reason": "to be sure"})).await;
    talk.post("resume", &token, &path("resume"), &json!({})).await;
    assert_eq!(laboratory.last_round().await.state, State::In(Stage::AwaitingApproval));
    talk.post("resume again", &token, &path("resume"), &json!({})).await;
    talk.post("cancel", &token, &path("cancel"), &json!({"reason": "wrong donor"})).await;
    assert_eq!(laboratory.count("select count(*) from batch where state = 'withdrawn'").await, 1);
    talk.post("hold what is over", &token, &path("hold"), &hold).await;
    let nobody = "/api/v1/rounds/01890000-0000-7000-8000-000000000000/hold";
    talk.post("nobody's", &token, nobody, &hold).await;
    insta::assert_snapshot!(talk.text);
}

/// What it locked would make the engine pass the round over, which takes locks that are free and waits for none.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_refused_holds_no_lock_once_it_is_answered(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let round = laboratory.last_round().await.id;
    let talk = Talk::at(&laboratory);
    let token = talk.app.token(&[Scope::CampaignWrite]).await;
    let path = |verb: &str| format!("/api/v1/rounds/{round}/{verb}");
    talk.app.post(&token, &path("cancel"), &json!({"reason": "wrong donor"})).await;
    for _ in 0..50 {
        let (status, _) = talk.app.post(&token, &path("hold"), &json!({"reason": "too late"})).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let locked = sqlx::query("select from round for update nowait").execute(&laboratory.pool).await;
        assert_eq!(locked.expect("free to be locked").rows_affected(), 1);
    }
}
