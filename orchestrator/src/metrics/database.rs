//! Gauges read from the database: what is true of the whole installation, the same from every replica.

use crate::store::telemetry::Sample;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

/// One gauge: name (without `loopwright_`), help, names of its labels in the order of [`Sample::labels`].
pub type Described = (&'static str, &'static str, &'static [&'static str]);

/// Every gauge that `store::telemetry` reads.
pub const DATABASE_METRICS: &[Described] = &[
    ("queue_ready_jobs", "Jobs that wait for a worker", &["queue", "capability"]),
    (
        "queue_oldest_ready_seconds",
        "Age of the oldest job that a worker could take",
        &["queue", "capability"],
    ),
    ("queue_waiting_jobs", "Jobs that wait for others, or for their time", &["queue"]),
    ("leases", "Jobs in the hands of workers", &["queue", "phase"]),
    ("leases_expired", "Leases that ran out and were not reaped yet", &[]),
    ("jobs_in_doubt", "Jobs of which nobody knows how they ended", &[]),
    ("jobs_in_doubt_oldest_seconds", "How long the oldest of them waits for a person", &[]),
    ("settlements", "Settled jobs whose consequences are not drawn yet", &[]),
    ("rounds", "Rounds by state", &["state"]),
    ("batches_waiting", "Batches that wait for approval", &[]),
    ("batch_oldest_waiting_seconds", "Age of the oldest batch that waits for approval", &[]),
    ("plates", "Plates by state", &["state"]),
    ("tasks_open", "Tasks that wait for a person, by cause", &["cause"]),
    ("model_promoted_version", "Number of the model version in use", &["project", "campaign"]),
    (
        "model_held_out_log_score",
        "Mean log predictive density of held-out data, nats, of the version in use",
        &["project", "campaign"],
    ),
    ("model_coverage_90_ratio", "Share of held-out data inside the 90 % interval", &["project", "campaign"]),
    (
        "model_hit_calibration_error_ratio",
        "Expected calibration error of the hit probability",
        &["project", "campaign"],
    ),
    (
        "instrument_silent_seconds",
        "Since an agent last asked for work, of instruments in service",
        &["instrument"],
    ),
    ("outbox_entries", "Events whose consequences for people are not drawn yet", &[]),
    ("outbox_oldest_seconds", "Age of the oldest of them", &[]),
    ("deliveries", "Deliveries to channels by state", &["state"]),
    ("notifications_open", "Notifications that are not closed", &["topic", "severity"]),
    ("audit_position", "Events on the audit chain", &[]),
    ("events_unsealed", "Events without a position yet", &[]),
    ("events_unsealed_oldest_seconds", "Age of the oldest of them", &[]),
    ("schema_version", "Newest migration of the database", &[]),
    ("database_oldest_snapshot_seconds", "Age of the oldest transaction that holds vacuum back", &[]),
    (
        "database_statistics_visible",
        "1: the application may see other sessions (pg_read_all_stats), so oldest_snapshot is the truth",
        &[],
    ),
    ("database_dead_tuples", "Dead rows of the tables that churn", &["table"]),
];

/// The one histogram among them, whose buckets the database counts: from `round_stage_lab_seconds_bucket`, `_sum` and
/// `_count`.
pub const ROUND_STAGES: (&str, &str) = (
    "round_stage_lab_seconds",
    "Laboratory time that ended stages of rounds took, from all rounds there are",
);

type Gauges = Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>>;

/// Puts what was read into a registry of this scrape: a queue that is empty now is not shown as it was.
pub(super) fn register(samples: &[Sample], registry: &mut Registry) {
    let mut found: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        found.entry(sample.metric.as_str()).or_default().push(sample);
    }
    for (name, help, labels) in DATABASE_METRICS {
        let gauges = Gauges::default();
        for sample in found.remove(name).unwrap_or_default() {
            let of = labels.iter().copied().zip(sample.labels.iter().cloned()).collect();
            gauges.get_or_create(&of).set(sample.value);
        }
        registry.register(*name, *help, gauges);
    }
}

/// [`ROUND_STAGES`] as text: the library's own histograms only count what they observe themselves.
pub(super) fn round_stages(samples: &[Sample]) -> String {
    let (name, help) = ROUND_STAGES;
    let bound = |sample: &Sample| match sample.labels.get(1).map(String::as_str) {
        Some("+Inf") | None => f64::INFINITY,
        Some(bound) => bound.parse().unwrap_or(f64::INFINITY),
    };
    let mut found: Vec<&Sample> = samples.iter().filter(|sample| sample.metric.starts_with(name)).collect();
    if found.is_empty() {
        return String::new();
    }
    let mut text = format!("# HELP loopwright_{name} {help}.\n# TYPE loopwright_{name} histogram\n");
    found.sort_by(|a, b| {
        (a.labels.first(), &a.metric).cmp(&(b.labels.first(), &b.metric)).then(bound(a).total_cmp(&bound(b)))
    });
    for Sample { metric, labels, value } in found {
        let labels = ["stage", "le"].iter().zip(labels).map(|(name, word)| format!("{name}=\"{word}\""));
        let labels: Vec<String> = labels.collect();
        text += &format!("loopwright_{metric}{{{}}} {value}\n", labels.join(","));
    }
    text
}
