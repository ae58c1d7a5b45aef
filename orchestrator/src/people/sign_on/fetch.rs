//! Asking the provider over HTTP: no redirects, a limit of time and of size for each answer, and nothing of what was
//! sent in an error.

use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest answer: a few keys, a few endpoints, a token with many groups.
const LARGEST_BYTES: usize = 512 << 10;

/// What did not work. Says no address, header or body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("{doing}: {why}")]
    Unreachable { doing: &'static str, why: String },
    #[error("{doing}: {why}")]
    Answer { doing: &'static str, why: String },
}

/// `direct`: past the environment's proxy.
pub(super) fn client(timeout: Duration, direct: bool) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("loopwright/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout);
    if direct { builder.no_proxy() } else { builder }.build()
}

/// The JSON that answers `request`.
pub(super) async fn json<T: DeserializeOwned>(
    doing: &'static str,
    request: RequestBuilder,
) -> Result<T, Failed> {
    let unreachable = |error| Failed::Unreachable { doing, why: in_words(&error) };
    let answer = |why| Failed::Answer { doing, why };
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(unreachable)? {
        if body.len() + piece.len() > LARGEST_BYTES {
            return Err(answer(format!("the answer is larger than {} KiB", LARGEST_BYTES >> 10)));
        }
        body.extend_from_slice(&piece);
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failed::Unreachable { doing, why: format!("it answered {status}") });
    }
    if !status.is_success() {
        return Err(answer(format!("it answered {status}{}", word_of(&body))));
    }
    serde_json::from_slice(&body).map_err(|_| answer("the answer is not what the protocol says".to_owned()))
}

/// OAuth's own word for what is wrong (`invalid_client`), if there is one.
fn word_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        error: String,
    }
    let said = serde_json::from_slice::<Said>(body).ok();
    said.and_then(|said| one_word(&said.error)).map_or_else(String::new, |word| format!(" ({word})"))
}

/// Words of the protocol are letters and underscores; anything else is not repeated.
pub fn one_word(text: &str) -> Option<String> {
    let is_word = (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_word.then(|| text.to_owned())
}

fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        let chain =
            std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source());
        let cause = chain.last().map(ToString::to_string).unwrap_or_default();
        return format!("cannot connect: {cause}");
    }
    "the connection broke before an answer".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_protocol_are_repeated() {
        assert_eq!(
            word_of(br#"{"error":"invalid_client","error_description":"secret abc"}"#),
            " (invalid_client)"
        );
        assert_eq!(word_of(br#"{"error":"<script>"}"#), "");
        assert_eq!(word_of(b"<html>"), "");
        assert_eq!(one_word("access_denied").as_deref(), Some("access_denied"));
        assert_eq!(one_word(""), None);
    }
}
