//! What a batch costs, by what the campaign file says of prices. For people; and for the learner where the file says what a
//! batch may cost (`budget.batch_cost`).

use jobs::Experiment;
use jobs::work::learn::Prices;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Prices; what is absent costs nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// ISO 4217: `EUR`.
    pub currency: String,
    /// An assay plate with its cells.
    #[serde(default)]
    pub per_plate: f64,
    /// A well that is used, controls too: medium, stain.
    #[serde(default)]
    pub per_well: f64,
    /// A tip: one a transfer.
    #[serde(default)]
    pub per_tip: f64,
    #[serde(default)]
    pub per_experiment: f64,
    /// An edit (its reagent) in an experiment, where `edits` does not name it.
    #[serde(default)]
    pub per_edit: f64,
    /// Edits with a price of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub edits: BTreeMap<String, f64>,
    /// An hour in which the liquid handler dispenses, as fast as its profile says.
    #[serde(default)]
    pub per_handler_hour: f64,
}

/// How much of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantities {
    pub plates: u32,
    pub wells: u32,
    pub tips: u32,
    pub experiments: u32,
    /// What the edits of all experiments cost.
    pub edits: f64,
    pub handler_hours: f64,
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// To the hundredth.
    pub amount: f64,
    pub currency: String,
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} {}", self.amount, self.currency)
    }
}

impl Cost {
    /// Each price with its name in the file.
    pub fn prices(&self) -> [(&'static str, f64); 6] {
        [
            ("per_plate", self.per_plate),
            ("per_well", self.per_well),
            ("per_tip", self.per_tip),
            ("per_experiment", self.per_experiment),
            ("per_edit", self.per_edit),
            ("per_handler_hour", self.per_handler_hour),
        ]
    }

    /// Of the edits of one experiment.
    pub fn of_edits(&self, experiment: &Experiment) -> f64 {
        let edits = experiment.perturbation.edits().iter();
        edits.map(|edit| self.edits.get(edit).copied().unwrap_or(self.per_edit)).sum()
    }

    /// What a learner chooses by: of a batch, all that grows with its experiments (edits, their own wells and tips), and
    /// nothing of plates, controls and hours.
    pub fn for_choice(&self, budget: f64, replicates: u32) -> Prices {
        let tips = f64::from(replicates) * self.per_tip;
        Prices {
            budget,
            currency: self.currency.clone(),
            per_experiment: self.per_experiment + f64::from(replicates) * self.per_well,
            per_edit: self.per_edit + tips,
            edits: self.edits.iter().map(|(edit, price)| (edit.clone(), price + tips)).collect(),
        }
    }

    /// The price of these quantities.
    pub fn of(&self, used: &Quantities) -> Money {
        let sum = self.per_plate * f64::from(used.plates)
            + self.per_well * f64::from(used.wells)
            + self.per_tip * f64::from(used.tips)
            + self.per_experiment * f64::from(used.experiments)
            + used.edits
            + self.per_handler_hour * used.handler_hours;
        Money { amount: (sum * 100.0).round() / 100.0, currency: self.currency.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_counts_once_and_the_sum_is_rounded_to_the_hundredth() {
        let used =
            Quantities { plates: 2, wells: 100, tips: 130, experiments: 34, edits: 0.0, handler_hours: 1.5 };
        let mut cost = Cost {
            currency: "EUR".into(),
            per_plate: 40.0,
            per_well: 0.35,
            per_tip: 0.081,
            per_experiment: 3.0,
            per_edit: 8.0,
            edits: BTreeMap::from([("CBLB".to_owned(), 40.0)]),
            per_handler_hour: 12.0,
        };
        // 80 + 35 + 10.53 + 102 + 18, by hand.
        assert_eq!(cost.of(&used).to_string(), "245.53 EUR");
        cost.per_tip = 0.0001;
        assert_eq!(cost.of(&used).amount, 235.01);
        assert_eq!(cost.of(&Quantities::default()).amount, 0.0);
        let pair = Experiment {
            perturbation: "CBLB+RASA2".parse().unwrap(),
            context: jobs::Context("donor-1".into()),
        };
        assert_eq!(cost.of_edits(&pair), 48.0);
        // In two wells: 3 + 2 x 0.35, and for each edit two tips.
        cost.per_tip = 0.5;
        assert_eq!(cost.for_choice(800.0, 2).of(&pair), 3.7 + 41.0 + 9.0);
        assert_eq!(cost.of(&Quantities { edits: 48.0, ..Quantities::default() }).amount, 48.0);
    }
}
