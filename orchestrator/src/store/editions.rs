//! Editions of campaigns that were read before.
//!
//! An edition is never changed, so what was read of it holds for as long as its database does. Another one (restored, or
//! another server after a failover) cannot be there before a new connection is: with each that opens everything is
//! forgotten, and what was asked for before that is not kept.

use super::campaigns::Version;
use crate::ids::CampaignId;
use hashlink::LruCache;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A laboratory's campaigns of a season; each is its file and what that says, some tens of kilobytes.
const KEPT: usize = 64;

type Edition = (CampaignId, u32);

static KNOWN: LazyLock<Mutex<Known>> =
    LazyLock::new(|| Mutex::new(Known { openings: 0, editions: LruCache::new(KEPT) }));

struct Known {
    /// How often a connection was opened.
    openings: u64,
    editions: LruCache<Edition, Arc<Version>>,
}

/// Before something is read: how often a connection was opened until then.
#[derive(Clone, Copy)]
pub(super) struct Since(u64);

/// The edition, if it was read before; else what [`keep`] asks for.
pub(super) fn known(edition: Edition) -> std::result::Result<Arc<Version>, Since> {
    let mut known = lock();
    let since = Since(known.openings);
    known.editions.get(&edition).cloned().ok_or(since)
}

/// Keeps what was read, unless a connection was opened meanwhile.
pub(super) fn keep(edition: Edition, version: Version, Since(openings): Since) -> Arc<Version> {
    let version = Arc::new(version);
    let mut known = lock();
    if known.openings == openings {
        known.editions.insert(edition, Arc::clone(&version));
    }
    version
}

/// A connection was opened: it may be to another database.
pub(super) fn forget() {
    let mut known = lock();
    known.openings += 1;
    known.editions.clear();
}

/// Nothing that holds it can leave it half changed.
fn lock() -> std::sync::MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
