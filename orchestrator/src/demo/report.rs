//! The JSON object at the end of a headless run.

use super::bring_up::SpecimenReport;
use super::ground::Settings;
use serde_json::{Value, json};

/// Hits a random choice of `measured` experiments finds on average, exactly: the mean of the
/// hypergeometric distribution, `measured * hits / pool`.
pub fn expected_hits(measured: u64, specimen: &SpecimenReport) -> f64 {
    if specimen.pool_size == 0 {
        return 0.0;
    }
    as_f64(measured) * as_f64(specimen.hits_total) / as_f64(specimen.pool_size)
}

/// Counts here are far below 2^53.
pub fn as_f64(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// `progress`: the answer of `GET /campaigns/{id}/progress` of a campaign that has finished.
pub fn of(progress: &Value, specimen: &SpecimenReport, settings: &Settings) -> Value {
    let rounds: Vec<Value> =
        progress["rounds"].as_array().into_iter().flatten().map(|round| one(round, specimen)).collect();
    let sum = |field: &str| rounds.iter().filter_map(|round| round[field].as_u64()).sum::<u64>();
    let hits = sum("hits_found").saturating_sub(sum("hits_withdrawn"));
    let passed = sum("passed_qc");
    let expected = expected_hits(passed, specimen);
    json!({
        "campaign": progress["name"],
        "campaign_id": progress["campaign_id"],
        "state": progress["state"],
        "specimen": specimen.name,
        "seed": settings.seed,
        "pool": specimen.genes,
        "hits_in_pool": specimen.hits_total,
        "hits_found": hits,
        "hit_ratio": if specimen.hits_total > 0 { as_f64(hits) / as_f64(specimen.hits_total) } else { 0.0 },
        "expected_hits_for_random": expected,
        "enrichment": if expected > 0.0 { json!(as_f64(hits) / expected) } else { Value::Null },
        "rounds": rounds,
    })
}

fn one(round: &Value, specimen: &SpecimenReport) -> Value {
    let summary = &round["summary"];
    let passed = summary["passed_qc"].as_u64().unwrap_or(0);
    json!({
        "round": round["number"],
        "state": round["state"],
        "proposed": summary["proposed"],
        "dispensed": summary["dispensed"],
        "measured": summary["measured"],
        "passed_qc": summary["passed_qc"],
        "measured_again": summary["measured_again"],
        "hits_found": summary["hits_found"],
        "hits_withdrawn": summary["hits_withdrawn"],
        "expected_hits_for_random": expected_hits(passed, specimen),
        "model_version": summary["model_version"],
        "coverage_90": summary["coverage_90"],
        "stage_seconds": summary["stage_seconds"],
        "orchestration_seconds": summary["orchestration_seconds"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specimen() -> SpecimenReport {
        SpecimenReport {
            name: "s".into(),
            genes: 500,
            pool_size: 1000,
            hits_total: 50,
            measured: None,
            contexts: vec!["D1".into(), "D2".into()],
        }
    }

    #[test]
    fn random_choice_of_the_whole_pool_finds_every_hit() {
        assert!((expected_hits(1000, &specimen()) - 50.0).abs() < 1e-12);
    }

    #[test]
    fn random_expectation_is_for_what_was_measured() {
        let round = json!({"number": 1, "state": "closed", "summary": {"proposed": 128, "passed_qc": 100}});
        assert_eq!(one(&round, &specimen())["expected_hits_for_random"], json!(5.0));
    }
}
