//! Whether approval and prices make sense.

use super::policy::Policy;
use super::spec::Spec;
use super::validate::Check;

/// More people would never be found.
const MOST_APPROVERS: u32 = 100;
const HIGHEST_PRICE: f64 = 1e9;

impl Check<'_> {
    pub(super) fn policy(&mut self, policy: &Policy) {
        let Policy { approvals, auto_approve, .. } = *policy;
        self.require(approvals > 0 || auto_approve, "policy.approvals", || {
            "nobody would approve: ask for one approval or more, or set auto_approve = true".to_owned()
        });
        self.require(approvals <= MOST_APPROVERS, "policy.approvals", || {
            format!("{approvals} is out of range: at most {MOST_APPROVERS} people")
        });
        let in_roles = policy.roles.total();
        self.require(in_roles <= MOST_APPROVERS, "policy.roles", || {
            format!("{in_roles} people are out of range: at most {MOST_APPROVERS}")
        });
        let said = self.document.has("policy.approvals") && approvals > 0 && in_roles <= MOST_APPROVERS;
        self.require(!said || approvals >= in_roles, "policy.approvals", || {
            format!("the roles ask for {in_roles} different people: ask for {in_roles} approvals or more, or for fewer roles")
        });
        if let Some(hours) = policy.expires_hours {
            self.require(hours > 0.0, "policy.expires_hours", || {
                "a batch that waits no time cannot be approved: above 0, or leave it out".to_owned()
            });
            self.within("policy.expires_hours", hours, 0.0, 24.0 * 365.0, " hours");
        }
        if auto_approve && policy.auto_approve_limit.is_none() {
            self.nobody_is_asked(policy);
        }
    }

    /// What is said of people although none is asked.
    fn nobody_is_asked(&mut self, policy: &Policy) {
        let moot = [
            ("policy.approvals", policy.approvals > 1),
            ("policy.roles", policy.roles.total() > 0),
            ("policy.expires_hours", policy.expires_hours.is_some()),
        ];
        for (path, says) in moot {
            if says && self.document.has(path) {
                self.doubtful(path, "auto_approve = true without auto_approve_limit: nobody is asked");
            }
        }
    }

    pub(super) fn auto_approval(&mut self, spec: &Spec) {
        let Some(limit) = spec.policy.auto_approve_limit else { return };
        let at = "policy.auto_approve_limit";
        self.require(spec.policy.auto_approve, at, || {
            "it limits auto_approve, which is false: set auto_approve = true, or leave the limit out"
                .to_owned()
        });
        let limits = limit.experiments.is_some() || limit.plates.is_some() || limit.cost.is_some();
        self.require(limits, at, || "it limits nothing: name experiments, plates or cost".to_owned());
        if let Some(cost) = limit.cost {
            self.within("policy.auto_approve_limit.cost", cost, 0.0, HIGHEST_PRICE, "");
            let priced = spec.cost.is_some() || !self.read(&["cost"]);
            self.require(priced, "policy.auto_approve_limit.cost", || {
                "there are no prices: add a section [cost]".to_owned()
            });
        }
    }

    /// What a batch may cost, `most`, by prices that there must be.
    pub(super) fn batch_cost(&mut self, spec: &Spec, most: f64) {
        self.require(most > 0.0 && most <= HIGHEST_PRICE, "budget.batch_cost", || {
            format!("{most} is out of range: above 0, to {HIGHEST_PRICE}")
        });
        if !self.read(&["cost"]) {
            return;
        }
        let Some(cost) = &spec.cost else {
            self.wrong("budget.batch_cost", "there are no prices to go by: write them in a section [cost]");
            return;
        };
        let prices = cost.for_choice(most, spec.assay.replicates);
        let cheapest = prices.edits.values().copied().fold(prices.per_edit, f64::min);
        if prices.per_experiment + cheapest > most {
            self.wrong("budget.batch_cost", "not one experiment is as cheap as that");
        }
    }

    pub(super) fn cost(&mut self, spec: &Spec) {
        let Some(cost) = &spec.cost else { return };
        let currency = &cost.currency;
        let iso = currency.len() == 3 && currency.bytes().all(|letter| letter.is_ascii_uppercase());
        self.require(iso, "cost.currency", || {
            format!("{currency:?} is no currency: three capital letters, like EUR")
        });
        for (name, price) in cost.prices() {
            self.within(&format!("cost.{name}"), price, 0.0, HIGHEST_PRICE, "");
        }
        for (edit, price) in &cost.edits {
            self.within(&format!("cost.edits.{edit}"), *price, 0.0, HIGHEST_PRICE, "");
        }
        if cost.prices().iter().all(|(_, price)| *price == 0.0) && cost.edits.is_empty() {
            self.doubtful("cost", "no price is named: every batch costs nothing");
        }
    }
}
