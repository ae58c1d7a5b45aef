//! A creation sent twice happens once, also when both are on the way at the same time.

use crate::support::as_application;
use orchestrator::ids::SYSTEM;
use orchestrator::store::idempotency::{Begun, begin, finish, forget_old};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const REQUEST: [u8; 32] = [1; 32];

/// One creation under the key, as a route does it; answers whether it was the one that created.
async fn create(pool: &PgPool) -> bool {
    let mut tx = orchestrator::store::begin_on(pool).await.expect("a transaction");
    match begin(&mut tx, SYSTEM, "key", "POST /things", &REQUEST).await.expect("an answer") {
        Begun::Fresh => {
            sqlx::query("insert into project (id, name) values (gen_random_uuid(), 'thing')")
                .execute(&mut *tx)
                .await
                .expect("it is created once");
            finish(&mut tx, SYSTEM, "key", 201, &json!({"id": 1})).await.expect("kept");
            tx.commit().await.expect("a commit");
            true
        }
        Begun::Replay { status, response } => {
            assert_eq!((status, response), (201, json!({"id": 1})));
            false
        }
        Begun::Mismatch => panic!("it is the same request"),
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn of_many_alike_at_once_one_creates_and_all_get_its_answer(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let pool = as_application(options, login).await;
    let created = futures::future::join_all((0..6).map(|_| create(&pool))).await;
    assert_eq!(created.into_iter().filter(|created| *created).count(), 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_creation_that_did_not_commit_leaves_no_key(options: PgPoolOptions, login: PgConnectOptions) {
    let pool = as_application(options, login).await;
    let mut undone = orchestrator::store::begin_on(&pool).await.expect("a transaction");
    assert_eq!(
        begin(&mut undone, SYSTEM, "key", "POST /things", &REQUEST).await.expect("an answer"),
        Begun::Fresh
    );
    undone.rollback().await.expect("a rollback");
    assert!(create(&pool).await);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_key_stands_for_one_request_and_for_a_day(options: PgPoolOptions, login: PgConnectOptions) {
    let pool = as_application(options, login).await;
    create(&pool).await;
    let mut conn = pool.acquire().await.expect("a connection");
    for (route, request) in [("POST /things", [2; 32]), ("POST /others", REQUEST)] {
        let begun = begin(&mut conn, SYSTEM, "key", route, &request).await.expect("an answer");
        assert_eq!(begun, Begun::Mismatch);
    }
    sqlx::query("update idempotency_key set created_at = now() - interval '25 hours'")
        .execute(&mut *conn)
        .await
        .expect("a day passes");
    assert_eq!(forget_old(&mut conn).await.expect("an answer"), 1);
    let begun = begin(&mut conn, SYSTEM, "key", "POST /others", &REQUEST).await.expect("an answer");
    assert_eq!(begun, Begun::Fresh);
}
