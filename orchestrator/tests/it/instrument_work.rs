//! The work of an instrument: what it did day by day, and what waits for it.

use crate::laboratory::{Laboratory, Settings};
use crate::stop::orders::app;
use axum::http::StatusCode;
use jobs::work::Kind;
use orchestrator::store::tokens::Scope;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_days_of_an_instrument_add_up_to_what_it_did(options: PgPoolOptions, login: PgConnectOptions) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let settings = Settings { rounds: 1, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    let lease = laboratory.work_until(Kind::Read).await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::Read]).await;
    let execute =
        async |text: &'static str| sqlx::query(text).execute(&owner).await.expect("changed").rows_affected();
    // The mover was busy for an hour around the last midnight, and again for half an hour with a failure.
    let moved = "update job_attempt
         set started_at = date_trunc('day', now(), 'UTC') - interval '40 minutes',
             ended_at = date_trunc('day', now(), 'UTC') + interval '20 minutes'
         where job_id = (select id from job where kind = 'move' and id in (select job_id from job_attempt) order by id limit 1)";
    assert_eq!(execute(moved).await, 1);
    let others = "update job_attempt
         set started_at = date_trunc('day', now(), 'UTC') - interval '3 days 30 minutes',
             ended_at = date_trunc('day', now(), 'UTC') - interval '3 days', ending = 'failed'
         where job_id in (select id from job where kind = 'move' and id in (select job_id from job_attempt) order by id offset 1 limit 1)";
    assert_eq!(execute(others).await, 1);
    execute("delete from job_attempt where ended_at > now() - interval '1 minute'").await;
    let (status, work) = app.get(&token, "/api/v1/instruments/mover-1/work?days=5").await;
    assert_eq!(status, StatusCode::OK, "{work}");
    let day = |back: usize| {
        let days = work["days"].as_array().expect("days");
        assert_eq!(days.len(), 5, "{work}");
        let day: &Value = &days[days.len() - 1 - back];
        let seconds = day["busy_seconds"].as_f64().expect("seconds").round();
        (day["succeeded"].as_u64(), day["not_succeeded"].as_u64(), seconds)
    };
    assert_eq!(day(0), (Some(1), Some(0), 1200.0), "{work}");
    assert_eq!(day(1), (Some(0), Some(0), 2400.0), "{work}");
    assert_eq!(day(2), (Some(0), Some(0), 0.0), "{work}");
    // It ended at midnight, which is of the day that begins.
    assert_eq!(day(3), (Some(0), Some(1), 0.0), "{work}");
    assert_eq!(day(4), (Some(0), Some(0), 1800.0), "{work}");
    assert_eq!(work["kinds"][0]["kind"], "move");
    assert_eq!(work["kinds"][0]["median_seconds"], 3600.0);
    assert_eq!(work["cut"], false);
    // The reader's job was leased just now and has not begun.
    let reader = lease.work.kind();
    assert_eq!(reader, Kind::Read);
    let (_, work) = app.get(&token, "/api/v1/instruments/reader-1/work").await;
    assert_eq!(
        (work["running"].as_u64(), work["days"].as_array().map(Vec::len)),
        (Some(1), Some(14)),
        "{work}"
    );
    assert!(work["days"].as_array().expect("days").iter().all(|day| day["busy_seconds"] == 0.0), "{work}");

    for (path, code) in [
        ("/api/v1/instruments/nobody/work", "instrument.not_found"),
        ("/api/v1/instruments/mover-1/work?days=0", "instrument.days_invalid"),
        ("/api/v1/instruments/mover-1/work?zone=Mars", "calendar.zone_unknown"),
    ] {
        let (_, refused) = app.get(&token, path).await;
        assert_eq!(refused["code"], code, "{refused}");
    }
}
