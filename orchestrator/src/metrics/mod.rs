//! What Prometheus sees of this process: its own counters and histograms, and gauges read from the database on a
//! scrape (docs/metrics.md lists them all; a test holds that list).
//!
//! The instruments are the process's own, like its memory, and not passed around: whoever counts asks [`counted`].
//! Labels take words that we chose, and names of campaigns and instruments up to a bound: never what a client sent.

mod counted;
mod database;
mod machine;
mod scrape;

pub use counted::{Counted, counted};
pub use database::{DATABASE_METRICS, ROUND_STAGES};
pub use scrape::{CONTENT_TYPE, Scraper};
