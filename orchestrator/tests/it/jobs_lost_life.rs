//! What was done in a life of the database that was lost: never done again before a person's word.

use crate::support::as_application;
use crate::work::{Lab, dispense, output, read, stopped, succeeded, unknown};
use jobs::wire::Disposition;
use jobs::work::physical::{Dispense, DispenseResult, Transfer, TransferReport};
use jobs::work::{Outcome, Output};
use jobs::{Digest, JobId, LeaseToken, Work};
use orchestrator::ids::SYSTEM;
use orchestrator::people::Visible;
use orchestrator::planning::BlankPlate;
use orchestrator::store::inventory::{self, LibraryPlate};
use orchestrator::store::jobs::{
    self as store, IN_DOUBT_TASK, NewJob, ORPHAN_TASK, Reported, Resolution, Resolved,
};
use orchestrator::store::{reconciliation, tasks};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn disposition(reported: &Reported) -> Option<Disposition> {
    match reported {
        Reported::Taken(disposition, _) => Some(*disposition),
        _ => None,
    }
}

async fn open_tasks(lab: &Lab) -> Vec<String> {
    let open = tasks::list(&mut *lab.conn().await, &Visible::All, true, None, 100).await.expect("tasks");
    open.into_iter().map(|task| task.cause).collect()
}

async fn resolve(lab: &Lab, job: JobId, resolution: Resolution) -> Resolved {
    let resolved = store::resolve(&mut *lab.conn().await, job, resolution, SYSTEM, "looked").await;
    resolved.expect("an answer")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_that_a_lost_life_had_done_is_given_to_nobody(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let upstream = lab.create(NewJob::new(read())).await;
    let waiting = lab.after(dispense(), &[upstream]).await;
    let ready = lab.create(NewJob::new(dispense())).await;
    let token = LeaseToken::fresh();
    for job in [waiting, ready] {
        let reported = lab.report_with_lease(job, token, &dispense(), succeeded(&dispense())).await;
        assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
        assert_eq!(lab.state(job).await, "in_doubt");
    }
    let again = lab.report_with_lease(ready, token, &dispense(), succeeded(&dispense())).await;
    assert_eq!(disposition(&again), Some(Disposition::AlreadyDone));
    let other = lab.report_with_lease(ready, token, &dispense(), unknown()).await;
    assert_eq!(disposition(&other), Some(Disposition::KeptAsEvidence), "no report takes it out of doubt");
    assert_eq!(lab.state(ready).await, "in_doubt");
    assert_eq!(open_tasks(&lab).await.iter().filter(|cause| *cause == IN_DOUBT_TASK).count(), 2);

    let lease = lab.lease().await.expect("the reading is ready");
    assert_eq!(lease.job_id, upstream);
    assert!(lab.lease().await.is_none(), "nobody is given what is in doubt");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_given_again_and_not_begun_is_taken_back(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(dispense())).await;
    let lease = lab.lease().await.expect("work");
    lab.report_of_lost_life(job, &dispense()).await;
    assert_eq!(lab.state(job).await, "in_doubt");
    let started = store::start(&mut *lab.conn().await, job, lease.lease_token, crate::work::LEASE).await;
    assert_eq!(started.expect("an answer"), store::Authority::Lost);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_never_began_in_the_lost_life_is_done_here(options: PgPoolOptions, login: PgConnectOptions) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(dispense())).await;
    let summary = jobs::wire::LeaseSummary { attempt: 1, instrument: None, begun: false, work: dispense() };
    let report = jobs::wire::Report {
        lease_token: LeaseToken::fresh(),
        outcome: stopped(),
        lease: Some(Box::new(summary)),
    };
    let reported = store::report(&mut *lab.conn().await, job, lab.worker, &report).await.expect("a report");
    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    assert_eq!(lab.state(job).await, "ready");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn done_takes_what_the_device_had_reported_and_in_the_order_of_the_work(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let first = lab.create(NewJob::new(dispense())).await;
    let second = lab.after(read(), &[first]).await;
    lab.report_of_lost_life(first, &dispense()).await;
    lab.report_of_lost_life(second, &read()).await;

    assert_eq!(resolve(&lab, second, Resolution::Done).await, Resolved::ComesAfter(vec![first]));
    assert_eq!(lab.state(second).await, "in_doubt");
    assert!(matches!(resolve(&lab, first, Resolution::Done).await, Resolved::Settled { .. }));
    assert!(matches!(resolve(&lab, second, Resolution::Done).await, Resolved::Settled { .. }));
    for (job, work) in [(first, dispense()), (second, read())] {
        let detail = store::get(&mut *lab.conn().await, job).await.expect("the job");
        assert_eq!(detail.output, Some(serde_json::json!(output(&work))));
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn not_done_orders_it_again_and_what_is_in_doubt_after_it_waits_for_the_new_one(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let first = lab.create(NewJob::new(dispense())).await;
    let second = lab.after(read(), &[first]).await;
    lab.report_of_lost_life(first, &dispense()).await;
    lab.report_of_lost_life(second, &read()).await;
    let Resolved::Settled { replaced_by: Some(new), .. } = resolve(&lab, first, Resolution::NotDone).await
    else {
        panic!("it is ordered again")
    };
    assert_eq!(resolve(&lab, second, Resolution::Done).await, Resolved::ComesAfter(vec![new]));
    assert!(matches!(resolve(&lab, second, Resolution::NotDone).await, Resolved::Settled { .. }));
    assert_eq!(lab.state(new).await, "ready");
}

fn written_into(barcode: &str) -> Work {
    let transfer = |well: &str| Transfer {
        source_barcode: "L1".to_owned(),
        source_well: "A1".to_owned(),
        destination_barcode: barcode.to_owned(),
        destination_well: well.to_owned(),
        volume_nl: 100,
        liquid_class: "water".to_owned(),
    };
    let transfers = vec![transfer("A1"), transfer("A2")];
    Work::Dispense(Dispense { deck: Vec::new(), tip_rack_slots: Vec::new(), transfers })
}

fn with_volumes() -> Outcome {
    let report = |index, actual_nl| TransferReport { index, actual_nl, error: None };
    let result = DispenseResult {
        transfers: vec![report(0, Some(90)), report(1, None)],
        device_run_id: "run-1".to_owned(),
        recovered_from_error: false,
        raw: Digest::of(b"run-1"),
    };
    Outcome::Succeeded { output: Box::new(Output::Dispense(result)) }
}

async fn stock(lab: &Lab) {
    let mut conn = lab.conn().await;
    let library = LibraryPlate {
        barcode: "L1".to_owned(),
        labware: "corning_384_wellplate_112ul_flat".to_owned(),
        wells: vec![("A1".to_owned(), "GENE".to_owned(), 1_000)],
    };
    inventory::add_library_plate(&mut conn, &library).await.expect("a library plate");
    let blank = BlankPlate {
        barcode: "P1".to_owned(),
        labware: "corning_384_wellplate_112ul_flat".to_owned(),
        context: "K562".to_owned(),
    };
    inventory::add_blank_plate(&mut conn, &blank).await.expect("a blank plate");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_person_is_told_what_is_known_and_what_each_choice_will_do(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    let job = lab.create(NewJob::new(written_into("P1"))).await;
    lab.report_with_lease(job, LeaseToken::fresh(), &written_into("P1"), with_volumes()).await;
    let detail = store::get(&mut *lab.conn().await, job).await.expect("the job");
    let doubt = detail.in_doubt.expect("in doubt");
    assert_eq!((doubt.awaits_person, doubt.claims.as_deref()), (true, Some("succeeded")));
    assert_eq!(doubt.instrument.as_deref(), Some("handler-1"));
    let volumes: Vec<_> = doubt.transfers.iter().map(|one| (one.intended_nl, one.reported_nl)).collect();
    assert_eq!(volumes, [(100, Some(90)), (100, None)]);
    let will: Vec<_> = doubt.choices.iter().map(|choice| (choice.resolution, choice.will.as_str())).collect();
    let [(Resolution::Done, done), (Resolution::NotDone, not_done), (Resolution::PlateLost, lost)] = will[..]
    else {
        panic!("three choices: {will:?}")
    };
    assert!(done.contains("190 nl are written off (as reported)"), "{done}");
    assert!(not_done.contains("ordered again") && not_done.contains("Nothing is written off"), "{not_done}");
    assert!(lost.contains("made again") && lost.contains("190 nl"), "{lost}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_job_that_nobody_knows_withdraws_its_plate_and_writes_off_what_it_drew(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let lab = Lab::new(as_application(options, login).await).await;
    stock(&lab).await;
    let (job, token) = (JobId::fresh(), LeaseToken::fresh());

    let reported = lab.report_with_lease(job, token, &written_into("P1"), with_volumes()).await;
    assert_eq!(disposition(&reported), Some(Disposition::KeptAsEvidence));
    let again = lab.report_with_lease(job, token, &written_into("P1"), with_volumes()).await;
    assert_eq!(disposition(&again), Some(Disposition::AlreadyDone));

    let left = lab.count("select volume_nl from stock_well where barcode = 'L1'").await;
    assert_eq!(left, 1_000 - 90 - 100, "as reported, and as asked where nothing was said");
    // First it could not say, then it could: the same liquid.
    lab.report_with_lease(job, token, &written_into("P1"), unknown()).await;
    assert_eq!(lab.count("select volume_nl from stock_well where barcode = 'L1'").await, left);
    assert_eq!(
        lab.count("select count(*) from stock_plate where barcode = 'P1' and state = 'withdrawn'").await,
        1
    );
    assert_eq!(lab.count("select count(*) from orphan_report").await, 2);
    let open = tasks::list(&mut *lab.conn().await, &Visible::All, true, None, 100).await.expect("tasks");
    let told = open.iter().find(|task| task.cause == ORPHAN_TASK).expect("a person is told");
    assert!(told.message.contains("Withdrawn from stock, to go to waste: P1"), "{}", told.message);
    assert!(told.message.contains("190 nl") && told.message.contains("cannot say"), "{}", told.message);

    let without = lab.report(JobId::fresh(), LeaseToken::fresh(), succeeded(&read())).await;
    assert_eq!(without, Reported::NoSuchJob, "nothing is known of it");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn leases_out_of_a_dump_end_when_the_reconciliation_opens(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let lab = Lab::new(as_application(options, login).await).await;
    let begun = lab.running(dispense()).await;
    let repeatable = lab.running(read()).await;
    let given = lab.create(NewJob::new(dispense())).await;
    lab.lease().await.expect("work");
    orchestrator::store::epoch::begin(&mut owner.acquire().await.expect("a connection"))
        .await
        .expect("a life");

    reconciliation::observe(&mut *lab.conn().await).await.expect("a look").expect("it is opened");

    assert_eq!(lab.state(begun.job_id).await, "in_doubt");
    assert_eq!(lab.state(repeatable.job_id).await, "ready");
    assert_eq!(lab.state(given).await, "ready");
    let late = lab.report(begun.job_id, begun.lease_token, succeeded(&dispense())).await;
    assert_eq!(
        disposition(&late),
        Some(Disposition::Accepted),
        "the lease of the dump is still the last one"
    );
}
