//! What a batch costs, by what the campaign file says of prices. For people: it changes nothing that happens.

use serde::{Deserialize, Serialize};
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
    pub fn prices(&self) -> [(&'static str, f64); 5] {
        [
            ("per_plate", self.per_plate),
            ("per_well", self.per_well),
            ("per_tip", self.per_tip),
            ("per_experiment", self.per_experiment),
            ("per_handler_hour", self.per_handler_hour),
        ]
    }

    /// The price of these quantities.
    pub fn of(&self, used: &Quantities) -> Money {
        let sum = self.per_plate * f64::from(used.plates)
            + self.per_well * f64::from(used.wells)
            + self.per_tip * f64::from(used.tips)
            + self.per_experiment * f64::from(used.experiments)
            + self.per_handler_hour * used.handler_hours;
        Money { amount: (sum * 100.0).round() / 100.0, currency: self.currency.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_counts_once_and_the_sum_is_rounded_to_the_hundredth() {
        let used = Quantities { plates: 2, wells: 100, tips: 130, experiments: 34, handler_hours: 1.5 };
        let mut cost = Cost {
            currency: "EUR".into(),
            per_plate: 40.0,
            per_well: 0.35,
            per_tip: 0.081,
            per_experiment: 3.0,
            per_handler_hour: 12.0,
        };
        // 80 + 35 + 10.53 + 102 + 18, by hand.
        assert_eq!(cost.of(&used).to_string(), "245.53 EUR");
        cost.per_tip = 0.0001;
        assert_eq!(cost.of(&used).amount, 235.01);
        assert_eq!(cost.of(&Quantities::default()).amount, 0.0);
    }
}
