//! Walking the chain: pure, a piece at a time, so that a record of any length is checked in bounded memory. It says the
//! first position that is changed, missing, reordered or cut off.

use super::canonical::link;
use super::export::Exported;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// A place on the chain and its link: what is written down elsewhere, to be compared later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// 0: nothing is sealed yet.
    pub position: i64,
    /// Hex; zeros before the first event.
    pub chain_sha256: String,
}

impl Head {
    /// Before the first event.
    pub fn origin() -> Self {
        Self { position: 0, chain_sha256: hex::encode([0; 32]) }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.chain_sha256)
    }
}

/// Not `POSITION:HASH`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("say POSITION:HASH, as `loopwright audit head` prints it (64 hexadecimal digits)")]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (position, hash) = text.split_once(':').ok_or(NotAHead)?;
        let position = position.parse().ok().filter(|position| *position >= 0).ok_or(NotAHead)?;
        Ok(Self { position, chain_sha256: checked_hash(hash)? })
    }
}

/// A head that was written down: `POSITION:HASH`, or the hash alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub position: Option<i64>,
    pub chain_sha256: String,
}

impl FromStr for Noted {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        match text.parse::<Head>() {
            Ok(head) => Ok(Self { position: Some(head.position), chain_sha256: head.chain_sha256 }),
            Err(_) => Ok(Self { position: None, chain_sha256: checked_hash(text)? }),
        }
    }
}

fn checked_hash(text: &str) -> Result<String, NotAHead> {
    let text = text.trim().to_ascii_lowercase();
    match hex::decode(&text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text),
        _ => Err(NotAHead),
    }
}

/// What is wrong, at the first place where something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Broken {
    /// The event is not the one that was sealed here.
    Changed { position: i64, kind: String, happened_at: String },
    /// The event that was sealed here stands at `found_at`.
    Reordered { position: i64, found_at: i64, kind: String, happened_at: String },
    /// Nothing stands here, and more follows.
    Missing { position: i64 },
    /// The record ends before `position`, which existed.
    CutOff { position: i64, last: i64 },
    /// The chain is sound in itself and does not hold the link that was written down: it was computed anew.
    NotOnChain { noted: String },
    /// The sealer's own head is another one than the last link.
    HeadDiffers { position: i64 },
    /// An event that was put in behind the sealer's back.
    Unsealed { event_id: i64 },
}

impl Broken {
    /// The first position that is not as it was; `None` when no single one is.
    pub fn position(&self) -> Option<i64> {
        match self {
            Broken::Changed { position, .. }
            | Broken::Reordered { position, .. }
            | Broken::Missing { position }
            | Broken::CutOff { position, .. }
            | Broken::HeadDiffers { position } => Some(*position),
            Broken::NotOnChain { .. } | Broken::Unsealed { .. } => None,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Changed { position, kind, happened_at } => write!(
                f,
                "position {position} was changed: what stands there now ({kind}, {happened_at}) is not what was sealed"
            ),
            Broken::Reordered { position, found_at, kind, happened_at } => write!(
                f,
                "position {position} was reordered: the event that was sealed there ({kind}, {happened_at}) stands at \
                 position {found_at}"
            ),
            Broken::Missing { position } => write!(f, "position {position} is missing"),
            Broken::CutOff { position, last } => write!(
                f,
                "the record was cut off: it ends at position {last}, and position {position} existed"
            ),
            Broken::NotOnChain { noted } => write!(
                f,
                "the head that was written down ({noted}) is not on the chain: the record was computed anew, or cut \
                 off before it"
            ),
            Broken::HeadDiffers { position } => {
                write!(f, "the sealer's head at position {position} is not the last link of the chain")
            }
            Broken::Unsealed { event_id } => write!(
                f,
                "event {event_id} has no position though everything of its time was sealed: it was put in afterwards, \
                 or its position was taken away"
            ),
        }
    }
}

/// How far behind a place its event is looked for before it counts as changed.
const LOOK_AHEAD: usize = 1000;

/// A walk along the chain.
#[derive(Clone, Debug)]
pub struct Walk {
    at: Head,
    link: Vec<u8>,
    noted: Option<Noted>,
    noted_seen: bool,
}

impl Walk {
    /// Begins behind `from`, which is trusted; `noted` is to be met on the way.
    pub fn from(from: &Head, noted: Option<Noted>) -> Result<Self, NotAHead> {
        let link = hex::decode(&from.chain_sha256).map_err(|_| NotAHead)?;
        let mut walk = Self { at: from.clone(), link, noted, noted_seen: false };
        walk.compare_noted();
        Ok(walk)
    }

    /// Where it stands: all up to here is sound.
    pub fn at(&self) -> &Head {
        &self.at
    }

    /// Takes the next pieces, in order of position.
    pub fn take(&mut self, pieces: &[Exported]) -> Result<(), Broken> {
        for (index, piece) in pieces.iter().enumerate() {
            let position = self.at.position + 1;
            if piece.position != position {
                return Err(Broken::Missing { position });
            }
            let link = link(&self.link, &piece.event);
            let chain_sha256 = hex::encode(link);
            if chain_sha256 != piece.chain_sha256 {
                let following = pieces.get(index + 1..).unwrap_or_default();
                return Err(self.explain(piece, following));
            }
            self.link = link.to_vec();
            self.at = Head { position, chain_sha256 };
            self.compare_noted();
            if let Some(Noted { position: Some(noted), chain_sha256 }) = &self.noted
                && *noted == position
                && *chain_sha256 != self.at.chain_sha256
            {
                return Err(Broken::NotOnChain { noted: format!("{noted}:{chain_sha256}") });
            }
        }
        Ok(())
    }

    /// Nothing follows, and the sealer says that its head is `sealer`.
    pub fn end(self, sealer: &Head) -> Result<Head, Broken> {
        let last = self.at.position;
        if last < sealer.position {
            return Err(Broken::CutOff { position: last + 1, last });
        }
        if last > sealer.position {
            return Err(Broken::CutOff { position: sealer.position + 1, last: sealer.position });
        }
        if self.at != *sealer {
            return Err(Broken::HeadDiffers { position: sealer.position });
        }
        match self.noted {
            Some(Noted { position: Some(noted), .. }) if noted > last => {
                Err(Broken::CutOff { position: last + 1, last })
            }
            Some(noted) if !self.noted_seen => Err(Broken::NotOnChain { noted: noted.chain_sha256 }),
            _ => Ok(self.at),
        }
    }

    fn compare_noted(&mut self) {
        self.noted_seen |=
            self.noted.as_ref().is_some_and(|noted| noted.chain_sha256 == self.at.chain_sha256);
    }

    /// Whether what belongs at `piece`'s place stands further on.
    fn explain(&self, piece: &Exported, following: &[Exported]) -> Broken {
        let position = piece.position;
        let belongs = |other: &&Exported| {
            let link = hex::encode(link(&self.link, &other.event));
            link == piece.chain_sha256 || link == other.chain_sha256
        };
        match following.iter().take(LOOK_AHEAD).find(belongs) {
            Some(found) => {
                let (kind, happened_at) = said(&found.event);
                Broken::Reordered { position, found_at: found.position, kind, happened_at }
            }
            None => {
                let (kind, happened_at) = said(&piece.event);
                Broken::Changed { position, kind, happened_at }
            }
        }
    }
}

/// Kind and time, for the sentence.
fn said(event: &str) -> (String, String) {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let member = |name: &str| event[name].as_str().unwrap_or("unknown").to_owned();
    (member("kind"), member("happened_at"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: i64) -> Vec<Exported> {
        let mut previous = vec![0; 32];
        (1..=length)
            .map(|position| {
                let event = format!(r#"{{"kind":"E{position}","happened_at":"t{position}"}}"#);
                previous = link(&previous, &event).to_vec();
                Exported { position, chain_sha256: hex::encode(&previous), event }
            })
            .collect()
    }

    fn head(record: &[Exported]) -> Head {
        record.last().map_or_else(Head::origin, |last| Head {
            position: last.position,
            chain_sha256: last.chain_sha256.clone(),
        })
    }

    fn verdict(record: &[Exported], sealer: &Head, noted: Option<&str>) -> Result<Head, Broken> {
        let noted = noted.map(|noted| noted.parse().expect("a head"));
        let mut walk = Walk::from(&Head::origin(), noted).expect("a head");
        for pieces in record.chunks(3) {
            walk.take(pieces)?;
        }
        walk.end(sealer)
    }

    #[test]
    fn a_sound_record_leads_to_its_head() {
        let record = record(7);
        assert_eq!(verdict(&record, &head(&record), None), Ok(head(&record)));
        let noted = head(&record[..4]).to_string();
        assert_eq!(verdict(&record, &head(&record), Some(&noted)), Ok(head(&record)));
        let empty: [Exported; 0] = [];
        assert_eq!(verdict(&empty, &Head::origin(), None), Ok(Head::origin()));
    }

    #[test]
    fn a_changed_event_is_named() {
        let mut forged = record(7);
        let sealer = head(&forged);
        forged[4].event = forged[4].event.replace("E5", "X5");
        let Err(Broken::Changed { position, kind, .. }) = verdict(&forged, &sealer, None) else {
            panic!("it was changed")
        };
        assert_eq!((position, kind.as_str()), (5, "X5"));
    }

    #[test]
    fn a_missing_event_is_named() {
        let mut forged = record(7);
        let sealer = head(&forged);
        forged.remove(2);
        assert_eq!(verdict(&forged, &sealer, None), Err(Broken::Missing { position: 3 }));
    }

    #[test]
    fn two_events_that_changed_places_are_named_whether_or_not_their_links_went_along() {
        let mut forged = record(6);
        let sealer = head(&forged);
        let (fourth, fifth) = (forged[3].event.clone(), forged[4].event.clone());
        forged[3].event = fifth;
        forged[4].event = fourth;
        let found = verdict(&forged, &sealer, None).expect_err("reordered");
        assert!(matches!(found, Broken::Reordered { position: 4, found_at: 5, .. }), "{found}");
        let (fourth, fifth) = (forged[3].chain_sha256.clone(), forged[4].chain_sha256.clone());
        forged[3].chain_sha256 = fifth;
        forged[4].chain_sha256 = fourth;
        let found = verdict(&forged, &sealer, None).expect_err("reordered");
        assert!(matches!(found, Broken::Reordered { position: 4, found_at: 5, .. }), "{found}");
    }

    #[test]
    fn a_cut_tail_is_found_by_the_sealer_or_by_a_head_that_was_written_down() {
        let whole = record(7);
        let cut = &whole[..5];
        assert_eq!(verdict(cut, &head(&whole), None), Err(Broken::CutOff { position: 6, last: 5 }));
        assert_eq!(verdict(cut, &head(cut), None), Ok(head(cut)), "nothing here can tell");
        let noted = head(&whole);
        assert_eq!(
            verdict(cut, &head(cut), Some(&noted.to_string())),
            Err(Broken::CutOff { position: 6, last: 5 })
        );
        let found = verdict(cut, &head(cut), Some(&noted.chain_sha256));
        assert_eq!(found, Err(Broken::NotOnChain { noted: noted.chain_sha256 }));
    }

    #[test]
    fn a_record_that_was_computed_anew_does_not_hold_what_was_written_down() {
        let whole = record(7);
        let noted = head(&whole[..6]);
        let mut previous = vec![0; 32];
        let anew: Vec<Exported> = whole
            .iter()
            .map(|piece| {
                let event = piece.event.replace("E3", "X3");
                previous = link(&previous, &event).to_vec();
                Exported { position: piece.position, chain_sha256: hex::encode(&previous), event }
            })
            .collect();
        assert_eq!(verdict(&anew, &head(&anew), None), Ok(head(&anew)), "sound in itself");
        let found = verdict(&anew, &head(&anew), Some(&noted.to_string()));
        assert_eq!(found, Err(Broken::NotOnChain { noted: noted.to_string() }));
    }

    #[test]
    fn a_head_is_read_as_it_is_printed() {
        let head = head(&record(2));
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        assert_eq!("x".parse::<Head>(), Err(NotAHead));
        assert_eq!("3:abc".parse::<Noted>(), Err(NotAHead));
        assert_eq!(head.chain_sha256.parse::<Noted>().map(|noted| noted.position), Ok(None));
    }
}
