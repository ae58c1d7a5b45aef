//! Opens and closes notifications as an event asks, with what goes out to channels, in one transaction.

use super::command::{Command, Opening};
use super::state::Event;
use super::{Interest, Settings, Topic};
use crate::ids::{ChannelId, NotificationId, ProjectId, SYSTEM};
use crate::store::outbox::{Campaign, Entry};
use crate::store::{self, Result};
use sqlx::PgConnection;
use std::time::Duration;

/// Does what `command`, drawn from `entry`, asks. A command that was carried out before changes nothing.
pub async fn carry_out(
    conn: &mut PgConnection,
    command: &Command,
    entry: &Entry,
    channels: &[(ChannelId, Interest)],
    settings: &Settings,
) -> Result<()> {
    match command {
        Command::Open(opening) => open(conn, opening, entry, channels, settings).await,
        Command::Close { causes, subject_id } => close(conn, causes, subject_id).await,
    }
}

async fn open(
    conn: &mut PgConnection,
    opening: &Opening,
    entry: &Entry,
    channels: &[(ChannelId, Interest)],
    settings: &Settings,
) -> Result<()> {
    let new = store::notifications::New {
        opening,
        title: &title(opening, entry.campaign.as_ref()),
        campaign: entry.campaign.as_ref().map(|campaign| campaign.id),
        event: entry.event_id,
        escalate_after: escalates(opening.topic, 0, settings),
    };
    let Some(id) = store::notifications::open(conn, &new).await? else { return Ok(()) };
    let project = entry.campaign.as_ref().map(|campaign| campaign.project_id);
    tell(conn, channels, &About { id, topic: opening.topic, project, escalation: 0 }, settings.grace).await
}

/// What is told, and how often it was before.
pub(super) struct About {
    pub id: NotificationId,
    pub topic: Topic,
    pub project: Option<ProjectId>,
    pub escalation: u32,
}

/// A delivery for each channel that it concerns.
pub(super) async fn tell(
    conn: &mut PgConnection,
    channels: &[(ChannelId, Interest)],
    about: &About,
    after: Duration,
) -> Result<()> {
    for (channel, interest) in channels {
        if interest.covers(about.topic, about.project, about.escalation) {
            store::deliveries::make(conn, *channel, Some(about.id), about.escalation, after).await?;
        }
    }
    Ok(())
}

/// Until the next escalation after `escalations` of them, if there is one.
pub(super) fn escalates(topic: Topic, escalations: u32, settings: &Settings) -> Option<Duration> {
    (!topic.is_news() && escalations < settings.escalations).then_some(settings.escalate_after)
}

async fn close(conn: &mut PgConnection, causes: &[String], subject_id: &str) -> Result<()> {
    for mut locked in store::notifications::lock_for(conn, causes, subject_id).await? {
        let closed = store::notifications::apply(conn, &mut locked, Event::CauseGone, None, SYSTEM).await?;
        closed.must()?;
        store::deliveries::cancel_untold(conn, locked.id).await?;
    }
    Ok(())
}

/// The heading, with the campaign's (or the instrument's) name.
fn title(opening: &Opening, campaign: Option<&Campaign>) -> String {
    let name = match (campaign, opening.subject.as_str()) {
        (Some(campaign), _) => Some(&campaign.name),
        (None, "instrument") => Some(&opening.subject_id),
        (None, _) => None,
    };
    let title = opening.topic.title();
    name.map_or_else(|| title.to_owned(), |name| format!("{title} · {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escalations_are_bounded_and_news_has_none() {
        let settings = Settings { escalations: 2, ..Settings::default() };
        let after = Some(settings.escalate_after);
        assert_eq!(escalates(Topic::JobInDoubt, 0, &settings), after);
        assert_eq!(escalates(Topic::JobInDoubt, 1, &settings), after);
        assert_eq!(escalates(Topic::JobInDoubt, 2, &settings), None);
        assert_eq!(escalates(Topic::CampaignFinished, 0, &settings), None);
    }
}
