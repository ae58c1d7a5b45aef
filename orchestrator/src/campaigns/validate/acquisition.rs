//! How a batch is chosen: which settings a rule takes, and which model it needs.

use super::Check;
use crate::campaigns::Spec;
use crate::campaigns::spec::AcquisitionSpec;
use jobs::work::learn::{Acquisition, ModelFamily};

/// Settings that every rule takes, beside its `name`.
pub(in crate::campaigns) const COMMON_SETTINGS: [&str; 4] =
    ["diversity", "replicate_share", "most_measurements", "whole_plates"];
const MOST_MEASUREMENTS: u32 = 100;

impl Check<'_> {
    pub(super) fn acquisition(&mut self, spec: &Spec) {
        let rule = spec.acquisition.rule;
        self.known_settings(rule);
        self.within("acquisition.diversity", spec.diversity(), 0.0, 1.0, "");
        self.repeats(spec);
        if spec.acquisition.whole_plates && spec.design.contexts.len() < 2 && self.read(&["design"]) {
            self.doubtful(
                "acquisition.whole_plates",
                "there is one context, so all plates are of it: this changes nothing until `design.contexts` has more",
            );
        }
        if let Acquisition::Auto { learning_share: Some(share) } = rule {
            self.within("acquisition.learning_share", share, 0.0, 1.0, "");
        }
        if let Acquisition::Ucb { beta } = rule {
            self.require(beta.is_finite() && beta >= 0.0, "acquisition.beta", || {
                format!("{beta} is out of range: 0 or more")
            });
        }
        if rule == Acquisition::Bald && self.read(&["model"]) {
            let several = spec.model.family == ModelFamily::Ensemble && spec.model.members > 1;
            self.require(several, "acquisition.name", || {
                "`bald` asks where opinions on a hit differ; this model holds one opinion on each hit: take the \
                 family `ensemble` with two members or more, or `information_gain`"
                    .to_owned()
            });
        }
    }

    /// What may be measured again, and how often.
    fn repeats(&mut self, spec: &Spec) {
        let AcquisitionSpec { rule, replicate_share, most_measurements, .. } = spec.acquisition;
        let share = replicate_share.unwrap_or(0.0);
        self.within("acquisition.replicate_share", share, 0.0, 1.0, "");
        if let Some(most) = most_measurements {
            self.at_least_one("acquisition.most_measurements", most, MOST_MEASUREMENTS);
        }
        self.require(share == 0.0 || rule != Acquisition::Random, "acquisition.replicate_share", || {
            "`random` is the control: it chooses by chance alone, and measures nothing again".to_owned()
        });
        let never = share > 0.0 && most_measurements == Some(1);
        if never {
            self.doubtful(
                "acquisition.most_measurements",
                "a share may be measured again, and nothing is measured more than once: no share is",
            );
        }
        if share > 0.0
            && !never
            && self.read(&["budget"])
            && spec.acquisition.repeats_of(spec.budget.batch) == 0
        {
            self.doubtful(
                "acquisition.replicate_share",
                format!("of a batch of {} it is not one experiment", spec.budget.batch),
            );
        }
    }

    /// Serde lets a variant without fields of its own have any.
    fn known_settings(&mut self, rule: Acquisition) {
        let (name, own) = settings(rule);
        for field in self.document.fields("acquisition") {
            let common = field == "name" || COMMON_SETTINGS.contains(&field.as_str());
            if !common && !own.contains(&field.as_str()) {
                let takes = match own {
                    [] => "takes no setting of its own".to_owned(),
                    own => format!("takes `{}` of its own", own.join("`, `")),
                };
                let every = COMMON_SETTINGS.join("`, `");
                self.wrong(
                    &format!("acquisition.{field}"),
                    format!("the rule `{name}` {takes}; every rule takes `{every}`"),
                );
            }
        }
    }
}

/// The name of a rule in a file, and the settings that it takes.
fn settings(rule: Acquisition) -> (&'static str, &'static [&'static str]) {
    match rule {
        Acquisition::HitProbability => ("hit_probability", &[]),
        Acquisition::Greedy => ("greedy", &[]),
        Acquisition::Ucb { .. } => ("ucb", &["beta"]),
        Acquisition::ExpectedImprovement => ("expected_improvement", &[]),
        Acquisition::Thompson => ("thompson", &[]),
        Acquisition::TopTwo => ("top_two", &[]),
        Acquisition::InformationGain => ("information_gain", &[]),
        Acquisition::Bald => ("bald", &[]),
        Acquisition::MaxEpistemic => ("max_epistemic", &[]),
        Acquisition::Random => ("random", &[]),
        Acquisition::Auto { .. } => ("auto", &["learning_share"]),
    }
}
