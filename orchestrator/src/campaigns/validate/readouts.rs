//! Whether further readouts make sense.

use super::Check;
use crate::campaigns::Spec;
use crate::campaigns::readout::{Kind, ReadoutSpec, Scale};
use std::collections::BTreeSet;

const MOST_READOUTS: usize = 32;
const MOST_LABELS: usize = 16;
const MOST_COMPONENTS: usize = 512;

impl Check<'_> {
    pub(super) fn readouts(&mut self, spec: &Spec) {
        let count = spec.readouts.len();
        self.require(count <= MOST_READOUTS, "readouts", || {
            format!("{count} are too many: at most {MOST_READOUTS}")
        });
        let mut seen = BTreeSet::from([spec.objective.readout.as_str()]);
        for (index, readout) in spec.readouts.iter().enumerate() {
            let path = |field: &str| format!("readouts[{index}].{field}");
            self.word(&path("name"), &readout.name);
            self.require(!readout.name.contains('/'), &path("name"), || {
                "a readout's name has no '/'".to_owned()
            });
            self.require(seen.insert(&readout.name), &path("name"), || {
                format!("{:?} is a readout already; each has a name of its own", readout.name)
            });
            if let Some(channel) = &readout.channel {
                self.word(&path("channel"), channel);
            }
            self.lists(readout, &path);
            self.constraint(readout, &path);
        }
    }

    fn lists(&mut self, readout: &ReadoutSpec, path: &impl Fn(&str) -> String) {
        let (labels, components) = (readout.labels.len(), readout.components.len());
        match readout.kind {
            Kind::Ordinal | Kind::Class => self.require((2..=MOST_LABELS).contains(&labels), &path("labels"), || {
                format!("{labels} labels are out of range: 2 to {MOST_LABELS}, in the order of the channel's values 0, 1, …")
            }),
            _ => self.require(labels == 0, &path("labels"), || "only kinds `ordinal` and `class` have labels".to_owned()),
        }
        if readout.kind == Kind::Vector {
            self.require((1..=MOST_COMPONENTS).contains(&components), &path("components"), || {
                format!("{components} components are out of range: 1 to {MOST_COMPONENTS}; each is a channel of the reader")
            });
            self.require(readout.channel.is_none(), &path("channel"), || {
                "a vector's channels are its `components`: leave it out".to_owned()
            });
        } else {
            self.require(components == 0, &path("components"), || {
                "only the kind `vector` has components".to_owned()
            });
        }
        let scaled = readout.scale != Scale::default();
        self.require(!(readout.is_labelled() && scaled), &path("scale"), || {
            "labels are not scaled: leave it out".to_owned()
        });
        for (field, names) in [("labels", &readout.labels), ("components", &readout.components)] {
            for (place, name) in names.iter().enumerate() {
                self.word(&path(&format!("{field}[{place}]")), name);
            }
            self.distinct(&path(field), names);
        }
    }

    fn constraint(&mut self, readout: &ReadoutSpec, path: &impl Fn(&str) -> String) {
        let Some(constraint) = &readout.constraint else { return };
        let at = path("constraint");
        let bounds = [constraint.at_least, constraint.at_most];
        for bound in bounds.into_iter().flatten() {
            self.require(bound.is_finite(), &at, || format!("{bound} is no bound"));
        }
        match readout.kind {
            Kind::Vector => {
                self.wrong(&at, "a vector has no constraint: make what must hold a readout of its own")
            }
            Kind::Continuous => {
                let one = bounds.iter().any(Option::is_some) && constraint.one_of.is_empty();
                self.require(one, &at, || "say `at_least`, `at_most` or both".to_owned());
                let crossed = matches!(bounds, [Some(least), Some(most)] if least >= most);
                self.require(!crossed, &at, || "`at_least` is not below `at_most`".to_owned());
            }
            Kind::Ordinal | Kind::Class => {
                let named = !constraint.one_of.is_empty() && bounds.iter().all(Option::is_none);
                self.require(named, &at, || "say `one_of`, a list of labels".to_owned());
                for label in &constraint.one_of {
                    self.require(readout.labels.contains(label), &at, || {
                        format!("{label:?} is no label of it")
                    });
                }
            }
        }
    }
}
