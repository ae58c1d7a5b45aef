//! The data cut: everything a campaign measured, one row per experiment and readout. Pure.

use super::pooled::{Plate, Pooled};
use crate::campaigns::spec::HitRule;
use crate::store::observations::Observed;
use jobs::Experiment;
use std::collections::{BTreeMap, BTreeSet};

/// The data cut as learners read it (columns in `jobs::work::learn`); `None` when nothing was measured.
///
/// Several plates of one experiment, of one round or of several, become one row ([`Pooled`]). `labelled`: readouts whose
/// values are positions in a list of labels, of which the most frequent one counts.
pub fn to_csv(observations: &[Observed], rule: &HitRule, labelled: &BTreeSet<&str>) -> Option<Vec<u8>> {
    let mut groups: BTreeMap<(&Experiment, &str), Vec<&Observed>> = BTreeMap::new();
    for observed in observations {
        groups.entry((&observed.experiment, &observed.readout)).or_default().push(observed);
    }
    if groups.is_empty() {
        return None;
    }
    let in_memory = "a Vec takes every byte";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["perturbation", "context", "readout", "value", "hit", "replicates", "sem"])
        .expect(in_memory);
    for ((experiment, readout), plates) in groups {
        let plates: Vec<Plate> = plates.into_iter().map(Plate::from).collect();
        let pooled =
            if labelled.contains(readout) { Pooled::label(&plates) } else { Pooled::of(&plates, rule) };
        let Some(merged) = pooled else { continue };
        writer
            .write_record([
                experiment.perturbation.to_string(),
                experiment.context.0.clone(),
                readout.to_owned(),
                merged.value.to_string(),
                merged.hit.map(|hit| if hit { "1" } else { "0" }.to_owned()).unwrap_or_default(),
                merged.replicates.to_string(),
                merged.sem.map(|sem| sem.to_string()).unwrap_or_default(),
            ])
            .expect(in_memory);
    }
    Some(writer.into_inner().expect(in_memory))
}

impl From<&Observed> for Plate {
    fn from(observed: &Observed) -> Self {
        let Observed { value, sem, replicates, hit, .. } = *observed;
        Self { value, sem, replicates, hit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PlateId, ProposalId};
    use jobs::Context;

    fn observed(gene: &str, value: f64, replicates: u32, sem: Option<f64>, hit: Option<bool>) -> Observed {
        Observed {
            round_number: 1,
            proposal_id: ProposalId::fresh(),
            plate_id: PlateId::fresh(),
            experiment: Experiment {
                perturbation: gene.parse().unwrap(),
                context: Context("donor-1".into()),
            },
            readout: "IFNG".into(),
            value,
            sem,
            replicates,
            hit,
            predicted_mean: None,
            predicted_sd: None,
        }
    }

    #[test]
    fn plates_of_one_experiment_become_one_row() {
        let cut = to_csv(
            &[
                observed("CBLB", 1.0, 1, Some(0.4), Some(true)),
                observed("CBLB", 2.0, 3, Some(0.4), Some(false)),
                observed("RASA2", 0.5, 2, None, None),
            ],
            &HitRule::Channel("call".into()),
            &BTreeSet::new(),
        );
        let text = String::from_utf8(cut.unwrap()).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("perturbation,context,readout,value,hit,replicates,sem"));
        let cblb = lines.next().unwrap();
        assert!(cblb.starts_with("CBLB,donor-1,IFNG,1.75,1,4,0.316"), "{cblb}");
        assert_eq!(lines.next(), Some("RASA2,donor-1,IFNG,0.5,,2,"));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn nothing_measured_is_no_data_cut() {
        assert_eq!(to_csv(&[], &HitRule::AtLeast(0.5), &BTreeSet::new()), None);
    }

    #[test]
    fn of_labels_the_most_frequent_one_counts() {
        // Healthy in one well of the first plate, dead in two of the second: nobody saw "stressed" between them.
        let seen = [observed("CBLB", 0.0, 1, None, None), observed("CBLB", 2.0, 2, None, None)];
        let cut = |labelled: &[&str]| {
            let labelled = labelled.iter().copied().collect();
            String::from_utf8(to_csv(&seen, &HitRule::AtLeast(0.5), &labelled).unwrap()).unwrap()
        };
        assert!(
            cut(&["IFNG"]).lines().nth(1).unwrap().starts_with("CBLB,donor-1,IFNG,2,,3,"),
            "{}",
            cut(&["IFNG"])
        );
        assert!(cut(&[]).lines().nth(1).unwrap().starts_with("CBLB,donor-1,IFNG,1.33"), "{}", cut(&[]));
    }
}
