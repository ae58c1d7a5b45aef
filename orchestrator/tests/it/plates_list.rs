//! Plates, page by page.

use crate::laboratory::{Laboratory, Settings};
use crate::stop::orders::app;
use crate::support::App;
use orchestrator::store::tokens::Scope;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Ids of all that `query` asks for, one a page.
async fn one_by_one(app: &App, token: &str, query: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/plates?limit=1{query}{cursor}");
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
    assert_eq!((all.len(), one_by_one(&app, &token, "").await), (3, all));
    let round = laboratory.last_round().await.id;
    let of_round = stored(&format!("round_id = '{round}'")).await;
    assert_eq!((of_round.len(), one_by_one(&app, &token, &format!("&round={round}")).await), (1, of_round));
    let passed = stored("state = 'passed'").await;
    assert!(!passed.is_empty());
    assert_eq!(one_by_one(&app, &token, "&state=passed").await, passed);
    assert_eq!(one_by_one(&app, &token, &format!("&state=lost&round={round}")).await, Vec::<String>::new());
}
