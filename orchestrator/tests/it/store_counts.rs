//! What the store counts for pages and for the engine is what everything that was measured says.

use crate::laboratory::{Laboratory, Settings};
use orchestrator::rounds::summary::new_hits;
use orchestrator::store::{observations, predictions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn hits_of_a_round_are_counted_as_over_all_observations(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.run().await;
    let rounds = laboratory.rounds().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let all = observations::of_campaign(&mut conn, rounds[0].campaign_id, None).await.expect("read");
    let number = observations::number(&mut conn, rounds[0].campaign_id).await.expect("counted");
    assert_eq!(usize::try_from(number).expect("few"), all.len());
    for round in &rounds {
        let counted = observations::new_hits(&mut conn, round).await.expect("counted");
        assert_eq!(usize::try_from(counted).expect("few"), new_hits(&all, round.number).len());
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn expected_hits_are_the_same_whether_they_were_added_up_before_or_not(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.run().await;
    let rounds = laboratory.rounds().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    for round in &rounds {
        let (campaign, id) = (round.campaign_id, round.id);
        let kept = predictions::expected_hits_unmeasured(&mut conn, campaign, id).await.expect("read");
        sqlx::query("update round set expected_hits = null, expected_hits_at = null where id = $1")
            .bind(id.0)
            .execute(&mut *conn)
            .await
            .expect("forgotten");
        let counted = predictions::expected_hits_unmeasured(&mut conn, campaign, id).await.expect("read");
        let (kept, counted) = (kept.expect("a posterior"), counted.expect("a posterior"));
        assert!((kept - counted).abs() < 1e-9, "{kept} was kept, {counted} is counted");
    }
}
