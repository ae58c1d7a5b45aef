//! What a batch is said to be shared out into, where plates or money have made it another one than the rule chose.

use super::repeats;
use super::select::{Said, Selected, Selection, Why};
use crate::acquisition::Candidates;
use crate::acquisition::auto::Replicating;

/// Of a rule that is not the automatic mode.
pub(super) fn of_a_rule(new: usize, Replicating { count, words }: &Replicating) -> String {
    match count {
        0 => String::new(),
        _ => format!("Of {} experiments {new} are new, as the rule chooses, and {words}.", new + count),
    }
}

/// Counts who learns and who is measured again, and says the shares anew. What learning and repeats give up is what the
/// likeliest hits among those that wait would be in their place.
pub(super) fn recount(selection: Selection, candidates: &Candidates) -> Selection {
    let (batch, waiting) = selection.picks.split_at(selection.batch.min(selection.picks.len()));
    let chance = |it: &Selected| candidates.chance(it.pick.candidate);
    let learners: Vec<f64> = batch.iter().filter(|it| it.why == Why::Learns).map(chance).collect();
    let gains = batch.iter().filter_map(|it| match it.why {
        Why::Repeats(doubt) => Some(doubt.gain),
        _ => None,
    });
    let gains: Vec<f64> = gains.collect();
    let exploiting = batch.iter().filter(|it| !matches!(it.why, Why::Learns | Why::Repeats(_)));
    let exploiting: Vec<f64> = exploiting.map(chance).collect();
    let mut instead: Vec<f64> = waiting.iter().map(chance).chain(learners.iter().copied()).collect();
    instead.sort_by(|a, b| b.total_cmp(a));
    let best = |count: usize| instead.iter().take(count).sum::<f64>();
    let replicating = match gains.len() {
        0 => Replicating { count: 0, words: "none replicates, since none has a place".to_owned() },
        count => {
            let given_up = best(learners.len() + count) - best(learners.len());
            repeats::replicating((count, batch.len()), gains.iter().sum(), given_up)
        }
    };
    let (exploit, learn) = (exploiting.len(), learners.len());
    let given_up = best(learn) - learners.iter().sum::<f64>();
    let expected = exploiting.iter().sum::<f64>() + best(learn);
    let explanation = match &selection.said {
        Said::Nothing => selection.explanation,
        Said::Rule => of_a_rule(exploit + learn, &replicating),
        Said::Auto(verdict) => verdict.explain(exploit, learn, &replicating, (given_up, expected)),
    };
    Selection { explanation, learning: learn, replicating: replicating.count, ..selection }
}
