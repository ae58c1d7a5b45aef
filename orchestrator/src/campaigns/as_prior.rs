//! What a campaign measured, as a screen that later campaigns may learn from.
//!
//! A row is a single edit in a context: each context is a screen of its own, all of one group (the campaign), so that they
//! count as one study. Several plates of an edit are one row, their values weighted by replicates; a tie of calls is a hit.
//! Sets of edits say nothing of a single one and are left out.

use crate::store::results::ResultRow;
use jobs::Perturbation;
use std::collections::BTreeMap;

/// A long prior table (columns in `jobs::work::learn`), and how many rows it has; `campaign` names the group.
pub fn to_csv(campaign: &str, rows: &[ResultRow]) -> (Vec<u8>, usize) {
    let mut genes: BTreeMap<(&str, &str), Vec<&ResultRow>> = BTreeMap::new();
    for row in rows {
        let edits =
            row.perturbation.parse::<Perturbation>().map_or(0, |perturbation| perturbation.edits().len());
        if edits == 1 {
            genes.entry((&row.context, &row.perturbation)).or_default().push(row);
        }
    }
    let in_memory = "a Vec takes every byte";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["screen_id", "group", "gene", "score", "hit"]).expect(in_memory);
    let count = genes.len();
    for ((context, gene), plates) in genes {
        let replicates: f64 = plates.iter().map(|row| f64::from(row.replicates)).sum();
        let sum: f64 = plates.iter().map(|row| f64::from(row.replicates) * row.value).sum();
        let called: Vec<bool> = plates.iter().filter_map(|row| row.hit).collect();
        let hits = called.iter().filter(|hit| **hit).count();
        let hit = if called.is_empty() {
            ""
        } else if 2 * hits >= called.len() {
            "1"
        } else {
            "0"
        };
        let screen = format!("{campaign}:{context}");
        let score = (sum / replicates.max(1.0)).to_string();
        writer.write_record([&screen, campaign, gene, &score, hit]).expect(in_memory);
    }
    (writer.into_inner().expect(in_memory), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(perturbation: &str, context: &str, value: f64, replicates: u32, hit: Option<bool>) -> ResultRow {
        let text = serde_json::json!({
            "round": 1, "perturbation": perturbation, "context": context, "readout": "signal", "value": value,
            "replicates": replicates, "hit": hit, "reason": "", "proposal_id": "", "batch_id": "", "approved_by": "",
            "plate_barcode": "", "plate_generation": 1, "plate_state": "passed",
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_campaign_is_a_screen_a_context_of_single_edits() {
        let rows = [
            row("CBLB", "donor-1", 1.0, 1, Some(true)),
            row("CBLB", "donor-1", 2.0, 3, Some(false)),
            row("CBLB", "donor-2", 0.5, 2, None),
            row("CBLB+RASA2", "donor-1", 9.0, 2, Some(true)),
        ];
        let (csv, count) = to_csv("ifng", &rows);
        assert_eq!(
            (String::from_utf8(csv).unwrap().as_str(), count),
            (
                "screen_id,group,gene,score,hit\nifng:donor-1,ifng,CBLB,1.75,1\nifng:donor-2,ifng,CBLB,0.5,\n",
                2
            )
        );
    }
}
