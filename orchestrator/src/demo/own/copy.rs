//! The copy of a campaign that is simulated.

use super::Asked;
use crate::campaigns::Spec;
use crate::campaigns::policy::Policy;
use crate::campaigns::readout::Scale;
use crate::campaigns::schedule::Mode;
use crate::campaigns::spec::{Bench, PEOPLE};
use anyhow::Context;
use std::path::Path;

/// What the simulated handler's pipette (a P20) can do, in nanolitres.
const PIPETTE_NL: std::ops::RangeInclusive<u32> = 1_000..=20_000;

/// The file of features that go with an invented biology.
pub const INVENTED_FEATURES: &str = "invented_features.csv";

/// The campaign that runs in place of the one that is written.
#[derive(Clone, Debug)]
pub struct Copy {
    pub spec: Spec,
    /// What is otherwise than in the file, a sentence each.
    pub otherwise: Vec<String>,
}

impl Copy {
    /// `folder`: what names in the file are relative to.
    pub fn of(written: &Spec, folder: &Path, asked: &Asked, replayed: bool) -> anyhow::Result<Self> {
        let mut copy = Self { spec: written.clone(), otherwise: Vec::new() };
        copy.name_files(folder)?;
        copy.leave_out_units();
        copy.put_on_the_bench();
        copy.go_without_people(asked.with_people);
        if let Some(rounds) = asked.rounds.filter(|rounds| *rounds < copy.spec.budget.rounds) {
            copy.say(format!(
                "{} in place of {}",
                counted(u64::from(rounds), "round"),
                copy.spec.budget.rounds
            ));
            copy.spec.budget.rounds = rounds;
        }
        if replayed {
            copy.say(
                "wells read what the screen measured; what it did not measure does nothing of its own"
                    .to_owned(),
            );
        } else {
            copy.spec.model.features.push(INVENTED_FEATURES.to_owned());
            copy.say(
                "the biology is invented (one experiment in twenty is a hit), and features that tell of it stand beside \
                 your own: what the model finds says nothing of how it will do on your cells"
                    .to_owned(),
            );
        }
        Ok(copy)
    }

    /// As TOML.
    pub fn toml(&self) -> anyhow::Result<String> {
        // By way of a value: tables come after plain fields, as TOML wants it.
        let value = toml::Value::try_from(&self.spec).context("the copy of the campaign")?;
        Ok(toml::to_string(&value)?)
    }

    fn say(&mut self, sentence: String) {
        self.otherwise.push(sentence);
    }

    /// The copy lies in another folder.
    fn name_files(&mut self, folder: &Path) -> anyhow::Result<()> {
        let Spec { design, model, .. } = &mut self.spec;
        for name in
            std::iter::once(&mut design.genes_file).chain(&mut model.features).chain(&mut model.priors)
        {
            let path = folder.join(&*name);
            let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
            *name = text.to_owned();
        }
        Ok(())
    }

    /// A limit in a reader's own unit says nothing to another reader.
    fn leave_out_units(&mut self) {
        let mut left_out = Vec::new();
        for readout in &mut self.spec.readouts {
            if readout.scale == Scale::Raw && !readout.is_labelled() && readout.constraint.take().is_some() {
                left_out.push(readout.name.clone());
            }
        }
        for name in left_out {
            self.say(format!("nothing is asked of {name}: its limit is in the unit of your reader"));
        }
    }

    fn put_on_the_bench(&mut self) {
        let people_carry = self.spec.bench.mover == PEOPLE;
        self.spec.bench = Bench {
            handler: "handler-1".into(),
            incubator: "incubator-1".into(),
            reader: "reader-1".into(),
            mover: "mover-1".into(),
        };
        self.say(
            "the instruments are simulated ones, which take no time on the laboratory's clock".to_owned(),
        );
        if people_carry {
            self.say("a simulated mover carries the plates in place of people".to_owned());
        }
        let written = self.spec.assay.transfer_volume_nl;
        let possible = written.clamp(*PIPETTE_NL.start(), *PIPETTE_NL.end());
        if possible != written {
            self.spec.assay.transfer_volume_nl = possible;
            self.say(format!(
                "{possible} nl are transferred in place of {written}: the simulated pipette takes 1 to 20 \u{b5}l; what was \
                 drawn is told as of {written} nl"
            ));
        }
    }

    fn go_without_people(&mut self, with_people: bool) {
        if self.spec.schedule.mode == Mode::Manual {
            self.spec.schedule.mode = Mode::Continuous;
            self.say("rounds follow each other, where the file has them begun by hand".to_owned());
        }
        if with_people {
            return;
        }
        let written =
            std::mem::replace(&mut self.spec.policy, Policy { auto_approve: true, ..Policy::default() });
        if !written.auto_approve {
            self.say("every batch is approved at once, without people".to_owned());
        } else if written.auto_approve_limit.is_some() {
            self.say("batches beyond the limit of automatic approval are approved as well".to_owned());
        }
    }
}

/// "1 round", "2 rounds".
pub(super) fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn asked() -> Asked {
        Asked {
            file: PathBuf::from("campaign.toml"),
            sha256: String::new(),
            seconds_per_transfer: 12.0,
            rounds: Some(2),
            with_people: false,
        }
    }

    fn copy_of(change: impl FnOnce(String) -> String, asked: &Asked, replayed: bool) -> Copy {
        let text = change(include_str!("../../../../examples/ifng-screen/campaign.toml").to_owned());
        let spec = Spec::parse_with_warnings(&text).unwrap().0;
        Copy::of(&spec, Path::new("/lab"), asked, replayed).unwrap()
    }

    #[test]
    fn the_copy_is_a_campaign_file_and_says_what_is_otherwise() {
        let copy = copy_of(|text| text, &asked(), false);
        let again = Spec::parse_with_warnings(&copy.toml().unwrap()).unwrap().0;
        assert_eq!(again, copy.spec);
        assert_eq!(copy.spec.design.genes_file, "/lab/genes.csv");
        assert_eq!(copy.spec.model.features, [INVENTED_FEATURES]);
        assert_eq!(copy.spec.budget.rounds, 2);
        assert!(copy.spec.policy.auto_approve);
        insta::assert_snapshot!(copy.otherwise.join("\n"));
    }

    #[test]
    fn what_the_bench_cannot_do_is_changed_and_the_rest_is_left() {
        let by_hand = |text: String| {
            let text = text.replace("transfer_volume_nl = 1000", "transfer_volume_nl = 25");
            let text = text.replace("mover = \"mover-1\"", "mover = \"people\"");
            let text = text.replace("scale = \"negative_control\"", "scale = \"raw\"");
            text.replace("cron = \"30 8 * * Mon\"", "mode = \"manual\"")
        };
        let copy = copy_of(by_hand, &Asked { rounds: None, with_people: true, ..asked() }, true);
        assert_eq!(copy.spec.assay.transfer_volume_nl, 1_000);
        assert_eq!(copy.spec.schedule.mode, Mode::Continuous);
        assert_eq!(copy.spec.bench.mover, "mover-1");
        assert!(copy.spec.model.features.is_empty() && !copy.spec.policy.auto_approve);
        assert_eq!(copy.spec.policy.expires_hours, Some(96.0));
        insta::assert_snapshot!(copy.otherwise.join("\n"));
    }
}
