//! `loopwright batch plan`: the plate maps, drawn.

use crate::cli::client::Client;
use crate::cli::output::Output;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) async fn plan(client: &Client, output: Output, id: &str, from: u32) -> anyhow::Result<()> {
    let plan = client.get(&format!("/api/v1/batches/{id}/plan?from={from}")).await?;
    if output.json {
        return output.raw(&plan);
    }
    for plate in plan["plates"].as_array().into_iter().flatten() {
        print!("{}", drawn(plate));
    }
    if let Some(next) = plan["next_from"].as_u64() {
        println!("(more: --from {next})");
    }
    Ok(())
}

/// A plate as a grid: `-` and `+` for controls, `.` for empty wells, and of samples what is in them.
fn drawn(plate: &Value) -> String {
    let number = |name: &str| plate[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let text = |name: &str| plate[name].as_str().unwrap_or("?");
    let wells: BTreeMap<&str, String> = plate["wells"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|well| (well["well"].as_str().unwrap_or("?"), mark(well)))
        .collect();
    let width = wells.values().map(|mark| mark.chars().count()).max().unwrap_or(1);
    let mut grid = format!(
        "Plate {}: {} ({}, {})\n",
        plate["ordinal"],
        text("barcode"),
        text("labware"),
        text("context")
    );
    for row in 0..number("rows") {
        let name = row_name(row);
        let cells = (1..=number("columns")).map(|column| {
            let mark = wells.get(format!("{name}{column}").as_str()).map_or(".", String::as_str);
            format!("{mark:<width$}")
        });
        let line = cells.collect::<Vec<_>>().join(" ");
        grid += &format!("{name:>2}  {}\n", line.trim_end());
    }
    grid + "\n"
}

fn mark(well: &Value) -> String {
    match well["role"].as_str() {
        Some("negative_control") => "-".to_owned(),
        Some("positive_control") => "+".to_owned(),
        _ => well["perturbation"].as_str().unwrap_or("?").to_owned(),
    }
}

/// `A` to `Z`, then `AA`.
fn row_name(row: usize) -> String {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    match row / 26 {
        0 => letter(row).to_string(),
        tens => format!("{}{}", letter(tens - 1), letter(row)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plate_is_drawn_row_by_row() {
        let plate = json!({
        "ordinal": 1, "barcode": "P-1", "labware": "tiny", "context": "K562", "rows": 2, "columns": 3,
        "wells": [
            {"well": "A1", "role": "sample", "perturbation": "CBLB"},
            {"well": "A3", "role": "negative_control", "perturbation": null},
            {"well": "B2", "role": "positive_control", "perturbation": null},
        ]});
        assert_eq!(drawn(&plate), "Plate 1: P-1 (tiny, K562)\n A  CBLB .    -\n B  .    +    .\n\n");
        assert_eq!((row_name(25), row_name(26), row_name(31)), ("Z".into(), "AA".into(), "AF".into()));
    }
}
