//! Feature blocks at zero mean and unit variance over the genes that have them.

use crate::data::FeatureTable;

/// Standardised values are cut here: rare binary annotations otherwise dominate every distance.
const LIMIT: f32 = 10.0;

/// A feature table standardised; missing blocks and gaps are 0, the mean.
#[derive(Clone, Debug)]
pub struct Standardised {
    /// Per column, in the table's units.
    pub means: Vec<f32>,
    /// Per column, in the table's units; 1 for constant columns.
    pub sds: Vec<f32>,
    /// `[genes, width]`, row by row.
    pub values: Vec<f32>,
}

impl Standardised {
    pub fn of(table: &FeatureTable) -> Self {
        let width = table.width();
        let (mut means, mut sds) = (vec![0.0; width], vec![1.0; width]);
        for (number, block) in table.blocks.iter().enumerate() {
            for column in block.start..block.start + block.width {
                let known = || {
                    (0..table.genes.len())
                        .filter(|&gene| table.presence(gene)[number])
                        .map(|gene| f64::from(table.row(gene)[column]))
                        .filter(|value| value.is_finite())
                };
                let count = known().count().max(1) as f64;
                let mean = known().sum::<f64>() / count;
                let variance = known().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
                means[column] = mean as f32;
                sds[column] = if variance > 1e-12 { variance.sqrt() as f32 } else { 1.0 };
            }
        }
        let mut values = vec![0.0; table.values.len()];
        for (gene, row) in values.chunks_exact_mut(width.max(1)).enumerate() {
            for (block, _) in table.blocks.iter().zip(table.presence(gene)).filter(|(_, there)| **there) {
                for column in block.start..block.start + block.width {
                    let z = (table.row(gene)[column] - means[column]) / sds[column];
                    row[column] = if z.is_nan() { 0.0 } else { z.clamp(-LIMIT, LIMIT) };
                }
            }
        }
        Self { means, sds, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_known_block_is_the_mean_and_counts_in_neither_mean_nor_sd() {
        let text = b"gene,a_0,a_1\nX,8,1\nY,,3\nZ,6,inf\nW,0,2\nMISSING,,\n";
        let rows = Standardised::of(&FeatureTable::read(text).unwrap());
        assert!((rows.means[0] - 14.0 / 3.0).abs() < 1e-6 && rows.means[1] == 2.0, "{:?}", rows.means);
        // Of 8, 6 and 0, and of 1, 3 and 2.
        let sds = [(104.0f32 / 9.0).sqrt(), (2.0f32 / 3.0).sqrt()];
        assert!(rows.sds.iter().zip(sds).all(|(one, other)| (one - other).abs() < 1e-6), "{:?}", rows.sds);
        assert_eq!((rows.values[2], rows.values[5], &rows.values[8..]), (0.0, 0.0, [0.0, 0.0].as_slice()));
        assert!(rows.values[6] < -1.0, "a true 0 stays one: {:?}", rows.values);
    }
}
