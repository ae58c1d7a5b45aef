//! The gate of approval: nothing moves before people said so, and what they said is what happens.

use crate::laboratory::{Laboratory, Settings, actor};
use jobs::{Context, Experiment};
use orchestrator::batches::approve::{Approved, approve};
use orchestrator::batches::draft::Draft;
use orchestrator::batches::edit::{self, Edited};
use orchestrator::batches::gate::Closed;
use orchestrator::batches::reject::{Exclude, Rejected, reject};
use orchestrator::batches::{State as BatchState, frozen};
use orchestrator::ids::ActorId;
use orchestrator::rounds::control;
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store;
use orchestrator::store::batches::Batch;
use orchestrator::store::jobs::Consequences;
use orchestrator::store::proposals::{Origin, Proposal, Status};
use orchestrator::store::tokens::ActorKind;
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn by_people() -> Settings {
    Settings { rounds: 1, auto_approve: false, ..Settings::default() }
}

async fn batch(laboratory: &Laboratory) -> Batch {
    let round = laboratory.last_round().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    store::batches::live_of_round(&mut conn, round.id).await.expect("read").expect("a live batch")
}

async fn proposals(laboratory: &Laboratory, batch: &Batch) -> Vec<Proposal> {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    store::proposals::of_batch(&mut conn, batch.id).await.expect("proposals")
}

async fn add(conn: &mut PgConnection, batch: &Batch, revision: u32, name: &str, by: ActorId) -> Edited {
    let mut out = Consequences::default();
    edit::add(conn, batch.id, revision, &gene(name), "a guess", by, &mut out).await.expect("answered")
}

fn gene(name: &str) -> Experiment {
    Experiment { perturbation: name.parse().expect("a gene"), context: Context("donor-1".into()) }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nothing_is_dispatched_and_no_time_passes_before_approval(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    let start = laboratory.lab_now().await;
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::In(Stage::AwaitingApproval));
    assert_eq!(laboratory.lab_now().await, start, "only a person is awaited");
    assert_eq!(laboratory.count("select count(*) from plate").await, 0);
    assert_eq!(laboratory.count("select count(*) from job where queue = 'bench'").await, 0);
    assert_eq!(laboratory.count("select count(*) from reservation").await, 0);

    let waiting = batch(&laboratory).await;
    let Some(Draft::Possible { digest, summary, .. }) = &waiting.draft else { panic!("{:?}", waiting.draft) };
    assert_eq!((summary.experiments, summary.sample_wells), (12, 24));
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let stale =
        approve(&mut conn, waiting.id, waiting.revision + 1, laboratory.person).await.expect("answered");
    assert_eq!(stale, Approved::RevisionChanged { now: waiting.revision });
    let approved =
        approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    let chosen = proposals(&laboratory, &waiting).await;
    let chosen: Vec<_> =
        chosen.iter().filter(|p| p.status == Status::Selected).map(|p| &p.experiment).collect();
    assert_eq!(approved, Approved::Frozen { hash: frozen::hash(&chosen, waiting.layout_seed, *digest) });
    let again = approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    assert_eq!(again, Approved::AlreadyDone);
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn two_approvals_mean_two_people(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { approvals: 2, ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let waiting = batch(&laboratory).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let other = actor(&mut conn, "grace", ActorKind::Person).await;
    let first = approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    let Approved::Recorded { tally } = first else { panic!("{first:?}") };
    assert_eq!((tally.given, tally.needed), (1, 2));
    let twice = approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    assert_eq!(twice, Approved::AlreadyDone);
    let second = approve(&mut conn, waiting.id, waiting.revision, other).await.expect("answered");
    assert!(matches!(second, Approved::Frozen { .. }), "{second:?}");
}

/// Takes the blank plate away that every plan begins with.
async fn take_a_blank_away(laboratory: &Laboratory, barcode: &str) {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let taken = orchestrator::inventory::withdraw(&mut conn, barcode, "cracked", laboratory.person)
        .await
        .expect("asked");
    assert_eq!(taken, Ok(()));
    drop(conn);
    laboratory.settle().await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_said_of_one_plan_does_not_count_for_another(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { approvals: 2, ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let waiting = batch(&laboratory).await;
    // Nobody has said anything yet: whoever has the page open looks again.
    take_a_blank_away(&laboratory, "P-001").await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let stale = approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    assert_eq!(stale, Approved::RevisionChanged { now: waiting.revision + 1 });
    assert!(laboratory.open_tasks().await.is_empty());

    let waiting = batch(&laboratory).await;
    let first = approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    assert!(matches!(first, Approved::Recorded { .. }), "{first:?}");
    // Stock that changes nothing of the plan takes nothing away.
    take_a_blank_away(&laboratory, "P-009").await;
    assert_eq!(batch(&laboratory).await.revision, waiting.revision);
    take_a_blank_away(&laboratory, "P-002").await;
    assert_eq!(laboratory.open_tasks().await, ["batch.plan_differs"]);
    let now = batch(&laboratory).await;
    assert_eq!(now.revision, waiting.revision + 1);
    let other = actor(&mut conn, "grace", ActorKind::Person).await;
    let second = approve(&mut conn, now.id, now.revision, other).await.expect("answered");
    let Approved::Recorded { tally } = second else { panic!("{second:?}") };
    assert_eq!((tally.given, tally.needed), (1, 2), "the first was of another plan");
    let again = approve(&mut conn, now.id, now.revision, laboratory.person).await.expect("answered");
    assert!(matches!(again, Approved::Frozen { .. }), "{again:?}");
    assert!(laboratory.open_tasks().await.is_empty());
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
    // And who is named is who approved what was carried out.
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let rows = store::results::of_campaign(&mut conn, laboratory.campaign).await.expect("results");
    assert!(rows.iter().all(|row| row.approved_by == "ada;grace"), "{:?}", rows[0]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_approver_of_an_older_revision_is_not_named_beside_the_newer(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { approvals: 2, ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let waiting = batch(&laboratory).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let rosa = actor(&mut conn, "rosa", ActorKind::Person).await;
    approve(&mut conn, waiting.id, 1, rosa).await.expect("answered");
    let first = proposals(&laboratory, &waiting).await.remove(0);
    let eve = actor(&mut conn, "eve", ActorKind::Person).await;
    edit::remove(&mut conn, waiting.id, 1, first.id, "known already", eve).await.expect("answered");
    laboratory.settle().await;
    for name in ["grace", "linus"] {
        let who = actor(&mut conn, name, ActorKind::Person).await;
        approve(&mut conn, waiting.id, 2, who).await.expect("answered");
    }
    drop(conn);
    laboratory.run().await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let rows = store::results::of_campaign(&mut conn, laboratory.campaign).await.expect("results");
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row.approved_by == "grace;linus"),
        "{:?}",
        rows.first()
    );
    let dossier = store::dossier::read(&mut conn, laboratory.campaign).await.expect("a dossier");
    let said: Vec<_> = dossier
        .expect("of a campaign")
        .verdicts
        .into_iter()
        .map(|verdict| (verdict.by, verdict.revision, verdict.frozen_hash.is_some()))
        .collect();
    let expected = [("rosa", 1, false), ("grace", 2, true), ("linus", 2, true)];
    assert_eq!(said, expected.map(|(name, revision, counts)| (name.to_owned(), revision, counts)));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_edit_moves_the_revision_and_what_was_edited_is_carried_out(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    let waiting = batch(&laboratory).await;
    let first = proposals(&laboratory, &waiting).await.remove(0);
    assert_eq!(first.experiment, gene("G000"));
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let person = laboratory.person;
    let removed =
        edit::remove(&mut conn, waiting.id, 1, first.id, "known already", person).await.expect("answered");
    assert_eq!(removed, Edited::Done { revision: 2, replaced_by: Some(gene("G012")), prediction_job: None });
    let stale = add(&mut conn, &waiting, 1, "G050", person).await;
    assert_eq!(stale, Edited::RevisionChanged { now: 2 });
    let added = add(&mut conn, &waiting, 2, "G050", person).await;
    assert_eq!(added, Edited::Done { revision: 3, replaced_by: None, prediction_job: None });
    let unknown = add(&mut conn, &waiting, 3, "MYC", person).await;
    assert_eq!(unknown, Edited::NotInPool { why: "MYC is not among the campaign's genes".into() });
    let undrafted = approve(&mut conn, waiting.id, 3, person).await.expect("answered");
    assert_eq!(undrafted, Approved::Closed(Closed::NotDrafted));
    drop(conn);

    laboratory.settle().await;
    let by_hand = proposals(&laboratory, &waiting).await.into_iter().find(|p| p.origin == Origin::Person);
    let by_hand = by_hand.expect("the added one");
    assert_eq!(by_hand.prediction.expect("looked up").mean, 0.75, "G050 is a hit to the learner");
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let own = approve(&mut conn, waiting.id, 3, person).await.expect("answered");
    assert_eq!(own, Approved::Closed(Closed::OwnEdit), "who edited is never the only approver");
    let other = actor(&mut conn, "grace", ActorKind::Person).await;
    approve(&mut conn, waiting.id, 3, other).await.expect("answered");
    drop(conn);
    laboratory.run().await;
    let measured: Vec<String> =
        sqlx::query_scalar("select perturbation from proposal where fate = 'measured' order by 1")
            .fetch_all(&laboratory.pool)
            .await
            .expect("measured");
    assert_eq!(measured.len(), 13);
    assert!(!measured.contains(&"G000".to_owned()) && measured.contains(&"G050".to_owned()));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_rejected_batch_is_proposed_anew_without_what_was_refused(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    let refused = batch(&laboratory).await;
    let person = laboratory.person;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let answer = reject(&mut conn, refused.id, 1, "all too well known", &Exclude::default(), person)
        .await
        .expect("answered");
    assert_eq!(answer, Rejected::Done);
    drop(conn);
    laboratory.run().await;
    let next = batch(&laboratory).await;
    assert_eq!((next.generation, next.state), (2, BatchState::AwaitingApproval));
    assert_ne!(next.layout_seed, refused.layout_seed);
    let chosen = proposals(&laboratory, &next).await;
    assert_eq!(chosen[0].experiment, gene("G012"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plan_that_cannot_be_holds_the_round_until_it_can(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { rounds: 1, blanks: 0, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let round = laboratory.last_round().await;
    assert_eq!(round.state, State::Held(Stage::AwaitingApproval));
    assert_eq!(round.why.expect("a reason").code, "plan.no_blank_plate");
    assert_eq!(laboratory.open_tasks().await, ["round.held"]);

    laboratory.stock(3, 60_000).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    control::resume(&mut conn, round.id, laboratory.person).await.expect("resumed");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

/// Approves the waiting batch, and takes away the blank plate that its plan begins with: it comes back.
async fn sent_back(laboratory: &mut Laboratory, blank: &str) -> Batch {
    let waiting = batch(laboratory).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    approve(&mut conn, waiting.id, waiting.revision, laboratory.person).await.expect("answered");
    store::inventory::set_stock_state(&mut conn, blank, store::inventory::StockState::Withdrawn)
        .await
        .expect("taken");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.open_tasks().await, ["batch.plan_differs"]);
    batch(laboratory).await
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nobody_is_asked_for_the_plan_of_a_batch_that_was_rejected_or_withdrawn(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    let back = sent_back(&mut laboratory, "P-001").await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let (id, revision, person) = (back.id, back.revision, laboratory.person);
    let answer = reject(&mut conn, id, revision, "no", &Exclude::default(), person).await;
    assert_eq!(answer.expect("answered"), Rejected::Done);
    assert!(laboratory.open_tasks().await.is_empty());

    laboratory.run().await;
    let next = sent_back(&mut laboratory, "P-002").await;
    assert_ne!(next.id, back.id);
    control::cancel(&mut conn, next.round_id, "no", laboratory.person).await.expect("cancelled");
    assert!(laboratory.open_tasks().await.is_empty());
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_batch_whose_plan_changed_since_it_was_approved_goes_back(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    let waiting = batch(&laboratory).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    approve(&mut conn, waiting.id, 1, laboratory.person).await.expect("answered");
    // Between approval and planning somebody takes the first blank plate away.
    store::inventory::set_stock_state(&mut conn, "P-001", store::inventory::StockState::Withdrawn)
        .await
        .expect("taken");
    drop(conn);
    laboratory.run().await;
    assert_eq!(laboratory.last_round().await.state, State::In(Stage::AwaitingApproval));
    assert_eq!(laboratory.open_tasks().await, ["batch.plan_differs"]);
    let back = batch(&laboratory).await;
    assert_eq!((back.state, back.revision, back.frozen_hash), (BatchState::AwaitingApproval, 2, None));
    let Some(Draft::Possible { plates, differs_from: Some(before), .. }) = back.draft else {
        panic!("{:?}", back.draft)
    };
    assert_eq!((before.plates[0].barcode.as_str(), plates[0].barcode.as_str()), ("P-001", "P-002"));
    assert_eq!(laboratory.count("select count(*) from plate").await, 0);

    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let again = approve(&mut conn, back.id, 2, laboratory.person).await.expect("answered");
    assert!(matches!(again, Approved::Frozen { .. }), "{again:?}");
    drop(conn);
    assert!(laboratory.open_tasks().await.is_empty());
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_design_space_that_is_used_up_ends_the_campaign(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { genes: 20, rounds: 5, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    let progress = laboratory.progress().await;
    assert_eq!(
        progress.finished_reason.as_deref(),
        Some("all 20 experiments of the design space are answered")
    );
    assert_eq!(progress.rounds.iter().map(|round| round.proposed).collect::<Vec<_>>(), [12, 8]);
}
