//! Names that differ by case alone: `Mapk1` of one table is `MAPK1` of another, where nothing else can be meant.

use crate::data::FeatureTable;
use crate::prior::PriorScreens;
use std::borrow::Cow;
use std::collections::HashMap;

/// Rows by upper-cased names. A name that two rows share in upper case belongs to neither.
#[derive(Debug, Default)]
pub(crate) struct Spellings {
    by_upper: HashMap<String, Option<usize>>,
}

impl Spellings {
    /// Of names and their rows.
    pub fn of<'a>(names: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let mut by_upper: HashMap<String, Option<usize>> = HashMap::new();
        for (name, row) in names {
            let only = by_upper.entry(name.to_uppercase()).or_insert(Some(row));
            *only = only.filter(|known| *known == row);
        }
        Self { by_upper }
    }

    /// The only row whose name is `name` but for case.
    pub fn row(&self, name: &str) -> Option<usize> {
        self.by_upper.get(&name.to_uppercase()).copied().flatten()
    }
}

/// Both, where each also knows the other's spelling of what it knows by another one alone.
pub(crate) fn meet<'a>(
    features: &'a FeatureTable,
    screens: &'a PriorScreens,
) -> (Cow<'a, FeatureTable>, Cow<'a, PriorScreens>) {
    let spelt = |index: &'a HashMap<String, usize>| {
        Spellings::of(index.iter().map(|(name, row)| (name.as_str(), *row)))
    };
    let (of_features, of_screens) = (spelt(&features.index), spelt(&screens.index));
    let mut same: Vec<(&str, usize, &str, usize)> = Vec::new();
    for other in screens.index.keys().filter(|other| !features.index.contains_key(*other)) {
        let rows = of_features.row(other).zip(of_screens.row(other));
        let found = rows.and_then(|(row, in_screens)| Some((features.genes.get(row)?, row, in_screens)));
        if let Some((gene, row, in_screens)) = found
            && !screens.index.contains_key(gene)
        {
            same.push((gene, row, other, in_screens));
        }
    }
    let (mut features, mut screens) = (Cow::Borrowed(features), Cow::Borrowed(screens));
    for (gene, row, other, in_screens) in same {
        features.to_mut().index.insert(other.to_owned(), row);
        screens.to_mut().index.insert(gene.to_owned(), in_screens);
    }
    (features, screens)
}
