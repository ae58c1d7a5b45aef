//! The posterior of a whole screen is kept.

use crate::laboratory::{Laboratory, Settings};
use jobs::work::learn::Prediction;
use jobs::{Context, Experiment};
use orchestrator::store::predictions::{self, Predicted};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::{Duration, Instant};

fn predicted(index: u32) -> Predicted {
    let experiment = Experiment {
        perturbation: format!("GENE{index}").parse().expect("a gene"),
        context: Context("donor-1".into()),
    };
    let mean = f64::from(index) / 1000.0;
    let prediction = Prediction { mean, epistemic_sd: 0.1, aleatoric_sd: 0.2, hit_probability: 0.5 };
    Predicted { experiment, prediction, score: mean }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_posterior_of_twenty_thousand_is_kept_and_looked_up(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut laboratory = Laboratory::new(options, login, Settings::default()).await;
    laboratory.work_until(jobs::work::Kind::Dispense).await;
    let round = laboratory.last_round().await.id;
    let posterior: Vec<Predicted> = (0..20_000).map(predicted).collect();
    let mut conn = laboratory.pool.acquire().await.expect("a connection");
    let began = Instant::now();
    predictions::replace(&mut conn, round, &posterior).await.expect("kept");
    let took = began.elapsed();
    eprintln!("20,000 predictions kept in {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}: row by row?");
    let one = predictions::of(&mut conn, round, &posterior[777].experiment).await.expect("read");
    assert_eq!(one.as_ref(), Some(&posterior[777]));
    let best = predictions::best(&mut conn, round, 2).await.expect("read");
    assert_eq!(best[0].experiment.perturbation.to_string(), "GENE19999");
    // A new generation of the batch has a new posterior.
    predictions::replace(&mut conn, round, &posterior[..10]).await.expect("kept");
    assert_eq!(predictions::of(&mut conn, round, &posterior[777].experiment).await.expect("read"), None);
}
