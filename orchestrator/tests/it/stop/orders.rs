//! Every order from every state, through the API: one table for each of campaign, round, job and instrument.

use crate::jobs_conformance::in_state;
use crate::laboratory::{Laboratory, Settings};
use crate::support::{App, as_application};
use crate::work::{self, Lab};
use jobs::JobId;
use jobs::state::State as JobState;
use orchestrator::api::{AppState, Config};
use orchestrator::campaigns::state::State as CampaignState;
use orchestrator::ids::SYSTEM;
use orchestrator::orders::Order;
use orchestrator::queue::Wakeups;
use orchestrator::rounds;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::holds::{self, Manner, Subject};
use orchestrator::store::instruments::InstrumentState;
use orchestrator::store::tokens::Scope;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::fmt::Write as _;
use uuid::Uuid;

const HOLDS: [Option<Manner>; 3] = [None, Some(Manner::Pause), Some(Manner::Drain)];

fn held(manner: Option<Manner>) -> &'static str {
    manner.map_or("", |manner| match manner {
        Manner::Pause => " (paused)",
        Manner::Drain => " (drains)",
    })
}

/// Sends the order, and writes down what it did.
async fn ask(app: &App, token: &str, table: &mut String, from: &str, path: &str, order: Order) -> Value {
    let path = format!("/api/v1/{path}/{}", order.as_str());
    let (status, answer) = app.post(token, &path, &json!({"reason": "the test"})).await;
    let what = if status.is_success() {
        let of = answer.get("instrument").unwrap_or(&answer);
        let state = of["state"].as_str().expect("a state");
        let manner = of["hold"]["manner"].as_str().map(|it| format!(" ({it})")).unwrap_or_default();
        let already = if answer["already_so"] == true { ", so already" } else { "" };
        format!("{state}{manner}{already}")
    } else {
        format!("{} {}", answer["code"].as_str().expect("a code"), answer["detail"].as_str().expect("words"))
    };
    writeln!(table, "{from} + {} -> {} {what}", order.as_str(), status.as_u16()).expect("a string");
    answer
}

async fn put(pool: &PgPool, subject: Subject, id: Uuid, manner: Option<Manner>) {
    let mut conn = pool.acquire().await.expect("a connection");
    holds::lift(&mut conn, id).await.expect("lifted");
    if let Some(manner) = manner {
        holds::put(&mut conn, subject, id, manner, "before", SYSTEM).await.expect("put");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_order_from_every_state_of_a_job(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::local(folder.path(), 1 << 20).expect("a blob store");
    let app = App::over(AppState::new(lab.pool.clone(), blobs, Wakeups::default(), Config::default()));
    let token = app.token(&[Scope::JobResolve, Scope::Read]).await;
    let mut table = String::new();
    for state in JobState::ALL {
        for manner in HOLDS {
            for order in Order::ALL {
                let (id, lease_token) = in_state(&lab, work::dispense(), state).await;
                put(&lab.pool, Subject::Job, id.0, manner).await;
                let from = format!("{}{}", state.as_str(), held(manner));
                let answer = ask(&app, &token, &mut table, &from, &format!("jobs/{id}"), order).await;
                // What the answer says is so, and a repeat changes nothing.
                assert_eq!(
                    answer.get("state").map_or(state.as_str(), |it| it.as_str().expect("a word")),
                    lab.state(id).await
                );
                if answer.get("state").is_some() {
                    let path = format!("/api/v1/jobs/{id}/{}", order.as_str());
                    let (status, again) = app.post(&token, &path, &json!({"reason": "once more"})).await;
                    if status.is_success() {
                        assert_eq!(again["already_so"], true, "{from} {order:?}: {again}");
                        assert_eq!((&again["state"], &again["hold"]), (&answer["state"], &answer["hold"]));
                    }
                }
                settle(&lab, id, lease_token).await;
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// Out of the way of the next one.
async fn settle(lab: &Lab, job: JobId, token: jobs::LeaseToken) {
    put(&lab.pool, Subject::Job, job.0, None).await;
    let mut conn = lab.conn().await;
    drop(orchestrator::store::jobs::stop(&mut conn, job, SYSTEM, "the test is over").await);
    drop(lab.report(job, token, work::stopped()).await);
    for table in ["job_ready", "job_waiting", "lease", "job_in_doubt"] {
        let statement = format!("delete from {table} where job_id = $1");
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(job.0).execute(&mut *conn).await.expect("away");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_order_from_every_state_of_a_round(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let (pool, round) = (laboratory.pool.clone(), laboratory.last_round().await.id);
    let app = app(&laboratory);
    let token = app.token(&[Scope::CampaignWrite, Scope::Read]).await;
    let mut table = String::new();
    for state in rounds::State::all() {
        for manner in HOLDS {
            for order in Order::ALL {
                let stopped = ["held", "cancelled", "failed"].contains(&state.as_str()).then_some("before");
                sqlx::query(
                    "update round set state = $1, held_from = $2, reason = $3, reason_code = $3,
                         summary = case when $1 = 'closed' then '{}'::jsonb end",
                )
                .bind(state.as_str())
                .bind(state.held_from())
                .bind(stopped)
                .execute(&pool)
                .await
                .expect("a state");
                put(&pool, Subject::Round, round.0, manner).await;
                let from = format!("{state:?}{}", held(manner));
                ask(&app, &token, &mut table, &from, &format!("rounds/{round}"), order).await;
                sqlx::query(
                    "update batch set state = 'awaiting_approval', closed_reason = null, selected = null",
                )
                .execute(&pool)
                .await
                .expect("the batch as it was");
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_order_from_every_state_of_a_campaign(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = Laboratory::new(options, login, Settings { rounds: 1, ..Settings::default() }).await;
    let (pool, campaign) = (laboratory.pool.clone(), laboratory.campaign);
    let app = app(&laboratory);
    let token = app.token(&[Scope::CampaignWrite, Scope::Read]).await;
    let mut table = String::new();
    for state in CampaignState::ALL {
        for order in Order::ALL {
            sqlx::query("update campaign set state = $1, finished_reason = $2")
                .bind(state.as_str())
                .bind(state.is_terminal().then_some("before"))
                .execute(&pool)
                .await
                .expect("a state");
            let manner = match state {
                CampaignState::Paused => Some(Manner::Pause),
                CampaignState::Draining => Some(Manner::Drain),
                _ => None,
            };
            put(&pool, Subject::Campaign, campaign.0, manner).await;
            ask(&app, &token, &mut table, state.as_str(), &format!("campaigns/{campaign}"), order).await;
            // State and hold say the same.
            let agree: bool = sqlx::query_scalar(
                "select coalesce((select manner from hold where subject_id = campaign.id), '')
                     = case state when 'paused' then 'pause' when 'draining' then 'drain' else '' end
                 from campaign",
            )
            .fetch_one(&pool)
            .await
            .expect("a look");
            assert!(agree, "{state:?} + {order:?}: {table}");
        }
    }
    insta::assert_snapshot!(table);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_order_from_every_state_of_an_instrument(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = Laboratory::new(options, login, Settings::default()).await;
    let app = app(&laboratory);
    let token = app.token(&[Scope::JobResolve, Scope::Read]).await;
    let mut table = String::new();
    for state in InstrumentState::ALL {
        for order in Order::ALL {
            sqlx::query("update instrument set state = $1, back_lab_at = null where name = 'reader-1'")
                .bind(state.as_str())
                .execute(&laboratory.pool)
                .await
                .expect("a state");
            ask(&app, &token, &mut table, state.as_str(), "instruments/reader-1", order).await;
        }
    }
    insta::assert_snapshot!(table);
}

pub fn app(laboratory: &Laboratory) -> App {
    let engine = &laboratory.engine;
    let config = Config::default();
    App::over(AppState::new(laboratory.pool.clone(), engine.blobs.clone(), engine.wakeups.clone(), config))
}
