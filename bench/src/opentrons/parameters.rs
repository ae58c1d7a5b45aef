//! Run-time parameters as a protocol's text declares them, read without running it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One `parameters.add_<type>(variable_name=.., display_name=..)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    pub variable_name: String,
    pub display_name: String,
    /// `csv_file`, `int`, `float`, `str` or `bool`.
    pub kind: String,
}

impl Declared {
    pub fn is_csv(&self) -> bool {
        self.kind == "csv_file"
    }

    /// As the API shows it; `file` is the data file that was given for it.
    pub fn view(&self, file: Option<(&str, &str)>) -> Value {
        json!({
            "displayName": self.display_name,
            "variableName": self.variable_name,
            "description": "",
            "type": self.kind,
            "file": file.map(|(id, name)| json!({ "id": id, "name": name })),
        })
    }
}

/// What a request gave for them: values by name, and ids of data files by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Given {
    pub values: BTreeMap<String, Value>,
    pub files: BTreeMap<String, String>,
}

impl Given {
    /// The first name given that `declared` does not know, or knows as another sort.
    pub fn unknown<'a>(&'a self, declared: &[Declared]) -> Option<&'a str> {
        let knows = |name: &str, csv: bool| {
            declared.iter().any(|one| one.variable_name == name && one.is_csv() == csv)
        };
        let value = self.values.keys().find(|name| !knows(name, false));
        value.or_else(|| self.files.keys().find(|name| !knows(name, true))).map(String::as_str)
    }
}

/// All declarations in `source`, in their order.
pub fn declared_in(source: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(".add_") {
        rest = rest.get(at + ".add_".len()..).unwrap_or_default();
        let Some(open) = rest.find('(') else { break };
        let kind = rest.get(..open).unwrap_or_default().trim();
        let arguments = until_closed(rest.get(open + 1..).unwrap_or_default());
        let known = matches!(kind, "csv_file" | "int" | "float" | "str" | "bool");
        if let (true, Some(variable_name)) = (known, text_argument(arguments, "variable_name")) {
            found.push(Declared {
                display_name: text_argument(arguments, "display_name").unwrap_or(variable_name).to_owned(),
                variable_name: variable_name.to_owned(),
                kind: kind.to_owned(),
            });
        }
    }
    found
}

/// `requirements = {"robotType": ".."}`, if the text says so.
pub fn robot_type(source: &str) -> Option<&str> {
    let after = source.split_once("robotType")?.1;
    let after = after.get(1..)?.trim_start().strip_prefix(':')?;
    quoted(after.trim_start())
}

fn until_closed(text: &str) -> &str {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// The value of `name="value"` among `arguments`.
fn text_argument<'a>(arguments: &'a str, name: &str) -> Option<&'a str> {
    let after = arguments.split_once(name)?.1.trim_start().strip_prefix('=')?;
    quoted(after.trim_start())
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    text.get(1..)?.split_once(quote).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_found_whatever_their_layout() {
        let source = r#"
requirements = {"robotType": "OT-2", "apiLevel": "2.20"}
def add_parameters(p):
    p.add_csv_file(
        variable_name = "picklist", display_name='Pick (list)',
    )
    p.add_int(display_name="Mix", variable_name="mix", default=3)
    p.add_something(variable_name="other")
"#;
        let declared = declared_in(source);
        let seen: Vec<_> =
            declared.iter().map(|one| (one.kind.as_str(), one.variable_name.as_str())).collect();
        assert_eq!(seen, [("csv_file", "picklist"), ("int", "mix")]);
        assert_eq!(robot_type(source), Some("OT-2"));
    }

    #[test]
    fn a_csv_given_as_a_value_is_unknown() {
        let declared = declared_in(r#"p.add_csv_file(variable_name="picklist")"#);
        let given = Given { values: [("picklist".to_owned(), json!("x"))].into(), files: BTreeMap::new() };
        assert_eq!(given.unknown(&declared), Some("picklist"));
        let given =
            Given { values: BTreeMap::new(), files: [("picklist".to_owned(), "id".to_owned())].into() };
        assert_eq!(given.unknown(&declared), None);
    }
}
