//! Where a search for work begins.
//!
//! An open snapshot (a backup, a forgotten psql) keeps every row that the queue gave out, and they lie before what is
//! ready: a search from the beginning of the order passes over all of them. Where that took long, the next searches
//! begin where the last one found something, for a while; then one looks from the beginning again. Meanwhile what became
//! ready before that place, or with more priority, waits, for [`LONGEST`] at most.

use crate::store::jobs::{Place, Wanted};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A search took long when it took this, and so much for each that it found.
const LONG: Duration = Duration::from_millis(20);
const LONG_EACH: Duration = Duration::from_micros(200);
/// Looks from the beginning take a tenth of the time, until they are as rare as this.
const RARER: u32 = 10;
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);

/// By what is wanted; only of searches that took long.
#[derive(Debug, Default)]
pub(super) struct Starts(HashMap<Arc<Wanted>, Start>);

#[derive(Clone, Copy, Debug)]
struct Start {
    place: Place,
    until: Instant,
}

impl Starts {
    /// Where to begin; [`Place::FIRST`] unless a look from there took long a moment ago.
    pub fn of(&self, wanted: &Wanted, now: Instant) -> Place {
        self.0.get(wanted).filter(|start| now < start.until).map_or(Place::FIRST, |start| start.place)
    }

    /// A search from `from` found what is at `places`, and as many as it was asked for or not.
    pub fn searched(&mut self, wanted: &Arc<Wanted>, search: &Search<'_>, now: Instant) {
        let last = search.places.iter().max().copied();
        let known = self.0.get_mut(wanted).filter(|start| now < start.until);
        match (known, last) {
            (Some(start), Some(last)) if search.from != Place::FIRST && search.is_full => start.place = last,
            (_, Some(place)) if search.from == Place::FIRST && search.took_long() => {
                let until = now + (search.took * RARER).clamp(SHORTEST, LONGEST);
                self.0.retain(|_, start| now < start.until);
                self.0.insert(Arc::clone(wanted), Start { place, until });
            }
            _ => drop(self.0.remove(wanted)),
        }
    }
}

/// How a search went.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub from: Place,
    pub places: &'a [Place],
    /// It found as many as it was asked for.
    pub is_full: bool,
    pub took: Duration,
}

impl Search<'_> {
    fn took_long(&self) -> bool {
        let found = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.took > LONG + LONG_EACH.saturating_mul(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Arc<Wanted> {
        Arc::new(Wanted { queue: "bench".to_owned(), capabilities: Vec::new(), instrument: None })
    }

    fn place(ready_order: i64) -> Place {
        Place { priority: 0, ready_order }
    }

    fn search(from: Place, places: &[Place], is_full: bool, milliseconds: u64) -> Search<'_> {
        Search { from, places, is_full, took: Duration::from_millis(milliseconds) }
    }

    #[test]
    fn quick_searches_begin_at_the_beginning() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        starts.searched(&wanted(), &search(Place::FIRST, &[place(7)], true, 15), now);
        assert_eq!(starts.of(&wanted(), now), Place::FIRST);
        let many = [place(7); 512];
        starts.searched(&wanted(), &search(Place::FIRST, &many, true, 100), now);
        assert_eq!(starts.of(&wanted(), now), Place::FIRST, "it found many");
    }

    #[test]
    fn after_a_long_one_the_next_go_on_where_the_last_found_something_for_a_while() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        let found = [place(900), place(902), place(901)];
        starts.searched(&wanted(), &search(Place::FIRST, &found, true, 80), now);
        assert_eq!(starts.of(&wanted(), now), place(902));
        let later = now + Duration::from_millis(700);
        starts.searched(&wanted(), &search(place(902), &[place(950)], true, 1), later);
        assert_eq!(starts.of(&wanted(), later), place(950));
        assert_eq!(starts.of(&wanted(), now + Duration::from_millis(800)), Place::FIRST, "ten times 80 ms");
    }

    #[test]
    fn a_very_long_one_is_not_repeated_for_five_seconds_and_then_is() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        starts.searched(&wanted(), &search(Place::FIRST, &[place(1)], true, 60_000), now);
        assert_eq!(starts.of(&wanted(), now + Duration::from_millis(4_999)), place(1));
        assert_eq!(starts.of(&wanted(), now + Duration::from_secs(5)), Place::FIRST);
    }

    #[test]
    fn where_too_little_was_found_the_beginning_is_looked_at_at_once() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        starts.searched(&wanted(), &search(Place::FIRST, &[place(9)], true, 80), now);
        starts.searched(&wanted(), &search(place(9), &[place(10)], false, 1), now);
        assert_eq!(starts.of(&wanted(), now), Place::FIRST);
        starts.searched(&wanted(), &search(Place::FIRST, &[], false, 80), now);
        assert_eq!(starts.of(&wanted(), now), Place::FIRST, "there is no place to go on from");
    }

    #[test]
    fn more_priority_comes_first_and_then_who_was_ready_first() {
        let urgent = Place { priority: 5, ready_order: 100 };
        assert!(Place::FIRST < urgent && urgent < place(1) && place(1) < place(2));
    }
}
