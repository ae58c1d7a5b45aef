//! What is remembered of an edition is what its database says of it.

use crate::laboratory::{Laboratory, Settings};
use crate::support::as_application;
use orchestrator::store::campaigns;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn size_of_pool(laboratory: &Laboratory, pool: &PgPool) -> u64 {
    let mut conn = pool.acquire().await.expect("a connection");
    let edition = campaigns::edition(&mut conn, laboratory.campaign, 1).await.expect("an answer");
    edition.expect("the first edition").pool_size
}

/// As after a restore, when the same number may name another edition: nobody comes to it but by a new connection.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_edition_is_read_again_once_a_connection_was_opened(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let laboratory = Laboratory::new(options.clone(), login.clone(), Settings::default()).await;
    let before = size_of_pool(&laboratory, &laboratory.pool).await;
    let owner = PgPool::connect_with(login.clone()).await.expect("the owner");
    sqlx::query("update campaign_version set pool_size = pool_size + 1")
        .execute(&owner)
        .await
        .expect("another life");
    let new = as_application(options, login).await;
    assert_eq!(size_of_pool(&laboratory, &new).await, before + 1);
    let mut conn = new.acquire().await.expect("a connection");
    assert!(campaigns::edition(&mut conn, laboratory.campaign, 2).await.expect("an answer").is_none());
}
