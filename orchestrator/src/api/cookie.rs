//! The session's cookie, and the token against cross-site requests that derives from it.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The cookie's name.
pub const NAME: &str = "loopwright_session";

/// The secret in the request's cookie, if there is one.
pub fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, secret)| (name == NAME && !secret.is_empty()).then_some(secret))
}

/// Sets the cookie. `secure`: only ever sent over TLS (not on plain loopback, where some browsers would keep it back).
pub fn set(secret: &str, longest: Duration, secure: bool) -> HeaderValue {
    value(secret, longest.as_secs(), secure)
}

/// Takes the cookie away.
pub fn clear(secure: bool) -> HeaderValue {
    value("", 0, secure)
}

fn value(secret: &str, max_age: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{NAME}={secret}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("a secret is letters and digits")
}

/// What a page of ours must send with every change: derived from the secret, which scripts cannot read.
pub fn csrf(secret: &str) -> String {
    hex::encode(Sha256::digest(format!("loopwright csrf {secret}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_is_out_of_reach_of_scripts() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; loopwright_session=lws_1; c=d"));
        assert_eq!(session(&headers), Some("lws_1"));
        assert_eq!(session(&HeaderMap::new()), None);
        let text = set("lws_1", Duration::from_secs(60), true);
        assert_eq!(
            text.to_str().unwrap(),
            "loopwright_session=lws_1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        assert!(!set("lws_1", Duration::from_secs(60), false).to_str().unwrap().contains("Secure"));
    }

    #[test]
    fn the_csrf_token_gives_nothing_of_the_secret_away() {
        assert_eq!(csrf("a").len(), 64);
        assert_ne!(csrf("a"), csrf("b"));
    }
}
