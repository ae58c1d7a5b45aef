//! The columns that the linear family learns from: 1, log-odds from other screens, features, masks, contexts; and doses
//! where any edit has one, and how alike contexts are where any context has features.

use super::hit::{self, Prior};
use crate::data::Observation;
use crate::representation::encoded::has_dose;
use crate::representation::vocabulary::SCREENS;
use crate::representation::{Encoded, Vocabulary};
use crate::sets::kernel::{Common, Geometry, distinct};
use crate::{Result, tensor};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Prior variance of what all features of an edit do to the log-odds of a hit; shared out over their columns.
/// Chosen, as [`SCREENS_VARIANCE`], on replays of 18 screens of other studies (docs/virtual-cell.md).
const FEATURES_VARIANCE: f64 = 0.2;
/// The same of its scores in other screens.
const SCREENS_VARIANCE: f64 = 0.42;
const MASK_PRECISION: f64 = 10.0;
const CONTEXT_PRECISION: f64 = 4.0;
/// Decades of dose, and their squares: a decade moves the log-odds by about one.
const DOSE_PRECISION: [f64; 2] = [1.0, 4.0];
/// Smallest eigenvalue of the contexts' cosines that counts: they are single precision.
const SINGULAR: f64 = 1e-4;
/// The log-odds from other screens, about what is usual, enter with weight 1 +- 1: how much this screen agrees with them is
/// for it to say. This and the next were chosen on twelve screens of other studies (docs/virtual-cell.md).
const PRIOR_WEIGHT_PRECISION: f64 = 1.0;
/// The base rate of hits is within a factor of 1.2 of that of other screens, one sd: what is measured was chosen as likely
/// hits, and says little of the level of the rest.
const BASE_RATE_PRECISION: f64 = 30.0;
/// Within a factor of e of the usual one where no other screens were given.
const UNKNOWN_BASE_RATE_PRECISION: f64 = 1.0;

/// Which columns there are, beside those of every model, and what their sum can say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// All that was measured are single edits: what several do together was never seen ([`alone`](crate::alone)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub singles: bool,
    /// An edit that was measured has a dose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doses: bool,
    /// A context has features of its own (a row of a `cell_line` table).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_features: bool,
}

impl Layout {
    /// For a model of `cut`, in `contexts`.
    pub fn of(cut: &[Observation], vocabulary: &Vocabulary, contexts: &[String]) -> Self {
        let mut edits = cut.iter().flat_map(|row| row.experiment.perturbation.edits());
        Self {
            singles: !cut.is_empty() && cut.iter().all(|row| row.experiment.perturbation.edits().len() < 2),
            doses: edits.any(|edit| has_dose(edit)),
            // Of one context alone nobody could tell what its features do.
            context_features: contexts.len() > 1
                && contexts.iter().any(|name| vocabulary.names.knows_context(name)),
        }
    }

    /// As in every model.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// `[N, P]`, double precision: 1, log-odds, features, masks; a column a context of `contexts`; decades of dose and their
    /// squares; how alike the context is to each of `contexts`.
    pub fn columns(&self, vocabulary: &Vocabulary, encoded: &Encoded, names: &[String]) -> Result<Tensor> {
        Ok(self.single(vocabulary, encoded, names)?.f_to_kind(Kind::Double)?)
    }

    /// The same in single precision, which all of them come in.
    pub fn single(&self, vocabulary: &Vocabulary, encoded: &Encoded, names: &[String]) -> Result<Tensor> {
        let options = (Kind::Float, encoded.device());
        let one = Tensor::f_ones([encoded.count, 1], options)?;
        let odds = encoded.log_odds.f_unsqueeze(1)?;
        let [features, known] = encoded.summed(vocabulary)?;
        // The last context, never seen, is a row of zeros.
        let contexts = names.len() as i64;
        let eye = Tensor::f_eye(contexts + 1, options)?.f_narrow(1, 0, contexts)?;
        let context = eye.f_index_select(0, &encoded.contexts)?;
        let mut columns = vec![one, odds, features, known, context];
        if self.doses {
            columns.push(encoded.doses()?);
        }
        if self.context_features {
            columns.push(context_likeness(vocabulary, encoded, names)?);
        }
        Ok(Tensor::f_cat(&columns, 1)?)
    }

    /// Of the weights of a hit's log-odds.
    pub fn hit_prior(&self, vocabulary: &Vocabulary, contexts: usize) -> Result<Prior> {
        let base_rate = if vocabulary.has_prior { BASE_RATE_PRECISION } else { UNKNOWN_BASE_RATE_PRECISION };
        let mut precision = vec![base_rate, PRIOR_WEIGHT_PRECISION];
        let of_screens = |name: &str| vocabulary.has_prior && name == SCREENS;
        let energies = vocabulary.energies()?;
        let features: f64 = (vocabulary.blocks.iter().zip(&energies))
            .filter(|(block, _)| !of_screens(&block.name))
            .map(|(_, energy)| energy)
            .sum();
        for (block, energy) in vocabulary.blocks.iter().zip(&energies) {
            let of_block = if of_screens(&block.name) {
                energy / SCREENS_VARIANCE
            } else {
                features / FEATURES_VARIANCE
            };
            precision.extend(std::iter::repeat_n(of_block.max(1.0), block.width));
        }
        precision.extend(std::iter::repeat_n(MASK_PRECISION, vocabulary.blocks.len()));
        precision.extend(std::iter::repeat_n(CONTEXT_PRECISION, contexts));
        if self.doses {
            precision.extend(DOSE_PRECISION);
        }
        if self.context_features {
            precision.extend(std::iter::repeat_n(CONTEXT_PRECISION, contexts));
        }
        let mut centre = vec![0.0; precision.len()];
        centre[0] = hit::usual_of_a_side();
        centre[hit::ODDS] = 1.0;
        Ok(Prior { centre, precision })
    }
}

/// `[N, contexts]`: coordinates of each row's context among those known, by their features; 0 where nothing is known.
///
/// With `R R'` the contexts' cosines, `c R'^-1` is as many columns as contexts whose products are the cosines: with the
/// columns by name beside them, of one precision, a context is half its own and half like its likes, as in the sets
/// ([`kernel`](crate::sets::kernel)).
fn context_likeness(vocabulary: &Vocabulary, encoded: &Encoded, names: &[String]) -> Result<Tensor> {
    let known: Vec<i64> = names.iter().map(|name| vocabulary.names.context(name)).collect();
    let known = tensor::indices(&known, &encoded.edits)?;
    let geometry = Geometry::with(vocabulary, Common::default());
    let among = geometry.cosines(&known, &known)?.f_to_kind(Kind::Double)?;
    let (values, vectors) = among.f_linalg_eigh("L")?;
    // Contexts without features, and any that are alike to rounding, add no direction.
    let scale =
        values.f_clamp_min(SINGULAR)?.f_rsqrt()?.f_mul(&values.f_gt(SINGULAR)?.f_to_kind(Kind::Double)?)?;
    let (rows, places) = distinct(&encoded.context_rows)?;
    let to_known = geometry.cosines(&rows, &known)?.f_to_kind(Kind::Double)?;
    let coordinates = to_known.f_matmul(&vectors)?.f_mul(&scale.f_unsqueeze(0)?)?;
    Ok(coordinates.f_index_select(0, &places)?.f_to_kind(Kind::Float)?)
}
