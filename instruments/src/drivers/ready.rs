//! Waits for a device that cannot be begun with just now: busy, starting again, out of reach for a while.

use super::timings::{Timings, Watch};
use jobs::work::Outcome;
use jobs::worker::{Attempt, NotBegun};
use jobs::{Failure, FailureClass};

/// How many of the longest pauses lie between two tries: each is a few calls.
const PAUSES: u32 = 5;

/// Why a device cannot be begun with just now.
#[derive(Debug)]
pub(super) enum NotReady {
    /// Somebody else uses it, for as long as he may take: that is no failure of the device.
    InUse(Failure),
    /// Whatever else. What may pass is tried again for a while.
    Failed(Failure),
}

impl From<Failure> for NotReady {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Tries `prepare`, which begins nothing, until it succeeds. What may pass is tried again, for as long as
/// [`Timings::readiness`] without a break; somebody's use of the device is waited for, under the lease that is held, for as
/// long as [`Timings::in_use`]. A stop, a loss of authority or the end of this process ends the waiting.
///
/// The lease is not given back meanwhile: it would come to this device again at once, and each time count as an attempt.
/// Who looks at the job is told what it waits for, and the watchdog that it was given out and has not begun.
pub(super) async fn until_ready<T, Prepared, Unready>(
    attempt: &Attempt,
    timings: Timings,
    prepare: impl Fn() -> Prepared,
) -> Result<T, Outcome>
where
    Prepared: Future<Output = Result<T, Unready>>,
    Unready: Into<NotReady>,
{
    let mut watch = Watch::new(Timings { poll_limit: timings.poll_limit * PAUSES, ..timings });
    let mut failing: Option<Watch> = None;
    loop {
        let (failure, has_had_its_time) = match prepare().await.map_err(Into::into) {
            Ok(ready) => return Ok(ready),
            Err(NotReady::InUse(failure)) => {
                failing = None;
                (failure, watch.has_run(timings.in_use))
            }
            Err(NotReady::Failed(failure)) => {
                let since = failing.get_or_insert_with(|| Watch::new(timings));
                let may_pass = failure.class == FailureClass::Transient;
                (failure, !may_pass || since.has_run(timings.readiness))
            }
        };
        if has_had_its_time {
            return Err(Outcome::Failed { failure });
        }
        tracing::warn!(%failure, "trying again");
        attempt.progress(format!("waiting for the device: {}", failure.message), None);
        tokio::select! {
            () = watch.pause() => {}
            halt = attempt.halted() => return Err(NotBegun::from(halt).into()),
            () = attempt.shutting_down() => return Err(NotBegun::ShuttingDown.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::wire::Lease;
    use jobs::work::Work;
    use jobs::work::physical::Manual;
    use jobs::{JobId, LeaseToken};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn attempt(spool: &tempfile::TempDir) -> Attempt {
        let work = Work::Manual(Manual { instruction: "seal it".to_owned(), plates: vec![] });
        let lease = Lease {
            job_id: JobId::fresh(),
            lease_token: LeaseToken::fresh(),
            attempt: 1,
            expires_in_seconds: 60,
            repeatable: false,
            deadline_lab_at: None,
            work,
        };
        Attempt::rehearsal(lease, spool.path()).unwrap()
    }

    /// Fast, and with a readiness of so many milliseconds.
    fn timings(readiness: u64) -> Timings {
        Timings {
            poll_first: Duration::from_millis(1),
            poll_limit: Duration::from_millis(1),
            readiness: Duration::from_millis(readiness),
            ..Timings::default()
        }
    }

    fn in_use(failure: Failure) -> NotReady {
        NotReady::InUse(failure)
    }

    #[tokio::test]
    async fn what_somebody_uses_is_waited_for_longer_than_what_fails() {
        let spool = tempfile::tempdir().unwrap();
        let began_at = std::time::Instant::now();
        let used_for = |time| {
            move || async move { if began_at.elapsed() < time { Err(in_use(busy())) } else { Err(busy().into()) } }
        };
        // Its failing counts from when it is not used any more.
        let used = Duration::from_millis(60);
        let given_up = until_ready::<(), _, _>(&attempt(&spool), timings(40), used_for(used)).await;
        assert_eq!(given_up, Err(Outcome::Failed { failure: busy() }));
        assert!(began_at.elapsed() >= Duration::from_millis(100));

        let short = Timings { in_use: Duration::from_millis(40), ..timings(60_000) };
        let given_up = until_ready(&attempt(&spool), short, || async { Err::<(), _>(in_use(busy())) }).await;
        assert_eq!(given_up, Err(Outcome::Failed { failure: busy() }));
    }

    fn busy() -> Failure {
        Failure::new(FailureClass::Transient, "x.busy", "Nothing was begun: it is busy.")
    }

    #[tokio::test]
    async fn what_may_pass_is_waited_for() {
        let spool = tempfile::tempdir().unwrap();
        let tries = AtomicUsize::new(0);
        let ready = until_ready(&attempt(&spool), timings(60_000), || async {
            if tries.fetch_add(1, Ordering::Relaxed) < 5 { Err(busy()) } else { Ok(7) }
        })
        .await;
        assert_eq!(ready, Ok(7));
    }

    #[tokio::test]
    async fn it_is_not_waited_for_without_end() {
        let spool = tempfile::tempdir().unwrap();
        let began_at = std::time::Instant::now();
        let given_up = until_ready(&attempt(&spool), timings(40), || async { Err::<(), _>(busy()) }).await;
        assert_eq!(given_up, Err(Outcome::Failed { failure: busy() }));
        assert!(began_at.elapsed() >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn what_does_not_pass_is_said_at_once() {
        let spool = tempfile::tempdir().unwrap();
        let tries = AtomicUsize::new(0);
        let refused = until_ready(&attempt(&spool), timings(60_000), || async {
            tries.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Failure { class: FailureClass::NeedsPerson, ..busy() })
        })
        .await;
        assert!(matches!(refused, Err(Outcome::Failed { .. })), "{refused:?}");
        assert_eq!(tries.into_inner(), 1);
    }

    #[tokio::test]
    async fn a_stop_ends_the_waiting() {
        let spool = tempfile::tempdir().unwrap();
        let attempt = attempt(&spool);
        let given_up = until_ready(&attempt, timings(60_000), || async {
            attempt.rehearse_stop();
            Err::<(), _>(busy())
        })
        .await;
        assert!(matches!(given_up, Err(Outcome::Stopped { .. })), "{given_up:?}");
    }
}
