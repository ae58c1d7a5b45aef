//! The session's cookie, the token against cross-site requests that derives from it, and the cookie of a browser that is
//! on its way to the provider and back.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The cookie's name.
pub const NAME: &str = "loopwright_session";

/// Name, path, and which other sites' links it is sent with: none's.
const SESSION: (&str, &str, &str) = (NAME, "/", "Strict");

/// The cookie of a round trip to the provider: sent to its routes alone. Not strict, because it is the provider's page
/// that leads back.
const ROUND_TRIP: &str = "loopwright_sign_on";
const ROUND_TRIP_PATH: &str = "/api/v1/session/sign-on";

/// The secret in the request's cookie, if there is one.
pub fn session(headers: &HeaderMap) -> Option<&str> {
    find(headers, NAME)
}

/// The secret of the round trip that this browser is on, if it is on one.
pub fn round_trip(headers: &HeaderMap) -> Option<&str> {
    find(headers, ROUND_TRIP)
}

fn find<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, secret)| (name == wanted && !secret.is_empty()).then_some(secret))
}

/// Sets the cookie. `secure`: only ever sent over TLS (not on plain loopback, where some browsers would keep it back).
pub fn set(secret: &str, longest: Duration, secure: bool) -> HeaderValue {
    value(SESSION, secret, longest.as_secs(), secure)
}

/// Takes the cookie away.
pub fn clear(secure: bool) -> HeaderValue {
    value(SESSION, "", 0, secure)
}

/// Sends the browser on a round trip.
pub fn set_round_trip(secret: &str, longest: Duration, secure: bool) -> HeaderValue {
    value((ROUND_TRIP, ROUND_TRIP_PATH, "Lax"), secret, longest.as_secs(), secure)
}

/// It is back.
pub fn clear_round_trip(secure: bool) -> HeaderValue {
    value((ROUND_TRIP, ROUND_TRIP_PATH, "Lax"), "", 0, secure)
}

fn value(
    (name, path, same_site): (&str, &str, &str),
    secret: &str,
    max_age: u64,
    secure: bool,
) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{name}={secret}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite={same_site}{secure}");
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
    fn the_cookie_of_a_round_trip_goes_to_its_routes_and_comes_back_from_another_site() {
        let text = set_round_trip("lwo_1", Duration::from_secs(600), true);
        assert_eq!(
            text.to_str().unwrap(),
            "loopwright_sign_on=lwo_1; Path=/api/v1/session/sign-on; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
        let mut headers = HeaderMap::new();
        headers
            .insert(header::COOKIE, HeaderValue::from_static("loopwright_session=a; loopwright_sign_on=b"));
        assert_eq!((session(&headers), round_trip(&headers)), (Some("a"), Some("b")));
    }

    #[test]
    fn the_csrf_token_gives_nothing_of_the_secret_away() {
        assert_eq!(csrf("a").len(), 64);
        assert_ne!(csrf("a"), csrf("b"));
    }
}
