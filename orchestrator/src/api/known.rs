//! What workers' requests ask for each time and what changes rarely, remembered for a moment: whose token it is, whether
//! work is given out in this life of the database.
//!
//! A thousand workers that come back a dozen times a second, or wait half a minute each, are looked up once in five
//! minutes. They are known for as long as nobody's powers change, which is asked once a second for all of them
//! ([`Access`]): a worker's token that is revoked elsewhere (another replica, a command) opens the routes of work, and
//! of files, here for [`HOLDS`] at most; one that is revoked through this process, no longer.

use super::caller::Caller;
use crate::store::access::Access;
use crate::store::reconciliation::Gate;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long something is taken to be as it was.
const HOLDS: Duration = Duration::from_secs(1);
/// For so long one who needs to look waits for another who does.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so long a caller is looked up again although nothing changed: when a token was used last is written then.
const CALLER_HOLDS: Duration = Duration::from_secs(300);
/// More is not remembered: strangers cannot fill the memory, since only what was found is.
const LIMIT: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Known {
    callers: Remembered<[u8; 32], Admitted>,
    access: Remembered<(), Access>,
    gate: Remembered<(), Gate>,
    /// One looks at a time, see [`Known::looks`].
    looking: tokio::sync::Mutex<()>,
}

impl Known {
    /// Whose token `secret` is, and which life of the database says so. `None` also for one who comes when what is known
    /// of everybody's powers is half as old as it may be: that one looks again for all.
    pub fn caller(&self, secret: &str) -> Option<(Caller, String)> {
        let access = self.access.get_or_renew(&(), HOLDS)?;
        let admitted = self.callers.get(&digest(secret), CALLER_HOLDS)?;
        let holds = admitted.under == access && Instant::now() < admitted.until;
        holds.then_some((admitted.caller, access.epoch))
    }

    /// To be kept while one looks what is not known any more. When a thousand who waited come back in the same moment,
    /// after a restart or a quiet half minute, one of them looks and the others find what it saw. Nobody waits for
    /// long: with `None` the caller looks for itself.
    pub async fn looks(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        tokio::time::timeout(PATIENCE, self.looking.lock()).await.ok()
    }

    /// As somebody read it a moment ago.
    pub fn access_just_read(&self) -> Option<Access> {
        self.access.get(&(), HOLDS / 2)
    }

    /// The same of the gate, where it was open.
    pub fn gate_just_read(&self) -> Option<Gate> {
        self.gate.get(&(), HOLDS / 2)
    }

    /// As it was just read.
    pub fn saw_access(&self, access: &Access) {
        self.access.put((), access.clone());
    }

    /// `caller` was found to hold `secret`, which expires in `expires_in`, after `under` had been read. Secrets are
    /// remembered by their SHA-256.
    pub fn found(&self, secret: &str, caller: &Caller, under: Access, expires_in: Duration) {
        let now = Instant::now();
        let until = now.checked_add(expires_in).unwrap_or(now + CALLER_HOLDS);
        self.callers.put(digest(secret), Admitted { caller: caller.clone(), under, until });
    }

    /// Somebody's powers may have changed.
    pub fn forget_callers(&self) {
        self.callers.clear();
    }

    /// The gate, if it was open a moment ago. What is given to workers does not hang on this: the statement that
    /// leases asks the database itself. `None` also for one who comes when it is half as old as it may be: that one
    /// looks again for everybody, before everybody would have to.
    pub fn open_gate(&self) -> Option<Gate> {
        self.gate.get_or_renew(&(), HOLDS)
    }

    /// As it was just read.
    pub fn saw_gate(&self, gate: &Gate) {
        if gate.is_open {
            self.gate.put((), gate.clone());
        } else {
            self.gate.clear();
        }
    }
}

/// Who holds a secret.
#[derive(Clone, Debug)]
struct Admitted {
    caller: Caller,
    /// Nobody's powers had changed since.
    under: Access,
    until: Instant,
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Things with the moment at which they were true.
#[derive(Debug)]
struct Remembered<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    at: Instant,
    /// Somebody looks again.
    is_renewed: bool,
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self { entries: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, holds: Duration) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let entries = self.lock();
        entries.get(key).filter(|entry| entry.at.elapsed() < holds).map(|entry| entry.value.clone())
    }

    /// As [`Self::get`], but the first who asks in the second half of `holds` gets nothing, and is to look again.
    fn get_or_renew<Q: Eq + Hash + ?Sized>(&self, key: &Q, holds: Duration) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let mut entries = self.lock();
        let entry = entries.get_mut(key).filter(|entry| entry.at.elapsed() < holds)?;
        let renews = !entry.is_renewed && entry.at.elapsed() >= holds / 2;
        entry.is_renewed |= renews;
        (!renews).then(|| entry.value.clone())
    }

    fn put(&self, key: K, value: V) {
        let mut entries = self.lock();
        if entries.len() >= LIMIT {
            entries.retain(|_, entry| entry.at.elapsed() < CALLER_HOLDS);
        }
        if entries.len() < LIMIT {
            entries.insert(key, Entry { value, at: Instant::now(), is_renewed: false });
        }
    }

    fn clear(&self) {
        self.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::caller::Credential;
    use crate::ids::{ActorId, TokenId};
    use crate::people::Powers;
    use crate::store::tokens::Scope;

    #[test]
    fn what_is_remembered_holds_for_a_while_and_is_bounded() {
        let remembered: Remembered<usize, usize> = Remembered::default();
        for key in 0..LIMIT + 10 {
            remembered.put(key, key);
        }
        assert_eq!(remembered.get(&3, HOLDS), Some(3));
        assert_eq!(remembered.get(&(LIMIT + 5), HOLDS), None, "there was no room");
        assert_eq!(remembered.get(&3, Duration::ZERO), None, "too long ago");
        remembered.clear();
        assert_eq!(remembered.get(&3, HOLDS), None);
    }

    #[test]
    fn one_of_all_who_ask_looks_again_before_it_is_too_old() {
        let remembered: Remembered<(), u8> = Remembered::default();
        let holds = Duration::from_secs(10);
        let age = |by| remembered.lock().get_mut(&()).expect("an entry").at -= by;
        remembered.put((), 7);
        assert_eq!(remembered.get_or_renew(&(), holds), Some(7), "it is fresh");
        age(holds / 2);
        let asked: Vec<_> = (0..4).map(|_| remembered.get_or_renew(&(), holds)).collect();
        assert_eq!(asked, [None, Some(7), Some(7), Some(7)]);
        remembered.put((), 8);
        assert_eq!(remembered.get_or_renew(&(), holds), Some(8), "it was looked at again");
        age(holds);
        assert_eq!(remembered.get_or_renew(&(), holds), None, "too long ago for anybody");
    }

    #[test]
    fn a_caller_is_known_until_somebodys_powers_change_or_its_token_expires() {
        let known = Known::default();
        let access = |version| Access { epoch: "1".into(), version };
        let caller = || Caller {
            id: ActorId::fresh(),
            name: "mover".into(),
            credential: Credential::Token(TokenId::fresh()),
            powers: Powers::everywhere([Scope::WorkBench]),
        };
        let name = |secret| known.caller(secret).map(|(caller, epoch)| (caller.name().to_owned(), epoch));
        known.found("lw_1", &caller(), access(1), Duration::from_secs(3600));
        assert_eq!(name("lw_1"), None, "nobody has looked whether anything changed");
        known.saw_access(&access(1));
        assert_eq!(name("lw_1"), Some(("mover".to_owned(), "1".to_owned())));
        assert_eq!(name("lw_2"), None, "another's");
        known.found("lw_2", &caller(), access(1), Duration::ZERO);
        assert_eq!(name("lw_2"), None, "it has expired");
        known.saw_access(&access(2));
        assert_eq!(name("lw_1"), None, "somebody's powers changed");
        known.saw_access(&access(1));
        known.forget_callers();
        assert_eq!(name("lw_1"), None, "they changed here");
    }

    #[test]
    fn only_an_open_gate_is_remembered() {
        let known = Known::default();
        let gate = |is_open| Gate { epoch: "1".into(), is_open, waits_for: Vec::new() };
        known.saw_gate(&gate(true));
        assert!(known.open_gate().is_some());
        known.saw_gate(&gate(false));
        assert!(known.open_gate().is_none());
    }
}
