//! A telling as an e-mail: subject, plain text, simple HTML, and a Message-ID that is the same whenever it is
//! sent.

use super::Telling;

/// What goes into the envelope's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// With angle brackets.
    pub message_id: String,
    /// The Message-ID of the first telling, so that mail programs show escalations below it.
    pub in_reply_to: Option<String>,
}

/// The letter. `domain`: of the sender's mailbox.
pub fn letter(telling: &Telling, domain: &str) -> Letter {
    let heading = telling.heading();
    let opened = telling.opened_at.format("%Y-%m-%d %H:%M UTC");
    let about = format!("{} {}", telling.subject, telling.subject_id);
    let text = format!(
        "{heading}\n\n{}\n\n{}\n\nSeverity: {}\nOpened: {opened}\nAbout: {about}\n\nAcknowledge it in the app or with `loopwright notification ack{}`, and it is not escalated.\n",
        telling.message,
        telling.link,
        telling.severity.as_str(),
        telling.notification.map(|id| format!(" {id}")).unwrap_or_default(),
    );
    let link = if telling.has_link() {
        format!("<p><a href=\"{}\">Open in Loopwright</a></p>", escape(&telling.link))
    } else {
        String::new()
    };
    let html = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif;max-width:40em\"><h2>{}</h2><p>{}</p>{link}<p style=\"color:#666\">{} · opened {opened} · {}</p></body></html>",
        escape(&heading),
        escape(&telling.message),
        telling.severity.as_str(),
        escape(&about),
    );
    Letter {
        subject: format!("[Loopwright] {heading}"),
        text,
        html,
        message_id: message_id(telling, telling.escalation, domain),
        in_reply_to: (telling.escalation > 0).then(|| message_id(telling, 0, domain)),
    }
}

/// Of the notification, not of the delivery: somebody reached by two channels gets one mail that their mail
/// program can tell is the same.
fn message_id(telling: &Telling, escalation: u32, domain: &str) -> String {
    let id = telling.notification.map_or_else(|| telling.id.to_string(), |id| id.to_string());
    match escalation {
        0 => format!("<{id}@{domain}>"),
        number => format!("<{id}.{number}@{domain}>"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::telling::example::telling;

    #[test]
    fn a_letter_reads_well_in_both_forms() {
        let letter = letter(&telling(), "lab.example.org");
        insta::assert_snapshot!(format!("{}\n\n{}\n{}", letter.subject, letter.text, letter.html));
    }

    #[test]
    fn the_message_id_is_the_notifications_and_an_escalation_answers_the_first() {
        let first = letter(&telling(), "lab.example.org");
        let second = letter(&Telling { escalation: 2, ..telling() }, "lab.example.org");
        assert_eq!(first.message_id, "<00000000-0000-0000-0000-0000000000a1@lab.example.org>");
        assert_eq!(first.in_reply_to, None);
        assert_eq!(second.message_id, "<00000000-0000-0000-0000-0000000000a1.2@lab.example.org>");
        assert_eq!(second.in_reply_to, Some(first.message_id));
    }
}
