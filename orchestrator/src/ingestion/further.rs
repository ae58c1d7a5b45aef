//! What one plate says of further readouts.
//!
//! A number is the mean of a proposal's usable wells, in the scale that the campaign gives it; of labels the most frequent
//! one counts (of equals, the lowest). A plate whose negative control reads 0 says nothing in fractions of it.

use super::normalise::{mean_and_sd, normalise};
use crate::campaigns::readout::{ReadoutSpec, Scale};
use crate::ids::ProposalId;
use crate::planning::Role;
use instruments::labware::Well;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One proposal, over its usable wells of one plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FurtherObserved {
    pub proposal: ProposalId,
    /// A vector's components are named `readout/component`.
    pub readout: String,
    /// In the readout's scale; of labels, the position in their list.
    pub value: f64,
    /// Standard error of the mean; `None` with one replicate, and of labels.
    pub sem: Option<f64>,
    pub replicates: u32,
}

/// Usable wells of one plate.
pub(super) struct Plate<'a> {
    /// Readings of rightly filled wells, by channel.
    pub channel: &'a dyn Fn(&str) -> BTreeMap<Well, f64>,
    pub roles: &'a BTreeMap<Well, Role>,
    pub wells: &'a BTreeMap<ProposalId, Vec<Well>>,
    pub robust: bool,
}

impl Plate<'_> {
    pub fn observe(&self, readouts: &[ReadoutSpec]) -> Vec<FurtherObserved> {
        let mut observed = Vec::new();
        for readout in readouts {
            for (channel, name) in readout.channels() {
                let values = self.values(readout, &(self.channel)(&channel));
                for (proposal, wells) in self.wells {
                    let of = wells.iter().filter_map(|well| values.get(well)).copied();
                    let said =
                        if readout.is_labelled() { label(of, readout.labels.len()) } else { number(of) };
                    observed.extend(said.map(|(value, sem, replicates)| FurtherObserved {
                        proposal: *proposal,
                        readout: name.clone(),
                        value,
                        sem,
                        replicates,
                    }));
                }
            }
        }
        observed
    }

    fn values(&self, readout: &ReadoutSpec, usable: &BTreeMap<Well, f64>) -> BTreeMap<Well, f64> {
        if readout.is_labelled() || readout.scale == Scale::Raw {
            return usable.iter().filter(|(_, value)| value.is_finite()).map(|(w, v)| (*w, *v)).collect();
        }
        let plate = normalise(usable, self.roles, self.robust);
        if readout.scale == Scale::BothControls {
            return plate.values;
        }
        let Some(one) = plate.negative.mean.filter(|mean| mean.abs() > f64::EPSILON) else {
            return BTreeMap::new();
        };
        let fractions = usable.iter().map(|(well, value)| (*well, value / one));
        fractions.filter(|(_, value)| value.is_finite()).collect()
    }
}

fn number(values: impl Iterator<Item = f64>) -> Option<(f64, Option<f64>, u32)> {
    let values: Vec<f64> = values.collect();
    let (mean, sd) = mean_and_sd(&values);
    let sem = sd.map(|sd| sd / (values.len() as f64).sqrt()).filter(|sem| sem.is_finite());
    Some((mean.filter(|mean| mean.is_finite())?, sem, u32::try_from(values.len()).unwrap_or(u32::MAX)))
}

fn label(values: impl Iterator<Item = f64>, count: usize) -> Option<(f64, Option<f64>, u32)> {
    let mut votes = vec![0u32; count];
    for value in values {
        let known = (0..count).find(|label| (value - *label as f64).abs() < 0.5);
        if let Some(votes) = known.and_then(|label| votes.get_mut(label)) {
            *votes += 1;
        }
    }
    let most = votes.iter().copied().max().filter(|most| *most > 0)?;
    let label = votes.iter().position(|votes| *votes == most)?;
    Some((label as f64, None, votes.iter().sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::readout::Kind;
    use uuid::Uuid;

    fn readout(kind: Kind, scale: Scale) -> ReadoutSpec {
        ReadoutSpec {
            name: "viability".into(),
            channel: Some("atp".into()),
            kind,
            labels: vec!["none".into(), "some".into(), "much".into()],
            components: vec!["red".into(), "green".into()],
            scale,
            constraint: None,
        }
    }

    /// Two negative controls of 200 and 400, one positive of 900; proposal 1 in two wells, proposal 2 in none that was read.
    fn observed(readout: ReadoutSpec, samples: [f64; 2]) -> Vec<FurtherObserved> {
        let wells: Vec<Well> =
            ["A1", "A2", "A3", "B1", "B2", "B3"].map(|name| name.parse().unwrap()).to_vec();
        let roles = [Role::NegativeControl, Role::NegativeControl, Role::PositiveControl];
        let roles: BTreeMap<Well, Role> = wells.iter().copied().zip(roles).collect();
        let readings = [200.0, 400.0, 900.0, samples[0], samples[1]];
        let channel = |_: &str| wells.iter().copied().zip(readings).collect::<BTreeMap<Well, f64>>();
        let id = |number| ProposalId(Uuid::from_u128(number));
        let of = BTreeMap::from([(id(1), wells[3..5].to_vec()), (id(2), wells[5..].to_vec())]);
        Plate { channel: &channel, roles: &roles, wells: &of, robust: false }.observe(&[readout])
    }

    #[test]
    fn a_number_is_told_in_its_scale() {
        let value = |scale| {
            let [one] = &observed(readout(Kind::Continuous, scale), [150.0, 450.0])[..] else { panic!() };
            assert_eq!((one.readout.as_str(), one.replicates), ("viability", 2));
            (one.value, one.sem.unwrap())
        };
        // The negative control's mean is 300, the window 600; sd of 150 and 450 is 212.1, its error 150.
        assert_eq!(value(Scale::NegativeControl), (1.0, 0.5));
        assert_eq!(value(Scale::BothControls), (0.0, 0.25));
        assert_eq!(value(Scale::Raw), (300.0, 150.0));
    }

    #[test]
    fn wells_vote_on_a_label_and_of_equals_the_lowest_counts() {
        let label = |samples| observed(readout(Kind::Ordinal, Scale::NegativeControl), samples);
        assert_eq!((label([2.0, 1.0])[0].value, label([2.0, 2.0])[0].value), (1.0, 2.0));
        assert!(label([7.0, -3.0]).is_empty(), "no such label");
    }

    #[test]
    fn a_vector_is_a_row_a_component() {
        let rows = observed(readout(Kind::Vector, Scale::Raw), [1.0, 3.0]);
        let names: Vec<&str> = rows.iter().map(|row| row.readout.as_str()).collect();
        assert_eq!((names, rows[0].value), (vec!["viability/red", "viability/green"], 2.0));
    }
}
