//! What a person says of a channel, checked.

use crate::api::problem::Problem;
use crate::channels::key::random;
use crate::channels::{Key, Kind, Rules};
use crate::ids::{ChannelId, ProjectId};
use crate::notifications::signature::SigningSecret;
use crate::notifications::{Interest, Severity, Topic};
use crate::store::channels::{Channel, Target, Wishes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(transparent)]
pub(super) struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// A channel to add.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannel {
    /// Unique; 1 to 60 characters.
    pub name: String,
    pub kind: Kind,
    /// URL of the webhook, incoming-webhook URL of Slack, or mailbox.
    #[schema(value_type = String)]
    pub target: Secret,
    /// Signing secret of a webhook, `whsec_` and base64; one is made when absent.
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
    /// Empty or absent: every topic.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// `info` when absent.
    #[serde(default = "info")]
    pub minimum_severity: Severity,
    /// Only what belongs to this project.
    pub project_id: Option<ProjectId>,
    /// 0 (when absent): told when a notification opens; n: told with its n-th escalation.
    #[serde(default)]
    pub escalation_level: u32,
    /// `true` when absent.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What a channel is to be from now on. What says where it leads stays where it is absent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelChange {
    pub name: String,
    /// Unchanged when absent.
    #[schema(value_type = Option<String>)]
    pub target: Option<Secret>,
    /// Unchanged when absent.
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
    /// Make a fresh signing secret, shown in the answer.
    #[serde(default)]
    pub renew_secret: bool,
    #[serde(default)]
    pub topics: Vec<Topic>,
    #[serde(default = "info")]
    pub minimum_severity: Severity,
    pub project_id: Option<ProjectId>,
    #[serde(default)]
    pub escalation_level: u32,
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// The answer to adding or changing: the secret, where one was made, is shown here and never again.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct ChannelAnswer {
    pub channel: Channel,
    pub secret: Option<String>,
}

fn info() -> Severity {
    Severity::Info
}

fn yes() -> bool {
    true
}

/// Escalation levels that a channel may have.
const LEVELS: u32 = 3;

fn wishes(name: &str, interest: Interest, enabled: bool) -> Result<Wishes, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 60 || name.chars().any(char::is_control) {
        return Err(Problem::unprocessable(
            "channel.name_invalid",
            "A channel's name has 1 to 60 characters.",
        ));
    }
    if interest.escalation_level > LEVELS {
        let detail = format!("An escalation level is 0 (told at once) to {LEVELS}.");
        return Err(Problem::unprocessable("channel.level_invalid", detail));
    }
    Ok(Wishes { name: name.to_owned(), interest, enabled })
}

impl NewChannel {
    pub fn wishes(&self) -> Result<Wishes, Problem> {
        let interest = Interest {
            topics: self.topics.clone(),
            minimum_severity: self.minimum_severity,
            project: self.project_id,
            escalation_level: self.escalation_level,
        };
        wishes(&self.name, interest, self.enabled)
    }

    /// The target as it is kept, and a secret that was made for it.
    pub fn target(
        &self,
        id: ChannelId,
        key: &Key,
        rules: Rules,
    ) -> Result<(Target, Option<String>), Problem> {
        let shown = shown(self.kind, &self.target, rules)?;
        match self.kind {
            Kind::Webhook => {
                let (secret, made) = signing(self.secret.as_ref())?;
                Ok((Target { shown, sealed: Some(key.seal(id, &secret.reveal())) }, made))
            }
            Kind::Slack => {
                no_secret(self.secret.as_ref())?;
                Ok((Target { shown, sealed: Some(key.seal(id, self.target.0.trim())) }, None))
            }
            Kind::Email => {
                no_secret(self.secret.as_ref())?;
                Ok((Target { shown, sealed: None }, None))
            }
        }
    }
}

impl ChannelChange {
    pub fn wishes(&self) -> Result<Wishes, Problem> {
        let interest = Interest {
            topics: self.topics.clone(),
            minimum_severity: self.minimum_severity,
            project: self.project_id,
            escalation_level: self.escalation_level,
        };
        wishes(&self.name, interest, self.enabled)
    }

    /// The new target, if anything of it changes, and a secret that was made for it. `sealed`: what is kept.
    pub fn target(
        &self,
        channel: &Channel,
        sealed: Option<Vec<u8>>,
        key: &Key,
        rules: Rules,
    ) -> Result<(Option<Target>, Option<String>), Problem> {
        let kind = channel.kind;
        let new = self.target.as_ref().map(|target| shown(kind, target, rules)).transpose()?;
        if kind != Kind::Webhook {
            no_secret(self.secret.as_ref())?;
            if self.renew_secret {
                return Err(secret_is_not_wanted());
            }
            let seal = |target: &Secret| key.seal(channel.id, target.0.trim());
            let sealed = self.target.as_ref().filter(|_| kind == Kind::Slack).map(seal);
            return Ok((new.map(|shown| Target { shown, sealed }), None));
        }
        let (sealed, made) = if self.renew_secret || self.secret.is_some() {
            let (secret, made) = signing(self.secret.as_ref())?;
            (Some(key.seal(channel.id, &secret.reveal())), made)
        } else {
            (sealed, None)
        };
        Ok((Some(Target { shown: new.unwrap_or_else(|| channel.target.clone()), sealed }), made))
    }
}

/// What may be shown of a target, if it is one.
fn shown(kind: Kind, target: &Secret, rules: Rules) -> Result<String, Problem> {
    let text = target.0.trim();
    if kind == Kind::Email {
        let mailbox: lettre::Address = text.parse().map_err(|_| {
            Problem::unprocessable("channel.address_invalid", "Give a mailbox, such as lab@example.org.")
        })?;
        return Ok(mailbox.to_string());
    }
    let url = rules.url(text).map_err(|refused| {
        Problem::unprocessable("channel.url_refused", format!("The address is refused: {refused}."))
    })?;
    Ok(match kind {
        Kind::Slack => format!("{}://{}/…", url.scheme(), url.host_str().unwrap_or_default()),
        Kind::Webhook | Kind::Email => text.to_owned(),
    })
}

/// The secret that was given, or one that is made, which is answered too.
fn signing(given: Option<&Secret>) -> Result<(SigningSecret, Option<String>), Problem> {
    match given {
        Some(text) => {
            let secret = SigningSecret::parse(text.0.trim()).map_err(|error| {
                Problem::unprocessable(
                    "channel.secret_invalid",
                    format!("The secret cannot be used: {error}."),
                )
            })?;
            Ok((secret, None))
        }
        None => {
            let secret = SigningSecret::of_bytes(random());
            let made = secret.reveal();
            Ok((secret, Some(made)))
        }
    }
}

fn no_secret(given: Option<&Secret>) -> Result<(), Problem> {
    if given.is_some() { Err(secret_is_not_wanted()) } else { Ok(()) }
}

fn secret_is_not_wanted() -> Problem {
    Problem::unprocessable("channel.secret_not_wanted", "Only webhooks are signed: leave the secret out.")
}
