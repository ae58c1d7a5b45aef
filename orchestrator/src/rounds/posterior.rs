//! The posterior as a learner leaves it: CSV over the whole pool. Outside data: every number is checked.

use crate::store::predictions::Predicted;
use jobs::work::learn::Prediction;
use jobs::{Context, Experiment};
use serde::Deserialize;

/// A posterior that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the posterior is no CSV of the contract's columns")]
    NotCsv(#[source] csv::Error),
    #[error("line {line} of the posterior: {reason}")]
    BadRow { line: u64, reason: String },
}

#[derive(Deserialize)]
struct Row {
    perturbation: String,
    context: String,
    mean: f64,
    epistemic_sd: f64,
    aleatoric_sd: f64,
    hit_probability: f64,
    score: f64,
}

/// Reads the table; columns in any order.
pub fn parse(bytes: &[u8]) -> Result<Vec<Predicted>, Unusable> {
    let mut reader = csv::Reader::from_reader(bytes);
    let mut predicted = Vec::new();
    for (line, row) in (2..).zip(reader.deserialize::<Row>()) {
        let row = row.map_err(Unusable::NotCsv)?;
        predicted.push(row.check().map_err(|reason| Unusable::BadRow { line, reason })?);
    }
    Ok(predicted)
}

impl Row {
    fn check(self) -> Result<Predicted, String> {
        let numbers = [self.mean, self.epistemic_sd, self.aleatoric_sd, self.hit_probability, self.score];
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err("a number is not finite".to_owned());
        }
        if self.epistemic_sd < 0.0 || self.aleatoric_sd < 0.0 {
            return Err("a standard deviation is negative".to_owned());
        }
        if !(0.0..=1.0).contains(&self.hit_probability) {
            return Err(format!("{} is no probability", self.hit_probability));
        }
        Ok(Predicted {
            experiment: Experiment {
                perturbation: self
                    .perturbation
                    .parse()
                    .map_err(|e: jobs::experiment::NotAPerturbation| e.to_string())?,
                context: Context(self.context),
            },
            prediction: Prediction {
                mean: self.mean,
                epistemic_sd: self.epistemic_sd,
                aleatoric_sd: self.aleatoric_sd,
                hit_probability: self.hit_probability,
            },
            score: self.score,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score";

    #[test]
    fn a_row_is_read_as_it_stands() {
        let read = parse(format!("{HEADER}\nB+A,donor-1,0.5,0.1,0.2,0.3,0.9\n").as_bytes()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].experiment.perturbation.to_string(), "A+B");
        assert_eq!(read[0].prediction.aleatoric_sd, 0.2);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused_with_their_line() {
        for bad in ["A,c,NaN,0,0,0,0", "A,c,0,-1,0,0,0", "A,c,0,0,0,1.5,0", "A+,c,0,0,0,0,0"] {
            let error = parse(format!("{HEADER}\n{bad}\n").as_bytes()).unwrap_err().to_string();
            assert!(error.contains("line 2"), "{bad}: {error}");
        }
        assert!(parse(b"perturbation,context\nA,c\n").is_err());
    }
}
