//! Approval: by whom, for how long, and that nothing moves without it.

mod exclusions;
mod expiry;
mod gate;
mod policy;
mod prediction;

use crate::laboratory::{Laboratory, Settings, actor};
use orchestrator::batches::approve::{Approved, approve};
use orchestrator::batches::edit::{self, Edited};
use orchestrator::ids::ActorId;
use orchestrator::store;
use orchestrator::store::batches::Batch;
use orchestrator::store::jobs::Consequences;
use orchestrator::store::proposals::{Proposal, Status};
use orchestrator::store::tokens::ActorKind;

fn by_people() -> Settings {
    Settings { rounds: 1, batch: 6, auto_approve: false, ..Settings::default() }
}

/// The live batch, or else the newest.
async fn batch(laboratory: &Laboratory) -> Batch {
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let mut all = store::batches::of_round(&mut conn, round.id).await.expect("read");
    all.pop().expect("a batch")
}

async fn proposals(laboratory: &Laboratory, batch: &Batch) -> Vec<Proposal> {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    store::proposals::of_batch(&mut conn, batch.id).await.expect("proposals")
}

async fn selected(laboratory: &Laboratory) -> Vec<String> {
    let all = proposals(laboratory, &batch(laboratory).await).await;
    let chosen = all.into_iter().filter(|it| it.status == Status::Selected);
    chosen.map(|it| it.experiment.perturbation.to_string()).collect()
}

async fn person(laboratory: &Laboratory, name: &str) -> ActorId {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    actor(&mut conn, name, ActorKind::Person).await
}

/// Somebody with an account and these roles everywhere.
async fn account(laboratory: &Laboratory, name: &str, roles: &[&str]) -> ActorId {
    let person = person(laboratory, name).await;
    sqlx::query(
        "insert into account (actor_id, display_name, password_phc) values ($1, $2, '$argon2id$none')",
    )
    .bind(person.0)
    .bind(name)
    .execute(&laboratory.pool)
    .await
    .expect("an account");
    for role in roles {
        grant(laboratory, person, role, None).await;
    }
    person
}

async fn grant(laboratory: &Laboratory, person: ActorId, role: &str, project: Option<uuid::Uuid>) {
    sqlx::query(
        "insert into role_grant (id, actor_id, project_id, role, granted_by)
         values (gen_random_uuid(), $1, $2, $3, $1)",
    )
    .bind(person.0)
    .bind(project)
    .bind(role)
    .execute(&laboratory.pool)
    .await
    .expect("a role");
}

async fn approves(laboratory: &Laboratory, who: ActorId, revision: u32) -> Approved {
    let id = batch(laboratory).await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    approve(&mut conn, id, revision, who).await.expect("answered")
}

/// Takes the first of the batch out.
async fn removes_first(laboratory: &Laboratory, who: ActorId, revision: u32) -> Edited {
    let waiting = batch(laboratory).await;
    let all = proposals(laboratory, &waiting).await;
    let first = all.iter().find(|it| it.status == Status::Selected).expect("one that is selected");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    edit::remove(&mut conn, waiting.id, revision, first.id, "known already", who).await.expect("answered")
}

async fn adds(laboratory: &Laboratory, who: ActorId, revision: u32, gene: &str) -> (Edited, Consequences) {
    let id = batch(laboratory).await.id;
    let experiment = jobs::Experiment {
        perturbation: gene.parse().expect("a gene"),
        context: jobs::Context("donor-1".into()),
    };
    let mut out = Consequences::default();
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let edited =
        edit::add(&mut conn, id, revision, &experiment, "a guess", who, &mut out).await.expect("answered");
    (edited, out)
}

/// What the queue says: no device was given anything to do, and nothing was promised to one.
async fn nothing_physical(laboratory: &Laboratory, after: &str) {
    for what in [
        "select count(*) from job where kind in ('dispense', 'move', 'incubate', 'read', 'manual')",
        "select count(*) from plate",
        "select count(*) from reservation",
    ] {
        assert_eq!(laboratory.count(what).await, 0, "{after}: {what}");
    }
}
