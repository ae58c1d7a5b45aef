//! A batch within what it may cost: what does not fit comes after it.

use super::select::{Selection, Why};
use crate::acquisition::cost::{self, Expense};
use jobs::work::learn::Prices;

/// Drops from the batch what its money does not hold, and says what it costs; repeats come first, since they took places of
/// what is new.
pub(super) fn fit(selection: Selection, expense: &Expense, prices: &Prices) -> (Selection, String) {
    let (again, new): (Vec<_>, Vec<_>) =
        selection.picks.into_iter().partition(|it| matches!(it.why, Why::Repeats(_)));
    let of = |it: &super::select::Selected| expense.of(it.pick.candidate);
    let repeats: f64 = again.iter().map(of).sum();
    let places = expense.batch.saturating_sub(again.len());
    let fits = cost::fit(new.iter().map(of), expense.budget - repeats, places);
    let passed_over = fits.iter().take(places).filter(|fits| !**fits).count();
    let (batch, rest): (Vec<_>, Vec<_>) = new.into_iter().zip(fits).partition(|(_, fits)| *fits);
    let mut picks: Vec<_> = batch.into_iter().map(|(it, _)| it).chain(again).collect();
    let (batch, spent) = (picks.len(), picks.iter().map(of).sum::<f64>());
    picks.extend(rest.into_iter().map(|(it, _)| it));
    let mut words = format!(
        "The {batch} experiments cost {spent:.2} of the {:.2} {} that a batch may",
        prices.budget, prices.currency
    );
    if passed_over > 0 {
        words +=
            &format!("; {passed_over} of the first {places} that are new cost too much for what was left");
    }
    (Selection { picks, batch, ..selection }, words + ".")
}
