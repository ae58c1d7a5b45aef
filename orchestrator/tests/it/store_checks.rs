//! The schema mirrors the machines: of every combination of a row's state columns it takes those that a machine can
//! leave, and refuses each other by the name of the rule that it breaks.

use crate::laboratory::{Laboratory, Settings};
use orchestrator::store::Error;
use orchestrator::{batches, campaigns, models, plates, rounds};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// One combination, and the rules that it breaks.
struct Combination {
    columns: Vec<(&'static str, Option<String>)>,
    broken: Vec<&'static str>,
}

impl Combination {
    fn new(state: &str) -> Self {
        Self { columns: vec![("state", Some(state.to_owned()))], broken: Vec::new() }
    }

    fn with(mut self, column: &'static str, value: Option<&str>) -> Self {
        self.columns.push((column, value.map(str::to_owned)));
        self
    }

    fn rule(mut self, name: &'static str, holds: bool) -> Self {
        if !holds {
            self.broken.push(name);
        }
        self
    }

    fn statement(&self, table: &str) -> String {
        let literal = |value: &Option<String>| value.as_ref().map_or("null".to_owned(), |v| format!("'{v}'"));
        let set = self.columns.iter().map(|(column, value)| format!("{column} = {}", literal(value)));
        format!("update {table} set {}", set.collect::<Vec<_>>().join(", "))
    }
}

/// Tries each on the one row of `table`, and takes it back.
async fn try_each(laboratory: &Laboratory, table: &str, combinations: Vec<Combination>) {
    let rows = format!("select count(*) from {table}");
    let rows: i64 =
        sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(&laboratory.pool).await.expect("a count");
    assert_eq!(rows, 1, "{table}");
    let (mut taken, mut refused) = (0, 0);
    for combination in combinations {
        let statement = combination.statement(table);
        let mut tx = orchestrator::store::begin_on(&laboratory.pool).await.expect("a transaction");
        match sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&mut *tx).await {
            Ok(_) => {
                assert!(combination.broken.is_empty(), "{statement} breaks {:?}", combination.broken);
                taken += 1;
            }
            Err(error) => {
                let error = Error::from(error);
                let rule = error.constraint().unwrap_or_default();
                assert!(
                    combination.broken.contains(&rule),
                    "{statement}: {error} ({:?})",
                    combination.broken
                );
                refused += 1;
            }
        }
        tx.rollback().await.expect("as it was");
    }
    assert!(taken > 0 && refused > 0, "{table}: {taken} taken, {refused} refused");
}

/// Every word that a machine knows, and one that it does not.
fn words<'a>(known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = known.into_iter().collect();
    words.dedup();
    words.push("asleep");
    words
}

const NO_OR: [Option<&str>; 2] = [None, Some("because")];

async fn one_plate(options: PgPoolOptions, login: PgConnectOptions) -> Laboratory {
    let settings = Settings { rounds: 1, batch: 4, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.run().await;
    laboratory
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_round_is_stored_as_its_machine_can_leave_it(options: PgPoolOptions, login: PgConnectOptions) {
    use rounds::State;
    let laboratory = one_plate(options, login).await;
    let mut all = Vec::new();
    let states = State::all();
    let known = |word: &str| states.iter().any(|state| state.as_str() == word);
    let froms: Vec<Option<&str>> = [None, Some("asleep"), Some("closed")]
        .into_iter()
        .chain(states.iter().filter_map(|s| s.held_from().map(Some)))
        .collect();
    for state in words(states.iter().map(|state| state.as_str())) {
        for &from in &froms {
            let of_stage = from.is_none_or(|from| State::from_columns("held", Some(from)).is_some());
            for reason in NO_OR {
                for code in NO_OR {
                    for summary in [None, Some("{}")] {
                        let stopped = ["held", "cancelled", "failed"].contains(&state);
                        all.push(
                            Combination::new(state)
                                .with("held_from", from)
                                .with("reason", reason)
                                .with("reason_code", code)
                                .with("summary", summary)
                                .rule("round_state_check", known(state))
                                .rule("round_held_from_check", of_stage)
                                .rule("round_held_says_from", (state == "held") == from.is_some())
                                .rule("round_stopped_says_why", stopped == reason.is_some())
                                .rule("round_reason_has_code", reason.is_some() == code.is_some())
                                .rule("round_closed_has_summary", (state == "closed") == summary.is_some()),
                        );
                    }
                }
            }
        }
    }
    let fits = |c: &&Combination| c.broken.is_empty();
    let said: Vec<_> =
        all.iter().filter(fits).map(|c| (c.columns[0].1.clone(), c.columns[1].1.clone())).collect();
    let mut machine: Vec<_> =
        states.iter().map(|s| (Some(s.as_str().to_owned()), s.held_from().map(str::to_owned))).collect();
    let mut of_schema = said;
    machine.sort();
    of_schema.sort();
    of_schema.dedup();
    assert_eq!(of_schema, machine, "what the rules leave is what the machine knows");
    try_each(&laboratory, "round", all).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_batch_is_stored_as_its_machine_can_leave_it(options: PgPoolOptions, login: PgConnectOptions) {
    use batches::State;
    let laboratory = one_plate(options, login).await;
    let mut all = Vec::new();
    for state in words(State::ALL.map(State::as_str)) {
        for hash in [None, Some("\\x00")] {
            for reason in NO_OR {
                for selected in [None, Some("4")] {
                    let known = State::from_column(state);
                    let frozen = matches!(known, Some(State::Approved | State::Planned));
                    let closed = matches!(known, Some(State::Rejected | State::Withdrawn));
                    let over = known.is_some_and(State::is_over);
                    all.push(
                        Combination::new(state)
                            .with("frozen_hash", hash)
                            .with("closed_reason", reason)
                            .with("selected", selected)
                            .rule("batch_state_check", known.is_some())
                            .rule("batch_frozen", frozen == hash.is_some())
                            .rule("batch_closed_says_why", closed == reason.is_some())
                            .rule("batch_selected_once_over", over || selected.is_none()),
                    );
                }
            }
        }
    }
    try_each(&laboratory, "batch", all).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_plate_is_stored_as_its_machine_can_leave_it(options: PgPoolOptions, login: PgConnectOptions) {
    use plates::State;
    let laboratory = one_plate(options, login).await;
    let mut all = Vec::new();
    for state in words(State::ALL.map(State::as_str)) {
        for qc in [None, Some("{}")] {
            for reason in NO_OR {
                let known = State::from_column(state);
                let decided = matches!(known, Some(State::Quarantined | State::Released | State::Rejected));
                let judged = decided || known == Some(State::Passed);
                // A quarantined one keeps its judgement when its round is cancelled.
                let is_cancelled = known == Some(State::Cancelled);
                let explained = decided || is_cancelled || known == Some(State::Lost);
                all.push(
                    Combination::new(state)
                        .with("qc", qc)
                        .with("reason", reason)
                        .rule("plate_state_check", known.is_some())
                        .rule("plate_judged_has_qc", is_cancelled || judged == qc.is_some())
                        .rule("plate_ended_badly_says_why", explained == reason.is_some()),
                );
            }
        }
    }
    try_each(&laboratory, "plate", all).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_campaign_is_stored_as_its_machine_can_leave_it(options: PgPoolOptions, login: PgConnectOptions) {
    use campaigns::state::State;
    let laboratory = one_plate(options, login).await;
    let mut all = Vec::new();
    for state in words(State::ALL.map(State::as_str)) {
        for reason in NO_OR {
            let known = State::from_column(state);
            let over = known.is_some_and(State::is_terminal);
            all.push(
                Combination::new(state)
                    .with("finished_reason", reason)
                    .rule("campaign_state_check", known.is_some())
                    .rule("campaign_finished_says_why", over == reason.is_some()),
            );
        }
    }
    try_each(&laboratory, "campaign", all).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_model_version_is_stored_as_its_machine_can_leave_it(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    use models::State;
    let mut laboratory =
        Laboratory::new(options, login, Settings { rounds: 1, auto_approve: false, ..Settings::default() })
            .await;
    laboratory.run().await;
    let mut all = Vec::new();
    for state in words(State::ALL.map(State::as_str)) {
        for because in NO_OR {
            let known = State::from_column(state);
            all.push(
                Combination::new(state)
                    .with("decided_because", because)
                    .rule("model_version_state_check", known.is_some())
                    .rule(
                        "model_version_decided_says_why",
                        (known == Some(State::Candidate)) == because.is_none(),
                    ),
            );
        }
    }
    try_each(&laboratory, "model_version", all).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_instrument_is_stored_as_orders_can_leave_it(options: PgPoolOptions, login: PgConnectOptions) {
    use orchestrator::store::instruments::InstrumentState as State;
    let laboratory = Laboratory::new(options, login, Settings::default()).await;
    sqlx::query("delete from instrument where name <> 'reader-1'")
        .execute(&laboratory.pool)
        .await
        .expect("one is left");
    let mut all = Vec::new();
    for state in words(State::ALL.map(State::as_str)) {
        for back in [None, Some("2026-03-02T14:00:00Z")] {
            let known = State::ALL.into_iter().find(|it| it.as_str() == state);
            let is_out = matches!(known, Some(State::Draining | State::Maintenance));
            all.push(
                Combination::new(state)
                    .with("back_lab_at", back)
                    .rule("instrument_state_check", known.is_some())
                    .rule("instrument_back_when_out", back.is_none() || is_out),
            );
        }
    }
    try_each(&laboratory, "instrument", all).await;
}
