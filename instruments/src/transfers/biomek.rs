//! Biomek transfer file (and whatever else reads its five columns).

use super::{TransferList, WriteError, csv_line};

const COLUMNS: [&str; 5] =
    ["Source Plate Name", "Source Well", "Destination Plate Name", "Destination Well", "Transfer Volume"];

/// One row per transfer; volume in µL, exact to the nanolitre.
pub fn biomek_csv(list: &TransferList) -> Result<String, WriteError> {
    let mut text = csv_line(COLUMNS, "\r\n");
    for transfer in &list.transfers {
        text.push_str(&csv_line(
            [
                list.source(transfer).barcode.as_str(),
                &transfer.source_well.to_string(),
                list.destination(transfer).barcode.as_str(),
                &transfer.destination_well.to_string(),
                &transfer.volume.microlitres_text(),
            ],
            "\r\n",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfers::list::tests::example_list;

    #[test]
    fn golden() {
        insta::assert_snapshot!(biomek_csv(&example_list()).unwrap().replace("\r\n", "\n"), @r"
        Source Plate Name,Source Well,Destination Plate Name,Destination Well,Transfer Volume
        LIB-1,A2,P-1,B2,2.5
        LIB-2,H12,P-1,B2,1
        LIB-1,P24,P-1,O23,10.05
        ");
    }
}
