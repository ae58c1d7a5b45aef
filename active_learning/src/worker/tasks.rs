//! The kinds of learner work as functions of bytes. No network, no clock but for durations.

use crate::Result;
use crate::calibration::Judged;
use crate::data::{self, Cut, FeatureTable};
use crate::grounds;
use crate::model::Stop;
use crate::prior::PriorScreens;
use crate::propose::{self, Request};
use crate::representation::Vocabulary;
use crate::screen::{self, Spanned};
use crate::shadow::{self, New};
use crate::train::Cell;
use crate::worker::progress::Progress;
use crate::worker::steps::Step;
use bytes::Bytes;
use jobs::Digest;
use jobs::crash::{self, Moment};
use jobs::work::description::Description;
use jobs::work::learn::{ModelInputs, ModelMetrics, Predict, PredictResult, Proposal, Propose, Train};
use jobs::work::screen::{Screen, SpaceSummary};
use jobs::work::shadow::ShadowScore;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

/// The blobs that a job's inputs name.
#[derive(Clone, Debug)]
pub struct Material {
    pub pool: Bytes,
    pub data_cut: Option<Bytes>,
    /// In the order of the inputs.
    pub features: Vec<Bytes>,
    /// In the order of the inputs.
    pub priors: Vec<Bytes>,
    pub checkpoint: Option<Bytes>,
    /// Checkpoint and data cut of each shadow, in the order of the job.
    pub shadows: Vec<(Bytes, Option<Bytes>)>,
    /// The experiments to screen, where a table names them.
    pub table: Option<Bytes>,
}

#[derive(Clone, Debug)]
pub enum Task {
    Train(Box<Train>, Material),
    Propose(Box<Propose>, Material),
    Predict(Box<Predict>, Material),
    Screen(Box<Screen>, Material, Progress),
}

impl Task {
    /// Where it says how far it is, if it does.
    pub(super) fn progress(&self) -> Option<Progress> {
        match self {
            Task::Screen(_, _, progress) => Some(progress.clone()),
            Task::Train(..) | Task::Propose(..) | Task::Predict(..) => None,
        }
    }
}

/// What is to be stored and reported.
#[derive(Clone, Debug)]
pub enum Answer {
    Trained {
        checkpoint: Vec<u8>,
        train_seconds: f64,
        metrics: ModelMetrics,
    },
    Proposed {
        proposals: Vec<Proposal>,
        runners_up: Vec<Proposal>,
        explanation: String,
        posterior: Vec<u8>,
        /// Trained for this choice, since the job named none.
        fresh_checkpoint: Option<Vec<u8>>,
        select_seconds: f64,
    },
    Predicted(PredictResult),
    Screened {
        ranking: Vec<u8>,
        summary: SpaceSummary,
        screen_seconds: f64,
    },
}

/// What the last tasks left that the next may use: parsing a vocabulary takes longer than predicting.
#[derive(Default)]
pub struct Shelf {
    vocabulary: Option<(VocabularyKey, Rc<Vocabulary>)>,
}

type VocabularyKey = (Vec<Digest>, Vec<Digest>, Vec<String>, Description);

impl Shelf {
    pub fn perform(&mut self, task: &Task, stop: &Stop) -> Result<Answer> {
        let step = match task {
            Task::Train(..) => Step::Train,
            Task::Propose(..) => Step::Propose,
            Task::Predict(..) => Step::Predict,
            Task::Screen(..) => Step::Screen,
        };
        crash::blocking_point(step, Moment::Before);
        let answer = match task {
            Task::Train(train, material) => self.train(train, material, stop),
            Task::Propose(propose, material) => self.propose(propose, material, stop),
            Task::Predict(predict, material) => self.predict(predict, material),
            Task::Screen(screen, material, progress) => self.screen(screen, material, progress, stop),
        };
        crash::blocking_point(step, Moment::After);
        answer
    }

    /// A warm start is not taken: training takes seconds from the seed alone, and members that had seen a
    /// held-out fold before would make the calibration a lie.
    fn train(&mut self, train: &Train, material: &Material, stop: &Stop) -> Result<Answer> {
        let from = Instant::now();
        let vocabulary = self.vocabulary(&train.inputs, material)?;
        let cut = read_cut(&train.inputs, material)?;
        let (mut cell, held_out) = train_cell(&vocabulary, &cut, &train.inputs, stop)?;
        let new = New {
            vocabulary: &vocabulary,
            cut: &cut.observations,
            scale: cell.header.scale,
            held_out: &held_out,
            by_row: cell.model.leaves_out_rows(),
        };
        cell.header.metrics.shadows = score_shadows(train, material, &new)?;
        crash::blocking_point(Step::Train, Moment::During);
        Ok(Answer::Trained {
            checkpoint: cell.to_bytes()?,
            train_seconds: from.elapsed().as_secs_f64(),
            metrics: cell.header.metrics,
        })
    }

    fn propose(&mut self, propose: &Propose, material: &Material, stop: &Stop) -> Result<Answer> {
        let from = Instant::now();
        let inputs = &propose.inputs;
        let vocabulary = self.vocabulary(inputs, material)?;
        let cut = read_cut(inputs, material)?;
        let named = material.checkpoint.as_deref().and_then(|bytes| match Cell::from_bytes(bytes) {
            Ok(cell) => Some(cell),
            Err(error) => {
                tracing::warn!(%error, "the model in use cannot be read (a program of before?); another is trained");
                None
            }
        });
        // A campaign may have got other features, priors or constraints since its model was promoted: then a cell is
        // trained here, and the answer names its checkpoint as the one really used.
        let (cell, fresh_checkpoint) =
            match named.filter(|cell| cell.fits(&vocabulary) && cell.knows(&inputs.readouts)) {
                Some(cell) => (cell, None),
                None => {
                    let (cell, _) = train_cell(&vocabulary, &cut, inputs, stop)?;
                    let knows = cell.header.has_prior || !cut.observations.is_empty();
                    let bytes = knows.then(|| cell.to_bytes()).transpose()?;
                    (cell, bytes)
                }
            };
        crash::blocking_point(Step::Propose, Moment::During);
        let pool = data::pool::read(&material.pool)?;
        tracing::info!("{}", vocabulary.coverage(&pool)?);
        let by_gene = pool.iter().filter(|experiment| propose.excludes_gene_of(experiment));
        let excluded: Vec<_> = propose.excluded.iter().chain(by_gene).cloned().collect();
        let mut repeats = propose.repeats.clone();
        if let Some(repeats) = &mut repeats {
            repeats.experiments.retain(|experiment| !propose.excludes_gene_of(experiment));
        }
        let request = Request {
            pool: &pool,
            cut: &cut.observations,
            pending: &propose.pending,
            excluded: &excluded,
            repeats: repeats.as_ref(),
            prices: propose.prices.as_ref(),
            per_plate: propose.per_plate.map(|per_plate| per_plate as usize),
            objective: propose.objective,
            acquisition: propose.acquisition,
            diversity: propose.diversity,
            rounds_left: propose.rounds_left,
            batch_size: propose.batch_size as usize,
            runners_up: propose.runners_up as usize,
            seed: inputs.seed,
        };
        let proposed = propose::propose(&vocabulary, &cell, &request)?;
        Ok(Answer::Proposed {
            posterior: data::posterior::write(&pool, &proposed.predictions, &proposed.scores),
            proposals: proposed.proposals,
            runners_up: proposed.runners_up,
            explanation: proposed.explanation,
            fresh_checkpoint,
            select_seconds: from.elapsed().as_secs_f64(),
        })
    }

    fn predict(&mut self, predict: &Predict, material: &Material) -> Result<Answer> {
        let vocabulary = self.vocabulary(&predict.inputs, material)?;
        let cell = read_cell(material)?;
        crash::blocking_point(Step::Predict, Moment::During);
        let predicted = cell.predict(&vocabulary, &predict.experiments, 0, predict.inputs.seed)?;
        let readouts = cell.predict_readouts(&vocabulary, &predict.experiments, true)?;
        let cut = read_cut(&predict.inputs, material)?.observations;
        let grounds = grounds::of(&predict.experiments, &vocabulary, &cut);
        Ok(Answer::Predicted(PredictResult { predictions: predicted.predictions, readouts, grounds }))
    }

    fn screen(
        &mut self,
        screen: &Screen,
        material: &Material,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<Answer> {
        let from = Instant::now();
        let vocabulary = self.vocabulary(&screen.inputs, material)?;
        let cell = read_cell(material)?;
        crash::blocking_point(Step::Screen, Moment::During);
        let contexts = &cell.header.contexts;
        let space = Spanned::of(&screen.space, material.table.as_deref(), &vocabulary, contexts)?;
        let (rank_by, keep, seed) = (screen.rank_by, screen.keep as usize, screen.inputs.seed);
        let request = screen::Request { rank_by, keep, seed, stop };
        let screened = screen::screen(&vocabulary, &cell, space, &request, |share| progress.set(share))?;
        Ok(Answer::Screened {
            ranking: screened.to_csv(),
            summary: screened.summary,
            screen_seconds: from.elapsed().as_secs_f64(),
        })
    }

    fn vocabulary(&mut self, inputs: &ModelInputs, material: &Material) -> Result<Rc<Vocabulary>> {
        let groups = inputs.exclude_prior_groups.clone();
        let key = (inputs.features.clone(), inputs.priors.clone(), groups, inputs.description.clone());
        if let Some((known, vocabulary)) = &self.vocabulary
            && *known == key
        {
            return Ok(Rc::clone(vocabulary));
        }
        let vocabulary = Rc::new(build_vocabulary(inputs, material)?);
        self.vocabulary = Some((key, Rc::clone(&vocabulary)));
        Ok(vocabulary)
    }
}

fn build_vocabulary(inputs: &ModelInputs, material: &Material) -> Result<Vocabulary> {
    let tables = material.features.iter().map(|bytes| FeatureTable::read(bytes));
    let features = FeatureTable::join(tables.collect::<Result<_>>()?);
    let siblings: HashSet<String> = inputs.exclude_prior_groups.iter().cloned().collect();
    let read = |(number, bytes): (usize, &Bytes)| {
        PriorScreens::read(&format!("prior {}", number + 1), bytes, &siblings, &HashSet::new())
    };
    let screens = material.priors.iter().enumerate().map(read).collect::<Result<Vec<_>>>()?;
    let screens: Vec<PriorScreens> = screens.into_iter().filter(|part| !part.is_empty()).collect();
    let at_hand = inputs.description.clone();
    let joined = (!screens.is_empty()).then(|| PriorScreens { at_hand, ..PriorScreens::join(screens) });
    Vocabulary::build(&features, joined.as_ref())
}

fn train_cell(
    vocabulary: &Vocabulary,
    cut: &Cut,
    inputs: &ModelInputs,
    stop: &Stop,
) -> Result<(Cell, Vec<Judged>)> {
    let (mut cell, held_out) =
        Cell::train_and_judge(vocabulary, &cut.observations, &inputs.model, inputs.seed, stop)?;
    cell.learn_readouts(vocabulary, &inputs.readouts, &cut.further, stop)?;
    Ok((cell, held_out))
}

/// A version that cannot be asked (trained on other features, or by a program of before) is passed over.
fn score_shadows(train: &Train, material: &Material, new: &New) -> Result<Vec<ShadowScore>> {
    let mut scores = Vec::new();
    for (shadow, (checkpoint, cut)) in train.shadows.iter().zip(&material.shadows) {
        let cell = Cell::from_bytes(checkpoint).ok().filter(|cell| cell.fits(new.vocabulary));
        let Some(cell) = cell else {
            tracing::info!(checkpoint = %shadow.checkpoint, "an earlier version cannot be asked any more");
            continue;
        };
        let known =
            cut.as_deref().map_or(Ok(Cut::default()), |cut| data::cut::read(cut, &train.inputs.readouts));
        scores.extend(shadow::score(new, shadow.checkpoint, &cell, &known?.observations)?);
    }
    Ok(scores)
}

fn read_cut(inputs: &ModelInputs, material: &Material) -> Result<Cut> {
    let read = |bytes| data::cut::read(bytes, &inputs.readouts);
    material.data_cut.as_deref().map_or(Ok(Cut::default()), read)
}

fn read_cell(material: &Material) -> Result<Cell> {
    Cell::from_bytes(material.checkpoint.as_deref().unwrap_or_default())
}
