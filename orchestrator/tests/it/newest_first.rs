//! Plates and batches, page by page.

use crate::laboratory::{Laboratory, Settings};
use crate::stop::orders::app;
use crate::support::App;
use orchestrator::store::tokens::Scope;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Ids of all that `query` asks for, one a page.
async fn one_by_one(app: &App, token: &str, of: &str, query: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/{of}?limit=1{query}{cursor}");
        let (status, page) = app.get(token, &path).await;
        assert!(status.is_success(), "{path}: {page}");
        ids.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|it| it["id"].as_str().expect("an id").to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_newest_plates_come_first_and_every_plate_once(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 3, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    let stored = |only: &str| {
        let query = format!("select id::text from plate where {only} order by id desc");
        let pool = laboratory.pool.clone();
        async move {
            sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(query)).fetch_all(&pool).await.expect("ids")
        }
    };
    let all = stored("true").await;
    assert_eq!((all.len(), one_by_one(&app, &token, "plates", "").await), (3, all));
    let round = laboratory.last_round().await.id;
    let of_round = stored(&format!("round_id = '{round}'")).await;
    assert_eq!(
        (of_round.len(), one_by_one(&app, &token, "plates", &format!("&round={round}")).await),
        (1, of_round)
    );
    let passed = stored("state = 'passed'").await;
    assert!(!passed.is_empty());
    assert_eq!(one_by_one(&app, &token, "plates", "&state=passed").await, passed);
    assert_eq!(
        one_by_one(&app, &token, "plates", &format!("&state=lost&round={round}")).await,
        Vec::<String>::new()
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn batches_that_wait_come_in_their_order_and_others_the_newest_first(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 3, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    let mut planned: Vec<String> =
        sqlx::query_scalar("select id::text from batch where state = 'planned' order by id desc")
            .fetch_all(&laboratory.pool)
            .await
            .expect("ids");
    assert_eq!(
        (planned.len(), one_by_one(&app, &token, "batches", "&state=planned").await),
        (3, planned.clone())
    );
    sqlx::query("update batch set state = 'awaiting_approval', frozen_hash = null, selected = null")
        .execute(&laboratory.pool)
        .await
        .expect("they wait");
    planned.reverse();
    assert_eq!(one_by_one(&app, &token, "batches", "").await, planned);
}
