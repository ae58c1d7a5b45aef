//! What a browser is given before it goes to the provider, and must come back with. Pure.
//!
//! The browser's cookie holds 256 random bits. State, nonce and code verifier are hashes of them, each under a word of
//! its own: whoever sees one (the state and the nonce stand in addresses) knows none of the others, and nothing of them
//! needs to be kept here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Where somebody goes who wanted to go nowhere.
pub const HOME: &str = "/";
/// Longest path to come back to, in bytes.
const LONGEST_PATH: usize = 2000;

/// Of one secret.
pub struct RoundTrip<'a>(pub &'a str);

impl RoundTrip<'_> {
    /// Comes back beside the code: this browser began it.
    pub fn state(&self) -> String {
        self.derive("state")
    }

    /// Comes back inside the ID token: it was made for this sign-in.
    pub fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// Sent with the code: whoever stole the code has no use for it.
    pub fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// What the provider is told of the verifier (S256).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    fn derive(&self, word: &str) -> String {
        hex::encode(Sha256::digest(format!("loopwright sign-on {word} {}", self.0)))
    }
}

/// Only a path of this app, and not the sign-in page again: a link must not lead a signed-in person elsewhere.
pub fn return_to(wanted: Option<&str>) -> &str {
    let is_path = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            // Browsers take `\` for `/`, and pass over tabs and line breaks.
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && path.len() <= LONGEST_PATH
            && !path.starts_with("/sign-in")
            && !path.starts_with("/api/")
    };
    wanted.filter(is_path).unwrap_or(HOME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_derived_of_one_secret_is_different_and_of_another_other() {
        let (one, other) = (RoundTrip("lwo_1"), RoundTrip("lwo_2"));
        let all = [one.state(), one.nonce(), one.verifier(), one.challenge(), other.state()];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(one.state(), RoundTrip("lwo_1").state(), "and always the same");
        assert!((43..=128).contains(&one.verifier().len()), "RFC 7636, section 4.1");
    }

    #[test]
    fn nobody_is_led_out_of_the_app() {
        for path in ["/", "/batches/1?a=b#c", "/plates?state=passed"] {
            assert_eq!(return_to(Some(path)), path);
        }
        for path in [
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/sign-in?from=/",
            "/api/v1/session",
            "/ä",
            "/a\r\nset-cookie: a=b",
            "",
        ] {
            assert_eq!(return_to(Some(path)), HOME, "{path:?}");
        }
        assert_eq!(return_to(Some(&format!("/{}", "a".repeat(LONGEST_PATH)))), HOME);
        assert_eq!(return_to(None), HOME);
    }
}
