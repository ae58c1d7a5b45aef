//! What a model has no input for: an edit of which nothing is known, a context that it never saw.
//!
//! Neither family doubts itself there: nothing moves its members (or its weights) apart where all inputs are
//! zero. So the variance of what it cannot know is added to what either family says, in standardised units:
//!
//! - An edit of which nothing is known may be any of those of which something is known. By the law of total
//!   variance over a sample of them: the variance of their means, plus the mean of their epistemic variances.
//! - A context never seen moves all that happens in it: by the variance between the contexts seen, and at
//!   least by [`CONTEXT_VARIANCE`], the prior's.
//!
//! Not added before anything was measured, for contexts: the prior of the whole covers them. Not added for an
//! edit that lacks some blocks and has others; nor for one that the model tells from others by its name, since it was in
//! measured sets; nor where no edit has any block: then the spread between edits is in the noise already.

use crate::Result;
use crate::metrics;
use crate::model::{Model, Posterior};
use crate::representation::Vocabulary;
use crate::seed::{self, Purpose};
use crate::threads;
use jobs::{Context, Experiment, Perturbation};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Half a standard deviation of the readout, squared: what a context may do before two were seen.
const CONTEXT_VARIANCE: f64 = 0.25;
/// Edits that stand for all known ones.
const SAMPLE: usize = 128;
/// Contexts in which they are asked for.
const MOST_CONTEXTS: usize = 8;

/// Experiments and what is new in them.
pub(crate) struct Novel<'a> {
    experiments: &'a [Experiment],
    edits: BTreeSet<&'a str>,
    contexts: BTreeSet<&'a str>,
}

/// Variances, standardised units.
struct Unknown {
    edit: f64,
    context: f64,
}

impl<'a> Novel<'a> {
    /// `None`: nothing in `experiments` is new to a model of these contexts.
    /// `by_name`: [identities](crate::representation::vocabulary::Names::identity) of edits that it knows without features.
    pub fn find(
        experiments: &'a [Experiment],
        vocabulary: &Vocabulary,
        contexts: &[String],
        by_name: &HashSet<i64>,
    ) -> Option<Self> {
        let names = &vocabulary.names;
        let new = |edit: &&'a str| !names.knows(edit) && !by_name.contains(&names.identity(edit));
        let unseen = |context: &str| !contexts.is_empty() && contexts.iter().all(|known| known != context);
        let edits = |experiment: &'a Experiment| experiment.perturbation.edits().iter().map(String::as_str);
        // Few are, of many.
        let places = threads::collect(experiments.len(), false, |place| {
            experiments.get(place).is_some_and(|it| edits(it).any(|edit| new(&edit)) || unseen(&it.context.0))
        });
        let novel: Vec<&Experiment> = experiments
            .iter()
            .zip(places)
            .filter(|(_, new)| *new)
            .map(|(experiment, _)| experiment)
            .collect();
        let contexts = novel.iter().map(|experiment| experiment.context.0.as_str());
        let novel = Self {
            experiments,
            edits: novel.iter().flat_map(|experiment| edits(experiment)).filter(new).collect(),
            contexts: contexts.filter(|context| unseen(context)).collect(),
        };
        (!novel.edits.is_empty() || !novel.contexts.is_empty()).then_some(novel)
    }

    /// Widens `posterior`, which is of the same experiments, and its joint draws.
    pub fn widen(
        &self,
        posterior: &mut Posterior,
        model: &Model,
        vocabulary: &Vocabulary,
        contexts: &[String],
        seed: u64,
    ) -> Result<()> {
        let unknown = Unknown::measure(model, vocabulary, contexts)?;
        let mut rng = seed::stream(seed, Purpose::Novelty);
        let samples = posterior.samples.len();
        let mut draw = |names: &BTreeSet<&'a str>| -> BTreeMap<&'a str, Vec<f32>> {
            names.iter().map(|name| (*name, seed::normals(&mut rng, samples))).collect()
        };
        let (of_edits, of_contexts) = (draw(&self.edits), draw(&self.contexts));
        for (row, experiment) in self.experiments.iter().enumerate() {
            let edits = experiment.perturbation.edits().iter();
            let new = edits.filter_map(|edit| of_edits.get(edit.as_str())).map(|draws| (unknown.edit, draws));
            let context =
                of_contexts.get(experiment.context.0.as_str()).map(|draws| (unknown.context, draws));
            for (variance, draws) in new.chain(context) {
                posterior.epistemic_sd[row] = posterior.epistemic_sd[row].hypot(variance.sqrt());
                for (sample, z) in posterior.samples.iter_mut().zip(draws) {
                    sample[row] += variance.sqrt() * f64::from(*z);
                }
            }
        }
        Ok(())
    }
}

impl Unknown {
    fn measure(model: &Model, vocabulary: &Vocabulary, contexts: &[String]) -> Result<Self> {
        let names = vocabulary.some_known(SAMPLE);
        let edits: Vec<Perturbation> = names.into_iter().filter_map(|name| name.parse().ok()).collect();
        if edits.is_empty() {
            return Ok(Self { edit: 0.0, context: CONTEXT_VARIANCE });
        }
        let unseen = [String::new()];
        let asked = if contexts.is_empty() { &unseen } else { contexts };
        let (mut within, mut centres) = (Vec::new(), Vec::new());
        for context in asked.iter().take(MOST_CONTEXTS) {
            let of = |edit: &Perturbation| Experiment {
                perturbation: edit.clone(),
                context: Context(context.clone()),
            };
            let experiments: Vec<Experiment> = edits.iter().map(of).collect();
            let said = model.posterior(vocabulary, contexts, &experiments, 0, 0)?;
            let spread = metrics::sd(&said.mean).unwrap_or(0.0).powi(2);
            let doubt = metrics::mean(said.epistemic_sd.iter().map(|sd| sd * sd)).unwrap_or(0.0);
            within.push(spread + doubt);
            centres.extend(metrics::mean(said.mean));
        }
        let between = metrics::sd(&centres).unwrap_or(0.0).powi(2);
        Ok(Self { edit: metrics::mean(within).unwrap_or(0.0), context: between.max(CONTEXT_VARIANCE) })
    }
}
