//! Sending e-mail by SMTP.

use super::send::{Failure, Sent};
use crate::notifications::letter::Letter;
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use reqwest::Url;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends e-mail through one server, from one mailbox. Cheap to clone; never printed.
#[derive(Clone)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(
        "the SMTP URL cannot be read: smtps://user:password@mail.example.org, or smtp://...?tls=required"
    )]
    Url,
    #[error(
        "the SMTP URL would send its password in the clear: take smtps://, or smtp:// with ?tls=required"
    )]
    PasswordInTheClear,
    #[error(
        "the sender is no mailbox, such as loopwright@example.org or Loopwright <loopwright@example.org>"
    )]
    From,
}

impl Mail {
    /// `url`: `smtps://user:password@host:465`, `smtp://host:587?tls=required`, `smtp://localhost:25`.
    pub fn new(url: &str, from: &str) -> Result<Self, Refused> {
        let parsed = Url::parse(url).map_err(|_| Refused::Url)?;
        if parsed.password().is_some() && !is_private(&parsed) {
            return Err(Refused::PasswordInTheClear);
        }
        let from = from.parse().map_err(|_| Refused::From)?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| Refused::Url)?;
        Ok(Self { transport: builder.timeout(Some(TIMEOUT)).build(), from })
    }

    /// Of the sender's mailbox; Message-IDs end with it.
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// Hands the letter to the server; it is delivered when the server took it.
    pub async fn send(&self, to: &str, letter: Letter) -> Result<Sent, Failure> {
        let to =
            to.parse().map_err(|_| Failure::for_good("the channel's address is no mailbox".to_owned()))?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .message_id(Some(letter.message_id));
        if let Some(first) = letter.in_reply_to {
            builder = builder.in_reply_to(first);
        }
        let message = builder
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .map_err(|error| Failure::for_good(format!("the letter cannot be written: {error}")))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(Sent { status: None }),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Over TLS, or to this machine.
fn is_private(url: &Url) -> bool {
    let local = url.host_str().is_some_and(|host| {
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    });
    local
        || url.scheme() == "smtps"
        || url.query_pairs().any(|(name, value)| name == "tls" && value == "required")
}

/// 5xx says that the same again will fail; but 53x is about our own password, which a person mends.
fn failed(error: &smtp::Error) -> Failure {
    let code = error.status().map(|code| code.to_string());
    let ours = code.as_deref().is_some_and(|code| code.starts_with("53"));
    let status = code.and_then(|code| code.parse().ok());
    let cause = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
    let cause = cause.map(ToString::to_string).unwrap_or_default();
    let detail = format!("the mail server did not take it: {cause}");
    Failure { for_good: error.is_permanent() && !ours, status, detail, asked: None }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail {{ from: {} }}", self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_crosses_a_network_in_the_clear() {
        let from = "Loopwright <loopwright@lab.example.org>";
        for url in [
            "smtps://ada:word@mail.example.org",
            "smtp://ada:word@mail.example.org?tls=required",
            "smtp://ada:word@localhost",
            "smtp://mail.example.org",
        ] {
            let mail = Mail::new(url, from).expect(url);
            assert!(!format!("{mail:?}").contains("word"));
            assert_eq!(mail.domain(), "lab.example.org");
        }
        for url in ["smtp://ada:word@mail.example.org", "smtp://ada:word@mail.example.org?tls=opportunistic"]
        {
            assert!(matches!(Mail::new(url, from), Err(Refused::PasswordInTheClear)), "{url}");
        }
        assert!(matches!(Mail::new("mail.example.org", from), Err(Refused::Url)));
        assert!(matches!(Mail::new("smtps://mail.example.org", "nobody"), Err(Refused::From)));
    }
}
