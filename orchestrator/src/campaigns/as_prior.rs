//! What a campaign measured, as a screen that later campaigns may learn from.
//!
//! A row is a single edit in a context: each context is a screen of its own, all of one group (the campaign), so that they
//! count as one study. Several plates of an edit are one row, as in the data cut ([`Pooled`]).
//! Sets of edits say nothing of a single one and are left out.

use crate::campaigns::spec::HitRule;
use crate::rounds::pooled::{Plate, Pooled};
use crate::store::results::ResultRow;
use jobs::Perturbation;
use jobs::work::description::Description;
use std::collections::BTreeMap;

/// A long prior table (columns in `jobs::work::learn`), and how many rows it has; `campaign` names the group. Where the
/// campaign described its screen, so does each row: a later campaign that describes its own can tell how alike they are.
pub fn to_csv(
    campaign: &str,
    rows: &[ResultRow],
    rule: &HitRule,
    description: &Description,
) -> (Vec<u8>, usize) {
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
    let (attributes, described): (&[&str], &[&str]) = match description.is_empty() {
        true => (&[], &[]),
        false => (&Description::ATTRIBUTES, &description.values()),
    };
    let columns = ["screen_id", "group", "gene", "score", "hit"];
    writer.write_record(columns.iter().chain(attributes)).expect(in_memory);
    let count = genes.len();
    for ((context, gene), plates) in genes {
        let plates: Vec<Plate> = plates.into_iter().map(plate).collect();
        let Some(pooled) = Pooled::of(&plates, rule) else { continue };
        let hit = pooled.hit.map_or("", |hit| if hit { "1" } else { "0" });
        let screen = format!("{campaign}:{context}");
        let score = pooled.value.to_string();
        let cells = [&screen, campaign, gene, &score, hit];
        writer.write_record(cells.iter().chain(described)).expect(in_memory);
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
        let rule = HitRule::Channel("call".into());
        let (csv, count) = to_csv("ifng", &rows, &rule, &Description::default());
        assert_eq!(
            (String::from_utf8(csv).unwrap().as_str(), count),
            (
                "screen_id,group,gene,score,hit\nifng:donor-1,ifng,CBLB,1.75,1\nifng:donor-2,ifng,CBLB,0.5,\n",
                2
            )
        );
    }

    #[test]
    fn a_described_campaign_describes_its_screens() {
        let rows = [row("CBLB", "donor-1", 1.0, 1, Some(true))];
        let cell = "primary T, CD8".to_owned();
        let description = Description { organism: "human".into(), cell, ..Description::default() };
        let (csv, _) = to_csv("ifng", &rows, &HitRule::Channel("call".into()), &description);
        let text = String::from_utf8(csv).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "screen_id,group,gene,score,hit,organism,cell,library,readout,selection",
                "ifng:donor-1,ifng,CBLB,1,1,human,\"primary T, CD8\",,,",
            ]
        );
    }
}
