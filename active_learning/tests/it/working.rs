//! Jobs through the handler, as a server would give them.

use crate::synthetic;
use active_learning::data::{cut, pool};
use active_learning::worker::LearnerHandler;
use chrono::Utc;
use jobs::id::{JobId, LeaseToken};
use jobs::wire::Lease;
use jobs::work::learn::{
    Acquisition, ModelFamily, ModelInputs, ModelSpec, Objective, Predict, Propose, Train, TrainResult,
};
use jobs::work::screen::{RankBy, Screen, ScreenResult, Space};
use jobs::work::{Outcome, Output};
use jobs::worker::{Attempt, Handler};
use jobs::{Digest, FailureClass, Work};
use std::path::Path;

fn attempt(work: Work, dir: &Path) -> Attempt {
    let lease = Lease {
        job_id: JobId::fresh(),
        lease_token: LeaseToken::fresh(),
        attempt: 1,
        expires_in_seconds: 60,
        repeatable: true,
        deadline_lab_at: Some(Utc::now()),
        work,
    };
    Attempt::rehearsal(lease, dir).unwrap()
}

/// Performs `work` with `blobs` at hand; gives back its outcome and all blobs it left.
async fn perform(
    handler: &LearnerHandler,
    work: Work,
    blobs: &[Vec<u8>],
) -> (Outcome, Attempt, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let attempt = attempt(work, dir.path());
    for blob in blobs {
        attempt.put_blob(blob).await.unwrap();
    }
    (handler.perform(&attempt).await, attempt, dir)
}

struct Files {
    pool: Vec<u8>,
    cut: Vec<u8>,
    features: Vec<u8>,
}

impl Files {
    fn of(screen: &synthetic::Screen) -> Self {
        Self {
            pool: pool::write(screen.oracle().pool()),
            cut: cut::write("score", &screen.cut(80)),
            features: screen.features.clone(),
        }
    }

    fn blobs(&self) -> Vec<Vec<u8>> {
        vec![self.pool.clone(), self.cut.clone(), self.features.clone()]
    }

    fn inputs(&self, epochs: u32) -> ModelInputs {
        ModelInputs {
            pool: Digest::of(&self.pool),
            data_cut: Some(Digest::of(&self.cut)),
            features: vec![Digest::of(&self.features)],
            priors: vec![],
            exclude_prior_groups: vec![],
            description: jobs::work::description::Description::default(),
            readouts: vec![],
            model: ModelSpec { family: ModelFamily::Ensemble, members: 2, epochs, ..ModelSpec::default() },
            seed: 4,
        }
    }

    async fn train(&self, handler: &LearnerHandler) -> (TrainResult, Vec<u8>) {
        let work = Work::Train(Train { inputs: self.inputs(5), warm_start: None, shadows: vec![] });
        let (outcome, attempt, _dir) = perform(handler, work, &self.blobs()).await;
        let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
        let Output::Train(result) = *output else { panic!("{output:?}") };
        let bytes = attempt.get_blob(result.checkpoint).await.unwrap().to_vec();
        (result, bytes)
    }
}

#[tokio::test]
async fn train_propose_and_predict_speak_of_the_same_cell() {
    let handler = LearnerHandler::start("test").unwrap();
    let files = Files::of(&synthetic::screen());
    let (trained, checkpoint) = files.train(&handler).await;
    assert_eq!(trained.metrics.training_rows, 80);

    let mut blobs = files.blobs();
    blobs.push(checkpoint);
    let propose = Propose {
        inputs: files.inputs(5),
        checkpoint: Some(trained.checkpoint),
        objective: Objective::Maximise,
        acquisition: Acquisition::HitProbability,
        diversity: 0.0,
        rounds_left: None,
        batch_size: 8,
        runners_up: 4,
        pending: vec![],
        excluded: vec![],
        excluded_genes: vec![],
        repeats: None,
        prices: None,
        per_plate: None,
    };
    let (outcome, attempt, _dir) = perform(&handler, Work::Propose(propose), &blobs).await;
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Propose(proposed) = *output else { panic!("{output:?}") };
    assert_eq!((proposed.proposals.len(), proposed.runners_up.len()), (8, 4));
    assert_eq!(proposed.checkpoint, Some(trained.checkpoint));
    let posterior = String::from_utf8(attempt.get_blob(proposed.posterior).await.unwrap().to_vec()).unwrap();
    assert_eq!(posterior.lines().count(), 1 + synthetic::GENES);

    let best = &proposed.proposals[0];
    let predict = Predict {
        inputs: files.inputs(5),
        checkpoint: trained.checkpoint,
        experiments: vec![best.experiment.clone()],
    };
    let (outcome, _, _dir) = perform(&handler, Work::Predict(predict), &blobs).await;
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Predict(predicted) = *output else { panic!("{output:?}") };
    // One row or a pool full of rows: matrix products of another shape, so equal but for rounding.
    assert!((predicted.predictions[0].mean - best.prediction.mean).abs() < 1e-4);
    let prefix = format!("{},replay,{}", best.experiment.perturbation, best.prediction.mean);
    assert!(posterior.lines().any(|line| line.starts_with(&prefix)), "the posterior is a look-up");
    let grounds = &predicted.grounds[0];
    let measured = synthetic::screen().cut(80).iter().filter(|row| row.experiment == best.experiment).count();
    assert_eq!((grounds.unknown_edits.len(), grounds.context_rows), (0, 80));
    assert_eq!((grounds.own_rows as usize, grounds.related_rows), (measured, 0));
}

impl Files {
    fn screen(&self, checkpoint: Digest, space: Space) -> Work {
        let rank_by = RankBy::HitProbability;
        Work::Screen(Screen { inputs: self.inputs(5), checkpoint, space, rank_by, keep: 5 })
    }
}

async fn screened(handler: &LearnerHandler, work: Work, blobs: &[Vec<u8>]) -> (ScreenResult, String) {
    let (outcome, attempt, _dir) = perform(handler, work, blobs).await;
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Screen(result) = *output else { panic!("{output:?}") };
    let ranking = attempt.get_blob(result.ranking).await.unwrap().to_vec();
    (result, String::from_utf8(ranking).unwrap())
}

#[tokio::test]
async fn a_screen_ranks_what_was_asked_for_and_sums_up_the_rest() {
    let handler = LearnerHandler::start("test").unwrap();
    let files = Files::of(&synthetic::screen());
    let (trained, checkpoint) = files.train(&handler).await;
    let mut blobs = files.blobs();
    blobs.push(checkpoint);
    let context = jobs::Context("replay".into());

    let known = files.screen(trained.checkpoint, Space::Known { context: context.clone() });
    let (of_known, ranking) = screened(&handler, known, &blobs).await;
    // One gene of the screen has no row in the features.
    assert_eq!(of_known.summary.experiments, synthetic::GENES as u64 - 1);
    assert_eq!((of_known.summary.kept, of_known.summary.with_unknown_edits), (5, 0));
    assert_eq!(ranking.lines().count(), 1 + 5);

    // The pool as a table holds that gene too.
    let table = Digest::of(&files.pool);
    let (of_table, from_table) =
        screened(&handler, files.screen(trained.checkpoint, Space::Table { table }), &blobs).await;
    assert_eq!(of_table.summary.experiments, synthetic::GENES as u64);
    assert_eq!(of_table.summary.with_unknown_edits, 1);
    assert!(
        from_table.starts_with("perturbation,context,mean,epistemic_sd,aleatoric_sd,hit_probability,score")
    );

    let edits = ["G0", "G1", "G2", "G1"].map(str::to_owned).to_vec();
    let pairs = files.screen(trained.checkpoint, Space::Pairs { edits, context });
    let (of_pairs, ranking) = screened(&handler, pairs, &blobs).await;
    assert_eq!((of_pairs.summary.experiments, of_pairs.summary.kept), (3, 3));
    assert!(["G0+G1,", "G0+G2,", "G1+G2,"].iter().all(|pair| ranking.contains(pair)), "{ranking}");
}

#[tokio::test]
async fn a_screen_that_cannot_be_done_fails_for_good_and_in_words() {
    let handler = LearnerHandler::start("test").unwrap();
    let files = Files::of(&synthetic::screen());
    let (trained, checkpoint) = files.train(&handler).await;
    let mut blobs = files.blobs();
    blobs.push(checkpoint);
    let context = jobs::Context("replay".into());
    let alone = Space::Pairs { edits: vec!["G0".to_owned()], context: context.clone() };
    let unsound = Space::Singles { edits: vec!["G0+G1".to_owned()], context };
    for (space, words) in [(alone, "has no experiment"), (unsound, "is not the name of an edit")] {
        let (outcome, _, _dir) = perform(&handler, files.screen(trained.checkpoint, space), &blobs).await;
        let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
        assert_eq!(
            (failure.class, failure.code.as_str()),
            (FailureClass::Permanent, "learner.settings_invalid")
        );
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    let torn = b"perturbation,context\nG1,replay\n,replay\n".to_vec();
    let table = Space::Table { table: Digest::of(&torn) };
    blobs.push(torn);
    let (outcome, _, _dir) = perform(&handler, files.screen(trained.checkpoint, table), &blobs).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.contains("row 2"), "{}", failure.message);
}

#[tokio::test]
async fn the_same_job_gives_the_same_checkpoint_on_another_learner() {
    let files = Files::of(&synthetic::screen());
    let (one, other) = (LearnerHandler::start("one").unwrap(), LearnerHandler::start("other").unwrap());
    let ((first, bytes), (again, _)) = (files.train(&one).await, files.train(&other).await);
    assert_eq!(first.checkpoint, again.checkpoint);
    assert_eq!((first.metrics, first.code_version), (again.metrics, again.code_version));
    assert_eq!(first.checkpoint, Digest::of(&bytes));
}

#[tokio::test]
async fn a_proposal_without_a_model_says_on_what_it_rests() {
    let handler = LearnerHandler::start("test").unwrap();
    let files = Files::of(&synthetic::screen());
    let mut inputs = files.inputs(5);
    inputs.data_cut = None;
    let propose = Propose {
        inputs,
        checkpoint: None,
        objective: Objective::Maximise,
        acquisition: Acquisition::HitProbability,
        diversity: 0.0,
        rounds_left: None,
        batch_size: 8,
        runners_up: 0,
        pending: vec![],
        excluded: vec![],
        excluded_genes: vec![],
        repeats: None,
        prices: None,
        per_plate: None,
    };
    let (outcome, _, _dir) = perform(&handler, Work::Propose(propose), &files.blobs()).await;
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Propose(proposed) = *output else { panic!("{output:?}") };
    assert_eq!(proposed.checkpoint, None);
    assert!(proposed.proposals.iter().all(|p| p.reason.contains("nothing is measured yet")));
}

#[tokio::test]
async fn a_proposal_after_the_features_changed_names_the_cell_it_trained() {
    let handler = LearnerHandler::start("test").unwrap();
    let mut files = Files::of(&synthetic::screen());
    let (trained, checkpoint) = files.train(&handler).await;
    files.features = b"gene,a_0\nG0,1\nG1,2\nG2,4\n".to_vec();
    let mut blobs = files.blobs();
    blobs.push(checkpoint);
    let propose = Propose {
        inputs: files.inputs(5),
        checkpoint: Some(trained.checkpoint),
        objective: Objective::Maximise,
        acquisition: Acquisition::HitProbability,
        diversity: 0.0,
        rounds_left: None,
        batch_size: 3,
        runners_up: 0,
        pending: vec![],
        excluded: vec![],
        excluded_genes: vec![],
        repeats: None,
        prices: None,
        per_plate: None,
    };
    let (outcome, _, _dir) = perform(&handler, Work::Propose(propose), &blobs).await;
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Propose(proposed) = *output else { panic!("{output:?}") };
    assert!(proposed.checkpoint.is_some_and(|used| used != trained.checkpoint));
}

#[tokio::test]
async fn a_prediction_is_answered_while_a_training_runs() {
    let files = Files::of(&synthetic::screen());
    let (learner, predictor) =
        (LearnerHandler::start("learner").unwrap(), LearnerHandler::start("predict").unwrap());
    let (trained, checkpoint) = files.train(&predictor).await;
    let mut blobs = files.blobs();
    blobs.push(checkpoint);
    // Long enough that no prediction of 1 row could take as long.
    let train = Work::Train(Train { inputs: files.inputs(1_000_000), warm_start: None, shadows: vec![] });
    let predict = Work::Predict(Predict {
        inputs: files.inputs(5),
        checkpoint: trained.checkpoint,
        experiments: vec![synthetic::screen().oracle().pool()[3].clone()],
    });
    tokio::select! {
        biased;
        _ = perform(&learner, train, &blobs) => panic!("the training ended first"),
        (outcome, ..) = perform(&predictor, predict, &blobs) => {
            assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn bad_tables_fail_the_job_for_good_and_work_of_others_is_refused() {
    let handler = LearnerHandler::start("test").unwrap();
    let mut files = Files::of(&synthetic::screen());
    files.cut = b"perturbation,context,value\nG1,replay,much\n".to_vec();
    let work = Work::Train(Train { inputs: files.inputs(5), warm_start: None, shadows: vec![] });
    let (outcome, _, _dir) = perform(&handler, work, &files.blobs()).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Permanent, "learner.row_invalid"));
}
