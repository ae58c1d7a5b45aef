//! What a rejection keeps out of the round's further proposals. Pure.

/// What is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything that was selected in the rejected batch.
    Batch,
    /// One experiment: `PERTURBATION@CONTEXT`.
    Experiment,
    /// Every experiment with the gene in it.
    Gene,
    /// Every experiment with a gene that has the tag.
    Tag,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Batch, Kind::Experiment, Kind::Gene, Kind::Tag];

    /// The word in the `kind` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Batch => "batch",
            Kind::Experiment => "experiment",
            Kind::Gene => "gene",
            Kind::Tag => "tag",
        }
    }

    /// The kind that the column says, if it says one.
    pub fn from_column(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One exclusion, with who wanted it and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    pub kind: Kind,
    pub value: String,
    pub reason: String,
    /// Name of the actor.
    pub actor: String,
    /// Of the batch that was rejected.
    pub generation: u32,
}

impl std::fmt::Display for Excluded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = &self.value;
        match self.kind {
            Kind::Batch => write!(f, "every experiment of generation {value}")?,
            Kind::Experiment => f.write_str(value)?,
            Kind::Gene => write!(f, "every experiment with {value}")?,
            Kind::Tag => write!(f, "every experiment with a gene tagged {value}")?,
        }
        write!(f, " ({}, generation {}: {})", self.actor, self.generation, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_is_told_in_words() {
        let told = |kind, value: &str| {
            let (reason, actor) = ("too many kinases".into(), "ada".into());
            Excluded { kind, value: value.into(), reason, actor, generation: 2 }.to_string()
        };
        assert_eq!(
            told(Kind::Tag, "kinase"),
            "every experiment with a gene tagged kinase (ada, generation 2: too many kinases)"
        );
        assert_eq!(told(Kind::Experiment, "A+B@K562"), "A+B@K562 (ada, generation 2: too many kinases)");
    }

    #[test]
    fn each_column_word_reads_back_as_its_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_column(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::from_column("x"), None);
    }
}
