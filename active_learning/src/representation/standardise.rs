//! Feature blocks at zero mean and unit variance over the genes that have them.

use crate::data::FeatureTable;

/// Standardised values are cut here: rare binary annotations otherwise dominate every distance.
const LIMIT: f32 = 10.0;

/// A feature table standardised; missing blocks are 0, the mean.
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
                    row[column] = z.clamp(-LIMIT, LIMIT);
                }
            }
        }
        Self { means, sds, values }
    }
}
