//! Further readouts of a campaign file: what else the reader measures of each well, and what it must be.

use jobs::work::readout::{Constraint, Readout, ReadoutKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `[[readouts]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadoutSpec {
    /// In data and reasons, e.g. `viability`.
    pub name: String,
    /// The reader's channel for it; absent: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(default)]
    pub kind: Kind,
    /// Of kinds `ordinal` (lowest first) and `class`: the channel's values 0, 1, … in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Of the kind `vector`: the reader's channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    #[serde(default)]
    pub scale: Scale,
    /// What an experiment must be to be worth doing. Absent: the readout is only learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FurtherReadoutKind)]
pub enum Kind {
    #[default]
    Continuous,
    Ordinal,
    Class,
    Vector,
}

/// What a number is told in. Labels are never scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FurtherReadoutScale)]
pub enum Scale {
    /// As a fraction of the plate's negative control: it reads 1.
    #[default]
    NegativeControl,
    /// As the objective: negative control 0, positive control 1.
    BothControls,
    /// In the channel's own unit.
    Raw,
}

impl ReadoutSpec {
    /// What the learner is told of it.
    pub fn learnt(&self) -> Readout {
        let kind = match self.kind {
            Kind::Continuous => ReadoutKind::Continuous,
            Kind::Ordinal => ReadoutKind::Ordinal { labels: self.labels.clone() },
            Kind::Class => ReadoutKind::Class { labels: self.labels.clone() },
            Kind::Vector => ReadoutKind::Vector { components: self.components.clone() },
        };
        Readout { name: self.name.clone(), kind, constraint: self.constraint.clone() }
    }

    /// The reader's channels, beside the names of their rows.
    pub fn channels(&self) -> Vec<(String, String)> {
        let learnt = self.learnt();
        match self.kind {
            Kind::Vector => {
                self.components.iter().map(|name| (name.clone(), learnt.component(name))).collect()
            }
            _ => vec![(self.channel.clone().unwrap_or_else(|| self.name.clone()), self.name.clone())],
        }
    }

    /// Whether values are positions in a list of labels.
    pub fn is_labelled(&self) -> bool {
        matches!(self.kind, Kind::Ordinal | Kind::Class)
    }
}
