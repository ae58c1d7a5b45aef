//! `POST /inventory/library|assay-plates`

use super::{Talk, header, keyed};
use crate::support::{App, request};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use orchestrator::store::tokens::Scope;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const LIBRARY: &str = "/api/v1/inventory/library";
const ASSAY: &str = "/api/v1/inventory/assay-plates";

fn table(token: &str, path: &str, csv: &str) -> Request<Body> {
    let mut request = header(request("POST", token, path, None), "content-type", "text/csv");
    *request.body_mut() = csv.to_owned().into();
    request
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_table_is_imported_whole_or_not_and_twice_is_once(options: PgPoolOptions, login: PgConnectOptions) {
    let mut talk = Talk::with(App::new(options, login).await);
    let token = talk.app.token(&[Scope::InventoryWrite]).await;
    let reader = talk.app.token(&[Scope::Read]).await;
    let header_ = "barcode,labware,well,content,volume_nl";
    let row = |well: &str, nl: u32| format!("LIB-1,corning_384_wellplate_112ul_flat,{well},CBLB,{nl}");
    let good = format!("{header_}\n{}\n{}\n", row("A1", 50_000), row("P24", 60_000));
    let bad = format!("{header_}\n{}\n{}\n", row("A1", 50_000), row("Q1", 60_000));

    talk.say("who may only read", table(&reader, LIBRARY, &good)).await;
    talk.say("as JSON", request("POST", &token, LIBRARY, Some(&serde_json::json!({})))).await;
    talk.say("a well that is none", table(&token, LIBRARY, &bad)).await;
    talk.say("a column that is missing", table(&token, LIBRARY, "barcode,well\nLIB-1,A1\n")).await;
    let (_, stock) = talk.app.get(&reader, "/api/v1/inventory/plates").await;
    assert_eq!(stock["items"].as_array().map(Vec::len), Some(0), "nothing of the bad ones");
    let (_, imported) = talk.say("right", keyed(table(&token, LIBRARY, &good))).await;
    assert_eq!(talk.app.send(keyed(table(&token, LIBRARY, &good))).await.1, imported, "the first answer");
    talk.say("the key again, for something else", keyed(table(&token, LIBRARY, &bad))).await;
    talk.say("the same table again", table(&token, LIBRARY, &good)).await;

    let blanks = "barcode,labware,context\nP-1,corning_384_wellplate_112ul_flat,donor-1\n";
    talk.say("blank plates without a context", table(&token, ASSAY, &blanks.replace("donor-1", ""))).await;
    talk.say("blank plates", table(&token, ASSAY, blanks)).await;
    talk.say("the same again", table(&token, ASSAY, blanks)).await;
    let (status, _) = talk
        .say("what is there", request("GET", &reader, "/api/v1/inventory/plates?role=library", None))
        .await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!(talk.text);
}
