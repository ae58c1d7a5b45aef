//! What kind of screen one is, in words: of the screens that are learnt from, and of the one at hand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest word that an attribute is described with.
pub const LONGEST: usize = 200;

/// An attribute that is not said is empty, and speaks neither for nor against anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Description {
    /// `human`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organism: String,
    /// The cells: `primary CD8 T`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cell: String,
    /// What is done to genes: `KO`, `i`, `a`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// What is read: `IFNG production`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub readout: String,
    /// How hits are told from the rest: `FACS`, `fitness`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub selection: String,
}

impl Description {
    /// Names of the attributes, in order.
    pub const ATTRIBUTES: [&'static str; 5] = ["organism", "cell", "library", "readout", "selection"];

    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        self.values().iter().all(|value| value.is_empty())
    }

    /// In the order of [`ATTRIBUTES`](Self::ATTRIBUTES).
    pub fn values(&self) -> [&str; 5] {
        [&self.organism, &self.cell, &self.library, &self.readout, &self.selection]
    }

    /// By its name; `None` for a name of none.
    pub fn attribute_mut(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "organism" => &mut self.organism,
            "cell" => &mut self.cell,
            "library" => &mut self.library,
            "readout" => &mut self.readout,
            "selection" => &mut self.selection,
            _ => return None,
        })
    }
}
