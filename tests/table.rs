//! What became of a walk, for people.

use crate::walk::{Recovery, Walked};
use std::fmt::Write as _;

/// The table that `make chaos` prints.
pub fn table(walked: &Walked) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<20} {:>7} {:>10} {:>10} {:>10}",
        "killed", "times", "p50 (s)", "p99 (s)", "max (s)"
    );
    let mut all: Vec<Recovery> = Vec::new();
    for (process, recoveries) in &walked.recoveries {
        let _ = writeln!(text, "{}", row(process, recoveries));
        all.extend(recoveries);
    }
    let _ = writeln!(text, "{}", row("all", &all));
    let _ = writeln!(
        text,
        "\ncampaigns {}, kills {}, pauses beyond the lease {}\nlost {}, repeated {}, broken {}, in doubt {}, resolved by a look {}, settled by a late report {}",
        walked.campaigns,
        walked.kills,
        walked.pauses,
        walked.lost.len(),
        walked.repeated.len(),
        walked.broken.len(),
        walked.in_doubt,
        walked.resolved,
        walked.in_doubt.saturating_sub(walked.resolved),
    );
    for (what, found) in [("lost", &walked.lost), ("repeated", &walked.repeated), ("broken", &walked.broken)]
    {
        for sentence in found {
            let _ = writeln!(text, "{what}: {sentence}");
        }
    }
    for folder in &walked.kept {
        let _ = writeln!(text, "kept: {}", folder.display());
    }
    text
}

fn row(name: &str, recoveries: &[Recovery]) -> String {
    let mut seconds: Vec<f64> = recoveries.iter().map(|recovery| recovery.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let at = |percent| percentile(&seconds, percent);
    format!("{name:<20} {:>7} {:>10.2} {:>10.2} {:>10.2}", seconds.len(), at(50), at(99), at(100))
}

/// The smallest value that `percent` of all do not exceed; 0 of none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}
