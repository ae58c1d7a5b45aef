//! What a prediction rests on, in words that a scientist reads. Pure.

use jobs::work::learn::Grounds;

/// `training_rows`: of the version that was asked. `grounds`: as its learner tells them, if it does.
pub fn note(training_rows: u64, grounds: Option<&Grounds>) -> String {
    let mut sentences = vec![experience(training_rows, grounds)];
    let Some(grounds) = grounds else { return sentences.concat() };
    if training_rows > 0 && grounds.context_rows == 0 {
        sentences.push("Nothing was measured in this context yet: the interval is wider for it.".to_owned());
    }
    if training_rows > 0 && grounds.same_size_rows == 0 {
        sentences.push(
            "No row has as many edits: what these do together was never seen, and is put together from others."
                .to_owned(),
        );
    }
    if !grounds.unknown_edits.is_empty() {
        sentences.push(format!(
            "Unknown edits: neither the features nor other screens have {}; taken for edits like any other, with \
             the doubt that goes with it.",
            grounds.unknown_edits.join(", ")
        ));
    }
    sentences.join(" ")
}

fn experience(training_rows: u64, grounds: Option<&Grounds>) -> String {
    if training_rows == 0 {
        return "Nothing was measured when this version was made: it says what features and other screens foretell."
            .to_owned();
    }
    let trained = format!("Trained on {training_rows} rows");
    let Some(Grounds { own_rows, related_rows, .. }) = grounds else { return format!("{trained}.") };
    match (own_rows, related_rows) {
        (0, 0) => format!("{trained}, none of them with an edit that this has."),
        (0, related) => format!("{trained}, {related} with an edit that this has, none of this itself."),
        (own, related) => format!("{trained}, {own} of this itself and {related} more with an edit of it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_said() {
        let known = Grounds {
            own_rows: 2,
            related_rows: 3,
            context_rows: 9,
            same_size_rows: 80,
            ..Grounds::default()
        };
        insta::assert_snapshot!(note(80, Some(&known)), @"Trained on 80 rows, 2 of this itself and 3 more with an edit of it.");
        let new = Grounds { unknown_edits: vec!["A".into(), "B".into()], ..Grounds::default() };
        insta::assert_snapshot!(note(80, Some(&new)), @"Trained on 80 rows, none of them with an edit that this has. Nothing was measured in this context yet: the interval is wider for it. No row has as many edits: what these do together was never seen, and is put together from others. Unknown edits: neither the features nor other screens have A, B; taken for edits like any other, with the doubt that goes with it.");
        insta::assert_snapshot!(note(0, Some(&Grounds::default())), @"Nothing was measured when this version was made: it says what features and other screens foretell.");
        insta::assert_snapshot!(note(80, None), @"Trained on 80 rows.");
    }
}
