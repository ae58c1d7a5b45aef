//! One device's HTTP API: calls with timeouts, bounded answers, errors that say which of three things
//! happened.

use super::{SetupError, Timings};
use jobs::{Failure, FailureClass};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Largest answer that is read.
const LARGEST_ANSWER: usize = 64 << 20;

/// A call to a device that did not bring what it should.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No answer: whether the device heard the call is unknown.
    #[error("could not {doing}: the device does not answer ({detail})")]
    Unreachable { doing: &'static str, detail: String },
    /// The device said no.
    #[error("could not {doing}: the device answered {status} {code}: {detail}")]
    Refused { doing: &'static str, status: u16, code: String, detail: String },
    /// The device said something that is not in its protocol.
    #[error("could not {doing}: the device's answer makes no sense ({detail})")]
    Garbled { doing: &'static str, detail: String },
}

impl DeviceError {
    /// What it means for work that has not begun.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unreachable { .. } => FailureClass::Transient,
            Self::Refused { status, .. } if *status >= 500 || matches!(status, 409 | 423 | 429) => {
                FailureClass::Transient
            }
            Self::Refused { .. } => FailureClass::Permanent,
            Self::Garbled { .. } => FailureClass::NeedsPerson,
        }
    }

    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// The device did not get to say anything of what it was asked: no answer, broken down, or too busy.
    /// Reading again may bring it.
    pub fn is_passing(&self) -> bool {
        self.is_unreachable() || self.status().is_some_and(|status| status >= 500 || status == 429)
    }

    /// The HTTP status, when the device answered with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// As a failure of work that has not begun; codes are `<driver>.unreachable | refused | garbled`.
    pub(super) fn before_begin(&self, driver: &str) -> Failure {
        let what = match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Garbled { .. } => "garbled",
        };
        let message = format!("Nothing was begun: {self}.");
        Failure::new(self.class(), format!("{driver}.{what}"), message)
    }
}

/// A device's base address and how to call it.
#[derive(Clone, Debug)]
pub(super) struct Device {
    http: reqwest::Client,
    base: String,
    header: Option<(&'static str, &'static str)>,
    timings: Timings,
}

impl Device {
    pub fn connect(url: &str, timings: Timings) -> Result<Self, SetupError> {
        let base = reqwest::Url::parse(url).map_err(|_| SetupError::Address(url.to_owned()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(SetupError::Address(url.to_owned()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(timings.connect)
            .redirect(reqwest::redirect::Policy::none())
            // A laboratory's devices are not reached through a proxy.
            .no_proxy()
            .build()
            .map_err(SetupError::Http)?;
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, header: None, timings })
    }

    /// Sends this header with every call.
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    pub fn timings(&self) -> Timings {
        self.timings
    }

    pub async fn get<T: DeserializeOwned>(&self, doing: &'static str, path: &str) -> Result<T, DeviceError> {
        let call = self.request(Method::GET, path, self.timings.call);
        decode(doing, &self.send(doing, call).await?)
    }

    pub async fn get_bytes(&self, doing: &'static str, path: &str) -> Result<Vec<u8>, DeviceError> {
        self.send(doing, self.request(Method::GET, path, self.timings.transfer)).await
    }

    pub async fn send_json<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, DeviceError> {
        let call = self.request(method, path, self.timings.call).json(body);
        decode(doing, &self.send(doing, call).await?)
    }

    pub async fn send_form<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
        form: reqwest::multipart::Form,
    ) -> Result<T, DeviceError> {
        let call = self.request(Method::POST, path, self.timings.transfer).multipart(form);
        decode(doing, &self.send(doing, call).await?)
    }

    fn request(&self, method: Method, path: &str, timeout: Duration) -> RequestBuilder {
        let call = self.http.request(method, format!("{}{path}", self.base)).timeout(timeout);
        match self.header {
            Some((name, value)) => call.header(name, value),
            None => call,
        }
    }

    async fn send(&self, doing: &'static str, call: RequestBuilder) -> Result<Vec<u8>, DeviceError> {
        let unreachable =
            |error: reqwest::Error| DeviceError::Unreachable { doing, detail: with_sources(&error) };
        let mut answer = call.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                let detail = format!("more than {LARGEST_ANSWER} bytes");
                return Err(DeviceError::Garbled { doing, detail });
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(bytes);
        }
        let (code, detail) = said_in(&bytes);
        Err(DeviceError::Refused { doing, status: status.as_u16(), code, detail })
    }
}

fn decode<T: DeserializeOwned>(doing: &'static str, bytes: &[u8]) -> Result<T, DeviceError> {
    serde_json::from_slice(bytes).map_err(|error| DeviceError::Garbled { doing, detail: error.to_string() })
}

/// Code and detail of an error body: `{"error":{"code","detail"}}`, or the Opentrons
/// `{"errors":[{"id","title","detail","errorCode"}]}`.
fn said_in(bytes: &[u8]) -> (String, String) {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let error = body.get("error").or_else(|| body.get("errors")?.get(0)).unwrap_or(&Value::Null);
    let text = |keys: &[&str]| keys.iter().find_map(|key| error.get(key)?.as_str()).map(str::to_owned);
    let detail = text(&["detail", "title"])
        .unwrap_or_else(|| String::from_utf8_lossy(bytes).chars().take(300).collect());
    (text(&["code", "id"]).unwrap_or_default(), detail)
}

/// The error and everything beneath it: what a person needs to find the cause.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_of_an_error_body_are_understood() {
        let plain = br#"{"error":{"code":"slot_empty","detail":"no plate"}}"#;
        assert_eq!(said_in(plain), ("slot_empty".to_owned(), "no plate".to_owned()));
        let opentrons = br#"{"errors":[{"id":"RunStopped","title":"Run Stopped","detail":"not current","errorCode":"4000"}]}"#;
        assert_eq!(said_in(opentrons), ("RunStopped".to_owned(), "not current".to_owned()));
        assert_eq!(said_in(b"Internal Server Error").1, "Internal Server Error");
    }

    #[test]
    fn what_a_device_says_of_itself_passes_and_what_it_says_of_the_request_does_not() {
        let refused = |status| DeviceError::Refused {
            doing: "look",
            status,
            code: String::new(),
            detail: String::new(),
        };
        assert!([500, 502, 503, 429].map(refused).iter().all(DeviceError::is_passing));
        assert!(![400, 404, 409, 422].map(refused).iter().any(DeviceError::is_passing));
        assert!(DeviceError::Unreachable { doing: "look", detail: String::new() }.is_passing());
        assert!(!DeviceError::Garbled { doing: "look", detail: String::new() }.is_passing());
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for bad in ["", "handler-1", "ftp://x", "file:///etc"] {
            assert!(Device::connect(bad, Timings::default()).is_err(), "{bad:?}");
        }
        assert!(Device::connect("http://127.0.0.1:31950", Timings::default()).is_ok());
    }
}
