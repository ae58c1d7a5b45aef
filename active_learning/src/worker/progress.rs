//! How far a task on the model thread is, seen from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A share from 0 to 1, in thousandths.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU32>);

impl Progress {
    pub fn set(&self, share: f64) {
        self.0.store((share.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
    }

    pub fn share(&self) -> f64 {
        f64::from(self.0.load(Ordering::Relaxed)) / 1000.0
    }
}
