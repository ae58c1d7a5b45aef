//! A telling as a Slack message (incoming webhook: `text` for clients that show no blocks, and blocks). The
//! same shape is read by Mattermost, Rocket.Chat and Discord (`/slack`).

use super::{Severity, Telling};
use serde_json::{Value, json};

/// Slack refuses longer headers and sections.
const LONGEST_HEADER: usize = 150;
const LONGEST_SECTION: usize = 2_900;

/// The body.
pub fn message(telling: &Telling) -> Value {
    let heading = telling.heading();
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": cut(&heading, LONGEST_HEADER)}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(&escape(&telling.message), LONGEST_SECTION)}}),
        json!({"type": "context", "elements": [{"type": "mrkdwn", "text": context(telling)}]}),
    ];
    if telling.has_link() {
        blocks.push(json!({"type": "actions", "elements": [{
            "type": "button",
            "text": {"type": "plain_text", "text": "Open in Loopwright"},
            "url": telling.link,
        }]}));
    }
    json!({"text": escape(&format!("{heading}: {}", telling.message)), "blocks": blocks})
}

fn context(telling: &Telling) -> String {
    let severity = match telling.severity {
        Severity::Info => "News",
        Severity::Warning => "Waits for a person",
        Severity::Critical => "*Critical*",
    };
    let seconds = telling.opened_at.timestamp();
    let written = telling.opened_at.format("%Y-%m-%d %H:%M UTC");
    let subject = escape(&format!("{} {}", telling.subject, telling.subject_id));
    format!("{severity} · <!date^{seconds}^{{date_short_pretty}} {{time}}|{written}> · {subject}")
}

/// The three characters that mean something in Slack's text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest - 1) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::telling::example::telling;

    #[test]
    fn a_message_says_what_happened_and_leads_to_the_page() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&message(&telling())).expect("JSON"));
    }

    #[test]
    fn nobody_is_pinged_by_what_a_message_quotes() {
        let mut quoting = telling();
        quoting.message = "<!channel> & <@U1>".into();
        let body = message(&quoting).to_string();
        assert!(!body.contains("<!channel>") && !body.contains("<@U1>"), "{body}");
    }

    #[test]
    fn a_path_is_no_button() {
        let mut local = telling();
        local.link = "/jobs/j1".into();
        assert_eq!(message(&local)["blocks"].as_array().map(Vec::len), Some(3));
    }
}
