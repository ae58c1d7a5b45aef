//! Every path that could bring to the robots what was not approved, tried: the queue says whether it did.

use super::{adds, approves, batch, by_people, nothing_physical, person, proposals, removes_first};
use crate::api_loop::{Talk, header, keyed};
use crate::laboratory::{Laboratory, Settings};
use crate::support::request;
use axum::http::{Method, StatusCode};
use orchestrator::api::rules;
use orchestrator::batches::State as BatchState;
use orchestrator::batches::approve::Approved;
use orchestrator::batches::frozen;
use orchestrator::batches::gate::Closed;
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store::proposals::Status;
use orchestrator::store::tokens::{ActorKind, Scope};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn waiting(options: PgPoolOptions, login: PgConnectOptions) -> Laboratory {
    let settings = Settings { approvals: 2, policy: "expires_hours = 48.0", ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    laboratory
}

/// Engine and clock, without hands: what is in the queue stays there to be seen.
async fn let_the_engine_go(laboratory: &Laboratory) {
    // Steps that refuse are errors, and what they leave is what is looked at.
    laboratory.engine.settle_down().await;
    laboratory.engine.jump().await.expect("a clock");
    laboratory.engine.settle_down().await;
}

async fn forge(laboratory: &Laboratory, sql: &str) {
    let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&laboratory.pool).await;
    assert!(done.expect("forged").rows_affected() > 0, "{sql} changed nothing");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_people_did_not_approve_together_is_not_dispatched(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let laboratory = waiting(options, login).await;
    let (ada, grace) = (laboratory.person, person(&laboratory, "grace").await);
    assert_eq!(approves(&laboratory, ada, 2).await, Approved::RevisionChanged { now: 1 });
    assert_eq!(
        approves(&laboratory, orchestrator::ids::SYSTEM, 1).await,
        Approved::Closed(Closed::NotByPolicy)
    );
    assert!(matches!(approves(&laboratory, ada, 1).await, Approved::Recorded { .. }));
    assert_eq!(approves(&laboratory, ada, 1).await, Approved::AlreadyDone);
    let_the_engine_go(&laboratory).await;
    nothing_physical(&laboratory, "one person twice").await;

    // Edited by the second: the first approval was of something else.
    adds(&laboratory, grace, 1, "G050").await;
    laboratory.settle().await;
    assert_eq!(approves(&laboratory, ada, 1).await, Approved::RevisionChanged { now: 2 });
    removes_first(&laboratory, ada, 2).await;
    laboratory.settle().await;
    assert!(matches!(approves(&laboratory, grace, 3).await, Approved::Recorded { .. }));
    assert_eq!(approves(&laboratory, ada, 3).await, Approved::Closed(Closed::OwnEdit));
    let_the_engine_go(&laboratory).await;
    nothing_physical(&laboratory, "approved by those who edited it").await;
    assert_eq!(laboratory.last_round().await.state, State::In(Stage::AwaitingApproval));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_replayed_approval_approves_nothing_new(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = waiting(options, login).await;
    let talk = Talk::at(&laboratory);
    let token = talk.app.token_of("grace", ActorKind::Person, &[Scope::BatchApprove]).await;
    let path = format!("/api/v1/batches/{}/approve", batch(&laboratory).await.id);
    let approval = || header(keyed(request("POST", &token, &path, Some(&json!({})))), "if-match", "\"1\"");
    let (_, first) = talk.app.send(approval()).await;
    assert_eq!(first["disposition"], "recorded");
    adds(&laboratory, laboratory.person, 1, "G050").await;
    laboratory.settle().await;
    let (status, again) = talk.app.send(approval()).await;
    assert_eq!((status, &again), (StatusCode::OK, &first), "the first answer, and nothing else");
    let rosa = person(&laboratory, "rosa").await;
    let Approved::Recorded { tally } = approves(&laboratory, rosa, 2).await else { panic!("not enough") };
    assert_eq!(tally.given, 1);
    let_the_engine_go(&laboratory).await;
    nothing_physical(&laboratory, "a replay").await;
}

/// Approves as it stands, without letting the engine see it yet.
async fn approved(laboratory: &Laboratory) {
    laboratory.settle().await;
    let revision = batch(laboratory).await.revision;
    let (ada, grace) = (laboratory.person, person(laboratory, "grace").await);
    approves(laboratory, ada, revision).await;
    let last = approves(laboratory, grace, revision).await;
    assert!(matches!(last, Approved::Frozen { .. }), "{last:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_changed_behind_the_approval_goes_back(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = waiting(options, login).await;
    for (forgery, undo) in [
        ("update batch set frozen_hash = decode(repeat('ab', 32), 'hex')", None),
        (
            "update batch set layout_seed = layout_seed + 1",
            Some("update batch set layout_seed = layout_seed - 1"),
        ),
        ("update batch set plan_digest = decode(repeat('ab', 32), 'hex')", None),
        ("update batch set plan_digest = null", None),
        (
            "update proposal set status = 'selected' where perturbation = 'G006'",
            Some("update proposal set status = 'runner_up' where perturbation = 'G006'"),
        ),
        (
            "update proposal set perturbation = 'G059' where perturbation = 'G000'",
            Some("update proposal set perturbation = 'G000' where perturbation = 'G059'"),
        ),
        (
            "update proposal set status = 'runner_up' where perturbation = 'G001'",
            Some("update proposal set status = 'selected' where perturbation = 'G001'"),
        ),
    ] {
        approved(&laboratory).await;
        let before = batch(&laboratory).await;
        assert_eq!(before.state, BatchState::Approved);
        forge(&laboratory, forgery).await;
        let_the_engine_go(&laboratory).await;
        nothing_physical(&laboratory, forgery).await;
        let back = batch(&laboratory).await;
        assert_eq!(back.state, BatchState::AwaitingApproval, "{forgery}");
        assert_eq!((back.revision, back.frozen_hash), (before.revision + 1, None), "{forgery}");
        assert_eq!(laboratory.open_tasks().await, ["batch.plan_differs"], "{forgery}");
        if let Some(undo) = undo {
            forge(&laboratory, undo).await;
            forge(&laboratory, "update batch set draft = null, plan_digest = null").await;
        }
    }
    let mut laboratory = laboratory;
    approved(&laboratory).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished", "as it was approved it is carried out");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_perfect_hash_without_the_approvals_opens_nothing(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = waiting(options, login).await;
    approves(&laboratory, laboratory.person, 1).await;
    let before = batch(&laboratory).await;
    let all = proposals(&laboratory, &before).await;
    let chosen: Vec<_> =
        all.iter().filter(|it| it.status == Status::Selected).map(|it| &it.experiment).collect();
    let plan = before.plan_digest.expect("a plan");
    let hash = frozen::hash(&chosen, before.layout_seed, plan);
    forge(
        &laboratory,
        &format!("update batch set state = 'approved', frozen_hash = decode('{hash}', 'hex')"),
    )
    .await;
    forge(&laboratory, "update round set state = 'planning'").await;
    let_the_engine_go(&laboratory).await;
    nothing_physical(&laboratory, "one of two approvals").await;
    assert_eq!(batch(&laboratory).await.state, BatchState::AwaitingApproval);
    let refused = sqlx::query("update approval set revision = 2").execute(&laboratory.pool).await;
    refused.expect_err("approvals are added to, never changed");
    let refused = sqlx::query("delete from batch_edit").execute(&laboratory.pool).await;
    refused.expect_err("nor is who edited");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn no_state_of_a_batch_is_dispatched_from_any_stage_of_its_round(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let laboratory = waiting(options, login).await;
    for state in BatchState::ALL {
        for stage in Stage::ALL {
            let frozen = matches!(state, BatchState::Approved | BatchState::Planned);
            let closed = matches!(state, BatchState::Rejected | BatchState::Withdrawn);
            let hash = if frozen { "decode(repeat('ab', 32), 'hex')" } else { "null" };
            let reason = if closed { "'forged'" } else { "null" };
            let (state, stage) = (state.as_str(), stage.as_str());
            forge(
                &laboratory,
                &format!(
                    "update round set state = '{stage}', held_from = null, reason_code = null, reason = null, summary = null"
                ),
            )
            .await;
            forge(
                &laboratory,
                &format!(
                    "update batch set state = '{state}', frozen_hash = {hash}, closed_reason = {reason}"
                ),
            )
            .await;
            let_the_engine_go(&laboratory).await;
            nothing_physical(&laboratory, &format!("a batch that is {state} in a round that is {stage}"))
                .await;
        }
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn no_route_puts_a_job_into_the_queue_of_the_devices(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = waiting(options, login).await;
    let talk = Talk::at(&laboratory);
    let token = talk.app.token_of("a-machine", ActorKind::Agent, &Scope::ALL).await;
    let job = json!({"kind": "manual", "payload": {"instructions": "x"}, "work": {"kind": "manual"}});
    for path in ["/api/v1/jobs", "/api/v1/leases/x", "/api/v1/plates", "/api/v1/batches"] {
        let (status, _) = talk.app.post(&token, path, &job).await;
        assert!(status.is_client_error(), "{path} answered {status}");
    }
    // Whatever is written under /jobs is said of a job that is there.
    let written = rules().into_iter().filter(|rule| rule.method != Method::GET);
    let of_jobs: Vec<String> =
        written.map(|rule| rule.path).filter(|path| path.starts_with("/api/v1/jobs")).collect();
    assert!(of_jobs.len() > 5, "{of_jobs:?}");
    assert!(of_jobs.iter().all(|path| path.starts_with("/api/v1/jobs/{id}/")), "{of_jobs:?}");
    nothing_physical(&laboratory, "through the door").await;
}
