//! Passwords: hashed with argon2id, checked in constant time, refused when easily guessed.
//!
//! Parameters are the crate's defaults (19 MiB, 2 passes, 1 lane: OWASP's first choice for argon2id). Hashing is
//! slow on purpose: it runs on a thread of its own, one after the other, so that memory stays bounded. (On the
//! runtime's blocking threads each would keep its 19 MiB: allocators give memory back to the thread that had it, not to
//! the system.)

use crate::store::{Error, Result};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use rand::TryRngCore;
use rand::rngs::OsRng;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use tokio::sync::{Semaphore, oneshot};

/// Shortest password, in characters.
pub const SHORTEST: usize = 12;
/// Longest, in bytes: hashing must not be fed megabytes.
pub const LONGEST_BYTES: usize = 1024;

/// Hashes at the same time; each keeps 19 MiB. One makes some twenty sign-ins a second.
const AT_ONCE: usize = 1;
/// Whoever waits and goes away is not hashed for.
static HASHING: Semaphore = Semaphore::const_new(AT_ONCE);

type Task = Box<dyn FnOnce() + Send>;

/// The door to the threads that hash.
static THREADS: LazyLock<mpsc::Sender<Task>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<Task>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..AT_ONCE {
        let receiver = receiver.clone();
        std::thread::spawn(move || {
            let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            while let Ok(task) = next() {
                task();
            }
        });
    }
    sender
});

/// Why a password is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a password has at least {SHORTEST} characters")]
    TooShort,
    #[error("a password has at most {LONGEST_BYTES} bytes")]
    TooLong,
    #[error("this password is among the first that somebody would try: {hint}")]
    TooCommon { hint: String },
}

impl Refused {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::TooShort => "password.too_short",
            Refused::TooLong => "password.too_long",
            Refused::TooCommon { .. } => "password.too_common",
        }
    }
}

/// Takes a password that a person chose, or says why not. `about`: words of theirs (name, e-mail) that a guesser
/// would try.
pub fn check(password: &str, about: &[&str]) -> std::result::Result<(), Refused> {
    if password.chars().count() < SHORTEST {
        return Err(Refused::TooShort);
    }
    if password.len() > LONGEST_BYTES {
        return Err(Refused::TooLong);
    }
    // The estimate looks at the beginning only: its time grows with the square of the length.
    let beginning: String = password.chars().take(100).collect();
    let estimate = zxcvbn::zxcvbn(&beginning, about);
    if estimate.score() >= zxcvbn::Score::Three {
        return Ok(());
    }
    let hint = estimate.feedback().and_then(|feedback| feedback.warning()).map_or_else(
        || "take several words that do not belong together".to_owned(),
        |warning| warning.to_string().trim_end_matches('.').to_lowercase(),
    );
    Err(Refused::TooCommon { hint })
}

/// A password nobody chose: 100 bits, in groups that can be read out.
pub fn random() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::Refused(format!("no randomness from the system: {error}")))?;
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(letters.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

/// The hash to keep, in PHC string format with its salt.
pub async fn hash(password: String) -> Result<String> {
    on_a_thread(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| Error::Refused(format!("the password cannot be hashed: {error}")))
    })
    .await?
}

/// Whether `password` is the one that was hashed. `None` for `phc` takes as long and is never right: nobody learns
/// from the time which names exist.
pub async fn verify(password: String, phc: Option<String>) -> Result<bool> {
    if password.len() > LONGEST_BYTES {
        return Ok(false);
    }
    on_a_thread(move || {
        let known = phc.is_some();
        let phc = phc.unwrap_or_else(|| NOBODYS.to_owned());
        let hash = PasswordHash::new(&phc).map_err(|error| Error::corrupt("password hash", error))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
    })
    .await?
}

/// A hash of nothing anybody knows, with the parameters of [`hash`]: what is kept for whoever has no password.
pub const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bG9vcHdyaWdodC1kZWNveQ$KTzPqVaKXdEnBeJJYCzmKQBmCqBmBeaTMfFXHRDj8LI";

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _permit = HASHING.acquire().await.map_err(|error| Error::Refused(error.to_string()))?;
    let (answer, answered) = oneshot::channel();
    let task = move || drop(answer.send(work()));
    THREADS.send(Box::new(task)).map_err(|error| Error::Refused(error.to_string()))?;
    answered.await.map_err(|error| Error::Refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let phc = hash("seven purple plates".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("seven purple plates".into(), Some(phc.clone())).await.unwrap());
        assert!(!verify("seven purple plate".into(), Some(phc.clone())).await.unwrap());
        assert_ne!(hash("seven purple plates".into()).await.unwrap(), phc, "salted");
    }

    #[tokio::test]
    async fn hashing_has_threads_of_its_own_and_few() {
        let names = (0..8).map(|_| on_a_thread(|| std::thread::current().id()));
        let threads = futures::future::join_all(names).await;
        let threads: std::collections::HashSet<_> = threads.into_iter().map(Result::unwrap).collect();
        assert!(threads.len() <= AT_ONCE, "{threads:?}");
        assert!(!threads.contains(&std::thread::current().id()));
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        assert!(!verify(String::new(), None).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_kept_for_whoever_has_no_password_is_a_hash_that_nothing_fits() {
        for guess in ["", NOBODYS, "seven purple plates"] {
            assert!(!verify(guess.into(), Some(NOBODYS.to_owned())).await.expect("a hash"), "{guess}");
        }
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        assert_eq!(check("short", &[]), Err(Refused::TooShort));
        assert_eq!(check(&"x".repeat(2000), &[]), Err(Refused::TooLong));
        assert_eq!(check("password1234", &[]).unwrap_err().code(), "password.too_common");
        assert_eq!(
            check("lovelacelovelace", &["ada", "lovelace"]).unwrap_err().code(),
            "password.too_common"
        );
        assert_eq!(check("gravel otter sonnet 9 quince", &["ada"]), Ok(()));
    }

    #[test]
    fn a_random_password_passes_its_own_rule_and_is_not_another() {
        let one = random().unwrap();
        assert_eq!(check(&one, &[]), Ok(()));
        assert_ne!(one, random().unwrap());
    }
}
