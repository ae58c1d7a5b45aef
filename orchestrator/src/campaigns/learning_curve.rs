//! Hits found, round by round, beside what choosing at random would have found.

use super::random_choice::hypergeometric_90;
use crate::ids::CampaignId;
use crate::rounds::progress::{Counted, counted, distinct};
use crate::rounds::state::State;
use crate::store::{self, Result};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LearningCurve {
    /// Experiments in the design space.
    pub pool_size: u64,
    /// How many hits the whole design space is thought to hold; absent before there is a model or a measurement.
    pub total_hits_estimate: Option<HitsEstimate>,
    /// Rounds that have measurements, first to last.
    pub rounds: Vec<CurvePoint>,
}

/// Nobody knows how many hits there are before everything is measured: this says where the number is from.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HitsEstimate {
    pub hits: u64,
    /// In words.
    pub basis: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CurvePoint {
    pub round: u32,
    /// Experiments that passed QC in this round.
    pub measured: u32,
    /// Of them, hits that were none before.
    pub hits: u32,
    /// Different experiments, up to this round.
    pub cumulative_measured: u32,
    /// Hits, as all measurements up to this round say.
    pub cumulative_hits: u32,
    /// Hits that choosing at random as many experiments as were measured up to this round, those measured again too,
    /// would have found on average; absent without an estimate of all hits.
    pub random_mean: Option<f64>,
    /// Central 90 % interval of the same (hypergeometric).
    pub random_low: Option<u64>,
    pub random_high: Option<u64>,
}

/// Reads the curve; `None` when there is no such campaign.
pub async fn learning_curve(conn: &mut PgConnection, id: CampaignId) -> Result<Option<LearningCurve>> {
    let Some(campaign) = store::campaigns::by_id(conn, id).await? else { return Ok(None) };
    let Some(version) = store::campaigns::version(conn, id, campaign.current_version).await? else {
        return Ok(None);
    };
    let rounds = store::rounds::of_campaign(conn, id).await?;
    let mut counts = Vec::with_capacity(rounds.len());
    for round in &rounds {
        let counted = counted(conn, round).await?;
        counts.push((round.number, counted));
    }
    let (found, _) = distinct(counts.iter().map(|(_, counted)| counted));
    let mut unmeasured = None;
    for round in rounds.iter().rev().filter(|round| round.state != State::Cancelled) {
        unmeasured = store::predictions::expected_hits_unmeasured(conn, id, round.id).await?;
        if unmeasured.is_some() {
            break;
        }
    }
    let estimate = unmeasured.map(|expected| HitsEstimate {
        hits: (u64::from(found) + expected.max(0.0).round() as u64).min(version.pool_size),
        basis: "hits found, and the sum of the model's probabilities for what is not measured yet".to_owned(),
    });
    counts.retain(|(_, counted)| counted.passed_qc > 0);
    let rounds = points(version.pool_size, estimate.as_ref().map(|estimate| estimate.hits), &counts);
    Ok(Some(LearningCurve { pool_size: version.pool_size, total_hits_estimate: estimate, rounds }))
}

/// Choosing at random never measures twice: what it is given for a repeat is a new experiment.
fn points(pool: u64, all_hits: Option<u64>, rounds: &[(u32, Counted)]) -> Vec<CurvePoint> {
    let mut spent = 0;
    let up_to = |place: usize| distinct(rounds[..=place].iter().map(|(_, counted)| counted));
    let point = |(place, (round, counted)): (usize, &(u32, Counted))| {
        let (cumulative_hits, cumulative_measured) = up_to(place);
        spent += u64::from(counted.passed_qc);
        let random = all_hits.map(|all| hypergeometric_90(pool, all, spent.min(pool)));
        CurvePoint {
            round: *round,
            measured: counted.passed_qc,
            hits: counted.hits,
            cumulative_measured,
            cumulative_hits,
            random_mean: random.map(|random| random.mean),
            random_low: random.map(|random| random.low),
            random_high: random.map(|random| random.high),
        }
    };
    rounds.iter().enumerate().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(passed_qc: u32, hits: u32, measured_again: u32, hits_withdrawn: u32) -> Counted {
        Counted { passed_qc, hits, measured_again, hits_withdrawn, ..Counted::default() }
    }

    #[test]
    fn counts_add_up_and_random_is_for_what_was_measured() {
        let rounds = [(1, counted(96, 2, 0, 0)), (2, counted(104, 20, 0, 0))];
        let curve = points(1000, Some(50), &rounds);
        let last = curve.last().unwrap();
        assert_eq!((last.cumulative_measured, last.cumulative_hits), (200, 22));
        assert_eq!(last.random_mean, Some(10.0));
        assert!(last.random_low < Some(10) && last.random_high > Some(10));
        assert_eq!(points(1000, None, &rounds[..1])[0].random_mean, None);
    }

    #[test]
    fn what_is_measured_again_is_counted_once_and_chance_gets_as_many_wells() {
        let curve = points(1000, Some(50), &[(1, counted(96, 2, 0, 0)), (2, counted(104, 20, 10, 1))]);
        let last = curve.last().unwrap();
        assert_eq!((last.measured, last.cumulative_measured, last.cumulative_hits), (104, 190, 21));
        assert_eq!(last.random_mean, Some(10.0), "200 measurements");
    }
}
