//! What a campaign measured, as a screen that later campaigns may learn from.
//!
//! A row is a single edit in a context: each context is a screen of its own, all of one group (the campaign), so that they
//! count as one study. Several plates of an edit are one row, as in the data cut ([`Pooled`]).
//! Sets of edits say nothing of a single one and are left out.

use crate::campaigns::spec::HitRule;
use crate::rounds::pooled::{Plate, Pooled};
use crate::store::results::ResultRow;
use jobs::Perturbation;
use std::collections::BTreeMap;

/// A long prior table (columns in `jobs::work::learn`), and how many rows it has; `campaign` names the group.
pub fn to_csv(campaign: &str, rows: &[ResultRow], rule: &HitRule) -> (Vec<u8>, usize) {
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
        let plates: Vec<Plate> = plates.into_iter().map(plate).collect();
        let Some(pooled) = Pooled::of(&plates, rule) else { continue };
        let hit = pooled.hit.map_or("", |hit| if hit { "1" } else { "0" });
        let screen = format!("{campaign}:{context}");
        let score = pooled.value.to_string();
        writer.write_record([&screen, campaign, gene, &score, hit]).expect(in_memory);
    }
    (writer.into_inner().expect(in_memory), count)
}

fn plate(row: &ResultRow) -> Plate {
    Plate { value: row.value, sem: row.sem, replicates: row.replicates, hit: row.hit }
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
        let (csv, count) = to_csv("ifng", &rows, &HitRule::Channel("call".into()));
        assert_eq!(
            (String::from_utf8(csv).unwrap().as_str(), count),
            (
                "screen_id,group,gene,score,hit\nifng:donor-1,ifng,CBLB,1.75,1\nifng:donor-2,ifng,CBLB,0.5,\n",
                2
            )
        );
    }
}
