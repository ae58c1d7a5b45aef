//! Whoever is cancelled while it begins a transaction leaves none open to the next who has its connection.

use futures::future::poll_immediate;
use orchestrator::store;
use orchestrator::store::pool::{ConnectOptions, pool_options, with_timeouts};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::pin::pin;

/// The application's only connection, and another to look from.
async fn one_and_another(login: PgConnectOptions) -> (PgPool, PgPool) {
    let options = ConnectOptions { max_connections: 1, ..ConnectOptions::default() };
    let one =
        pool_options(&options).connect_with(with_timeouts(login.clone(), &options)).await.expect("a pool");
    let another = PgPool::connect_with(login).await.expect("a pool");
    sqlx::raw_sql("create table written (word text); grant insert, select on written to loopwright_app")
        .execute(&another)
        .await
        .expect("a table");
    (one, another)
}

/// Writes on the one connection, and says whether the other sees it.
async fn is_seen(one: &PgPool, another: &PgPool, word: &str) -> bool {
    sqlx::query("insert into written values ($1)").bind(word).execute(one).await.expect("it is written");
    sqlx::query_scalar("select exists (select from written where word = $1)")
        .bind(word)
        .fetch_one(another)
        .await
        .expect("it is read")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn cancelled_while_it_begins(_: PgPoolOptions, login: PgConnectOptions) {
    let (one, another) = one_and_another(login).await;
    // PostgreSQL is quick: now and then it has answered before there was anything to cancel.
    let (mut on_the_pool, mut on_a_connection) = (0, 0);
    for time in 0..40 {
        on_the_pool += u32::from(poll_immediate(pin!(store::begin_on(&one))).await.is_none());
        assert!(is_seen(&one, &another, &format!("on the pool {time}")).await, "{time}");

        let mut conn = one.acquire().await.expect("the connection");
        on_a_connection += u32::from(poll_immediate(pin!(store::begin(&mut conn))).await.is_none());
        drop(conn);
        assert!(is_seen(&one, &another, &format!("on a connection {time}")).await, "{time}");
    }
    assert!(on_the_pool > 0 && on_a_connection > 0, "{on_the_pool}, {on_a_connection}");
}
