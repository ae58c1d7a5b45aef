//! A campaign of one's own on this bench (`--assay FILE`, JSON): its edits stand in the library, its controls and
//! channels have its names, its hits lie where its rule looks for them. The biology is the specimen's all the same.

use crate::liquid::{NEGATIVE, POSITIVE};
use crate::specimen::Aim;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is read in place of the bench's own names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assay {
    /// Every edit that the campaign may ask for; a library well each.
    pub edits: Vec<Edit>,
    /// Kinds of cells.
    pub contexts: Vec<String>,
    /// One edit at a time is in the design space.
    pub singles: bool,
    /// Two at a time are.
    pub pairs: bool,
    /// What the inventory calls the negative control.
    pub negative: String,
    /// What it calls the positive one.
    pub positive: String,
    /// What the reader measures; the objective's first.
    pub channels: Vec<Channel>,
    pub hits: Hits,
    /// How far from the negative control a hit is, as a fraction of the way to the positive one, above 0. Absent: the
    /// reader calls hits.
    pub hit_at: Option<f64>,
}

/// An edit, and for a compound at a dose what it is without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub name: String,
    /// Absent: no dose.
    #[serde(default)]
    pub dose: Option<Dose>,
}

/// So much of a compound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dose {
    pub compound: String,
    /// log10 of the dose in mol/l.
    pub log10_molar: f64,
}

impl Edit {
    /// The compound of a dose, else the edit.
    pub fn substance(&self) -> &str {
        self.dose.as_ref().map_or(&self.name, |dose| &dose.compound)
    }
}

/// Which way hits lie from the negative control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hits {
    #[default]
    TowardPositive,
    AwayFromPositive,
    Both,
}

impl Hits {
    /// How far `excess`, above the negative control, goes the way of a hit.
    pub(crate) fn toward(self, excess: f64) -> f64 {
        match self {
            Hits::TowardPositive => excess,
            Hits::AwayFromPositive => -excess,
            Hits::Both => excess.abs(),
        }
    }
}

/// A channel of the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub name: String,
    pub shows: Shows,
}

/// What a channel shows of a well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shows {
    /// The effect, in RFU.
    Signal,
    /// Cells alive, in RLU.
    Viability,
    /// Cells dead, in RLU; all of them in the positive control.
    Death,
    /// 1 where a hit is in the well.
    Call,
    /// The effect in so many steps from the negative to the positive control: 0 and up.
    Level { labels: u32 },
    /// The effect times a loading of the channel's own, in RFU.
    Component,
}

/// An assay that this bench cannot show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("reading {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is no description of an assay")]
    Json {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{0}")]
    Unusable(String),
}

impl Assay {
    /// Reads and checks the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let assay: Self =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.to_owned(), source })?;
        assay.check()?;
        Ok(assay)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::Unusable(why));
        let mut names = BTreeSet::new();
        for edit in &self.edits {
            if !names.insert(edit.name.as_str()) {
                return refuse(format!("the edit {:?} stands there twice", edit.name));
            }
        }
        if names.is_empty() || !(self.singles || self.pairs) {
            return refuse("a design space has edits, and takes them singly, in pairs, or both".to_owned());
        }
        if self.hit_at.is_some_and(|at| !(at > 0.0 && at.is_finite())) {
            return refuse("hit_at is above 0".to_owned());
        }
        let channels: BTreeSet<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
        if channels.is_empty() || channels.len() != self.channels.len() {
            return refuse("channels: at least one, each once".to_owned());
        }
        Ok(())
    }

    /// Edits that are no control of this assay: what the library holds, by the bench's names.
    pub fn library(&self) -> Vec<Edit> {
        let is_control = |edit: &&Edit| edit.name == self.negative || edit.name == self.positive;
        let ours = |edit: &Edit| Edit { name: bench_name(&edit.name), ..edit.clone() };
        self.edits.iter().filter(|edit| !is_control(edit)).map(ours).collect()
    }

    pub fn aim(&self) -> Aim {
        Aim { hits: self.hits, hit_at: self.hit_at, singles: self.singles, pairs: self.pairs }
    }

    /// What the inventory calls the bench's `content`.
    pub fn inventory_name<'a>(&'a self, content: &'a str) -> &'a str {
        match content {
            NEGATIVE => &self.negative,
            POSITIVE => &self.positive,
            other => other.strip_suffix(OF_THE_SAME_NAME).unwrap_or(other),
        }
    }
}

/// Behind the name of an edit that is called as one of the bench's own controls.
const OF_THE_SAME_NAME: &str = " (an edit)";

/// What the bench calls the edit `name`.
pub fn bench_name(name: &str) -> String {
    if [NEGATIVE, POSITIVE].contains(&name) { format!("{name}{OF_THE_SAME_NAME}") } else { name.to_owned() }
}

/// What the reader measures where no assay says otherwise.
pub fn usual_channels() -> Vec<Channel> {
    let channel = |name: &str, shows| Channel { name: name.to_owned(), shows };
    vec![
        channel("signal", Shows::Signal),
        channel("viability", Shows::Viability),
        channel("call", Shows::Call),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assay() -> Assay {
        Assay {
            edits: ["A", "B", "NTC"].map(|name| Edit { name: name.into(), dose: None }).into(),
            contexts: vec!["K562".into()],
            singles: true,
            pairs: false,
            negative: "NTC".into(),
            positive: "KILL".into(),
            channels: usual_channels(),
            hits: Hits::TowardPositive,
            hit_at: Some(0.5),
        }
    }

    #[test]
    fn a_control_among_the_edits_has_its_well_on_the_plate_of_controls_only() {
        let names: Vec<String> = assay().library().into_iter().map(|edit| edit.name).collect();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(assay().inventory_name(POSITIVE), "KILL");
        assert_eq!(assay().inventory_name("A"), "A");
        let named = Assay { edits: vec![Edit { name: "NEG".into(), dose: None }], ..assay() };
        let name = named.library().pop().unwrap().name;
        assert_ne!(name, NEGATIVE);
        assert_eq!(named.inventory_name(&name), "NEG");
    }

    #[test]
    fn what_cannot_be_shown_is_refused_with_a_reason() {
        assay().check().unwrap();
        let refused = |change: fn(&mut Assay)| {
            let mut assay = assay();
            change(&mut assay);
            assay.check().unwrap_err().to_string()
        };
        let twice = refused(|assay| assay.edits.push(Edit { name: "A".into(), dose: None }));
        assert_eq!(twice, "the edit \"A\" stands there twice");
        assert!(refused(|assay| assay.singles = false).starts_with("a design space"));
        assert!(refused(|assay| assay.edits.clear()).starts_with("a design space"));
        assert_eq!(refused(|assay| assay.hit_at = Some(0.0)), "hit_at is above 0");
        assert!(refused(|assay| assay.channels.clear()).starts_with("channels"));
    }
}
