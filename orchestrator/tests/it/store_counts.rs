//! What the store counts for pages and for the engine is what everything that was measured says.

use crate::laboratory::{Fault, Laboratory, Settings};
use jobs::work::Kind;
use orchestrator::campaigns::spec::HitRule;
use orchestrator::rounds::spent::Tally;
use orchestrator::rounds::summary::calls;
use orchestrator::store::accounts::{self, Counts};
use orchestrator::store::{observations, outlook, predictions};
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
    let rule = HitRule::Channel("call".into());
    for round in &rounds {
        let counted = observations::calls(&mut conn, round).await.expect("counted");
        assert_eq!(counted, calls(&all, round.number, &rule));
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

/// Proposal by proposal, through everything that is known of its wells.
const COUNTED_ONE_BY_ONE: &str = "select count(*),
        count(*) filter (where exists (
            select from well
            join dispense_record on dispense_record.plate_id = well.plate_id
                and dispense_record.destination_well = well.well
            where well.proposal_id = proposal.id and dispense_record.error is null)),
        count(*) filter (where exists (
            select from well
            join reading on reading.plate_id = well.plate_id and reading.well = well.well
            where well.proposal_id = proposal.id)),
        count(*) filter (where exists (
            select from observation
            join plate on plate.id = observation.plate_id
            where observation.proposal_id = proposal.id and plate.state in ('passed', 'released')))
     from proposal
     join batch on batch.id = proposal.batch_id
     where batch.round_id = $1
         and batch.state in ('awaiting_approval', 'approved', 'planned')
         and proposal.status = 'selected'";

async fn counts_are_right(laboratory: &Laboratory) -> Counts {
    let round = laboratory.last_round().await.id;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let counts = accounts::counts(&mut conn, round).await.expect("counted");
    let expected: (i64, i64, i64, i64) =
        sqlx::query_as(COUNTED_ONE_BY_ONE).bind(round.0).fetch_one(&mut *conn).await.expect("counted");
    let Counts { proposed, dispensed, measured, passed_qc } = counts;
    assert_eq!((proposed.into(), dispensed.into(), measured.into(), passed_qc.into()), expected);
    counts
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn experiments_on_several_plates_and_generations_count_once(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { genes: 200, batch: 100, rounds: 1, blanks: 20, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    // The first plate is lost after its dispense began, and one passes before the other is made again.
    laboratory.faults.push_back(Fault::Fails(Kind::Dispense));
    let lease = laboratory.work_until(Kind::Read).await;
    let halfway = counts_are_right(&laboratory).await;
    assert!(halfway.dispensed > 0 && halfway.dispensed <= halfway.proposed, "{halfway:?}");
    laboratory.start(&lease).await;
    let outcome = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, outcome).await;
    laboratory.settle().await;
    let one_read = counts_are_right(&laboratory).await;
    assert!(one_read.measured > 0 && one_read.measured < one_read.proposed, "{one_read:?}");
    laboratory.run().await;
    let Counts { proposed, dispensed, measured, passed_qc } = counts_are_right(&laboratory).await;
    assert_eq!([proposed, dispensed, measured, passed_qc], [100; 4]);
    let generations = laboratory.count("select count(*) from plate where generation = 2").await;
    assert_eq!(generations, 1, "a plate was made again");
}

async fn tallies_agree(laboratory: &Laboratory) {
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let expected = Tally::of(&laboratory.rounds().await);
    let stored = outlook::tallies(&mut conn, &[laboratory.campaign]).await.expect("read");
    assert_eq!(stored.get(&laboratory.campaign), Some(&expected));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_a_campaign_has_used_is_the_same_from_its_rounds_and_from_the_store(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 3, batch: 6, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    let lease = laboratory.work_until(Kind::Read).await;
    tallies_agree(&laboratory).await;
    laboratory.start(&lease).await;
    let outcome = laboratory.carry_out(&lease.work).await;
    laboratory.report(&lease, outcome).await;
    laboratory.run().await;
    tallies_agree(&laboratory).await;
    let done = "select count(*) from batch where state = 'planned'";
    assert_eq!(laboratory.count(done).await, 3, "the second look was at rounds that had closed");
    let kept = "select count(*) from batch where state = 'planned' and selected = (
        select count(*) from proposal where batch_id = batch.id and status = 'selected')";
    assert_eq!(laboratory.count(kept).await, 3, "what is over says how much it asked for");
}
