//! What people add that the posterior does not have is asked of a learner, and nobody waits for it.

use super::{adds, approves, batch, by_people, person, proposals};
use crate::laboratory::Laboratory;
use crate::laboratory::learner::viability;
use jobs::work::learn::{PredictResult, Prediction};
use jobs::work::readout::ReadoutPrediction;
use jobs::work::{Kind, Outcome, Output};
use jobs::{Failure, FailureClass, Work};
use orchestrator::batches::approve::Approved;
use orchestrator::batches::edit::Edited;
use orchestrator::store::proposals::{Origin, Proposal};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn added(laboratory: &Laboratory) -> Proposal {
    let all = proposals(laboratory, &batch(laboratory).await).await;
    all.into_iter().find(|it| it.origin == Origin::Person).expect("the added one")
}

/// A batch with one by hand whose prediction is asked for.
async fn asked(options: PgPoolOptions, login: PgConnectOptions) -> Laboratory {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    sqlx::query("delete from prediction where perturbation = 'G041'")
        .execute(&laboratory.pool)
        .await
        .expect("a gap");
    let (edited, out) = adds(&laboratory, laboratory.person, 1, "G041").await;
    let Edited::Done { revision: 2, prediction_job: Some(_), .. } = edited else { panic!("{edited:?}") };
    assert!(out.queues.contains("predict"), "{out:?}");
    assert_eq!(added(&laboratory).await.prediction, None);
    laboratory
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn the_answer_is_filled_in_when_it_comes(options: PgPoolOptions, login: PgConnectOptions) {
    let laboratory = asked(options, login).await;
    let lease = laboratory.lease(Kind::Predict).await.expect("a question");
    let Work::Predict(question) = &lease.work else { panic!("{lease:?}") };
    assert_eq!(question.experiments, [added(&laboratory).await.experiment]);
    let prediction = Prediction { mean: 0.3, epistemic_sd: 0.2, aleatoric_sd: 0.1, hit_probability: 0.25 };
    let component = ReadoutPrediction { readout: "paint/area".into(), ..viability(0.8) };
    let readouts = vec![vec![viability(0.8), component]];
    let result = PredictResult { predictions: vec![prediction], readouts, grounds: vec![] };
    let output = Output::Predict(result);
    laboratory.report(&lease, Outcome::Succeeded { output: Box::new(output) }).await;
    laboratory.settle().await;
    let known = added(&laboratory).await;
    assert_eq!((known.prediction, known.score), (Some(prediction), None));
    assert_eq!(known.readouts, [viability(0.8)], "of vectors a proposal keeps nothing");
    let first = proposals(&laboratory, &batch(&laboratory).await).await.remove(0);
    assert_eq!((first.origin, first.readouts), (Origin::Model, vec![viability(0.9)]), "as it was proposed");
    assert_eq!(batch(&laboratory).await.revision, 2, "what is asked for did not change");
    assert!(laboratory.event_kinds().await.contains(&"BatchPredictionAdded".to_owned()));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn without_an_answer_it_is_approved_and_carried_out(options: PgPoolOptions, login: PgConnectOptions) {
    let mut laboratory = asked(options, login).await;
    laboratory.settle().await;
    let grace = person(&laboratory, "grace").await;
    assert!(matches!(approves(&laboratory, grace, 2).await, Approved::Frozen { .. }));
    let lease = laboratory.lease(Kind::Predict).await.expect("a question");
    let failure = Failure::new(FailureClass::Permanent, "test.failed", "The learner does not know it.");
    laboratory.report(&lease, Outcome::Failed { failure }).await;
    laboratory.run().await;
    assert_eq!(laboratory.progress().await.state, "finished");
    let measured = "select count(*) from proposal where perturbation = 'G041' and fate = 'measured'";
    assert_eq!(laboratory.count(measured).await, 1);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_is_not_of_the_design_space_is_refused_with_the_reason(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, by_people()).await;
    laboratory.run().await;
    for (perturbation, why) in [
        ("MYC", "MYC is not among the campaign's genes"),
        ("G001+G002", "the campaign asks for single genes, and this is a perturbation of 2"),
    ] {
        let (edited, _) = adds(&laboratory, laboratory.person, 1, perturbation).await;
        assert_eq!(edited, Edited::NotInPool { why: why.to_owned() });
    }
    assert_eq!(laboratory.count("select count(*) from job where kind = 'predict'").await, 0);
    assert_eq!(laboratory.count("select count(*) from batch_edit").await, 0);
}
