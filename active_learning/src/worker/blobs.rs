//! Blobs kept in memory between jobs: feature tables and priors are the same every round.

use bytes::Bytes;
use jobs::Digest;
use jobs::worker::Attempt;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Bytes kept at most, beside the last blob.
const LIMIT: usize = 256 << 20;

#[derive(Default)]
pub(super) struct Blobs {
    /// The most recently used last.
    kept: Mutex<VecDeque<(Digest, Bytes)>>,
}

impl Blobs {
    pub async fn get(&self, attempt: &Attempt, digest: Digest) -> Result<Bytes, jobs::client::Error> {
        if let Some(bytes) = self.touch(digest) {
            return Ok(bytes);
        }
        let bytes = attempt.get_blob(digest).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((digest, bytes.clone()));
        while kept.len() > 1 && kept.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > LIMIT {
            kept.pop_front();
        }
        Ok(bytes)
    }

    fn touch(&self, digest: Digest) -> Option<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(known, _)| *known == digest)?;
        let found = kept.remove(place)?;
        let bytes = found.1.clone();
        kept.push_back(found);
        Some(bytes)
    }
}
