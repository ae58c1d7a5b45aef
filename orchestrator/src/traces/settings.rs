//! Where traces go, by OpenTelemetry's own environment variables.

use anyhow::Context;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// A collector.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Takes OTLP over HTTP as JSON: `.../v1/traces`.
    pub endpoint: reqwest::Url,
    /// A secret: never printed.
    headers: HeaderMap,
    pub service_name: String,
}

impl Settings {
    pub fn new(endpoint: reqwest::Url) -> Self {
        Self { endpoint, headers: HeaderMap::new(), service_name: "loopwright".to_owned() }
    }

    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT` and `/v1/traces`; `None` without either.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let own = of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let common = || {
            of("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| format!("{}/v1/traces", base.trim_end_matches('/')))
        };
        let Some(endpoint) = own.or_else(common) else { return Ok(None) };
        let endpoint = reqwest::Url::parse(&endpoint)
            .context("OTEL_EXPORTER_OTLP_ENDPOINT is not a URL such as http://localhost:4318")?;
        let mut settings = Self::new(endpoint);
        if let Some(headers) = of("OTEL_EXPORTER_OTLP_HEADERS") {
            settings.headers = parse_headers(&headers)?;
        }
        if let Some(name) = of("OTEL_SERVICE_NAME") {
            settings.service_name = name;
        }
        Ok(Some(settings))
    }

    pub(super) fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }
}

/// `name=value,name=value`.
fn parse_headers(text: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let what = "OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value";
        let (name, value) = pair.split_once('=').context(what)?;
        let name: HeaderName = name.trim().parse().context(what)?;
        let mut value: HeaderValue = value.trim().parse().context(what)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_never_printed() {
        let headers = parse_headers("authorization=Basic aGk6c2VjcmV0, x-scope-orgid=lab").expect("headers");
        assert_eq!(headers.len(), 2);
        assert!(!format!("{headers:?}").contains("aGk6"), "{headers:?}");
        assert!(parse_headers("nonsense").is_err());
    }
}
