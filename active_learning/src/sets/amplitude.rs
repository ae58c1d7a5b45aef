//! How much sets with each edit, and in each context, do.
//!
//! Effects of sets are not spread evenly: a few hubs interact with many partners and most edits with none (Costanzo et al.
//! 2016), and some cell lines answer more than others. A kernel that is the same for all takes the middle. Here what edits
//! do has the covariance
//!
//! `s k s'`, `s = product of u(i) over the edits i of a set, times v of its context`,
//!
//! with `ln u` and `ln v` normal a priori ([`SPREAD`]), at the mode of the posterior given what was measured: so a set of
//! edits that did much elsewhere is foretold with more doubt and, near what it is like, with more of an effect, and another
//! with less, whatever the direction. Of the kernel only what edits do is scaled, not the context's own part nor the
//! likeness's. An edit or a context of which nothing was measured has 1; a product cannot depend on an order.

use crate::representation::Encoded;
use crate::sets::cross::edits_there;
use crate::{Result, tensor};
use std::collections::BTreeMap;
use tch::Tensor;

/// Sd of the natural logarithms, a priori.
pub(super) const SPREAD: f64 = 0.3;

/// Natural logarithms. Without any all is 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Amplitudes {
    /// By identity: row of the vocabulary, or by name.
    pub edits: BTreeMap<i64, f64>,
    /// By context that the model knows.
    pub contexts: BTreeMap<i64, f64>,
}

/// What the factors of some rows are.
pub struct Members {
    /// Identities of edits, contexts: a factor each, in this order.
    edits: Vec<i64>,
    contexts: Vec<i64>,
    /// Per row: its factors.
    of_rows: Vec<Vec<usize>>,
}

impl Members {
    /// Of a single context nobody could tell what it does.
    pub fn of(encoded: &Encoded) -> Result<Self> {
        let identities = tensor::to_i64(&encoded.identities)?;
        let context_of = tensor::to_i64(&encoded.contexts)?;
        let edits_of: Vec<Vec<i64>> = edits_there(encoded)?
            .into_iter()
            .map(|edits| edits.into_iter().filter_map(|edit| identities.get(edit).copied()).collect())
            .collect();
        let edits = different(edits_of.iter().flatten());
        let mut contexts = different(&context_of);
        if contexts.len() < 2 {
            contexts.clear();
        }
        let of = |(of_row, context): (&Vec<i64>, &i64)| {
            let of_edits = of_row.iter().filter_map(|edit| edits.binary_search(edit).ok());
            let of_context = contexts.binary_search(context).ok().map(|place| edits.len() + place);
            of_edits.chain(of_context).collect()
        };
        let of_rows = edits_of.iter().zip(&context_of).map(of).collect();
        Ok(Self { edits, contexts, of_rows })
    }

    /// How many factors there are.
    pub fn count(&self) -> usize {
        self.edits.len() + self.contexts.len()
    }

    /// The factors of a row.
    pub fn of_row(&self, row: usize) -> &[usize] {
        self.of_rows.get(row).map(Vec::as_slice).unwrap_or_default()
    }

    /// With these logarithms of the factors.
    pub fn amplitudes(&self, logs: &[f64]) -> Amplitudes {
        let (of_edits, of_contexts) = logs.split_at(self.edits.len().min(logs.len()));
        let keyed = |keys: &[i64], logs: &[f64]| keys.iter().copied().zip(logs.iter().copied()).collect();
        Amplitudes { edits: keyed(&self.edits, of_edits), contexts: keyed(&self.contexts, of_contexts) }
    }

    /// `[N, N]`: products of `s` of two of `count` rows, with these logarithms of the factors.
    pub fn between(&self, logs: &[f64], count: usize) -> Result<Tensor> {
        let log = |row: usize| self.of_row(row).iter().filter_map(|place| logs.get(*place)).sum::<f64>();
        products(&(0..count).map(|row| log(row).exp()).collect::<Vec<_>>())
    }

    #[cfg(test)]
    pub fn none() -> Self {
        Self::by_hand(Vec::new(), Vec::new(), Vec::new())
    }

    #[cfg(test)]
    pub fn by_hand(edits: Vec<i64>, contexts: Vec<i64>, of_rows: Vec<Vec<usize>>) -> Self {
        Self { edits, contexts, of_rows }
    }
}

/// `[N, N]`, single precision.
fn products(scale: &[f64]) -> Result<Tensor> {
    let scale: Vec<f32> = scale.iter().map(|scale| *scale as f32).collect();
    let scale = tensor::from_f32(&scale, &[-1, 1])?;
    Ok(scale.f_mul(&scale.f_transpose(0, 1)?)?)
}

fn different<'a>(values: impl IntoIterator<Item = &'a i64>) -> Vec<i64> {
    let mut values: Vec<i64> = values.into_iter().copied().collect();
    values.sort_unstable();
    values.dedup();
    values
}

impl Amplitudes {
    /// `s` of each row, `[N]`.
    pub fn of(&self, encoded: &Encoded) -> Result<Vec<f64>> {
        let identities = tensor::to_i64(&encoded.identities)?;
        let of_edit = |identity: &i64| *self.edits.get(identity).unwrap_or(&0.0);
        let of_edits: Vec<f64> = identities.iter().map(of_edit).collect();
        let contexts = tensor::to_i64(&encoded.contexts)?;
        let of_contexts = contexts.iter().map(|context| self.contexts.get(context).unwrap_or(&0.0));
        let slots = encoded.edits.size2()?.1.max(1) as usize;
        let (edits, there) = (tensor::to_i64(&encoded.edits)?, tensor::to_f32(&encoded.there)?);
        let of = |((edits, there), of_context): ((&[i64], &[f32]), &f64)| {
            let present = edits.iter().zip(there).filter(|(_, there)| **there > 0.0);
            (present.filter_map(|(edit, _)| of_edits.get(*edit as usize)).sum::<f64>() + of_context).exp()
        };
        Ok(edits.chunks(slots).zip(there.chunks(slots)).zip(of_contexts).map(of).collect())
    }

    /// `[N, N]`: products of `s` of two rows, where they are.
    pub fn between(&self, encoded: &Encoded) -> Result<Tensor> {
        Ok(products(&self.of(encoded)?)?.f_to_device(encoded.device())?)
    }

    /// `[factors, 3]`: 0 for an edit and 1 for a context, its key, the logarithm.
    pub fn to_tensor(&self) -> Result<Tensor> {
        let cells = |kind: f64, logs: &BTreeMap<i64, f64>| -> Vec<f64> {
            logs.iter().flat_map(|(key, log)| [kind, *key as f64, *log]).collect()
        };
        let all = [cells(0.0, &self.edits), cells(1.0, &self.contexts)].concat();
        tensor::from_f64(&all, &[all.len() as i64 / 3, 3])
    }

    pub fn from_tensor(table: &Tensor) -> Result<Self> {
        let mut amplitudes = Self::default();
        for [kind, key, log] in tensor::to_f64(table)?.as_chunks::<3>().0 {
            let logs = if *kind == 0.0 { &mut amplitudes.edits } else { &mut amplitudes.contexts };
            logs.insert(*key as i64, *log);
        }
        Ok(amplitudes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FeatureTable;
    use crate::representation::Vocabulary;
    use jobs::{Context, Experiment};

    fn encoded(rows: &[(&str, &str)]) -> Encoded {
        let table = FeatureTable::read(b"gene,a_0,a_1\nA,1,2\nB,2,-1\nC,0,1\n").unwrap();
        let vocabulary = Vocabulary::build(&table, None).unwrap();
        let experiment = |(key, context): &(&str, &str)| Experiment {
            perturbation: key.parse().unwrap(),
            context: Context((*context).into()),
        };
        let experiments: Vec<Experiment> = rows.iter().map(experiment).collect();
        Encoded::of(&experiments, &vocabulary, &["one".to_owned(), "two".to_owned()]).unwrap()
    }

    fn amplitudes() -> Amplitudes {
        Amplitudes {
            edits: BTreeMap::from([(0, 2f64.ln()), (1, 3f64.ln())]),
            contexts: BTreeMap::from([(1, 0.5f64.ln())]),
        }
    }

    #[test]
    fn factors_multiply_in_any_order_and_what_nobody_measured_has_one() {
        let rows =
            [("A+B", "one"), ("B+A", "one"), ("A+B", "two"), ("C+X", "one"), ("A+C", "third"), ("B", "two")];
        let said = amplitudes().of(&encoded(&rows)).unwrap();
        let expected = [6.0, 6.0, 3.0, 1.0, 2.0, 1.5];
        assert!(said.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12), "{said:?}");
    }

    #[test]
    fn members_are_the_edits_measured_and_the_contexts_where_there_are_several() {
        let members = Members::of(&encoded(&[("B+A", "one"), ("C", "one")])).unwrap();
        assert_eq!((members.count(), members.of_row(0).len(), members.of_row(1)), (3, 2, [2].as_slice()));
        let members = Members::of(&encoded(&[("B+A", "one"), ("C", "two")])).unwrap();
        assert_eq!((members.count(), members.of_row(1)), (5, [2, 4].as_slice()));
        let logs: Vec<f64> = (0..5).map(f64::from).collect();
        let said = members.amplitudes(&logs);
        assert_eq!(said.contexts, BTreeMap::from([(0, 3.0), (1, 4.0)]));
    }

    #[test]
    fn a_tensor_carries_them() {
        let there = amplitudes();
        assert_eq!(Amplitudes::from_tensor(&there.to_tensor().unwrap()).unwrap(), there);
    }
}
