//! Who must approve.

use super::{account, approves, batch, by_people, grant, nothing_physical, person, removes_first};
use crate::laboratory::{Laboratory, Settings};
use orchestrator::batches::State as BatchState;
use orchestrator::batches::approve::Approved;
use orchestrator::batches::auto::AutoApproval;
use orchestrator::batches::gate::{Closed, Gate};
use orchestrator::ids::DEFAULT_PROJECT;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const BOTH: &str = "roles = { scientist = 1, engineer = 1 }";

fn recorded(approved: &Approved) -> (u32, String) {
    let Approved::Recorded { tally } = approved else { panic!("{approved:?}") };
    (tally.given, tally.in_words().unwrap_or_default())
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_scientist_and_an_engineer_are_two_people_with_those_roles(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { approvals: 2, policy: BOTH, ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let scientist = account(&laboratory, "marie", &["scientist"]).await;
    let another = account(&laboratory, "rosalind", &["scientist"]).await;
    let of_elsewhere = account(&laboratory, "emmy", &["viewer"]).await;
    sqlx::query("insert into project (id, name) values ($1, 'elsewhere')")
        .bind(uuid::Uuid::from_u128(9))
        .execute(&laboratory.pool)
        .await
        .expect("a project");
    grant(&laboratory, of_elsewhere, "engineer", Some(uuid::Uuid::from_u128(9))).await;
    let bare = person(&laboratory, "a-script").await;

    let first = approves(&laboratory, scientist, 1).await;
    assert_eq!(recorded(&first), (1, "1 more person: 1 in the role engineer".to_owned()));
    let missing = "1 more person: 1 in the role engineer".to_owned();
    for who in [another, of_elsewhere, bare] {
        let idle = approves(&laboratory, who, 1).await;
        assert_eq!(idle, Approved::Closed(Closed::NoRole { missing: missing.clone() }));
    }
    laboratory.settle().await;
    nothing_physical(&laboratory, "without an engineer").await;
    grant(&laboratory, of_elsewhere, "engineer", Some(DEFAULT_PROJECT.0)).await;
    let second = approves(&laboratory, of_elsewhere, 1).await;
    assert!(matches!(second, Approved::Frozen { .. }), "{second:?}");
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn roles_are_those_of_the_moment_and_a_disabled_account_has_none(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { approvals: 2, policy: BOTH, ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let scientist = account(&laboratory, "marie", &["scientist"]).await;
    let engineer = account(&laboratory, "ada-l", &["engineer"]).await;
    approves(&laboratory, scientist, 1).await;
    // What she approved as a scientist stays, whatever becomes of her role.
    sqlx::query("delete from role_grant").execute(&laboratory.pool).await.expect("revoked");
    let idle = approves(&laboratory, engineer, 1).await;
    assert!(matches!(idle, Approved::Closed(Closed::NoRole { .. })), "{idle:?}");
    grant(&laboratory, engineer, "engineer", None).await;
    sqlx::query("update account set state = 'disabled'").execute(&laboratory.pool).await.expect("disabled");
    let disabled = approves(&laboratory, engineer, 1).await;
    assert!(matches!(disabled, Approved::Closed(Closed::NoRole { .. })), "{disabled:?}");
    sqlx::query("update account set state = 'active'").execute(&laboratory.pool).await.expect("enabled");
    let last = approves(&laboratory, engineer, 1).await;
    assert!(matches!(last, Approved::Frozen { .. }), "{last:?}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn who_edited_is_never_the_only_approver(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    let (ada, grace) = (laboratory.person, person(&laboratory, "grace").await);
    removes_first(&laboratory, ada, 1).await;
    removes_first(&laboratory, grace, 2).await;
    laboratory.settle().await;
    for editor in [ada, grace] {
        assert_eq!(approves(&laboratory, editor, 3).await, Approved::Closed(Closed::OwnEdit));
    }
    laboratory.settle().await;
    nothing_physical(&laboratory, "approved by its editors").await;
    let rosa = person(&laboratory, "rosa").await;
    assert!(matches!(approves(&laboratory, rosa, 3).await, Approved::Frozen { .. }));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_policy_may_let_editors_approve(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { policy: "self_approval = true", ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let ada = laboratory.person;
    removes_first(&laboratory, ada, 1).await;
    laboratory.settle().await;
    assert!(matches!(approves(&laboratory, ada, 2).await, Approved::Frozen { .. }));
}

/// One plate, six experiments twice and twelve controls: 40 + 6 * 10 + 24 * 0.5 = 112.
const PRICES: &str = "[cost]\ncurrency = \"EUR\"\nper_plate = 40.0\nper_experiment = 10.0\nper_well = 0.5\n";

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn beyond_the_limit_of_auto_approval_people_are_asked(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings {
        auto_approve: true,
        policy: "auto_approve_limit = { experiments = 6, plates = 1, cost = 111.99 }",
        sections: PRICES,
        ..by_people()
    };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let waiting = batch(&laboratory).await;
    assert_eq!(waiting.state, BatchState::AwaitingApproval);
    nothing_physical(&laboratory, "beyond the limit").await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let round = laboratory.last_round().await;
    let gate = Gate::read(&mut conn, &round, &waiting).await.expect("a gate");
    let because = "The policy does not approve it by itself: 112.00 EUR is more than 111.99 EUR.".to_owned();
    assert_eq!(gate.auto_approval(&waiting), Some(AutoApproval::AsksPeople { because }));
    drop(conn);
    // Cheap enough now, but by people's choice.
    let ada = laboratory.person;
    for revision in 1..=9 {
        removes_first(&laboratory, ada, revision).await;
    }
    laboratory.run().await;
    assert_eq!(batch(&laboratory).await.state, BatchState::AwaitingApproval);
    let grace = person(&laboratory, "grace").await;
    assert!(matches!(approves(&laboratory, grace, 10).await, Approved::Frozen { .. }));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn within_the_limit_nobody_is_asked(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings {
        auto_approve: true,
        policy: "auto_approve_limit = { experiments = 6, plates = 1, cost = 112.0 }",
        sections: PRICES,
        ..by_people()
    };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}
