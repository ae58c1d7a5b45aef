//! Sending one telling by a channel of any kind.

use super::{Key, Mail, Rules};
use crate::channels::post::Post;
use crate::notifications::signature::SigningSecret;
use crate::notifications::{Telling, cloud_event, letter, slack};
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// Where one telling goes, with its secret opened. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    Webhook { url: String, secret: SigningSecret },
    Slack { url: String },
    Email { address: String },
}

/// The receiver took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Of HTTP.
    pub status: Option<u16>,
}

/// The receiver did not take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Trying again is pointless.
    pub for_good: bool,
    /// Of HTTP or SMTP, if there was an answer.
    pub status: Option<u16>,
    /// For people; without secrets.
    pub detail: String,
    /// The wait that the receiver asked for.
    pub asked: Option<Duration>,
}

impl Failure {
    pub fn for_now(detail: String) -> Self {
        Self { for_good: false, status: None, detail, asked: None }
    }

    pub fn for_good(detail: String) -> Self {
        Self { for_good: true, status: None, detail, asked: None }
    }
}

/// Everything needed to send. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender {
    post: Post,
    mail: Option<Mail>,
    pub key: Key,
    /// `source` of our CloudEvents.
    source: String,
}

impl Sender {
    /// `public_url` tells receivers which server speaks.
    pub fn new(
        rules: Rules,
        mail: Option<Mail>,
        key: Key,
        public_url: Option<&str>,
    ) -> reqwest::Result<Self> {
        let source = public_url.unwrap_or("urn:loopwright").to_owned();
        Ok(Self { post: Post::new(rules)?, mail, key, source })
    }

    /// Sends it once; `now` goes under the signature, so that an old message cannot be played again.
    pub async fn send(
        &self,
        to: &Destination,
        telling: &Telling,
        now: DateTime<Utc>,
    ) -> Result<Sent, Failure> {
        match to {
            Destination::Webhook { url, secret } => {
                let body = cloud_event::cloud_event(telling, &self.source).to_string().into_bytes();
                let headers = signed(secret, &telling.id.to_string(), now.timestamp(), &body);
                self.post.post(url, headers, body).await
            }
            Destination::Slack { url } => {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                self.post.post(url, headers, slack::message(telling).to_string().into_bytes()).await
            }
            Destination::Email { address } => {
                let Some(mail) = &self.mail else {
                    let detail = "this server has no mail server: start it with --smtp-url and --mail-from";
                    return Err(Failure::for_now(detail.to_owned()));
                };
                mail.send(address, letter::letter(telling, mail.domain())).await
            }
        }
    }
}

/// The headers of the Standard Webhooks scheme.
fn signed(secret: &SigningSecret, id: &str, timestamp: i64, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(cloud_event::MEDIA_TYPE));
    for (name, value) in [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", secret.sign(id, timestamp, body)),
    ] {
        let value = HeaderValue::from_str(&value).expect("ids, numbers and base64 are visible ASCII");
        headers.insert(HeaderName::from_static(name), value);
    }
    headers
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Destination::Webhook { .. } => "Webhook([secret])",
            Destination::Slack { .. } => "Slack([secret])",
            Destination::Email { .. } => "Email",
        })
    }
}
