//! Sends what is due to channels. Claims commit before anything is sent: no transaction is open across HTTP or
//! SMTP, and the claim of a process that was killed returns when it expires.

use super::Engine;
use crate::channels::{Destination, Failure, Kind, Sent};
use crate::notifications::delivery::{Event, MOST_TRIES, State};
use crate::notifications::signature::SigningSecret;
use crate::notifications::{Telling, backoff};
use crate::steps::{self, Step};
use crate::store::deliveries::{self, Claimed, Ending};
use crate::store::{self, Result};
use chrono::Utc;
use futures::future::join_all;
use std::time::Duration;

/// Sent at the same time by one process.
const AT_ONCE: i64 = 8;
/// A claim outlives every send.
const CLAIM: Duration = Duration::from_secs(120);
const SEND: Duration = Duration::from_secs(60);

impl Engine {
    /// Sends what is due, a handful at a time. Answers how many were tried.
    pub async fn deliver(&self) -> Result<usize> {
        steps::before(Step::ClaimDeliveries).await;
        let mut tx = store::begin_on(&self.pool).await?;
        let claimed = deliveries::claim(&mut tx, AT_ONCE, CLAIM).await?;
        steps::commit(tx, Step::ClaimDeliveries).await?;
        let endings = join_all(claimed.iter().map(|it| self.tried(it))).await;
        for (claimed, ending) in claimed.iter().zip(&endings) {
            self.write_down(claimed, ending).await?;
        }
        Ok(claimed.len())
    }

    /// Tries once.
    async fn tried(&self, claimed: &Claimed) -> Ending {
        if claimed.tries > MOST_TRIES {
            let detail = "the server ended in the middle of every try";
            return ending(claimed, Err(Failure::for_good(detail.to_owned())));
        }
        let sent = match self.destination(claimed) {
            Ok(to) => {
                let telling = Telling::of(claimed, &self.settings);
                let sending = self.sender.send(&to, &telling, Utc::now());
                tokio::time::timeout(SEND, sending).await.unwrap_or_else(|_| {
                    Err(Failure::for_now(format!("not taken within {} s", SEND.as_secs())))
                })
            }
            Err(failure) => Err(failure),
        };
        ending(claimed, sent)
    }

    fn destination(&self, claimed: &Claimed) -> std::result::Result<Destination, Failure> {
        if claimed.kind == Kind::Email {
            return Ok(Destination::Email { address: claimed.target.clone() });
        }
        let sealed = claimed.sealed.as_deref().unwrap_or_default();
        let secret = self.sender.key.open(claimed.channel_id, sealed);
        let secret = secret.map_err(|error| {
            Failure::for_good(format!(
                "{error}. Give the server the key it had, or renew the channel's secret"
            ))
        })?;
        if claimed.kind == Kind::Slack {
            return Ok(Destination::Slack { url: secret });
        }
        let secret = SigningSecret::parse(&secret).map_err(|error| Failure::for_good(error.to_string()))?;
        Ok(Destination::Webhook { url: claimed.target.clone(), secret })
    }

    async fn write_down(&self, claimed: &Claimed, ending: &Ending) -> Result<()> {
        steps::before(Step::EndDelivery).await;
        let mut tx = store::begin_on(&self.pool).await?;
        let state = store::deliveries::end(&mut tx, claimed, ending).await?;
        steps::commit(tx, Step::EndDelivery).await?;
        let (delivery, channel) = (claimed.id, claimed.channel_name.as_str());
        let why = ending.detail.as_deref().unwrap_or_default();
        match state {
            Some(State::Dead) => {
                tracing::error!(%delivery, channel, why, "given up; `loopwright channel redeliver` orders it again");
            }
            Some(State::Pending { tries }) => {
                tracing::warn!(%delivery, channel, why, tries, wait = ?ending.wait, "tried again later");
            }
            Some(State::Delivered | State::Cancelled) => tracing::debug!(%delivery, channel, "delivered"),
            None => tracing::warn!(%delivery, channel, "the claim was lost meanwhile; it may be told twice"),
        }
        Ok(())
    }
}

fn ending(claimed: &Claimed, sent: std::result::Result<Sent, Failure>) -> Ending {
    match sent {
        Ok(Sent { status }) => Ending { event: Event::Delivered, status, detail: None, wait: Duration::ZERO },
        Err(failure) => Ending {
            event: if failure.for_good { Event::FailedForGood } else { Event::FailedForNow },
            status: failure.status,
            detail: Some(failure.detail),
            wait: backoff::wait(claimed.tries, rand::random(), failure.asked),
        },
    }
}
