//! A telling as a CloudEvent (CloudEvents 1.0.2, JSON format, structured mode).

use super::Telling;
use chrono::SecondsFormat;
use serde_json::{Value, json};

/// Content type of the body.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The body. `source`: who we are; with `id` unique among all events of this server.
pub fn cloud_event(telling: &Telling, source: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": telling.id,
        "source": source,
        "type": format!("dev.loopwright.{}.v1", telling.topic),
        "subject": format!("{}/{}", telling.subject, telling.subject_id),
        "time": telling.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "datacontenttype": "application/json",
        "data": {
            "notification_id": telling.notification,
            "topic": telling.topic,
            "severity": telling.severity,
            "title": telling.title,
            "message": telling.message,
            "subject": telling.subject,
            "subject_id": telling.subject_id,
            "campaign_id": telling.campaign_id,
            "link": telling.link,
            "opened_at": telling.opened_at,
            "escalation": telling.escalation,
            "acknowledged_at": telling.acknowledged_at,
            "closed_at": telling.closed_at,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::telling::example::telling;

    #[test]
    fn a_cloud_event_has_every_required_attribute_and_the_link() {
        let body = cloud_event(&telling(), "https://lab.example.org");
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).expect("JSON"));
    }
}
