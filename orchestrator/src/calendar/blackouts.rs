//! When no round may begin.

use chrono::{DateTime, Utc};

/// One stretch of time, its end not in it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub reason: String,
}

/// All that hold for a campaign; they may overlap and touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blackouts(Vec<Window>);

impl Blackouts {
    pub fn new(mut windows: Vec<Window>) -> Self {
        windows.retain(|window| window.from < window.to);
        windows.sort_by_key(|window| (window.from, window.to));
        Self(windows)
    }

    /// The one that `at` is in.
    pub fn covering(&self, at: DateTime<Utc>) -> Option<&Window> {
        self.0.iter().find(|window| window.from <= at && at < window.to)
    }

    /// The beginning of the windows, one after the other, that `at` is in or at the end of; `at` without any. Whatever
    /// is before it is free before `at`.
    pub fn begin_of_chain(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let earlier = |at: DateTime<Utc>, window: &Window| {
            if window.from < at && at <= window.to { window.from } else { at }
        };
        self.0.iter().rev().fold(at, earlier)
    }

    /// The first instant from `at` on that is in none. Never decreasing in `at`.
    pub fn first_free(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        // Sorted by their beginnings: one that ends a chain cannot stand before it.
        self.0.iter().fold(at, |at, window| if window.from <= at && at < window.to { window.to } else { at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hours * 3600, 0).unwrap()
    }

    fn window(from: i64, to: i64) -> Window {
        Window { from: at(from), to: at(to), reason: format!("{from} to {to}") }
    }

    #[test]
    fn touching_and_overlapping_windows_are_left_at_the_last_end() {
        let blackouts = Blackouts::new(vec![window(20, 30), window(10, 20), window(12, 15), window(40, 40)]);
        assert_eq!(blackouts.first_free(at(9)), at(9));
        assert_eq!(blackouts.first_free(at(10)), at(30));
        assert_eq!(blackouts.first_free(at(30)), at(30));
        assert_eq!(blackouts.first_free(at(40)), at(40), "an empty one covers nothing");
        assert_eq!(blackouts.covering(at(13)).unwrap().reason, "10 to 20");
        assert_eq!(blackouts.covering(at(30)), None);
    }

    proptest! {
        #[test]
        fn leaving_keeps_the_order_and_ends_outside(
            windows in proptest::collection::vec((0i64..60, 0i64..20), 0..8), one in 0i64..90, two in 0i64..90
        ) {
            let blackouts = Blackouts::new(windows.iter().map(|(from, long)| window(*from, from + long)).collect());
            let [first, second] = [one.min(two), one.max(two)].map(|hours| blackouts.first_free(at(hours)));
            prop_assert!(first <= second);
            prop_assert!(first >= at(one.min(two)));
            prop_assert_eq!(blackouts.covering(first), None);
        }
    }
}
