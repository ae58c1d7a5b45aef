//! Answers for people (aligned tables) or for programs (`--json`).

use serde_json::Value;

#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// Prints `answer`'s `items` as a table of `columns` (JSON pointer below an item, heading).
    pub fn list(self, answer: &Value, columns: &[(&str, &str)], when_empty: &str) -> anyhow::Result<()> {
        if self.json {
            return self.raw(answer);
        }
        let items = answer["items"].as_array().or(answer.as_array()).cloned().unwrap_or_default();
        if items.is_empty() {
            println!("{when_empty}");
            return Ok(());
        }
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| columns.iter().map(|(pointer, _)| cell(item.pointer(pointer))).collect())
            .collect();
        print!("{}", table(&columns.iter().map(|(_, heading)| *heading).collect::<Vec<_>>(), &rows));
        if let Some(cursor) = answer["next_cursor"].as_str() {
            println!("(more: --cursor {cursor})");
        }
        Ok(())
    }

    /// Prints the fields of one record, a line each.
    pub fn record(self, answer: &Value) -> anyhow::Result<()> {
        if self.json {
            return self.raw(answer);
        }
        let Some(fields) = answer.as_object() else { return self.raw(answer) };
        let width = fields.keys().map(String::len).max().unwrap_or(0);
        for (name, value) in fields {
            println!("{name:<width$}  {}", brief(value));
        }
        Ok(())
    }

    /// Prints a sentence, or the whole answer for programs.
    pub fn done(self, answer: &Value, sentence: &str) -> anyhow::Result<()> {
        if self.json {
            return self.raw(answer);
        }
        println!("{sentence}");
        Ok(())
    }

    pub fn raw(self, answer: &Value) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string_pretty(answer)?);
        Ok(())
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_f64() => {
            number.as_f64().map(|value| format!("{value:.3}")).unwrap_or_default()
        }
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// Longest nested value that a record shows, in bytes.
const BRIEF: usize = 240;

/// As a cell; what is long and nested (readings, transfers) is counted instead.
fn brief(value: &Value) -> String {
    let shown = cell(Some(value));
    match value {
        Value::Array(items) if shown.len() > BRIEF => format!("{} items (--json shows them)", items.len()),
        Value::Object(fields) if shown.len() > BRIEF => {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            format!("{} (--json shows them)", names.join(", "))
        }
        _ => shown,
    }
}

/// Columns padded to their widest cell, two blanks between.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .chain([heading.chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(headings.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_and_nested_is_counted() {
        let readings = Value::Array(vec![serde_json::json!({"well": "A1", "value": 9480.5}); 80]);
        assert_eq!(brief(&readings), "80 items (--json shows them)");
        assert_eq!(brief(&serde_json::json!(["read.plate"])), "read.plate");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["a".to_owned(), "bcd".to_owned()]];
        assert_eq!(table(&["long", "x"], &rows), "long  x\na     bcd\n");
    }
}
