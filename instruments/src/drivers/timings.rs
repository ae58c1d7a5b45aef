//! How long things may take.

use std::time::Duration;
use tokio::time::Instant;

/// Every wait for a device is bounded by one of these.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// Until the connection stands.
    pub connect: Duration,
    /// A whole small call.
    pub call: Duration,
    /// A whole upload or download.
    pub transfer: Duration,
    /// First and longest pause between two looks at the device.
    pub poll_first: Duration,
    pub poll_limit: Duration,
    /// How long a device that is out of reach, or refuses, is waited for before anything has begun.
    pub readiness: Duration,
    /// How long one that somebody else uses is waited for, before anything has begun.
    pub in_use: Duration,
    /// How long a device may take to analyse a protocol.
    pub analysis: Duration,
    /// How long a device that does not answer is waited for in the middle of its work.
    pub patience: Duration,
    /// The longest that one piece of work may take altogether, people's interventions included.
    pub longest_work: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(15),
            transfer: Duration::from_secs(120),
            poll_first: Duration::from_millis(20),
            poll_limit: Duration::from_secs(1),
            readiness: Duration::from_secs(600),
            in_use: Duration::from_secs(24 * 3600),
            analysis: Duration::from_secs(300),
            patience: Duration::from_secs(2 * 3600),
            longest_work: Duration::from_secs(24 * 3600),
        }
    }
}

/// Pauses that grow from `poll_first` to `poll_limit`, and two clocks that run out.
pub(super) struct Watch {
    timings: Timings,
    pause: Duration,
    began_at: Instant,
    answered_at: Instant,
}

impl Watch {
    pub fn new(timings: Timings) -> Self {
        let now = Instant::now();
        Self { timings, pause: timings.poll_first, began_at: now, answered_at: now }
    }

    pub async fn pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(self.timings.poll_limit);
    }

    /// The device answered.
    pub fn answered(&mut self) {
        self.answered_at = Instant::now();
    }

    /// The device has not answered for longer than anybody waits.
    pub fn is_patience_over(&self) -> bool {
        self.answered_at.elapsed() >= self.timings.patience
    }

    /// It has been watched for `time`.
    pub fn has_run(&self, time: Duration) -> bool {
        self.began_at.elapsed() >= time
    }

    pub fn is_overdue(&self) -> bool {
        self.has_run(self.timings.longest_work)
    }
}
