//! How a batch is chosen: which settings a rule takes, and which model it needs.

use super::Check;
use crate::campaigns::Spec;
use jobs::work::learn::{Acquisition, ModelFamily};

impl Check<'_> {
    pub(super) fn acquisition(&mut self, spec: &Spec) {
        let rule = spec.acquisition.rule;
        self.known_settings(rule);
        self.within("acquisition.diversity", spec.diversity(), 0.0, 1.0, "");
        if let Acquisition::Auto { learning_share: Some(share) } = rule {
            self.within("acquisition.learning_share", share, 0.0, 1.0, "");
        }
        if let Acquisition::Ucb { beta } = rule {
            self.require(beta.is_finite() && beta >= 0.0, "acquisition.beta", || {
                format!("{beta} is out of range: 0 or more")
            });
        }
        if rule == Acquisition::Bald && self.read(&["model"]) {
            self.require(spec.model.family == ModelFamily::Ensemble, "acquisition.name", || {
                "`bald` asks where opinions on a hit differ; this model holds one opinion on each hit: take the \
                 family `ensemble`, or `information_gain`"
                    .to_owned()
            });
        }
    }

    /// Serde lets a variant without fields of its own have any.
    fn known_settings(&mut self, rule: Acquisition) {
        let (name, own) = settings(rule);
        for field in self.document.fields("acquisition") {
            if !matches!(field.as_str(), "name" | "diversity") && !own.contains(&field.as_str()) {
                let takes = match own {
                    [] => "takes no setting of its own".to_owned(),
                    own => format!("takes `{}` of its own", own.join("`, `")),
                };
                self.wrong(&format!("acquisition.{field}"), format!("the rule `{name}` {takes}"));
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
