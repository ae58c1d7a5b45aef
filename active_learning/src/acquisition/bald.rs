use super::Candidates;
use crate::{Error, Result};

/// Bayesian active learning by disagreement, of the hit call: the entropy of the members' mean probability less the
/// mean entropy of the members' own (Houlsby et al. 2011, eq. 2; for ensembles, Gal et al. 2017, Beluch et al. 2018).
/// In nats.
///
/// It needs several opinions on the probability of a hit. The family `ensemble` has its members', where there are two or
/// more. `bayesian_linear`
/// holds the hit's weights at the mode of their posterior (and means the logarithm of odds over trees that are grown
/// at random on all rows, whose scatter is that of the cuts, not of what the data leave open), and the process over
/// sets bends one number into log-odds: both say one probability, from which no disagreement can be had. There the
/// rule is refused; information gain of the readout is what these families can say.
///
/// Where we depart: the members' probabilities enter as they are, without the calibration of their mean.
pub(super) fn scores(candidates: &Candidates) -> Result<Vec<f64>> {
    if candidates.hit_information.len() == candidates.predictions.len() {
        return Ok(candidates.hit_information.to_vec());
    }
    let why = "the rule `bald` needs the family `ensemble` with two members or more: this model holds one opinion on each hit";
    Err(Error::Settings(why.into()))
}
