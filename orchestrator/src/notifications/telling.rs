//! What one delivery tells, before it takes the shape of its channel.

use super::{Settings, Severity};
use crate::ids::{CampaignId, DeliveryId, NotificationId};
use crate::store::deliveries::Claimed;
use crate::store::notifications::Notification;
use chrono::{DateTime, Utc};

/// Everything a receiver is told. The same delivery always has the same id and time, also when it is tried
/// again; whether somebody acknowledged it meanwhile may differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    /// What receivers know it by: a second one with the same id is the same telling.
    pub id: DeliveryId,
    /// When it was first to be told.
    pub at: DateTime<Utc>,
    /// `None`: a test of the channel.
    pub notification: Option<NotificationId>,
    /// `batch.waiting`; `channel.test`.
    pub topic: String,
    pub severity: Severity,
    pub title: String,
    pub message: String,
    pub subject: String,
    pub subject_id: String,
    pub campaign_id: Option<CampaignId>,
    /// The page in the app; a path where the server does not know its own address.
    pub link: String,
    pub opened_at: DateTime<Utc>,
    /// 0: told for the first time; n: the n-th escalation.
    pub escalation: u32,
    pub acknowledged_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

/// Topic of a test of a channel.
pub const TEST_TOPIC: &str = "channel.test";

impl Telling {
    /// What a claimed delivery is to tell.
    pub fn of(claimed: &Claimed, settings: &Settings) -> Self {
        match &claimed.notification {
            Some(notification) => Self::of_notification(claimed, notification, settings),
            None => Self::of_test(claimed, settings),
        }
    }

    fn of_notification(claimed: &Claimed, notification: &Notification, settings: &Settings) -> Self {
        Self {
            id: claimed.id,
            at: claimed.created_at,
            notification: Some(notification.id),
            topic: notification.topic.as_str().to_owned(),
            severity: notification.severity,
            title: notification.title.clone(),
            message: notification.message.clone(),
            subject: notification.subject.clone(),
            subject_id: notification.subject_id.clone(),
            campaign_id: notification.campaign_id,
            link: settings.link(&notification.subject, &notification.subject_id),
            opened_at: notification.opened_at,
            escalation: claimed.escalation,
            acknowledged_at: notification.acknowledged_at,
            closed_at: notification.closed_at,
        }
    }

    fn of_test(claimed: &Claimed, settings: &Settings) -> Self {
        Self {
            id: claimed.id,
            at: claimed.created_at,
            notification: None,
            topic: TEST_TOPIC.to_owned(),
            severity: Severity::Info,
            title: format!("A test of the channel {}", claimed.channel_name),
            message: "Somebody asked Loopwright to try this channel. It works: nothing is to be done."
                .to_owned(),
            subject: "channel".to_owned(),
            subject_id: claimed.channel_id.to_string(),
            campaign_id: None,
            link: settings.link("channel", ""),
            opened_at: claimed.created_at,
            escalation: 0,
            acknowledged_at: None,
            closed_at: None,
        }
    }

    /// Whether [`Telling::link`] can be opened from outside.
    pub fn has_link(&self) -> bool {
        self.link.starts_with("http://") || self.link.starts_with("https://")
    }

    /// The heading, with what a reader should know first.
    pub fn heading(&self) -> String {
        let closed = if self.closed_at.is_some() { "Closed meanwhile: " } else { "" };
        let again = match self.escalation {
            0 => String::new(),
            number => format!(" (not acknowledged, escalation {number})"),
        };
        format!("{closed}{}{again}", self.title)
    }
}

#[cfg(test)]
pub(super) mod example {
    use super::*;
    use uuid::Uuid;

    /// A job in doubt with names that need escaping.
    pub fn telling() -> Telling {
        Telling {
            id: DeliveryId(Uuid::from_u128(0xd1)),
            at: "2026-11-28T10:00:00Z".parse().expect("an instant"),
            notification: Some(NotificationId(Uuid::from_u128(0xa1))),
            topic: "job.in_doubt".into(),
            severity: Severity::Critical,
            title: "A job is in doubt · T<cells> & more".into(),
            message: "A dispense job on handler-1 began, and nobody knows how it ended.".into(),
            subject: "job".into(),
            subject_id: "j1".into(),
            campaign_id: Some(CampaignId(Uuid::from_u128(0xc1))),
            link: "https://lab.example.org/jobs/j1".into(),
            opened_at: "2026-11-28T10:00:00Z".parse().expect("an instant"),
            escalation: 0,
            acknowledged_at: None,
            closed_at: None,
        }
    }
}
