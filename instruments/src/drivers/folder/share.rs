//! A folder that may lie on another machine: each look is bounded in time, and there is one at a time.

use jobs::{Failure, FailureClass};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A folder did not do as it should.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}: {detail}")]
pub(super) struct ShareError {
    doing: &'static str,
    detail: String,
    class: FailureClass,
}

impl ShareError {
    /// As a failure of work of which nothing was asked.
    pub fn nothing_asked(&self, driver: &str) -> Failure {
        let message =
            format!("Nothing was begun: {self}. Look whether the folder is there and may be written.");
        Failure::new(self.class, format!("{driver}.folder"), message)
    }

    /// Something else than a person has to do about it.
    fn needs_person(doing: &'static str, detail: String) -> Self {
        Self { doing, detail, class: FailureClass::NeedsPerson }
    }

    fn of(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        let detail = format!("{}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
            | io::ErrorKind::InvalidData
            | io::ErrorKind::NotADirectory => Self::needs_person(doing, detail),
            _ => Self { doing, detail, class: FailureClass::Transient },
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Share {
    /// A share that hangs keeps one thread, not one a look.
    one_at_a_time: Arc<Semaphore>,
    limit: Duration,
}

impl Share {
    pub fn new(limit: Duration) -> Self {
        Self { one_at_a_time: Arc::new(Semaphore::new(1)), limit }
    }

    /// Runs `work` beside, for as long as the limit. Work that outlives it goes on, and keeps others out.
    pub async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        path: &Path,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ShareError> {
        let slow = || ShareError {
            doing,
            detail: format!("{} does not answer within {} s", path.display(), self.limit.as_secs_f64()),
            class: FailureClass::Transient,
        };
        let permit = tokio::time::timeout(self.limit, self.one_at_a_time.clone().acquire_owned());
        let Ok(Ok(permit)) = permit.await else { return Err(slow()) };
        let of_work = path.to_owned();
        let beside = tokio::task::spawn_blocking(move || {
            let done = work(&of_work);
            drop(permit);
            done
        });
        match tokio::time::timeout(self.limit, beside).await {
            Err(_) => Err(slow()),
            Ok(Err(panic)) => Err(ShareError { doing, detail: panic.to_string(), class: FailureClass::Bug }),
            Ok(Ok(done)) => done.map_err(|error| ShareError::of(doing, path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_share_that_hangs_is_given_up_and_keeps_one_thread() {
        let share = Share::new(Duration::from_millis(20));
        let (release, held) = std::sync::mpsc::channel::<()>();
        let path = Path::new("/mnt/reader");
        let hangs = share.run("look", path, move |_| Ok(held.recv().is_ok())).await.unwrap_err();
        assert_eq!(hangs.to_string(), "could not look: /mnt/reader does not answer within 0.02 s");
        // Not even begun: the first still hangs.
        let second = share.run("look", path, |_| Ok(())).await;
        assert!(second.is_err());
        release.send(()).unwrap();
        let patient = Share { limit: Duration::from_secs(10), ..share };
        patient.run("look", path, |_| Ok(())).await.unwrap();
    }

    #[tokio::test]
    async fn what_time_does_not_mend_is_a_persons() {
        let share = Share::new(Duration::from_secs(5));
        let class = |kind: io::ErrorKind| {
            let share = share.clone();
            async move {
                let failed = share.run("look", Path::new("/x"), move |_| Err::<(), _>(kind.into())).await;
                failed.unwrap_err().nothing_asked("folder_reader").class
            }
        };
        assert_eq!(class(io::ErrorKind::PermissionDenied).await, FailureClass::NeedsPerson);
        assert_eq!(class(io::ErrorKind::NotFound).await, FailureClass::Transient);
    }
}
