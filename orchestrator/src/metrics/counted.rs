//! What this process counts by itself. Lost with the process, as Prometheus expects of counters.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::LazyLock;
use std::time::Duration;

/// Name and value of each label.
type Labels = Vec<(&'static str, String)>;

/// Buckets, in seconds.
#[derive(Clone)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

type Histograms = Family<Labels, Histogram, Buckets>;

/// A request to a fast database up to the longest wait for a lease.
const REQUEST: &[f64] = &[0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];
/// A wake-up up to a queue that stands.
const QUEUE: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3600.0];

/// The instruments of a process.
pub struct Counted {
    http_requests: Family<Labels, Counter>,
    http_request_seconds: Histograms,
    lease_latency_seconds: Histograms,
    job_dwell_seconds: Histograms,
    jobs_settled: Family<Labels, Counter>,
    engine_pass_seconds: Histograms,
    engine_errors: Family<Labels, Counter>,
}

static COUNTED: LazyLock<Counted> = LazyLock::new(Counted::new);

/// Those of this process.
pub fn counted() -> &'static Counted {
    &COUNTED
}

impl Counted {
    fn new() -> Self {
        let histograms = |buckets| Histograms::new_with_constructor(Buckets(buckets));
        Self {
            http_requests: Family::default(),
            http_request_seconds: histograms(REQUEST),
            lease_latency_seconds: histograms(QUEUE),
            job_dwell_seconds: histograms(QUEUE),
            jobs_settled: Family::default(),
            engine_pass_seconds: histograms(REQUEST),
            engine_errors: Family::default(),
        }
    }

    /// A request was answered. `route`: its template, as registered.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let of = vec![("method", method.to_owned()), ("route", route.to_owned())];
        self.http_request_seconds.get_or_create(&of).observe(took.as_secs_f64());
        let of = [of, vec![("status", status.to_string())]].concat();
        self.http_requests.get_or_create(&of).inc();
    }

    /// A job was handed to a worker. `waited`: while both were there, job and request; `dwell`: since it was ready.
    pub fn leased(&self, queue: &str, waited: Duration, dwell: Duration) {
        let of = vec![("queue", queue.to_owned())];
        self.lease_latency_seconds.get_or_create(&of).observe(waited.as_secs_f64());
        self.job_dwell_seconds.get_or_create(&of).observe(dwell.as_secs_f64());
    }

    /// The consequences of a settled job were drawn: once for each job, whichever replica does it.
    pub fn settled(&self, kind: &str, ending: &str) {
        let of = vec![("kind", kind.to_owned()), ("ending", ending.to_owned())];
        self.jobs_settled.get_or_create(&of).inc();
    }

    /// The engine looked at everything that may be moved on.
    pub fn engine_pass(&self, took: Duration) {
        self.engine_pass_seconds.get_or_create(&Labels::new()).observe(took.as_secs_f64());
    }

    /// A step of the engine or a loop failed, and is tried again.
    pub fn engine_error(&self, doing: &'static str, code: &'static str) {
        let of = vec![("doing", doing.to_owned()), ("code", code.to_owned())];
        self.engine_errors.get_or_create(&of).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let mut histogram = |name, help, metric: &Histograms| registry.register(name, help, metric.clone());
        histogram(
            "http_request_seconds",
            "Time from request to answer, by route",
            &self.http_request_seconds,
        );
        histogram(
            "lease_latency_seconds",
            "Time that a ready job and a worker asking for it waited for each other",
            &self.lease_latency_seconds,
        );
        histogram("job_dwell_seconds", "Time from ready to leased", &self.job_dwell_seconds);
        histogram(
            "engine_pass_seconds",
            "One look of the loop engine at everything",
            &self.engine_pass_seconds,
        );
        let mut counter =
            |name, help, metric: &Family<Labels, Counter>| registry.register(name, help, metric.clone());
        counter("http_requests", "Requests answered, by route and status", &self.http_requests);
        counter("jobs_settled", "Jobs whose consequences were drawn, by kind and ending", &self.jobs_settled);
        counter("engine_errors", "Failed steps of the engine's loops, by what they did", &self.engine_errors);
    }
}
