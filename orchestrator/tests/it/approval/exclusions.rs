//! A rejection keeps genes and tags out of the rest of its round.

use super::{approves, batch, by_people, person, selected};
use crate::laboratory::{Laboratory, Settings};
use orchestrator::batches::reject::{Exclude, Rejected, reject};
use orchestrator::rounds::state::{Stage, State};
use orchestrator::store;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn tagged(gene: usize) -> &'static str {
    match gene % 3 {
        0 => "third;kinase",
        1 => "kinase",
        _ => "",
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

async fn rejects(laboratory: &Laboratory, genes: &[&str], tags: &[&str]) -> Rejected {
    let waiting = batch(laboratory).await;
    let exclude = Exclude { proposals: Vec::new(), genes: names(genes), tags: names(tags) };
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let person = laboratory.person;
    reject(&mut conn, waiting.id, waiting.revision, "seen before", &exclude, person).await.expect("answered")
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn genes_and_tags_stay_out_for_the_rest_of_the_round_only(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let settings = Settings { rounds: 2, batch: 3, tags: tagged, ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    assert_eq!(selected(&laboratory).await, ["G000", "G001", "G002"]);
    assert_eq!(
        rejects(&laboratory, &["G001", "MYC"], &["third", "phosphatase"]).await,
        Rejected::Unknown { genes: names(&["MYC"]), tags: names(&["phosphatase"]) }
    );
    assert_eq!(rejects(&laboratory, &["G001"], &["third"]).await, Rejected::Done);
    laboratory.run().await;
    // Not those of the batch that were not named.
    assert_eq!(selected(&laboratory).await, ["G002", "G004", "G005"]);
    assert_eq!(rejects(&laboratory, &["G005"], &[]).await, Rejected::Done);
    laboratory.run().await;
    assert_eq!(selected(&laboratory).await, ["G002", "G004", "G007"]);
    let anew = batch(&laboratory).await;
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let mut excluded = store::exclusions::of_rounds(&mut conn, &[anew.round_id]).await.expect("read");
    let excluded = excluded.remove(&anew.round_id).expect("something");
    drop(conn);
    assert_eq!(
        excluded.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "every experiment with G001 (ada, generation 1: seen before)",
            "every experiment with a gene tagged third (ada, generation 1: seen before)",
            "every experiment with G005 (ada, generation 2: seen before)",
        ]
    );
    let grace = person(&laboratory, "grace").await;
    approves(&laboratory, grace, 1).await;
    laboratory.run().await;
    assert_eq!(batch(&laboratory).await.generation, 1, "of the second round");
    assert_eq!(selected(&laboratory).await, ["G000", "G001", "G003"]);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_learner_that_proposes_what_was_excluded_is_not_believed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    rejects(&laboratory, &["G000"], &[]).await;
    laboratory.settle().await;
    let lease = laboratory.lease(jobs::work::Kind::Propose).await.expect("asked anew");
    let jobs::Work::Propose(mut asked) = lease.work.clone() else { panic!("{lease:?}") };
    assert_eq!(asked.excluded_genes, ["G000"]);
    asked.excluded_genes.clear();
    let outcome = laboratory.carry_out(&jobs::Work::Propose(asked)).await;
    laboratory.report(&lease, outcome).await;
    laboratory.settle().await;
    let round = laboratory.last_round().await;
    assert_eq!(round.state, State::Held(Stage::Proposing));
    let why = round.why.expect("a reason");
    assert_eq!(why.code, "propose.unusable_answer");
    assert!(why.text.contains("G000 in donor-1 was not to be proposed"), "{}", why.text);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn when_nothing_is_left_the_round_says_so(options: PgPoolOptions, login: PgConnectOptions) {
    let settings = Settings { genes: 9, tags: |_| "all", ..by_people() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    rejects(&laboratory, &[], &["all"]).await;
    laboratory.run().await;
    let why = laboratory.last_round().await.why.expect("a reason");
    assert_eq!(why.code, "round.pool_exhausted");
}
