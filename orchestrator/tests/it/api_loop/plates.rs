//! `POST /plates/{id}/decide`

use super::{Talk, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use orchestrator::store::tokens::Scope;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_quarantined_plate_is_decided_on_once(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.world.spoilt.push("P-001".into());
    laboratory.run().await;
    let mut talk = Talk::at(&laboratory);
    let token = talk.app.token(&[Scope::PlateDecide]).await;
    let reader = talk.app.token(&[Scope::Read]).await;
    let (_, listed) = talk.app.get(&reader, "/api/v1/plates?state=quarantined").await;
    assert_eq!(listed["items"][0]["barcode"], "P-001");
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let path = format!("/api/v1/plates/{id}/decide");
    let give_up = json!({"decision": "give_up", "reason": "the tips were clogged"});

    talk.post("who may only read", &reader, &path, &give_up).await;
    talk.post("no such decision", &token, &path, &json!({"decision": "bin", "reason": "bad"})).await;
    talk.post("without a reason", &token, &path, &json!({"decision": "repeat", "reason": ""})).await;
    assert_eq!(laboratory.count("select count(*) from plate_decision").await, 0);
    let (_, decided) = talk.say("give up", keyed(request("POST", &token, &path, Some(&give_up)))).await;
    let (_, again) = talk.app.send(keyed(request("POST", &token, &path, Some(&give_up)))).await;
    assert_eq!(again, decided, "the first answer");
    talk.post("give up again", &token, &path, &give_up).await;
    talk.post("release after all", &token, &path, &json!({"decision": "release", "reason": "no"})).await;
    let nobody = "/api/v1/plates/01890000-0000-7000-8000-000000000000/decide";
    talk.post("nobody's", &token, nobody, &give_up).await;
    assert_eq!(laboratory.count("select count(*) from plate_decision").await, 1);
    insta::assert_snapshot!(talk.text);
}
