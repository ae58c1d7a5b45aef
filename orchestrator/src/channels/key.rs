//! How channels' secrets are kept: encrypted (XChaCha20-Poly1305) with a key that is not in the database. A
//! backup of the database alone signs nothing and posts nowhere.
//!
//! The key is a file, by default in the data folder that all replicas share. A sealed secret belongs to its
//! channel: put into another channel's row it does not open.

use crate::ids::ChannelId;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::TryRngCore;
use rand::rngs::OsRng;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const NONCE_BYTES: usize = 24;

/// Seals and opens secrets. Cheap to clone; never printed.
#[derive(Clone)]
pub struct Key([u8; 32]);

/// The secret was sealed with another key, or changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the channel's secret cannot be opened: this server has another channel key than the one that sealed it"
)]
pub struct CannotOpen;

impl Key {
    /// A key that nobody else has, for as long as this process lives.
    pub fn ephemeral() -> Self {
        Self(random())
    }

    /// The key in `path`; made, readable by us alone, when there is none. Two servers that start together
    /// get the same one.
    pub fn load_or_make(path: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path)?;
                Self::parse(&std::fs::read_to_string(path)?)
            }
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let wrong = "a channel key is a line of 64 hexadecimal digits";
        bytes.map(Self).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, wrong))
    }

    pub fn seal(&self, channel: ChannelId, secret: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random();
        let payload = Payload { msg: secret.as_bytes(), aad: channel.0.as_bytes() };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a secret is far shorter than the cipher's limit");
        [nonce.as_slice(), &sealed].concat()
    }

    pub fn open(&self, channel: ChannelId, sealed: &[u8]) -> Result<String, CannotOpen> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: channel.0.as_bytes() };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| CannotOpen)?;
        String::from_utf8(opened).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key([secret])")
    }
}

/// Random bytes of the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).expect("the system has randomness");
    bytes
}

/// Writes a whole file beside and links it into place: whoever comes second finds the first one's.
fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension(format!("{}.new", hex::encode(random::<8>())));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(file, "{}", hex::encode(random::<32>()))?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_opens_with_its_key_and_its_channel_only() {
        let (key, channel) = (Key::ephemeral(), ChannelId::fresh());
        let sealed = key.seal(channel, "whsec_abc");
        assert_eq!(key.open(channel, &sealed).as_deref(), Ok("whsec_abc"));
        assert_eq!(key.open(ChannelId::fresh(), &sealed), Err(CannotOpen));
        assert_eq!(Key::ephemeral().open(channel, &sealed), Err(CannotOpen));
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert_eq!(key.open(channel, &changed), Err(CannotOpen));
        assert_eq!(key.open(channel, &[1, 2, 3]), Err(CannotOpen));
        assert_ne!(key.seal(channel, "whsec_abc"), sealed, "a fresh nonce each time");
        assert_eq!(format!("{key:?}"), "Key([secret])");
    }

    #[test]
    fn servers_that_start_together_share_one_key_that_others_cannot_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("channel.key");
        let keys: Vec<Key> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| Key::load_or_make(&path).expect("a key"));
            let threads: Vec<_> = (0..8).map(|_| start()).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
        });
        assert!(keys.iter().all(|key| key.0 == keys[0].0));
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("the folder").count(),
            1,
            "nothing is left beside it"
        );
        std::fs::write(&path, "nonsense").expect("written");
        assert!(Key::load_or_make(&path).is_err(), "a broken key is never replaced");
    }
}
