//! Hits found, round by round, beside what choosing at random would have found.

use super::random_choice::hypergeometric_90;
use crate::ids::CampaignId;
use crate::rounds::progress::counted;
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
    /// Of them, hits.
    pub hits: u32,
    pub cumulative_measured: u32,
    pub cumulative_hits: u32,
    /// Hits that choosing `cumulative_measured` experiments at random would have found on average; absent without an
    /// estimate of all hits.
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
        counts.push((round.number, counted.passed_qc, counted.hits));
    }
    let found: u32 = counts.iter().map(|(.., hits)| hits).sum();
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
    let counts = counts.into_iter().filter(|(_, passed_qc, _)| *passed_qc > 0);
    let rounds = points(version.pool_size, estimate.as_ref().map(|estimate| estimate.hits), counts);
    Ok(Some(LearningCurve { pool_size: version.pool_size, total_hits_estimate: estimate, rounds }))
}

fn points(
    pool: u64,
    all_hits: Option<u64>,
    rounds: impl Iterator<Item = (u32, u32, u32)>,
) -> Vec<CurvePoint> {
    let (mut cumulative_measured, mut cumulative_hits) = (0, 0);
    rounds
        .map(|(round, measured, hits)| {
            cumulative_measured += measured;
            cumulative_hits += hits;
            let random = all_hits.map(|all| hypergeometric_90(pool, all, cumulative_measured.into()));
            CurvePoint {
                round,
                measured,
                hits,
                cumulative_measured,
                cumulative_hits,
                random_mean: random.map(|random| random.mean),
                random_low: random.map(|random| random.low),
                random_high: random.map(|random| random.high),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_random_is_for_what_was_measured() {
        let curve = points(1000, Some(50), [(1, 96, 2), (2, 104, 20)].into_iter());
        let last = curve.last().unwrap();
        assert_eq!((last.cumulative_measured, last.cumulative_hits), (200, 22));
        assert_eq!(last.random_mean, Some(10.0));
        assert!(last.random_low < Some(10) && last.random_high > Some(10));
        assert_eq!(points(1000, None, [(1, 96, 2)].into_iter())[0].random_mean, None);
    }
}
