//! Migrations only expand: a replica of the release before runs on while they are applied. What takes something away
//! waits a release, and says so (`-- contract: after version X`).

use orchestrator::store::MIGRATOR;

/// From here on (those before were applied while nobody ran).
const FIRST: i64 = 11;
/// The line that allows what only contracts.
const HEADER: &str = "-- contract: after version ";

/// What an older replica would stumble over, if `sql` does it.
fn contracts(sql: &str) -> Vec<String> {
    let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join(" ").to_lowercase();
    code.split(';').flat_map(|statement| contraction(&words(statement))).collect()
}

fn words(statement: &str) -> Vec<String> {
    let apart = statement.replace([',', '('], " , ").replace(')', " ");
    apart.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
}

fn contraction(words: &[String]) -> Vec<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|window| window == wanted);
    let altering = words.starts_with(&["alter", "table"]);
    let mut found = Vec::new();
    for gone in ["table", "view", "function", "type", "schema", "sequence", "trigger"] {
        if words.starts_with(&["drop", gone]) {
            found.push(format!("drop {gone}"));
        }
    }
    if altering {
        if has(&["drop", "column"]) {
            found.push("drop column".to_owned());
        }
        if has(&["rename"]) {
            found.push("rename".to_owned());
        }
        if has(&["set", "not", "null"]) {
            found.push("set not null".to_owned());
        }
        if has(&["drop", "default"]) {
            found.push("drop default".to_owned());
        }
        let retyped = |w: &[&str]| w[0] == "alter" && w[2] == "type";
        let retyped_column = |w: &[&str]| w[0] == "alter" && w[1] == "column" && w[3] == "type";
        if words.windows(3).any(retyped)
            || words.windows(4).any(retyped_column)
            || has(&["set", "data", "type"])
        {
            found.push("another type".to_owned());
        }
        for column in clauses(&words, &["add", "column"]) {
            let not_null = column.windows(2).any(|w| w == ["not", "null"]);
            if not_null && !column.contains(&"default") && !column.contains(&"generated") {
                found.push("a column that older replicas do not fill".to_owned());
            }
        }
    }
    if words.first() == Some(&"revoke") && words.contains(&"loopwright_app") {
        let inserting = words.contains(&"insert") || words.contains(&"select") || words.contains(&"all");
        if inserting {
            found.push("revoke".to_owned());
        }
    }
    found
}

/// What follows each `head`, up to the next comma outside of it.
fn clauses<'a>(words: &[&'a str], head: &[&str]) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    for start in 0..words.len().saturating_sub(head.len()) {
        if words[start..].starts_with(head) {
            let rest = &words[start + head.len()..];
            let next = (0..rest.len()).find(|at| {
                rest[*at..].starts_with(&[",", "add"]) || rest[*at..].starts_with(&[",", "alter"])
            });
            found.push(rest[..next.unwrap_or(rest.len())].to_vec());
        }
    }
    found
}

#[test]
fn new_migrations_expand_or_say_since_when_they_may_contract() {
    let mut looked_at = 0;
    for migration in MIGRATOR.iter().filter(|migration| migration.version >= FIRST) {
        looked_at += 1;
        let sql = migration.sql.as_str();
        let found = contracts(sql);
        let allowed = sql.lines().any(|line| line.starts_with(HEADER) && line.len() > HEADER.len());
        assert!(
            found.is_empty() || allowed,
            "migration {} {} takes away what the release before uses ({}): expand now, contract one release later, \
             under the line `{HEADER}X`",
            migration.version,
            migration.description,
            found.join(", ")
        );
    }
    assert!(looked_at >= 2, "the migrations are found");
}

#[test]
fn what_contracts_is_recognised_and_what_expands_is_not() {
    for bad in [
        "drop table plate;",
        "alter table plate drop column qc;",
        "ALTER TABLE plate\n    DROP COLUMN qc",
        "alter table plate rename column qc to judgement",
        "alter table plate rename to dish",
        "alter table plate alter column qc type text",
        "alter table plate alter qc type text",
        "alter table plate alter column qc set data type text",
        "alter table plate alter column qc set not null",
        "alter table plate alter qc drop default; select 1",
        "alter table plate add column a text, add column b integer not null",
        "alter table plate add column b integer not null, add column c text default 'x'",
        "revoke insert on plate from loopwright_app",
        "drop function lab_now()",
    ] {
        assert!(!contracts(bad).is_empty(), "{bad}");
    }
    for good in [
        "create table dish (id uuid primary key, name text not null)",
        "alter table plate add column a text",
        "alter table plate add column a integer not null default 1, add column b text",
        "alter table plate add column a timestamptz not null default now()",
        "alter table plate add column n bigint generated always as identity not null",
        "create index plate_x on plate (x) where x is not null; -- drop table plate",
        "drop index plate_x",
        "alter table plate drop constraint plate_x; alter table plate add constraint plate_x check (a is not null)",
        "comment on column plate.a is 'rename drop column'",
        "revoke update, delete on plate from loopwright_app",
    ] {
        assert_eq!(contracts(good), Vec::<String>::new(), "{good}");
    }
}
