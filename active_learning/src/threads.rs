//! Loops of our own on as many threads as libtorch may use.

/// Fewer cheap items are done sooner than a thread is begun.
pub const WORTH_A_THREAD: usize = 1_024;

/// Gives each thread a run of whole blocks of `items`: `work(first, run)`, where `first` is the place of the run's first
/// item. What an item becomes must not depend on the run it is in; then it does not depend on the number of threads.
pub fn over<T: Send>(items: &mut [T], block: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    over_threads(usize::try_from(tch::get_num_threads()).unwrap_or(1), items, block, work);
}

/// What `work` makes of each place from 0 to `count`.
pub fn collect<T: Clone + Send>(count: usize, blank: T, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let mut items = vec![blank; count];
    over(&mut items, WORTH_A_THREAD, |first, run| {
        run.iter_mut().enumerate().for_each(|(place, item)| *item = work(first + place));
    });
    items
}

fn over_threads<T: Send>(
    threads: usize,
    items: &mut [T],
    block: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let run = items.len().div_ceil(block.max(1)).div_ceil(threads.max(1)) * block.max(1);
    if items.len() <= run {
        work(0, items);
        return;
    }
    std::thread::scope(|scope| {
        for (number, run_of_items) in items.chunks_mut(run).enumerate() {
            let work = &work;
            scope.spawn(move || work(number * run, run_of_items));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_met_once_at_its_place() {
        for threads in [1, 3] {
            for count in [0, 1, 7, 64, 100] {
                let mut items = vec![0; count];
                over_threads(threads, &mut items, 8, |first, run| {
                    run.iter_mut().enumerate().for_each(|(place, item)| *item += first + place + 1);
                });
                assert_eq!(items, (1..=count).collect::<Vec<_>>());
            }
        }
    }
}
