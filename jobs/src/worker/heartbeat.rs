//! Renews the lease at a third of its length, whatever the handler does, and passes on what the server says.

use super::attempt::Attempt;
use crate::client::{self, Client};
use crate::wire::Heartbeat;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Progress does not beat more often than this.
const SHORTEST: Duration = Duration::from_secs(2);

/// Beats until authority is lost; dropped when the attempt is over.
pub(super) async fn beat(client: Client, attempt: Arc<Attempt>, mut backoff: client::Backoff) {
    let mut progress = attempt.progress_updates();
    let signals = attempt.signals();
    let mut last = Instant::now();
    let mut retry: Option<Duration> = None;
    loop {
        let third = signals.borrow().lease / 3;
        let pause = retry.unwrap_or(third).min(third).max(Duration::from_millis(10));
        tokio::select! {
            () = sleep_until(last + pause) => {}
            Ok(()) = progress.changed(), if retry.is_none() => sleep_until(last + SHORTEST.min(pause)).await,
        }
        last = Instant::now();
        let job = attempt.lease().job_id;
        let said = progress.borrow_and_update().clone();
        let beat = Heartbeat { lease_token: attempt.lease().lease_token, progress: said };
        match client.heartbeat(job, &beat).await {
            Ok(answer) => {
                attempt.authority_confirmed(answer, last);
                backoff.reset();
                retry = None;
            }
            Err(error @ client::Error::AuthorityLost { .. }) => {
                tracing::warn!(%job, %error, "stopping at the next safe point");
                attempt.authority_was_lost();
                return;
            }
            Err(error) => {
                tracing::warn!(%job, %error, "a heartbeat did not arrive");
                retry = Some(backoff.next_wait());
            }
        }
    }
}
