//! OTLP over HTTP, as JSON: what every collector takes on port 4318. Ids are hexadecimal, times nanoseconds as text.

use super::span::{Span, Word};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u32 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR: u32 = 2;

/// A request's body.
pub(super) fn body(service_name: &str, spans: &[Span]) -> Value {
    let spans: Vec<Value> = spans.iter().map(span).collect();
    let of_service = [
        attribute("service.name", &Word::Text(service_name.to_owned())),
        attribute("service.version", &Word::Text(env!("CARGO_PKG_VERSION").to_owned())),
    ];
    json!({"resourceSpans": [{
        "resource": {"attributes": of_service},
        "scopeSpans": [{"scope": {"name": "loopwright"}, "spans": spans}],
    }]})
}

fn span(span: &Span) -> Value {
    let attributes: Vec<Value> = span.attributes.iter().map(|(name, word)| attribute(name, word)).collect();
    let mut value = json!({
        "traceId": hex::encode(span.trace.as_bytes()),
        "spanId": hex::encode(span.id),
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": nanoseconds(span.start),
        "endTimeUnixNano": nanoseconds(span.end.max(span.start)),
        "attributes": attributes,
    });
    if let Some(parent) = span.parent {
        value["parentSpanId"] = hex::encode(parent).into();
    }
    if let Some(why) = &span.failed {
        value["status"] = json!({"code": ERROR, "message": why});
    }
    value
}

fn attribute(name: &str, word: &Word) -> Value {
    let value = match word {
        Word::Text(text) => json!({"stringValue": text}),
        Word::Number(number) => json!({"intValue": number.to_string()}),
    };
    json!({"key": name, "value": value})
}

fn nanoseconds(at: DateTime<Utc>) -> String {
    // Microseconds are what the database keeps; nanoseconds fit until the year 2262.
    at.timestamp_nanos_opt().unwrap_or_default().to_string()
}
